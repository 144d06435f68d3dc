//! What all workers of one `Db` have in common.

use crate::conn::{Committed, Conn};
use crate::error::StoreError;
use crate::fault::Faults;
use crate::node::NodeIds;
use crate::session::Session;
use crate::tx::Tx;
use model::Clock;
use std::sync::{Arc, PoisonError, RwLock};

type Receiver = Arc<dyn Fn(Committed) + Send + Sync>;

pub(crate) struct Shared {
    pub clock: Arc<dyn Clock>,
    pub node: NodeIds,
    pub faults: Faults,
    pub run_twice: bool,
    pub receiver: RwLock<Option<Receiver>>,
}

impl Shared {
    pub fn committed(&self, committed: Committed) {
        let receiver = self.receiver.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(receiver) = receiver {
            receiver(committed);
        }
    }

    /// The engine's own small transactions (leases, migrations), outside queues, groups and faults.
    pub fn alone<T>(
        &self,
        session: &mut Session<'_>,
        run: impl FnOnce(&mut dyn Conn) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        session.begin().map_err(|fail| fail.error)?;
        let ids = self.node.ids();
        let none = Faults::default();
        let mut tx = Tx::new(session, &ids, &none, true);
        let answer = run(&mut tx);
        match answer {
            Ok(answer) => match session.commit() {
                Ok(()) => Ok(answer),
                Err(fail) => {
                    session.rollback();
                    Err(fail.error)
                }
            },
            Err(error) => {
                session.rollback();
                Err(error)
            }
        }
    }
}
