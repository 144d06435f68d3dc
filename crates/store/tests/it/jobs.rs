//! Jobs: enqueued with the change, claimed once, closed by the attempt that holds them.

use crate::story::{ACME, BYTE_BAKERY};
use model::{Clock, JobId, Timestamp};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use store::job::{self, Claimed, Due, JobClass, JobRef, LEASE_MS, NewJob};
use store::{Conn, Db, Route, StoreError, Wake};
use testkit::db_test;

fn plain(payload: i64, run_at: Timestamp) -> NewJob {
    NewJob::new("work", json!(payload), run_at)
}

async fn add(db: &Db, job: NewJob) -> Option<JobId> {
    db.write(Route::Any, move |tx| job::add(tx, ACME, &job)).await.unwrap()
}

async fn claim(db: &Db, class: JobClass, now: Timestamp, limit: usize) -> Vec<Claimed> {
    db.write(Route::Any, move |tx| job::claim_ready(tx, class, now, now.plus_ms(LEASE_MS), limit)).await.unwrap()
}

async fn claim_one(db: &Db, now: Timestamp) -> JobRef {
    let claimed = claim(db, JobClass::Normal, now, 9).await;
    assert_eq!(claimed.len(), 1, "{claimed:?}");
    claimed[0].job
}

async fn job_count(db: &Db) -> i64 {
    db.read(|tx| tx.one("SELECT count(*) FROM job", &[])).await.unwrap().unwrap().int(0)
}

fn payloads(claimed: &[Claimed]) -> Vec<&str> {
    claimed.iter().map(|c| c.payload.as_str()).collect()
}

db_test! {
    async fn a_claim_takes_what_is_due_of_one_class_oldest_first(db: TestDb) {
        let now = db.clock.now();
        for (payload, class, at) in [
            (1, JobClass::Normal, now),
            (2, JobClass::Normal, now.plus_ms(-10)),
            (3, JobClass::Normal, now.plus_ms(1)),
            (4, JobClass::Bulk, now.plus_ms(-99)),
            (5, JobClass::Normal, now),
        ] {
            add(&db, NewJob { class, ..plain(payload, at) }).await.unwrap();
        }
        add(&db, NewJob { lane: Some(1), ..plain(6, now) }).await.unwrap();
        assert_eq!(payloads(&claim(&db, JobClass::Normal, now, 2).await), ["2", "1"]);
        let rest = claim(&db, JobClass::Normal, now, 9).await;
        assert_eq!(payloads(&rest), ["5"]);
        assert_eq!((rest[0].name.as_str(), rest[0].job.attempts, rest[0].job.workspace), ("work", 1, ACME));
        assert!(claim(&db, JobClass::Normal, now, 9).await.is_empty());
        assert_eq!(payloads(&claim(&db, JobClass::Bulk, now, 9).await), ["4"]);
        assert_eq!(payloads(&claim(&db, JobClass::Normal, now.plus_ms(1), 9).await), ["3"]);
    }

    async fn a_job_exists_exactly_when_its_change_does_and_wakes_its_class(db: TestDb) {
        let now = db.clock.now();
        let woken = Arc::new(std::sync::Mutex::new(Vec::new()));
        let told = woken.clone();
        db.on_commit(move |committed| told.lock().expect("no panic").extend(committed.wakes));
        let refused = db.write(Route::Any, move |tx| -> Result<(), StoreError> {
            job::add(tx, ACME, &plain(1, now))?;
            Err(StoreError::NotFound)
        }).await;
        assert_eq!(refused, Err(StoreError::NotFound));
        assert_eq!(job_count(&db).await, 0);
        add(&db, NewJob { class: JobClass::Now, ..plain(1, now) }).await.unwrap();
        assert_eq!(job_count(&db).await, 1);
        assert_eq!(woken.lock().expect("no panic")[..], [Wake::Jobs { priority: 0 }]);
    }

    async fn one_waiting_job_per_key(db: TestDb) {
        let now = db.clock.now();
        let keyed = |payload| NewJob { dedupe_key: Some("mail 7".into()), ..plain(payload, now) };
        assert!(add(&db, keyed(1)).await.is_some());
        assert_eq!(add(&db, keyed(2)).await, None);
        let elsewhere = keyed(3);
        assert!(db.write(Route::Any, move |tx| job::add(tx, BYTE_BAKERY, &elsewhere)).await.unwrap().is_some(), "each workspace has its own keys");
        // A running one may have read the old state, so that the next change needs a run of its own.
        assert_eq!(payloads(&claim(&db, JobClass::Normal, now, 9).await), ["1", "3"]);
        assert!(add(&db, keyed(4)).await.is_some());
        assert_eq!(add(&db, keyed(5)).await, None);
        // The same in a lane.
        let in_lane = |payload| NewJob { lane: Some(4), dedupe_key: Some("lane".into()), ..plain(payload, now) };
        assert!(add(&db, in_lane(6)).await.is_some());
        assert_eq!(add(&db, in_lane(7)).await, None);
        let long = NewJob { dedupe_key: Some("k".repeat(9_000)), ..plain(8, now) };
        assert!(add(&db, long.clone()).await.is_some());
        assert_eq!(add(&db, long).await, None);
    }

    async fn a_waiting_job_can_be_taken_back_and_a_running_one_cannot(db: TestDb) {
        let now = db.clock.now();
        let keyed = NewJob { dedupe_key: Some("hold".into()), ..plain(1, now.plus_seconds(5)) };
        let cancel = || db.write(Route::Any, |tx| job::cancel(tx, ACME, "hold"));
        assert!(!cancel().await.unwrap());
        add(&db, keyed.clone()).await;
        assert!(cancel().await.unwrap());
        assert_eq!(job_count(&db).await, 0);
        add(&db, keyed).await;
        claim_one(&db, now.plus_seconds(5)).await;
        assert!(!cancel().await.unwrap());
    }

    async fn only_the_attempt_that_holds_a_job_closes_it(db: TestDb) {
        let now = db.clock.now();
        add(&db, plain(1, now)).await;
        let first = claim_one(&db, now).await;
        // The first worker falls asleep: its lease ends, the reaper puts the job back, another takes it.
        let later = now.plus_ms(LEASE_MS);
        assert!(!db.read(move |tx| job::expired(tx, later.plus_ms(-1))).await.unwrap());
        assert!(db.read(move |tx| job::expired(tx, later)).await.unwrap());
        assert_eq!(db.write(Route::Any, move |tx| job::reap(tx, later)).await.unwrap(), 1);
        assert!(!db.read(move |tx| job::expired(tx, later)).await.unwrap());
        let second = claim_one(&db, later).await;
        assert_eq!((second.id, second.attempts), (first.id, 2));
        let stale = db.write(Route::Any, move |tx| -> Result<_, StoreError> {
            Ok([
                job::finish(tx, first)?,
                job::retry_at(tx, first, now, None)?,
                job::give_up(tx, first, "x", now)?,
                job::give_back(tx, first)?,
                job::renew(tx, first, now.plus_ms(999_999))?,
            ])
        }).await.unwrap();
        assert_eq!(stale, [false; 5], "the first worker changes nothing any more");
        let in_tx = db.write(Route::Any, move |tx| job::finish_in_tx(tx, first)).await;
        assert_eq!(in_tx, Err(StoreError::Conflict("job_attempt".into())));
        assert!(db.write(Route::Any, move |tx| job::renew(tx, second, later.plus_ms(LEASE_MS))).await.unwrap());
        assert!(db.write(Route::Any, move |tx| job::finish(tx, second)).await.unwrap());
        assert!(!db.write(Route::Any, move |tx| job::finish(tx, second)).await.unwrap(), "once only");
        assert_eq!(job_count(&db).await, 0);
    }

    async fn a_job_retries_at_its_time_and_can_be_given_back(db: TestDb) {
        let now = db.clock.now();
        add(&db, plain(1, now)).await;
        let first = claim_one(&db, now).await;
        let at = now.plus_seconds(15);
        assert!(db.write(Route::Any, move |tx| job::retry_at(tx, first, at, Some("no\0 route"))).await.unwrap());
        assert!(claim(&db, JobClass::Normal, at.plus_ms(-1), 9).await.is_empty());
        let second = claim_one(&db, at).await;
        assert_eq!(second.attempts, 2);
        assert!(db.write(Route::Any, move |tx| job::give_back(tx, second)).await.unwrap());
        assert_eq!(claim_one(&db, at).await.attempts, 3);
    }

    async fn given_up_jobs_are_listed_put_back_or_dismissed(db: TestDb) {
        let now = db.clock.now();
        for n in 0..5 {
            add(&db, plain(n, now)).await;
        }
        for (n, claimed) in claim(&db, JobClass::Normal, now, 9).await.into_iter().enumerate() {
            let (job, at) = (claimed.job, now.plus_ms(n as i64 / 2));
            db.write(Route::Any, move |tx| job::give_up(tx, job, &"why ".repeat(1_000), at)).await.unwrap();
        }
        let page = db.read(|tx| job::list_given_up(tx, ACME, None, 3)).await.unwrap();
        assert_eq!(page.iter().map(|g| g.payload.as_str()).collect::<Vec<_>>(), ["4", "3", "2"]);
        assert_eq!((page[0].attempts, page[0].reason.len()), (1, 1_000));
        let after = (page[2].gave_up_at, page[2].id);
        let rest = db.read(move |tx| job::list_given_up(tx, ACME, Some(after), 3)).await.unwrap();
        assert_eq!(rest.iter().map(|g| g.payload.as_str()).collect::<Vec<_>>(), ["1", "0"]);
        assert!(db.read(|tx| job::list_given_up(tx, BYTE_BAKERY, None, 3)).await.unwrap().is_empty());
        let health = db.read(move |tx| job::health(tx, now)).await.unwrap();
        assert_eq!((health.running, health.given_up, health.classes[1].oldest_ready_at), (0, 5, None));

        let id = page[0].id;
        assert_eq!(db.write(Route::Any, move |tx| job::put_back(tx, BYTE_BAKERY, id, now)).await.unwrap(), None);
        let new = db.write(Route::Any, move |tx| job::put_back(tx, ACME, id, now)).await.unwrap().unwrap();
        assert_eq!(db.write(Route::Any, move |tx| job::put_back(tx, ACME, id, now)).await.unwrap(), None);
        let again = claim_one(&db, now).await;
        assert_eq!((again.id, again.attempts), (new, 1));
        assert!(!db.write(Route::Any, move |tx| job::dismiss(tx, ACME, new)).await.unwrap(), "it runs");
        let other = page[1].id;
        assert!(db.write(Route::Any, move |tx| job::dismiss(tx, ACME, other)).await.unwrap());
        assert_eq!(db.read(move |tx| job::health(tx, now)).await.unwrap().given_up, 3);
    }

    async fn a_look_tells_when_the_next_thing_is_due(db: TestDb) {
        let now = db.clock.now();
        assert_eq!(db.read(job::look).await.unwrap(), Due::default());
        add(&db, NewJob { class: JobClass::Bulk, ..plain(1, now.plus_ms(70)) }).await;
        add(&db, NewJob { lane: Some(3), ..plain(2, now.plus_ms(30)) }).await;
        add(&db, plain(3, now.plus_ms(50))).await;
        let due = db.read(job::look).await.unwrap();
        assert_eq!(due.next_run_at(), Some(now.plus_ms(30)));
        assert!(!due.is_ready(now.plus_ms(29)) && due.is_ready(now.plus_ms(30)));
        assert_eq!(due.0[1].job_at, Some(now.plus_ms(50)));
        assert_eq!(due.0[2].job_at, Some(now.plus_ms(70)));
        let health = db.read(move |tx| job::health(tx, now.plus_ms(60))).await.unwrap();
        assert_eq!(health.classes.map(|c| c.oldest_ready_at), [None, Some(now.plus_ms(30)), None]);
    }

    async fn two_claimers_never_take_the_same_job(db: TestDb) {
        let now = db.clock.now();
        db.write(Route::Any, move |tx| (0..400).try_for_each(|n| job::add(tx, ACME, &plain(n, now)).map(drop))).await.unwrap();
        let claimers = (0..6).map(|number| {
            let db = db.db.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                for round in 0.. {
                    let claimed = db
                        .write(Route::Lane(number), move |tx| job::claim_ready(tx, JobClass::Normal, now, now.plus_ms(LEASE_MS), 7))
                        .await.unwrap();
                    // An empty hand may mean that all that is left was in other hands just then.
                    let left = db.read(job::look).await.unwrap().is_ready(now);
                    if claimed.is_empty() && !left {
                        return mine;
                    }
                    assert!(round < 10_000);
                    mine.extend(claimed.into_iter().map(|c| (c.job.id, c.job.attempts)));
                }
                mine
            })
        });
        let mut all = Vec::new();
        for claimer in claimers.collect::<Vec<_>>() {
            all.extend(claimer.await.unwrap());
        }
        assert_eq!(all.len(), 400);
        assert_eq!(all.iter().map(|(id, _)| id).collect::<HashSet<_>>().len(), 400);
        assert!(all.iter().all(|(_, attempts)| *attempts == 1));
    }

    async fn claims_and_looks_walk_their_index(db: TestDb) {
        // SQLite tells its plan in words that can be checked; PostgreSQL's depends on statistics.
        if db.engine() == store::Engine::Postgres {
            return;
        }
        let plans = db.read::<_, StoreError>(|tx| {
            let mut plans = Vec::new();
            for sql in [
                "EXPLAIN QUERY PLAN SELECT workspace_id, id FROM job WHERE priority = $1 AND lane IS NULL AND locked_until IS NULL \
                 AND gave_up_at IS NULL AND run_at <= $2 ORDER BY run_at, id LIMIT 5",
                "EXPLAIN QUERY PLAN SELECT workspace_id, lane FROM job_lane WHERE priority = $1 AND locked_until IS NULL \
                 AND next_at <= $2 ORDER BY next_at, workspace_id, lane LIMIT 5",
            ] {
                let rows = tx.rows(sql, store::values![1, 2])?;
                plans.push(rows.iter().map(|row| row.text(3)).collect::<Vec<_>>().join("; "));
            }
            Ok(plans)
        }).await.unwrap();
        for (plan, index) in plans.iter().zip(["job_ready", "job_lane_ready"]) {
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
        }
    }
}

/// What a closure needs to be usable in `write`: kept here so that a change of the signature is seen by the compiler.
#[expect(dead_code, reason = "it compiles, that is the test")]
fn enqueue_is_a_plain_function(tx: &mut dyn Conn) -> Result<Option<JobId>, StoreError> {
    job::add(tx, ACME, &plain(1, Timestamp(0)))
}
