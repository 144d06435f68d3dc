//! The worker threads. A writer takes everything that waits and runs it in one transaction, because one COMMIT for many is
//! what makes full durability cheap. When a closure fails, the others are run again without it, and it alone.

use crate::conn::{Committed, Engine};
use crate::error::StoreError;
use crate::fault::{self, Fault};
use crate::queue::{Queue, Taken, Task};
use crate::session::{Cause, Fail, Session};
use crate::shared::Shared;
use crate::tx::{Effects, Tx};
use crate::{counter, event_log};
use model::WorkspaceId;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How often a group is tried again without the closure that spoiled it, before each runs alone.
const REGROUP_COUNT_MAX: usize = 3;
const TRY_COUNT_MAX: u32 = 5;
const KEEP_NODE: Duration = Duration::from_secs(2);

/// Where in a transaction the trouble was.
enum Trouble {
    Begin(Fail),
    /// The closure at this place failed; its own answer is kept. `None`: by its own decision.
    Closure(usize, Option<Fail>),
    /// Counters, numbers or COMMIT.
    End(Fail),
    /// COMMIT was sent, nobody knows what came of it, and nothing was logged by which to tell.
    Unknown,
}

/// A thread that commits groups. `keeps_node`: the one that also renews the lease on the node number.
pub(crate) struct Writer<'s, 'c> {
    pub shared: &'s Shared,
    pub session: Session<'c>,
    pub group_count_max: usize,
    pub keeps_node: bool,
}

impl Writer<'_, '_> {
    /// Works until the queue is closed and empty. On PostgreSQL the node shows that it lives also while it is idle; on SQLite
    /// nobody else looks, so an idle server writes nothing at all.
    pub fn run(&mut self, queue: &Queue) {
        let _end = AbandonAtTheEnd(queue);
        let shows_life = self.keeps_node && self.session.engine() == Engine::Postgres;
        loop {
            let taken = queue.take(self.group_count_max, shows_life.then_some(KEEP_NODE));
            if self.keeps_node && !matches!(taken, Taken::Closed) && self.shared.node.is_due() {
                self.renew();
            }
            match taken {
                Taken::Tasks(tasks) => self.group(tasks),
                Taken::Nothing => {}
                Taken::Closed => break,
            }
        }
        if self.keeps_node {
            let _ = self.shared.alone(&mut self.session, |tx| self.shared.node.release(tx));
        }
    }

    /// Renews the lease on the node number. A failure is logged and tried again; ids stop at the horizon by themselves.
    fn renew(&mut self) {
        match self.shared.alone(&mut self.session, |tx| self.shared.node.take(tx)) {
            Ok(taken) => self.shared.node.adopt(taken),
            Err(error) => tracing::warn!(%error, "the node number could not be renewed"),
        }
    }

    fn group(&mut self, mut tasks: Vec<Box<dyn Task>>) {
        let mut alone = Vec::new();
        for _ in 0..REGROUP_COUNT_MAX {
            if tasks.len() < 2 {
                break;
            }
            match self.attempt(&mut tasks) {
                Ok(()) => return self.finish(tasks, alone),
                Err(Trouble::Closure(at, None | Some(Fail { cause: Cause::Final, .. }))) => alone.push(tasks.remove(at)),
                Err(Trouble::Begin(fail)) => return answer_all(tasks.into_iter().chain(alone), &fail.error),
                Err(Trouble::Unknown) => {
                    answer_all(tasks, &StoreError::Busy);
                    tasks = Vec::new();
                }
                Err(Trouble::Closure(..) | Trouble::End(_)) => break,
            }
        }
        tasks.append(&mut alone);
        tasks.into_iter().for_each(|task| self.alone(task));
    }

    fn finish(&mut self, done: Vec<Box<dyn Task>>, alone: Vec<Box<dyn Task>>) {
        done.into_iter().for_each(Task::answer);
        alone.into_iter().for_each(|task| self.alone(task));
    }

    /// One closure in its own transaction, again when another transaction was in the way or the connection was lost.
    fn alone(&mut self, task: Box<dyn Task>) {
        let mut tasks = vec![task];
        for tried in 1..=TRY_COUNT_MAX {
            let fail = match self.attempt(&mut tasks) {
                Ok(()) => break,
                Err(Trouble::Closure(_, None)) => break,
                Err(Trouble::Unknown) => Fail { error: StoreError::Busy, cause: Cause::Final },
                // SQLite has waited for the other process long enough; PostgreSQL is away.
                Err(Trouble::Begin(fail)) => Fail { cause: Cause::Final, ..fail },
                Err(Trouble::Closure(_, Some(fail))) if fail.cause == Cause::Final => {
                    log_once(&fail.error);
                    break;
                }
                Err(Trouble::Closure(_, Some(fail)) | Trouble::End(fail)) => fail,
            };
            if fail.cause == Cause::Final || tried == TRY_COUNT_MAX {
                log_once(&fail.error);
                tasks.iter_mut().for_each(|task| task.overrule(fail.error.clone()));
                break;
            }
            std::thread::sleep(jitter(tried));
        }
        tasks.into_iter().for_each(Task::answer);
    }

    /// Runs all in one transaction and commits, or rolls back and says why.
    fn attempt(&mut self, tasks: &mut [Box<dyn Task>]) -> Result<(), Trouble> {
        if self.shared.node.must_renew() {
            self.renew();
        }
        let shared = self.shared;
        self.session.begin().map_err(Trouble::Begin)?;
        let effects = match self.run_closures(tasks) {
            Ok(effects) => effects,
            Err(trouble) => {
                self.session.rollback();
                return Err(trouble);
            }
        };
        let changes = match self.number(&effects) {
            Ok(changes) => changes,
            Err(fail) => {
                self.session.rollback();
                return Err(Trouble::End(fail));
            }
        };
        self.commit(&effects)?;
        if !changes.is_empty() || !effects.wakes.is_empty() {
            shared.committed(Committed { changes, wakes: effects.wakes });
        }
        Ok(())
    }

    fn run_closures(&mut self, tasks: &mut [Box<dyn Task>]) -> Result<Effects, Trouble> {
        let ids = self.shared.node.ids();
        let mut tx = Tx::new(&mut self.session, &ids, &self.shared.faults, true);
        for (at, task) in tasks.iter_mut().enumerate() {
            if self.shared.run_twice {
                run_for_nothing(&mut tx, task).map_err(|fail| Trouble::Closure(at, fail))?;
            }
            let ok = task.run(&mut tx);
            if let Some(fail) = tx.failed.take() {
                // A closure that swallowed the error of a statement must not get away with it.
                if ok {
                    task.overrule(fail.error.clone());
                }
                return Err(Trouble::Closure(at, Some(fail)));
            }
            if !ok {
                return Err(Trouble::Closure(at, None));
            }
        }
        Ok(tx.effects)
    }

    fn number(&mut self, effects: &Effects) -> Result<Vec<(WorkspaceId, i64)>, Fail> {
        if !effects.counts.is_empty() {
            self.shared.faults.check()?;
            counter::write(&mut self.session, &effects.counts)?;
        }
        if effects.events.is_empty() {
            return Ok(Vec::new());
        }
        self.shared.faults.check()?;
        event_log::write(&mut self.session, &effects.events, self.shared.clock.now())
    }

    fn commit(&mut self, effects: &Effects) -> Result<(), Trouble> {
        let result = match self.shared.faults.next() {
            None => self.session.commit(),
            Some(Fault::Broken) => Err(fault::broken()),
            Some(Fault::Busy) => Err(Fail::again()),
            Some(Fault::AnswerLost) => self.session.commit().and(Err(Fail::gone())),
        };
        let Err(fail) = result else { return Ok(()) };
        self.session.rollback();
        if fail.cause != Cause::Gone {
            return Err(Trouble::End(fail));
        }
        // The server may have committed before the connection broke: look for what we wrote.
        let Some((id, event)) = effects.events.first() else { return Err(Trouble::Unknown) };
        for tried in 1..=TRY_COUNT_MAX {
            match event_log::was_committed(&mut self.session, event.workspace, *id) {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(Trouble::End(Fail::again())),
                Err(_) => std::thread::sleep(jitter(tried)),
            }
        }
        Err(Trouble::Unknown)
    }
}

/// However a writer ends, nobody may wait for it for ever.
struct AbandonAtTheEnd<'q>(&'q Queue);

impl Drop for AbandonAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// In test builds each closure runs, is rolled back and runs again: one with effects outside `tx` fails its test.
fn run_for_nothing(tx: &mut Tx<'_, '_>, task: &mut Box<dyn Task>) -> Result<(), Option<Fail>> {
    let mark = tx.effects.mark();
    tx.session().batch("SAVEPOINT twice").map_err(Some)?;
    let ok = task.run(tx);
    if let Some(fail) = tx.failed.take() {
        if ok {
            task.overrule(fail.error.clone());
        }
        return Err(Some(fail));
    }
    if !ok {
        return Err(None);
    }
    tx.effects.back_to(mark);
    tx.session().batch("ROLLBACK TO SAVEPOINT twice; RELEASE SAVEPOINT twice").map_err(Some)
}

fn answer_all(tasks: impl IntoIterator<Item = Box<dyn Task>>, error: &StoreError) {
    log_once(error);
    for mut task in tasks {
        task.overrule(error.clone());
        task.answer();
    }
}

fn log_once(error: &StoreError) {
    if let StoreError::Broken(text) = error {
        tracing::error!(error = text, "the store could not do what it was asked");
    }
}

/// A pause that grows with each try and differs from the neighbour's.
fn jitter(tried: u32) -> Duration {
    let random = RandomState::new().hash_one(tried) % 8;
    Duration::from_millis((1 << tried) + random)
}

/// A thread that runs reads, each in a transaction of its own that sees one moment.
pub(crate) struct Reader<'s, 'c> {
    pub shared: &'s Shared,
    pub session: Session<'c>,
}

impl Reader<'_, '_> {
    /// Works until the queue is closed and empty.
    pub fn run(&mut self, queue: &Queue) {
        while let Taken::Tasks(tasks) = queue.take(1, None) {
            tasks.into_iter().for_each(|task| self.read(task));
        }
    }

    fn read(&mut self, mut task: Box<dyn Task>) {
        for tried in 1..=TRY_COUNT_MAX {
            let fail = match self.attempt(&mut task) {
                Ok(()) => break,
                Err(fail) => fail,
            };
            if fail.cause == Cause::Final || tried == TRY_COUNT_MAX {
                log_once(&fail.error);
                task.overrule(fail.error);
                break;
            }
            std::thread::sleep(jitter(tried));
        }
        task.answer();
    }

    fn attempt(&mut self, task: &mut Box<dyn Task>) -> Result<(), Fail> {
        self.session.begin()?;
        let ids = self.shared.node.ids();
        let mut tx = Tx::new(&mut self.session, &ids, &self.shared.faults, false);
        let ok = task.run(&mut tx);
        let failed = tx.failed.take();
        match failed {
            // The closure's own answer says more than the statement's error, unless it should be tried again.
            Some(fail) if !ok && fail.cause == Cause::Final => {
                log_once(&fail.error);
                self.session.rollback();
                Ok(())
            }
            Some(fail) => {
                self.session.rollback();
                Err(fail)
            }
            None => {
                self.session.rollback();
                Ok(())
            }
        }
    }
}
