//! Sends one outbox row through its channel, part by part. In: the row. Out: attempts with their answers, and a decision:
//! done, again at a time, failed with a reason, or uncertain. Runs in the lane of (conversation, inbox), so parts and
//! entries keep their order and an open attempt found at the start can only be one whose worker is gone.

use super::pace::Whose;
use super::receipt::{self, Answer};
use super::show;
use crate::context::{Desk, JobEnd};
use crate::directory::{DirectoryError, OpenInbox};
use crate::placement::token;
use channel::{
    AutomaticMail, Contents, Outbound, OutboundFile, OutboundMail, Quote, Recipient, Reconciled, SendContext, SendError,
    SendIdempotency, Signature, WireRequest,
};
use model::{
    AttachmentId, Audience, BlockReason, ContactPointKind, ConversationId, DeliveryId, FailureClass, Health, InboxId, InboxState,
    OutboxId, OutboxState, Timestamp, WorkspaceId,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::entry::Entry;
use store::job::{self, Job, JobClass, JobRef};
use store::outbox::{self, Delivery, Outbox};
use store::{Conn, Route, StoreError, attachment, contact_point, entry};

/// A row that could not be given to its provider for this long is not sent any more: the answer would come out of the blue.
pub const SEND_AGE_MS_MAX: i64 = 3 * 86_400_000;
const SIGN_IN_RETRY_MS: i64 = 300_000;
const RATE_RETRY_MS: i64 = 30_000;
const KEYED_RETRY_MS: i64 = 5_000;
const PACE_MS_MAX: i64 = 900_000;
const CHECK_AFTER_MS: [i64; 4] = [30_000, 120_000, 600_000, 3_600_000];
/// Attempts of one job, waits for our own pace among them. What ends a row in practice is its age.
pub const ATTEMPT_COUNT_MAX: i64 = 100_000;
/// So many attempts that never came as far as the provider may be bad luck; more of them after the time is up are not.
const FRUITLESS_COUNT_MAX: i64 = 20;

/// The wait before attempt `n + 1`: doubled each time, up to a quarter of an hour.
fn pace(first_ms: i64, n: i64) -> i64 {
    first_ms.saturating_mul(1 << n.clamp(1, 30).saturating_sub(1)).min(PACE_MS_MAX)
}

/// Send one outbox row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliverOutbox {
    /// Which row.
    pub outbox: OutboxId,
    /// First half of its lane.
    pub conversation: ConversationId,
    /// Second half of its lane.
    pub inbox: InboxId,
}
impl DeliverOutbox {
    /// The job of a row.
    pub fn of(row: &Outbox) -> Self {
        Self { outbox: row.id, conversation: row.conversation_id, inbox: row.inbox_id }
    }
}
impl Job for DeliverOutbox {
    const NAME: &'static str = "deliver_outbox";
    const CLASS: JobClass = JobClass::Now;
    fn lane(&self) -> Option<i64> {
        Some(job::lane_of(&["out", &self.conversation.to_string(), &self.inbox.to_string()]))
    }
}

/// Ask the provider about an uncertain row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckUncertain {
    /// Which row.
    pub outbox: OutboxId,
    /// How often it was asked already.
    pub asked: usize,
}
impl Job for CheckUncertain {
    const NAME: &'static str = "check_uncertain";
}

/// Everything that one sending needs, read in one go.
struct Load {
    row: Outbox,
    entry: Entry,
    deliveries: Vec<Delivery>,
    to: Option<contact_point::ContactPoint>,
    name: Option<String>,
    files: Vec<OutboundFile>,
    last_inbound_at: Option<Timestamp>,
    reply_to: Vec<String>,
    quotes: Vec<Quote>,
    blobs: Vec<(AttachmentId, String)>,
    contents: Contents,
}

/// Largest file that goes out; an adapter may take less.
const FILE_BYTES_MAX: u64 = 100 * 1024 * 1024;

fn load(tx: &mut dyn Conn, workspace: WorkspaceId, id: OutboxId) -> Result<Option<Load>, StoreError> {
    let Some(row) = outbox::find(tx, workspace, id)? else { return Ok(None) };
    let Some(entry) = entry::find(tx, workspace, row.entry_id)? else { return Ok(None) };
    let deliveries = outbox::deliveries(tx, workspace, id)?;
    let to = row.contact_point_id.map(|p| contact_point::find(tx, workspace, p)).transpose()?.flatten();
    let ids: Vec<_> = entry.body.attachments.iter().map(|a| a.id).collect();
    let rows = attachment::list(tx, workspace, &ids)?;
    let mut blobs = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Some((sha256, _)) = attachment::find_blob(tx, workspace, row.blob_id)? {
            blobs.push((row.id, sha256));
        }
    }
    let mut files: Vec<OutboundFile> = rows
        .into_iter()
        .map(|a| OutboundFile { id: a.id, name: a.name, mime: a.mime, bytes: u64::try_from(a.bytes).unwrap_or(0), url: None })
        .collect();
    files.sort_by_key(|f| ids.iter().position(|id| *id == f.id));
    let last_inbound_at = entry::latest_inbound(tx, workspace, entry.conversation_id)?.map(|e| e.at);
    let name = store::contact::get_live(tx, workspace, entry.contact_id)?.name;
    let quotes = quotes(tx, workspace, &entry)?;
    let contents = Contents::default();
    Ok(Some(Load { row, entry, deliveries, to, name, files, last_inbound_at, reply_to: vec![], quotes, blobs, contents }))
}

/// Earlier messages that stand below. What was written to a third party, or was removed since, is never repeated to a customer.
fn quotes(tx: &mut dyn Conn, workspace: WorkspaceId, entry: &Entry) -> Result<Vec<Quote>, StoreError> {
    let Some(mail) = entry.body.mail.as_deref() else { return Ok(vec![]) };
    let mut quotes = Vec::with_capacity(mail.quotes.len());
    for id in &mail.quotes {
        let Some(found) = entry::find(tx, workspace, *id)? else { continue };
        let outside = entry.audience == Audience::Outside;
        let may = found.audience == Audience::Customer || (outside && found.audience == Audience::Outside);
        if may && found.redacted_at.is_none() {
            quotes.push(Quote {
                author: found.author_name,
                at: found.at,
                text: found.body.text,
                html: found.body.html,
                as_chat: mail.mode.as_deref() == Some("chat"),
            });
        }
    }
    Ok(quotes)
}

/// The bytes of the files, where the adapter needs them. What is gone stays out: the adapter then refuses the whole.
async fn with_contents(desk: &Desk, workspace: WorkspaceId, open: &OpenInbox, mut load: Load) -> Result<Load, StoreError> {
    if !open.channel.capabilities(&open.settings).file_bytes {
        return Ok(load);
    }
    for (id, sha256) in &load.blobs {
        match desk.blobs.get(workspace, sha256, FILE_BYTES_MAX).await {
            Ok(bytes) => {
                load.contents.0.insert(*id, Arc::from(bytes));
            }
            Err(blob::BlobError::NotFound | blob::BlobError::TooLarge { .. }) => {}
            Err(error) => return Err(StoreError::broken(format!("a file could not be read: {error}"))),
        }
    }
    Ok(load)
}

fn recipients(list: &[model::MailAddress]) -> Vec<Recipient> {
    let of = |address: &model::MailAddress| Recipient {
        kind: ContactPointKind::Email,
        scope: String::new(),
        value: address.address.clone(),
        name: address.name.clone(),
    };
    list.iter().map(of).collect()
}

fn outbound(load: &Load) -> Outbound {
    let to = match &load.to {
        Some(p) => Recipient { kind: p.key.kind, scope: p.key.scope.clone(), value: p.raw.clone(), name: load.name.clone() },
        None => {
            Recipient { kind: model::ContactPointKind::Ext, scope: String::new(), value: String::new(), name: load.name.clone() }
        }
    };
    let mail = load.entry.body.mail.as_deref();
    let mut all_to = mail.map(|m| recipients(&m.to)).unwrap_or_default();
    let to = if all_to.is_empty() { to } else { all_to.remove(0) };
    Outbound {
        entry: load.entry.id,
        conversation: load.entry.conversation_id,
        external_conversation: load.to.as_ref().map(|p| p.key.match_key.clone()),
        to,
        cc: mail.map(|m| recipients(&m.cc)).unwrap_or_default(),
        author: load.entry.author_kind,
        author_name: Some(load.entry.author_name.clone()),
        subject: load.entry.body.subject.clone(),
        text: load.entry.body.text.clone(),
        html: load.entry.body.html.clone(),
        files: load.files.clone(),
        reply_to: load.reply_to.clone(),
        template: None,
        mail: mail.map_or_else(OutboundMail::default, |mail| OutboundMail {
            also_to: all_to,
            bcc: recipients(&mail.bcc),
            in_reply_to: mail.in_reply_to.clone(),
            references: mail.references.clone(),
            signature: mail.signature.as_ref().map(|s| Signature { text: s.text.clone(), html: s.html.clone() }),
            quotes: load.quotes.clone(),
            automatic: match mail.automatic.as_deref() {
                Some("replied") => Some(AutomaticMail::Replied),
                Some(_) => Some(AutomaticMail::Generated),
                None => None,
            },
            unsubscribe: None,
        }),
    }
}

/// Everything with our signature in it is made here: adapters hold no keys.
fn render(
    desk: &Desk,
    workspace: WorkspaceId,
    open: &OpenInbox,
    load: &Load,
    now: Timestamp,
) -> Result<Vec<WireRequest>, channel::Blocked> {
    let own = open.channel.own_address(&open.settings);
    let token = own.as_ref().map(|_| token::reply_token(&desk.keys, workspace, load.entry.conversation_id));
    let reply_address = own.as_ref().zip(token.as_ref()).and_then(|(own, token)| own.with_token(token));
    let local = own.as_ref().map(|_| token::message_id_local(&desk.keys, workspace, load.row.id));
    let message_id = own.as_ref().zip(local).map(|(own, local)| format!("{local}@{}", own.domain()));
    let mut outbound = outbound(load);
    if outbound.mail.automatic.is_some() {
        let back = reply_address.as_ref().or(own.as_ref().map(|own| &own.address));
        outbound.mail.unsubscribe = back.map(|address| format!("mailto:{address}?subject=unsubscribe"));
    }
    let context = SendContext {
        inbox: Arc::clone(&open.settings),
        now,
        last_inbound_at: load.last_inbound_at,
        correlation: load.row.id.to_string(),
        message_id,
        reply_address,
        token,
        contents: load.contents.clone(),
    };
    open.channel.render(&outbound, &context)
}

/// What the job does.
pub async fn run(desk: &Desk, job: JobRef, deliver: DeliverOutbox) -> JobEnd {
    // Whatever keeps it from ending otherwise: the agent shall read that nobody tries any more.
    let is_late = desk.now().since(model::made_at(job.id.0)) > SEND_AGE_MS_MAX && job.attempts > FRUITLESS_COUNT_MAX;
    if is_late || job.attempts >= ATTEMPT_COUNT_MAX {
        let given_up = give_up(desk, job.workspace, deliver.outbox).await;
        return given_up.map_or_else(JobEnd::from, |()| JobEnd::Done);
    }
    match send(desk, job, &deliver).await {
        Ok(end) => end,
        Err(error) => JobEnd::Retry(error.to_string()),
    }
}

async fn give_up(desk: &Desk, workspace: WorkspaceId, id: OutboxId) -> Result<(), StoreError> {
    let Some(row) = desk.db.read(move |tx| outbox::find(tx, workspace, id)).await? else { return Ok(()) };
    end(desk, workspace, &row, OutboxState::Expired, Some("it could not be sent for three days")).await
}

#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Inbox(#[from] DirectoryError),
}

async fn send(desk: &Desk, job: JobRef, deliver: &DeliverOutbox) -> Result<JobEnd, Stop> {
    let (workspace, id) = (job.workspace, deliver.outbox);
    let now = desk.now();
    let Some(loaded) = desk.db.read(move |tx| load(tx, workspace, id)).await? else { return Ok(JobEnd::Done) };
    if !matches!(loaded.row.state, OutboxState::Queued | OutboxState::Sending) {
        return Ok(JobEnd::Done);
    }
    let open = match desk.directory.open(desk, workspace, loaded.row.inbox_id).await {
        Ok(open) => open,
        Err(DirectoryError::NotFound | DirectoryError::NoAdapter(_)) => {
            block(desk, workspace, &loaded.row, BlockReason::ChannelDown.word()).await?;
            return Ok(JobEnd::Done);
        }
        Err(other) => return Err(other.into()),
    };
    if !open.inbox.enabled {
        block(desk, workspace, &loaded.row, BlockReason::ChannelDown.word()).await?;
        return Ok(JobEnd::Done);
    }
    if let Some(reason) = unreachable(loaded.to.as_ref()) {
        block(desk, workspace, &loaded.row, reason.word()).await?;
        return Ok(JobEnd::Done);
    }
    let loaded = with_contents(desk, workspace, &open, loaded).await?;
    let requests = match render(desk, workspace, &open, &loaded, now) {
        Ok(requests) => requests,
        Err(blocked) => {
            block(desk, workspace, &loaded.row, blocked.reason.word()).await?;
            return Ok(JobEnd::Done);
        }
    };
    // The job is made when the row may go: after a hold, at the chosen time, by the agent's [Try again].
    let waited = now.since(model::made_at(job.id.0));
    let latest: Vec<Delivery> = super::latest_attempts(&loaded.row, &loaded.deliveries).into_iter().cloned().collect();
    let capabilities = open.channel.capabilities(&open.settings);
    let keyed = matches!(capabilities.send_idempotency, SendIdempotency::Key(_));
    let receiver = loaded.to.as_ref().map(|p| p.id.to_string()).unwrap_or_default();
    let inbox = loaded.row.inbox_id;
    let buckets = [
        (Whose::Inbox(inbox), capabilities.rate.inbox_per_minute),
        (Whose::Receiver(inbox, receiver), capabilities.rate.recipient_per_minute),
    ];
    for (part, request) in (0i64..).zip(&requests) {
        let last = latest.iter().find(|d| d.part == part);
        let attempt = match last {
            // Taken in an earlier round, when the text was cut into other parts: it is not the same part.
            Some(d) if d.round < loaded.row.round && d.parts != i64::try_from(requests.len()).unwrap_or(1) => 1,
            // Refused: what would follow it makes no sense alone.
            Some(d) if Some(d.rank) == model::DeliveryState::Failed.rank() => break,
            // An answer is stored: this part is done.
            Some(d) if d.rank > 0 => continue,
            // Submitted, and the worker was gone before it could store the answer; or an answer that never came.
            Some(d) if d.open || d.uncertain => match settle(desk, workspace, &open, d, request).await? {
                Settled::Taken => continue,
                Settled::NotTaken => d.attempt + 1,
                Settled::Unknown if keyed => d.attempt + 1,
                Settled::Unknown => {
                    give_to_the_agent(desk, workspace, &loaded.row).await?;
                    return Ok(JobEnd::Done);
                }
            },
            Some(d) => d.attempt + 1,
            None => 1,
        };
        let began = desk.now();
        if waited > SEND_AGE_MS_MAX && attempt > 1 {
            let reason = "the provider did not take it for three days";
            end(desk, workspace, &loaded.row, OutboxState::Expired, Some(reason)).await?;
            return Ok(JobEnd::Done);
        }
        if let Err(at) = desk.pace.take(&buckets, began) {
            return Ok(JobEnd::RetryAt(at));
        }
        match attempt_part(desk, workspace, &open, &loaded.row, part, attempt, requests.len(), request).await? {
            After::Next => {}
            After::RetryAt(at) => return Ok(JobEnd::RetryAt(at)),
            After::Uncertain if keyed => return Ok(JobEnd::RetryAt(desk.now().plus_ms(pace(KEYED_RETRY_MS, attempt)))),
            // Cancelled or tried again by hand in the meantime: the row is somebody else's now.
            After::NotOurs => return Ok(JobEnd::Done),
            After::Uncertain => {
                give_to_the_agent(desk, workspace, &loaded.row).await?;
                return Ok(JobEnd::Done);
            }
            // A refused part ends the row: what would follow it makes no sense alone.
            After::Refused => break,
        }
    }
    end(desk, workspace, &loaded.row, OutboxState::Done, None).await?;
    Ok(JobEnd::Done)
}

fn unreachable(to: Option<&contact_point::ContactPoint>) -> Option<BlockReason> {
    match to?.health {
        Health::Ok => None,
        Health::Bounced => Some(BlockReason::Bounced),
        Health::BlockedByCustomer => Some(BlockReason::BlockedByCustomer),
        Health::OptedOut => Some(BlockReason::OptedOut),
    }
}

enum After {
    Next,
    RetryAt(Timestamp),
    Refused,
    Uncertain,
    NotOurs,
}

#[expect(clippy::too_many_arguments, reason = "one attempt and everything it is made of")]
async fn attempt_part(
    desk: &Desk,
    workspace: WorkspaceId,
    open: &OpenInbox,
    row: &Outbox,
    part: i64,
    attempt: i64,
    parts: usize,
    request: &WireRequest,
) -> Result<After, StoreError> {
    let now = desk.now();
    let (outbox_id, inbox_id, round) = (row.id, row.inbox_id, row.round);
    let parts = i64::try_from(parts).unwrap_or(1);
    // The trace first: a crash between here and the answer leaves an open attempt behind.
    let delivery = desk
        .db
        .write(Route::Conversation(row.conversation_id), move |tx| -> Result<Option<Delivery>, StoreError> {
            let Some(mut current) = outbox::find(tx, workspace, outbox_id)? else { return Ok(None) };
            if !matches!(current.state, OutboxState::Queued | OutboxState::Sending) || current.round != round {
                return Ok(None);
            }
            if current.state == OutboxState::Queued {
                current.state = OutboxState::Sending;
                if !outbox::save(tx, workspace, &current)? {
                    return Err(StoreError::Busy);
                }
            }
            let delivery = Delivery {
                id: DeliveryId(tx.id()),
                outbox_id,
                inbox_id,
                round,
                part,
                attempt,
                parts,
                rank: 0,
                open: true,
                uncertain: false,
                provider_id: None,
                provider_key: None,
                class: None,
                code: None,
                reason: None,
                changed_at: now,
            };
            outbox::insert_delivery(tx, workspace, &delivery)?;
            Ok(Some(delivery))
        })
        .await?;
    let Some(delivery) = delivery else { return Ok(After::NotOurs) };

    let submitted = open.channel.submit(&open.settings, request).await;
    let now = desk.now();
    let (answer, after) = match submitted {
        Ok(accepted) => (Answer::Accepted { provider_id: accepted.provider_id, state: accepted.state }, After::Next),
        Err(SendError::RetryAt(at)) => {
            (Answer::NotTaken { reason: "not taken yet".to_owned() }, After::RetryAt(at.max(now.plus_ms(pace(100, attempt)))))
        }
        Err(SendError::SignInAgain) => {
            set_needs_sign_in(desk, workspace, inbox_id).await?;
            (
                Answer::NotTaken { reason: "the account has to be signed in again".to_owned() },
                After::RetryAt(now.plus_ms(SIGN_IN_RETRY_MS)),
            )
        }
        Err(SendError::Refused { class: FailureClass::Rate, text, .. }) => {
            (Answer::NotTaken { reason: text }, After::RetryAt(now.plus_ms(pace(RATE_RETRY_MS, attempt))))
        }
        Err(SendError::Refused { class, code, text }) => (Answer::Refused { class, code, text }, After::Refused),
        Err(SendError::Uncertain) => (Answer::Lost, After::Uncertain),
    };
    store_answer(desk, workspace, row, delivery, answer, now).await?;
    Ok(after)
}

async fn store_answer(
    desk: &Desk,
    workspace: WorkspaceId,
    row: &Outbox,
    delivery: Delivery,
    answer: Answer,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (id, to) = (row.id, row.contact_point_id);
    desk.db
        .write(Route::Conversation(row.conversation_id), move |tx| -> Result<(), StoreError> {
            receipt::store_answer(tx, workspace, &delivery, &answer, now)?;
            // An opt-out stays one: it says more than a bounce.
            if let (Answer::Refused { class: FailureClass::Address, .. }, Some(point)) = (&answer, to)
                && contact_point::find(tx, workspace, point)?.is_some_and(|p| p.health == Health::Ok)
            {
                contact_point::set_health(tx, workspace, point, Health::Bounced)?;
            }
            let row = outbox::find(tx, workspace, id)?.ok_or(StoreError::NotFound)?;
            show(tx, workspace, &row, now)
        })
        .await
}

async fn set_needs_sign_in(desk: &Desk, workspace: WorkspaceId, inbox: InboxId) -> Result<(), StoreError> {
    desk.db
        .write(Route::Any, move |tx| store::inbox::set_state(tx, workspace, inbox, InboxState::NeedsSignIn).map(|_| ()))
        .await?;
    desk.directory.forget();
    Ok(())
}

enum Settled {
    Taken,
    NotTaken,
    Unknown,
}

/// Asks the provider about an attempt whose answer is missing, where it can be asked.
async fn settle(
    desk: &Desk,
    workspace: WorkspaceId,
    open: &OpenInbox,
    attempt: &Delivery,
    request: &WireRequest,
) -> Result<Settled, StoreError> {
    let found = match open.channel.reconcile() {
        Some(reconcile) => reconcile.find(&open.settings, request).await,
        None => None,
    };
    let now = desk.now();
    let (answer, settled) = match found {
        Some(Reconciled::Taken(accepted)) => {
            (Answer::Accepted { provider_id: accepted.provider_id, state: accepted.state }, Settled::Taken)
        }
        Some(Reconciled::NotTaken) => (Answer::NotTaken { reason: "the provider did not take it".to_owned() }, Settled::NotTaken),
        None => (Answer::Lost, Settled::Unknown),
    };
    let (attempt, id) = (attempt.clone(), attempt.outbox_id);
    desk.db
        .write(Route::Any, move |tx| -> Result<(), StoreError> {
            receipt::store_answer(tx, workspace, &attempt, &answer, now)?;
            let mut row = outbox::find(tx, workspace, id)?.ok_or(StoreError::NotFound)?;
            // The doubt is gone and something of it never went: it goes on now, in the transaction that says so.
            let (word, _, combined) = super::word_of(&row, &outbox::deliveries(tx, workspace, id)?);
            if row.state == OutboxState::Done && word == model::DeliveryState::Queued && !combined.uncertain {
                row.state = OutboxState::Queued;
                if !outbox::save(tx, workspace, &row)? {
                    return Err(StoreError::Busy);
                }
                job::enqueue(tx, workspace, &DeliverOutbox::of(&row), now)?;
            }
            show(tx, workspace, &row, now)
        })
        .await?;
    Ok(settled)
}

/// Uncertain: nothing goes out again by itself. The entry says so, and the provider is asked again later where it can be.
async fn give_to_the_agent(desk: &Desk, workspace: WorkspaceId, loaded: &Outbox) -> Result<(), StoreError> {
    let (now, id, round) = (desk.now(), loaded.id, loaded.round);
    desk.db
        .write(Route::Any, move |tx| -> Result<(), StoreError> {
            let Some(mut row) = outbox::find(tx, workspace, id)? else { return Ok(()) };
            if !is_ours(&row, round) {
                return Ok(());
            }
            row.state = OutboxState::Done;
            if !outbox::save(tx, workspace, &row)? {
                return Err(StoreError::Busy);
            }
            job::enqueue(tx, workspace, &CheckUncertain { outbox: id, asked: 0 }, now.plus_ms(CHECK_AFTER_MS[0]))?;
            show(tx, workspace, &row, now)
        })
        .await
}

/// On its way in the round that this worker has read. A worker that was gone for long may find the row ended, and even
/// queued again by the agent: then it must not touch it.
fn is_ours(row: &Outbox, round: i64) -> bool {
    matches!(row.state, OutboxState::Queued | OutboxState::Sending) && row.round == round
}

async fn block(desk: &Desk, workspace: WorkspaceId, row: &Outbox, reason: &'static str) -> Result<(), StoreError> {
    end(desk, workspace, row, OutboxState::Blocked, Some(reason)).await
}

async fn end(
    desk: &Desk,
    workspace: WorkspaceId,
    loaded: &Outbox,
    state: OutboxState,
    reason: Option<&'static str>,
) -> Result<(), StoreError> {
    let (now, id, round) = (desk.now(), loaded.id, loaded.round);
    desk.db
        .write(Route::Any, move |tx| -> Result<(), StoreError> {
            let Some(mut row) = outbox::find(tx, workspace, id)? else { return Ok(()) };
            if !is_ours(&row, round) {
                return Ok(());
            }
            // An attempt whose worker is gone may have arrived: whoever tries again has to know that.
            for attempt in outbox::deliveries(tx, workspace, id)?.into_iter().filter(|d| d.open && d.rank == 0) {
                receipt::store_answer(tx, workspace, &attempt, &Answer::Lost, now)?;
            }
            row.state = state;
            row.reason = reason.map(str::to_owned);
            if !outbox::save(tx, workspace, &row)? {
                return Err(StoreError::Busy);
            }
            store::inbox::touch_out(tx, workspace, row.inbox_id, now)?;
            show(tx, workspace, &row, now)
        })
        .await
}

/// What the later questions do; also behind the agent's [Check again]. True when nothing is uncertain any more.
pub async fn check(desk: &Desk, workspace: WorkspaceId, id: OutboxId) -> Result<bool, StoreError> {
    let Some(loaded) = desk.db.read(move |tx| load(tx, workspace, id)).await? else { return Ok(true) };
    let Ok(open) = desk.directory.open(desk, workspace, loaded.row.inbox_id).await else { return Ok(false) };
    // Rendered as of its own time: a window that has closed since does not keep us from asking.
    let loaded = with_contents(desk, workspace, &open, loaded).await?;
    let Ok(requests) = render(desk, workspace, &open, &loaded, loaded.entry.at) else { return Ok(false) };
    let mut settled = true;
    for attempt in super::latest_attempts(&loaded.row, &loaded.deliveries).into_iter().filter(|d| d.uncertain && d.rank == 0) {
        let Some(request) = usize::try_from(attempt.part).ok().and_then(|part| requests.get(part)) else { continue };
        match settle(desk, workspace, &open, attempt, request).await? {
            Settled::Taken | Settled::NotTaken => {}
            Settled::Unknown => settled = false,
        }
    }
    Ok(settled)
}

/// The job behind [`CheckUncertain`].
pub async fn run_check(desk: &Desk, job: JobRef, asked: CheckUncertain) -> JobEnd {
    match check(desk, job.workspace, asked.outbox).await {
        Ok(true) => JobEnd::Done,
        Ok(false) => match CHECK_AFTER_MS.get(asked.asked + 1) {
            Some(wait) => {
                let (next, at) = (CheckUncertain { asked: asked.asked + 1, ..asked }, desk.now().plus_ms(*wait));
                let done = desk.db.write(Route::Any, move |tx| -> Result<(), StoreError> {
                    job::enqueue(tx, job.workspace, &next, at)?;
                    job::finish_in_tx(tx, job)
                });
                done.await.map_or_else(JobEnd::from, |()| JobEnd::DoneInTx)
            }
            None => JobEnd::Done,
        },
        Err(error) => error.into(),
    }
}
