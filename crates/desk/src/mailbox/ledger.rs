//! The ledger: what lies at the server, folder by folder, against what we have. Everything there is here, in quarantine,
//! ignored by a rule with a name, or on its way; what is none of these is missing, and that is an alarm.

use super::StoreSink;
use crate::context::{Desk, JobEnd, Who};
use crate::directory::{DirectoryError, OpenInbox};
use crate::ingest::{SAME_MAIL, stored_key};
use crate::people::ChangeError;
use crate::people::rights::may_set_up_inboxes;
use crate::settings::news;
use channel::{Cursor, PullError, StockFolder, StockItem};
use model::{Actor, InboxId, Outcome, ProviderEventId, PullFolderId, Timestamp, TroubleKind, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use store::job::{self, Job, JobRef};
use store::pull::{self, FolderEvent, PullFolder, PullImport, PullState, PullTrouble};
use store::{Route, StoreError};

const PAGE: i64 = 2_000;
const MISSING_LISTED_MAX: usize = 200;
/// The rule of what was marked as deleted at the server before we came.
pub const DELETED_THERE: &str = "deleted_there";
/// The rule of what is older than the inbox.
pub const BEFORE_START: &str = "before_start";

/// The count of one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// How many lie at the server.
    pub on_server: i64,
    /// Of these: became entries or states.
    pub here: i64,
    /// Of these: in quarantine.
    pub quarantined: i64,
    /// Of these: kept out, by rule.
    pub ignored: BTreeMap<String, i64>,
    /// Of these: will be fetched, or fetched and still to be read.
    pub waiting: i64,
    /// Of these: nothing of the above. Must be 0.
    pub missing: i64,
    /// Stored here and no longer at the server.
    pub gone: i64,
    /// The missing ones, the first 200.
    pub missing_items: Vec<MissingItem>,
}

/// Something that lies at the server and is not accounted for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingItem {
    /// Its key.
    pub key: String,
    /// When the server got it.
    pub at: Option<Timestamp>,
    /// Its size there.
    pub bytes: u64,
}

impl Figures {
    /// Counts one folder. `stored` are its stored events.
    fn count(folder: PullFolderId, items: &[StockItem], stored: &[FolderEvent]) -> Self {
        let mut sum = Self { on_server: len(items), ..Self::default() };
        let by_key: HashMap<&str, &FolderEvent> = stored.iter().map(|event| (event.key.as_str(), event)).collect();
        let mut seen: HashSet<ProviderEventId> = HashSet::new();
        for item in items {
            let key = stored_key(item.key.clone());
            let Some(event) = by_key.get(key.as_str()) else {
                match item {
                    StockItem { deleted: true, .. } => sum.ignore(DELETED_THERE),
                    StockItem { before_start: true, .. } => sum.ignore(BEFORE_START),
                    StockItem { ahead: true, .. } => sum.waiting += 1,
                    _ => sum.miss(item),
                }
                continue;
            };
            seen.insert(event.id);
            // A renumbered folder holds copies of what came in under the old numbers.
            let copy_of = event.same.as_ref().filter(|same| same.folder_id == Some(folder));
            seen.extend(copy_of.map(|same| same.id));
            let (outcome, reason) =
                copy_of.map_or((event.outcome, event.reason.as_deref()), |same| (same.outcome, same.reason.as_deref()));
            match outcome {
                None => sum.waiting += 1,
                Some(Outcome::Entry | Outcome::State) => sum.here += 1,
                Some(Outcome::Quarantined) => sum.quarantined += 1,
                Some(Outcome::Dropped) => sum.ignore(rule(reason.unwrap_or(SAME_MAIL))),
            }
        }
        let gone = |event: &&FolderEvent| event.same.is_none() && !seen.contains(&event.id);
        sum.gone = i64::try_from(stored.iter().filter(gone).count()).unwrap_or(i64::MAX);
        sum
    }
    fn ignore(&mut self, rule: &str) {
        *self.ignored.entry(rule.to_owned()).or_default() += 1;
    }
    fn miss(&mut self, item: &StockItem) {
        self.missing += 1;
        if self.missing_items.len() < MISSING_LISTED_MAX {
            self.missing_items.push(MissingItem { key: item.key.clone(), at: item.at, bytes: item.bytes });
        }
    }
    /// Does everything have its place?
    pub fn adds_up(&self) -> bool {
        let ignored: i64 = self.ignored.values().sum();
        self.missing == 0 && self.on_server == self.here + self.quarantined + ignored + self.waiting
    }
}

fn len(items: &[StockItem]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

/// The word of a rule, without what it says about the single case.
fn rule(reason: &str) -> &str {
    reason.split([':', ' ']).next().unwrap_or(reason)
}

/// Why a ledger could not be counted.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no such inbox, or its channel keeps nothing that could be counted.
    #[error("this inbox has no ledger")]
    None,
    /// The server did not answer.
    #[error(transparent)]
    Source(#[from] PullError),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DirectoryError> for LedgerError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Store(error) => Self::Store(error),
            DirectoryError::NotFound | DirectoryError::NoAdapter(_) => Self::None,
        }
    }
}

/// What lies at the server, with the cursor that was stored before it was asked: everything up to that is here.
pub(super) async fn stock(
    desk: &Desk,
    workspace: WorkspaceId,
    open: &OpenInbox,
) -> Result<Option<Vec<StockFolder>>, LedgerError> {
    let id = open.inbox.id;
    let source = open.channel.stock().ok_or(LedgerError::None)?;
    let state = desk.db.read(move |tx| pull::find(tx, workspace, id)).await?;
    // Never asked before: nothing is known about what is older than the inbox.
    let Some(state) = state.filter(|state| !state.cursor.is_empty()) else { return Ok(None) };
    Ok(Some(source.list(&open.settings, &Cursor(state.cursor)).await?))
}

/// The stored events of a folder, all of them.
pub(super) async fn stored(
    desk: &Desk,
    workspace: WorkspaceId,
    inbox: InboxId,
    name: &str,
    role: &'static str,
) -> Result<(PullFolderId, Vec<FolderEvent>), StoreError> {
    let folder_name = model::fold::clean(name);
    let folder = desk.db.write(Route::Any, move |tx| pull::folder(tx, workspace, inbox, &folder_name, role)).await?;
    let mut all = Vec::new();
    loop {
        let above = all.last().map_or(ProviderEventId(0), |event: &FolderEvent| event.id);
        let page = desk.db.read(move |tx| pull::folder_events(tx, workspace, folder, above, PAGE)).await?;
        let full = page.len() as i64 == PAGE;
        all.extend(page);
        if !full {
            return Ok((folder, all));
        }
    }
}

/// Counts an inbox and stores the figures. `None`: it was never asked yet. An inbox that stops adding up raises an alarm.
pub async fn count(desk: &Desk, workspace: WorkspaceId, id: InboxId) -> Result<Option<Vec<Figures>>, LedgerError> {
    let open = desk.directory.open(desk, workspace, id).await?;
    let Some(folders) = stock(desk, workspace, &open).await? else { return Ok(None) };
    let mut counted = Vec::new();
    for found in folders {
        let (folder, events) = stored(desk, workspace, id, &found.name, found.role.word()).await?;
        counted.push((folder, Figures::count(folder, &found.items, &events), found.role.word(), found.generation));
    }
    let now = desk.now();
    let all: Vec<Figures> = counted.iter().map(|(_, figures, ..)| figures.clone()).collect();
    let missing: i64 = all.iter().map(|figures| figures.missing).sum();
    let balanced = all.iter().all(Figures::adds_up);
    desk.db
        .write(Route::Any, move |tx| {
            let was = pull::find(tx, workspace, id)?.is_none_or(|state| state.balanced);
            for (folder, figures, role, generation) in &counted {
                pull::set_figures(tx, workspace, *folder, role, generation, &json!(figures), now)?;
            }
            pull::set_checked(tx, workspace, id, now, balanced)?;
            if was && !balanced {
                pull::add_trouble(tx, workspace, id, TroubleKind::Missing, &missing.to_string(), now, None)?;
                let payload = json!({ "inbox_id": id, "missing": missing });
                tx.log(news(workspace, "inbox.mail_missing", Actor::System, now, payload));
                tracing::error!(inbox = %id, missing, "the ledger of {id} does not add up: {missing} are missing");
            }
            if !was && balanced {
                pull::end_trouble(tx, workspace, id, TroubleKind::Missing, now)?;
                tx.log(news(workspace, "inbox.mail_accounted_for", Actor::System, now, json!({ "inbox_id": id })));
            }
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(Some(all))
}

/// Fetches what is missing once more and counts again. Gives how many came.
pub async fn refetch(desk: &Desk, workspace: WorkspaceId, id: InboxId) -> Result<i64, LedgerError> {
    let open = desk.directory.open(desk, workspace, id).await?;
    let source = open.channel.stock().ok_or(LedgerError::None)?;
    let Some(folders) = stock(desk, workspace, &open).await? else { return Ok(0) };
    let mut keys = Vec::new();
    for found in folders {
        let (_, events) = stored(desk, workspace, id, &found.name, found.role.word()).await?;
        let known: HashSet<&str> = events.iter().map(|event| event.key.as_str()).collect();
        let missing = |item: &&StockItem| {
            !item.deleted && !item.before_start && !item.ahead && !known.contains(stored_key(item.key.clone()).as_str())
        };
        keys.extend(found.items.iter().filter(missing).map(|item| item.key.clone()));
    }
    let sink = Arc::new(StoreSink::new(desk, workspace, &open, None));
    if !keys.is_empty() {
        source.fetch(&open.settings, &keys, false, &*sink).await?;
    }
    let came = sink.fresh.load(std::sync::atomic::Ordering::SeqCst);
    if came > 0 {
        let now = desk.now();
        let noted = move |tx: &mut dyn store::Conn| {
            pull::add_trouble(tx, workspace, id, TroubleKind::Refetched, &came.to_string(), now, Some(now))
        };
        desk.db.write(Route::Any, noted).await?;
    }
    count(desk, workspace, id).await?;
    Ok(came)
}

/// Count an inbox now, and fetch what is missing if that is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountInbox {
    /// Which one.
    pub inbox: InboxId,
    /// Fetch what is missing.
    pub refetch: bool,
}

impl Job for CountInbox {
    const NAME: &'static str = "count_inbox";
    fn dedupe_key(&self) -> Option<String> {
        Some(format!("count_inbox:{}:{}", self.inbox, self.refetch))
    }
}

/// What the job does.
pub async fn run(desk: &Desk, job: JobRef, count_inbox: CountInbox) -> JobEnd {
    let done = match count_inbox.refetch {
        true => refetch(desk, job.workspace, count_inbox.inbox).await.map(drop),
        false => count(desk, job.workspace, count_inbox.inbox).await.map(drop),
    };
    match done {
        Ok(()) => JobEnd::Done,
        Err(LedgerError::None) => JobEnd::GiveUp("this inbox has no ledger".to_owned()),
        Err(error) => JobEnd::Retry(error.to_string()),
    }
}

/// Everything that the ledger page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    /// How the fetching fares.
    pub state: PullState,
    /// The folders with their figures.
    pub folders: Vec<(PullFolder, Figures)>,
    /// What happened, latest first.
    pub troubles: Vec<PullTrouble>,
    /// The import of what was there before, if there ever was one.
    pub import: Option<PullImport>,
}

/// The ledger of an inbox as it was last counted.
pub async fn show(desk: &Desk, who: &Who, id: InboxId) -> Result<Ledger, ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let workspace = who.workspace;
    let read = desk.db.read(move |tx| {
        if store::inbox::find(tx, workspace, id)?.is_none() {
            return Ok::<_, StoreError>(None);
        }
        let folders = pull::folders(tx, workspace, id)?;
        Ok(Some(Ledger {
            state: pull::find(tx, workspace, id)?.unwrap_or_else(PullState::fresh),
            folders: folders
                .into_iter()
                .map(|folder| {
                    let figures = serde_json::from_value(folder.figures.clone()).unwrap_or_default();
                    (folder, figures)
                })
                .collect(),
            troubles: pull::troubles(tx, workspace, id, 50)?,
            import: pull::find_import(tx, workspace, id)?,
        }))
    });
    read.await?.ok_or(ChangeError::NotFound)
}

/// Asks for a count now; with `refetch`, what is missing is fetched once more.
pub async fn ask(desk: &Desk, who: &Who, id: InboxId, refetch: bool) -> Result<(), ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let (workspace, now, agent) = (who.workspace, desk.now(), who.agent);
    desk.db
        .write(Route::Any, move |tx| {
            if store::inbox::find(tx, workspace, id)?.is_none() {
                return Ok::<_, StoreError>(Err(ChangeError::NotFound));
            }
            job::enqueue(tx, workspace, &CountInbox { inbox: id, refetch }, now)?;
            if refetch {
                tx.log(news(workspace, "inbox.refetch_asked", Actor::Agent(agent), now, json!({ "inbox_id": id })));
            }
            Ok(Ok(()))
        })
        .await?
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::pull::SameEvent;

    const FOLDER: PullFolderId = PullFolderId(1);

    fn item(key: &str) -> StockItem {
        StockItem { key: key.to_owned(), at: None, bytes: 9, deleted: false, before_start: false, ahead: false }
    }
    fn event(id: i64, key: &str, outcome: Option<Outcome>, reason: Option<&str>) -> FolderEvent {
        FolderEvent { id: ProviderEventId(id), key: key.to_owned(), outcome, reason: reason.map(str::to_owned), same: None }
    }

    #[test]
    fn everything_has_its_place() {
        let items = [
            item("a"),
            item("b"),
            item("c"),
            item("d"),
            StockItem { deleted: true, ..item("e") },
            StockItem { before_start: true, ..item("f") },
            StockItem { ahead: true, ..item("g") },
        ];
        let stored = [
            event(1, "a", Some(Outcome::Entry), None),
            event(2, "b", Some(Outcome::Quarantined), Some("x: y")),
            event(3, "c", Some(Outcome::Dropped), Some("T0-auto")),
            event(4, "d", None, None),
            event(5, "left the server", Some(Outcome::Entry), None),
        ];
        let sum = Figures::count(FOLDER, &items, &stored);
        let ignored: Vec<(&str, i64)> = sum.ignored.iter().map(|(rule, n)| (rule.as_str(), *n)).collect();
        assert_eq!(ignored, [("T0-auto", 1), (BEFORE_START, 1), (DELETED_THERE, 1)]);
        assert_eq!((sum.on_server, sum.here, sum.quarantined, sum.waiting, sum.missing, sum.gone), (7, 1, 1, 2, 0, 1));
        assert!(sum.adds_up());
    }

    #[test]
    fn what_is_nowhere_is_missing() {
        let sum = Figures::count(FOLDER, &[item("a"), item("b")], &[event(1, "a", Some(Outcome::Entry), None)]);
        assert_eq!((sum.missing, sum.missing_items[0].key.as_str()), (1, "b"));
        assert!(!sum.adds_up());
    }

    #[test]
    fn a_renumbered_folder_counts_as_before() {
        let copy = |id: i64, key: &str, of: i64, outcome| FolderEvent {
            same: Some(SameEvent {
                id: ProviderEventId(of),
                folder_id: Some(FOLDER),
                outcome: Some(outcome),
                reason: Some("T0-auto".to_owned()),
            }),
            ..event(id, key, Some(Outcome::Dropped), Some(SAME_MAIL))
        };
        let stored = [
            event(1, "old/1", Some(Outcome::Entry), None),
            event(2, "old/2", Some(Outcome::Dropped), Some("T0-auto")),
            copy(3, "new/1", 1, Outcome::Entry),
            copy(4, "new/2", 2, Outcome::Dropped),
        ];
        let sum = Figures::count(FOLDER, &[item("new/1"), item("new/2")], &stored);
        assert_eq!((sum.here, sum.ignored.get("T0-auto"), sum.gone, sum.missing), (1, Some(&1), 0, 0));
    }

    #[test]
    fn the_same_mail_in_another_folder_is_ignored_by_name() {
        let elsewhere =
            SameEvent { id: ProviderEventId(1), folder_id: Some(PullFolderId(2)), outcome: Some(Outcome::Entry), reason: None };
        let stored = [FolderEvent { same: Some(elsewhere), ..event(3, "a", Some(Outcome::Dropped), Some(SAME_MAIL)) }];
        let sum = Figures::count(FOLDER, &[item("a")], &stored);
        assert_eq!((sum.ignored.get(SAME_MAIL), sum.adds_up()), (Some(&1), true));
    }
}
