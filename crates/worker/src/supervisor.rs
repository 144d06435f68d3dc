//! Keeps the long-running tasks of the process: each has a name, its panic is seen, and a stop waits for all of them. The one
//! place that spawns.

use std::any::Any;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// Tells a task that the process is stopping.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// True from the moment of the stop.
    pub fn is_stopping(&self) -> bool {
        *self.0.borrow()
    }
    /// Returns when the process stops.
    pub async fn stopped(&self) {
        let mut signal = self.0.clone();
        // An error means that the supervisor is gone, which is a stop as well.
        let _gone = signal.wait_for(|stopping| *stopping).await.is_err();
    }
}

/// All tasks of a process. Clones share them.
#[derive(Clone)]
pub struct Supervisor(Arc<Shared>);

struct Shared {
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<Task>>,
}

struct Task {
    name: String,
    handle: JoinHandle<()>,
}

impl Default for Supervisor {
    fn default() -> Self {
        Self::new()
    }
}

impl Supervisor {
    /// A supervisor without tasks.
    pub fn new() -> Self {
        Self(Arc::new(Shared { stop: watch::Sender::new(false), tasks: Mutex::default() }))
    }
    /// The signal that tasks listen to.
    pub fn stop_signal(&self) -> Stop {
        Stop(self.0.stop.subscribe())
    }
    /// Starts a task that runs once. A panic is logged.
    pub fn spawn(&self, name: impl Into<String>, task: impl Future<Output = ()> + Send + 'static) {
        let name = name.into();
        let label = name.clone();
        self.keep(name, async move {
            watched(&label, task).await;
        });
    }
    /// Starts a task that is started again after a panic, with a growing wait, until it returns or the process stops.
    pub fn spawn_restarting<F, Fut>(&self, name: impl Into<String>, mut make: F)
    where
        F: FnMut(Stop) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let (name, stop) = (name.into(), self.stop_signal());
        let label = name.clone();
        self.keep(name, async move {
            let mut wait = BACKOFF_MIN;
            while !stop.is_stopping() {
                let began = tokio::time::Instant::now();
                if watched(&label, make(stop.clone())).await {
                    return;
                }
                if began.elapsed() > BACKOFF_MAX {
                    wait = BACKOFF_MIN;
                }
                tracing::warn!(task = label, wait_s = wait.as_secs(), "task {label} starts again in {} s", wait.as_secs());
                tokio::select! {
                    () = crate::attempt::pause(wait) => {}
                    () = stop.stopped() => {}
                }
                wait = (wait * 2).min(BACKOFF_MAX);
            }
        });
    }
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns: it names, watches and awaits what it starts")]
    fn keep(&self, name: String, task: impl Future<Output = ()> + Send + 'static) {
        let handle = tokio::spawn(task);
        let mut tasks = self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.handle.is_finished());
        tasks.push(Task { name, handle });
    }
    /// Names of the tasks that have not ended.
    pub fn running(&self) -> Vec<String> {
        let tasks = self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.iter().filter(|task| !task.handle.is_finished()).map(|task| task.name.clone()).collect()
    }
    /// Tells every task to stop and waits for them. What has not ended by then is cut off; its names come back.
    pub async fn stop(&self, within: Duration) -> Vec<String> {
        self.0.stop.send_replace(true);
        let until = tokio::time::Instant::now() + within;
        let mut cut = Vec::new();
        // Tasks may start others while they stop: take until none is left.
        loop {
            let next = self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(Task { name, mut handle }) = next else { return cut };
            if tokio::time::timeout_at(until, &mut handle).await.is_err() {
                tracing::warn!(task = name, "task {name} did not stop in time and was cut off");
                handle.abort();
                cut.push(name);
            }
        }
    }
}

// True when the task returned, false when it panicked.
async fn watched(name: &str, task: impl Future<Output = ()>) -> bool {
    use futures_util::FutureExt;
    match std::panic::AssertUnwindSafe(task).catch_unwind().await {
        Ok(()) => true,
        Err(panic) => {
            tracing::error!(task = name, panic = panic_text(panic.as_ref()), "task {name} panicked");
            false
        }
    }
}

pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a text")
}
