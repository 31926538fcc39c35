//! Secrets as one layer of a configuration: what they have, with the types that a schema gives them.

use super::normal::spelled_out;
use super::plan::Plan;
use super::shape::Shape;
use super::tree::Tree;
use super::{Schema, Secrets, Strictness, coerce};
use crate::core::XtraError;

impl Secrets {
    /// The settings that these secrets feed. One that is missing is no problem: another layer may have it.
    pub(crate) fn layer(&self, schema: &Schema) -> Result<Tree, XtraError> {
        let plan = Plan::of(&schema.0.json);
        let (gathering, mut tree) = self.gather(schema, &plan, Strictness::default())?;
        gathering.report.without_missing().in_order().into_result()?;
        coerce::spell_out_durations(plan.root(), &Shape::of(plan.root(), [plan.root()]), &mut tree.0, spelled_out);
        Ok(tree)
    }
}
