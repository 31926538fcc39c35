//! The layers of a snapshot: the sources that it was put together of, and which of them gave a name.

use std::collections::HashMap;

use super::XtraError;

/// One of the sources that a [`Layered`](crate::sources::Layered) snapshot was put together of, as it was at that moment. From
/// [`Secrets::layers`](crate::Secrets::layers) and [`Secrets::layer_of`](crate::Secrets::layer_of).
#[derive(Debug, Clone)]
pub struct LayerState {
    number: usize,
    label: String,
    missing: Option<XtraError>,
}

impl LayerState {
    pub(crate) fn new(number: usize, label: impl Into<String>, missing: Option<XtraError>) -> Self {
        Self { number, label: label.into(), missing }
    }

    /// Its place in the order, from 1: of two layers that have a name, the one with the smaller number gives it.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// The source and what is read of it, in words: `files, the directory /run/secrets`.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Why nothing came of it, when it is an optional layer and could not be read.
    #[must_use]
    pub fn missing(&self) -> Option<&XtraError> {
        self.missing.as_ref()
    }
}

/// The layers in order, and which of them gave each name.
#[derive(Debug, Default)]
pub(crate) struct LayerMap {
    states: Vec<LayerState>,
    /// The places of the layers that gave names. What is not here is of the first layer.
    lower: HashMap<String, usize>,
}

impl LayerMap {
    pub(crate) fn push(&mut self, state: LayerState) {
        self.states.push(state);
    }

    /// Notes that the layer that comes next gives `name`.
    pub(crate) fn gives(&mut self, name: &str) {
        if !self.states.is_empty() {
            self.lower.insert(name.to_owned(), self.states.len());
        }
    }

    pub(crate) fn states(&self) -> &[LayerState] {
        &self.states
    }

    pub(crate) fn of(&self, name: &str) -> Option<&LayerState> {
        self.states.get(self.lower.get(name).copied().unwrap_or_default())
    }
}
