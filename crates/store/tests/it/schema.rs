//! The tables that the migrations make on each engine, as committed text: a reviewer sees drift, and so does this test.
//! `CONTINUO_UPDATE_SNAPSHOTS=1` (or `make snap`) writes the files anew.

use std::path::Path;
use store::{Engine, values};
use testkit::db::TestDb;

const SQLITE: &str =
    "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY tbl_name, CASE type WHEN 'table' THEN 0 ELSE 1 END, name";
const COLUMNS: &str = "SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT) || ' ' || format_type(a.atttypid, a.atttypmod) \
        || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END \
        || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') \
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum \
     WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace('public') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum";
const KEYS: &str = "SELECT CAST(c.relname AS TEXT), CAST(k.conname AS TEXT) || ' ' || pg_get_constraintdef(k.oid) \
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = to_regnamespace('public') ORDER BY c.relname, k.contype DESC, k.conname";
const OPTIONS: &str = "SELECT CAST(relname AS TEXT), array_to_string(reloptions, ', ') FROM pg_class \
     WHERE relkind = 'r' AND relnamespace = to_regnamespace('public') AND reloptions IS NOT NULL ORDER BY relname";
const INDEXES: &str = "SELECT CAST(tablename AS TEXT), replace(indexdef, ' ON public.', ' ON ') FROM pg_indexes \
     WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint) ORDER BY tablename, indexname";

fn compare(file: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(file);
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever accepts new snapshots")]
    let update =
        ["CONTINUO_UPDATE_SNAPSHOTS", "UPDATE_SNAPSHOTS"].iter().any(|name| std::env::var(name).is_ok_and(|value| value == "1"));
    if update {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        known == found,
        "crates/store/schema/{file} is not what the migrations make; CONTINUO_UPDATE_SNAPSHOTS=1 writes it anew"
    );
}

#[tokio::test]
async fn the_committed_schema_is_the_one_that_migrations_make_sqlite() {
    let test = TestDb::open(Engine::Sqlite).unwrap();
    let rows = test.read(|tx| tx.rows(SQLITE, values![])).await.unwrap();
    let text: String = rows.iter().map(|row| format!("{};\n", row.text(0))).collect();
    compare("sqlite.sql", &format!("-- Made by the migrations on SQLite; written by a test, never by hand.\n{text}"));
}

#[tokio::test]
async fn the_committed_schema_is_the_one_that_migrations_make_postgres() {
    let Some(test) = TestDb::open(Engine::Postgres) else { return };
    let mut text = "-- Made by the migrations on PostgreSQL; written by a test, never by hand.\n".to_owned();
    let [columns, keys, options, indexes] = {
        let mut all = Vec::new();
        for ask in [COLUMNS, KEYS, OPTIONS, INDEXES] {
            let rows = test.read(move |tx| tx.rows(ask, values![])).await.unwrap();
            all.push(rows.iter().map(|row| (row.text(0), row.text(1))).collect::<Vec<_>>());
        }
        <[Vec<(String, String)>; 4]>::try_from(all).unwrap()
    };
    let mut tables: Vec<&str> = columns.iter().map(|(table, _)| table.as_str()).collect();
    tables.dedup();
    for table in tables {
        let of = |list: &[(String, String)]| {
            list.iter().filter(|(name, _)| name == table).map(|(_, what)| what.clone()).collect::<Vec<_>>()
        };
        let mut lines = of(&columns);
        lines.extend(of(&keys).into_iter().map(|key| format!("CONSTRAINT {key}")));
        let with = of(&options).first().map(|options| format!(" WITH ({options})")).unwrap_or_default();
        text.push_str(&format!("CREATE TABLE {table} (\n  {}\n){with};\n", lines.join(",\n  ")));
        of(&indexes).iter().for_each(|index| text.push_str(&format!("{index};\n")));
    }
    compare("postgres.sql", &text);
}
