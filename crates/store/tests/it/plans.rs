//! Every list walks an index: no scan of a big table, no sort of what it found (docs/STORE.md, "Lists").

use store::{Engine, StoreError};
use testkit::db::TestDb;

/// The plan of a statement on SQLite, one line a step.
async fn plan(db: &TestDb, sql: &'static str, parameters: usize) -> String {
    let explained = store::interned(format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    db.read(move |tx| -> Result<String, StoreError> {
        let bound: Vec<store::Value> = (0..parameters).map(|n| if n == 1 { "open".into() } else { 1_i64.into() }).collect();
        Ok(tx.rows(explained, &bound)?.iter().map(|row| row.text(3)).collect::<Vec<_>>().join("\n"))
    })
    .await
    .unwrap()
}

fn placeholders(sql: &str) -> usize {
    (1..20).rev().find(|n| sql.contains(&format!("${n}"))).unwrap_or(0)
}

#[tokio::test]
async fn lists_and_timelines_walk_an_index_in_its_own_order() {
    let db = TestDb::open(Engine::Sqlite).unwrap();
    let walks = store::conversation::list::WALKS
        .iter()
        .chain(&store::entry::WALKS)
        .chain(&store::provider_event::WALKS)
        .chain(&store::outbox::WALKS)
        .chain(&store::fact::WALKS)
        .chain(&store::proof::WALKS)
        .chain(&store::suggestion::WALKS)
        .chain(&store::handoff_token::WALKS)
        .chain(&store::pull::WALKS);
    for sql in walks.copied() {
        let plan = plan(&db, sql, placeholders(sql)).await;
        assert!(plan.contains("USING INDEX"), "{sql}\n{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}

#[tokio::test]
async fn the_test_sees_a_scan_and_a_sort() {
    let db = TestDb::open(Engine::Sqlite).unwrap();
    let bad = "SELECT id FROM conversation WHERE workspace_id = $1 AND subject IS NOT NULL ORDER BY subject LIMIT 5";
    let plan = plan(&db, bad, 1).await;
    assert!(plan.contains("TEMP B-TREE"), "{plan}");
}
