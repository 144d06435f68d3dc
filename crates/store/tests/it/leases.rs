//! Leases and node numbers on a clock that the test moves.

use crate::story::{ACME, fact};
use model::{Clock, FakeClock, FakeRandom, Timestamp, id::made_at};
use std::sync::Arc;
use store::{Access, Db, DbSettings, Engine, Route, StoreError, event_log, lease, node, values};
use testkit::db::TestDb;
use testkit::db_test;
use testkit::pg::MONDAY;

db_test! {
    async fn a_lease_has_one_holder_until_it_runs_out(db: TestDb) {
        let clock = db.clock.clone();
        let take = |holder: &'static str| {
            let now = clock.now();
            db.write::<_, StoreError>(Route::Any, move |tx| lease::take(tx, "scheduler", holder, now, 30_000))
        };
        assert_eq!(take("a").await, Ok(Some(1)));
        assert_eq!(take("b").await, Ok(None));
        clock.advance_ms(10_000);
        assert_eq!(take("a").await, Ok(Some(1)), "renewing keeps the token");
        // Past the end, but within what clocks may differ.
        clock.advance_ms(34_000);
        assert_eq!(take("b").await, Ok(None));
        clock.advance_ms(2_000);
        assert_eq!(take("b").await, Ok(Some(2)), "a new holder has a new token");
        assert_eq!(take("a").await, Ok(None));
        // Given back: the next one need not wait. Only the holder can.
        assert_eq!(db.write(Route::Any, |tx| lease::release(tx, "scheduler", "a")).await, Ok(false));
        assert_eq!(db.write(Route::Any, |tx| lease::release(tx, "scheduler", "b")).await, Ok(true));
        assert_eq!(take("a").await, Ok(Some(3)));
        let held = db.read(lease::list).await.unwrap();
        let held: Vec<_> = held.iter().filter(|lease| lease.name == "scheduler").map(|lease| (lease.holder.as_str(), lease.token)).collect();
        assert_eq!(held, [("a", 3)]);
    }

    async fn of_many_that_ask_at_once_one_gets_the_lease(db: TestDb) {
        let asks: Vec<_> = (0..12).map(|n| {
            let db = db.db.clone();
            tokio::spawn(async move {
                let holder = format!("node{n}");
                db.write::<_, StoreError>(Route::Lane(n), move |tx| lease::take(tx, "retention", &holder, MONDAY, 30_000)).await.unwrap()
            })
        }).collect();
        let mut held = 0;
        for ask in asks {
            held += usize::from(ask.await.unwrap().is_some());
        }
        assert_eq!(held, 1);
    }
}

/// Opens the database as a process of its own, whose randomness is its seed.
fn process(settings: &DbSettings, clock: &Arc<FakeClock>, seed: u64) -> Result<Db, StoreError> {
    let random = Arc::new(FakeRandom::new(seed));
    Db::open(settings, clock.clone(), Access::Serve { random, address: Some(format!("10.0.0.{seed}:8080")) })
}

async fn make_event(db: &Db) -> Result<model::EventId, StoreError> {
    db.write(Route::Any, |tx| Ok(tx.log(fact(ACME, 1)))).await
}

fn number_in(id: model::EventId) -> i64 {
    (id.0 >> 11) & 1_023
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_nodes_never_share_a_number_and_a_dead_ones_is_taken_over_late() {
    let Some(test) = TestDb::open(Engine::Postgres) else { return };
    let (settings, clock) = (&test.settings, &test.clock);
    let first = process(settings, clock, 1).unwrap();
    let second = process(settings, clock, 2).unwrap();
    let (a, b) = (make_event(&first).await.unwrap(), make_event(&second).await.unwrap());
    assert_ne!(number_in(a), number_in(b));
    assert!(number_in(a) > 0 && number_in(b) > 0);
    let known = test.read(node::list).await.unwrap();
    assert_eq!(known.len(), 2);
    assert!(known.iter().all(|node| node.ids_up_to == MONDAY.plus_ms(60_000) && node.until == MONDAY.plus_ms(60_000)));

    // Only one number is left in the world; its owner has died (its threads are gone, its row says otherwise).
    let dead = number_in(a);
    let address = known.iter().find(|node| node.number == dead).unwrap().address.clone();
    assert_eq!(address.as_deref(), Some("10.0.0.1:8080"));
    drop(first);
    const FULL: &str =
        "INSERT INTO node(number, holder, until, ids_up_to) VALUES ($1, 'x', $2, $2) ON CONFLICT (number) DO NOTHING";
    const REVIVE: &str = "UPDATE node SET until = $2, ids_up_to = $2 WHERE number = $1";
    let alive_until = MONDAY.plus_ms(60_000);
    test.write::<_, StoreError>(Route::Any, move |tx| {
        for number in 1..=1_023i64 {
            tx.exec(FULL, values![number, Timestamp(i64::MAX)])?;
        }
        tx.exec(REVIVE, values![dead, alive_until])
    })
    .await
    .unwrap();
    clock.advance_ms(119_000);
    let refused = process(settings, clock, 3).map(drop).unwrap_err();
    assert!(matches!(&refused, StoreError::Broken(text) if text.contains("1023")), "{refused:?}");
    clock.advance_ms(2_000);
    // Everybody else's horizon lies at the end of time; only the dead one may be taken now.
    const OTHERS: &str = "UPDATE node SET ids_up_to = $1, until = $2 WHERE number <> $3";
    let now = clock.now();
    test.write::<_, StoreError>(Route::Any, move |tx| tx.exec(OTHERS, values![now, Timestamp(i64::MAX), dead])).await.unwrap();
    let third = process(settings, clock, 3).unwrap();
    let c = make_event(&third).await.unwrap();
    assert_eq!(number_in(c), dead);
    assert!(made_at(c.0) > alive_until, "no id of the new owner is older than the horizon of the old one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_that_slept_renews_before_it_makes_ids_and_takes_a_new_number_when_its_own_is_lost() {
    let Some(test) = TestDb::open(Engine::Postgres) else { return };
    let clock = &test.clock;
    let db = process(&test.settings, clock, 1).unwrap();
    let before = make_event(&db).await.unwrap();
    // An hour of sleep: the next write renews by itself.
    clock.advance_ms(3_600_000);
    let after = make_event(&db).await.unwrap();
    assert_eq!((number_in(after), made_at(after.0)), (number_in(before), clock.now()));
    let number = number_in(before);
    let row = |known: Vec<node::Node>| known.into_iter().find(|node| node.number == number).unwrap();
    assert_eq!(row(test.read(node::list).await.unwrap()).ids_up_to, clock.now().plus_ms(60_000));

    // Another process has taken the number meanwhile.
    const STEAL: &str = "UPDATE node SET holder = 'thief', until = $2, ids_up_to = $2 WHERE number = $1";
    clock.advance_ms(3_600_000);
    let until = clock.now().plus_ms(60_000);
    test.write::<_, StoreError>(Route::Any, move |tx| tx.exec(STEAL, values![number, until])).await.unwrap();
    let moved = make_event(&db).await.unwrap();
    assert_ne!(number_in(moved), number);
    assert!(moved > after);
    let events = test.read(|tx| event_log::list_since(tx, ACME, 0, 10)).await.unwrap();
    assert_eq!(events.iter().map(|event| event.id).collect::<Vec<_>>(), [before, after, moved]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn after_a_restart_ids_go_on_although_the_clock_went_back() {
    let test = TestDb::open(Engine::Sqlite).unwrap();
    let (settings, clock) = (&test.settings, &test.clock);
    test.db.close();
    drop(test.db.clone());
    let settings = DbSettings { url: format!("{}.other", settings.url), ..settings.clone() };
    let db = process(&settings, clock, 1).unwrap();
    let before = make_event(&db).await.unwrap();
    drop(db);
    // A board without a battery starts in the past.
    clock.advance_ms(-86_400_000);
    let db = process(&settings, clock, 2).unwrap();
    let after = make_event(&db).await.unwrap();
    assert!(made_at(after.0) >= made_at(before.0).plus_ms(-60_000), "{before} {after}");
    assert_ne!(number_in(after), number_in(before));
    drop(db);
    clock.set(Timestamp(1_000));
    let refused = process(&settings, clock, 3).map(drop).unwrap_err();
    assert!(matches!(&refused, StoreError::Broken(text) if text.contains("clock")), "{refused:?}");
}
