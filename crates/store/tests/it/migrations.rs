//! Migrating: once, in order, with a copy before; and what is refused.

use crate::story::{ACME, insert_setting, setting_count};
use std::path::{Path, PathBuf};
use store::migrate::{MIGRATIONS, Migration};
use store::{Access, Db, DbSettings, Engine, Route, StoreError, values};
use testkit::db::TestDb;
use testkit::db_test;

const LATER: Migration = Migration {
    name: "0901_later",
    text: "ALTER TABLE setting ADD COLUMN note TEXT;\n\
           CREATE TABLE later (@ID, tag_id BIGINT NOT NULL @REF(tag, tag_id), x BIGINT);\n\
           CREATE INDEX later_sqlite ON later(x); -- only: sqlite\n\
           CREATE INDEX later_postgres ON later(x); -- only: postgres\n",
};
const BAD: Migration =
    Migration { name: "0902_bad", text: "CREATE TABLE half (@ID);\nALTER TABLE nothing_of_that_name ADD COLUMN x BIGINT;\n" };

fn with(more: &[Migration]) -> Vec<Migration> {
    MIGRATIONS.iter().chain(more).copied().collect()
}

fn open(test: &TestDb, all: &[Migration]) -> Result<Db, StoreError> {
    Db::open_with(&test.settings, test.clock.clone(), Access::Test, all)
}

fn backups(db: &Db) -> Vec<PathBuf> {
    let folder = db.path().and_then(Path::parent).expect("a SQLite file lies in a folder").join("backups");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default();
    files.sort();
    files
}

db_test! {
    async fn a_later_migration_keeps_what_is_there_and_runs_once(db: TestDb) {
        db.write(Route::Any, |tx| insert_setting(tx, ACME, "kept")).await.unwrap();
        db.close();
        for _ in 0..2 {
            let later = open(&db, &with(&[LATER])).unwrap();
            assert_eq!(setting_count(&later, ACME).await, 1);
            let reference = later.write(Route::Any, |tx| tx.exec("INSERT INTO later(workspace_id, id, tag_id) VALUES (1, 1, 77)", values![])).await;
            assert!(matches!(reference, Err(StoreError::Conflict(_))), "{reference:?}");
            later.close();
        }
    }

    async fn a_database_of_a_newer_version_is_refused(db: TestDb) {
        db.close();
        open(&db, &with(&[LATER])).unwrap().close();
        let refused = open(&db, MIGRATIONS).map(drop).unwrap_err();
        assert!(matches!(&refused, StoreError::Broken(text) if text.contains("newer version") && text.contains("0901_later")), "{refused:?}");
    }

    async fn a_changed_migration_is_refused(db: TestDb) {
        db.close();
        open(&db, &with(&[LATER])).unwrap().close();
        let changed = Migration { text: "CREATE TABLE later (@ID);", ..LATER };
        let refused = open(&db, &with(&[changed])).map(drop).unwrap_err();
        assert!(matches!(&refused, StoreError::Broken(text) if text.contains("0901_later")), "{refused:?}");
    }

    async fn a_failing_migration_leaves_nothing_behind(db: TestDb) {
        db.write(Route::Any, |tx| insert_setting(tx, ACME, "kept")).await.unwrap();
        db.close();
        let refused = open(&db, &with(&[BAD])).map(drop).unwrap_err();
        assert!(matches!(&refused, StoreError::Broken(text) if text.contains("0902_bad")), "{refused:?}");
        db.reopen();
        assert_eq!(setting_count(&db, ACME).await, 1);
        assert!(db.check_statement("SELECT id FROM half").await.is_err());
    }

    async fn who_only_looks_neither_migrates_nor_writes(db: TestDb) {
        db.write(Route::Any, |tx| insert_setting(tx, ACME, "seen")).await.unwrap();
        // Beside the one that serves it.
        let looks = Db::open(&db.settings, db.clock.clone(), Access::Look).unwrap();
        assert_eq!(setting_count(&looks, ACME).await, 1);
        let refused = looks.write(Route::Any, |tx| insert_setting(tx, ACME, "x")).await;
        assert!(matches!(refused, Err(StoreError::Broken(_))), "{refused:?}");
        let older = Db::open_with(&db.settings, db.clock.clone(), Access::Look, &with(&[LATER])).map(drop).unwrap_err();
        assert!(matches!(&older, StoreError::Broken(text) if text.contains("0901_later")), "{older:?}");
    }
}

#[tokio::test]
async fn a_sqlite_file_is_copied_before_each_migration_and_three_copies_stay() {
    let mut test = TestDb::open(Engine::Sqlite).unwrap();
    assert!(backups(&test).is_empty(), "a new file needs no copy");
    test.write(Route::Any, |tx| insert_setting(tx, ACME, "kept")).await.unwrap();
    let names = ["0901_a", "0902_b", "0903_c", "0904_d"];
    let mut all = MIGRATIONS.to_vec();
    for name in names {
        test.db.close();
        all.push(Migration { name, text: "CREATE TABLE IF NOT EXISTS extra (@ID);" });
        test.clock.advance_ms(1_000);
        test.db = open(&test, &all).unwrap();
    }
    let files = backups(&test);
    let begins: Vec<_> = files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()[..11].to_owned()).collect();
    assert_eq!(begins, ["before-0902", "before-0903", "before-0904"]);
    // The copy is a whole database of the older version.
    let settings = DbSettings { url: format!("sqlite:{}", files[0].display()), ..test.settings.clone() };
    let old = Db::open_with(&settings, test.clock.clone(), Access::Test, &all[..=MIGRATIONS.len()]).unwrap();
    assert_eq!(setting_count(&old, ACME).await, 1);
}

#[tokio::test]
async fn nodes_that_start_at_once_on_an_empty_postgres_migrate_it_once() {
    let Some(empty) = testkit::pg::empty_database() else { return };
    let settings = DbSettings { writer_count: 1, reader_count: 1, ..DbSettings::new(empty.url.clone()) };
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let settings = settings.clone();
            std::thread::spawn(move || {
                Db::open(&settings, std::sync::Arc::new(model::SystemClock), Access::Test).map(|db| db.close())
            })
        })
        .collect();
    for start in starts {
        start.join().unwrap().unwrap();
    }
}

#[test]
fn the_list_names_every_file_in_order() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().trim_end_matches(".sql").to_owned())
        .collect();
    files.sort();
    assert_eq!(files, MIGRATIONS.iter().map(|migration| migration.name).collect::<Vec<_>>());
    let numbers: Vec<i64> = MIGRATIONS.iter().map(Migration::number).collect();
    assert_eq!(numbers, (1..=MIGRATIONS.len() as i64).collect::<Vec<_>>(), "numbers follow each other");
}
