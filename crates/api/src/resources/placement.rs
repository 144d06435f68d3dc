//! Why an entry stands where it stands, the answer to "Is this about #4812?", the rules of matching, and rehearsals.

use super::conversation::{must_see, must_see_entry};
use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path};
use crate::error::Problem;
use crate::types::ProblemDocument;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use channel::{ClaimSource, ContactPointClaim, InboundMessage};
use desk::journeys::why::{self, Choice, ChoiceError, RehearsalError};
use desk::people::rights::may_set_up_workspace;
use desk::placement::Action;
use desk::settings::rules;
use model::{Channel, ContactId, ContactPointKind, ConversationId, EntryId, InboxId, ProviderEventId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value as AnyJson;
use store::entry::Decision;
use utoipa::{OpenApi, ToSchema};

const KEYS_MAX: usize = 20;

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(why_entry, why_event, choose, get_rules, change_rules, rehearse),
    components(schemas(Why, PlacementChoice, Placed, RehearsedKey, RehearsedEvent, Rehearsal))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/entries/{id}/why", get(why_entry))
        .route("/entries/{id}/placement", post(choose))
        .route("/provider_events/{id}/why", get(why_event))
        .route("/matching_rules", get(get_rules).patch(change_rules))
        .route("/rehearse/inbound", post(rehearse))
}

/// A decision of identity and placement, with everything that was weighed.
#[derive(Serialize, ToSchema)]
pub struct Why {
    /// Code of the rule that decided.
    pub rule: String,
    /// When.
    pub made_at: Timestamp,
    /// Conversations to choose between, while nobody has: "Is this about #4812?".
    pub choices: Vec<ConversationId>,
    /// Where it was put by an agent.
    pub answer: Option<String>,
    /// By whom: `agent:agt_..`.
    pub answered_by: Option<String>,
    /// When.
    pub answered_at: Option<Timestamp>,
    /// The keys tried, the rules asked in order, topics, windows.
    #[schema(value_type = Object)]
    pub trace: AnyJson,
}

impl From<Decision> for Why {
    fn from(decision: Decision) -> Self {
        let choices = if decision.answer.is_some() { vec![] } else { why::choices(&decision) };
        Self {
            rule: decision.rule,
            made_at: decision.made_at,
            choices,
            answer: decision.answer,
            answered_by: decision.answered_by,
            answered_at: decision.answered_at,
            trace: decision.trace,
        }
    }
}

/// Why an entry stands in its conversation and with its contact. 404 for what agents wrote.
#[utoipa::path(get, path = "/entries/{id}/why", tag = "entry", params(("id" = EntryId, Path)),
    responses((status = 200, body = Why), (status = 404, body = ProblemDocument)))]
async fn why_entry(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<EntryId>,
) -> Result<Json<Why>, Problem> {
    must_see_entry(&front, &who, id).await?;
    let found = why::why(&front.desk, &who, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(found.into()))
}

/// Why no entry came of an event: suppressed, blocked, forged. For admins.
#[utoipa::path(get, path = "/provider_events/{id}/why", tag = "quarantine", params(("id" = ProviderEventId, Path)),
    responses((status = 200, body = Why), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn why_event(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ProviderEventId>,
) -> Result<Json<Why>, Problem> {
    if !may_set_up_workspace(who.role) {
        return Err(Problem::not_allowed());
    }
    let found = why::why_not(&front.desk, &who, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(found.into()))
}

/// What an agent says to the question.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacementChoice {
    /// One of the choices; null: it is something new.
    pub conversation_id: Option<ConversationId>,
}

/// Where an entry is now.
#[derive(Serialize, ToSchema)]
pub struct Placed {
    /// Its conversation.
    pub conversation_id: ConversationId,
}

/// Answers "Is this about #4812?": yes moves it there by labels (undoable as every such move), new leaves or splits it.
#[utoipa::path(post, path = "/entries/{id}/placement", tag = "entry", params(("id" = EntryId, Path)), request_body = PlacementChoice,
    responses((status = 200, body = Placed), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn choose(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<EntryId>,
    JsonBody(choice): JsonBody<PlacementChoice>,
) -> Result<Json<Placed>, Problem> {
    must_see_entry(&front, &who, id).await?;
    if let Some(target) = choice.conversation_id {
        must_see(&front, &who, target).await?;
    }
    let choice = choice.conversation_id.map_or(Choice::New, Choice::There);
    let conversation_id = why::choose(&front.desk, &who, id, choice).await?;
    Ok(Json(Placed { conversation_id }))
}

impl From<ChoiceError> for Problem {
    fn from(error: ChoiceError) -> Self {
        let text = error.to_string();
        match error {
            ChoiceError::NotAsked => Self::not_found(),
            ChoiceError::Answered => Self::conflict("answered", "Somebody has answered this before."),
            ChoiceError::NotOffered => Self::invalid("conversation_id", text),
            ChoiceError::Label(error) => error.into(),
            ChoiceError::Store(error) => error.into(),
        }
    }
}

/// Windows and thresholds of matching and placement, and how case and order numbers look.
#[utoipa::path(get, path = "/matching_rules", tag = "workspace", responses((status = 200, body = Object)))]
async fn get_rules(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<AnyJson>, Problem> {
    let found = rules::get(&front.desk, &who).await?;
    Ok(Json(serde_json::to_value(found).unwrap_or_default()))
}

/// Changes them by a merge patch; null gives a default back. For admins.
#[utoipa::path(patch, path = "/matching_rules", tag = "workspace", request_body = Object,
    responses((status = 200, body = Object), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn change_rules(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(patch): JsonBody<AnyJson>,
) -> Result<Json<AnyJson>, Problem> {
    let changed = rules::change(&front.desk, &who, patch).await?;
    Ok(Json(serde_json::to_value(changed).unwrap_or_default()))
}

/// A key of a sender.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RehearsedKey {
    /// What kind of address.
    pub kind: ContactPointKind,
    /// As it would come, in any spelling.
    pub value: String,
    /// Page, bot or inbox of an id that is only unique there.
    #[serde(default)]
    pub scope: String,
    /// 3 authenticated, 2 controlled, 1 spoofable, 0 claimed.
    pub proof_level: u8,
    /// Proven false.
    #[serde(default)]
    pub disproved: bool,
    /// Typed by a person.
    #[serde(default)]
    pub typed: bool,
}

/// An event that has not happened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RehearsedEvent {
    /// Where it would come in.
    pub inbox_id: InboxId,
    /// The provider's id of it.
    #[serde(default)]
    pub id: String,
    /// Its channel, where the inbox carries others.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// When; absent: now.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Who would send it.
    pub from: Vec<RehearsedKey>,
    /// Display name.
    #[serde(default)]
    pub name: Option<String>,
    /// Tokens in it.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// Ids that it answers, newest first.
    #[serde(default)]
    pub reply_to: Vec<String>,
    /// Order numbers beside those in the text.
    #[serde(default)]
    pub order_numbers: Vec<String>,
    /// Numbers of conversations beside those in the text.
    #[serde(default)]
    pub conversation_numbers: Vec<String>,
    /// Subject.
    #[serde(default)]
    pub subject: Option<String>,
    /// Text.
    #[serde(default)]
    pub text: String,
    /// Written by a machine.
    #[serde(default)]
    pub automatic: bool,
}

/// What would become of it.
#[derive(Serialize, ToSchema)]
pub struct Rehearsal {
    /// Code of the rule that decides.
    pub rule: String,
    /// `append`, `append_silent`, `reopen`, `new`, `suppress`, `quarantine`, `drop`.
    pub conversation: String,
    /// The conversation that it joins.
    pub conversation_id: Option<ConversationId>,
    /// The contact; null: a new one.
    pub contact_id: Option<ContactId>,
    /// `verified`, `controlled`, `unverified`, `none`.
    pub link: String,
    /// Contacts that may be the same person.
    pub suggest: Vec<ContactId>,
    /// Anonymous contacts that join.
    pub merge: Vec<ContactId>,
    /// Flags.
    pub flags: Vec<String>,
    /// Conversations that an agent would choose between.
    pub candidates: Vec<ConversationId>,
    /// A new conversation follows this one.
    pub follow_up_of: Option<ConversationId>,
    /// Shown beside a new one.
    pub related: Vec<ConversationId>,
    /// Everything that was weighed.
    #[schema(value_type = Object)]
    pub trace: AnyJson,
}

impl From<RehearsalError> for Problem {
    fn from(error: RehearsalError) -> Self {
        match error {
            RehearsalError::NotAllowed => Self::not_allowed(),
            RehearsalError::NoInbox => Self::invalid("inbox_id", "an inbox of this workspace"),
            RehearsalError::Store(error) => error.into(),
        }
    }
}

/// Says what would become of an event, by the same functions and the live data, and writes nothing. For admins.
#[utoipa::path(post, path = "/rehearse/inbound", tag = "workspace", request_body = RehearsedEvent,
    responses((status = 200, body = Rehearsal), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn rehearse(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(event): JsonBody<RehearsedEvent>,
) -> Result<Json<Rehearsal>, Problem> {
    if event.from.len() > KEYS_MAX || event.from.iter().any(|key| key.proof_level > 3) {
        return Err(Problem::invalid("from", "at most 20 keys with levels from 0 to 3"));
    }
    let claim = |key: RehearsedKey| {
        let source = if key.typed { ClaimSource::Typed } else { ClaimSource::Sender };
        let made = ContactPointClaim::new(key.kind, key.scope, key.value, key.proof_level, source);
        ContactPointClaim { disproved: key.disproved, ..made }.named(event.name.clone())
    };
    let message = InboundMessage {
        provider_id: event.id.clone(),
        channel: event.channel,
        from: event.from.into_iter().map(claim).collect(),
        tokens: event.tokens.clone(),
        reply_to: event.reply_to.clone(),
        order_numbers: event.order_numbers.clone(),
        conversation_numbers: event.conversation_numbers.clone(),
        subject: event.subject.clone(),
        text: event.text.clone(),
        automatic: if event.automatic { channel::Automatic::Reply } else { channel::Automatic::No },
        ..InboundMessage::default()
    };
    let at = event.at.unwrap_or_else(|| front.desk.now());
    let found = why::rehearse(&front.desk, &who, event.inbox_id, message, at).await?;
    Ok(Json(Rehearsal::from(found)))
}

impl From<why::Rehearsed> for Rehearsal {
    fn from(found: why::Rehearsed) -> Self {
        let placement = found.placement;
        let (word, follow_up_of) = match placement.action {
            Action::Append(_) => ("append", None),
            Action::AppendSilently(_) => ("append_silent", None),
            Action::Reopen(_) => ("reopen", None),
            Action::New { follow_up_of } => ("new", follow_up_of),
            Action::Suppress => ("suppress", None),
            Action::Quarantine => ("quarantine", None),
        };
        let link = match (found.contact, found.proof_level) {
            (None, _) | (_, 0) => "none",
            (_, 1) => "unverified",
            (_, 2) => "controlled",
            _ => "verified",
        };
        let (rule, word) = if found.duplicate { ("T0-duplicate", "drop") } else { (placement.rule, word) };
        Self {
            rule: rule.to_owned(),
            conversation: word.to_owned(),
            conversation_id: placement.action.conversation().filter(|_| !found.duplicate),
            contact_id: found.contact,
            link: link.to_owned(),
            suggest: found.suggest,
            merge: found.joins,
            flags: found.flags,
            candidates: placement.candidates,
            follow_up_of,
            related: placement.related,
            trace: found.trace,
        }
    }
}
