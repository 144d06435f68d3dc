//! Tasks that panic, return, stop in time or not. Time is paused: waits pass at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use worker::Supervisor;

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_starts_again_with_growing_waits_until_it_returns() {
    let supervisor = Supervisor::new();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let began = tokio::time::Instant::now();
    let (done, ended) = tokio::sync::oneshot::channel();
    let mut done = Some(done);
    supervisor.spawn_restarting("shaky", move |_| {
        let run = counted.fetch_add(1, Ordering::SeqCst);
        let done = if run == 3 { done.take() } else { None };
        async move {
            assert!(run >= 3, "not yet");
            if let Some(done) = done {
                done.send(()).unwrap();
            }
        }
    });
    ended.await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 4);
    assert_eq!(began.elapsed().as_secs(), 1 + 2 + 4);
    assert!(supervisor.stop(Duration::from_secs(1)).await.is_empty());
    assert_eq!(runs.load(Ordering::SeqCst), 4, "a task that returned is not started again");
}

#[tokio::test(start_paused = true)]
async fn a_stop_reaches_tasks_ends_waits_and_names_what_was_cut_off() {
    let supervisor = Supervisor::new();
    let stop = supervisor.stop_signal();
    supervisor.spawn("polite", async move { stop.stopped().await });
    supervisor.spawn_restarting("broken", |_| async { panic!("again") });
    supervisor.spawn("deaf", std::future::pending());
    supervisor.spawn("panics once", async { panic!("once") });
    tokio::task::yield_now().await;
    assert_eq!(supervisor.running(), ["polite", "broken", "deaf"]);
    assert_eq!(supervisor.stop(Duration::from_secs(3)).await, ["deaf"]);
    assert!(supervisor.running().is_empty());
    assert!(supervisor.stop_signal().is_stopping());
}
