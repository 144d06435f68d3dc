//! An answer by mail: who gets it, under which subject, in which chain, with which signature. The receivers come from the entry
//! that is answered, never from "the last sender", and are shown before anything is sent: `plan` is what the composer shows
//! and what `send` does.

use super::words::{Around, fill, fill_html, values};
use crate::context::Who;
use crate::conversation::mail::{answer_subject, bare_subject, forward_subject, others};
use crate::identity::normal;
use channel::OwnAddress;
use model::{
    AgentId, Audience, ContactPointKind, Direction, EntryId, EntryKind, InboxId, Mail, MailAddress, MailSignature, OutboxId,
    ParticipantRole, Timestamp, WorkspaceId,
};
use serde_json::json;
use store::contact_point::{self, ContactPoint, PointKey};
use store::conversation::Conversation;
use store::entry::{self, Entry};
use store::{Conn, StoreError};

use crate::conversation::Locked;

/// Receivers of one mail.
pub const RECEIVERS_MAX: usize = 50;
const SUBJECT_CHARS_MAX: usize = 500;
const REFERENCES_MAX: usize = 20;
/// Entries that are looked through for the mail to go on from.
const LOOK_BACK: i64 = 100;

/// What kind of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailMode {
    /// To the sender of the answered mail.
    Reply,
    /// To everybody who had it.
    ReplyAll,
    /// To somebody else; the customer does not see it.
    Forward,
}

impl MailMode {
    /// The word in bodies and in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::ReplyAll => "reply_all",
            Self::Forward => "forward",
        }
    }
}

/// What an agent chose; what is left open follows from the answered entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MailChoice {
    /// Which kind of answer; else to all when the answered mail had others.
    pub mode: Option<MailMode>,
    /// Which entry is answered; else the customer's last mail.
    pub answers: Option<EntryId>,
    /// Receivers.
    pub to: Option<Vec<MailAddress>>,
    /// In copy.
    pub cc: Option<Vec<MailAddress>>,
    /// In copy, seen by nobody.
    pub bcc: Vec<MailAddress>,
    /// Subject.
    pub subject: Option<String>,
    /// Repeat the answered mail below; else yes.
    pub quote: Option<bool>,
    /// With signature; else yes.
    pub signature: Option<bool>,
}

/// What a mail would be.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Which kind of answer.
    pub mode: MailMode,
    /// The answered entry.
    pub answers: Option<EntryId>,
    /// Receivers.
    pub to: Vec<MailAddress>,
    /// In copy.
    pub cc: Vec<MailAddress>,
    /// In copy, seen by nobody.
    pub bcc: Vec<MailAddress>,
    /// Subject.
    pub subject: String,
    /// The mail that it goes on from.
    pub in_reply_to: Option<String>,
    /// Its chain, oldest first.
    pub references: Vec<String>,
    /// Entries that are repeated below.
    pub quotes: Vec<EntryId>,
    /// Addresses that take no part in the conversation yet.
    pub new: Vec<String>,
    /// The sender asked for answers at another address than the mail came from, and has proven to be the sender.
    pub from_reply_to: bool,
    /// The answered mail had other receivers beside us.
    pub had_others: bool,
}

/// A choice that cannot be.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Which field.
    pub field: &'static str,
    /// What is accepted.
    pub text: &'static str,
}

fn refused<T>(field: &'static str, text: &'static str) -> Result<Result<T, Refused>, StoreError> {
    Ok(Err(Refused { field, text }))
}

/// What planning is told.
pub struct Ask<'a> {
    /// The conversation.
    pub conversation: &'a Conversation,
    /// The address of the chosen way.
    pub way: &'a ContactPoint,
    /// It was chosen by the agent, not by us.
    pub way_chosen: bool,
    /// Name of the customer.
    pub name: Option<String>,
    /// Addresses of all inboxes of the workspace.
    pub own: &'a [OwnAddress],
    /// Keys of our ids.
    pub keys: &'a keys::Keys,
    /// The domain of our ids.
    pub domain: &'a str,
}

/// Works out what a mail would be.
pub fn plan(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    ask: &Ask<'_>,
    choice: &MailChoice,
) -> Result<Result<Plan, Refused>, StoreError> {
    let id = ask.conversation.id;
    let recent = entry::conversation_before(tx, workspace, id, (i64::MAX, i64::MAX), LOOK_BACK)?;
    let answered = match choice.answers {
        Some(wanted) => match entry::find(tx, workspace, wanted)? {
            Some(found) if found.conversation_id == id && found.kind == EntryKind::Message && found.redacted_at.is_none() => {
                Some(found)
            }
            _ => return refused("mail.answers", "a message of this conversation"),
        },
        None => latest(&recent, |e| e.direction == Direction::In && e.body.mail.is_some()).cloned(),
    };
    let mail = answered.as_ref().and_then(|e| e.body.mail.as_deref());
    let way = MailAddress { name: ask.name.clone(), address: ask.way.raw.clone() };
    let (sender, from_reply_to) = match (&answered, mail) {
        (Some(entry), Some(mail)) if !ask.way_chosen || entry.contact_point_id == Some(ask.way.id) => {
            let (to, asked) = sender_of(entry, mail, ask.own);
            if to.is_empty() { (vec![way.clone()], false) } else { (to, asked) }
        }
        _ => (vec![way.clone()], false),
    };
    let copies = mail.map_or(vec![], |mail| match answered.as_ref().map(|e| e.direction) {
        Some(Direction::In) => others(mail.to.iter().chain(&mail.cc).cloned(), ask.own, &sender),
        _ => others(mail.cc.iter().cloned(), ask.own, &sender),
    });
    let had_others = !copies.is_empty();
    let mode = choice.mode.unwrap_or(if had_others { MailMode::ReplyAll } else { MailMode::Reply });
    let subject = subject_of(ask.conversation, answered.as_ref(), mode, choice);
    let forward = mode == MailMode::Forward;
    let to = match &choice.to {
        Some(to) => others(to.iter().cloned(), ask.own, &[]),
        None if forward => vec![],
        None => sender,
    };
    let cc = match &choice.cc {
        Some(cc) => others(cc.iter().cloned(), ask.own, &to),
        None if mode == MailMode::ReplyAll => others(copies, ask.own, &to),
        None => vec![],
    };
    let known: Vec<MailAddress> = to.iter().chain(&cc).cloned().collect();
    let bcc = others(choice.bcc.iter().cloned(), ask.own, &known);
    if to.len() + cc.len() + bcc.len() > RECEIVERS_MAX {
        return refused("mail.to", "at most 50 receivers");
    }
    for (field, list) in [("mail.to", &to), ("mail.cc", &cc), ("mail.bcc", &bcc)] {
        if list.iter().any(|address| normal::email(&address.address).is_none()) {
            return refused(field, "addresses such as ada@example.com");
        }
    }
    // What is passed on begins a chain of its own: its answers must not end up in the customer's.
    let (in_reply_to, references) = if forward { (None, vec![]) } else { chain(tx, workspace, ask, answered.as_ref(), &recent)? };
    let quote = choice.quote.unwrap_or(true) || forward;
    let quotes = match &answered {
        Some(entry) if quote && (entry.audience == Audience::Customer || forward) && (mail.is_some() || forward) => {
            vec![entry.id]
        }
        _ => vec![],
    };
    let new = new_ones(tx, workspace, ask, to.iter().chain(&cc).chain(&bcc))?;
    Ok(Ok(Plan {
        mode,
        answers: answered.map(|e| e.id),
        to,
        cc,
        bcc,
        subject,
        in_reply_to,
        references,
        quotes,
        new,
        from_reply_to,
        had_others,
    }))
}

fn latest(recent: &[Entry], fits: impl Fn(&Entry) -> bool) -> Option<&Entry> {
    recent.iter().filter(|e| e.kind == EntryKind::Message && e.redacted_at.is_none() && fits(e)).max_by_key(|e| (e.at, e.id))
}

/// Whom an answer to this entry goes to. Where the sender asks for answers elsewhere, that is followed only when the sender is
/// proven: else whoever can forge a sender could have the customer's matters sent to themselves.
fn sender_of(entry: &Entry, mail: &Mail, own: &[OwnAddress]) -> (Vec<MailAddress>, bool) {
    if entry.direction != Direction::In {
        return (others(mail.to.iter().cloned(), own, &[]), false);
    }
    let elsewhere = others(mail.reply_to.iter().cloned(), own, &[]);
    let from: Vec<MailAddress> = mail.from.iter().cloned().collect();
    let same = |a: &MailAddress| from.iter().any(|b| b.address.eq_ignore_ascii_case(&a.address));
    if entry.proof_level.unwrap_or(0) >= 2 && !elsewhere.is_empty() {
        let differs = !elsewhere.iter().all(same);
        return (elsewhere, differs);
    }
    (others(from, own, &[]), false)
}

fn subject_of(conversation: &Conversation, answered: Option<&Entry>, mode: MailMode, choice: &MailChoice) -> String {
    if let Some(subject) = choice.subject.as_deref().map(str::trim).filter(|s| !s.is_empty()) {
        return model::fold::truncate(subject, SUBJECT_CHARS_MAX).to_owned();
    }
    let before = answered.and_then(|e| e.body.subject.clone()).or_else(|| conversation.subject.clone()).unwrap_or_default();
    match mode {
        MailMode::Forward => forward_subject(&before),
        _ if answered.is_none() && bare_subject(&before).is_empty() => format!("#{}", conversation.number),
        _ => answer_subject(&before),
    }
}

/// The chain that a mail goes on from: that of the answered mail, else of the last mail of this conversation, whoever wrote it.
fn chain(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    ask: &Ask<'_>,
    answered: Option<&Entry>,
    recent: &[Entry],
) -> Result<(Option<String>, Vec<String>), StoreError> {
    let with_mail = |e: &&Entry| e.body.mail.is_some() && e.audience != Audience::Outside;
    let last = recent.iter().filter(with_mail).max_by_key(|e| (e.at, e.id));
    let Some(parent) = answered.filter(|e| e.body.mail.is_some()).or(last) else { return Ok((None, vec![])) };
    let Some(mail) = parent.body.mail.as_deref() else { return Ok((None, vec![])) };
    let id = match (&mail.message_id, parent.direction) {
        (Some(id), Direction::In) => Some(id.clone()),
        _ => store::outbox::of_entry(tx, workspace, parent.id)?
            .first()
            .map(|row| message_id(ask.keys, workspace, row.id, ask.domain)),
    };
    let mut references = mail.references.clone();
    if let Some(id) = &id
        && !references.contains(id)
    {
        references.push(id.clone());
    }
    if references.len() > REFERENCES_MAX {
        let tail = references.split_off(references.len() - (REFERENCES_MAX - 1));
        references.truncate(1);
        references.extend(tail);
    }
    Ok((id, references))
}

/// Our Message-ID of an outbox row.
pub fn message_id(keys: &keys::Keys, workspace: WorkspaceId, outbox: OutboxId, domain: &str) -> String {
    format!("{}@{domain}", crate::placement::token::message_id_local(keys, workspace, outbox))
}

fn key(address: &str) -> Option<PointKey> {
    let match_key = normal::email(address)?;
    Some(PointKey { kind: ContactPointKind::Email, scope: String::new(), match_key })
}

fn new_ones<'a>(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    ask: &Ask<'_>,
    all: impl Iterator<Item = &'a MailAddress>,
) -> Result<Vec<String>, StoreError> {
    let taking_part = store::conversation::participants(tx, workspace, ask.conversation.id)?;
    let live = store::contact::get_live(tx, workspace, ask.conversation.contact_id)?;
    let mut new = Vec::new();
    for address in all {
        let point = key(&address.address).map(|key| contact_point::find_key(tx, workspace, &key)).transpose()?.flatten();
        let known = match point {
            None => false,
            Some(point) => {
                point.id == ask.way.id
                    || taking_part.iter().any(|p| p.contact_point_id == Some(point.id))
                    || contact_point::owners(tx, workspace, point.id)?.iter().any(|o| o.live_id == live.id)
            }
        };
        if !known {
            new.push(address.address.clone());
        }
    }
    Ok(new)
}

/// What stands in the entry of a planned mail.
pub fn body_of(plan: &Plan, signature: Option<MailSignature>) -> Mail {
    Mail {
        to: plan.to.clone(),
        cc: plan.cc.clone(),
        bcc: plan.bcc.clone(),
        in_reply_to: plan.in_reply_to.clone(),
        references: plan.references.clone(),
        mode: Some(plan.mode.word().to_owned()),
        quotes: plan.quotes.clone(),
        signature,
        ..Mail::default()
    }
}

/// The signature that stands under an agent's mail, filled in.
pub fn signature(
    tx: &mut dyn Conn,
    who: &Who,
    inbox: InboxId,
    conversation: Option<&Conversation>,
) -> Result<Option<MailSignature>, StoreError> {
    let Some(found) = store::signature::closest(tx, who.workspace, inbox, who.agent)? else { return Ok(None) };
    let email = agent_email(tx, who.workspace, who.agent)?;
    let around = Around {
        contact: conversation.map(|c| c.contact_id),
        agent: Some((&who.name, &email)),
        inbox: Some(inbox),
        conversation: conversation.map(|c| c.id),
    };
    let values = values(tx, who.workspace, around)?;
    let text = fill(&found.text, &values).text;
    let html = found.html.map(|html| super::markup::clean(&fill_html(&html, &values).text));
    Ok((!text.trim().is_empty()).then_some(MailSignature { text, html }))
}

/// The address by which an agent signs in.
pub fn agent_email(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId) -> Result<String, StoreError> {
    Ok(store::agent::find(tx, workspace, agent)?.map(|a| a.email).unwrap_or_default())
}

/// The contact point of an address; made when nobody has it yet, and then owned by nobody.
pub fn point_of(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    address: &MailAddress,
    now: Timestamp,
) -> Result<Option<ContactPoint>, StoreError> {
    let Some(key) = key(&address.address) else { return Ok(None) };
    contact_point::upsert(tx, workspace, &key, address.address.trim(), now).map(Some)
}

/// Everybody in To and Cc takes part from now on: no answer reaches an address that takes no part (domain.md 14, 16).
pub fn let_join(tx: &mut dyn Conn, locked: &mut Locked, who: &Who, plan: &Plan, now: Timestamp) -> Result<(), StoreError> {
    let workspace = who.workspace;
    let live = store::contact::get_live(tx, workspace, locked.row.contact_id)?.id;
    for address in plan.to.iter().chain(&plan.cc) {
        let Some(point) = point_of(tx, workspace, address, now)? else { continue };
        let owners = contact_point::owners(tx, workspace, point.id)?;
        let owner = match owners.as_slice() {
            [one] => Some(one.live_id),
            many => many.iter().find(|o| o.live_id == live).map(|o| o.live_id),
        };
        let role = match owner {
            Some(owner) if owner == live => ParticipantRole::Customer,
            _ if plan.mode == MailMode::Forward => ParticipantRole::Outside,
            _ => ParticipantRole::Copied,
        };
        if store::conversation::join_point(tx, workspace, locked.row.id, owner, point.id, role, now)? {
            let payload = json!({"contact_point": point.id, "role": role});
            locked.log(tx, "conversation.participant_added", now, model::Actor::Agent(who.agent), payload);
        }
    }
    Ok(())
}
