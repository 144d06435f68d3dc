//! Hand-overs of a conversation: links and codes, what they proved, and what is known about the matter.

use super::conversation::must_see;
use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path};
use crate::error::Problem;
use crate::front::Caller;
use crate::types::ProblemDocument;
use axum::extract::State;
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use desk::facts;
use desk::handoff::{self, HandoffError, HandoffSettings as DeskSettings, Mode, NewHandoff, proof};
use http::{HeaderMap, StatusCode};
use model::{Channel, ContactId, ContactPointId, ConversationId, EntryId, FactId, HandoffId, InboxId, ProofId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{StoreError, handoff_token::HandoffToken};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(list, make, take_back, check_code, end_proof, known, set_fact, end_fact, settings, put_settings),
    components(schemas(
        Handoffs,
        Handoff,
        HandoffMade,
        MakeHandoff,
        HandoffWay,
        SaidCode,
        CodeChecked,
        Known,
        KnownFact,
        LiveProof,
        SetFact,
        HandoffSettings
    ))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/conversations/{id}/handoffs", get(list).post(make))
        .route("/conversations/{id}/handoffs/check", post(check_code))
        .route("/conversations/{id}/handoffs/{handoff}", delete(take_back))
        .route("/conversations/{id}/proof", delete(end_proof))
        .route("/conversations/{id}/facts", get(known))
        .route("/conversations/{id}/facts/{name}", put(set_fact).delete(end_fact))
        .route("/handoff_settings", get(settings).put(put_settings))
}

impl From<HandoffError> for Problem {
    fn from(error: HandoffError) -> Self {
        match error {
            HandoffError::NotFound => Self::not_found(),
            HandoffError::Blocked(reason) => {
                Self::conflict("way_blocked", "This way to the customer is closed.").args(serde_json::json!({ "reason": reason }))
            }
            HandoffError::NotConfirmed => {
                Self::conflict("not_confirmed", "A code can only be sent to a confirmed address of the customer.")
            }
            HandoffError::Invalid { field, text } => Self::invalid(field, text),
            HandoffError::Store(error) => error.into(),
        }
    }
}

/// The links and codes of a conversation.
#[derive(Serialize, ToSchema)]
pub struct Handoffs {
    /// Newest first.
    pub items: Vec<Handoff>,
}

/// One link or code.
#[derive(Serialize, ToSchema)]
pub struct Handoff {
    /// Its id.
    pub id: HandoffId,
    /// `link` or `code`.
    pub mode: String,
    /// `open`, `used` or `over`.
    pub state: String,
    /// What it proves: 0 nothing, 2 confirmed, 3 signed in.
    pub level: i64,
    /// Where it leads.
    pub to_channel: Option<Channel>,
    /// To which inbox there.
    pub to_inbox_id: Option<InboxId>,
    /// The address that it was sent to.
    pub contact_point_id: Option<ContactPointId>,
    /// The message that carries it.
    pub entry_id: Option<EntryId>,
    /// Who made it, such as `agent:agt_..`.
    pub made_by: String,
    /// When.
    pub made_at: Timestamp,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// By whom: the customer, or somebody else to whom it was passed on.
    pub used_by: Option<ContactId>,
}

impl Handoff {
    fn of(token: HandoffToken, now: Timestamp) -> Self {
        let state = match token.used_at {
            Some(_) => "used",
            None if token.expires_at < now => "over",
            None => "open",
        };
        Self {
            id: HandoffId(token.id),
            mode: token.mode,
            state: state.to_owned(),
            level: token.level,
            to_channel: token.target_channel,
            to_inbox_id: token.target_inbox_id,
            contact_point_id: token.delivered_point_id,
            entry_id: token.entry_id,
            made_by: token.made_by,
            made_at: token.created_at,
            expires_at: token.expires_at,
            used_at: token.used_at,
            used_by: token.used_by,
        }
    }
}

/// The links and codes of a conversation, with what became of them.
#[utoipa::path(get, path = "/conversations/{id}/handoffs", tag = "handoff", params(("id" = ConversationId, Path)),
    responses((status = 200, body = Handoffs), (status = 404, body = ProblemDocument)))]
async fn list(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<Json<Handoffs>, Problem> {
    must_see(&front, &who, id).await?;
    let now = front.desk.now();
    let all = handoff::make::list(&front.desk, who.workspace, id).await?;
    Ok(Json(Handoffs { items: all.into_iter().map(|token| Handoff::of(token, now)).collect() }))
}

/// A way to the customer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandoffWay {
    /// Through this inbox.
    pub inbox_id: InboxId,
    /// To this address; else the inbox's first.
    #[serde(default)]
    pub contact_point_id: Option<ContactPointId>,
}

/// A link or code to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeHandoff {
    /// `link` or `code`.
    pub mode: String,
    /// Where a link leads: an inbox of ours; else as set, else the first web chat.
    #[serde(default)]
    pub to_inbox_id: Option<InboxId>,
    /// The way by which it is sent. Left out: a link to be copied.
    #[serde(default)]
    pub via: Option<HandoffWay>,
    /// Send it where the customer wrote last, in the words that are set: the redirect of one press.
    #[serde(default)]
    pub redirect: bool,
    /// Words of the message, with `{link}` or `{code}`; else as set.
    #[serde(default)]
    pub text: Option<String>,
    /// What the customer should have at hand; else as set.
    #[serde(default)]
    pub checklist: Option<Vec<String>>,
}

/// What was made.
#[derive(Serialize, ToSchema)]
pub struct HandoffMade {
    /// Its id.
    pub id: HandoffId,
    /// The link, when it was not sent: shown this once.
    pub url: Option<String>,
    /// The message that carries it.
    pub entry_id: Option<EntryId>,
    /// What it will prove.
    pub level: i64,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// Makes a link or code that lets the customer go on on another channel, and sends it.
#[utoipa::path(post, path = "/conversations/{id}/handoffs", tag = "handoff",
    params(("id" = ConversationId, Path), ("Idempotency-Key" = String, Header)), request_body = MakeHandoff,
    responses((status = 201, body = HandoffMade), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn make(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(asked): JsonBody<MakeHandoff>,
) -> Result<(StatusCode, Json<HandoffMade>), Problem> {
    must_see(&front, &who, id).await?;
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if key.is_empty() || key.len() > 100 {
        return Err(Problem::invalid("Idempotency-Key", "a header of 1 to 100 characters"));
    }
    let mode = Mode::parse(&asked.mode).ok_or_else(|| Problem::invalid("mode", "link or code"))?;
    let new = NewHandoff {
        mode,
        target: asked.to_inbox_id,
        via: asked.via.map(|way| (way.inbox_id, way.contact_point_id)),
        redirect: asked.redirect,
        text: asked.text,
        checklist: asked.checklist,
        base: caller.base,
        idempotency_key: key.to_owned(),
    };
    let made = handoff::make(&front.desk, &who, id, new).await?;
    let made = HandoffMade {
        id: made.id,
        url: made.url,
        entry_id: made.entry.map(|entry| entry.id),
        level: made.level,
        expires_at: made.expires_at,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Takes a link or code back that was not used yet.
#[utoipa::path(delete, path = "/conversations/{id}/handoffs/{handoff}", tag = "handoff",
    params(("id" = ConversationId, Path), ("handoff" = HandoffId, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
async fn take_back(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path((id, one)): Path<(ConversationId, HandoffId)>,
) -> Result<StatusCode, Problem> {
    must_see(&front, &who, id).await?;
    handoff::take_back(&front.desk, &who, id, one).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the customer said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaidCode {
    /// Six digits.
    pub code: String,
}

/// Was it the code?
#[derive(Serialize, ToSchema)]
pub struct CodeChecked {
    /// Yes: the customer counts as proven now.
    pub right: bool,
    /// The proof.
    pub proof: Option<LiveProof>,
}

/// Checks a code that the customer said to the agent. After five wrong ones it is over.
#[utoipa::path(post, path = "/conversations/{id}/handoffs/check", tag = "handoff", params(("id" = ConversationId, Path)),
    request_body = SaidCode, responses((status = 200, body = CodeChecked), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn check_code(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
    JsonBody(said): JsonBody<SaidCode>,
) -> Result<Json<CodeChecked>, Problem> {
    must_see(&front, &who, id).await?;
    let right = handoff::redeem::check_code(&front.desk, &who, id, &said.code).await?;
    let proof = handoff::live_proof(&front.desk, who.workspace, id).await?.map(LiveProof::from);
    Ok(Json(CodeChecked { right, proof }))
}

/// A proof that counts now.
#[derive(Serialize, ToSchema)]
pub struct LiveProof {
    /// Its id.
    pub id: ProofId,
    /// 2 confirmed, 3 signed in.
    pub level: i64,
    /// Of whom.
    pub contact_id: ContactId,
    /// The address that proved it.
    pub contact_point_id: Option<ContactPointId>,
    /// Since when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl From<store::proof::Proof> for LiveProof {
    fn from(proof: store::proof::Proof) -> Self {
        Self {
            id: proof.id,
            level: proof.level,
            contact_id: proof.contact_id,
            contact_point_id: proof.contact_point_id,
            from: proof.from_at,
            until: proof.until_at,
        }
    }
}

/// Ends the proof that counts in a conversation.
#[utoipa::path(delete, path = "/conversations/{id}/proof", tag = "handoff", params(("id" = ConversationId, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
async fn end_proof(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<StatusCode, Problem> {
    must_see(&front, &who, id).await?;
    let ended = handoff::end_proof(&front.desk, &who, id).await?;
    if ended { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}

/// What is known about the matter of a conversation.
#[derive(Serialize, ToSchema)]
pub struct Known {
    /// By name; a name may stand several times.
    pub facts: Vec<KnownFact>,
    /// Names of the intake that are missing.
    pub missing: Vec<String>,
    /// How sure we are of the customer now: 0 only stated, 1 unverified, 2 confirmed, 3 signed in.
    pub proof_level: i64,
    /// The proof behind that, when it is one that ends.
    pub proof: Option<LiveProof>,
}

/// One fact.
#[derive(Serialize, ToSchema)]
pub struct KnownFact {
    /// Its id.
    pub id: FactId,
    /// What it is about: name, order_number, topic, action, or a name of a form or program.
    pub name: String,
    /// What is known.
    pub value: String,
    /// `agent`, `form`, `text` or `program`.
    pub source: String,
    /// The entry in which it was said.
    pub entry_id: Option<EntryId>,
    /// Who set it.
    pub set_by: String,
    /// When.
    pub set_at: Timestamp,
}

impl From<store::fact::Fact> for KnownFact {
    fn from(fact: store::fact::Fact) -> Self {
        Self {
            id: fact.id,
            name: fact.name,
            value: fact.value,
            source: fact.source,
            entry_id: fact.entry_id,
            set_by: fact.set_by,
            set_at: fact.set_at,
        }
    }
}

async fn what_is_known(front: &Front, workspace: model::WorkspaceId, id: ConversationId) -> Result<Json<Known>, Problem> {
    let now = front.desk.now();
    let read = front.desk.db.read(move |tx| -> Result<_, StoreError> {
        let facts = facts::known(tx, workspace, id)?;
        let (level, _) = proof::level_now(tx, workspace, id, now)?;
        Ok((facts, level, store::proof::live(tx, workspace, id, now)?))
    });
    let (facts, proof_level, live) = read.await?;
    let missing = facts::INTAKE.iter().filter(|name| !facts.iter().any(|fact| fact.name == **name));
    Ok(Json(Known {
        missing: missing.map(|name| (*name).to_owned()).collect(),
        facts: facts.into_iter().map(KnownFact::from).collect(),
        proof_level,
        proof: live.map(LiveProof::from),
    }))
}

/// What is known about the matter: shown first when somebody takes over or the channel changes.
#[utoipa::path(get, path = "/conversations/{id}/facts", tag = "handoff", params(("id" = ConversationId, Path)),
    responses((status = 200, body = Known), (status = 404, body = ProblemDocument)))]
async fn known(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<Json<Known>, Problem> {
    must_see(&front, &who, id).await?;
    what_is_known(&front, who.workspace, id).await
}

/// A value.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFact {
    /// 1 to 500 characters.
    pub value: String,
}

/// Writes a fact down, or corrects it. Order numbers and actions may be several; of other names the new value replaces the
/// old one.
#[utoipa::path(put, path = "/conversations/{id}/facts/{name}", tag = "handoff",
    params(("id" = ConversationId, Path), ("name" = String, Path)), request_body = SetFact,
    responses((status = 200, body = Known), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn set_fact(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path((id, name)): Path<(ConversationId, String)>,
    JsonBody(fact): JsonBody<SetFact>,
) -> Result<Json<Known>, Problem> {
    must_see(&front, &who, id).await?;
    facts::set(&front.desk, &who, id, &name, &fact.value).await.map_err(HandoffError::from)?;
    what_is_known(&front, who.workspace, id).await
}

/// Takes a value away that is wrong; `name` is here the fact's id.
#[utoipa::path(delete, path = "/conversations/{id}/facts/{name}", tag = "handoff",
    params(("id" = ConversationId, Path), ("name" = FactId, Path)),
    responses((status = 200, body = Known), (status = 404, body = ProblemDocument)))]
async fn end_fact(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path((id, fact)): Path<(ConversationId, FactId)>,
) -> Result<Json<Known>, Problem> {
    must_see(&front, &who, id).await?;
    facts::end(&front.desk, &who, id, fact).await.map_err(HandoffError::from)?;
    what_is_known(&front, who.workspace, id).await
}

/// What a workspace sets for hand-overs.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandoffSettings {
    /// How long a link works: 5 to 1,440 minutes.
    pub link_minutes: i64,
    /// How long a code works: 2 to 60 minutes.
    pub code_minutes: i64,
    /// How long a proof counts: 1 to 1,440 minutes.
    pub proof_minutes: i64,
    /// What the customer should have at hand.
    pub checklist: Vec<String>,
    /// The message with a link: `{link}`, `{checklist}`, `{business}`.
    pub link_text: String,
    /// The message with a code: `{code}`, `{business}`.
    pub code_text: String,
    /// Where links lead that name no inbox; null: the first web chat.
    pub inbox_id: Option<InboxId>,
}

impl From<DeskSettings> for HandoffSettings {
    fn from(s: DeskSettings) -> Self {
        Self {
            link_minutes: s.link_minutes,
            code_minutes: s.code_minutes,
            proof_minutes: s.proof_minutes,
            checklist: s.checklist,
            link_text: s.link_text,
            code_text: s.code_text,
            inbox_id: s.inbox_id,
        }
    }
}

/// The settings of hand-overs.
#[utoipa::path(get, path = "/handoff_settings", tag = "handoff", responses((status = 200, body = HandoffSettings)))]
async fn settings(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<HandoffSettings>, Problem> {
    Ok(Json(handoff::settings::get(&front.desk, who.workspace).await?.into()))
}

/// Sets all of them. For admins.
#[utoipa::path(put, path = "/handoff_settings", tag = "handoff", request_body = HandoffSettings,
    responses((status = 200, body = HandoffSettings), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn put_settings(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(s): JsonBody<HandoffSettings>,
) -> Result<Json<HandoffSettings>, Problem> {
    let settings = DeskSettings {
        link_minutes: s.link_minutes,
        code_minutes: s.code_minutes,
        proof_minutes: s.proof_minutes,
        checklist: s.checklist,
        link_text: s.link_text,
        code_text: s.code_text,
        inbox_id: s.inbox_id,
    };
    Ok(Json(handoff::settings::put(&front.desk, &who, settings).await?.into()))
}
