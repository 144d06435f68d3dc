//! Takes in files of people: a dry run that says of every line what it would do, the import in small pieces, and one undo
//! for 30 days. Matches by exact normal form only: CRM id, then mail, then phone. Sends nothing, starts no rule and no clock.

pub mod row;

use crate::consent::{self, Statement};
use crate::contacts::table::{self, Table, TableError};
use crate::contacts::tombstone;
use crate::context::{Desk, JobEnd, Who};
use crate::identity::duplicates;
use crate::people::{ChangeError, Invalid};
use crate::settings::news;
use model::fold::sort_key;
use model::{Actor, BlobId, ConsentState, ContactFieldId, ContactId, ContactPointId, ImportId, Timestamp, WorkspaceId};
use row::{Mapping, Target, Wish};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use store::contact::{self, Contact};
use store::contact_field::{self, ContactField};
use store::contact_point::{self, PointKey};
use store::import::{self, Import, ImportRow};
use store::job::{self, Job, JobClass, JobRef};
use store::{Conn, Event, Route, StoreError, attachment, company};

/// The largest file that is taken in.
pub const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// So long an import can be taken back.
pub const UNDO_MS: i64 = 30 * 86_400_000;
/// Rows of one transaction, and of one run of the job.
const ROWS_PER_TX: usize = 40;
const TX_PER_RUN: usize = 25;
const PROBLEMS_SHOWN_MAX: usize = 1_000;
const SAMPLE: usize = 5;

/// Why a file is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No such import.
    #[error("there is no such import")]
    NotFound,
    /// The file is no table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A mapping that cannot be.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// It runs, is done, or was taken back.
    #[error("{0}")]
    Wrong(&'static str),
    /// The bytes could not be kept.
    #[error("the file could not be kept: {0}")]
    Blob(String),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a line does, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineReport {
    /// Line of the file.
    pub line: i64,
    /// `new`, `updated`, `unchanged`, `conflict`, `refused`, `erased`.
    pub outcome: String,
    /// Why, when it does nothing.
    pub reason: Option<String>,
    /// Whom it concerns.
    pub contact_id: Option<ContactId>,
}

/// What a file would do.
#[derive(Clone, Debug, PartialEq)]
pub struct DryRun {
    /// The import.
    pub import: Import,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The mapping that was used.
    pub mapping: Mapping,
    /// The first rows.
    pub sample: Vec<Vec<String>>,
    /// How many lines do what.
    pub counts: BTreeMap<String, usize>,
    /// Lines that do nothing, with the reason; at most 1,000.
    pub problems: Vec<LineReport>,
}

/// Keeps a file and guesses what its columns mean.
pub async fn upload(desk: &Desk, who: &Who, file_name: &str, bytes: &[u8]) -> Result<DryRun, ImportError> {
    let table = table::read(bytes)?;
    if table.rows.is_empty() && table.unreadable.is_empty() {
        return Err(TableError::Empty.into());
    }
    let put = desk.blobs.put_bytes(who.workspace, bytes).await.map_err(|error| ImportError::Blob(error.to_string()))?;
    let (now, who2, length) = (desk.now(), who.clone(), i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    let name = crate::identity::resolve::tidy_name(file_name);
    let (encoding, separator, rows) = (table.encoding, table.separator, table.rows.len() + table.unreadable.len());
    let for_guess = Table { rows: vec![], unreadable: vec![], ..table.clone() };
    let id = desk
        .db
        .write(Route::Any, move |tx| -> Result<ImportId, StoreError> {
            let fields = contact_field::list(tx, who2.workspace)?;
            let blob = attachment::put_blob(tx, who2.workspace, &put.sha256, length, "text/csv", now)?;
            let id = ImportId(tx.id());
            let new = Import {
                id,
                file_name: name.clone(),
                blob_key: blob.to_string(),
                encoding: encoding.to_owned(),
                separator: separator.to_owned(),
                row_count: i64::try_from(rows).unwrap_or(i64::MAX),
                mapping: json!(row::guess(&for_guess, &fields)),
                state: "ready".to_owned(),
                next_row: 0,
                counts: json!({}),
                created_by: Actor::Agent(who2.agent).to_string(),
                created_at: now,
                done_at: None,
                undone_at: None,
                reason: None,
            };
            import::insert(tx, who2.workspace, &new)?;
            let payload = json!({"import": id, "rows": rows});
            tx.log(news(who2.workspace, "import.uploaded", Actor::Agent(who2.agent), now, payload));
            Ok(id)
        })
        .await?;
    dry_run(desk, who, id, None).await
}

async fn load(
    desk: &Desk,
    workspace: WorkspaceId,
    id: ImportId,
) -> Result<(Import, Option<Table>, Vec<ContactField>), ImportError> {
    let found = desk
        .db
        .read(move |tx| -> Result<_, StoreError> {
            let Some(found) = import::find(tx, workspace, id)? else { return Ok(None) };
            let blob = BlobId::parse(&found.blob_key).ok();
            let key = blob.map_or(Ok(None), |blob| attachment::find_blob(tx, workspace, blob))?;
            Ok(Some((found, key, contact_field::list(tx, workspace)?)))
        })
        .await?;
    let Some((found, key, fields)) = found else { return Err(ImportError::NotFound) };
    let Some((sha, _)) = key else { return Ok((found, None, fields)) };
    let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
    let bytes = desk.blobs.get(workspace, &sha, limit).await.map_err(|error| ImportError::Blob(error.to_string()))?;
    Ok((found, Some(table::read(&bytes)?), fields))
}

fn targets(table: &Table, mapping: &Mapping, fields: &[ContactField]) -> Result<Vec<Target>, Invalid> {
    if let Some(country) = mapping.country.as_deref().filter(|c| !c.is_empty())
        && crate::settings::rules::region(country).is_none()
    {
        return Err(Invalid::new("country", "a country such as DE or US"));
    }
    if let Some(unknown) = mapping.columns.keys().find(|name| !table.columns.contains(name)) {
        return Err(Invalid::new("columns", format!("the file has no column {unknown}")));
    }
    let target = |name: &String| match mapping.columns.get(name) {
        None => Ok(Target::Ignore),
        Some(word) => Target::parse(word, fields)
            .ok_or_else(|| Invalid::new("columns", format!("{name}: {word} is nothing that a column can become"))),
    };
    table.columns.iter().map(target).collect()
}

/// Says of every line what it would do. A mapping given here is kept for the import.
pub async fn dry_run(desk: &Desk, who: &Who, id: ImportId, mapping: Option<Mapping>) -> Result<DryRun, ImportError> {
    let workspace = who.workspace;
    let (mut found, table, fields) = load(desk, workspace, id).await?;
    let Some(table) = table else { return Err(ImportError::Wrong("the file of this import is not kept any more")) };
    let mapping = match mapping {
        Some(mapping) => {
            targets(&table, &mapping, &fields)?;
            let changed = Import { mapping: json!(mapping), ..found.clone() };
            let stored = changed.clone();
            let saved = desk.db.write(Route::Any, move |tx| import::save(tx, workspace, "ready", &stored)).await?;
            if !saved {
                return Err(ImportError::Wrong("this import has begun; its columns stay as they are"));
            }
            found = changed;
            mapping
        }
        None => serde_json::from_value(found.mapping.clone()).unwrap_or_default(),
    };
    let targets = targets(&table, &mapping, &fields)?;
    let now = desk.now();
    let mut lines: Vec<LineReport> = table
        .unreadable
        .iter()
        .map(|(line, reason)| LineReport {
            line: *line as i64,
            outcome: "refused".to_owned(),
            reason: Some(reason.clone()),
            contact_id: None,
        })
        .collect();
    let mut seen: HashMap<PointKey, usize> = HashMap::new();
    let hasher = tombstone::Hasher::of(desk);
    for chunk in table.rows.chunks(500) {
        let wishes: Vec<(usize, Result<Wish, String>)> = chunk
            .iter()
            .map(|row| (row.number, row::wish(&table, &targets, row, mapping.country.as_deref(), &fields, now)))
            .collect();
        let hasher = hasher.clone();
        let planned = desk
            .db
            .read(move |tx| -> Result<Vec<(usize, Plan, Vec<PointKey>)>, StoreError> {
                let mut all = Vec::new();
                for (line, wish) in &wishes {
                    let (plan, keys) = match wish {
                        Ok(wish) => (plan(tx, workspace, wish, &hasher)?, wish.keys.iter().map(|(k, _)| k.clone()).collect()),
                        Err(reason) => (Plan::refused(reason), vec![]),
                    };
                    all.push((*line, plan, keys));
                }
                Ok(all)
            })
            .await?;
        for (line, mut plan, keys) in planned {
            // A line whose keys an earlier new line brings is about the same new person.
            if plan.outcome == "new" && keys.iter().any(|key| seen.contains_key(key)) {
                plan.outcome = "updated";
            }
            if plan.outcome == "new" {
                seen.extend(keys.into_iter().map(|key| (key, line)));
            }
            lines.push(LineReport {
                line: line as i64,
                outcome: plan.outcome.to_owned(),
                reason: plan.reason,
                contact_id: plan.contact,
            });
        }
    }
    lines.sort_by_key(|l| l.line);
    let mut counts = BTreeMap::new();
    for line in &lines {
        *counts.entry(line.outcome.clone()).or_default() += 1;
    }
    let problems = lines.into_iter().filter(|l| l.reason.is_some()).take(PROBLEMS_SHOWN_MAX).collect();
    let sample = table.rows.iter().take(SAMPLE).map(|row| row.cells.clone()).collect();
    Ok(DryRun { import: found, columns: table.columns, mapping, sample, counts, problems })
}

/// What becomes of one row.
#[derive(Clone, Debug, PartialEq)]
struct Plan {
    outcome: &'static str,
    reason: Option<String>,
    contact: Option<ContactId>,
}

impl Plan {
    fn refused(reason: &str) -> Self {
        Self { outcome: "refused", reason: Some(reason.to_owned()), contact: None }
    }
    fn conflict(reason: &str) -> Self {
        Self { outcome: "conflict", reason: Some(reason.to_owned()), contact: None }
    }
}

/// Looks whom a row is about and whether it changes anything.
fn plan(tx: &mut dyn Conn, workspace: WorkspaceId, wish: &Wish, hasher: &tombstone::Hasher) -> Result<Plan, StoreError> {
    let mut owners: Vec<ContactId> = Vec::new();
    let mut missing = false;
    for (key, _) in &wish.keys {
        if store::erase::buried_at(tx, workspace, &hasher.newest(workspace, key))?.is_some()
            || hasher.is_buried(tx, workspace, key)?
        {
            let reason = Some("this person was erased on request".to_owned());
            return Ok(Plan { outcome: "erased", reason, contact: None });
        }
        let Some(point) = contact_point::find_key(tx, workspace, key)? else {
            missing = true;
            continue;
        };
        if point.shared {
            return Ok(Plan::conflict("an address of this line is used by several people"));
        }
        let mut live: Vec<ContactId> = contact_point::owners(tx, workspace, point.id)?.iter().map(|o| o.live_id).collect();
        live.sort_unstable();
        live.dedup();
        match live.as_slice() {
            [] => missing = true,
            [one] => owners.push(*one),
            _ => return Ok(Plan::conflict("an address of this line belongs to several customers")),
        }
    }
    owners.sort_unstable();
    owners.dedup();
    match owners.as_slice() {
        [] => Ok(Plan { outcome: "new", reason: None, contact: None }),
        [one] => {
            let live = contact::get_live(tx, workspace, *one)?;
            let changed = missing || changes(tx, workspace, &live, wish)?;
            Ok(Plan { outcome: if changed { "updated" } else { "unchanged" }, reason: None, contact: Some(*one) })
        }
        _ => Ok(Plan::conflict("the addresses of this line belong to two customers")),
    }
}

fn differs(has: &Option<String>, wants: &Option<String>) -> bool {
    wants.is_some() && has != wants
}

fn changes(tx: &mut dyn Conn, workspace: WorkspaceId, live: &Contact, wish: &Wish) -> Result<bool, StoreError> {
    if differs(&live.name, &wish.name)
        || differs(&live.company, &wish.company)
        || differs(&live.locale, &wish.locale)
        || differs(&live.time_zone, &wish.time_zone)
        || differs(&live.notes, &wish.notes)
    {
        return Ok(true);
    }
    let set = contact::merged_set(tx, workspace, live.id)?;
    let has = crate::identity::merge::own_values(tx, workspace, live.id, &set)?;
    if wish.values.iter().any(|(field, value)| has.get(field) != Some(value)) {
        return Ok(true);
    }
    Ok(!new_consents(tx, workspace, &set, wish)?.is_empty())
}

/// Statements of a row that say something new. A "yes" from a file never undoes a "no", whatever their dates.
fn new_consents(tx: &mut dyn Conn, workspace: WorkspaceId, set: &[ContactId], wish: &Wish) -> Result<Vec<Statement>, StoreError> {
    if wish.consents.is_empty() {
        return Ok(vec![]);
    }
    let holding = consent::holding(&store::consent::of_contacts(tx, workspace, set)?);
    let mut new = Vec::new();
    for one in &wish.consents {
        let of = holding.iter().filter(|((purpose, ..), _)| *purpose == one.purpose).map(|(_, holds)| Some(holds.consent.state));
        let state = of.fold(None, consent::stricter);
        let opted_out = matches!(state, Some(ConsentState::Refused | ConsentState::Withdrawn));
        if state == Some(one.state) || (opted_out && one.state == ConsentState::Granted) {
            continue;
        }
        new.push(Statement {
            purpose: one.purpose,
            channel: None,
            contact_point_id: None,
            state: one.state,
            source: one.source.clone(),
            evidence: "import".to_owned(),
            at: one.at,
        });
    }
    Ok(new)
}

/// Takes in the next rows of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportRows {
    /// Which.
    pub import: ImportId,
}
impl Job for ImportRows {
    const NAME: &'static str = "import_rows";
    const CLASS: JobClass = JobClass::Bulk;
    fn dedupe_key(&self) -> Option<String> {
        Some(format!("import_rows {}", self.import))
    }
}

/// Starts an import whose dry run somebody has seen.
pub async fn start(desk: &Desk, who: &Who, id: ImportId) -> Result<Import, ImportError> {
    let (workspace, now, agent) = (who.workspace, desk.now(), who.agent);
    let (found, table, fields) = load(desk, workspace, id).await?;
    let Some(table) = table else { return Err(ImportError::Wrong("the file of this import is not kept any more")) };
    let mapping: Mapping = serde_json::from_value(found.mapping.clone()).unwrap_or_default();
    targets(&table, &mapping, &fields)?;
    let running = Import { state: "running".to_owned(), ..found };
    let stored = running.clone();
    let started = desk
        .db
        .write(Route::Any, move |tx| -> Result<bool, StoreError> {
            if !import::save(tx, workspace, "ready", &stored)? {
                return Ok(false);
            }
            job::enqueue(tx, workspace, &ImportRows { import: id }, now)?;
            tx.log(news(workspace, "import.started", Actor::Agent(agent), now, json!({"import": id})));
            Ok(true)
        })
        .await?;
    if started { Ok(running) } else { Err(ImportError::Wrong("this import has begun already")) }
}

/// Runs the job: some transactions of rows, then the next job.
pub async fn run(desk: &Desk, job: JobRef, wanted: ImportRows) -> JobEnd {
    match run_rows(desk, job, wanted.import).await {
        Ok(()) => JobEnd::DoneInTx,
        Err(ImportError::Store(error)) => error.into(),
        Err(ImportError::NotFound) => JobEnd::Done,
        Err(error) => {
            let (workspace, reason) = (job.workspace, error.to_string());
            let failed = desk
                .db
                .write(Route::Any, move |tx| -> Result<(), StoreError> {
                    if let Some(found) = import::find(tx, workspace, wanted.import)? {
                        let state = "failed".to_owned();
                        let ended = Import { state, reason: Some(reason.clone()), ..found };
                        import::save(tx, workspace, "running", &ended)?;
                    }
                    Ok(())
                })
                .await;
            failed.map_or_else(Into::into, |()| JobEnd::Done)
        }
    }
}

async fn run_rows(desk: &Desk, job: JobRef, id: ImportId) -> Result<(), ImportError> {
    let workspace = job.workspace;
    let (found, table, fields) = load(desk, workspace, id).await?;
    if found.state != "running" {
        return desk.db.write(Route::Any, move |tx| job::finish_in_tx(tx, job)).await.map_err(Into::into);
    }
    let Some(table) = table else { return Err(ImportError::Wrong("the file is gone")) };
    let mapping: Mapping = serde_json::from_value(found.mapping.clone()).unwrap_or_default();
    let targets = targets(&table, &mapping, &fields)?;
    let (now, hasher) = (desk.now(), tombstone::Hasher::of(desk));
    let begin = usize::try_from(found.next_row).unwrap_or(0).min(table.rows.len());
    let actor = Actor::parse(&found.created_by).unwrap_or(Actor::System);
    let rest: Vec<(usize, Result<Wish, String>)> = table.rows[begin..]
        .iter()
        .take(ROWS_PER_TX * TX_PER_RUN)
        .map(|row| (row.number, row::wish(&table, &targets, row, mapping.country.as_deref(), &fields, now)))
        .collect();
    for chunk in rest.chunks(ROWS_PER_TX) {
        let (chunk, hasher) = (chunk.to_vec(), hasher.clone());
        desk.db
            .write_bulk(Route::Any, move |tx| -> Result<(), StoreError> {
                let Some(before) = import::find(tx, workspace, id)? else { return Ok(()) };
                let mut counts: BTreeMap<String, i64> = serde_json::from_value(before.counts.clone()).unwrap_or_default();
                for (line, wish) in &chunk {
                    let done = take_in(tx, workspace, id, wish, &hasher, actor, now)?;
                    *counts.entry(done.outcome.clone()).or_default() += 1;
                    import::add_row(tx, workspace, id, &ImportRow { line: *line as i64, ..done })?;
                }
                let next_row = before.next_row + chunk.len() as i64;
                let after = Import { next_row, counts: json!(counts), ..before };
                if import::save(tx, workspace, "running", &after)? { Ok(()) } else { Err(StoreError::Busy) }
            })
            .await?;
    }
    let ended = begin + rest.len() >= table.rows.len();
    let unreadable: Vec<(usize, String)> = if ended { table.unreadable.clone() } else { vec![] };
    let keys = desk
        .db
        .write(Route::Any, move |tx| -> Result<Vec<String>, StoreError> {
            let mut keys = Vec::new();
            if ended {
                let Some(before) = import::find(tx, workspace, id)? else { return Ok(keys) };
                let mut counts: BTreeMap<String, i64> = serde_json::from_value(before.counts.clone()).unwrap_or_default();
                for (line, reason) in &unreadable {
                    let (outcome, reason) = ("refused".to_owned(), Some(reason.clone()));
                    *counts.entry(outcome.clone()).or_default() += 1;
                    let row =
                        ImportRow { line: *line as i64, outcome, reason, contact_id: None, before: None, after_version: None };
                    import::add_row(tx, workspace, id, &row)?;
                }
                // The file has done its work; people's data are not kept twice.
                let blob = BlobId::parse(&before.blob_key).ok();
                let after = Import {
                    state: "done".to_owned(),
                    done_at: Some(now),
                    blob_key: String::new(),
                    counts: json!(counts),
                    ..before
                };
                import::save(tx, workspace, "running", &after)?;
                keys = store::erase::blobs(tx, workspace, &blob.into_iter().collect::<Vec<_>>(), now)?;
                tx.log(news(workspace, "import.done", actor, now, json!({"import": id, "counts": counts})));
            } else {
                // The key of this job is free while it runs: the next one may wait already.
                job::enqueue(tx, workspace, &ImportRows { import: id }, now)?;
            }
            job::finish_in_tx(tx, job)?;
            Ok(keys)
        })
        .await?;
    for key in keys {
        if let Err(error) = desk.blobs.delete(workspace, &key).await {
            tracing::warn!(%error, import.id = %id, "the bytes of a file that was taken in are still there");
        }
    }
    Ok(())
}

/// Does what one row wants.
fn take_in(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ImportId,
    wish: &Result<Wish, String>,
    hasher: &tombstone::Hasher,
    actor: Actor,
    now: Timestamp,
) -> Result<ImportRow, StoreError> {
    let row = |plan: Plan| ImportRow {
        line: 0,
        outcome: plan.outcome.to_owned(),
        reason: plan.reason,
        contact_id: plan.contact,
        before: None,
        after_version: None,
    };
    let wish = match wish {
        Ok(wish) => wish,
        Err(reason) => return Ok(row(Plan::refused(reason))),
    };
    // Contact points first, in one order for everybody, then the contact.
    let mut keys: Vec<&(PointKey, String)> = wish.keys.iter().collect();
    keys.sort_by(|a, b| (a.0.kind, &a.0.scope, &a.0.match_key).cmp(&(b.0.kind, &b.0.scope, &b.0.match_key)));
    let planned = plan(tx, workspace, wish, hasher)?;
    if !matches!(planned.outcome, "new" | "updated") {
        return Ok(row(planned));
    }
    let mut points = Vec::new();
    for (key, raw) in keys {
        points.push(contact_point::upsert(tx, workspace, key, raw, now)?);
    }
    // Somebody may have come while we took the locks.
    let plan = plan(tx, workspace, wish, hasher)?;
    let live = match (plan.outcome, plan.contact) {
        ("new", _) => new_contact(tx, workspace, now)?,
        ("updated" | "unchanged", Some(contact)) => {
            contact::lock(tx, workspace, contact)?;
            contact::get_live(tx, workspace, contact)?
        }
        _ => return Ok(row(plan)),
    };
    let is_new = plan.outcome == "new";
    let company_before = company::of_contact(tx, workspace, live.id)?;
    let mut before = json!({
        "new": is_new, "name": live.name, "company": live.company, "company_id": company_before, "locale": live.locale,
        "time_zone": live.time_zone, "notes": live.notes
    });
    let mut after = live.clone();
    for (to, wanted) in [
        (&mut after.name, &wish.name),
        (&mut after.company, &wish.company),
        (&mut after.locale, &wish.locale),
        (&mut after.time_zone, &wish.time_zone),
        (&mut after.notes, &wish.notes),
    ] {
        if wanted.is_some() {
            to.clone_from(wanted);
        }
    }
    let set = contact::merged_set(tx, workspace, live.id)?;
    let mut added: Vec<ContactPointId> = Vec::new();
    for point in &points {
        if !contact_point::owners(tx, workspace, point.id)?.iter().any(|o| set.contains(&o.contact_id)) {
            contact_point::own(tx, workspace, point.id, live.id, 0, "import", "import", now)?;
            added.push(point.id);
        }
    }
    let mut values = Vec::new();
    let has = crate::identity::merge::own_values(tx, workspace, live.id, &[live.id])?;
    for (field, value) in wish.values.iter().filter(|(field, value)| has.get(field) != Some(value)) {
        values.push(json!({"field": field, "before": has.get(field), "after": value}));
        contact_field::put(tx, workspace, live.id, *field, value, &sort_key(value), now)?;
    }
    for statement in new_consents(tx, workspace, &set, wish)? {
        consent::write(tx, workspace, live.id, &statement, actor, Some(id), now)?;
    }
    if after.company != live.company
        && let Some(name) = &after.company
    {
        let firm = company::of_name(tx, workspace, name, now)?;
        company::set_of(tx, workspace, live.id, Some(firm))?;
    }
    if let Some(object) = before.as_object_mut() {
        object.insert("points".to_owned(), json!(added));
        object.insert("values".to_owned(), json!(values));
    }
    let version = contact::save(tx, workspace, &after)?;
    tx.log(Event {
        workspace,
        stream_id: Some(live.id.0),
        seq: Some(version),
        kind: "contact.imported",
        at: now,
        actor,
        cause_id: None,
        payload: json!({"contact": live.id, "import": id, "new": is_new}),
    });
    duplicates::check_later(tx, workspace, live.id, now)?;
    Ok(ImportRow {
        line: 0,
        outcome: plan.outcome.to_owned(),
        reason: None,
        contact_id: Some(live.id),
        before: Some(before),
        after_version: Some(version),
    })
}

fn new_contact(tx: &mut dyn Conn, workspace: WorkspaceId, now: Timestamp) -> Result<Contact, StoreError> {
    let id = ContactId(tx.id());
    let contact = Contact {
        id,
        merged_into: None,
        live_id: id,
        name: None,
        company: None,
        locale: None,
        time_zone: None,
        notes: None,
        claimed: serde_json::Map::new(),
        blocked_at: None,
        first_seen_at: now,
        last_seen_at: now,
        version: 1,
    };
    contact::insert(tx, workspace, &contact)?;
    tx.log(Event {
        workspace,
        stream_id: Some(id.0),
        seq: Some(1),
        kind: "contact.created",
        at: now,
        actor: Actor::System,
        cause_id: None,
        payload: json!({"contact": id, "source": "import"}),
    });
    Ok(contact)
}

/// Takes an import back where nothing has changed since. Gives how many lines were taken back and how many stay.
pub async fn undo(desk: &Desk, who: &Who, id: ImportId) -> Result<(usize, usize), ImportError> {
    let (workspace, now, agent) = (who.workspace, desk.now(), who.agent);
    let found = desk.db.read(move |tx| import::find(tx, workspace, id)).await?.ok_or(ImportError::NotFound)?;
    match found.state.as_str() {
        "done" | "failed" => {}
        "undone" => return Err(ImportError::Wrong("this import was taken back already")),
        _ => return Err(ImportError::Wrong("this import is not done")),
    }
    if now.since(found.created_at) > UNDO_MS {
        return Err(ImportError::Wrong("an import can be taken back for 30 days"));
    }
    let undone = Import { state: "undone".to_owned(), undone_at: Some(now), ..found.clone() };
    let state = found.state.clone();
    let taken = desk.db.write(Route::Any, move |tx| import::save(tx, workspace, &state, &undone)).await?;
    if !taken {
        return Err(ImportError::Wrong("this import was taken back already"));
    }
    let mut rows = Vec::new();
    let mut after = -1;
    loop {
        let page = desk.db.read(move |tx| import::rows(tx, workspace, id, after, 1_000)).await?;
        let Some(last) = page.last() else { break };
        after = last.line;
        rows.extend(page.into_iter().filter(|r| r.before.is_some() && r.contact_id.is_some()));
    }
    // Backwards: what the last line of a person did is undone first. A person whom we have begun to restore stays ours.
    rows.reverse();
    let (mut back, mut stay) = (0, 0);
    let mut ours: HashMap<ContactId, bool> = HashMap::new();
    for chunk in rows.chunks(ROWS_PER_TX) {
        let (chunk, known) = (chunk.to_vec(), ours.clone());
        let done = desk
            .db
            .write_bulk(Route::Any, move |tx| -> Result<Vec<(ContactId, bool)>, StoreError> {
                let mut known = known.clone();
                let mut done = Vec::new();
                for row in &chunk {
                    let Some(contact) = row.contact_id else { continue };
                    let is_ours = match known.get(&contact) {
                        Some(is) => *is,
                        None => {
                            let now = contact::find(tx, workspace, contact)?;
                            now.is_some_and(|c| Some(c.version) == row.after_version && c.live_id == c.id)
                        }
                    };
                    known.insert(contact, is_ours);
                    let undone = is_ours && restore(tx, workspace, id, contact, row, agent, now)?;
                    done.push((contact, undone));
                }
                Ok(done)
            })
            .await?;
        for (contact, undone) in done {
            let entry = ours.entry(contact).or_insert(undone);
            *entry &= undone;
            if undone { back += 1 } else { stay += 1 }
        }
    }
    let payload = json!({"import": id, "taken_back": back, "stay": stay});
    desk.db
        .write(Route::Any, move |tx| -> Result<(), StoreError> {
            tx.log(news(workspace, "import.undone", Actor::Agent(agent), now, payload.clone()));
            Ok(())
        })
        .await?;
    Ok((back, stay))
}

/// Gives one contact back what it had before a line. False when it has come to life since.
fn restore(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ImportId,
    contact_id: ContactId,
    row: &ImportRow,
    agent: model::AgentId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(mut live) = contact::find(tx, workspace, contact_id)? else { return Ok(false) };
    let before = row.before.clone().unwrap_or_default();
    let text = |name: &str| before.get(name).and_then(|v| v.as_str()).map(str::to_owned);
    let is_new = before.get("new").and_then(serde_json::Value::as_bool).unwrap_or(false);
    let wrote = !store::entry::timeline_before(tx, workspace, &[contact_id], (i64::MAX, i64::MAX), 1)?.is_empty();
    if is_new && wrote {
        return Ok(false);
    }
    for (to, name) in [
        (&mut live.name, "name"),
        (&mut live.company, "company"),
        (&mut live.locale, "locale"),
        (&mut live.time_zone, "time_zone"),
        (&mut live.notes, "notes"),
    ] {
        *to = text(name);
    }
    let firm = before.get("company_id").and_then(|v| serde_json::from_value(v.clone()).ok()).flatten();
    company::set_of(tx, workspace, contact_id, firm)?;
    let points: Vec<ContactPointId> =
        before.get("points").and_then(|v| serde_json::from_value(v.clone()).ok()).unwrap_or_default();
    for point in points {
        let owners = contact_point::owners(tx, workspace, point)?;
        // Used since: then it is theirs by more than the file.
        if owners.iter().any(|o| o.contact_id == contact_id && o.proof_level == 0 && o.source == "import") {
            contact_point::disown(tx, workspace, point, contact_id)?;
        }
    }
    for value in before.get("values").and_then(|v| v.as_array()).into_iter().flatten() {
        let Some(field) = value.get("field").and_then(|f| f.as_str()).and_then(|f| ContactFieldId::parse(f).ok()) else {
            continue;
        };
        match value.get("before").and_then(|v| v.as_str()) {
            Some(text) => contact_field::put(tx, workspace, contact_id, field, text, &sort_key(text), now)?,
            None => contact_field::clear(tx, workspace, contact_id, field)?,
        }
    }
    store::consent::delete_imported(tx, workspace, contact_id, id)?;
    let version = contact::save(tx, workspace, &live)?;
    let gone = is_new && contact_point::owned_by(tx, workspace, contact_id)?.is_empty();
    tx.log(Event {
        workspace,
        stream_id: Some(contact_id.0),
        seq: Some(version),
        kind: if gone { "contact.removed" } else { "contact.changed" },
        at: now,
        actor: Actor::Agent(agent),
        cause_id: None,
        payload: json!({"contact": contact_id, "import_undone": id}),
    });
    if gone {
        store::contact_key::set(tx, workspace, contact_id, &[])?;
        contact::remove(tx, workspace, contact_id)?;
    } else {
        duplicates::check_later(tx, workspace, contact_id, now)?;
    }
    Ok(true)
}

impl From<ImportError> for ChangeError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::NotFound => Self::NotFound,
            ImportError::Store(error) => Self::Store(error),
            ImportError::Invalid(invalid) => Self::Invalid(invalid),
            other => Self::Invalid(Invalid::new("file", other.to_string())),
        }
    }
}
