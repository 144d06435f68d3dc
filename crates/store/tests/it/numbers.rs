//! The event log's numbers and the counters.

use crate::story::{ACME, BYTE_BAKERY, counter, fact};
use model::{Actor, AgentId, EventId, Timestamp};
use std::sync::{Arc, Mutex};
use store::{Engine, Event, Route, StoreError, counter as counters, event_log};
use testkit::db::TestDb;
use testkit::db_test;

/// Eight writers, two workspaces: whoever follows `change_seq` sees every event once, in order, and never a hole that is
/// filled later.
async fn change_seq_story(db: TestDb) {
    const WRITER_COUNT: i64 = 8;
    const WRITE_COUNT: i64 = 60;
    let heads = Arc::new(Mutex::new(Vec::new()));
    let sink = heads.clone();
    db.on_commit(move |committed| sink.lock().unwrap().extend(committed.changes));
    let writers: Vec<_> = (0..WRITER_COUNT)
        .map(|writer| {
            let db = db.db.clone();
            tokio::spawn(async move {
                for n in 0..WRITE_COUNT {
                    let route = Route::Lane(writer * 1_000 + n);
                    db.write::<_, StoreError>(route, move |tx| {
                        tx.log(fact(ACME, writer * WRITE_COUNT + n));
                        tx.log(fact(if n % 2 == 0 { ACME } else { BYTE_BAKERY }, n));
                        tx.count(counter(ACME, n % 3), 1);
                        Ok(())
                    })
                    .await
                    .unwrap();
                }
            })
        })
        .collect();
    // A follower that reads beside the writers.
    let follower = db.db.clone();
    let follow = tokio::spawn(async move {
        let (mut last, mut seen) = (0, Vec::new());
        while last < WRITER_COUNT * WRITE_COUNT * 3 / 2 {
            for event in follower.read(move |tx| event_log::list_since(tx, ACME, last, 50)).await.unwrap() {
                assert_eq!(event.change_seq, last + 1, "a hole, which somebody may fill later");
                last = event.change_seq;
                seen.push(event.payload["n"].as_i64().unwrap());
            }
        }
        seen
    });
    for writer in writers {
        writer.await.unwrap();
    }
    let mut seen = follow.await.unwrap();
    seen.sort_unstable();
    let mut wanted: Vec<i64> = (0..WRITER_COUNT * WRITE_COUNT).collect();
    wanted.extend((0..WRITER_COUNT).flat_map(|_| (0..WRITE_COUNT).filter(|n| n % 2 == 0)));
    wanted.sort_unstable();
    assert_eq!(seen, wanted);
    assert_eq!(
        db.read(event_log::all_heads).await.unwrap(),
        [(ACME, WRITER_COUNT * WRITE_COUNT * 3 / 2), (BYTE_BAKERY, WRITER_COUNT * WRITE_COUNT / 2)]
    );
    let sums = db.read(|tx| counters::list(tx, ACME, "test.open")).await.unwrap();
    assert_eq!(sums, [(0, 160), (1, 160), (2, 160)]);
    // What the receiver was told ends at the heads.
    let told = heads.lock().unwrap();
    assert_eq!(told.iter().filter(|(workspace, _)| *workspace == ACME).map(|(_, head)| *head).max(), Some(720));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_seq_has_no_gap_and_follows_commit_order_with_eight_writers_sqlite() {
    if let Some(db) = TestDb::open_with(Engine::Sqlite, |settings| settings.writer_count = 8) {
        change_seq_story(db).await;
    }
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_seq_has_no_gap_and_follows_commit_order_with_eight_writers_postgres() {
    if let Some(db) = TestDb::open_with(Engine::Postgres, |settings| settings.writer_count = 8) {
        change_seq_story(db).await;
    }
}

db_test! {
    async fn events_are_found_by_id_by_stream_and_by_number(db: TestDb) {
        let agent = Actor::Agent(AgentId(7));
        let event = move |seq| Event {
            stream_id: Some(5), seq: Some(seq), kind: "conversation.status_changed", at: Timestamp(10 + seq), actor: agent,
            payload: serde_json::json!({ "old": "open", "new": "resolved", "id": AgentId(9) }), ..fact(ACME, 0)
        };
        let ids = db.write::<_, StoreError>(Route::Any, move |tx| {
            let first = tx.log(event(1));
            Ok([first, tx.log(Event { cause_id: Some(first), ..event(2) }), tx.log(fact(ACME, 3))])
        }).await.unwrap();
        let stream = db.read(|tx| event_log::list_stream(tx, ACME, 5, 0, 10)).await.unwrap();
        assert_eq!(stream.iter().map(|event| (event.id, event.seq)).collect::<Vec<_>>(), [(ids[0], Some(1)), (ids[1], Some(2))]);
        let second = db.read({ let id = ids[1]; move |tx| event_log::get(tx, ACME, id) }).await.unwrap();
        assert_eq!((second.actor, second.cause_id, second.at, second.change_seq), (agent, Some(ids[0]), Timestamp(12), 2));
        assert_eq!(second.payload["id"], AgentId(9).to_string());
        assert_eq!(second.recorded_at, testkit::pg::MONDAY);
        assert_eq!(db.read(|tx| event_log::list_since(tx, ACME, 1, 1)).await.unwrap().len(), 1);
        // Another workspace sees nothing of it.
        let id = ids[0];
        assert_eq!(db.read(move |tx| event_log::find(tx, BYTE_BAKERY, id)).await.unwrap(), None);
        assert_eq!(db.read(|tx| event_log::get(tx, ACME, EventId(1))).await, Err(StoreError::NotFound));
        assert_eq!(db.read(|tx| event_log::head(tx, BYTE_BAKERY)).await, Ok(0));
    }

    async fn a_version_is_given_out_once(db: TestDb) {
        let version = || Event { stream_id: Some(5), seq: Some(1), ..fact(ACME, 0) };
        db.write::<_, StoreError>(Route::Any, move |tx| { tx.log(version()); Ok(()) }).await.unwrap();
        let twice = db.write::<_, StoreError>(Route::Any, move |tx| { tx.log(version()); Ok(()) }).await;
        assert_eq!(twice, Err(StoreError::Conflict("event_log_stream".into())));
        // The number that it took went back.
        db.write::<_, StoreError>(Route::Any, |tx| { tx.log(fact(ACME, 1)); Ok(()) }).await.unwrap();
        assert_eq!(db.read(|tx| event_log::head(tx, ACME)).await, Ok(2));
    }

    async fn many_events_of_one_write_keep_their_order(db: TestDb) {
        db.write::<_, StoreError>(Route::Any, |tx| { (0..50).for_each(|n| { tx.log(fact(ACME, n)); }); Ok(()) }).await.unwrap();
        let events = db.read(|tx| event_log::list_since(tx, ACME, 0, 100)).await.unwrap();
        assert_eq!(events.iter().map(|event| event.at.0).collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
    }

    async fn counters_add_up_and_blocks_of_numbers_are_handed_out(db: TestDb) {
        db.write::<_, StoreError>(Route::Any, |tx| {
            for by in [3, -1, -2, 5] { tx.count(counter(ACME, 1), by); }
            tx.count(counter(ACME, 2), 1);
            tx.count(counter(ACME, 2), -1);
            Ok(())
        }).await.unwrap();
        assert_eq!(db.read(|tx| counters::list(tx, ACME, "test.open")).await.unwrap(), [(1, 5)]);
        assert_eq!(db.write(Route::Any, |tx| counters::reserve(tx, counter(BYTE_BAKERY, 0), 16)).await, Ok(16));
        assert_eq!(db.write(Route::Any, |tx| counters::reserve(tx, counter(BYTE_BAKERY, 0), 16)).await, Ok(32));
        assert_eq!(db.read(|tx| counters::get(tx, counter(ACME, 0))).await, Ok(0));
    }
}
