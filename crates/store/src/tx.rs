//! The transaction that closures see. Once a statement has failed, all later ones fail the same way on both engines (on
//! PostgreSQL the transaction is dead anyway), so that no closure gets the habit of going on.

use crate::conn::{Conn, Counter, Engine, Event, Wake};
use crate::error::StoreError;
use crate::fault::Faults;
use crate::row::Row;
use crate::session::{Fail, Session};
use crate::value::Value;
use model::{EventId, IdSource};

/// What closures asked for and the worker does at COMMIT or after it.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub events: Vec<(i64, Event)>,
    pub counts: Vec<(Counter, i64)>,
    pub wakes: Vec<Wake>,
}

impl Effects {
    pub fn mark(&self) -> (usize, usize, usize) {
        (self.events.len(), self.counts.len(), self.wakes.len())
    }
    pub fn back_to(&mut self, mark: (usize, usize, usize)) {
        self.events.truncate(mark.0);
        self.counts.truncate(mark.1);
        self.wakes.truncate(mark.2);
    }
}

pub(crate) struct Tx<'t, 'c> {
    session: &'t mut Session<'c>,
    ids: &'t IdSource,
    faults: &'t Faults,
    pub effects: Effects,
    pub failed: Option<Fail>,
    writes: bool,
}

impl<'t, 'c> Tx<'t, 'c> {
    pub fn new(session: &'t mut Session<'c>, ids: &'t IdSource, faults: &'t Faults, writes: bool) -> Self {
        Self { session, ids, faults, effects: Effects::default(), failed: None, writes }
    }
    pub fn session(&mut self) -> &mut Session<'c> {
        self.session
    }
    fn call<T>(&mut self, sql: &'static str, run: impl FnOnce(&mut Session<'c>) -> Result<T, Fail>) -> Result<T, StoreError> {
        if let Some(fail) = &self.failed {
            return Err(fail.error.clone());
        }
        match self.faults.check().and_then(|()| run(self.session)) {
            Ok(answer) => Ok(answer),
            Err(mut fail) => {
                if let StoreError::Broken(text) = &mut fail.error {
                    // Which statement it was; its values never leave this place.
                    *text = format!("{text}, in: {}", start_of(sql));
                }
                let error = fail.error.clone();
                self.failed = Some(fail);
                Err(error)
            }
        }
    }
    fn refuse_in_a_read(&mut self, what: &str) {
        if !self.writes && self.failed.is_none() {
            self.failed = Some(Fail::broken(format!("{what} inside a read")));
        }
    }
}

fn start_of(sql: &str) -> String {
    sql.split_whitespace().take(12).collect::<Vec<_>>().join(" ")
}

impl Conn for Tx<'_, '_> {
    fn engine(&self) -> Engine {
        self.session.engine()
    }
    fn exec(&mut self, sql: &'static str, values: &[Value]) -> Result<u64, StoreError> {
        self.call(sql, |session| session.exec(sql, values))
    }
    fn rows(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.call(sql, |session| session.rows(sql, values))
    }
    fn one(&mut self, sql: &'static str, values: &[Value]) -> Result<Option<Row>, StoreError> {
        self.call(sql, |session| session.one(sql, values))
    }
    fn id(&mut self) -> i64 {
        // Past the horizon the number may belong to somebody else: this transaction must not commit; the worker renews the
        // lease and runs it again.
        if self.writes && self.failed.is_none() && !self.ids.may_make() {
            self.failed = Some(Fail::again());
        }
        self.ids.next_id()
    }
    fn log(&mut self, event: Event) -> EventId {
        self.refuse_in_a_read("log");
        let id = self.id();
        self.effects.events.push((id, event));
        EventId(id)
    }
    fn count(&mut self, counter: Counter, by: i64) {
        self.refuse_in_a_read("count");
        self.effects.counts.push((counter, by));
    }
    fn wake(&mut self, wake: Wake) {
        self.refuse_in_a_read("wake");
        if !self.effects.wakes.contains(&wake) {
            self.effects.wakes.push(wake);
        }
    }
}
