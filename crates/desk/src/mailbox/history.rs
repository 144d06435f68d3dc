//! Takes in what lay in a mailbox before it was connected: oldest first, as history. It can stop and die at any point and go
//! on; what is stored already is passed over.

use super::StoreSink;
use super::ledger::{LedgerError, stock, stored};
use crate::context::{Desk, JobEnd, Who};
use crate::ingest::stored_key;
use crate::people::ChangeError;
use crate::people::rights::may_set_up_inboxes;
use crate::settings::news;
use channel::PullError;
use model::{Actor, ImportState, InboxId, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashSet;
use store::job::{self, Job, JobRef};
use store::pull::{self, PullImport};
use store::{Route, StoreError};

const BATCH: usize = 50;
const WAIT_MS: i64 = 15_000;
const DAY_MS: i64 = 86_400_000;
/// A server that does not answer is asked again for this long, at growing distances.
pub const ATTEMPT_COUNT_MAX: i64 = 500;

/// Take in what was there before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportHistory {
    /// Of which inbox.
    pub inbox: InboxId,
}

impl Job for ImportHistory {
    const NAME: &'static str = "import_history";
    const CLASS: job::JobClass = job::JobClass::Bulk;
    fn dedupe_key(&self) -> Option<String> {
        Some(format!("import_history:{}", self.inbox))
    }
}

/// Begins an import, or goes on with one that was stopped. `days`: how far back; `None` takes everything.
pub async fn start(desk: &Desk, who: &Who, id: InboxId, days: Option<i64>) -> Result<PullImport, ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let (workspace, now, agent) = (who.workspace, desk.now(), who.agent);
    desk.db
        .write(Route::Any, move |tx| {
            if store::inbox::find(tx, workspace, id)?.is_none() {
                return Ok::<_, StoreError>(Err(ChangeError::NotFound));
            }
            let since = days.map(|days| now.plus_ms(-days.max(0).saturating_mul(DAY_MS)));
            let import = PullImport {
                state: ImportState::Waiting,
                since,
                total: 0,
                done: 0,
                reason: None,
                started_at: now,
                ended_at: None,
            };
            pull::put_import(tx, workspace, id, &import)?;
            job::enqueue(tx, workspace, &ImportHistory { inbox: id }, now)?;
            tx.log(news(workspace, "inbox.import_asked", Actor::Agent(agent), now, json!({ "inbox_id": id, "since": since })));
            Ok(Ok(import))
        })
        .await?
}

/// Stops a running import; what is here stays.
pub async fn stop(desk: &Desk, who: &Who, id: InboxId) -> Result<PullImport, ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let (workspace, now) = (who.workspace, desk.now());
    desk.db
        .write(Route::Any, move |tx| {
            let Some(mut import) = pull::find_import(tx, workspace, id)? else {
                return Ok::<_, StoreError>(Err(ChangeError::NotFound));
            };
            if matches!(import.state, ImportState::Waiting | ImportState::Running) {
                (import.state, import.ended_at) = (ImportState::Stopped, Some(now));
                pull::put_import(tx, workspace, id, &import)?;
            }
            Ok(Ok(import))
        })
        .await?
}

/// What the job does.
pub async fn run(desk: &Desk, job: JobRef, import: ImportHistory) -> JobEnd {
    let (workspace, id) = (job.workspace, import.inbox);
    let last = job.attempts >= ATTEMPT_COUNT_MAX;
    match take_in(desk, workspace, id).await {
        Ok(Progress::Ended) => JobEnd::Done,
        Ok(Progress::NotYet) => JobEnd::RetryAt(desk.now().plus_ms(WAIT_MS)),
        Err(LedgerError::None) => JobEnd::GiveUp("this inbox keeps nothing that could be taken in".to_owned()),
        Err(LedgerError::Source(PullError::Settings(text))) => {
            end(desk, workspace, id, ImportState::Failed, Some(text.clone())).await;
            JobEnd::GiveUp(text)
        }
        Err(error) if last => {
            end(desk, workspace, id, ImportState::Failed, Some(error.to_string())).await;
            JobEnd::GiveUp(error.to_string())
        }
        Err(error) => {
            let wait = WAIT_MS.saturating_mul(job.attempts.clamp(1, 20));
            let text = error.to_string();
            // Shown beside the progress; losing it costs nothing.
            let _shown = update(desk, workspace, id, move |import| import.reason = Some(text.clone())).await;
            JobEnd::RetryAt(desk.now().plus_ms(wait))
        }
    }
}

enum Progress {
    Ended,
    NotYet,
}

async fn take_in(desk: &Desk, workspace: WorkspaceId, id: InboxId) -> Result<Progress, LedgerError> {
    let Some(import) = desk.db.read(move |tx| pull::find_import(tx, workspace, id)).await? else { return Ok(Progress::Ended) };
    if !matches!(import.state, ImportState::Waiting | ImportState::Running) {
        return Ok(Progress::Ended);
    }
    let open = desk.directory.open(desk, workspace, id).await?;
    let source = open.channel.stock().ok_or(LedgerError::None)?;
    // The fetcher says first where the inbox begins.
    let Some(folders) = stock(desk, workspace, &open).await? else { return Ok(Progress::NotYet) };
    let mut wanted: Vec<(Option<Timestamp>, String)> = Vec::new();
    let mut here = 0;
    for found in folders {
        let (_, events) = stored(desk, workspace, id, &found.name, found.role.word()).await?;
        let known: HashSet<&str> = events.iter().map(|event| event.key.as_str()).collect();
        for item in found.items.into_iter().filter(|item| item.before_start && !item.deleted) {
            if import.since.is_some_and(|since| item.at.is_some_and(|at| at < since)) {
                continue;
            }
            match known.contains(stored_key(item.key.clone()).as_str()) {
                true => here += 1,
                false => wanted.push((item.at, item.key)),
            }
        }
    }
    // In the order of time over all folders, so that an answer finds what it answers.
    wanted.sort();
    let total = here + i64::try_from(wanted.len()).unwrap_or(i64::MAX);
    let mut done = here;
    let go_on = update(desk, workspace, id, move |import| {
        (import.state, import.total, import.done, import.reason) = (ImportState::Running, total, done, None);
    });
    if !go_on.await? {
        return Ok(Progress::Ended);
    }
    let sink = StoreSink::new(desk, workspace, &open, None);
    for batch in wanted.chunks(BATCH) {
        let keys: Vec<String> = batch.iter().map(|(_, key)| key.clone()).collect();
        source.fetch(&open.settings, &keys, true, &sink).await?;
        done += i64::try_from(keys.len()).unwrap_or(0);
        if !update(desk, workspace, id, move |import| (import.done, import.reason) = (done, None)).await? {
            return Ok(Progress::Ended);
        }
    }
    end(desk, workspace, id, ImportState::Done, None).await;
    Ok(Progress::Ended)
}

/// Changes a running import; false when somebody stopped it meanwhile.
async fn update(
    desk: &Desk,
    workspace: WorkspaceId,
    id: InboxId,
    change: impl Fn(&mut PullImport) + Send + 'static,
) -> Result<bool, StoreError> {
    let changed = desk.db.write(Route::Any, move |tx| {
        let Some(mut import) = pull::find_import(tx, workspace, id)? else { return Ok::<_, StoreError>(false) };
        if !matches!(import.state, ImportState::Waiting | ImportState::Running) {
            return Ok(false);
        }
        change(&mut import);
        pull::put_import(tx, workspace, id, &import)?;
        Ok(true)
    });
    changed.await
}

async fn end(desk: &Desk, workspace: WorkspaceId, id: InboxId, state: ImportState, reason: Option<String>) {
    let now = desk.now();
    let written = desk.db.write(Route::Any, move |tx| {
        let Some(mut import) = pull::find_import(tx, workspace, id)? else { return Ok::<_, StoreError>(()) };
        (import.state, import.ended_at) = (state, Some(now));
        import.reason.clone_from(&reason);
        pull::put_import(tx, workspace, id, &import)?;
        let payload = json!({ "inbox_id": id, "state": state, "done": import.done });
        tx.log(news(workspace, "inbox.import_ended", Actor::System, now, payload));
        Ok(())
    });
    if let Err(error) = written.await {
        tracing::warn!(inbox = %id, %error, "the end of the import of {id} could not be written");
    }
}
