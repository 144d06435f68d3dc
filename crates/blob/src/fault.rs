//! Faults on demand, for the tests that let the n-th call fail. Costs one relaxed read per call while off.

use crate::BlobError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Which calls fail: `begin`, `finish`, `size`, `read`, `delete`, `list`, counted from 1 since the plan was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultPlan {
    /// The call that fails first.
    pub nth: u64,
    /// How many fail from there on.
    pub count: u64,
    /// How they fail.
    pub error: BlobError,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: AtomicBool,
    calls: AtomicU64,
    plan: Mutex<Option<FaultPlan>>,
}

impl Faults {
    pub(crate) fn set(&self, plan: Option<FaultPlan>) {
        let mut held = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        self.calls.store(0, Ordering::SeqCst);
        self.armed.store(plan.is_some(), Ordering::SeqCst);
        *held = plan;
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn check(&self) -> Result<(), BlobError> {
        if !self.armed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let held = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(plan) = held.as_ref() else { return Ok(()) };
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if call >= plan.nth && call - plan.nth < plan.count { Err(plan.error.clone()) } else { Ok(()) }
    }
}
