//! Secrets as one layer of a configuration, with the types that a schema gives them.

use super::name_map::NameMap;
use super::normalize::spelled_out;
use super::schema_view::SchemaView;
use super::tree::Tree;
use super::{Schema, Secrets, Strictness, coerce};
use crate::core::XtraError;

impl Secrets {
    /// The settings that these secrets feed. One that is missing is no problem: another layer may have it.
    pub(crate) fn layer(&self, schema: &Schema) -> Result<Tree, XtraError> {
        let name_map = NameMap::of(&schema.0.json);
        let (assembly, mut tree) = self.assemble_by(schema, &name_map, Strictness::default())?;
        assembly.report.without_missing().in_order().into_result()?;
        coerce::spell_out_durations(
            name_map.root(),
            &SchemaView::of(name_map.root(), [name_map.root()]),
            &mut tree.0,
            spelled_out,
        );
        Ok(tree)
    }
}
