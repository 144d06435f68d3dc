//! Group commit: neighbours share a COMMIT and nothing else.

use crate::story::{ACME, COUNT_SETTINGS, counter, fact, insert_setting, setting_count};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use store::{Committed, Conn, Db, Engine, Route, StoreError, Wake, event_log, values};
use testkit::db::TestDb;
use testkit::db_test;

/// Holds the writer inside a transaction, so that what is sent meanwhile becomes one group. Dropping the sender lets it go.
async fn hold_the_writer(db: &Db) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let mut begun = Some(begun);
    let writer = db.clone();
    tokio::spawn(async move {
        writer
            .write::<_, StoreError>(Route::Lane(1), move |_| {
                if let Some(begun) = begun.take() {
                    let _ = begun.send(());
                }
                // Ends with an error when the other side goes away: that is the signal.
                let _ = released.recv();
                Ok(())
            })
            .await
    });
    has_begun.await.expect("the writer runs");
    release
}

/// Sends writes into one queue while the writer is held, and gives their answers.
async fn as_one_group<T: Send + 'static>(
    db: &TestDb,
    closures: Vec<impl FnMut(&mut dyn Conn) -> Result<T, StoreError> + Send + 'static>,
) -> Vec<Result<T, StoreError>> {
    let held = hold_the_writer(db).await;
    let wanted = closures.len();
    let mut answers = Vec::new();
    for closure in closures {
        let writer = db.db.clone();
        answers.push(tokio::spawn(async move { writer.write(Route::Lane(1), closure).await }));
    }
    while db.waiting().0 < wanted {
        tokio::task::yield_now().await;
    }
    drop(held);
    let mut all = Vec::new();
    for answer in answers {
        all.push(answer.await.expect("the task ends"));
    }
    all
}

db_test! {
    async fn one_failing_closure_of_twenty_loses_only_itself(db: TestDb) {
        let closures: Vec<_> = (0..20).map(|n| move |tx: &mut dyn Conn| {
            insert_setting(tx, ACME, &format!("s{n}"))?;
            tx.count(counter(ACME, 1), 1);
            tx.log(fact(ACME, n));
            if n == 7 { Err(StoreError::NotFound) } else { Ok(n) }
        }).collect();
        let answers = as_one_group(&db, closures).await;
        for (n, answer) in answers.iter().enumerate() {
            assert_eq!(*answer, if n == 7 { Err(StoreError::NotFound) } else { Ok(n as i64) });
        }
        assert_eq!(setting_count(&db, ACME).await, 19);
        assert_eq!(db.read(|tx| store::counter::get(tx, counter(ACME, 1))).await, Ok(19));
        let events = db.read(|tx| event_log::list_since(tx, ACME, 0, 100)).await.unwrap();
        assert_eq!(events.iter().map(|event| event.change_seq).collect::<Vec<_>>(), (1..=19).collect::<Vec<_>>());
    }

    async fn a_panicking_closure_of_twenty_loses_only_itself(db: TestDb) {
        let closures: Vec<_> = (0..20).map(|n| move |tx: &mut dyn Conn| {
            insert_setting(tx, ACME, &format!("s{n}"))?;
            assert!(n != 3, "told to panic");
            Ok(n)
        }).collect();
        let answers = as_one_group(&db, closures).await;
        assert!(matches!(&answers[3], Err(StoreError::Broken(text)) if text.contains("told to panic")), "{:?}", answers[3]);
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 19);
        assert_eq!(setting_count(&db, ACME).await, 19);
        db.write(Route::Lane(1), |tx| insert_setting(tx, ACME, "after")).await.unwrap();
    }

    async fn many_failing_closures_each_get_their_own_answer(db: TestDb) {
        let closures: Vec<_> = (0..20).map(|n| move |tx: &mut dyn Conn| {
            // All odd ones break the same key.
            insert_setting(tx, ACME, &if n % 2 == 1 { "same".to_owned() } else { format!("s{n}") })
        }).collect();
        let answers = as_one_group(&db, closures).await;
        assert_eq!(answers.iter().step_by(2).filter(|answer| answer.is_ok()).count(), 10);
        let odd: Vec<_> = answers.iter().skip(1).step_by(2).collect();
        assert_eq!(odd.iter().filter(|answer| answer.is_ok()).count(), 1, "{odd:?}");
        assert_eq!(odd.iter().filter(|answer| ***answer == Err(StoreError::Conflict("setting_pkey".into()))).count(), 9);
        assert_eq!(setting_count(&db, ACME).await, 11);
    }

    async fn a_group_is_one_commit(db: TestDb) {
        let seen = Arc::new(std::sync::Mutex::new(Vec::<Committed>::new()));
        let sink = seen.clone();
        let held = hold_the_writer(&db).await;
        db.on_commit(move |committed| sink.lock().unwrap().push(committed));
        let mut answers = Vec::new();
        for n in 0..10 {
            let writer = db.db.clone();
            answers.push(tokio::spawn(async move {
                writer.write::<_, StoreError>(Route::Lane(1), move |tx| {
                    tx.log(fact(ACME, n));
                    tx.wake(Wake::Jobs { priority: n % 2 });
                    Ok(())
                }).await
            }));
        }
        while db.waiting().0 < 10 {
            tokio::task::yield_now().await;
        }
        drop(held);
        for answer in answers {
            answer.await.unwrap().unwrap();
        }
        let mut seen = seen.lock().unwrap().clone();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].wakes.sort();
        assert_eq!(seen[0], Committed {
            changes: vec![(ACME, 10)],
            wakes: vec![Wake::Jobs { priority: 0 }, Wake::Jobs { priority: 1 }],
        });
    }

    async fn bulk_work_takes_few_places_of_a_group(db: TestDb) {
        let held = hold_the_writer(&db).await;
        let mut answers = Vec::new();
        for n in 0..30 {
            let writer = db.db.clone();
            answers.push(tokio::spawn(async move {
                writer.write_bulk::<_, StoreError>(Route::Lane(1), move |tx| {
                    tx.log(fact(ACME, 0));
                    insert_setting(tx, ACME, &format!("bulk{n}"))
                }).await
            }));
        }
        while db.waiting().0 < 30 {
            tokio::task::yield_now().await;
        }
        let writer = db.db.clone();
        let reply = tokio::spawn(async move {
            writer.write::<_, StoreError>(Route::Lane(1), |tx| {
                insert_setting(tx, ACME, "reply")?;
                Ok(tx.log(fact(ACME, 1)))
            }).await
        });
        while db.waiting().0 < 31 {
            tokio::task::yield_now().await;
        }
        drop(held);
        let reply = reply.await.unwrap().unwrap();
        for answer in answers {
            answer.await.unwrap().unwrap();
        }
        let place = db.read(move |tx| event_log::get(tx, ACME, reply)).await.unwrap().change_seq;
        assert!(place <= 9, "the reply came after {} bulk writes", place - 1);
        assert_eq!(setting_count(&db, ACME).await, 31);
    }

    async fn a_full_queue_says_busy_and_a_closed_one_finishes_what_it_took(db: TestDb) {
        let held = hold_the_writer(&db).await;
        let mut answers = Vec::new();
        for n in 0..4_096 {
            let writer = db.db.clone();
            answers.push(tokio::spawn(async move {
                writer.write(Route::Lane(1), move |tx| insert_setting(tx, ACME, &format!("s{n}"))).await
            }));
        }
        while db.waiting().0 < 4_096 {
            tokio::task::yield_now().await;
        }
        assert_eq!(db.write(Route::Lane(1), |tx| insert_setting(tx, ACME, "late")).await, Err(StoreError::Busy));
        drop(held);
        let closing = db.db.clone();
        tokio::task::spawn_blocking(move || closing.close()).await.unwrap();
        let mut done = 0;
        for answer in answers {
            done += usize::from(answer.await.unwrap().is_ok());
        }
        assert_eq!(done, 4_096);
        assert_eq!(db.write(Route::Lane(1), |tx| insert_setting(tx, ACME, "late")).await, Err(StoreError::Busy));
        db.reopen();
        assert_eq!(setting_count(&db, ACME).await, 4_096);
    }

    async fn in_tests_every_closure_runs_twice_and_counts_once(db: TestDb) {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        db.write::<_, StoreError>(Route::Any, move |tx| {
            // Touching anything but `tx` is what this setting finds.
            counted.fetch_add(1, Ordering::SeqCst);
            insert_setting(tx, ACME, "once")?;
            tx.count(counter(ACME, 1), 1);
            tx.log(fact(ACME, 1));
            Ok(())
        }).await.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        assert_eq!(setting_count(&db, ACME).await, 1);
        assert_eq!(db.read(|tx| store::counter::get(tx, counter(ACME, 1))).await, Ok(1));
        assert_eq!(db.read(|tx| event_log::head(tx, ACME)).await, Ok(1));
    }

    async fn an_error_of_the_caller_passes_through(db: TestDb) {
        #[derive(Debug, PartialEq)]
        enum Refused { TooLate, Store(StoreError) }
        impl From<StoreError> for Refused {
            fn from(error: StoreError) -> Self { Self::Store(error) }
        }
        let answer = db.write::<(), Refused>(Route::Any, |_| Err(Refused::TooLate)).await;
        assert_eq!(answer, Err(Refused::TooLate));
        let answer = db.write::<_, Refused>(Route::Any, |tx| { insert_setting(tx, ACME, "x")?; Ok(insert_setting(tx, ACME, "x")?) }).await;
        assert_eq!(answer, Err(Refused::Store(StoreError::Conflict("setting_pkey".into()))));
    }
}

/// Two closures that lock the same two rows in opposite order, on two writers: PostgreSQL ends one of them, and it is run
/// again. SQLite has one writer and nothing to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_tried_again() {
    const TOUCH: &str = "UPDATE setting SET value = value || 'x' WHERE workspace_id = $1 AND name = $2";
    let Some(db) = TestDb::open_with(Engine::Postgres, |settings| settings.test_run_twice = false) else { return };
    db.write::<_, StoreError>(Route::Any, |tx| {
        insert_setting(tx, ACME, "a")?;
        insert_setting(tx, ACME, "b")
    })
    .await
    .unwrap();
    // Lanes that two writers share out differently.
    let (left, right) = (Route::Lane(1), (2..100).map(Route::Lane).find(|lane| differs(Route::Lane(1), *lane)).unwrap());
    for _ in 0..10 {
        let meet = Arc::new(std::sync::Barrier::new(2));
        let both = [(left, "a", "b"), (right, "b", "a")].map(|(route, first, second)| {
            let (db, meet) = (db.db.clone(), meet.clone());
            tokio::spawn(async move {
                let mut met = false;
                db.write::<_, StoreError>(route, move |tx| {
                    tx.exec(TOUCH, values![ACME, first])?;
                    if !std::mem::replace(&mut met, true) {
                        meet.wait();
                    }
                    tx.exec(TOUCH, values![ACME, second])
                })
                .await
            })
        });
        for one in both {
            assert_eq!(one.await.unwrap(), Ok(1));
        }
    }
    let row = db.read(|tx| tx.one("SELECT length(value) FROM setting WHERE workspace_id = 1 AND name = 'a'", values![])).await;
    assert_eq!(row.unwrap().unwrap().int(0), 22);
    assert_eq!(setting_count(&db, ACME).await, 2);
    let _ = COUNT_SETTINGS;
}

/// The same sharing out as `Db` does for two writers.
fn differs(a: Route, b: Route) -> bool {
    let writer = |route: Route| match route {
        Route::Lane(lane) => ((lane as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % 2,
        _ => 0,
    };
    writer(a) != writer(b)
}
