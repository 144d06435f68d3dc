//! Running what is due, on a clock that the test moves; and the loop itself, on the real one.

use crate::{Place, WORKSPACE, left, plain};
use model::{Clock, FakeRandom, JobId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::job::{self, Job, JobClass, LEASE_MS, NewJob};
use store::{Route, StoreError};
use tokio::sync::Semaphore;
use worker::{Outcome, Registry, Runner, RunnerSettings, Supervisor};

/// What ran, in order.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[derive(Serialize, Deserialize)]
struct Greet {
    whom: JobId,
}
impl Job for Greet {
    const NAME: &'static str = "greet";
    const CLASS: JobClass = JobClass::Now;
    fn dedupe_key(&self) -> Option<String> {
        Some(format!("greet:{}", self.whom))
    }
}

#[tokio::test]
async fn what_is_due_runs_in_order_of_class_and_time_and_the_rest_waits() {
    let place = Place::new();
    let seen = Seen::default();
    let mut registry = Registry::new();
    for name in ["a", "b", "c", "late"] {
        let seen = seen.clone();
        registry.add(name, move |context| {
            seen.add(format!("{} {}", context.name, context.payload));
            std::future::ready(Outcome::Done)
        });
    }
    let now = place.now();
    place.add(NewJob { class: JobClass::Bulk, ..plain("a", json!({"n": 1}), now) }).await;
    place.add(plain("b", json!(2), now)).await;
    place.add(plain("b", json!(3), now.plus_ms(-5))).await;
    place.add(NewJob { class: JobClass::Now, ..plain("c", json!(4), now) }).await;
    place.add(plain("late", json!(5), now.plus_ms(1))).await;
    let runner = place.runner(registry);
    let report = runner.run_due(now).await.unwrap();
    assert_eq!((report.ran, report.retried.len(), report.gave_up.len()), (4, 0, 0));
    assert_eq!(seen.take(), ["c 4", "b 3", "b 2", "a {\"n\":1}"]);
    assert_eq!(place.left().await, (1, 0));
    assert_eq!(runner.run_due(now.plus_ms(1)).await.unwrap().ran, 1);
    assert_eq!(place.left().await, (0, 0));
}

#[tokio::test]
async fn a_typed_job_is_read_and_a_payload_that_cannot_be_read_is_given_up() {
    let place = Place::new();
    let seen = Seen::default();
    let mut registry = Registry::new();
    let on_seen = seen.clone();
    registry.on(move |_, job: Greet| {
        on_seen.add(job.whom.to_string());
        std::future::ready(Outcome::Done)
    });
    let now = place.now();
    let twice = move |tx: &mut dyn store::Conn| -> Result<(bool, bool), StoreError> {
        let first = job::enqueue(tx, WORKSPACE, &Greet { whom: JobId(7) }, now)?;
        let second = job::enqueue(tx, WORKSPACE, &Greet { whom: JobId(7) }, now)?;
        Ok((first.is_some(), second.is_some()))
    };
    assert_eq!(place.db.write(Route::Any, twice).await.unwrap(), (true, false));
    place.add(plain("greet", json!({"whom": 7}), now)).await;
    let runner = place.runner(registry);
    let report = runner.run_due(now).await.unwrap();
    assert_eq!(report.ran, 2);
    assert_eq!(seen.take(), ["job_0000000000007"]);
    assert!(report.gave_up[0].contains("payload cannot be read"), "{report:?}");
    assert_eq!(place.health().await.given_up, 1);
}

#[tokio::test]
async fn failures_and_panics_are_tried_again_by_the_schedule_and_given_up_at_the_limit() {
    let place = Place::new();
    let mut registry = Registry::new();
    registry.add("panics", |_| async { panic!("no such thing as {}", "luck") }).limit("panics", 3);
    let now = place.now();
    place.add(plain("panics", json!({}), now)).await;
    let runner = place.runner(registry);
    let mut waits = Vec::new();
    for attempt in 1..=3 {
        let report = runner.run_due(place.now()).await.unwrap();
        assert_eq!(report.ran, 1, "attempt {attempt}");
        let said = if attempt < 3 { &report.retried } else { &report.gave_up };
        assert_eq!(said[..], ["panicked: no such thing as luck"], "attempt {attempt}");
        if let Some(next) = place.db.read(job::look).await.unwrap().next_run_at() {
            waits.push(next.since(place.now()));
            place.clock.set(next);
        }
    }
    assert_eq!(waits.len(), 2);
    assert!((4_000..=6_000).contains(&waits[0]) && (12_000..=18_000).contains(&waits[1]), "{waits:?}");
    let given_up = place.db.read(|tx| job::list_given_up(tx, WORKSPACE, None, 10)).await.unwrap();
    assert_eq!((given_up[0].attempts, given_up[0].reason.as_str()), (3, "panicked: no such thing as luck"));
}

#[tokio::test]
async fn a_job_may_ask_for_a_time_give_up_or_delete_its_own_row() {
    let place = Place::new();
    let db = place.db.clone();
    let mut registry = Registry::new();
    registry.add("wait", |context| {
        let first = context.job.attempts == 1;
        std::future::ready(if first { Outcome::RetryAt(context.now.plus_seconds(90)) } else { Outcome::Done })
    });
    registry.add("never", |_| std::future::ready(Outcome::give_up("the inbox is gone")));
    registry.add("own", move |context| {
        let db = db.clone();
        async move {
            let done = db.write(Route::Any, move |tx| job::finish_in_tx(tx, context.job)).await;
            done.map_or_else(Outcome::retry, |()| Outcome::DoneInTx)
        }
    });
    let now = place.now();
    for name in ["wait", "never", "own"] {
        place.add(plain(name, json!({}), now)).await;
    }
    let runner = place.runner(registry);
    let report = runner.run_due(now).await.unwrap();
    assert_eq!((report.ran, report.retried.len(), &report.gave_up[..]), (3, 1, &["the inbox is gone".to_owned()][..]));
    assert_eq!(runner.run_due(now.plus_seconds(89)).await.unwrap().ran, 0);
    assert_eq!(runner.run_due(now.plus_seconds(90)).await.unwrap().ran, 1);
    assert_eq!(place.left().await, (1, 0), "only the given-up job is left");
}

#[tokio::test]
async fn a_job_that_nobody_knows_waits_for_a_newer_node_and_one_that_kills_is_not_run_for_ever() {
    let place = Place::new();
    let mut registry = Registry::new();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    registry.add("kills", move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        std::future::pending()
    });
    registry.limit("kills", 2);
    let now = place.now();
    place.add(plain("newer", json!({}), now)).await;
    let runner = place.runner(registry);
    let report = runner.run_due(now).await.unwrap();
    assert_eq!(report.retried, ["no code here knows the job newer"]);
    // Two attempts that end with their process: claimed, never closed, put back by the reaper.
    place.add(plain("kills", json!({}), now)).await;
    let mut at = now;
    for _ in 0..2 {
        let claimed =
            place.db.write(Route::Any, move |tx| job::claim_ready(tx, JobClass::Normal, at, at.plus_ms(LEASE_MS), 5)).await;
        assert!(claimed.unwrap().iter().any(|c| c.name == "kills"));
        at = at.plus_ms(LEASE_MS);
        place.db.write(Route::Any, move |tx| job::reap(tx, at)).await.unwrap();
    }
    place.clock.set(at);
    let report = runner.run_due(at).await.unwrap();
    assert_eq!(report.gave_up, ["2 attempts ended without an answer"]);
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_lane_keeps_its_order_waits_for_a_retry_and_goes_on_past_a_given_up_job() {
    let place = Place::new();
    let seen = Seen::default();
    let mut registry = Registry::new();
    let run_seen = seen.clone();
    registry.add("step", move |context| {
        run_seen.add(format!("{}:{}", context.payload, context.job.attempts));
        std::future::ready(match (context.payload.as_str(), context.job.attempts) {
            ("2", 1) => Outcome::RetryAt(context.now.plus_seconds(5)),
            ("3", _) => Outcome::give_up("broken"),
            _ => Outcome::Done,
        })
    });
    let now = place.now();
    for n in 1..=4 {
        place.add(NewJob { lane: Some(9), ..plain("step", json!(n), now) }).await;
    }
    place.add(NewJob { lane: Some(10), ..plain("step", json!(77), now) }).await;
    let runner = place.runner(registry);
    runner.run_due(now).await.unwrap();
    let mut first = seen.take();
    first.sort_unstable();
    assert_eq!(first, ["1:1", "2:1", "77:1"], "3 and 4 wait for 2");
    runner.run_due(now.plus_seconds(5)).await.unwrap();
    assert_eq!(seen.take(), ["2:2", "3:1", "4:1"]);
    assert_eq!(place.left().await, (1, 0));
    // Put back, it goes to the end of its lane.
    let given_up = place.db.read(|tx| job::list_given_up(tx, WORKSPACE, None, 10)).await.unwrap();
    let id = given_up[0].id;
    place.db.write(Route::Any, move |tx| job::put_back(tx, WORKSPACE, id, now)).await.unwrap().unwrap();
    assert_eq!(place.left().await, (1, 1));
    runner.run_due(now.plus_seconds(6)).await.unwrap();
    assert_eq!(seen.take(), ["3:1"]);
}

#[tokio::test]
async fn jobs_that_make_jobs_are_all_run_and_an_endless_chain_is_cut() {
    let place = Place::new();
    let db = place.db.clone();
    let mut registry = Registry::new();
    registry.add("chain", move |context| {
        let db = db.clone();
        async move {
            let left: i64 = context.payload.parse().unwrap();
            if left > 0 {
                let next = plain("chain", json!(left - 1), context.now);
                db.write(Route::Any, move |tx| job::add(tx, WORKSPACE, &next)).await.unwrap();
            }
            Outcome::Done
        }
    });
    place.add(plain("chain", json!(30), place.now())).await;
    assert_eq!(place.runner(registry).run_due(place.now()).await.unwrap().ran, 31);
    assert_eq!(place.left().await, (0, 0));
}

/// Polls until `done`; a test that waits longer has failed.
async fn until<F: Future<Output = bool>>(what: &str, mut done: impl FnMut() -> F) {
    let began = tokio::time::Instant::now();
    while !done().await {
        assert!(began.elapsed() < Duration::from_secs(20), "waited too long for {what}");
        tokio::task::yield_now().await;
    }
}

fn start(supervisor: &Supervisor, runner: &Runner) {
    let (runner, stop) = (runner.clone(), supervisor.stop_signal());
    supervisor.spawn("jobs", async move { runner.run(stop).await });
}

#[tokio::test]
async fn the_loop_runs_what_is_there_what_comes_and_what_is_due_later_and_stops() {
    let (place, clock) = Place::real();
    let seen = Seen::default();
    let mut registry = Registry::new();
    let run_seen = seen.clone();
    let run_clock = clock.clone();
    registry.add("note", move |context| {
        run_seen.add(format!("{} {}", context.payload, run_clock.now().0));
        std::future::ready(Outcome::Done)
    });
    // The floor poll is out of reach: what runs in time was woken or waited for exactly.
    let settings = RunnerSettings { poll_ms: 3_600_000, ..RunnerSettings::default() };
    let runner = Runner::new(place.db.clone(), clock.clone(), Arc::new(FakeRandom::new(1)), registry, settings);
    let waker = runner.waker();
    place.db.on_commit(move |committed| {
        if !committed.wakes.is_empty() {
            waker.wake();
        }
    });
    place.add(plain("note", json!(1), clock.now())).await;
    let supervisor = Supervisor::new();
    start(&supervisor, &runner);
    until("the job that was there", || async { left(&place.db).await == (0, 0) }).await;
    let due = clock.now().plus_ms(300);
    place.add(plain("note", json!(2), due)).await;
    place.add(NewJob { lane: Some(3), ..plain("note", json!(3), clock.now()) }).await;
    until("the jobs that came", || async { left(&place.db).await == (0, 0) }).await;
    let ran = seen.take();
    assert_eq!(ran.iter().map(|r| &r[..1]).collect::<Vec<_>>(), ["1", "3", "2"]);
    let ran_at: i64 = ran[2][2..].parse().unwrap();
    assert!(ran_at >= due.0, "never early");
    assert!(ran_at - due.0 < 250, "{} ms late", ran_at - due.0);
    assert!(supervisor.stop(Duration::from_secs(10)).await.is_empty());
}

#[tokio::test]
async fn a_runner_that_was_stopped_works_again_when_it_is_started_again() {
    let (place, clock) = Place::real();
    let mut registry = Registry::new();
    registry.add("note", |_| std::future::ready(Outcome::Done));
    let runner = Runner::new(place.db.clone(), clock.clone(), Arc::new(FakeRandom::new(1)), registry, RunnerSettings::default());
    let waker = runner.waker();
    place.db.on_commit(move |committed| {
        if !committed.wakes.is_empty() {
            waker.wake();
        }
    });
    for round in 1..=2 {
        let supervisor = Supervisor::new();
        start(&supervisor, &runner);
        place.add(NewJob { lane: Some(3), ..plain("note", json!(round), clock.now()) }).await;
        until("the job in its lane", || async { left(&place.db).await == (0, 0) }).await;
        assert!(supervisor.stop(Duration::from_secs(10)).await.is_empty());
    }
}

#[tokio::test]
async fn a_stop_lets_running_jobs_end_and_starts_no_more() {
    let (place, clock) = Place::real();
    let gate = Arc::new(Semaphore::new(0));
    let started = Arc::new(AtomicUsize::new(0));
    let mut registry = Registry::new();
    let (run_gate, run_started) = (gate.clone(), started.clone());
    registry.add("slow", move |_| {
        let (gate, started) = (run_gate.clone(), run_started.clone());
        async move {
            started.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            Outcome::Done
        }
    });
    let settings = RunnerSettings { slots: 3, reserved: [1, 0, 0], poll_ms: 20, ..RunnerSettings::default() };
    let runner = Runner::new(place.db.clone(), clock.clone(), Arc::new(FakeRandom::new(1)), registry, settings);
    for _ in 0..4 {
        place.add(plain("slow", json!({}), clock.now())).await;
    }
    let supervisor = Supervisor::new();
    start(&supervisor, &runner);
    let two = || async { started.load(Ordering::SeqCst) == 2 };
    until("two jobs: the third slot is kept for the class of haste", two).await;
    let stopping = supervisor.clone();
    let stopped = async move { stopping.stop(Duration::from_secs(20)).await };
    let release = async {
        until("the stop", || async { supervisor.stop_signal().is_stopping() }).await;
        gate.add_permits(9);
    };
    let (cut, ()) = tokio::join!(stopped, release);
    assert!(cut.is_empty());
    assert_eq!(started.load(Ordering::SeqCst), 2);
    assert_eq!(left(&place.db).await, (2, 0));
    let due = place.db.read(job::look).await.unwrap();
    assert!(due.is_ready(clock.now()), "what was not started is free for others");
    assert_eq!(place.db.read(|tx| job::health(tx, Timestamp(0))).await.unwrap().running, 0);
}

#[tokio::test]
async fn jobs_that_do_not_end_are_cut_off_at_a_stop_and_given_back() {
    let (place, clock) = Place::real();
    let mut registry = Registry::new();
    registry.add("hangs", |_| std::future::pending());
    let settings = RunnerSettings { stop_within_ms: 50, ..RunnerSettings::default() };
    let runner = Runner::new(place.db.clone(), clock.clone(), Arc::new(FakeRandom::new(1)), registry, settings);
    place.add(plain("hangs", json!({}), clock.now())).await;
    place.add(NewJob { lane: Some(5), ..plain("hangs", json!({}), clock.now()) }).await;
    let supervisor = Supervisor::new();
    start(&supervisor, &runner);
    let running = || async { place.db.read(|tx| job::health(tx, Timestamp(0))).await.unwrap().running == 2 };
    until("both to run", running).await;
    assert!(supervisor.stop(Duration::from_secs(10)).await.is_empty());
    let health = place.db.read(|tx| job::health(tx, Timestamp(i64::MAX))).await.unwrap();
    assert_eq!(health.running, 0);
    assert_eq!(left(&place.db).await, (2, 1));
    let now = clock.now();
    let lanes =
        place.db.write(Route::Any, move |tx| job::claim_lanes(tx, JobClass::Normal, now, now.plus_ms(9), 5)).await.unwrap();
    assert_eq!(lanes.len(), 1, "the lane is free again");
}

#[tokio::test]
async fn a_running_job_keeps_its_claim_and_a_dead_workers_job_comes_back() {
    let (place, clock) = Place::real();
    let gate = Arc::new(Semaphore::new(0));
    let seen = Seen::default();
    let mut registry = Registry::new();
    let (run_gate, run_seen) = (gate.clone(), seen.clone());
    registry.add("long", move |context| {
        let gate = run_gate.clone();
        run_seen.add(format!("long {}", context.job.attempts));
        async move {
            gate.acquire().await.unwrap().forget();
            Outcome::Done
        }
    });
    let run_seen = seen.clone();
    registry.add("orphan", move |context| {
        run_seen.add(format!("orphan {}", context.job.attempts));
        std::future::ready(Outcome::Done)
    });
    // A dead worker holds this one.
    place.add(plain("orphan", json!({}), clock.now())).await;
    let now = clock.now();
    place.db.write(Route::Any, move |tx| job::claim_ready(tx, JobClass::Normal, now, now.plus_ms(300), 5)).await.unwrap();
    place.add(plain("long", json!({}), clock.now())).await;
    let settings =
        RunnerSettings { lease_ms: 400, renew_every_ms: 50, reap_every_ms: 20, poll_ms: 20, ..RunnerSettings::default() };
    let runner = Runner::new(place.db.clone(), clock.clone(), Arc::new(FakeRandom::new(1)), registry, settings);
    let supervisor = Supervisor::new();
    start(&supervisor, &runner);
    // The long job outlives its first lease several times over, and nobody takes it away.
    let long_enough = clock.now().plus_ms(1_500);
    until("some leases", || async { clock.now() > long_enough }).await;
    gate.add_permits(9);
    until("all done", || async { left(&place.db).await == (0, 0) }).await;
    assert!(supervisor.stop(Duration::from_secs(10)).await.is_empty());
    let mut seen = seen.take();
    seen.sort_unstable();
    assert_eq!(seen, ["long 1", "orphan 2"]);
}
