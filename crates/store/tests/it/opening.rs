//! What is refused at the door, and in which words; copies; a full disk.

use crate::story::{ACME, insert_setting, setting_count};
use model::FakeClock;
use std::path::Path;
use std::sync::Arc;
use store::{Access, Db, DbSettings, Engine, Route, StoreError, values};
use testkit::db::TestDb;
use testkit::db_test;
use testkit::pg::MONDAY;

fn refusal(settings: &DbSettings) -> String {
    match Db::open(settings, Arc::new(FakeClock::new(MONDAY)), Access::Test) {
        Err(StoreError::Broken(text)) => text,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it opened"),
    }
}

#[test]
fn an_unknown_url_is_refused() {
    let text = refusal(&DbSettings::new("mysql://root:secret@db/x"));
    assert!(text.contains("sqlite:PATH") && !text.contains("secret"), "{text}");
}

#[test]
fn postgres_elsewhere_is_spoken_to_over_tls_only() {
    let text = refusal(&DbSettings::new("postgres://a:secret@db.example.com/x?sslmode=disable"));
    assert!(text.contains("TLS") && !text.contains("secret"), "{text}");
}

#[test]
fn a_postgres_that_is_not_there_is_said_to_be_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let text = refusal(&DbSettings::new(format!("postgres://a:secret@127.0.0.1:{port}/x")));
    assert!(text.contains("cannot reach PostgreSQL") && !text.contains("secret"), "{text}");
}

#[tokio::test]
async fn a_second_one_that_would_serve_the_file_is_told_who_does() {
    let mut test = TestDb::open(Engine::Sqlite).unwrap();
    let text = refusal(&test.settings);
    assert!(text.contains(&std::process::id().to_string()) && text.contains("backup"), "{text}");
    // Freed with the first one.
    let (settings, clock) = (test.settings.clone(), test.clock.clone());
    drop(std::mem::replace(&mut test.db, TestDb::open(Engine::Sqlite).unwrap().db.clone()));
    Db::open(&settings, clock, Access::Test).map(drop).unwrap();
}

#[test]
fn looking_at_nothing_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("continuo.db");
    let settings = DbSettings::new(format!("sqlite:{}", file.display()));
    let look = || Db::open(&settings, Arc::new(FakeClock::new(MONDAY)), Access::Look).map(drop).unwrap_err().to_string();
    assert!(look().contains("there is no database") && !file.exists());
    std::fs::write(&file, "").unwrap();
    assert!(look().contains("no tables of Continuo"), "{}", look());
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "not a database, but long enough to have a header of sixteen bytes").unwrap();
    let text = refusal(&DbSettings::new(format!("sqlite:{}", file.display())));
    assert!(text.contains("not a SQLite database") && text.contains("notes.txt"), "{text}");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("not a database"));
}

/// The account of root may write anywhere, so this asks a folder that not even root can write to: a file of that name.
#[test]
fn a_folder_that_cannot_be_made_or_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let text = refusal(&DbSettings::new(format!("sqlite:{}", file.join("continuo.db").display())));
    assert!(text.contains("cannot be made") && text.contains("file"), "{text}");

    let closed = folder.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    make_read_only(&closed);
    let made = std::fs::write(closed.join("probe"), "").is_ok();
    let settings = DbSettings::new(format!("sqlite:{}", closed.join("continuo.db").display()));
    if made {
        // Root writes all the same.
        Db::open(&settings, Arc::new(FakeClock::new(MONDAY)), Access::Test).map(drop).unwrap();
    } else {
        let text = refusal(&settings);
        assert!(text.contains("lock file") && text.contains("closed"), "{text}");
    }
}

#[cfg(unix)]
fn make_read_only(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o500)).unwrap();
}
#[cfg(not(unix))]
fn make_read_only(_: &Path) {}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_can_be_read_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let test = TestDb::open(Engine::Sqlite).unwrap();
    let mode = std::fs::metadata(test.path().unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A full disk is played by a limit on the file's pages: SQLite gives the same error.
#[tokio::test]
async fn a_full_disk_is_said_to_be_full_and_nothing_acknowledged_is_lost() {
    let test = TestDb::open(Engine::Sqlite).unwrap();
    test.write(Route::Any, |tx| insert_setting(tx, ACME, "before")).await.unwrap();
    const FILL: &str = "INSERT INTO setting(workspace_id, name, value) VALUES ($1, $2, $3)";
    let pages = test.read(|tx| tx.one("PRAGMA page_count", values![])).await.unwrap().unwrap().int(0);
    let limit: &'static str = store::interned(format!("PRAGMA max_page_count = {}", pages + 10)).unwrap();
    test.write(Route::Any, move |tx| tx.one(limit, values![])).await.unwrap();
    let full = test.write(Route::Any, |tx| tx.exec(FILL, values![ACME, "big", "x".repeat(1 << 20)])).await;
    assert!(matches!(&full, Err(StoreError::Broken(text)) if text.contains("disk is full")), "{full:?}");
    assert_eq!(setting_count(&test, ACME).await, 1);
    test.write(Route::Any, |tx| insert_setting(tx, ACME, "after")).await.unwrap();
    assert_eq!(setting_count(&test, ACME).await, 2);
}

#[tokio::test]
async fn the_settings_of_a_sqlite_connection() {
    let test = TestDb::open_with(Engine::Sqlite, |settings| settings.full_sync = true).unwrap();
    let asks: [(&'static str, &str); 6] = [
        ("PRAGMA journal_mode", "Text(\"wal\")"),
        ("PRAGMA page_size", "Int(4096)"),
        ("PRAGMA synchronous", "Int(2)"),
        ("PRAGMA foreign_keys", "Int(1)"),
        ("PRAGMA secure_delete", "Int(2)"),
        ("PRAGMA auto_vacuum", "Int(2)"),
    ];
    for (ask, wanted) in asks {
        let row = test.write::<_, StoreError>(Route::Any, move |tx| tx.one(ask, values![])).await.unwrap().unwrap();
        assert_eq!(format!("{:?}", row.value(0)), wanted, "{ask}");
    }
    let read_only = test.read(|tx| tx.one("PRAGMA query_only", values![])).await.unwrap().unwrap();
    assert_eq!(read_only.int(0), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_whole_although_writers_go_on() {
    let test = TestDb::open(Engine::Sqlite).unwrap();
    test.write(Route::Any, |tx| insert_setting(tx, ACME, "first")).await.unwrap();
    let target = test.path().unwrap().with_file_name("copy.db");
    let (db, file) = (test.db.clone(), target.clone());
    let copying = tokio::task::spawn_blocking(move || db.backup_to(&file));
    for n in 0..50 {
        test.write(Route::Any, move |tx| insert_setting(tx, ACME, &format!("s{n}"))).await.unwrap();
    }
    copying.await.unwrap().unwrap();
    let settings = DbSettings { url: format!("sqlite:{}", target.display()), ..test.settings.clone() };
    let copy = Db::open(&settings, test.clock.clone(), Access::Test).unwrap();
    assert!((1..=51).contains(&setting_count(&copy, ACME).await));
    let again = test.backup_to(&target).unwrap_err();
    assert!(matches!(&again, StoreError::Broken(text) if text.contains("already there")), "{again:?}");
}

db_test! {
    async fn what_was_acknowledged_is_there_after_a_restart(db: TestDb) {
        for n in 0..10 {
            db.write(Route::Any, move |tx| insert_setting(tx, ACME, &format!("s{n}"))).await.unwrap();
        }
        db.reopen();
        assert_eq!(setting_count(&db, ACME).await, 10);
    }
}
