//! The jobs of the product: which name runs which desk function. Nothing else; what a job does is the desk's matter.

use crate::{JobContext, Outcome, Registry};
use desk::automatic::AnswerBySelf;
use desk::contacts::import::ImportRows;
use desk::conversation::change::WakeConversation;
use desk::identity::duplicates::CheckDuplicates;
use desk::ingest::ProcessEvent;
use desk::journeys::fetch_file::FetchFile;
use desk::mailbox::check::CheckInbox;
use desk::mailbox::history::ImportHistory;
use desk::mailbox::ledger::CountInbox;
use desk::outbox::{ApplyParked, CheckUncertain, DeliverOutbox, ReleaseHold};
use desk::reply::by_mail::ContinueByMail;
use desk::{Desk, JobEnd};
use std::future::Future;

impl From<JobEnd> for Outcome {
    fn from(end: JobEnd) -> Self {
        match end {
            JobEnd::Done => Self::Done,
            JobEnd::DoneInTx => Self::DoneInTx,
            JobEnd::Retry(reason) => Self::Retry(reason),
            JobEnd::RetryAt(at) => Self::RetryAt(at),
            JobEnd::GiveUp(reason) => Self::GiveUp { reason },
        }
    }
}

/// Every job that this build knows, over one desk.
pub fn registry(desk: &Desk) -> Registry {
    let mut registry = Registry::new();
    on::<ProcessEvent, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::journeys::message_in::run(&desk, context.job, job).await
    });
    on::<FetchFile, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::journeys::fetch_file::run(&desk, context.job, job).await
    });
    on::<DeliverOutbox, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::outbox::deliver::run(&desk, context.job, job).await
    });
    on::<ReleaseHold, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::outbox::enqueue::run(&desk, context.job, job).await
    });
    on::<CheckUncertain, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::outbox::deliver::run_check(&desk, context.job, job).await
    });
    on::<ApplyParked, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::outbox::receipt::run_parked(&desk, context.job, job).await
    });
    on::<WakeConversation, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::conversation::change::wake(&desk, context.job, job).await
    });
    on::<CountInbox, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::mailbox::ledger::run(&desk, context.job, job).await
    });
    on::<ImportHistory, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::mailbox::history::run(&desk, context.job, job).await
    });
    on::<CheckInbox, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::mailbox::check::run(&desk, context.job, job).await
    });
    registry.limit(<ImportHistory as store::job::Job>::NAME, desk::mailbox::history::ATTEMPT_COUNT_MAX);
    on::<AnswerBySelf, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::automatic::answer::run(&desk, context.job, job).await
    });
    on::<ContinueByMail, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::reply::by_mail::run(&desk, context.job, job).await
    });
    // A visitor who is there and does not read is looked at again for a day.
    registry.limit(<ContinueByMail as store::job::Job>::NAME, desk::outbox::deliver::ATTEMPT_COUNT_MAX);
    on::<ImportRows, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::contacts::import::run(&desk, context.job, job).await
    });
    on::<CheckDuplicates, _, _>(&mut registry, desk, |desk, context, job| async move {
        desk::contacts::duplicates::run(&desk, context.job, job).await
    });
    registry.limit(<DeliverOutbox as store::job::Job>::NAME, desk::outbox::deliver::ATTEMPT_COUNT_MAX);
    // A held answer must not stay behind because the database was away for a night.
    registry.limit(<ReleaseHold as store::job::Job>::NAME, desk::outbox::deliver::ATTEMPT_COUNT_MAX);
    registry
}

fn on<J, F, Fut>(registry: &mut Registry, desk: &Desk, run: F)
where
    J: store::job::Job,
    F: Fn(Desk, JobContext, J) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = JobEnd> + Send + 'static,
{
    let desk = desk.clone();
    registry.on::<J, _, _>(move |context, job| {
        let running = run(desk.clone(), context, job);
        async move { running.await.into() }
    });
}
