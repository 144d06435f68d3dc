//! Connecting a mailbox and watching over it: providers, sign-in, the check, the ledger, the import of what was there before.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path};
use crate::error::Problem;
use crate::front::Caller;
use crate::pages::oauth;
use crate::types::ProblemDocument;
use axum::extract::State;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use channel::SecretText;
use desk::mailbox::ledger::{Figures, MissingItem};
use desk::mailbox::sign_in::{self, SignInFailed};
use desk::mailbox::{check, fetch, history, ledger};
use http::StatusCode;
use model::{Channel, ImportState, InboxId, PullFolderId, PullHealth, Timestamp, TroubleKind};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json_;
use std::collections::BTreeMap;
use store::pull::{InboxCheck, PullImport, PullState};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(
        presets,
        discover,
        set_secrets,
        begin,
        begin_device,
        poll_device,
        start_check,
        show_check,
        show_ledger,
        count,
        refetch,
        start_import,
        show_import,
        stop_import
    ),
    components(schemas(
        MailPresets,
        MailPreset,
        MailDiscovery,
        MailDiscovered,
        InboxSecrets,
        SignInPage,
        SignInCode,
        SignInPoll,
        MailCheck,
        MailCheckStep,
        MailLedger,
        LedgerFolder,
        LedgerMissing,
        LedgerTrouble,
        ImportWanted,
        MailImport
    ))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/mail/presets", get(presets))
        .route("/mail/discover", post(discover))
        .route("/inboxes/{id}/secrets", put(set_secrets))
        .route("/inboxes/{id}/sign_in", post(begin))
        .route("/inboxes/{id}/sign_in/device", post(begin_device))
        .route("/inboxes/{id}/sign_in/device/poll", post(poll_device))
        .route("/inboxes/{id}/check", post(start_check).get(show_check))
        .route("/inboxes/{id}/ledger", get(show_ledger))
        .route("/inboxes/{id}/ledger/count", post(count))
        .route("/inboxes/{id}/refetch", post(refetch))
        .route("/inboxes/{id}/import", post(start_import).get(show_import).delete(stop_import))
}

impl From<SignInFailed> for Problem {
    fn from(error: SignInFailed) -> Self {
        match error {
            SignInFailed::Change(error) => error.into(),
            SignInFailed::Refused(text) => Self::conflict("sign_in_refused", "The provider refused the sign-in.").detail(text),
            SignInFailed::Unreachable(text) => {
                Self::conflict("provider_unreachable", "The provider did not answer.").detail(text)
            }
            SignInFailed::Expired => Self::gone("sign_in_expired", "This sign-in has expired. Begin again."),
        }
    }
}

/// Known mail providers.
#[derive(Serialize, ToSchema)]
pub struct MailPresets {
    /// Best known first.
    pub items: Vec<MailPreset>,
    /// Where providers send the browser back: what an admin registers there.
    pub redirect_url: String,
}

/// A mail provider that we know.
#[derive(Serialize, ToSchema)]
pub struct MailPreset {
    /// Stable id such as `gmail`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// A merge patch for the settings of a mail inbox.
    #[schema(value_type = Object)]
    pub settings: Json_,
    /// Ways to sign in that it accepts, best first: `oauth`, `password`.
    pub sign_in: Vec<String>,
    /// What an admin has to know, in plain words; empty when nothing.
    pub note: String,
}

/// Known mail providers. For every agent: there is nothing secret in it.
#[utoipa::path(get, path = "/mail/presets", tag = "mailbox", responses((status = 200, body = MailPresets)))]
async fn presets(State(front): State<Front>, SignedIn { .. }: SignedIn, caller: Caller) -> Json<MailPresets> {
    let items = sign_in::presets(&front.desk, Channel::Email);
    let items =
        items.into_iter().map(|p| MailPreset { id: p.id, name: p.name, settings: p.settings, sign_in: p.sign_in, note: p.note });
    Json(MailPresets { items: items.collect(), redirect_url: format!("{}{}", caller.base, oauth::PATH) })
}

/// An address whose provider is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailDiscovery {
    /// The address.
    pub address: String,
}

/// What was found for an address.
#[derive(Serialize, ToSchema)]
pub struct MailDiscovered {
    /// False: nothing was found, only settings by hand help.
    pub found: bool,
    /// The provider, when it is a known one.
    pub preset: Option<String>,
    /// How it is called.
    pub name: String,
    /// By which rule: `domain`, `mx`, `srv`, `autoconfig`, `guess`.
    pub by: String,
    /// A merge patch for the settings of a mail inbox.
    #[schema(value_type = Object)]
    pub settings: Json_,
    /// Ways to sign in, best first.
    pub sign_in: Vec<String>,
}

/// Finds the servers of a mail address. For admins.
#[utoipa::path(post, path = "/mail/discover", tag = "mailbox", request_body = MailDiscovery,
    responses((status = 200, body = MailDiscovered), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn discover(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(asked): JsonBody<MailDiscovery>,
) -> Result<Json<MailDiscovered>, Problem> {
    let found = sign_in::discover(&front.desk, &who, Channel::Email, &asked.address).await?;
    Ok(Json(match found {
        Some(found) => MailDiscovered {
            found: true,
            preset: found.preset,
            name: found.name,
            by: found.by,
            settings: found.settings,
            sign_in: found.sign_in,
        },
        None => MailDiscovered {
            found: false,
            preset: None,
            name: String::new(),
            by: String::new(),
            settings: serde_json::json!({}),
            sign_in: vec!["password".to_owned()],
        },
    }))
}

/// Secrets to be set; what is not named stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InboxSecrets {
    /// By name (`password`, `smtp_password`, `oauth_client_secret`); an empty one is forgotten. They are never shown again.
    pub secrets: BTreeMap<String, String>,
}

/// Sets passwords and keys of an inbox. For admins.
#[utoipa::path(put, path = "/inboxes/{id}/secrets", tag = "mailbox", params(("id" = InboxId, Path)), request_body = InboxSecrets,
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn set_secrets(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
    JsonBody(new): JsonBody<InboxSecrets>,
) -> Result<StatusCode, Problem> {
    let secrets = new.secrets.into_iter().map(|(name, text)| (name, SecretText::new(text))).collect();
    sign_in::set_secrets(&front.desk, &who, id, secrets).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The provider's page.
#[derive(Serialize, ToSchema)]
pub struct SignInPage {
    /// Where to send the browser.
    pub url: String,
}

/// Begins signing in on the provider's page (OAuth with PKCE). For admins.
#[utoipa::path(post, path = "/inboxes/{id}/sign_in", tag = "mailbox", params(("id" = InboxId, Path)),
    responses((status = 200, body = SignInPage), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn begin(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    caller: Caller,
    Path(id): Path<InboxId>,
) -> Result<Json<SignInPage>, Problem> {
    let redirect_url = format!("{}{}", caller.base, oauth::PATH);
    Ok(Json(SignInPage { url: sign_in::begin(&front.desk, &who, id, &redirect_url).await? }))
}

/// A code to be typed on another device.
#[derive(Serialize, ToSchema)]
pub struct SignInCode {
    /// What to type.
    pub code: String,
    /// Where.
    pub url: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// Poll no more often than this.
    pub interval_seconds: i64,
}

/// Begins signing in with a code that is typed on another device. For admins.
#[utoipa::path(post, path = "/inboxes/{id}/sign_in/device", tag = "mailbox", params(("id" = InboxId, Path)),
    responses((status = 200, body = SignInCode), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn begin_device(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<Json<SignInCode>, Problem> {
    let begun = sign_in::begin_device(&front.desk, &who, id).await?;
    Ok(Json(SignInCode { code: begun.code, url: begun.url, expires_at: begun.until, interval_seconds: begun.interval_s }))
}

/// Whether the code was typed.
#[derive(Serialize, ToSchema)]
pub struct SignInPoll {
    /// Signed in.
    pub done: bool,
    /// Else: ask again after so many seconds.
    pub interval_seconds: Option<i64>,
}

/// Asks whether the code was typed. For admins.
#[utoipa::path(post, path = "/inboxes/{id}/sign_in/device/poll", tag = "mailbox", params(("id" = InboxId, Path)),
    responses((status = 200, body = SignInPoll), (status = 403, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 410, body = ProblemDocument)))]
async fn poll_device(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<Json<SignInPoll>, Problem> {
    let interval_seconds = sign_in::poll_device(&front.desk, &who, id).await?;
    Ok(Json(SignInPoll { done: interval_seconds.is_none(), interval_seconds }))
}

/// A check of an inbox.
#[derive(Serialize, ToSchema)]
pub struct MailCheck {
    /// Which run.
    pub run: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; null: at it.
    pub ended_at: Option<Timestamp>,
    /// What was found so far, in order.
    pub steps: Vec<MailCheckStep>,
}

/// One step of a check.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct MailCheckStep {
    /// Stable word of what was looked at.
    pub code: String,
    /// `ok`, `warn` or `failed`.
    pub state: String,
    /// What was found and what to do.
    pub text: String,
    /// When.
    pub at: Option<Timestamp>,
}

impl From<InboxCheck> for MailCheck {
    fn from(check: InboxCheck) -> Self {
        let steps = serde_json::from_value(check.steps).unwrap_or_default();
        Self { run: check.run, started_at: check.started_at, ended_at: check.ended_at, steps }
    }
}

/// Starts a check: signs in, reads, sends a test mail to itself and waits for it. For admins.
#[utoipa::path(post, path = "/inboxes/{id}/check", tag = "mailbox", params(("id" = InboxId, Path)),
    responses((status = 202, body = MailCheck), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn start_check(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<(StatusCode, Json<MailCheck>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(check::start(&front.desk, &who, id).await?.into())))
}

/// The last check with its steps so far. For admins.
#[utoipa::path(get, path = "/inboxes/{id}/check", tag = "mailbox", params(("id" = InboxId, Path)),
    responses((status = 200, body = MailCheck), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn show_check(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<Json<MailCheck>, Problem> {
    Ok(Json(check::last(&front.desk, &who, id).await?.ok_or_else(Problem::not_found)?.into()))
}

/// The ledger of an inbox: on the server = here + quarantined + ignored + waiting, or something is missing.
#[derive(Serialize, ToSchema)]
pub struct MailLedger {
    /// How the fetching fares.
    pub state: PullHealth,
    /// The server tells us of new mail by itself.
    pub push: bool,
    /// When the server last answered.
    pub alive_at: Option<Timestamp>,
    /// Since when it has not.
    pub trouble_since: Option<Timestamp>,
    /// Long enough that everybody should see it.
    pub banner: bool,
    /// What it said last.
    pub reason: Option<String>,
    /// When it was last counted; null: never.
    pub counted_at: Option<Timestamp>,
    /// Whether everything was accounted for.
    pub balanced: bool,
    /// Folder by folder.
    pub folders: Vec<LedgerFolder>,
    /// What happened, latest first.
    pub troubles: Vec<LedgerTrouble>,
    /// The import of what was there before.
    pub import: Option<MailImport>,
}

/// A folder of the ledger.
#[derive(Serialize, ToSchema)]
pub struct LedgerFolder {
    /// Its id.
    pub id: PullFolderId,
    /// As the server names it.
    pub name: String,
    /// What it is for: inbox, sent, junk, other.
    pub role: String,
    /// When it was last counted.
    pub counted_at: Option<Timestamp>,
    /// How many lie at the server.
    pub on_server: i64,
    /// Of these: here.
    pub here: i64,
    /// Of these: in quarantine.
    pub quarantined: i64,
    /// Of these: kept out, by the name of the rule.
    pub ignored: BTreeMap<String, i64>,
    /// Of these: on their way, or being read.
    pub waiting: i64,
    /// Of these: nothing of the above; must be 0.
    pub missing: i64,
    /// Stored here and no longer at the server.
    pub gone: i64,
    /// The missing ones, the first 200.
    pub missing_items: Vec<LedgerMissing>,
}

/// Something that lies at the server and is nowhere here.
#[derive(Serialize, ToSchema)]
pub struct LedgerMissing {
    /// Folder, numbering and number at the server.
    pub key: String,
    /// When the server got it.
    pub at: Option<Timestamp>,
    /// Its size there.
    pub bytes: u64,
}

/// Something that happened to the fetching.
#[derive(Serialize, ToSchema)]
pub struct LedgerTrouble {
    /// What.
    pub kind: TroubleKind,
    /// In words or figures.
    pub detail: String,
    /// From when.
    pub began_at: Timestamp,
    /// Until when; null: still.
    pub ended_at: Option<Timestamp>,
}

fn folder((row, figures): (store::pull::PullFolder, Figures)) -> LedgerFolder {
    let missing = |item: MissingItem| LedgerMissing { key: item.key, at: item.at, bytes: item.bytes };
    LedgerFolder {
        id: row.id,
        name: row.name,
        role: row.role,
        counted_at: row.checked_at,
        on_server: figures.on_server,
        here: figures.here,
        quarantined: figures.quarantined,
        ignored: figures.ignored,
        waiting: figures.waiting,
        missing: figures.missing,
        gone: figures.gone,
        missing_items: figures.missing_items.into_iter().map(missing).collect(),
    }
}

/// The ledger of a mailbox as it was last counted. For admins.
#[utoipa::path(get, path = "/inboxes/{id}/ledger", tag = "mailbox", params(("id" = InboxId, Path)),
    responses((status = 200, body = MailLedger), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn show_ledger(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<Json<MailLedger>, Problem> {
    let shown = ledger::show(&front.desk, &who, id).await?;
    let now = front.desk.now();
    let PullState { state, push, alive_at, trouble_since, reason, checked_at, balanced, .. } = shown.state;
    Ok(Json(MailLedger {
        state,
        push,
        alive_at,
        trouble_since,
        banner: trouble_since.is_some_and(|since| now.since(since) >= fetch::BANNER_AFTER_MS),
        reason,
        counted_at: checked_at,
        balanced,
        folders: shown.folders.into_iter().map(folder).collect(),
        troubles: shown
            .troubles
            .into_iter()
            .map(|t| LedgerTrouble { kind: t.kind, detail: t.detail, began_at: t.began_at, ended_at: t.ended_at })
            .collect(),
        import: shown.import.map(MailImport::from),
    }))
}

/// Counts now. For admins.
#[utoipa::path(post, path = "/inboxes/{id}/ledger/count", tag = "mailbox", params(("id" = InboxId, Path)),
    responses((status = 202), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn count(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<StatusCode, Problem> {
    ledger::ask(&front.desk, &who, id, false).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Fetches what is missing once more, then counts. For admins.
#[utoipa::path(post, path = "/inboxes/{id}/refetch", tag = "mailbox", params(("id" = InboxId, Path)),
    responses((status = 202), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn refetch(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<StatusCode, Problem> {
    ledger::ask(&front.desk, &who, id, true).await?;
    Ok(StatusCode::ACCEPTED)
}

/// What is to be taken in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportWanted {
    /// How many days back; left out: everything.
    #[serde(default)]
    pub days: Option<i64>,
}

/// How far an import is.
#[derive(Serialize, ToSchema)]
pub struct MailImport {
    /// Waiting, running, done, stopped or failed.
    pub state: ImportState,
    /// From when on; null: everything.
    pub since: Option<Timestamp>,
    /// How many there are; 0 while that is not known.
    pub total: i64,
    /// How many are here.
    pub done: i64,
    /// What went wrong last.
    pub reason: Option<String>,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl From<PullImport> for MailImport {
    fn from(i: PullImport) -> Self {
        Self {
            state: i.state,
            since: i.since,
            total: i.total,
            done: i.done,
            reason: i.reason,
            started_at: i.started_at,
            ended_at: i.ended_at,
        }
    }
}

/// Takes in what was there before, as history: nothing is answered, no clock runs. Begins, or goes on. For admins.
#[utoipa::path(post, path = "/inboxes/{id}/import", tag = "mailbox", params(("id" = InboxId, Path)), request_body = ImportWanted,
    responses((status = 202, body = MailImport), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn start_import(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
    JsonBody(wanted): JsonBody<ImportWanted>,
) -> Result<(StatusCode, Json<MailImport>), Problem> {
    if wanted.days.is_some_and(|days| !(1..=36_500).contains(&days)) {
        return Err(Problem::invalid("days", "1 to 36500, or left out for everything"));
    }
    Ok((StatusCode::ACCEPTED, Json(history::start(&front.desk, &who, id, wanted.days).await?.into())))
}

/// How far the import is. For admins.
#[utoipa::path(get, path = "/inboxes/{id}/import", tag = "mailbox", params(("id" = InboxId, Path)),
    responses((status = 200, body = MailImport), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn show_import(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<Json<MailImport>, Problem> {
    let import = ledger::show(&front.desk, &who, id).await?.import;
    Ok(Json(import.ok_or_else(Problem::not_found)?.into()))
}

/// Stops the import; what is here stays. For admins.
#[utoipa::path(delete, path = "/inboxes/{id}/import", tag = "mailbox", params(("id" = InboxId, Path)),
    responses((status = 200, body = MailImport), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn stop_import(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<Json<MailImport>, Problem> {
    Ok(Json(history::stop(&front.desk, &who, id).await?.into()))
}
