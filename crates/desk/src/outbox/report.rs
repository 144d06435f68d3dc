//! What mail servers and mail programs report about mails of ours: not delivered, late, delivered, read, taken for spam. Each
//! report ends at the entry that it is about; which one that is stands in the Message-ID with our MAC, so that nobody can
//! report on a mail that they never had. No new conversation, no effect on clocks.

use super::receipt::{provider_key, settle_report};
use super::show;
use crate::conversation::Locked;
use crate::conversation::add::add_event;
use crate::identity::normal;
use crate::placement::token;
use channel::{MailReport, ReportKind, ReportedRecipient};
use model::{Actor, ContactPointKind, DeliveryState, EntryId, FailureClass, Health, InboxId, OutboxId, Timestamp, WorkspaceId};
use serde_json::json;
use store::contact_point::{self, ContactPoint, PointKey};
use store::entry::{self, Entry};
use store::outbox::{self, Outbox};
use store::{Conn, StoreError};

const TEXT_CHARS_MAX: usize = 300;

/// Applies a report. The entry that it is about; `None`: about nothing of ours.
pub fn apply(
    tx: &mut dyn Conn,
    keys: &keys::Keys,
    workspace: WorkspaceId,
    inbox: InboxId,
    report: &MailReport,
    now: Timestamp,
) -> Result<Option<EntryId>, StoreError> {
    let Some(id) = about(tx, keys, workspace, inbox, report)? else { return Ok(None) };
    let Some(row) = outbox::find(tx, workspace, id)? else { return Ok(None) };
    let Some(entry) = entry::find(tx, workspace, row.entry_id)? else { return Ok(None) };
    for recipient in &report.recipients {
        one(tx, workspace, &row, &entry, report.kind, recipient, now)?;
    }
    // A complaint may name nobody: then it comes from the one receiver that there was.
    if report.recipients.is_empty() && report.kind == ReportKind::Abuse {
        let point = row.contact_point_id.map(|id| contact_point::find(tx, workspace, id)).transpose()?.flatten();
        if let Some(point) = point {
            complained(tx, workspace, &row, &entry, &point, now)?;
        }
    }
    Ok(Some(entry.id))
}

fn about(
    tx: &mut dyn Conn,
    keys: &keys::Keys,
    workspace: WorkspaceId,
    inbox: InboxId,
    report: &MailReport,
) -> Result<Option<OutboxId>, StoreError> {
    let ids: Vec<&String> = report.original_id.iter().chain(report.original_references.iter().rev()).collect();
    // The id itself first, then the chain: it holds ours also where a relay has given the mail another one. But the chain
    // also holds older mails of ours, so only its newest id of ours counts.
    if let Some(id) = ids.iter().find_map(|id| token::read_message_id(keys, workspace, id)) {
        return Ok(Some(id));
    }
    for id in ids {
        if let Some(attempt) = outbox::by_provider_key(tx, workspace, inbox, &provider_key(id))? {
            return Ok(Some(attempt.outbox_id));
        }
    }
    Ok(None)
}

fn point_of(tx: &mut dyn Conn, workspace: WorkspaceId, address: &str) -> Result<Option<ContactPoint>, StoreError> {
    let Some(match_key) = normal::email(address) else { return Ok(None) };
    contact_point::find_key(tx, workspace, &PointKey { kind: ContactPointKind::Email, scope: String::new(), match_key })
}

/// Did we write to this address in this mail? A report about anybody else changes nothing.
fn wrote_to(entry: &Entry, row: &Outbox, point: Option<&ContactPoint>, address: &str) -> bool {
    let same = |a: &str| a.eq_ignore_ascii_case(address) || normal::email(a).is_some_and(|a| Some(a) == normal::email(address));
    point.is_some_and(|p| Some(p.id) == row.contact_point_id)
        || entry.body.mail.as_ref().is_some_and(|m| m.to.iter().chain(&m.cc).chain(&m.bcc).any(|a| same(&a.address)))
}

fn one(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    row: &Outbox,
    entry: &Entry,
    kind: ReportKind,
    recipient: &ReportedRecipient,
    now: Timestamp,
) -> Result<(), StoreError> {
    let point = point_of(tx, workspace, &recipient.address)?;
    if !wrote_to(entry, row, point.as_ref(), &recipient.address) {
        return Ok(());
    }
    let is_main = point.as_ref().is_some_and(|p| Some(p.id) == row.contact_point_id);
    let status = recipient.status.clone().unwrap_or_default();
    let text = model::fold::truncate(recipient.text.as_deref().unwrap_or_default().trim(), TEXT_CHARS_MAX).to_owned();
    let (state, class) = match kind {
        ReportKind::Abuse => {
            if let Some(point) = point {
                complained(tx, workspace, row, entry, &point, now)?;
            }
            return Ok(());
        }
        ReportKind::Read => (DeliveryState::Read, None),
        ReportKind::Delivery => match recipient.state {
            DeliveryState::Failed => (DeliveryState::Failed, Some(class_of(&status))),
            DeliveryState::Delivered => (DeliveryState::Delivered, None),
            DeliveryState::Read => (DeliveryState::Read, None),
            _ => return late(tx, workspace, entry, recipient, &text, now),
        },
    };
    if class == Some(FailureClass::Address)
        && let Some(point) = &point
        && point.health == Health::Ok
    {
        contact_point::set_health(tx, workspace, point.id, Health::Bounced)?;
    }
    if !is_main {
        if state == DeliveryState::Failed {
            let args = json!({"to": entry.id, "address": recipient.address, "status": status, "text": text});
            say(tx, workspace, entry, "entry.copy_bounced", "copy_bounced", args, now)?;
        }
        return Ok(());
    }
    let said = if text.is_empty() { status.clone() } else { text };
    let reason = format!("{} did not take it: {said}", recipient.address);
    let code = (!status.is_empty()).then_some(status);
    settle_report(tx, workspace, row, state, class, code, (state == DeliveryState::Failed).then_some(reason), now)?;
    show(tx, workspace, row, now)
}

/// Which failures say that the address is no good: those of the mailbox and the domain, not a full one, a policy or a size.
fn class_of(status: &str) -> FailureClass {
    if !status.starts_with('5') && !status.is_empty() {
        return FailureClass::Unknown;
    }
    match status {
        "5.2.2" | "5.2.3" | "5.3.4" => FailureClass::Permanent,
        other if other.starts_with("5.7.") || other.starts_with("5.6.") => FailureClass::Policy,
        other if other.starts_with("5.4.") || other.starts_with("5.3.") || other.starts_with("5.5.") => FailureClass::Permanent,
        _ => FailureClass::Address,
    }
}

fn late(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    entry: &Entry,
    recipient: &ReportedRecipient,
    text: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let args = json!({"to": entry.id, "address": recipient.address, "status": recipient.status, "text": text});
    say(tx, workspace, entry, "entry.delayed", "delivery_delayed", args, now)
}

/// Somebody took our mail for spam: nothing automatic goes there any more, and people see why.
fn complained(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    row: &Outbox,
    entry: &Entry,
    point: &ContactPoint,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (inbox, conversation) = (row.inbox_id, entry.conversation_id);
    store::automatic_answer::note(tx, workspace, inbox, &point.key.match_key, "unsubscribed", conversation, now)?;
    let args = json!({"to": entry.id, "address": point.raw});
    say(tx, workspace, entry, "entry.complained", "spam_complaint", args, now)
}

fn say(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    entry: &Entry,
    kind: &'static str,
    code: &str,
    args: serde_json::Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (mut locked, _) = Locked::of_entry(tx, workspace, entry.id)?;
    add_event(tx, &mut locked, kind, code, args, Actor::System, "", now)?;
    locked.save(tx)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::class_of;
    use model::FailureClass::{Address, Permanent, Policy, Unknown};

    #[test]
    fn only_what_speaks_of_the_address_makes_it_bad() {
        let cases = [
            ("5.1.1", Address),
            ("5.1.10", Address),
            ("5.2.1", Address),
            ("5.0.0", Address),
            ("", Address),
            ("5.2.2", Permanent),
            ("5.3.4", Permanent),
            ("5.4.4", Permanent),
            ("5.7.1", Policy),
            ("5.6.0", Policy),
            ("4.4.1", Unknown),
        ];
        for (status, class) in cases {
            assert_eq!(class_of(status), class, "{status}");
        }
    }
}
