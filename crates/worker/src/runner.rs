//! The loop that claims jobs and lanes and runs them. It subscribes to wakes *before* it looks, looks on a reader (an idle
//! server does not write), claims only what it has slots for, and sleeps exactly until the next job is due.

use crate::attempt::{Close, pause};
use crate::registry::Registry;
use crate::slots::Slots;
use crate::supervisor::Stop;
use model::{Clock, Random, Timestamp};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::job::{self, Claimed, Due, JobClass, JobRef, LaneClaim};
use store::{Db, Route, StoreError};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::task::JoinSet;

/// Something was due but others had it: look again this soon, not at once.
const CONTENDED_MS: i64 = 20;
/// How many jobs [`Runner::run_due`] runs before it calls the test wrong: a job that asks for the present time again and again.
const RUN_DUE_COUNT_MAX: usize = 100_000;

/// How a runner works. The defaults are those of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunnerSettings {
    /// Jobs that run at the same time; a held lane counts as one.
    pub slots: usize,
    /// Slots that only one class may use: now, normal, bulk.
    pub reserved: [usize; 3],
    /// How long a claim holds.
    pub lease_ms: i64,
    /// How often claims are renewed while the job runs.
    pub renew_every_ms: i64,
    /// How often claims of dead workers are put back.
    pub reap_every_ms: i64,
    /// Longest wait without a wake.
    pub poll_ms: i64,
    /// Jobs that are run before a lane is given back.
    pub lane_job_count_max: usize,
    /// Time after which a lane is given back.
    pub lane_hold_ms: i64,
    /// How long a stop waits for running jobs.
    pub stop_within_ms: i64,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            // Many small transactions side by side are one commit: what runs at once sets the size of the groups.
            slots: 128,
            reserved: [32, 8, 4],
            lease_ms: job::LEASE_MS,
            renew_every_ms: 20_000,
            reap_every_ms: 5_000,
            poll_ms: 1_000,
            lane_job_count_max: 50,
            lane_hold_ms: 5_000,
            stop_within_ms: 25_000,
        }
    }
}

/// Wakes a runner. A wake that comes while it looks is kept, so none is lost between looking and sleeping.
#[derive(Clone, Default)]
pub struct Waker(Arc<Notify>);

impl Waker {
    /// Something may be due.
    pub fn wake(&self) {
        self.0.notify_one();
    }
    /// Ends with the next wake, or at once when one came since the last.
    pub(crate) fn listen(&self) -> Notified<'_> {
        self.0.notified()
    }
}

/// What [`Runner::run_due`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DueReport {
    /// Attempts in all.
    pub ran: usize,
    /// Reasons of those that will run again later.
    pub retried: Vec<String>,
    /// Reasons of those that were given up.
    pub gave_up: Vec<String>,
}

impl DueReport {
    fn add(&mut self, close: Close) {
        self.ran += 1;
        match close {
            Close::Finish | Close::Nothing => {}
            Close::RetryAt(at, reason) => self.retried.push(reason.unwrap_or_else(|| format!("asked for {at}"))),
            Close::GiveUp(reason) => self.gave_up.push(reason),
        }
    }
}

/// Runs jobs. Clones share their slots.
#[derive(Clone)]
pub struct Runner(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) registry: Registry,
    pub(crate) settings: RunnerSettings,
    pub(crate) held: Held,
    waker: Waker,
    slots: Arc<Slots>,
}

impl Runner {
    /// A runner over this store with these jobs.
    pub fn new(db: Db, clock: Arc<dyn Clock>, random: Arc<dyn Random>, registry: Registry, settings: RunnerSettings) -> Self {
        let slots = Slots::new(settings.slots, settings.reserved);
        let (held, waker) = (Held::default(), Waker::default());
        Self(Arc::new(Inner { db, clock, random, registry, settings, held, waker, slots }))
    }
    /// What `server` calls after a commit of this or another node that enqueued jobs.
    pub fn waker(&self) -> Waker {
        self.0.waker.clone()
    }

    /// Runs jobs until the process stops, then lets the running ones end.
    pub async fn run(&self, stop: Stop) {
        // A runner that was stopped may be started again; one that still thinks it stops gives every lane back untouched.
        self.0.held.stopping.store(false, Ordering::SeqCst);
        // Claims are renewed to the very end; neither loop below ever returns by itself.
        tokio::select! {
            () = self.claiming(&stop) => {}
            () = self.0.renewing() => {}
            () = self.0.reaping() => {}
        }
    }

    async fn claiming(&self, stop: &Stop) {
        let inner = &self.0;
        let mut running = JoinSet::new();
        while !stop.is_stopping() {
            let woken = inner.waker.listen();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let wait_ms = match inner.claim(&mut running, inner, stop).await {
                Ok(wait_ms) => wait_ms,
                Err(error) => {
                    tracing::warn!(%error, "jobs could not be claimed");
                    inner.settings.poll_ms
                }
            };
            if wait_ms > 0 {
                tokio::select! {
                    () = woken => {}
                    () = stop.stopped() => {}
                    () = pause(Duration::from_millis(wait_ms.unsigned_abs())) => {}
                    Some(_) = running.join_next() => {}
                }
            }
            while running.try_join_next().is_some() {}
        }
        self.drain(running).await;
    }

    async fn drain(&self, mut running: JoinSet<()>) {
        let inner = &self.0;
        inner.held.stopping.store(true, Ordering::SeqCst);
        let all = async { while running.join_next().await.is_some() {} };
        let within = Duration::from_millis(inner.settings.stop_within_ms.max(0).unsigned_abs());
        if tokio::time::timeout(within, all).await.is_ok() {
            return;
        }
        let (jobs, lanes) = inner.held.list();
        tracing::warn!(jobs = jobs.len(), "jobs did not end in time; they are cut off and given back");
        running.shutdown().await;
        let given = inner.db.write(Route::Any, move |tx| -> Result<(), StoreError> {
            for job in &jobs {
                job::give_back(tx, *job)?;
            }
            for lane in &lanes {
                job::release_lane(tx, *lane)?;
            }
            Ok(())
        });
        if let Err(error) = given.await {
            tracing::warn!(%error, "cut-off jobs could not be given back; they return with their leases");
        }
    }

    /// Runs everything that is due at `now`, one after the other, until nothing is: for tests with a clock that they move
    /// themselves. Waits for no time to pass.
    pub async fn run_due(&self, now: Timestamp) -> Result<DueReport, StoreError> {
        let (inner, mut report) = (&self.0, DueReport::default());
        loop {
            let due = inner.db.read(job::look).await?;
            if !due.is_ready(now) {
                return Ok(report);
            }
            if report.ran > RUN_DUE_COUNT_MAX {
                return Err(StoreError::broken("jobs that are due make jobs that are due, without end"));
            }
            let Some(class) = first_ready(&due, now) else { return Ok(report) };
            let (jobs, lanes) = inner.take(class, now, 16, 1).await?;
            for claimed in jobs {
                report.add(inner.attempt(claimed, None, now).await);
            }
            for (lane, head) in lanes {
                inner.run_lane(lane, head, || now, |close| report.add(close)).await;
            }
        }
    }
}

fn first_ready(due: &Due, now: Timestamp) -> Option<JobClass> {
    let ready = |class: &JobClass| {
        let of_class = due.0[class.priority() as usize];
        [of_class.job_at, of_class.lane_at].into_iter().flatten().any(|at| at <= now)
    };
    JobClass::ALL.into_iter().find(ready)
}

impl Inner {
    /// Claims what there are slots for and starts it. Answers how long nothing new is expected; 0: look again at once.
    async fn claim(&self, running: &mut JoinSet<()>, shared: &Arc<Self>, stop: &Stop) -> Result<i64, StoreError> {
        let due = self.db.read(job::look).await?;
        let now = self.clock.now();
        let (mut claimed, mut missed) = (0, false);
        let mut next_at = now.plus_ms(self.settings.poll_ms);
        for (class, due) in JobClass::ALL.into_iter().zip(due.0) {
            let is_ready = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
            for later in [due.job_at, due.lane_at].into_iter().flatten().filter(|at| *at > now) {
                next_at = next_at.min(later);
            }
            let free = self.slots.free(class);
            // Without a slot the end of a running job wakes us. Asked after the slots: one that a stop has freed is not used.
            if free == 0 || stop.is_stopping() || !(is_ready(due.job_at) || is_ready(due.lane_at)) {
                continue;
            }
            let (job_limit, lane_limit) = match (is_ready(due.job_at), is_ready(due.lane_at)) {
                (true, false) => (free, 0),
                (false, _) => (0, free),
                // Both: half each; the last slot goes to what waits longest.
                (true, true) if free > 1 => (free / 2, free - free / 2),
                (true, true) => {
                    if due.job_at <= due.lane_at {
                        (1, 0)
                    } else {
                        (0, 1)
                    }
                }
            };
            let (jobs, lanes) = self.take(class, now, job_limit, lane_limit).await?;
            missed |= jobs.is_empty() && lanes.is_empty();
            claimed += jobs.len() + lanes.len();
            for job in jobs {
                let (inner, slot) = (shared.clone(), self.slots.take(class));
                running.spawn(async move {
                    let _slot = slot;
                    inner.attempt(job, None, inner.clock.now()).await;
                });
            }
            for (lane, head) in lanes {
                let (inner, slot) = (shared.clone(), self.slots.take(class));
                running.spawn(async move {
                    let _slot = slot;
                    inner.run_lane(lane, head, || inner.clock.now(), |_| {}).await;
                });
            }
        }
        Ok(match (claimed, missed) {
            (1.., _) => 0,
            (_, true) => CONTENDED_MS,
            _ => next_at.since(now).clamp(1, self.settings.poll_ms.max(1)),
        })
    }

    async fn take(
        &self,
        class: JobClass,
        now: Timestamp,
        job_limit: usize,
        lane_limit: usize,
    ) -> Result<(Vec<Claimed>, Vec<(LaneClaim, Claimed)>), StoreError> {
        let until = now.plus_ms(self.settings.lease_ms);
        let take = move |tx: &mut dyn store::Conn| -> Result<_, StoreError> {
            let jobs = if job_limit > 0 { job::claim_ready(tx, class, now, until, job_limit)? } else { Vec::new() };
            let lanes = if lane_limit > 0 { job::start_lanes(tx, class, now, until, lane_limit)? } else { Vec::new() };
            Ok((jobs, lanes))
        };
        self.db.write(Route::Any, take).await
    }

    async fn renewing(&self) {
        loop {
            pause(Duration::from_millis(self.settings.renew_every_ms.max(1).unsigned_abs())).await;
            let (jobs, lanes) = self.held.list();
            if jobs.is_empty() && lanes.is_empty() {
                continue;
            }
            let until = self.clock.now().plus_ms(self.settings.lease_ms);
            let renewed = self.db.write(Route::Any, move |tx| -> Result<usize, StoreError> {
                let mut lost = 0;
                for job in &jobs {
                    lost += usize::from(!job::renew(tx, *job, until)?);
                }
                for lane in &lanes {
                    lost += usize::from(!job::renew_lane(tx, *lane, until)?);
                }
                Ok(lost)
            });
            match renewed.await {
                // A job that ended between the list and the write is counted too: no reason for an alarm.
                Ok(lost) => tracing::debug!(lost, "claims renewed"),
                Err(error) => tracing::warn!(%error, "claims could not be renewed"),
            }
        }
    }

    async fn reaping(&self) {
        loop {
            pause(Duration::from_millis(self.settings.reap_every_ms.max(1).unsigned_abs())).await;
            let now = self.clock.now();
            match self.db.read(move |tx| job::expired(tx, now)).await {
                Ok(false) => continue,
                Ok(true) => {}
                Err(error) => {
                    tracing::warn!(%error, "expired claims could not be looked for");
                    continue;
                }
            }
            match self.db.write(Route::Any, move |tx| job::reap(tx, now)).await {
                Ok(count) => {
                    tracing::warn!(count, "claims whose holder is gone were put back");
                    self.waker.wake();
                }
                Err(error) => tracing::warn!(%error, "expired claims could not be put back"),
            }
        }
    }
}

/// What this process holds now: the list that is renewed, and given back at a hard stop.
#[derive(Default)]
pub(crate) struct Held {
    jobs: Mutex<HashSet<JobRef>>,
    lanes: Mutex<HashSet<LaneClaim>>,
    stopping: AtomicBool,
}

impl Held {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
    pub(crate) fn hold_job(&self, job: JobRef) -> impl Drop + Send + '_ {
        HeldOne::new(&self.jobs, job)
    }
    pub(crate) fn hold_lane(&self, lane: LaneClaim) -> impl Drop + Send + '_ {
        HeldOne::new(&self.lanes, lane)
    }
    fn list(&self) -> (Vec<JobRef>, Vec<LaneClaim>) {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        (jobs, self.lanes.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect())
    }
}

struct HeldOne<'a, T: Copy + Eq + std::hash::Hash> {
    set: &'a Mutex<HashSet<T>>,
    item: T,
}

impl<'a, T: Copy + Eq + std::hash::Hash> HeldOne<'a, T> {
    fn new(set: &'a Mutex<HashSet<T>>, item: T) -> Self {
        set.lock().unwrap_or_else(PoisonError::into_inner).insert(item);
        Self { set, item }
    }
}

impl<T: Copy + Eq + std::hash::Hash> Drop for HeldOne<'_, T> {
    fn drop(&mut self) {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.item);
    }
}
