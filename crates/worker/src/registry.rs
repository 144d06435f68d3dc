//! Names of jobs and the functions behind them.

use futures_util::future::{BoxFuture, FutureExt};
use model::Timestamp;
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use store::job::{ATTEMPT_COUNT_MAX, Job, JobRef};

/// What a function is told about the job that it runs.
#[derive(Debug, Clone)]
pub struct JobContext {
    /// Which attempt of which job: what `job::finish_in_tx` wants.
    pub job: JobRef,
    /// Its name.
    pub name: String,
    /// Its ids, as JSON.
    pub payload: String,
    /// The lane that is held while it runs.
    pub lane: Option<i64>,
    /// The time at which the attempt began.
    pub now: Timestamp,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It is done, and the job has deleted its own row in the transaction that did the work.
    DoneInTx,
    /// It failed and may work later, by the usual schedule, until the limit of attempts. The text is for the administrator.
    Retry(String),
    /// It shall run again at this time; for waits that the job knows itself. The limit of attempts counts here too.
    RetryAt(Timestamp),
    /// It will never work. The text is for the administrator.
    GiveUp {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// A failure that may go away, told by an error.
    pub fn retry(error: impl std::fmt::Display) -> Self {
        Self::Retry(error.to_string())
    }
    /// A failure that will not go away.
    pub fn give_up(reason: impl Into<String>) -> Self {
        Self::GiveUp { reason: reason.into() }
    }
}

/// The function behind a name.
pub type Handler = Arc<dyn Fn(JobContext) -> BoxFuture<'static, Outcome> + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) run: Handler,
    pub(crate) attempts_max: i64,
}

/// All jobs that this process can run.
#[derive(Clone, Default)]
pub struct Registry(HashMap<&'static str, Known>);

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds a function under a name.
    pub fn add<F, Fut>(&mut self, name: &'static str, run: F) -> &mut Self
    where
        F: Fn(JobContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let run: Handler = Arc::new(move |context| run(context).boxed());
        let before = self.0.insert(name, Known { run, attempts_max: ATTEMPT_COUNT_MAX });
        assert!(before.is_none(), "two functions for the job {name}");
        self
    }
    /// Adds a function for a typed job. A payload that cannot be read is given up at once: trying again would not help.
    pub fn on<J, F, Fut>(&mut self, run: F) -> &mut Self
    where
        J: Job,
        F: Fn(JobContext, J) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        self.add(J::NAME, move |context: JobContext| match serde_json::from_str::<J>(&context.payload) {
            Ok(job) => run(context, job).boxed(),
            Err(error) => std::future::ready(Outcome::give_up(format!("the payload cannot be read: {error}"))).boxed(),
        })
    }
    /// Sets the limit of attempts of a job that was added.
    pub fn limit(&mut self, name: &str, attempts_max: i64) -> &mut Self {
        if let Some(known) = self.0.get_mut(name) {
            known.attempts_max = attempts_max.max(1);
        }
        self
    }
    /// The names, sorted.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.0.keys().copied().collect();
        names.sort_unstable();
        names
    }
    pub(crate) fn find(&self, name: &str) -> Option<&Known> {
        self.0.get(name)
    }
}
