//! Which adapter serves which kind of channel. Filled once by the server, read by everybody else.

use crate::Channel;
use std::collections::HashMap;
use std::sync::Arc;

/// Adapters by kind. Cheap to clone.
#[derive(Clone, Default)]
pub struct Registry(Arc<HashMap<model::Channel, Arc<dyn Channel>>>);

impl Registry {
    /// A registry of these adapters; the last one of a kind wins.
    pub fn new(adapters: impl IntoIterator<Item = (model::Channel, Arc<dyn Channel>)>) -> Self {
        Self(Arc::new(adapters.into_iter().collect()))
    }
    /// This registry with one more adapter.
    pub fn with(self, kind: model::Channel, adapter: Arc<dyn Channel>) -> Self {
        let mut adapters = (*self.0).clone();
        adapters.insert(kind, adapter);
        Self(Arc::new(adapters))
    }
    /// The adapter of a kind. `None`: this build has none, so the inbox cannot be used here.
    pub fn get(&self, kind: model::Channel) -> Option<&Arc<dyn Channel>> {
        self.0.get(&kind)
    }
    /// The kinds that have an adapter, in the order of the word list.
    pub fn kinds(&self) -> Vec<model::Channel> {
        model::Channel::ALL.iter().copied().filter(|kind| self.0.contains_key(kind)).collect()
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Registry").field(&self.kinds()).finish()
    }
}
