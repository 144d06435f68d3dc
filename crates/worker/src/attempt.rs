//! One attempt of one job, and one held lane: run, catch panics, close.

use crate::registry::{JobContext, Outcome};
use crate::runner::Inner;
use futures_util::FutureExt;
use model::Timestamp;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use store::job::{self, Claimed, JobRef, LaneClaim, NextInLane, retry_after};
use store::{Route, StoreError};

/// A job whose code this process lacks: an older node during a roll-out meets jobs of the newer one.
const UNKNOWN_RETRY_MS: i64 = 60_000;
/// A closing statement that the store could not take is tried again for about this long, then the lease does the rest.
const CLOSE_TRIES: u32 = 8;

/// What an attempt came to, after the limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Close {
    Finish,
    Nothing,
    RetryAt(Timestamp, Option<String>),
    GiveUp(String),
}

impl Inner {
    /// Runs a claimed job and closes it. Tells how it was closed.
    pub(crate) async fn attempt(&self, claimed: Claimed, lane: Option<i64>, now: Timestamp) -> Close {
        let job = claimed.job;
        let name = claimed.name.clone();
        let held = self.held.hold_job(job);
        let close = self.run(claimed, lane, now).await;
        match &close {
            Close::Finish | Close::Nothing => {}
            Close::RetryAt(at, reason) => {
                let (reason, wait_ms) = (reason.as_deref().unwrap_or("asked for a later time"), at.since(now));
                tracing::info!(job.id = %job.id, job.name = name, attempts = job.attempts, reason, wait_ms, "job {name} runs again later");
            }
            Close::GiveUp(reason) => {
                tracing::error!(job.id = %job.id, job.name = name, attempts = job.attempts, reason, "gave up job {name}: {reason}");
            }
        }
        match self.close(job, lane, close.clone(), now).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!(job.id = %job.id, job.name = name, "job {name} was not held any more when it ended"),
            Err(error) => tracing::error!(job.id = %job.id, job.name = name, %error, "job {name} ended but could not be closed"),
        }
        drop(held);
        close
    }

    async fn run(&self, claimed: Claimed, lane: Option<i64>, now: Timestamp) -> Close {
        let Claimed { job, name, payload } = claimed;
        let Some(known) = self.registry.find(&name) else {
            let reason = format!("no code here knows the job {name}");
            if job.attempts >= store::job::ATTEMPT_COUNT_MAX {
                return Close::GiveUp(reason);
            }
            return Close::RetryAt(now.plus_ms(UNKNOWN_RETRY_MS), Some(reason));
        };
        // Attempts that never came to an end: the process died each time. The next one must not take it down again.
        if job.attempts > known.attempts_max {
            return Close::GiveUp(format!("{} attempts ended without an answer", job.attempts - 1));
        }
        let run = known.run.clone();
        let context = JobContext { job, name, payload, lane, now };
        let outcome = AssertUnwindSafe(async move { run(context).await })
            .catch_unwind()
            .await
            .unwrap_or_else(|panic| Outcome::Retry(format!("panicked: {}", crate::supervisor::panic_text(panic.as_ref()))));
        let last = job.attempts >= known.attempts_max;
        match outcome {
            Outcome::Done => Close::Finish,
            Outcome::DoneInTx => Close::Nothing,
            Outcome::GiveUp { reason } => Close::GiveUp(reason),
            Outcome::Retry(reason) if last => Close::GiveUp(reason),
            Outcome::RetryAt(_) if last => Close::GiveUp(format!("not done after {} attempts", job.attempts)),
            // From the end of the attempt, which may have taken long; in tests `now` and the clock agree.
            Outcome::Retry(reason) => {
                let from = self.clock.now().max(now);
                Close::RetryAt(retry_after(job.attempts, from, self.random.as_ref()), Some(reason))
            }
            Outcome::RetryAt(at) => Close::RetryAt(at, None),
        }
    }

    async fn close(&self, job: JobRef, lane: Option<i64>, close: Close, now: Timestamp) -> Result<bool, StoreError> {
        let route = lane.map_or(Route::Any, Route::Lane);
        for tried in 1.. {
            let close = close.clone();
            let answer = match close {
                Close::Nothing => return Ok(true),
                Close::Finish => self.db.write(route, move |tx| job::finish(tx, job)).await,
                Close::RetryAt(at, reason) => self.db.write(route, move |tx| job::retry_at(tx, job, at, reason.as_deref())).await,
                Close::GiveUp(reason) => self.db.write(route, move |tx| job::give_up(tx, job, &reason, now)).await,
            };
            match answer {
                Err(StoreError::Busy) if tried < CLOSE_TRIES => pause(Duration::from_millis(50 << tried)).await,
                other => return other,
            }
        }
        Err(StoreError::Busy)
    }

    /// Runs the jobs of a held lane, one after the other, beginning with its head, which was started with the claim; then
    /// gives the lane back. `ended` sees each end.
    pub(crate) async fn run_lane(
        &self,
        claim: LaneClaim,
        head: Claimed,
        now: impl Fn() -> Timestamp + Send,
        mut ended: impl FnMut(Close) + Send,
    ) {
        let held = self.held.hold_lane(claim);
        let (mut at, settings) = (now(), self.settings);
        let (began, mut next) = (at, Some(head));
        for _ in 0..settings.lane_job_count_max {
            if let Some(job) = next.take() {
                ended(self.attempt(job, Some(claim.lane), at).await);
                at = now();
            }
            if self.held.is_stopping() || at.since(began) > settings.lane_hold_ms {
                break;
            }
            let until = at.plus_ms(settings.lease_ms);
            match self.db.write(Route::Lane(claim.lane), move |tx| job::next_or_release(tx, claim, at, until)).await {
                Ok(NextInLane::Job(claimed)) => next = Some(claimed),
                // Given back, or somebody else's by now.
                Ok(NextInLane::Later | NextInLane::Empty | NextInLane::Lost) => return,
                Err(error) => {
                    tracing::warn!(lane = claim.lane, %error, "the next job of a lane could not be started");
                    break;
                }
            }
        }
        // A job that was started and not run would keep its lane waiting for the end of the lease.
        if let Some(job) = next {
            ended(self.attempt(job, Some(claim.lane), at).await);
        }
        match self.db.write(Route::Lane(claim.lane), move |tx| job::release_lane(tx, claim)).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!(lane = claim.lane, "a lane was not held any more when it was given back"),
            Err(error) => tracing::warn!(lane = claim.lane, %error, "a lane could not be given back; it returns with its lease"),
        }
        drop(held);
    }
}

#[expect(clippy::disallowed_methods, reason = "the worker waits for the store between two tries")]
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
