//! Conversations: lists with their counts, one in detail, and what agents change on them.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path, Query, set, three};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::contact::Contact;
use crate::types::conversation::{ContactName, ConversationPage, ConversationRow, Preview, QueryProblem, Total};
use crate::types::cursor;
use crate::types::entry::Draft;
use crate::types::file::Files;
use crate::types::live::{AgentPresence, CustomerPresence, Doing, Presence};
use crate::types::reply::{ReplyFix, ReplyLimits, ReplyOption, ReplyOptionList, ReplyState};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use desk::conversation::change::{self, ChangeError, Patch};
use desk::conversation::label::{self, LabelError};
use desk::view::list::{self, Asked, ViewKey};
use desk::view::rows::rows;
use desk::view::{Sight, contact};
use desk::{Who, reply};
use http::StatusCode;
use model::{AgentId, ContactId, ConversationId, EntryId, EventId, ParticipantRole, Priority, Status, TagId, TeamId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::conversation::list::Order;
use store::{Conn, StoreError};
use utoipa::{OpenApi, ToSchema};

/// Other conversations of the same customer that a detail shows.
const OTHERS_MAX: i64 = 50;

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(list, detail, patch, bulk, seen, take, next, merge, split, move_entry, undo, reply_options),
    components(schemas(
        ConversationPage,
        ConversationRow,
        ContactName,
        Preview,
        Total,
        QueryProblem,
        ConversationDetail,
        Participant,
        Presence,
        AgentPresence,
        CustomerPresence,
        Doing,
        ConversationPatch,
        Bulk,
        BulkDone,
        Seen,
        MergeInto,
        SplitEntries,
        MoveEntry,
        LabelChange,
        ReplyOption,
        ReplyOptionList,
        ReplyFix,
        ReplyLimits,
        ReplyState
    ))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/conversations", get(list))
        .route("/conversations/bulk", post(bulk))
        .route("/conversations/next", post(next))
        .route("/conversations/{id}", get(detail).patch(patch))
        .route("/conversations/{id}/seen", post(seen))
        .route("/conversations/{id}/take", post(take))
        .route("/conversations/{id}/merge", post(merge))
        .route("/conversations/{id}/split", post(split))
        .route("/conversations/{id}/reply-options", get(reply_options))
        .route("/entries/{id}/move", post(move_entry))
        .route("/undo/{id}", post(undo))
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound => Self::not_found(),
            ChangeError::ClosedForGood => closed_for_good(),
            ChangeError::Stale { seq } => {
                Self::conflict("stale", "Somebody changed this conversation meanwhile.").args(json!({ "seq": seq }))
            }
            ChangeError::Taken { agent } => {
                Self::conflict("taken", "Somebody else has taken this conversation.").args(json!({ "agent_id": agent }))
            }
            ChangeError::Invalid { field, text } => Self::invalid(field, text),
            ChangeError::Store(error) => error.into(),
        }
    }
}

pub(super) fn closed_for_good() -> Problem {
    Problem::conflict("closed_for_good", "This conversation is closed for good. A new message begins a follow-up.")
}

impl From<LabelError> for Problem {
    fn from(error: LabelError) -> Self {
        let text = error.to_string();
        match error {
            LabelError::NotFound => Self::not_found(),
            LabelError::Same => Self::conflict("same", "That is the same conversation.").detail(text),
            LabelError::OtherContact => {
                Self::conflict("other_contact", "These conversations belong to different customers.").detail(text)
            }
            LabelError::MergedAway => {
                Self::conflict("merged_away", "This conversation was merged into another one.").detail(text)
            }
            LabelError::NothingToUndo => Self::conflict("nothing_to_undo", "There is nothing here that can be taken back."),
            LabelError::TooLate => Self::conflict("too_late", "This can no longer be taken back.").detail(text),
            LabelError::Store(error) => error.into(),
            _ => Self::invalid("entry_ids", text),
        }
    }
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    view: Option<String>,
    #[serde(default)]
    q: Option<String>,
    #[serde(default)]
    sort: Option<String>,
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    limit: Option<i64>,
}

/// A list of conversations.
#[utoipa::path(get, path = "/conversations", tag = "conversation",
    params(("view" = Option<String>, Query), ("q" = Option<String>, Query), ("sort" = Option<String>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = ConversationPage), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn list(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(query): Query<ListQuery>,
) -> Result<Json<ConversationPage>, Problem> {
    let view = match query.view.as_deref() {
        None | Some("") => ViewKey::All,
        Some(text) => ViewKey::parse(text).ok_or_else(|| {
            Problem::invalid(
                "view",
                "mine, unassigned, mentions, waiting, snoozed, sends_later, closed, all, spam, team:<id> or view:<id>",
            )
        })?,
    };
    let sort = match query.sort.as_deref() {
        None | Some("" | "newest") => Order::Newest,
        Some("oldest") => Order::Oldest,
        Some(_) => return Err(Problem::invalid("sort", "newest or oldest")),
    };
    let asked = Asked {
        view,
        query: query.q.unwrap_or_default(),
        sort,
        after: cursor::of_query(query.cursor.as_deref())?,
        limit: cursor::limit(query.limit)?,
    };
    let now = front.desk.now();
    let page = front.desk.db.read(move |tx| list::page(tx, &who, &asked, now)).await?;
    Ok(Json(page.ok_or_else(Problem::not_found)?.into()))
}

/// A person who takes part.
#[derive(Serialize, ToSchema)]
pub struct Participant {
    /// The contact, when known.
    pub id: Option<ContactId>,
    /// As shown.
    pub name: String,
    /// The address used.
    pub address: Option<String>,
    /// Customer, in copy, or a third party.
    pub role: ParticipantRole,
}

/// One conversation with everything around it but its timeline.
#[derive(Serialize, ToSchema)]
pub struct ConversationDetail {
    /// The conversation.
    pub conversation: ConversationRow,
    /// Whose it is.
    pub contact: Contact,
    /// Who takes part.
    pub participants: Vec<Participant>,
    /// Other conversations of the same customer.
    pub others: Vec<ConversationRow>,
    /// Ways to answer.
    pub reply_options: Vec<ReplyOption>,
    /// My unsent texts here.
    pub drafts: Vec<Draft>,
    /// Who is here.
    pub presence: Presence,
    /// The state that this shows.
    pub change_seq: i64,
}

struct Read {
    row: desk::view::Row,
    contact: contact::ContactView,
    participants: Vec<Participant>,
    others: Vec<desk::view::Row>,
    drafts: Vec<store::draft::Draft>,
    files: Vec<store::attachment::Attachment>,
    change_seq: i64,
}

/// The conversation, if it is there and this agent may see it.
pub(super) fn find(
    tx: &mut dyn Conn,
    who: &Who,
    id: ConversationId,
) -> Result<Option<store::conversation::Conversation>, StoreError> {
    let Some(found) = store::conversation::find(tx, who.workspace, id)? else { return Ok(None) };
    let seen = Sight::load(tx, who)?.may_see(tx, who.workspace, &found)?;
    Ok(seen.then_some(found))
}

/// The same for handlers that change something: 404 for what cannot be seen.
pub(super) async fn must_see(front: &Front, who: &Who, id: ConversationId) -> Result<(), Problem> {
    let who = who.clone();
    let found = front.desk.db.read(move |tx| find(tx, &who, id)).await?;
    found.map(drop).ok_or_else(Problem::not_found)
}

/// The same for an entry: gives its conversation.
pub(super) async fn must_see_entry(front: &Front, who: &Who, id: EntryId) -> Result<ConversationId, Problem> {
    let who = who.clone();
    let found = front.desk.db.read(move |tx| -> Result<Option<ConversationId>, StoreError> {
        let Some(entry) = store::entry::find(tx, who.workspace, id)? else { return Ok(None) };
        Ok(find(tx, &who, entry.conversation_id)?.map(|found| found.id))
    });
    found.await?.ok_or_else(Problem::not_found)
}

/// One conversation in detail. One that was merged away says where its entries are.
#[utoipa::path(get, path = "/conversations/{id}", tag = "conversation", params(("id" = ConversationId, Path)),
    responses((status = 200, body = ConversationDetail), (status = 404, body = ProblemDocument)))]
async fn detail(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<Json<ConversationDetail>, Problem> {
    let asker = who.clone();
    let read = front.desk.db.read(move |tx| read_detail(tx, &asker, id)).await?.ok_or_else(Problem::not_found)?;
    let ways = reply::options(&front.desk, &who, id).await?.unwrap_or_default();
    let files = Files::new(&front.desk, who.workspace);
    let presence = front.live.presence_at(who.workspace, id);
    let online = front.live.online_points(who.workspace, &read.contact);
    Ok(Json(ConversationDetail {
        conversation: ConversationRow::from(&read.row),
        contact: Contact::of(read.contact, |point| online.contains(&point)),
        participants: read.participants,
        others: read.others.iter().map(ConversationRow::from).collect(),
        reply_options: ways.into_iter().map(ReplyOption::from).collect(),
        drafts: read.drafts.iter().map(|draft| Draft::of(draft, &read.files, &files)).collect(),
        presence,
        change_seq: read.change_seq,
    }))
}

fn read_detail(tx: &mut dyn Conn, who: &Who, id: ConversationId) -> Result<Option<Read>, StoreError> {
    let Some(found) = find(tx, who, id)? else { return Ok(None) };
    let workspace = who.workspace;
    let sight = Sight::load(tx, who)?;
    let contact = contact::get(tx, workspace, found.contact_id)?;
    let set = store::contact::merged_set(tx, workspace, contact.contact.id)?;
    let mut others = store::conversation::of_contacts(tx, workspace, &set, OTHERS_MAX)?;
    others.retain(|other| other.id != id && other.merged_into.is_none());
    others.sort_by_key(|other| std::cmp::Reverse((other.last_activity_at, other.id)));
    let mut visible = Vec::new();
    for other in others {
        if sight.may_see(tx, workspace, &other)? {
            visible.push(other);
        }
    }
    let participants = participants(tx, who, &found)?;
    let drafts = store::draft::list_in(tx, workspace, who.agent, id)?;
    let ids: Vec<_> = drafts.iter().flat_map(|draft| draft.attachment_ids.iter().copied()).collect();
    let files = store::attachment::list(tx, workspace, &ids)?;
    let Some(row) = rows(tx, workspace, who.agent, &[found])?.pop() else { return Ok(None) };
    let others = rows(tx, workspace, who.agent, &visible)?;
    let change_seq = store::event_log::head(tx, workspace)?;
    Ok(Some(Read { row, contact, participants, others, drafts, files, change_seq }))
}

fn participants(tx: &mut dyn Conn, who: &Who, found: &store::conversation::Conversation) -> Result<Vec<Participant>, StoreError> {
    let all = store::conversation::participants(tx, who.workspace, found.id)?;
    let contacts: Vec<_> = all.iter().filter_map(|p| p.contact_id).collect();
    let names = desk::view::rows::live_names(tx, who.workspace, &contacts)?;
    let points: Vec<_> = all.iter().filter_map(|p| p.contact_point_id).collect();
    let points = store::contact_point::list(tx, who.workspace, &points)?;
    Ok(all
        .into_iter()
        .map(|p| {
            let live = p.contact_id.and_then(|id| names.get(&id).cloned());
            let point = points.iter().find(|point| Some(point.id) == p.contact_point_id);
            let address = point.filter(|point| point.key.kind != model::ContactPointKind::Visitor).map(|point| point.raw.clone());
            let name = live.as_ref().map(|(_, name)| name.clone()).or_else(|| address.clone()).unwrap_or_default();
            Participant { id: live.map(|(id, _)| id), name, address, role: p.role }
        })
        .collect())
}

/// What changes on a conversation. Absent: stays; null: cleared.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConversationPatch {
    /// New status.
    #[serde(default, deserialize_with = "set")]
    pub status: Option<Status>,
    /// End of a snooze; needed with the status snoozed.
    #[serde(default)]
    pub snoozed_until: Option<Timestamp>,
    /// Urgency.
    #[serde(default, deserialize_with = "set")]
    pub priority: Option<Priority>,
    /// Assignee.
    #[serde(default, deserialize_with = "three")]
    #[schema(value_type = Option<AgentId>)]
    pub agent_id: Option<Option<AgentId>>,
    /// Team.
    #[serde(default, deserialize_with = "three")]
    #[schema(value_type = Option<TeamId>)]
    pub team_id: Option<Option<TeamId>>,
    /// Subject.
    #[serde(default, deserialize_with = "three")]
    #[schema(value_type = Option<String>)]
    pub subject: Option<Option<String>>,
    /// Spam flag.
    #[serde(default, deserialize_with = "set")]
    pub spam: Option<bool>,
    /// The whole set of tags.
    #[serde(default, deserialize_with = "set")]
    pub tag_ids: Option<Vec<TagId>>,
    /// Refuse when the conversation has changed since this number.
    #[serde(default)]
    pub expected_seq: Option<i64>,
}

impl From<ConversationPatch> for Patch {
    fn from(patch: ConversationPatch) -> Self {
        Self {
            status: patch.status,
            snoozed_until: patch.snoozed_until,
            priority: patch.priority,
            agent_id: patch.agent_id,
            team_id: patch.team_id,
            subject: patch.subject,
            spam: patch.spam,
            tag_ids: patch.tag_ids,
            expected_seq: patch.expected_seq,
        }
    }
}

/// Changes one conversation.
#[utoipa::path(patch, path = "/conversations/{id}", tag = "conversation", params(("id" = ConversationId, Path)), request_body = ConversationPatch,
    responses((status = 200, body = ConversationRow), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn patch(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
    JsonBody(patch): JsonBody<ConversationPatch>,
) -> Result<Json<ConversationRow>, Problem> {
    must_see(&front, &who, id).await?;
    let changed = change::change(&front.desk, &who, id, patch.into()).await?;
    row_of(&front, &who, changed).await
}

async fn row_of(front: &Front, who: &Who, changed: store::conversation::Conversation) -> Result<Json<ConversationRow>, Problem> {
    let who = who.clone();
    let row = front.desk.db.read(move |tx| rows(tx, who.workspace, who.agent, std::slice::from_ref(&changed))).await?.pop();
    row.map(|row| Json(ConversationRow::from(&row))).ok_or_else(Problem::not_found)
}

/// One change of many conversations.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// Which, at most 500.
    pub ids: Vec<ConversationId>,
    /// What changes on each.
    pub patch: ConversationPatch,
}

/// What a change of many did.
#[derive(Serialize, ToSchema)]
pub struct BulkDone {
    /// How many took it.
    pub changed: usize,
    /// What takes it back.
    pub undo_id: Option<EventId>,
}

/// Changes many conversations, with one undo for all.
#[utoipa::path(post, path = "/conversations/bulk", tag = "conversation", request_body = Bulk,
    responses((status = 200, body = BulkDone), (status = 422, body = ProblemDocument)))]
async fn bulk(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(bulk): JsonBody<Bulk>,
) -> Result<Json<BulkDone>, Problem> {
    let (asker, ids) = (who.clone(), bulk.ids);
    if ids.is_empty() || ids.len() > change::BULK_COUNT_MAX {
        return Err(Problem::invalid("ids", "between 1 and 500 conversations"));
    }
    let seen = front.desk.db.read(move |tx| -> Result<Vec<ConversationId>, StoreError> {
        let sight = Sight::load(tx, &asker)?;
        let mut seen = Vec::new();
        for found in store::conversation::list_of(tx, asker.workspace, &ids)? {
            if sight.may_see(tx, asker.workspace, &found)? {
                seen.push(found.id);
            }
        }
        Ok(seen)
    });
    let seen = seen.await?;
    if seen.is_empty() {
        return Err(Problem::not_found());
    }
    let done = change::bulk(&front.desk, &who, seen, bulk.patch.into()).await?;
    Ok(Json(BulkDone { changed: done.changed, undo_id: Some(done.undo_id) }))
}

/// How far an agent has looked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Number of the last change that was on screen.
    pub seq: i64,
}

/// Notes how far the agent has looked.
#[utoipa::path(post, path = "/conversations/{id}/seen", tag = "conversation", params(("id" = ConversationId, Path)), request_body = Seen,
    responses((status = 204), (status = 404, body = ProblemDocument)))]
async fn seen(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
    JsonBody(seen): JsonBody<Seen>,
) -> Result<StatusCode, Problem> {
    must_see(&front, &who, id).await?;
    change::mark_seen(&front.desk, &who, id, seen.seq).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a conversation that nobody has.
#[utoipa::path(post, path = "/conversations/{id}/take", tag = "conversation", params(("id" = ConversationId, Path)),
    responses((status = 200, body = ConversationRow), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn take(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<Json<ConversationRow>, Problem> {
    must_see(&front, &who, id).await?;
    let taken = change::take(&front.desk, &who, id).await?;
    row_of(&front, &who, taken).await
}

/// Takes the oldest conversation that nobody has; 204 when there is none.
#[utoipa::path(post, path = "/conversations/next", tag = "conversation", responses((status = 200, body = ConversationRow), (status = 204)))]
async fn next(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Response, Problem> {
    // Somebody else may be faster: then the next one, a few times.
    for _ in 0..5 {
        let (asker, now) = (who.clone(), front.desk.now());
        let asked = Asked { view: ViewKey::Unassigned, query: String::new(), sort: Order::Oldest, after: None, limit: 1 };
        let page = front.desk.db.read(move |tx| list::page(tx, &asker, &asked, now)).await?;
        let Some(oldest) = page.and_then(|page| page.rows.into_iter().next()) else {
            return Ok(StatusCode::NO_CONTENT.into_response());
        };
        match change::take(&front.desk, &who, oldest.conversation.id).await {
            Ok(taken) => return Ok(row_of(&front, &who, taken).await?.into_response()),
            Err(ChangeError::Taken { .. } | ChangeError::NotFound) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(Problem::busy())
}

#[derive(Deserialize)]
struct DryRun {
    #[serde(default)]
    dry_run: bool,
}

/// Where entries go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeInto {
    /// The conversation that stays.
    pub into: ConversationId,
}

/// Entries that become a conversation of their own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitEntries {
    /// Which.
    pub entry_ids: Vec<EntryId>,
}

/// Where an entry goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveEntry {
    /// The conversation.
    pub to: ConversationId,
}

/// What a change of labels did, or would do.
#[derive(Serialize, ToSchema)]
pub struct LabelChange {
    /// What takes it back; none for a dry run.
    pub undo_id: Option<EventId>,
    /// Where the entries are afterwards.
    pub conversation_id: ConversationId,
    /// How many entries move.
    pub entries: usize,
    /// What an agent should know before.
    pub warnings: Vec<String>,
}

impl From<label::LabelChange> for LabelChange {
    fn from(change: label::LabelChange) -> Self {
        Self {
            undo_id: change.undo_id,
            conversation_id: change.conversation_id,
            entries: change.entries,
            warnings: change.warnings.into_iter().map(str::to_owned).collect(),
        }
    }
}

/// Merges a conversation into another one of the same customer.
#[utoipa::path(post, path = "/conversations/{id}/merge", tag = "conversation", params(("id" = ConversationId, Path), ("dry_run" = Option<bool>, Query)),
    request_body = MergeInto, responses((status = 200, body = LabelChange), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn merge(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
    Query(DryRun { dry_run }): Query<DryRun>,
    JsonBody(to): JsonBody<MergeInto>,
) -> Result<Json<LabelChange>, Problem> {
    must_see(&front, &who, id).await?;
    must_see(&front, &who, to.into).await?;
    Ok(Json(label::merge(&front.desk, &who, id, to.into, dry_run).await?.into()))
}

/// Makes entries a conversation of their own.
#[utoipa::path(post, path = "/conversations/{id}/split", tag = "conversation", params(("id" = ConversationId, Path), ("dry_run" = Option<bool>, Query)),
    request_body = SplitEntries, responses((status = 200, body = LabelChange), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn split(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
    Query(DryRun { dry_run }): Query<DryRun>,
    JsonBody(split): JsonBody<SplitEntries>,
) -> Result<Json<LabelChange>, Problem> {
    must_see(&front, &who, id).await?;
    Ok(Json(label::split(&front.desk, &who, id, split.entry_ids, dry_run).await?.into()))
}

/// Moves an entry to another conversation of the same customer.
#[utoipa::path(post, path = "/entries/{id}/move", tag = "entry", params(("id" = EntryId, Path), ("dry_run" = Option<bool>, Query)),
    request_body = MoveEntry, responses((status = 200, body = LabelChange), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn move_entry(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<EntryId>,
    Query(DryRun { dry_run }): Query<DryRun>,
    JsonBody(moved): JsonBody<MoveEntry>,
) -> Result<Json<LabelChange>, Problem> {
    must_see_entry(&front, &who, id).await?;
    must_see(&front, &who, moved.to).await?;
    Ok(Json(label::move_entry(&front.desk, &who, id, moved.to, dry_run).await?.into()))
}

/// Takes a change back.
#[utoipa::path(post, path = "/undo/{id}", tag = "conversation", params(("id" = EventId, Path)),
    responses((status = 204), (status = 409, body = ProblemDocument)))]
async fn undo(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<EventId>,
) -> Result<StatusCode, Problem> {
    label::undo(&front.desk, &who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The ways to answer in a conversation.
#[utoipa::path(get, path = "/conversations/{id}/reply-options", tag = "conversation", params(("id" = ConversationId, Path)),
    responses((status = 200, body = ReplyOptionList), (status = 404, body = ProblemDocument)))]
async fn reply_options(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<Json<ReplyOptionList>, Problem> {
    must_see(&front, &who, id).await?;
    let ways = reply::options(&front.desk, &who, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(ReplyOptionList { items: ways.into_iter().map(ReplyOption::from).collect() }))
}
