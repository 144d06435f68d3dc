//! Acknowledgements and off-hours answers by mail: with receipt, expected time and a page that may help. Whoever is answered
//! is a person as far as we can tell, and gets one such mail per conversation and at most one per inbox and day.

use crate::context::{Desk, JobEnd};
use crate::conversation::Locked;
use crate::conversation::add::{NewEntry, add_entry};
use crate::conversation::mail::answer_subject;
use crate::directory::OpenInbox;
use crate::outbox::enqueue::{Way, put};
use crate::reply::options::open_inboxes;
use crate::reply::words::{Around, Values, fill, fill_html, values};
use channel::{Automatic, InboundMessage, OwnAddress};
use model::hours::Hours;
use model::{
    Actor, Audience, Body, ContactPointKind, DeliveryState, Direction, EntryId, EntryKind, Health, Mail, MailAddress, Timestamp,
    WorkspaceId,
};
use serde::{Deserialize, Serialize};
use store::automatic_answer::{self, AutomaticAnswer};
use store::entry::{self, Entry};
use store::job::{self, Job, JobRef};
use store::{Conn, Route, StoreError, contact_point};

/// At most one automatic mail to a sender from one inbox in this time.
pub const PER_SENDER_MS: i64 = 24 * 3_600_000;
/// A message that could not be answered by itself for this long is not: it would come out of the blue.
const AGE_MS_MAX: i64 = 3_600_000;
/// Kind of the answer that says it came in.
pub const ACKNOWLEDGE: &str = "acknowledge";
/// Kind of the answer that says nobody is there now.
pub const OFF_HOURS: &str = "off_hours";

/// See whether a message is answered by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerBySelf {
    /// Which message.
    pub entry: EntryId,
    /// It began its conversation.
    pub is_new: bool,
}
impl Job for AnswerBySelf {
    const NAME: &'static str = "answer_by_self";
}

/// After a customer's message was written: plans the answer where one may be due, and takes a wish to get none any more.
pub fn after_inbound(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: &OpenInbox,
    added: &Entry,
    message: &InboundMessage,
    is_new: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    if !may_be_answered(message) || added.proof_level.unwrap_or(0) < 1 {
        return Ok(());
    }
    if inbox.channel.own_address(&inbox.settings).is_none() {
        return Ok(());
    }
    let subject = message.subject.as_deref().unwrap_or_default().trim();
    if subject.eq_ignore_ascii_case("unsubscribe") {
        let point = added.contact_point_id.map(|id| contact_point::find(tx, workspace, id)).transpose()?.flatten();
        if let Some(point) = point {
            let address = &point.key.match_key;
            automatic_answer::note(tx, workspace, inbox.inbox.id, address, "unsubscribed", added.conversation_id, now)?;
        }
        return Ok(());
    }
    let any = automatic_answer::list(tx, workspace, inbox.inbox.id)?.iter().any(|answer| answer.enabled);
    if any {
        job::enqueue(tx, workspace, &AnswerBySelf { entry: added.id, is_new }, now)?;
    }
    Ok(())
}

/// Written by a person, now, and nothing in it asks for silence. Pure.
pub fn may_be_answered(message: &InboundMessage) -> bool {
    let quiet = message.mail.as_ref().is_some_and(|mail| {
        mail.quiet.is_some() || mail.report.is_some() || mail.list_id.is_some() || mail.automatic_mark.is_some()
    });
    message.automatic == Automatic::No && !quiet && !message.history && !message.junk && !message.from.iter().any(|c| c.disproved)
}

/// The job behind [`AnswerBySelf`].
pub async fn run(desk: &Desk, job: JobRef, asked: AnswerBySelf) -> JobEnd {
    match answer(desk, job, asked).await {
        Ok(()) => JobEnd::DoneInTx,
        Err(error) => error.into(),
    }
}

async fn answer(desk: &Desk, job: JobRef, asked: AnswerBySelf) -> Result<(), StoreError> {
    let (workspace, now) = (job.workspace, desk.now());
    let inboxes = open_inboxes(desk, workspace).await?;
    let own: Vec<OwnAddress> =
        inboxes.iter().filter_map(|r| r.open.as_ref()).filter_map(|open| open.channel.own_address(&open.settings)).collect();
    desk.db
        .write(Route::Any, move |tx| {
            if let Some(found) = entry::find(tx, workspace, asked.entry)? {
                answer_in(tx, workspace, &found, asked.is_new, &own, now)?;
            }
            job::finish_in_tx(tx, job)
        })
        .await
}

fn answer_in(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    asked: &Entry,
    is_new: bool,
    own: &[OwnAddress],
    now: Timestamp,
) -> Result<(), StoreError> {
    let (Some(inbox), Some(point)) = (asked.inbox_id, asked.contact_point_id) else { return Ok(()) };
    let Some(point) = contact_point::find(tx, workspace, point)? else { return Ok(()) };
    let to_mail = point.key.kind == ContactPointKind::Email && point.health == Health::Ok;
    // An inbox of ours, and whoever is at it: two of our inboxes must not thank each other.
    if !to_mail || own.iter().any(|own| own.is(&point.raw)) || now.since(model::made_at(asked.id.0)) > AGE_MS_MAX {
        return Ok(());
    }
    let address = &point.key.match_key;
    let mut locked = Locked::lock_live(tx, workspace, asked.conversation_id)?;
    if locked.row.spam
        || automatic_answer::sent_in(tx, workspace, locked.row.id)?
        || automatic_answer::unsubscribed(tx, workspace, inbox, address)?
        || automatic_answer::sent_since(tx, workspace, inbox, address, now.plus_ms(-PER_SENDER_MS))?
        || automatic_answer::burst(tx, workspace, asked.contact_id)?.is_some_and(|b| b.open)
    {
        return Ok(());
    }
    let zone = store::workspace::get(tx, workspace)?.time_zone;
    let answers = automatic_answer::list(tx, workspace, inbox)?;
    let Some((answer, hours)) = due(tx, workspace, &answers, is_new, &zone, now)? else {
        return Ok(());
    };
    // What a forged sender must not learn stays out: a name goes only to a proven address.
    let proven = asked.proof_level.unwrap_or(0) >= 2;
    let around = Around {
        contact: proven.then_some(asked.contact_id),
        agent: None,
        inbox: Some(inbox),
        conversation: Some(locked.row.id),
    };
    let mut values = values(tx, workspace, around)?;
    times(&mut values, &answer, &hours, now);
    let text = fill(&answer.text, &values).text;
    let subject = answer.subject.as_deref().map(|s| fill(s, &values).text).filter(|s| !s.trim().is_empty());
    let before = asked.body.subject.as_deref().unwrap_or_default();
    let asked_mail = asked.body.mail.as_deref();
    let mut references = asked_mail.map(|m| m.references.clone()).unwrap_or_default();
    let parent = asked_mail.and_then(|m| m.message_id.clone());
    references.extend(parent.clone().filter(|id| !references.contains(id)));
    let mail = Mail {
        to: vec![MailAddress { name: None, address: point.raw.clone() }],
        in_reply_to: parent,
        references,
        mode: Some("reply".to_owned()),
        automatic: Some("replied".to_owned()),
        ..Mail::default()
    };
    let body = Body {
        text,
        html: answer.html.as_deref().map(|html| crate::reply::markup::clean(&fill_html(html, &values).text)),
        subject: Some(subject.unwrap_or_else(|| answer_subject(before))),
        mail: Some(Box::new(mail)),
        ..Body::default()
    };
    let name = store::inbox::find(tx, workspace, inbox)?.map(|i| i.name).unwrap_or_default();
    let new = NewEntry {
        kind: EntryKind::Message,
        channel: asked.channel,
        direction: Direction::Out,
        audience: Audience::Customer,
        inbox_id: Some(inbox),
        contact_point_id: Some(point.id),
        delivery: Some(DeliveryState::Queued),
        notification: true,
        reply_to: Some(asked.id),
        flags: vec![format!("automatic_{}", answer.kind)],
        ..NewEntry::note(asked.contact_id, Actor::System, name, now, body)
    };
    let preview = locked.row.preview.clone();
    let added = add_entry(tx, &mut locked, new, now)?;
    // The list goes on showing what the customer wrote.
    locked.row.preview = preview;
    put(tx, workspace, &added, Way { inbox, contact_point: Some(point.id), hold_until: None, send_at: None }, now)?;
    automatic_answer::note(tx, workspace, inbox, address, &answer.kind, locked.row.id, now)?;
    locked.save(tx)?;
    Ok(())
}

/// The answer that is due now, with the hours that count for it: nobody there before "it came in".
fn due(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    answers: &[AutomaticAnswer],
    is_new: bool,
    zone: &str,
    now: Timestamp,
) -> Result<Option<(AutomaticAnswer, Hours)>, StoreError> {
    for kind in [OFF_HOURS, ACKNOWLEDGE] {
        let Some(answer) = answers.iter().find(|a| a.kind == kind && a.enabled) else { continue };
        let named = answer.business_hours_id.map(|id| store::business_hours::find(tx, workspace, id)).transpose()?.flatten();
        let first = match named {
            Some(found) => Some(found),
            None => store::business_hours::list(tx, workspace)?.into_iter().next(),
        };
        let hours = first.map_or_else(|| Hours::office(zone), |found| found.hours);
        let fits = if kind == OFF_HOURS { !hours.is_open(now) } else { is_new };
        if fits {
            return Ok(Some((answer.clone(), hours)));
        }
    }
    Ok(None)
}

/// When somebody will answer, in the zone of the business.
fn times(values: &mut Values, answer: &AutomaticAnswer, hours: &Hours, now: Timestamp) {
    let opens = if hours.is_open(now) { Some(now) } else { hours.next_open(now) };
    if let Some(opens) = opens {
        if opens > now {
            values.set("opens_at", hours.local_text(opens));
        }
        if let Some(minutes) = answer.reply_within_minutes {
            values.set("expected_reply", hours.local_text(hours.after_open_minutes(opens, minutes)));
        }
    }
    values.set("article", answer.article_url.clone().unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use channel::MailFacts;

    #[test]
    fn machines_lists_and_the_past_are_never_answered() {
        let person = InboundMessage { mail: Some(Box::default()), ..InboundMessage::default() };
        assert!(may_be_answered(&person));
        let facts = |facts: MailFacts| InboundMessage { mail: Some(Box::new(facts)), ..InboundMessage::default() };
        let no = [
            InboundMessage { automatic: Automatic::Reply, ..person.clone() },
            InboundMessage { automatic: Automatic::Bounce, ..person.clone() },
            InboundMessage { automatic: Automatic::Bulk, ..person.clone() },
            InboundMessage { history: true, ..person.clone() },
            InboundMessage { junk: true, ..person.clone() },
            facts(MailFacts { quiet: Some("from no-reply".into()), ..MailFacts::default() }),
            facts(MailFacts { list_id: Some("list.test".into()), ..MailFacts::default() }),
            facts(MailFacts { report: Some(channel::MailReport::default()), ..MailFacts::default() }),
        ];
        for message in no {
            assert!(!may_be_answered(&message), "{message:?}");
        }
    }
}
