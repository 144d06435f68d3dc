//! The check of an inbox: signs in, reads, sends itself a probe and fetches it back, told step by step while it runs. What a
//! step learns (that plus-addresses come back, say) goes into the settings.

use crate::context::{Desk, JobEnd, Who};
use crate::directory::DirectoryError;
use crate::people::ChangeError;
use crate::people::rights::may_set_up_inboxes;
use crate::settings::{merge_patch, news};
use channel::CheckStep;
use model::{Actor, InboxId, InboxState, PullHealth, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use store::job::{self, Job, JobClass, JobRef};
use store::pull::{self, InboxCheck};
use store::{Route, StoreError};
use tokio::sync::mpsc;

/// A check that has not ended by then hangs at the provider.
const TIME_MAX_MS: i64 = 150_000;

/// Check an inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckInbox {
    /// Which one.
    pub inbox: InboxId,
    /// Which run: an older one ends without a word.
    pub run: String,
}

impl Job for CheckInbox {
    const NAME: &'static str = "check_inbox";
    const CLASS: JobClass = JobClass::Now;
}

/// Asks for a check; its steps are read by [`last`].
pub async fn start(desk: &Desk, who: &Who, id: InboxId) -> Result<InboxCheck, ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let (workspace, now) = (who.workspace, desk.now());
    desk.db
        .write(Route::Any, move |tx| {
            if store::inbox::find(tx, workspace, id)?.is_none() {
                return Ok::<_, StoreError>(Err(ChangeError::NotFound));
            }
            let run = model::id::encode(tx.id());
            let check = InboxCheck { run: run.clone(), started_at: now, ended_at: None, steps: json!([]) };
            pull::put_check(tx, workspace, id, &check)?;
            job::enqueue(tx, workspace, &CheckInbox { inbox: id, run }, now)?;
            Ok(Ok(check))
        })
        .await?
}

/// The last check with its steps so far.
pub async fn last(desk: &Desk, who: &Who, id: InboxId) -> Result<Option<InboxCheck>, ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let (workspace, now) = (who.workspace, desk.now());
    let check = desk.db.read(move |tx| pull::find_check(tx, workspace, id)).await?;
    Ok(check.map(|check| match check.ended_at {
        // The process that ran it is gone.
        None if now.since(check.started_at) > TIME_MAX_MS + 60_000 => {
            InboxCheck { ended_at: Some(check.started_at.plus_ms(TIME_MAX_MS)), ..check }
        }
        _ => check,
    }))
}

/// What the job does.
pub async fn run(desk: &Desk, job: JobRef, check: CheckInbox) -> JobEnd {
    let (workspace, id) = (job.workspace, check.inbox);
    desk.directory.forget();
    let open = match desk.directory.open(desk, workspace, id).await {
        Ok(open) => open,
        Err(DirectoryError::Store(error)) => return error.into(),
        Err(_) => return JobEnd::Done,
    };
    let (teller, mut told) = mpsc::unbounded_channel();
    let report = move |step: CheckStep| {
        // The job has ended: nobody waits for more.
        let _ended = teller.send(step);
    };
    let mut run = Run { desk, workspace, id, run: check.run, steps: Vec::new(), learned: json!({}) };
    {
        let mut checking = open.channel.check_steps(&open.settings, &report);
        loop {
            tokio::select! {
                () = &mut checking => break,
                Some(step) = told.recv() => if let Err(error) = run.step(step).await { return error.into() },
            }
        }
    }
    while let Ok(step) = told.try_recv() {
        if let Err(error) = run.step(step).await {
            return error.into();
        }
    }
    match run.end(desk.now()).await {
        Ok(()) => JobEnd::Done,
        Err(error) => error.into(),
    }
}

struct Run<'a> {
    desk: &'a Desk,
    workspace: WorkspaceId,
    id: InboxId,
    run: String,
    steps: Vec<Json>,
    learned: Json,
}

impl Run<'_> {
    async fn step(&mut self, step: CheckStep) -> Result<(), StoreError> {
        if let Some(learned) = &step.learned {
            merge_patch(&mut self.learned, learned);
        }
        let mut shown = json!(step.result);
        shown["at"] = json!(self.desk.now());
        self.steps.push(shown);
        self.write(None).await
    }

    async fn write(&self, ended_at: Option<Timestamp>) -> Result<(), StoreError> {
        let (workspace, id, run, steps) = (self.workspace, self.id, self.run.clone(), json!(self.steps));
        self.desk
            .db
            .write(Route::Any, move |tx| {
                let Some(mut check) = pull::find_check(tx, workspace, id)?.filter(|check| check.run == run) else {
                    return Ok(());
                };
                check.steps.clone_from(&steps);
                check.ended_at = ended_at;
                pull::put_check(tx, workspace, id, &check)
            })
            .await
    }

    /// Ends the check and keeps what it has learned. A sign-in that works again lets the fetcher run again.
    async fn end(&self, now: Timestamp) -> Result<(), StoreError> {
        let (workspace, id, learned) = (self.workspace, self.id, self.learned.clone());
        let failed = self.steps.iter().any(|step| step["state"] == "failed");
        let channels = self.desk.channels.clone();
        let kept = self.desk.db.write(Route::Any, move |tx| {
            let Some(mut inbox) = store::inbox::find(tx, workspace, id)? else { return Ok::<_, StoreError>(()) };
            let before = inbox.clone();
            merge_patch(&mut inbox.settings, &learned);
            if let Some(Ok(settings)) = channels.get(inbox.channel).map(|adapter| adapter.validate_settings(&inbox.settings)) {
                inbox.settings = settings;
            }
            let health = pull::find(tx, workspace, id)?;
            let stands_still = health.is_some_and(|h| matches!(h.state, PullHealth::NeedsSignIn | PullHealth::WrongSettings));
            if !failed && inbox.state == InboxState::NeedsSignIn {
                inbox.state = InboxState::Ok;
            }
            if inbox != before || (!failed && stands_still) {
                store::inbox::change(tx, &inbox)?;
                pull::forgive(tx, workspace, id)?;
            }
            tx.log(news(workspace, "inbox.checked", Actor::System, now, json!({ "inbox_id": id, "failed": failed })));
            Ok(())
        });
        kept.await?;
        self.desk.directory.forget();
        self.write(Some(now)).await
    }
}
