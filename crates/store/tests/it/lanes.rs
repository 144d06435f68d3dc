//! Lanes: in order, one at a time, and nothing is ever left behind. The two traps of docs/STORE.md, "Jobs and lanes", have a
//! test each and meet in the race.

use crate::story::ACME;
use model::{Clock, JobId, Timestamp};
use serde_json::json;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use store::job::{self, Claimed, JobClass, LEASE_MS, LaneClaim, NewJob, NextInLane};
use store::{Access, Db, Engine, Route, StoreError};
use testkit::db::TestDb;
use testkit::db_test;

fn in_lane(lane: i64, payload: i64, run_at: Timestamp) -> NewJob {
    NewJob { lane: Some(lane), ..NewJob::new("step", json!(payload), run_at) }
}

async fn add(db: &Db, job: NewJob) -> JobId {
    db.write(Route::Any, move |tx| job::add(tx, ACME, &job)).await.unwrap().unwrap()
}

async fn claim(db: &Db, now: Timestamp) -> Vec<LaneClaim> {
    db.write(Route::Any, move |tx| job::claim_lanes(tx, JobClass::Normal, now, now.plus_ms(LEASE_MS), 9)).await.unwrap()
}

async fn next(db: &Db, lane: LaneClaim, now: Timestamp) -> NextInLane {
    db.write(Route::Lane(lane.lane), move |tx| job::next_in_lane(tx, lane, now, now.plus_ms(LEASE_MS))).await.unwrap()
}

async fn next_job(db: &Db, lane: LaneClaim, now: Timestamp) -> Claimed {
    match next(db, lane, now).await {
        NextInLane::Job(claimed) => claimed,
        other => panic!("{other:?}"),
    }
}

async fn finish(db: &Db, claimed: &Claimed) {
    let job = claimed.job;
    assert!(db.write(Route::Any, move |tx| job::finish(tx, job)).await.unwrap());
}

async fn release(db: &Db, lane: LaneClaim) -> bool {
    db.write(Route::Lane(lane.lane), move |tx| job::release_lane(tx, lane)).await.unwrap()
}

async fn lane_count(db: &Db) -> i64 {
    db.read(|tx| tx.one("SELECT count(*) FROM job_lane", &[])).await.unwrap().unwrap().int(0)
}

db_test! {
    async fn a_lane_is_held_by_one_and_runs_in_order(db: TestDb) {
        let now = db.clock.now();
        for n in 1..=3 {
            add(&db, in_lane(5, n, now)).await;
        }
        add(&db, in_lane(6, 9, now.plus_ms(1))).await;
        let lanes = claim(&db, now).await;
        assert_eq!(lanes.iter().map(|l| (l.lane, l.token)).collect::<Vec<_>>(), [(5, 1)]);
        assert!(claim(&db, now).await.is_empty(), "held");
        // A job that comes meanwhile takes its place behind the others.
        add(&db, in_lane(5, 4, now)).await;
        for n in 1..=4 {
            let claimed = next_job(&db, lanes[0], now).await;
            assert_eq!(claimed.payload, n.to_string());
            assert_eq!(next(&db, lanes[0], now).await, NextInLane::Later, "one at a time");
            finish(&db, &claimed).await;
        }
        assert_eq!(next(&db, lanes[0], now).await, NextInLane::Empty);
        assert!(release(&db, lanes[0]).await);
        assert!(!release(&db, lanes[0]).await, "once only");
        assert_eq!(lane_count(&db).await, 1, "the empty lane is gone, the other waits");
        assert_eq!(claim(&db, now.plus_ms(1)).await[0].lane, 6);
    }

    async fn lanes_are_claimed_with_their_heads_and_go_back_with_the_last_look(db: TestDb) {
        let now = db.clock.now();
        add(&db, in_lane(5, 1, now)).await;
        add(&db, in_lane(5, 2, now)).await;
        add(&db, in_lane(6, 9, now)).await;
        // The lane thinks that it is due, its head is not: it goes back and waits for the right time.
        let (later, until) = (now.plus_seconds(5), now.plus_ms(LEASE_MS));
        let lane = claim(&db, now).await.into_iter().find(|lane| lane.lane == 6).unwrap();
        let head = next_job(&db, lane, now).await.job;
        db.write(Route::Any, move |tx| job::retry_at(tx, head, later, None)).await.unwrap();
        db.write(Route::Any, |tx| tx.exec("UPDATE job_lane SET locked_until = NULL", &[])).await.unwrap();
        let start = move |tx: &mut dyn store::Conn| job::start_lanes(tx, JobClass::Normal, now, until, 9);
        let started = db.write(Route::Any, start).await.unwrap();
        assert_eq!(started.iter().map(|(l, head)| (l.lane, head.payload.as_str())).collect::<Vec<_>>(), [(5, "1")]);
        assert_eq!(db.read(job::look).await.unwrap().next_run_at(), Some(later));
        let (lane, head) = started[0].clone();
        let look = move |tx: &mut dyn store::Conn| job::next_or_release(tx, lane, now, until);
        finish(&db, &head).await;
        let NextInLane::Job(second) = db.write(Route::Any, look).await.unwrap() else { panic!("the second was due") };
        assert_eq!(second.payload, "2");
        finish(&db, &second).await;
        assert_eq!(db.write(Route::Any, look).await.unwrap(), NextInLane::Empty);
        assert_eq!(lane_count(&db).await, 1, "the empty lane went back with the last look");
        assert_eq!(db.write(Route::Any, look).await.unwrap(), NextInLane::Lost, "it is not held any more");
    }

    async fn the_head_blocks_its_lane_until_it_runs_again_or_is_given_up(db: TestDb) {
        let now = db.clock.now();
        add(&db, in_lane(5, 1, now)).await;
        add(&db, in_lane(5, 2, now)).await;
        let lane = claim(&db, now).await[0];
        let head = next_job(&db, lane, now).await.job;
        let later = now.plus_seconds(5);
        db.write(Route::Any, move |tx| job::retry_at(tx, head, later, None)).await.unwrap();
        assert_eq!(next(&db, lane, now).await, NextInLane::Later);
        release(&db, lane).await;
        assert!(claim(&db, later.plus_ms(-1)).await.is_empty(), "the lane waits with its head");
        assert_eq!(db.read(job::look).await.unwrap().next_run_at(), Some(later));
        let lane = claim(&db, later).await[0];
        assert_eq!(lane.token, 2);
        let head = next_job(&db, lane, later).await;
        assert_eq!((head.payload.as_str(), head.job.attempts), ("1", 2));
        let job = head.job;
        db.write(Route::Any, move |tx| job::give_up(tx, job, "broken", later)).await.unwrap();
        let second = next_job(&db, lane, later).await;
        assert_eq!(second.payload, "2", "a given-up job lets the others pass");
        finish(&db, &second).await;
        release(&db, lane).await;
        assert_eq!(lane_count(&db).await, 0);
    }

    async fn a_dead_workers_lane_comes_back_and_its_ghost_changes_nothing(db: TestDb) {
        let now = db.clock.now();
        add(&db, in_lane(5, 1, now)).await;
        add(&db, in_lane(5, 2, now)).await;
        let ghost = claim(&db, now).await[0];
        let running = next_job(&db, ghost, now).await;
        let later = now.plus_ms(LEASE_MS);
        assert_eq!(db.write(Route::Any, move |tx| job::reap(tx, later)).await.unwrap(), 2, "lane and job");
        let lane = claim(&db, later).await[0];
        assert_eq!(lane.token, ghost.token + 1);
        let again = next_job(&db, lane, later).await;
        assert_eq!((again.job.id, again.job.attempts), (running.job.id, 2));
        // The ghost wakes up in the middle of it.
        assert!(!release(&db, ghost).await);
        assert!(!db.write(Route::Any, move |tx| job::renew_lane(tx, ghost, later.plus_ms(999))).await.unwrap());
        let job = running.job;
        assert!(!db.write(Route::Any, move |tx| job::finish(tx, job)).await.unwrap());
        finish(&db, &again).await;
        assert_eq!(next(&db, ghost, later).await, NextInLane::Lost);
        assert!(db.write(Route::Any, move |tx| job::renew_lane(tx, lane, later.plus_ms(999))).await.unwrap());
        let second = next_job(&db, lane, later).await;
        finish(&db, &second).await;
        release(&db, lane).await;
        assert_eq!(lane_count(&db).await, 0);
    }

    async fn a_lane_whose_head_still_counts_as_running_waits_for_the_end_of_that_lease(db: TestDb) {
        let now = db.clock.now();
        add(&db, in_lane(5, 1, now)).await;
        let lane = claim(&db, now).await[0];
        let job = next_job(&db, lane, now).await.job;
        let end = now.plus_ms(LEASE_MS + 7);
        db.write(Route::Any, move |tx| job::renew(tx, job, end)).await.unwrap();
        release(&db, lane).await;
        assert!(claim(&db, end.plus_ms(-1)).await.is_empty());
        db.write(Route::Any, move |tx| job::reap(tx, end)).await.unwrap();
        assert_eq!(claim(&db, end).await.len(), 1);
    }

    async fn a_lane_goes_with_its_most_urgent_job_and_an_emptied_one_disappears(db: TestDb) {
        let now = db.clock.now();
        add(&db, NewJob { class: JobClass::Bulk, ..in_lane(5, 1, now) }).await;
        add(&db, NewJob { class: JobClass::Normal, ..in_lane(5, 2, now) }).await;
        add(&db, NewJob { class: JobClass::Bulk, ..in_lane(5, 3, now) }).await;
        assert_eq!(claim(&db, now).await.len(), 1, "class normal");
        // All jobs of a lane are taken back: whoever claims it finds nothing and removes it.
        add(&db, NewJob { dedupe_key: Some("k".into()), ..in_lane(7, 1, now) }).await;
        db.write(Route::Any, |tx| job::cancel(tx, ACME, "k")).await.unwrap();
        let lane = claim(&db, now).await[0];
        assert_eq!(next(&db, lane, now).await, NextInLane::Empty);
        release(&db, lane).await;
        assert_eq!(lane_count(&db).await, 1);
    }
}

/// Two nodes on one PostgreSQL. One enqueues and has not committed yet; the other gives the empty lane back meanwhile. It must
/// wait for the first and then *see* its job. Breaks when the enqueuer does not lock the lane (DO NOTHING), and when the
/// release looks for jobs in the statement that waits for that lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_that_meets_an_open_enqueue_leaves_no_job_behind() {
    let Some(db) = TestDb::open_with(Engine::Postgres, |settings| settings.test_run_twice = false) else { return };
    let other = Db::open(&db.settings, db.clock.clone(), Access::Test).unwrap();
    let now = db.clock.now();
    add(&db, in_lane(5, 1, now)).await;
    let lane = claim(&db, now).await[0];
    let first = next_job(&db, lane, now).await;
    finish(&db, &first).await;

    let (entered, has_entered) = tokio::sync::oneshot::channel();
    let (commit, may_commit) = std::sync::mpsc::channel::<()>();
    let (enqueuing, mut entered) = (db.db.clone(), Some(entered));
    let enqueue = tokio::spawn(async move {
        let enqueue = move |tx: &mut dyn store::Conn| -> Result<(), StoreError> {
            job::add(tx, ACME, &in_lane(5, 2, now))?;
            if let Some(entered) = entered.take() {
                entered.send(()).expect("the test waits");
                may_commit.recv().expect("the test tells when");
            }
            Ok(())
        };
        enqueuing.write(Route::Any, enqueue).await
    });
    has_entered.await.unwrap();
    let releasing = other.clone();
    let release = tokio::spawn(async move { releasing.write(Route::Any, move |tx| job::release_lane(tx, lane)).await });
    // Until the release waits for the lock of the enqueuer (as it must) or has ended (which is the bug).
    let began = tokio::time::Instant::now();
    loop {
        let waiting = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)";
        if release.is_finished() || other.read(move |tx| tx.one(waiting, &[])).await.unwrap().unwrap().bool(0) {
            break;
        }
        assert!(began.elapsed().as_secs() < 20, "the release neither waits nor ends");
        tokio::task::yield_now().await;
    }
    commit.send(()).unwrap();
    enqueue.await.unwrap().unwrap();
    assert!(release.await.unwrap().unwrap());
    let lane = claim(&db, now).await;
    assert_eq!(lane.len(), 1, "the job's lane is there to be claimed");
    assert_eq!(next_job(&db, lane[0], now).await.payload, "2");
}

#[derive(Default)]
struct Ledger {
    inside: HashSet<i64>,
    ran: BTreeMap<i64, Vec<i64>>,
}

const LANES: i64 = 40;
const TASKS: i64 = 6;
const JOBS: i64 = 2_400;

async fn enqueuer(db: Db, number: i64, now: Timestamp) {
    for n in 0..JOBS / TASKS {
        let job = in_lane((number * 7 + n * 3) % LANES, n, now);
        db.write(Route::Any, move |tx| job::add(tx, ACME, &job)).await.unwrap().unwrap();
    }
}

async fn worker(db: Db, ledger: Arc<Mutex<Ledger>>, now: Timestamp) {
    let began = tokio::time::Instant::now();
    loop {
        let ran: usize = ledger.lock().unwrap().ran.values().map(Vec::len).sum();
        if ran as i64 == JOBS {
            return;
        }
        assert!(began.elapsed().as_secs() < 120, "jobs were left behind: {ran} of {JOBS} ran");
        let claim = move |tx: &mut dyn store::Conn| job::claim_lanes(tx, JobClass::Normal, now, now.plus_ms(LEASE_MS), 2);
        for lane in db.write::<_, StoreError>(Route::Any, claim).await.unwrap() {
            // Given back after a few jobs, so that releases and claims meet often.
            for _ in 0..3 {
                let NextInLane::Job(claimed) = next(&db, lane, now).await else { break };
                assert!(ledger.lock().unwrap().inside.insert(lane.lane), "two jobs of lane {} at a time", lane.lane);
                tokio::task::yield_now().await;
                {
                    let mut ledger = ledger.lock().unwrap();
                    ledger.inside.remove(&lane.lane);
                    ledger.ran.entry(lane.lane).or_default().push(claimed.job.id.0);
                }
                finish(&db, &claimed).await;
            }
            assert!(release(&db, lane).await);
        }
        tokio::task::yield_now().await;
    }
}

async fn race(engine: Engine) {
    // Six writers: on PostgreSQL enqueuers, claims and releases truly meet.
    let open = TestDb::open_with(engine, |settings| {
        settings.writer_count = 6;
        settings.test_run_twice = false;
    });
    let Some(db) = open else { return };
    let (now, ledger) = (db.clock.now(), Arc::new(Mutex::new(Ledger::default())));
    let mut tasks = Vec::new();
    for number in 0..TASKS {
        tasks.push(tokio::spawn(enqueuer(db.db.clone(), number, now)));
        tasks.push(tokio::spawn(worker(db.db.clone(), ledger.clone(), now)));
    }
    for task in tasks {
        task.await.unwrap();
    }
    for (lane, ids) in &ledger.lock().unwrap().ran {
        assert!(ids.is_sorted_by(|a, b| a < b), "lane {lane} out of order or a job twice: {ids:?}");
    }
    let left =
        db.read(|tx| tx.one("SELECT (SELECT count(*) FROM job), (SELECT count(*) FROM job_lane)", &[])).await.unwrap().unwrap();
    assert_eq!((left.int(0), left.int(1)), (0, 0), "no job and no lane is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_enqueuers_and_six_workers_lose_nothing_on_sqlite() {
    race(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_enqueuers_and_six_workers_lose_nothing_on_postgres() {
    race(Engine::Postgres).await;
}
