//! Closures on their way to a worker thread, and their answers on the way back.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::tx::Tx;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// More than this many waiting closures per worker: the caller hears Busy.
const WAITING_COUNT_MAX: usize = 4_096;
/// A group takes at most this much bulk work, so that it never delays an agent's reply for long.
const BULK_PER_GROUP: usize = 8;

/// A closure with the place for its answer, its types forgotten.
pub(crate) trait Task: Send {
    /// Runs the closure, keeps the answer, tells whether it went well. A panic is caught and becomes an error.
    fn run(&mut self, tx: &mut Tx<'_, '_>) -> bool;
    /// Replaces the answer by an error.
    fn overrule(&mut self, error: StoreError);
    /// Sends the kept answer.
    fn answer(self: Box<Self>);
}

struct TaskOf<F, T, E> {
    run: F,
    kept: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

/// A task of a closure, and where its answer will come.
pub(crate) fn task_of<F, T, E>(run: F) -> (Box<dyn Task>, oneshot::Receiver<Result<T, E>>)
where
    F: FnMut(&mut dyn Conn) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(TaskOf { run, kept: None, reply }), answer)
}

impl<F, T, E> Task for TaskOf<F, T, E>
where
    F: FnMut(&mut dyn Conn) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn run(&mut self, tx: &mut Tx<'_, '_>) -> bool {
        let answer = catch_unwind(AssertUnwindSafe(|| (self.run)(tx))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
            let error = format!("a store closure panicked: {}", text.unwrap_or("without a text"));
            tracing::error!(error, "a store closure panicked");
            Err(StoreError::Broken(error).into())
        });
        let ok = answer.is_ok();
        self.kept = Some(answer);
        ok
    }
    fn overrule(&mut self, error: StoreError) {
        self.kept = Some(Err(error.into()));
    }
    fn answer(self: Box<Self>) {
        let kept = self.kept.unwrap_or_else(|| Err(StoreError::Busy.into()));
        // Nobody waits any more: the caller has given up, which changes nothing about what was committed.
        let _ = self.reply.send(kept);
    }
}

/// Prepares a statement without running it: for the test that looks at every text.
pub(crate) struct Check {
    pub sql: &'static str,
    pub kept: Result<(), StoreError>,
    pub reply: oneshot::Sender<Result<(), StoreError>>,
}

impl Task for Check {
    fn run(&mut self, tx: &mut Tx<'_, '_>) -> bool {
        self.kept = tx.session().check(self.sql).map_err(|fail| fail.error);
        self.kept.is_ok()
    }
    fn overrule(&mut self, error: StoreError) {
        self.kept = Err(error);
    }
    fn answer(self: Box<Self>) {
        let _ = self.reply.send(self.kept);
    }
}

#[derive(Default)]
struct Waiting {
    normal: VecDeque<Box<dyn Task>>,
    bulk: VecDeque<Box<dyn Task>>,
    closed: bool,
}

/// The closures that wait for one worker (or, for reads, for any of several).
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

/// What a worker gets when it asks for work.
pub(crate) enum Taken {
    Tasks(Vec<Box<dyn Task>>),
    /// Nothing came within the time it was ready to wait.
    Nothing,
    /// The store closes, and everything that was accepted is done.
    Closed,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Puts a task at the end, or refuses it.
    pub fn push(&self, task: Box<dyn Task>, bulk: bool) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        let closed = waiting.closed;
        let line = if bulk { &mut waiting.bulk } else { &mut waiting.normal };
        if closed || line.len() >= WAITING_COUNT_MAX {
            return Err(StoreError::Busy);
        }
        line.push_back(task);
        drop(waiting);
        self.filled.notify_one();
        Ok(())
    }
    /// Everything that waits, up to `limit`; waits for the first for at most `patience`.
    pub fn take(&self, limit: usize, patience: Option<Duration>) -> Taken {
        let mut waiting = self.lock();
        while waiting.normal.is_empty() && waiting.bulk.is_empty() {
            if waiting.closed {
                return Taken::Closed;
            }
            match patience {
                None => waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let (held, over) = self.filled.wait_timeout(waiting, patience).unwrap_or_else(PoisonError::into_inner);
                    waiting = held;
                    if over.timed_out() && waiting.normal.is_empty() && waiting.bulk.is_empty() && !waiting.closed {
                        return Taken::Nothing;
                    }
                }
            }
        }
        let normal = waiting.normal.len().min(limit);
        let mut tasks: Vec<_> = waiting.normal.drain(..normal).collect();
        let bulk = waiting.bulk.len().min(BULK_PER_GROUP).min(limit - normal.min(limit));
        tasks.extend(waiting.bulk.drain(..bulk));
        Taken::Tasks(tasks)
    }
    /// How many wait.
    pub fn len(&self) -> usize {
        let waiting = self.lock();
        waiting.normal.len() + waiting.bulk.len()
    }
    /// Takes no more and drops what waits, whose callers then hear Busy: for a worker that ended by a bug.
    pub fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.normal.clear();
        waiting.bulk.clear();
    }
    /// Takes no more; what was accepted is still done.
    pub fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }
}
