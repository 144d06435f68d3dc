//! Faults on demand, for the tests that let the n-th store call fail. Costs one relaxed read per call while off.

use crate::error::StoreError;
use crate::session::{Cause, Fail};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An error that will not go away.
    Broken,
    /// Another transaction in the way: the store itself tries again.
    Busy,
    /// A COMMIT that happened, but whose answer did not arrive: the caller hears Busy. On other calls the same as `Broken`.
    AnswerLost,
}

/// Which call fails. Calls are `exec`, `rows`, `one` and COMMIT, of reads and writes, counted from 1 since the plan was set;
/// the engine's own statements for numbers and counters count as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultPlan {
    /// The call that fails first.
    pub nth: u64,
    /// How many calls fail from there on.
    pub count: u64,
    /// How they fail.
    pub fault: Fault,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: AtomicBool,
    calls: AtomicU64,
    plan: Mutex<Option<FaultPlan>>,
}

impl Faults {
    pub fn set(&self, plan: Option<FaultPlan>) {
        let mut held = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        *held = plan;
        self.calls.store(0, Ordering::SeqCst);
        self.armed.store(plan.is_some(), Ordering::SeqCst);
    }
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }
    /// The fault of this call, if it has one.
    pub fn next(&self) -> Option<Fault> {
        if !self.armed.load(Ordering::Relaxed) {
            return None;
        }
        let plan = (*self.plan.lock().unwrap_or_else(PoisonError::into_inner))?;
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        (call >= plan.nth && call - plan.nth < plan.count).then_some(plan.fault)
    }
    /// The same for anything but COMMIT.
    pub fn check(&self) -> Result<(), Fail> {
        match self.next() {
            None => Ok(()),
            Some(Fault::Busy) => Err(Fail::again()),
            Some(Fault::Broken | Fault::AnswerLost) => Err(broken()),
        }
    }
}

pub(crate) fn broken() -> Fail {
    Fail { error: StoreError::broken("a fault that a test asked for"), cause: Cause::Final }
}
