//! A migration from Infisical to XtraSecurity, as the example does it: nothing is written against a conflict, and nothing gets lost.

mod plan;
mod promises;
