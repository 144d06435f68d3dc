//! Files of people: taken in after a dry run, and taken back for 30 days.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path, Query};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::cursor;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use desk::contacts::import::{self, DryRun, FILE_BYTES_MAX, ImportError, row::Mapping};
use desk::people::rights;
use http::{StatusCode, header};
use model::{ContactId, ImportId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(list, upload, get_one, check, start, undo, lines),
    components(schemas(ContactImport, ImportList, ImportCheck, ImportMapping, ImportLine, ImportUndone))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/contact_imports", get(list).post(upload))
        .route("/contact_imports/{id}", get(get_one))
        .route("/contact_imports/{id}/check", post(check))
        .route("/contact_imports/{id}/start", post(start))
        .route("/contact_imports/{id}/undo", post(undo))
        .route("/contact_imports/{id}/lines", get(lines))
        .layer(DefaultBodyLimit::disable())
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::NotFound => Self::not_found(),
            ImportError::Table(error) => Self::invalid("file", error.to_string()),
            ImportError::Invalid(invalid) => Self::invalid(invalid.field, invalid.text),
            ImportError::Wrong(text) => Self::conflict("wrong_state", "This import cannot do that now.").detail(text),
            ImportError::Blob(text) => store::StoreError::broken(text).into(),
            ImportError::Store(error) => error.into(),
        }
    }
}

/// A file of people.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ContactImport {
    /// Its id.
    pub id: ImportId,
    /// What the file was called.
    pub file_name: String,
    /// How it is written.
    pub encoding: String,
    /// What parts its cells: comma, semicolon, tab, json.
    pub separator: String,
    /// How many rows it has.
    pub rows: i64,
    /// `ready`, `running`, `done`, `failed`, `undone`.
    pub state: String,
    /// Rows that were done.
    pub rows_done: i64,
    /// How many lines did what: new, updated, unchanged, conflict, refused, erased.
    #[schema(value_type = BTreeMap<String, i64>)]
    pub counts: serde_json::Value,
    /// Who brought it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When its last row was done.
    pub done_at: Option<Timestamp>,
    /// When it was taken back.
    pub undone_at: Option<Timestamp>,
    /// Until when it can be taken back.
    pub undo_until: Option<Timestamp>,
    /// Why it failed.
    pub reason: Option<String>,
}

impl From<store::import::Import> for ContactImport {
    fn from(i: store::import::Import) -> Self {
        let undo_until = matches!(i.state.as_str(), "done" | "failed").then(|| i.created_at.plus_ms(import::UNDO_MS));
        Self {
            id: i.id,
            file_name: i.file_name,
            encoding: i.encoding,
            separator: i.separator,
            rows: i.row_count,
            state: i.state,
            rows_done: i.next_row,
            counts: i.counts,
            created_by: i.created_by,
            created_at: i.created_at,
            done_at: i.done_at,
            undone_at: i.undone_at,
            undo_until,
            reason: i.reason,
        }
    }
}

/// Files, newest first.
#[derive(Serialize, ToSchema)]
pub struct ImportList {
    /// The files.
    pub items: Vec<ContactImport>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

/// What the columns of a file become.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportMapping {
    /// Column name to `given_name`, `surname`, `name`, `email`, `phone`, `company`, `crm_id`, `locale`, `time_zone`, `notes`,
    /// `field:<id>`, `consent:<purpose>`, `consent_date`, `consent_source` or `ignore`.
    pub columns: BTreeMap<String, String>,
    /// Country of numbers without a plus, such as DE.
    #[serde(default)]
    pub country: Option<String>,
}

/// One line and what it does.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ImportLine {
    /// Line of the file.
    pub line: i64,
    /// `new`, `updated`, `unchanged`, `conflict`, `refused`, `erased`.
    pub outcome: String,
    /// Why, when it does nothing.
    pub reason: Option<String>,
    /// Whom it concerns.
    pub contact_id: Option<ContactId>,
}

/// What a file would do; nothing is written yet.
#[derive(Serialize, ToSchema)]
pub struct ImportCheck {
    /// The file.
    pub import: ContactImport,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// What they become.
    pub mapping: ImportMapping,
    /// The first rows.
    pub sample: Vec<Vec<String>>,
    /// How many lines would do what.
    pub counts: BTreeMap<String, i64>,
    /// Lines that would do nothing, with the reason; at most 1,000.
    pub problems: Vec<ImportLine>,
}

impl From<DryRun> for ImportCheck {
    fn from(run: DryRun) -> Self {
        let line =
            |l: import::LineReport| ImportLine { line: l.line, outcome: l.outcome, reason: l.reason, contact_id: l.contact_id };
        Self {
            import: run.import.into(),
            columns: run.columns,
            mapping: ImportMapping { columns: run.mapping.columns, country: run.mapping.country },
            sample: run.sample,
            counts: run.counts.into_iter().map(|(word, n)| (word, i64::try_from(n).unwrap_or(i64::MAX))).collect(),
            problems: run.problems.into_iter().map(line).collect(),
        }
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    limit: Option<i64>,
}

fn allowed(who: &desk::Who) -> Result<(), Problem> {
    if rights::may_import(who.role) { Ok(()) } else { Err(Problem::not_allowed()) }
}

/// Files that were brought, newest first; for admins.
#[utoipa::path(get, path = "/contact_imports", tag = "contact_import",
    params(("cursor" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = ImportList), (status = 403, body = ProblemDocument)))]
async fn list(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(page): Query<Page>,
) -> Result<Json<ImportList>, Problem> {
    allowed(&who)?;
    let below = cursor::of_query(page.cursor.as_deref())?.unwrap_or((i64::MAX, i64::MAX));
    let limit = i64::try_from(cursor::limit(page.limit)?).unwrap_or(50);
    let found = front.desk.db.read(move |tx| store::import::list(tx, who.workspace, below, limit)).await?;
    let next = if found.len() as i64 == limit { found.last().map(|i| cursor::write((i.created_at.0, i.id.0))) } else { None };
    Ok(Json(ImportList { items: found.into_iter().map(ContactImport::from).collect(), next_cursor: next }))
}

#[derive(Deserialize)]
struct FileName {
    name: String,
}

/// Brings a file (CSV, JSON lines or a JSON array, at most 32 MiB) and says what it would do; for admins. Nothing is taken
/// in yet, and the columns are guessed.
#[utoipa::path(post, path = "/contact_imports", tag = "contact_import", params(("name" = String, Query)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = ImportCheck), (status = 403, body = ProblemDocument), (status = 413, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn upload(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(file): Query<FileName>,
    body: Body,
) -> Result<(StatusCode, Json<ImportCheck>), Problem> {
    allowed(&who)?;
    let bytes = axum::body::to_bytes(body, FILE_BYTES_MAX).await.map_err(|_| Problem::too_large(FILE_BYTES_MAX))?;
    let checked = import::upload(&front.desk, &who, &file.name, &bytes).await?;
    Ok((StatusCode::CREATED, Json(checked.into())))
}

/// How far a file has come; for admins.
#[utoipa::path(get, path = "/contact_imports/{id}", tag = "contact_import", params(("id" = ImportId, Path)),
    responses((status = 200, body = ContactImport), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn get_one(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ImportId>,
) -> Result<Json<ContactImport>, Problem> {
    allowed(&who)?;
    let found = front.desk.db.read(move |tx| store::import::find(tx, who.workspace, id)).await?;
    Ok(Json(found.ok_or_else(Problem::not_found)?.into()))
}

/// Says of every line what it would do with these columns; nothing is written but the mapping; for admins.
#[utoipa::path(post, path = "/contact_imports/{id}/check", tag = "contact_import", params(("id" = ImportId, Path)), request_body = ImportMapping,
    responses((status = 200, body = ImportCheck), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn check(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ImportId>,
    JsonBody(mapping): JsonBody<ImportMapping>,
) -> Result<Json<ImportCheck>, Problem> {
    allowed(&who)?;
    let mapping = Mapping { columns: mapping.columns, country: mapping.country };
    Ok(Json(import::dry_run(&front.desk, &who, id, Some(mapping)).await?.into()))
}

/// Takes the file in; for admins. Sends nothing to anybody.
#[utoipa::path(post, path = "/contact_imports/{id}/start", tag = "contact_import", params(("id" = ImportId, Path)),
    responses((status = 202, body = ContactImport), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn start(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ImportId>,
) -> Result<(StatusCode, Json<ContactImport>), Problem> {
    allowed(&who)?;
    let started = import::start(&front.desk, &who, id).await?;
    Ok((StatusCode::ACCEPTED, Json(started.into())))
}

/// What an undo did.
#[derive(Serialize, ToSchema)]
pub struct ImportUndone {
    /// Lines that were taken back.
    pub taken_back: i64,
    /// Lines whose people have changed since and stay as they are.
    pub stay: i64,
}

/// Takes an import back where nothing has changed since; for admins, for 30 days.
#[utoipa::path(post, path = "/contact_imports/{id}/undo", tag = "contact_import", params(("id" = ImportId, Path)),
    responses((status = 200, body = ImportUndone), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn undo(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ImportId>,
) -> Result<Json<ImportUndone>, Problem> {
    allowed(&who)?;
    let (back, stay) = import::undo(&front.desk, &who, id).await?;
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    Ok(Json(ImportUndone { taken_back: count(back), stay: count(stay) }))
}

/// The lines that did nothing, with their reasons, as a table to download; for admins.
#[utoipa::path(get, path = "/contact_imports/{id}/lines", tag = "contact_import", params(("id" = ImportId, Path)),
    responses((status = 200, content_type = "text/csv", body = String), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn lines(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ImportId>,
) -> Result<Response, Problem> {
    allowed(&who)?;
    let workspace = who.workspace;
    let found = front.desk.db.read(move |tx| store::import::find(tx, workspace, id)).await?.ok_or_else(Problem::not_found)?;
    let mut out = desk::contacts::table::export_line(["line", "outcome", "reason"].into_iter());
    if found.state == "ready" {
        for one in import::dry_run(&front.desk, &who, id, None).await?.problems {
            let line = one.line.to_string();
            let cells = [line.as_str(), one.outcome.as_str(), one.reason.as_deref().unwrap_or_default()];
            out.push_str(&desk::contacts::table::export_line(cells.into_iter()));
        }
    } else {
        let mut after = -1;
        loop {
            let page = front.desk.db.read(move |tx| store::import::rows(tx, workspace, id, after, 1_000)).await?;
            let Some(last) = page.last() else { break };
            after = last.line;
            for one in page.iter().filter(|r| r.reason.is_some()) {
                let line = one.line.to_string();
                let cells = [line.as_str(), one.outcome.as_str(), one.reason.as_deref().unwrap_or_default()];
                out.push_str(&desk::contacts::table::export_line(cells.into_iter()));
            }
        }
    }
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, super::attachment::disposition("lines.csv", false)),
    ];
    Ok((head, out).into_response())
}
