//! A conversation that an agent begins by mail: to one or several people, together or one each; with drafts, undo time,
//! a time to be sent, and templates. An unknown receiver becomes a customer when it is sent, not before.

use super::mail::{self, MailMode, Plan, RECEIVERS_MAX, agent_email};
use super::markup;
use super::options::{Reach, open_inboxes};
use super::send::{HOLD_SECONDS_MAX, SEND_LATER_MS_MAX, SendError, TEXT_CHARS_MAX, all_own, client_key, files_of};
use super::words::{Around, fill, fill_html, values};
use crate::context::{Desk, Who};
use crate::conversation::Locked;
use crate::conversation::add::{NewEntry, add_entry, refs};
use crate::conversation::mail::others;
use crate::conversation::sight::Sight;
use crate::identity::normal::Spelling;
use crate::identity::{normal, resolve};
use crate::outbox::enqueue::{Way, put};
use crate::people::Invalid;
use channel::{ClaimSource, ContactPointClaim, OutboundFile};
use model::{
    Actor, AttachmentId, Audience, BlockReason, Body, ComposeDraftId, ContactId, ContactPointKind, ConversationId, DeliveryState,
    Direction, EntryKind, Health, InboxId, InboxState, MailAddress, ParticipantRole, Priority, Status, TemplateId, Timestamp,
};
use serde_json::json;
use store::compose_draft::{self, ComposeDraft};
use store::conversation::Conversation;
use store::entry::{self, Entry};
use store::{Conn, Route, StoreError, attachment, contact_point};

const DRAFT_BYTES_MAX: usize = 1024 * 1024;
const DRAFT_COUNT_MAX: usize = 200;
const SUBJECT_CHARS_MAX: usize = 500;

/// What an agent wrote.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewConversation {
    /// Through which inbox.
    pub inbox_id: Option<InboxId>,
    /// Receivers.
    pub to: Vec<MailAddress>,
    /// In copy.
    pub cc: Vec<MailAddress>,
    /// In copy, seen by nobody.
    pub bcc: Vec<MailAddress>,
    /// One conversation for each receiver, who then do not see each other.
    pub each: bool,
    /// Subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// Uploaded before.
    pub attachment_ids: Vec<AttachmentId>,
    /// Without signature.
    pub no_signature: bool,
    /// Undo time in seconds.
    pub hold_seconds: i64,
    /// Send at this time.
    pub send_at: Option<Timestamp>,
    /// Where the conversation stands afterwards; else it waits for the customer.
    pub status: Option<Status>,
    /// The draft that this was; it is gone afterwards.
    pub draft_id: Option<ComposeDraftId>,
    /// Makes a repeat harmless; unique per agent.
    pub idempotency_key: String,
}

fn invalid(field: &'static str, text: &'static str) -> SendError {
    SendError::Invalid { field, text }
}

fn check(mut new: NewConversation, now: Timestamp) -> Result<NewConversation, SendError> {
    new.text = model::fold::clean(&new.text).trim_end().to_owned();
    new.subject = model::fold::truncate(model::fold::clean(&new.subject).trim(), SUBJECT_CHARS_MAX).to_owned();
    new.html = new.html.as_deref().map(markup::clean).filter(|html| !html.trim().is_empty());
    if new.to.is_empty() {
        return Err(invalid("to", "at least one receiver"));
    }
    if new.to.len() + new.cc.len() + new.bcc.len() > RECEIVERS_MAX {
        return Err(invalid("to", "at most 50 receivers"));
    }
    for (field, list) in [("to", &new.to), ("cc", &new.cc), ("bcc", &new.bcc)] {
        if list.iter().any(|a| normal::email(&a.address).is_none()) {
            return Err(invalid(field, "addresses such as ada@example.com"));
        }
    }
    if new.each && !(new.cc.is_empty() && new.bcc.is_empty()) {
        return Err(invalid("each", "one each has no copies"));
    }
    if new.subject.is_empty() {
        return Err(invalid("subject", "a subject"));
    }
    if new.text.trim().is_empty() && new.attachment_ids.is_empty() {
        return Err(invalid("text", "write something or attach a file"));
    }
    if new.text.chars().count() > TEXT_CHARS_MAX {
        return Err(invalid("text", "at most 100,000 characters"));
    }
    if !(0..=HOLD_SECONDS_MAX).contains(&new.hold_seconds) {
        return Err(invalid("hold_seconds", "0 to 30 seconds"));
    }
    if new.send_at.is_some_and(|at| at.since(now) > SEND_LATER_MS_MAX) {
        return Err(invalid("send_at", "at most one year ahead"));
    }
    if new.status.is_some_and(|status| !matches!(status, Status::Open | Status::Pending | Status::Resolved)) {
        return Err(invalid("status", "open, pending or resolved"));
    }
    if new.idempotency_key.is_empty() || new.idempotency_key.len() > 128 {
        return Err(invalid("idempotency_key", "the header Idempotency-Key has 1 to 128 characters"));
    }
    Ok(new)
}

/// Begins the conversation, or one for each receiver. A repeat with the same key gives the first ones.
pub async fn compose(desk: &Desk, who: &Who, new: NewConversation) -> Result<Vec<Entry>, SendError> {
    let now = desk.now();
    let new = check(new, now)?;
    let inboxes = open_inboxes(desk, who.workspace).await?;
    let count = if new.each { new.to.len() } else { 1 };
    let mut numbers = Vec::with_capacity(count);
    for _ in 0..count {
        numbers.push(desk.numbers.take(&desk.db, who.workspace).await?);
    }
    let (asker, given) = (who.clone(), numbers.clone());
    let done = desk.db.write(Route::Any, move |tx| write(tx, &asker, &new, &inboxes, &given, now)).await;
    let used = done.as_ref().is_ok_and(|answer| answer.as_ref().is_ok_and(|(_, used)| *used));
    if !used {
        numbers.into_iter().for_each(|number| desk.numbers.give_back(who.workspace, number));
    }
    done?.map(|(entries, _)| entries)
}

type Written = Result<Result<(Vec<Entry>, bool), SendError>, StoreError>;

fn write(tx: &mut dyn Conn, who: &Who, new: &NewConversation, inboxes: &[Reach], numbers: &[i64], now: Timestamp) -> Written {
    let workspace = who.workspace;
    let actor = Actor::Agent(who.agent);
    let groups: Vec<Vec<MailAddress>> =
        if new.each { new.to.iter().map(|one| vec![one.clone()]).collect() } else { vec![new.to.clone()] };
    let key = |n: usize| client_key(&actor.to_string(), &format!("{}\ncompose {n}", new.idempotency_key));
    let mut before = Vec::new();
    for n in 0..groups.len() {
        before.extend(entry::by_client_key(tx, workspace, &key(n))?);
    }
    if !before.is_empty() {
        return Ok(Ok((before, false)));
    }
    let reach = match inbox_of(tx, who, new.inbox_id, inboxes)? {
        Ok(found) => found,
        Err(refused) => return Ok(Err(refused)),
    };
    let files = match files_of(tx, who, &new.attachment_ids)? {
        Ok(files) => files,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if !files.is_empty() && groups.len() > 1 {
        return Ok(Err(invalid("attachment_ids", "files go to one conversation only")));
    }
    let outgoing: Vec<OutboundFile> = files
        .iter()
        .map(|a| OutboundFile {
            id: a.id,
            name: a.name.clone(),
            mime: a.mime.clone(),
            bytes: u64::try_from(a.bytes).unwrap_or(0),
            url: None,
        })
        .collect();
    if let Some(open) = &reach.open
        && let Err(blocked) = open.channel.capabilities(&open.settings).check(&new.text, &outgoing)
    {
        return Ok(Err(SendError::Blocked { reason: blocked.reason }));
    }
    let all_own = all_own(inboxes);
    // All receivers are looked at before anything is written.
    for to in &groups {
        let Some(first) = others(to.iter().cloned(), &all_own, &[]).into_iter().next() else {
            return Ok(Err(invalid("to", "somebody else than ourselves")));
        };
        if let Some(refused) = closed(tx, who, &first)? {
            return Ok(Err(refused));
        }
    }
    let mut entries = Vec::with_capacity(groups.len());
    for (n, to) in groups.into_iter().enumerate() {
        let to = others(to, &all_own, &[]);
        let cc = others(new.cc.iter().cloned(), &all_own, &to);
        let known: Vec<MailAddress> = to.iter().chain(&cc).cloned().collect();
        let bcc = others(new.bcc.iter().cloned(), &all_own, &known);
        let Some(first) = to.first() else { return refuse(&entries, invalid("to", "somebody else than ourselves")) };
        let (contact, point) = match receiver(tx, who, first, now)? {
            Ok(found) => found,
            Err(refused) => return refuse(&entries, refused),
        };
        let number = numbers.get(n).copied().ok_or_else(|| StoreError::broken("no conversation number was reserved"))?;
        let row = conversation(tx, who, &reach.inbox, contact, number, new, now);
        let id = row.id;
        let mut locked = Locked::create(tx, workspace, row)?;
        let payload = json!({"contact": contact, "inbox": reach.inbox.id, "channel": reach.inbox.channel, "number": number, "follow_up_of": null, "started_by": "agent"});
        locked.log(tx, "conversation.created", now, actor, payload);
        let plan = Plan {
            mode: MailMode::Reply,
            answers: None,
            to,
            cc,
            bcc,
            subject: new.subject.clone(),
            in_reply_to: None,
            references: vec![],
            quotes: vec![],
            new: vec![],
            from_reply_to: false,
            had_others: false,
        };
        store::conversation::join_point(tx, workspace, id, Some(contact), point, ParticipantRole::Customer, now)?;
        mail::let_join(tx, &mut locked, who, &plan, now)?;
        let signature = if new.no_signature { None } else { mail::signature(tx, who, reach.inbox.id, Some(&locked.row))? };
        let mut of_mail = mail::body_of(&plan, signature);
        of_mail.mode = Some("new".to_owned());
        let body = Body {
            text: new.text.clone(),
            html: new.html.clone(),
            subject: Some(new.subject.clone()),
            attachments: refs(&files),
            mail: Some(Box::new(of_mail)),
            ..Body::default()
        };
        let message = NewEntry {
            kind: EntryKind::Message,
            channel: reach.inbox.channel,
            direction: Direction::Out,
            audience: Audience::Customer,
            inbox_id: Some(reach.inbox.id),
            contact_point_id: Some(point),
            delivery: Some(DeliveryState::Queued),
            client_key: Some(key(n)),
            client_id: Some(new.idempotency_key.clone()),
            ..NewEntry::note(contact, actor, who.name.clone(), now, body)
        };
        let added = add_entry(tx, &mut locked, message, now)?;
        let hold_until = (new.hold_seconds > 0).then(|| now.plus_seconds(new.hold_seconds));
        let send_at = new.send_at.filter(|at| *at > now);
        let way = Way { inbox: reach.inbox.id, contact_point: Some(point), hold_until, send_at };
        put(tx, workspace, &added, way, now)?;
        for file in &files {
            attachment::attach(tx, workspace, file.id, added.id, id)?;
        }
        let seq = locked.row.seq;
        locked.save(tx)?;
        store::conversation::seen::mark(tx, workspace, who.agent, id, seq)?;
        entries.push(added);
    }
    if let Some(draft) = new.draft_id {
        compose_draft::delete(tx, workspace, draft, who.agent)?;
    }
    Ok(Ok((entries, true)))
}

/// A refusal is a value as long as nothing was written; after that everything must be taken back.
fn refuse(written: &[Entry], why: SendError) -> Written {
    if written.is_empty() { Ok(Err(why)) } else { Err(StoreError::Conflict(why.to_string())) }
}

fn inbox_of<'a>(
    tx: &mut dyn Conn,
    who: &Who,
    wanted: Option<InboxId>,
    inboxes: &'a [Reach],
) -> Result<Result<&'a Reach, SendError>, StoreError> {
    let sight = Sight::load(tx, who)?;
    let own = |reach: &Reach| reach.open.as_ref().and_then(|open| open.channel.own_address(&open.settings));
    let can = |reach: &&Reach| {
        let initiates = reach.open.as_ref().is_some_and(|open| open.channel.capabilities(&open.settings).can_initiate);
        initiates && own(reach).is_some() && reach.inbox.enabled && reach.inbox.state == InboxState::Ok
    };
    let found = match wanted {
        Some(id) => inboxes.iter().find(|reach| reach.inbox.id == id),
        None => inboxes.iter().filter(can).find(|reach| sight.sees_inbox(reach.inbox.id)),
    };
    let Some(reach) = found else {
        return Ok(Err(invalid("inbox_id", "an inbox that writes mail")));
    };
    if !sight.sees_inbox(reach.inbox.id) {
        return Ok(Err(SendError::Blocked { reason: BlockReason::AgentNotAllowed }));
    }
    match own(reach) {
        None => Ok(Err(invalid("inbox_id", "an inbox that writes mail"))),
        Some(_) if !can(&reach) => Ok(Err(SendError::Blocked { reason: BlockReason::ChannelDown })),
        Some(_) => Ok(Ok(reach)),
    }
}

/// Why nothing may go to an address; `None`: it may. Looks only.
fn closed(tx: &mut dyn Conn, who: &Who, address: &MailAddress) -> Result<Option<SendError>, StoreError> {
    let Some(match_key) = normal::email(&address.address) else { return Ok(None) };
    let key = contact_point::PointKey { kind: ContactPointKind::Email, scope: String::new(), match_key };
    let Some(point) = contact_point::find_key(tx, who.workspace, &key)? else { return Ok(None) };
    let live: Vec<ContactId> = contact_point::owners(tx, who.workspace, point.id)?.iter().map(|o| o.live_id).collect();
    let contacts = store::contact::list(tx, who.workspace, &live)?;
    let blocked = point.blocked_at.is_some() || (!contacts.is_empty() && contacts.iter().all(|c| c.blocked_at.is_some()));
    Ok(match health_reason(point.health) {
        Some(reason) => Some(SendError::Blocked { reason }),
        None => blocked.then(|| invalid("to", "nobody who is blocked")),
    })
}

fn health_reason(health: Health) -> Option<BlockReason> {
    match health {
        Health::Ok => None,
        Health::Bounced => Some(BlockReason::Bounced),
        Health::BlockedByCustomer => Some(BlockReason::BlockedByCustomer),
        Health::OptedOut => Some(BlockReason::OptedOut),
    }
}

/// Who gets it: the owner of the address, else a new customer.
fn receiver(
    tx: &mut dyn Conn,
    who: &Who,
    address: &MailAddress,
    now: Timestamp,
) -> Result<Result<(ContactId, model::ContactPointId), SendError>, StoreError> {
    let workspace = who.workspace;
    let Some(point) = mail::point_of(tx, workspace, address, now)? else {
        return Ok(Err(invalid("to", "addresses such as ada@example.com")));
    };
    if let Some(reason) = health_reason(point.health) {
        return Ok(Err(SendError::Blocked { reason }));
    }
    let owners = contact_point::owners(tx, workspace, point.id)?;
    if let Some(owner) = owners.iter().max_by_key(|o| (o.last_seen_at, o.live_id)) {
        store::contact::lock(tx, workspace, owner.live_id)?;
        return Ok(Ok((owner.live_id, point.id)));
    }
    let claim = ContactPointClaim::new(ContactPointKind::Email, "", &*address.address, 1, ClaimSource::Receiver)
        .named(address.name.clone());
    // Nobody holds the address, so no rule of age or block has a say.
    match resolve(tx, workspace, &[claim], Spelling::default(), i64::MAX / 86_400_000, now)? {
        Some(resolved) => Ok(Ok((resolved.contact.id, point.id))),
        None => Ok(Err(SendError::Blocked { reason: BlockReason::BlockedByCustomer })),
    }
}

fn conversation(
    tx: &mut dyn Conn,
    who: &Who,
    inbox: &store::inbox::Inbox,
    contact: ContactId,
    number: i64,
    new: &NewConversation,
    now: Timestamp,
) -> Conversation {
    let status = new.status.unwrap_or(Status::Pending);
    Conversation {
        id: ConversationId(tx.id()),
        number,
        contact_id: contact,
        inbox_id: inbox.id,
        channel: inbox.channel,
        first_channel: inbox.channel,
        agent_id: Some(who.agent),
        team_id: inbox.team_id,
        status,
        status_before_spam: None,
        spam: false,
        imported: false,
        priority: Priority::Normal,
        subject: Some(new.subject.clone()),
        snoozed_until: None,
        resolved_at: (status == Status::Resolved).then_some(now),
        waiting_since: None,
        seq: 0,
        customer_seq: 0,
        public_seq: 0,
        unread_count: 0,
        preview: None,
        merged_into: None,
        follow_up_of: None,
        created_at: now,
        last_activity_at: now,
        customer_at: None,
        next_due_at: None,
        version: 1,
        channels: vec![],
        orders: vec![],
        related: vec![],
    }
}

/// What is known of a receiver before anything is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Receiver {
    /// The address as asked.
    pub address: String,
    /// It can be an address at all.
    pub valid: bool,
    /// The customer who has it.
    pub contact: Option<(ContactId, Option<String>)>,
    /// Why nothing may go there now.
    pub reason: Option<BlockReason>,
    /// Their open conversations that the agent may see: id, number, subject; latest first.
    pub open: Vec<(ConversationId, i64, Option<String>)>,
}

/// Looks receivers up: who they are, and what is open with them.
pub async fn receivers(desk: &Desk, who: &Who, addresses: Vec<String>) -> Result<Vec<Receiver>, StoreError> {
    let who = who.clone();
    desk.db
        .read(move |tx| {
            let sight = Sight::load(tx, &who)?;
            let mut all = Vec::with_capacity(addresses.len());
            for address in addresses.iter().take(RECEIVERS_MAX) {
                all.push(look_up(tx, &who, &sight, address)?);
            }
            Ok::<_, StoreError>(all)
        })
        .await
}

fn look_up(tx: &mut dyn Conn, who: &Who, sight: &Sight, address: &str) -> Result<Receiver, StoreError> {
    let key = normal::email(address);
    let mut found = Receiver { address: address.to_owned(), valid: key.is_some(), contact: None, reason: None, open: vec![] };
    let Some(match_key) = key else { return Ok(found) };
    let key = contact_point::PointKey { kind: ContactPointKind::Email, scope: String::new(), match_key };
    let Some(point) = contact_point::find_key(tx, who.workspace, &key)? else { return Ok(found) };
    found.reason = health_reason(point.health);
    let owners = contact_point::owners(tx, who.workspace, point.id)?;
    let Some(owner) = owners.iter().max_by_key(|o| (o.last_seen_at, o.live_id)) else { return Ok(found) };
    let contact = store::contact::get_live(tx, who.workspace, owner.live_id)?;
    let set = store::contact::merged_set(tx, who.workspace, contact.id)?;
    for row in store::conversation::of_contacts(tx, who.workspace, &set, 20)? {
        let open = row.status.is_open() && row.merged_into.is_none() && !row.spam;
        if open && sight.may_see(tx, who.workspace, &row)? {
            found.open.push((row.id, row.number, row.subject));
        }
    }
    found.contact = Some((contact.id, contact.name));
    Ok(found)
}

/// A template with its variables filled in for a conversation, a receiver or nobody.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilledTemplate {
    /// Subject.
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
    /// Clean HTML.
    pub html: Option<String>,
    /// Variables without a value, once each.
    pub empty: Vec<String>,
}

/// Fills a template that the agent may use. `None`: there is none, or no such conversation.
pub async fn fill_template(
    desk: &Desk,
    who: &Who,
    id: TemplateId,
    conversation: Option<ConversationId>,
    contact: Option<ContactId>,
    inbox: Option<InboxId>,
) -> Result<Option<FilledTemplate>, StoreError> {
    let who = who.clone();
    desk.db
        .read(move |tx| {
            let found = store::template::find(tx, who.workspace, id)?;
            let Some(found) = found.filter(|t| t.agent_id.is_none_or(|agent| agent == who.agent)) else { return Ok(None) };
            let row = conversation.map(|id| store::conversation::find(tx, who.workspace, id)).transpose()?.flatten();
            if let Some(row) = &row
                && !Sight::load(tx, &who)?.may_see(tx, who.workspace, row)?
            {
                return Ok(None);
            }
            if conversation.is_some() && row.is_none() {
                return Ok(None);
            }
            let contact = row.as_ref().map(|r| r.contact_id).or(contact);
            let contact = match contact {
                Some(id) => store::contact::list(tx, who.workspace, &[id])?.first().map(|c| c.id),
                None => None,
            };
            let email = agent_email(tx, who.workspace, who.agent)?;
            let inbox = inbox.or(row.as_ref().map(|r| r.inbox_id));
            let around = Around { contact, agent: Some((&who.name, &email)), inbox, conversation };
            let values = values(tx, who.workspace, around)?;
            let text = fill(&found.text, &values);
            let subject = found.subject.as_deref().map(|s| fill(s, &values));
            let html = found.html.as_deref().map(|h| fill_html(h, &values));
            let mut empty = text.empty.clone();
            for more in subject.iter().chain(&html).flat_map(|f| &f.empty) {
                if !empty.contains(more) {
                    empty.push(more.clone());
                }
            }
            let subject = subject.map(|s| s.text);
            let html = html.map(|h| markup::clean(&h.text));
            Ok::<_, StoreError>(Some(FilledTemplate { subject, text: text.text, html, empty }))
        })
        .await
}

/// Why a draft was not kept.
#[derive(Debug, thiserror::Error)]
pub enum ComposeDraftError {
    /// There is none of this agent.
    #[error("not found")]
    NotFound,
    /// A field.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Another window wrote in between; this is what stands there now.
    #[error("another window changed this draft")]
    Conflict(Box<ComposeDraft>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The agent's drafts of conversations that are not begun, newest first.
pub async fn drafts(desk: &Desk, who: &Who) -> Result<Vec<ComposeDraft>, StoreError> {
    let (workspace, agent) = (who.workspace, who.agent);
    desk.db.read(move |tx| compose_draft::list(tx, workspace, agent)).await
}

/// Keeps a draft: a new one, or one of which this version was seen.
pub async fn keep_draft(
    desk: &Desk,
    who: &Who,
    known: Option<(ComposeDraftId, i64)>,
    content: serde_json::Value,
    attachment_ids: Vec<AttachmentId>,
) -> Result<ComposeDraft, ComposeDraftError> {
    if !content.is_object() || content.to_string().len() > DRAFT_BYTES_MAX {
        return Err(Invalid::new("content", "an object of at most 1 MiB").into());
    }
    if attachment_ids.len() > 50 {
        return Err(Invalid::new("attachment_ids", "at most 50 files").into());
    }
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            let own = Actor::Agent(who.agent).to_string();
            let files = attachment::list(tx, who.workspace, &attachment_ids)?;
            let mine = files.iter().all(|f| f.uploader == own && f.entry_id.is_none());
            if files.len() != attachment_ids.len() || !mine {
                let text = "files that you uploaded and did not send yet";
                return Ok::<_, StoreError>(Err(Invalid::new("attachment_ids", text).into()));
            }
            let mut row = ComposeDraft {
                id: ComposeDraftId(0),
                agent_id: who.agent,
                content: content.clone(),
                attachment_ids: attachment_ids.clone(),
                version: 1,
                updated_at: now,
            };
            match known {
                Some((id, version)) => {
                    let before = compose_draft::find(tx, who.workspace, id)?.filter(|d| d.agent_id == who.agent);
                    let Some(before) = before else { return Ok(Err(ComposeDraftError::NotFound)) };
                    (row.id, row.version) = (id, version);
                    if before.version != version || !compose_draft::change(tx, who.workspace, &row)? {
                        return Ok(Err(ComposeDraftError::Conflict(Box::new(before))));
                    }
                }
                None if compose_draft::list(tx, who.workspace, who.agent)?.len() >= DRAFT_COUNT_MAX => {
                    return Ok(Err(Invalid::new("content", "at most 200 drafts").into()));
                }
                None => row.id = compose_draft::add(tx, who.workspace, &row)?,
            }
            Ok(compose_draft::find(tx, who.workspace, row.id)?.ok_or(ComposeDraftError::NotFound))
        })
        .await?
}

/// Throws a draft away; false when there was none.
pub async fn remove_draft(desk: &Desk, who: &Who, id: ComposeDraftId) -> Result<bool, StoreError> {
    let (workspace, agent) = (who.workspace, who.agent);
    desk.db.write(Route::Any, move |tx| compose_draft::delete(tx, workspace, id, agent)).await
}
