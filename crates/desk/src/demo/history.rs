//! Imported history for tests of scale: two years of short conversations through the bulk loader, in order of time, so that
//! indexes grow at their ends. One transaction is written while the next is planned.

use super::business::Cast;
use super::dice::Dice;
use super::{DemoError, Progress};
use crate::Desk;
use crate::conversation::add::preview_of;
use model::{
    AgentId, Audience, AuthorKind, Body, Channel, ContactId, ContactPointId, ContactPointKind, ConversationId, DeliveryState,
    Direction, EntryId, EntryKind, Priority, Status, Timestamp,
};
use store::contact::Contact;
use store::contact_point::PointKey;
use store::conversation::Conversation;
use store::entry::Entry;
use store::loader::{self, Batch, NewPoint};
use store::{Route, StoreError};

const BATCH_COUNT: u64 = 250;
const DAY: i64 = 86_400_000;
const SPAN: i64 = 730 * DAY;
/// Newer than this is played, not imported.
const YOUNGEST: i64 = 29 * DAY;
/// One contact comes back so often.
const PER_CONTACT: u64 = 3;

const ASKED: [&str; 12] = [
    "Where is my order? It was due last week.",
    "Do you have this tyre in 28 inch?",
    "My brakes squeal since the service.",
    "Can I change the delivery address?",
    "Please send me the invoice as PDF.",
    "Is the battery covered by the warranty?",
    "When is the next free slot in the workshop?",
    "The jacket is too small, can I exchange it?",
    "I was charged twice for one order.",
    "Which frame size do I need?",
    "Thanks, the bike is great!",
    "Do you rent out cargo bikes?",
];
const ANSWERED: [&str; 8] = [
    "Hi, thanks for writing. I am looking into it.",
    "Yes, we have it. Shall I put one aside for you?",
    "Sorry about that! I have just sent it.",
    "Of course, I have changed it.",
    "Please bring it in, we will have a look at once.",
    "You will have the refund within five days.",
    "Done. Anything else I can do?",
    "We have a slot on Thursday at nine. Does that suit you?",
];
const GOES_ON: [&str; 6] =
    ["Great, thank you!", "That helps.", "OK, see you then.", "Could it be Friday?", "Still nothing here.", "Perfect."];

struct Writer<'a> {
    cast: &'a Cast,
    dice: &'a Dice,
    first: i64,
    total: u64,
    now: Timestamp,
    contact: Option<(ContactId, ContactPointId, Channel, String)>,
    ids: std::sync::Arc<model::IdSource>,
}

/// Loads `total` conversations whose numbers begin at `first`.
pub async fn load(
    desk: &Desk,
    cast: &Cast,
    dice: &Dice,
    first: i64,
    total: u64,
    now: Timestamp,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), DemoError> {
    let own = dice.of("history", 0);
    let mut writer = Writer { cast, dice: &own, first, total, now, contact: None, ids: desk.db.ids() };
    let mut done = 0;
    let mut next = writer.batch(0);
    while let Some(batch) = next.take() {
        let (workspace, count) = (cast.workspace, batch.conversations.len() as u64);
        let written =
            desk.db.write_bulk(Route::Any, move |tx| -> Result<(), StoreError> { loader::load(tx, workspace, &batch, now) });
        // The ids of long runs come from the source that is leased now.
        writer.ids = desk.db.ids();
        let planned = async { writer.batch(done + count) };
        let (written, planned) = tokio::join!(written, planned);
        written?;
        done += count;
        next = planned;
        if done % 10_000 < BATCH_COUNT || done == total {
            progress(Progress::Imported(done));
        }
    }
    Ok(())
}

impl Writer<'_> {
    fn batch(&mut self, from: u64) -> Option<Batch> {
        let upto = (from + BATCH_COUNT).min(self.total);
        if from >= upto {
            return None;
        }
        let mut batch = Batch::default();
        for n in from..upto {
            self.conversation(n, &mut batch);
        }
        Some(batch)
    }

    fn conversation(&mut self, n: u64, batch: &mut Batch) {
        let number = self.first + i64::try_from(n).unwrap_or(0);
        let step = (SPAN - YOUNGEST) / i64::try_from(self.total).unwrap_or(1).max(1);
        let start = self.now.plus_ms(-SPAN + step * i64::try_from(n).unwrap_or(0));
        if n.is_multiple_of(PER_CONTACT) || self.contact.is_none() {
            self.contact = Some(self.contact(number, start, batch));
        }
        let Some((contact, point, channel, name)) = self.contact.clone() else { return };
        let team = self.dice.below(self.cast.teams.len());
        let members = self.cast.members(team);
        let agent = *self.dice.pick(&members);
        let status = match self.dice.between(1, 100) {
            1..=20 => Status::Open,
            21..=24 => Status::Pending,
            _ => Status::Closed,
        };
        let count = self.dice.between(3, 7);
        let id = ConversationId(self.ids.next_id());
        let mut entries = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        let mut at = start;
        for m in 0..count {
            let inbound = m % 2 == 0;
            entries.push(self.entry(id, (contact, point, channel, &name), agent, m, inbound, at));
            at = at.plus_ms(self.dice.between(40, 9_000) * 1_000);
        }
        let last_in = entries.iter().rev().find(|e: &&Entry| e.direction == Direction::In).map(|e| e.at);
        let waits = entries.last().filter(|e| e.direction == Direction::In && status == Status::Open).map(|e| e.at);
        let last = entries.last();
        batch.conversations.push((
            Conversation {
                id,
                number,
                contact_id: contact,
                inbox_id: self.cast.inbox(channel),
                channel,
                first_channel: channel,
                agent_id: self.dice.percent(70).then(|| self.agent(agent)),
                team_id: Some(self.cast.teams[team]),
                status,
                status_before_spam: None,
                spam: false,
                imported: true,
                priority: Priority::Normal,
                subject: None,
                snoozed_until: None,
                resolved_at: (status == Status::Closed).then(|| last.map_or(at, |e| e.at)),
                waiting_since: waits,
                seq: 1,
                customer_seq: 1,
                public_seq: 1,
                unread_count: i64::from(waits.is_some() && self.dice.percent(50)),
                preview: last.map(preview_of),
                merged_into: None,
                follow_up_of: None,
                created_at: start,
                last_activity_at: last.map_or(start, |e| e.at),
                customer_at: last_in,
                next_due_at: None,
                version: 1,
                channels: vec![channel.to_string()],
                orders: vec![],
                related: vec![],
            },
            entries,
        ));
    }

    fn agent(&self, number: usize) -> AgentId {
        self.cast.agents[number].who.agent
    }

    fn contact(&self, number: i64, start: Timestamp, batch: &mut Batch) -> (ContactId, ContactPointId, Channel, String) {
        const FIRST: [&str; 12] =
            ["Emma", "Oliver", "Grace", "Henry", "Jürgen", "Greta", "Lucía", "Hugo", "Maya", "Daniel", "Freya", "Owen"];
        const LAST: [&str; 12] =
            ["Carter", "Hughes", "Novak", "Müller", "Petersen", "García", "Moreau", "Kim", "Larsen", "Doyle", "Weiß", "Patel"];
        let id = ContactId(self.ids.next_id());
        let name = format!("{} {}", self.dice.pick(&FIRST), self.dice.pick(&LAST));
        let mail = self.dice.percent(60);
        let (channel, kind, raw) = if mail {
            (Channel::Email, ContactPointKind::Email, format!("rider{number}@example.com"))
        } else {
            let channel = *self.dice.pick(&[Channel::Sms, Channel::Whatsapp, Channel::Whatsapp]);
            (channel, ContactPointKind::Phone, format!("+449{number:09}"))
        };
        let point = ContactPointId(self.ids.next_id());
        batch.contacts.push(Contact {
            id,
            merged_into: None,
            live_id: id,
            name: Some(name.clone()),
            company: None,
            locale: None,
            time_zone: None,
            notes: None,
            claimed: serde_json::Map::new(),
            blocked_at: None,
            first_seen_at: start,
            last_seen_at: start,
            version: 1,
        });
        let key = PointKey { kind, scope: String::new(), match_key: raw.clone() };
        batch.points.push(NewPoint { id: point, key, raw, owner: id, proof_level: 1, seen: (start, start) });
        (id, point, channel, name)
    }

    fn entry(
        &self,
        conversation: ConversationId,
        (contact, point, channel, name): (ContactId, ContactPointId, Channel, &str),
        agent: usize,
        m: i64,
        inbound: bool,
        at: Timestamp,
    ) -> Entry {
        let text = match (inbound, m) {
            (true, 0) => *self.dice.pick(&ASKED),
            (true, _) => *self.dice.pick(&GOES_ON),
            (false, _) => *self.dice.pick(&ANSWERED),
        };
        let who = &self.cast.agents[agent].who;
        Entry {
            id: EntryId(self.ids.next_id()),
            contact_id: contact,
            conversation_id: conversation,
            inbox_id: Some(self.cast.inbox(channel)),
            contact_point_id: Some(point),
            kind: EntryKind::Message,
            channel,
            direction: if inbound { Direction::In } else { Direction::Out },
            audience: Audience::Customer,
            delivery: (!inbound).then_some(DeliveryState::Delivered),
            delivery_reason: None,
            uncertain: false,
            author_kind: if inbound { AuthorKind::Contact } else { AuthorKind::Agent },
            author_id: Some(if inbound { contact.0 } else { who.agent.0 }),
            author_name: if inbound { name.to_owned() } else { who.name.clone() },
            notification: false,
            closing: false,
            imported: true,
            proof_level: inbound.then_some(1),
            flags: vec![],
            decision_id: None,
            reply_to: None,
            external_key: None,
            client_key: None,
            client_id: None,
            seq: 1,
            at,
            edited_at: None,
            redacted_at: None,
            body: Body { text: text.to_owned(), ..Body::default() },
        }
    }
}
