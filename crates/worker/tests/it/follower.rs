//! The index follows what happens in the desk, on the engine of this run.

use model::Clock;
use std::collections::HashMap;
use std::time::Duration;
use store::search::{DocKind, Scope, SearchQuery, parse};
use store::{Route, StoreError};
use testkit::desk::TestDesk;
use worker::leader::lead;
use worker::{SearchFollower, Supervisor};

fn query(test: &TestDesk, kind: DocKind, words: &str) -> SearchQuery {
    SearchQuery { terms: parse(words).terms, ..SearchQuery::new(test.workspace, kind) }
}

async fn found(test: &TestDesk, kind: DocKind, words: &str) -> Vec<i64> {
    let hits = test.desk.search.find(query(test, kind, words), None, 100).await.unwrap();
    hits.iter().map(|hit| hit.subject.id).collect()
}

fn follower(test: &TestDesk) -> SearchFollower {
    SearchFollower::new(test.desk.db.clone(), test.desk.search.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_was_said_and_who_said_it_is_found_after_a_round() {
    let test = TestDesk::new().await;
    let first = test.customer_writes("ada@example.com", "Where is my Bestätigung?").await;
    let follower = follower(&test);
    let mut known = HashMap::new();
    // The first round builds the index from the rows.
    follower.round(&mut known).await.unwrap();
    assert_eq!(found(&test, DocKind::Entry, "bestatig*").await, [first.id.0]);
    assert_eq!(found(&test, DocKind::Contact, "ada*").await, [first.contact_id.0]);
    // Later ones follow the log.
    let second = test.customer_writes("ada@example.com", "Still no confirmation").await;
    follower.round(&mut known).await.unwrap();
    assert_eq!(found(&test, DocKind::Entry, "confirmation").await, [second.id.0]);
    assert_eq!(found(&test, DocKind::Entry, "").await, [second.id.0, first.id.0], "events of the timeline are no documents");
    let mut of_contact = query(&test, DocKind::Entry, "no");
    of_contact.any_of = vec![vec![Scope::Contact(second.contact_id)], vec![Scope::Inbox(test.inbox)]];
    assert_eq!(test.desk.search.find(of_contact, None, 9).await.unwrap().len(), 1);
    // Content that was removed is gone from the index as well.
    let (workspace, id, now) = (test.workspace, second.id, test.clock.now());
    let redact = move |tx: &mut dyn store::Conn| -> Result<(), StoreError> {
        let mut entry = store::entry::find(tx, workspace, id)?.ok_or(StoreError::NotFound)?;
        entry.body = model::Body::default();
        entry.redacted_at = Some(now);
        store::entry::set_body(tx, workspace, &entry)?;
        tx.log(store::Event {
            workspace,
            stream_id: None,
            seq: None,
            kind: "entry.removed",
            at: now,
            actor: model::Actor::System,
            cause_id: None,
            payload: serde_json::json!({ "entry": id }),
        });
        Ok(())
    };
    test.desk.db.write(Route::Any, redact).await.unwrap();
    follower.round(&mut known).await.unwrap();
    assert!(found(&test, DocKind::Entry, "confirmation").await.is_empty());
    // A restored database knows less than the index: it is built again.
    test.desk.search.apply(workspace, Vec::new(), Vec::new(), Some(1_000_000)).await.unwrap();
    follower.round(&mut HashMap::new()).await.unwrap();
    assert_eq!(found(&test, DocKind::Entry, "").await, [first.id.0]);
    let head = test.desk.db.read(move |tx| store::event_log::head(tx, workspace)).await.unwrap();
    assert_eq!(test.desk.search.position(workspace).await.unwrap(), Some(head));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_running_follower_takes_in_what_comes() {
    let test = TestDesk::new().await;
    let follower = follower(&test);
    let waker = follower.waker();
    test.desk.db.on_commit(move |_| waker.wake());
    let supervisor = Supervisor::new();
    let (running, stop) = (follower.clone(), supervisor.stop_signal());
    supervisor.spawn("search", async move { running.run(stop).await });
    let entry = test.customer_writes("bo", "a needle in the hay").await;
    let began = tokio::time::Instant::now();
    while found(&test, DocKind::Entry, "needle").await != [entry.id.0] {
        assert!(began.elapsed() < Duration::from_secs(20), "it is never found");
        tokio::task::yield_now().await;
    }
    assert!(supervisor.stop(Duration::from_secs(5)).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn work_under_a_lease_is_done_by_one_and_the_lease_given_back() {
    let test = TestDesk::new().await;
    let db = &test.desk.db;
    let inner = lead(db, "tidy", async { 7 }).await.unwrap();
    assert_eq!(inner, Some(7));
    let now = test.clock.now();
    let taken =
        db.write(Route::Any, move |tx| store::lease::take(tx, "tidy", "somebody else", now.plus_seconds(6), 30_000)).await;
    assert!(taken.unwrap().is_some(), "given back");
    assert_eq!(lead(db, "tidy", async { 8 }).await.unwrap(), None);
}
