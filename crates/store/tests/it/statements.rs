//! One text for two engines: values, types, placeholders, errors.

use crate::story::{ACME, COUNT_SETTINGS, INSERT_SETTING, insert_setting, setting_count};
use store::{Engine, Route, StoreError, Value, values};
use testkit::db_test;

const SWAPPED: &str = "UPDATE setting SET value = $2 WHERE workspace_id = $3 AND name = $1";
const VALUE_OF: &str = "SELECT value FROM setting WHERE workspace_id = $1 AND name = $2";
const ALL_TYPES: &str =
    "SELECT CAST($1 AS BIGINT), CAST($2 AS DOUBLE PRECISION), CAST($3 AS TEXT), CAST($4 AS BYTEA), CAST($5 AS BIGINT)";
const ALL_TYPES_SQLITE: &str =
    "SELECT CAST($1 AS BIGINT), CAST($2 AS DOUBLE PRECISION), CAST($3 AS TEXT), $4, CAST($5 AS BIGINT)";
const FLAGS: &str = "SELECT enabled FROM inbox WHERE workspace_id = $1 AND enabled = $2";
const INBOX: &str = "INSERT INTO inbox(workspace_id, id, channel, name, enabled, settings, state, created_at, version) \
     VALUES ($1, $2, 'api', 'x', $3, '{}', 'ok', 0, 0)";
const ENTRY_OF_NOBODY: &str =
    "INSERT INTO participant(workspace_id, id, conversation_id, role, joined_at) VALUES ($1, $2, $3, 'x', 0)";
const LIMITED: &str = "SELECT name FROM setting WHERE workspace_id = $1 ORDER BY name LIMIT $2";
const RETURNING: &str = "DELETE FROM setting WHERE workspace_id = $1 RETURNING name";
const DUPLICATE_TAG: &str = "INSERT INTO tag(workspace_id, id, name, name_key, colour) VALUES ($1, $2, 'a', 'a', 'red')";

db_test! {
    async fn placeholders_mean_their_number_not_their_order(db: TestDb) {
        db.write(Route::Any, |tx| insert_setting(tx, ACME, "greeting")).await.unwrap();
        let changed = db.write(Route::Any, |tx| tx.exec(SWAPPED, values!["greeting", "hello", ACME])).await.unwrap();
        assert_eq!(changed, 1);
        let row = db.read(|tx| tx.one(VALUE_OF, values![ACME, "greeting"])).await.unwrap();
        assert_eq!(row.unwrap().text(0), "hello");
    }

    async fn every_type_goes_in_and_comes_out(db: TestDb) {
        let text = "héllo ' \" $1 ?1 \u{1F642}";
        let row = db.read::<_, StoreError>(move |tx| {
            let sql = if tx.engine() == Engine::Sqlite { ALL_TYPES_SQLITE } else { ALL_TYPES };
            tx.one(sql, values![i64::MAX, 1.5, text, vec![0u8, 255], None::<i64>])
        }).await.unwrap().unwrap();
        assert_eq!((row.int(0), row.float(1), row.text(2), row.bytes(3), row.opt_int(4)), (i64::MAX, 1.5, text.to_owned(), vec![0, 255], None));
    }

    async fn a_flag_is_a_flag(db: TestDb) {
        db.write::<_, StoreError>(Route::Any, |tx| {
            let (a, b) = (tx.id(), tx.id());
            tx.exec(INBOX, values![ACME, a, true])?;
            tx.exec(INBOX, values![ACME, b, false])
        }).await.unwrap();
        for flag in [true, false] {
            let rows = db.read(move |tx| tx.rows(FLAGS, values![ACME, flag])).await.unwrap();
            assert_eq!(rows.iter().map(|row| row.bool(0)).collect::<Vec<_>>(), [flag]);
        }
    }

    async fn affected_rows_returning_and_limits(db: TestDb) {
        db.write::<_, StoreError>(Route::Any, |tx| {
            for name in ["c", "a", "b"] {
                insert_setting(tx, ACME, name)?;
            }
            Ok(())
        }).await.unwrap();
        let rows = db.read(|tx| tx.rows(LIMITED, values![ACME, 2])).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.text(0)).collect::<Vec<_>>(), ["a", "b"]);
        // `exec` on a statement that gives rows still tells how many; `one` still runs all of it.
        assert!(db.write(Route::Any, |tx| tx.one(RETURNING, values![ACME])).await.unwrap().is_some());
        assert_eq!(setting_count(&db, ACME).await, 0);
        db.write(Route::Any, |tx| insert_setting(tx, ACME, "d")).await.unwrap();
        assert_eq!(db.write(Route::Any, |tx| tx.exec(RETURNING, values![ACME])).await.unwrap(), 1);
    }

    async fn broken_keys_are_named_alike(db: TestDb) {
        db.write(Route::Any, |tx| insert_setting(tx, ACME, "x")).await.unwrap();
        let twice = db.write(Route::Any, |tx| insert_setting(tx, ACME, "x")).await;
        assert_eq!(twice, Err(StoreError::Conflict("setting_pkey".into())));
        db.write(Route::Any, |tx| tx.exec(DUPLICATE_TAG, values![ACME, 1])).await.unwrap();
        let named = db.write(Route::Any, |tx| tx.exec(DUPLICATE_TAG, values![ACME, 2])).await;
        assert_eq!(named, Err(StoreError::Conflict("tag_name".into())));
        let orphan = db.write(Route::Any, |tx| tx.exec(ENTRY_OF_NOBODY, values![ACME, 1, 999])).await;
        assert!(matches!(orphan, Err(StoreError::Conflict(_))), "{orphan:?}");
    }

    async fn a_wrong_number_or_type_of_values_is_an_error(db: TestDb) {
        let few = db.read(|tx| tx.one(COUNT_SETTINGS, values![])).await;
        assert!(matches!(&few, Err(StoreError::Broken(text)) if text.contains("takes 1 values, 0 were given")), "{few:?}");
        let many = db.write(Route::Any, |tx| tx.exec(INSERT_SETTING, values![ACME, "a", "b", "c"])).await;
        assert!(matches!(many, Err(StoreError::Broken(_))), "{many:?}");
    }

    async fn after_an_error_nothing_goes_on(db: TestDb) {
        db.write(Route::Any, |tx| insert_setting(tx, ACME, "x")).await.unwrap();
        // Insert, catch the duplicate, select: works on SQLite alone, so it must not work at all.
        let caught = db.write::<_, StoreError>(Route::Any, |tx| {
            let first = insert_setting(tx, ACME, "x");
            assert!(first.is_err());
            assert_eq!(tx.one(COUNT_SETTINGS, values![ACME]).map(drop), first.map(drop));
            Ok(())
        }).await;
        assert_eq!(caught, Err(StoreError::Conflict("setting_pkey".into())));
        assert_eq!(setting_count(&db, ACME).await, 1);
    }

    async fn a_read_sees_one_moment_and_may_not_write(db: TestDb) {
        let refused = db.read(|tx| insert_setting(tx, ACME, "x")).await;
        assert!(matches!(refused, Err(StoreError::Broken(_))), "{refused:?}");
        let logged = db.read::<_, StoreError>(|tx| { tx.log(crate::story::fact(ACME, 1)); Ok(()) }).await;
        assert!(matches!(logged, Err(StoreError::Broken(_))), "{logged:?}");

        // The reader waits between its two looks until somebody else has committed.
        let writer = db.db.clone();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let mut begun = Some(begun);
        let reader = db.db.clone();
        let looks = tokio::spawn(async move {
            reader.read::<_, StoreError>(move |tx| {
                let before = tx.one(COUNT_SETTINGS, values![ACME])?.unwrap().int(0);
                if let Some(begun) = begun.take() {
                    begun.send(()).unwrap();
                    gone.recv().unwrap();
                }
                Ok((before, tx.one(COUNT_SETTINGS, values![ACME])?.unwrap().int(0)))
            }).await
        });
        has_begun.await.unwrap();
        writer.write(Route::Any, |tx| insert_setting(tx, ACME, "x")).await.unwrap();
        go.send(()).unwrap();
        assert_eq!(looks.await.unwrap(), Ok((0, 0)));
        assert_eq!(setting_count(&db, ACME).await, 1);
    }

    async fn a_value_may_be_a_value(db: TestDb) {
        let name = Value::Text("again".into());
        db.write(Route::Any, move |tx| tx.exec(INSERT_SETTING, values![ACME, &name, &name])).await.unwrap();
        assert_eq!(setting_count(&db, ACME).await, 1);
    }
}
