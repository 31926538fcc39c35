//! Copies between any two of the four services, each in memory: nothing gets lost, nothing is overwritten, nothing is written twice.

mod changes;
mod failures;
mod hostile;
mod obstacles;
mod services;
mod there_and_back;
