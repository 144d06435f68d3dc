//! Customers: names, addresses and languages; some have written from two sides and were merged later.

use super::DemoError;
use super::business::Cast;
use super::dice::Dice;
use crate::Desk;
use crate::identity;
use model::{Actor, Channel, ContactId, ContactPointId, ContactPointKind, Timestamp, WorkspaceId};
use serde_json::json;
use store::contact::{self, Contact};
use store::contact_point::{self, PointKey};
use store::{Conn, Event, Route, StoreError};

/// Given and family names by language.
const NAMES: [(&str, &[&str], &[&str]); 5] = [
    (
        "en",
        &[
            "Emma", "Oliver", "Grace", "Henry", "Isla", "Jack", "Nora", "Liam", "Freya", "Arthur", "Maya", "Priya", "Daniel",
            "Ruth", "Owen", "Chloe", "Samuel", "Zoe", "Aiden", "Hannah",
        ],
        &[
            "Carter",
            "Hughes",
            "Novak",
            "Bennett",
            "Okafor",
            "Murphy",
            "Walsh",
            "Patel",
            "Larsen",
            "Kim",
            "Fraser",
            "Lindqvist",
            "Marsh",
            "Nielsen",
            "Barnes",
            "Doyle",
            "Sharma",
            "Whitfield",
        ],
    ),
    (
        "de",
        &["Jürgen", "Anke", "Lukas", "Greta", "Björn", "Katrin", "Moritz", "Heike", "Finn", "Ute"],
        &["Müller", "Schröder", "Weiß", "Petersen", "Vogt", "Brandt", "Jansen", "Köhler", "Krüger"],
    ),
    ("fr", &["Amélie", "Théo", "Chloé", "Hugo", "Élise", "Mathis"], &["Lefèvre", "Moreau", "Garnier", "Dubois", "Chevalier"]),
    ("es", &["Lucía", "Iñigo", "Marta", "Álvaro", "Nuria", "Pablo"], &["García", "Muñoz", "Ibáñez", "Romero", "Vega"]),
    ("ar", &["ليلى", "عمر", "سارة", "يوسف", "مريم", "خالد"], &["حداد", "الخطيب", "ناصر", "عباس", "منصور"]),
];
const PHONES: [(&str, &str); 5] =
    [("en", "+4477009"), ("de", "+4915550"), ("fr", "+3363998"), ("es", "+3465555"), ("ar", "+97150555")];
const FIRMS: [&str; 10] = [
    "Hafen Logistik GmbH",
    "Nordlicht Studio",
    "Byte Bakery",
    "Green Mile Couriers",
    "Kunz & Söhne",
    "Harbour Dental",
    "Atelier Moreau",
    "Fjord Analytics",
    "Stadtwerke Altona",
    "Café Pedal",
];

/// Channels whose ids belong to one account of ours.
const OWN_IDS: [(Channel, ContactPointKind, i64); 4] = [
    (Channel::Instagram, ContactPointKind::Instagram, 16),
    (Channel::Messenger, ContactPointKind::Messenger, 16),
    (Channel::Telegram, ContactPointKind::Telegram, 14),
    (Channel::Viber, ContactPointKind::Viber, 8),
];

/// One address with the contact that holds it.
#[derive(Debug, Clone)]
pub struct Address {
    /// Its row, made at once.
    pub point: Option<ContactPointId>,
    /// Whose: the person or the twin.
    pub contact: ContactId,
    key: PointKey,
    raw: String,
    proof_level: i64,
}

/// A customer.
#[derive(Debug, Clone)]
pub struct Person {
    /// The contact.
    pub contact: ContactId,
    /// The same person met from another side; merged at the end.
    pub twin: Option<ContactId>,
    /// Given name.
    pub first: &'static str,
    /// As shown.
    pub name: String,
    /// Firm.
    pub company: Option<&'static str>,
    /// Language.
    pub language: &'static str,
    /// Ways to and from them.
    pub addresses: Vec<(Channel, Address)>,
    notes: Option<&'static str>,
    claimed: serde_json::Map<String, serde_json::Value>,
    seen: Timestamp,
}

impl Person {
    /// The address on a channel.
    pub fn on(&self, channel: Channel) -> Option<&Address> {
        self.addresses.iter().find(|(c, _)| *c == channel).map(|(_, a)| a)
    }
}

fn language_of(dice: &Dice) -> usize {
    match dice.between(1, 100) {
        1..=74 => 0,
        75..=85 => 1,
        86..=90 => 2,
        91..=95 => 3,
        _ => 4,
    }
}

/// Makes the customers of `count` conversations, about three for five, and stores them.
pub async fn make(
    desk: &Desk,
    cast: &Cast,
    dice: &Dice,
    count: u64,
    first: i64,
    now: Timestamp,
) -> Result<Vec<Person>, DemoError> {
    let ids = desk.db.ids();
    let mut people = Vec::new();
    for n in 0..(count * 3 / 5).max(1) {
        let serial = first + i64::try_from(n).unwrap_or(0);
        let mut next = || ids.next_id();
        people.push(person(cast, &dice.of("person", n), serial, now, &mut next));
    }
    for some in people.chunks_mut(50) {
        let (workspace, plan) = (cast.workspace, some.to_vec());
        let points = desk
            .db
            .write(Route::Any, move |tx| -> Result<Vec<Vec<ContactPointId>>, StoreError> {
                plan.iter().map(|person| store_one(tx, workspace, person)).collect()
            })
            .await?;
        for (person, points) in some.iter_mut().zip(points) {
            for ((_, address), point) in person.addresses.iter_mut().zip(points) {
                address.point = Some(point);
            }
        }
    }
    Ok(people)
}

fn person(cast: &Cast, dice: &Dice, serial: i64, now: Timestamp, next: &mut dyn FnMut() -> i64) -> Person {
    let (language, given, family) = NAMES[language_of(dice)];
    let (first, last) = (*dice.pick(given), *dice.pick(family));
    let contact = ContactId(next());
    let twin = dice.percent(6).then(|| ContactId(next()));
    let seen = now.plus_ms(-dice.between(40, 400) * 86_400_000);
    let mut person = Person {
        contact,
        twin,
        first,
        name: format!("{first} {last}"),
        company: dice.percent(18).then(|| *dice.pick(&FIRMS)),
        language,
        addresses: vec![],
        notes: dice.percent(8).then_some("Regular customer, prefers short answers. Rides to work every day."),
        claimed: serde_json::Map::new(),
        seen,
    };
    let point = |kind, scope: String, match_key: String, raw: String, proof_level, contact| Address {
        point: None,
        contact,
        key: PointKey { kind, scope, match_key },
        raw,
        proof_level,
    };
    let mut ascii: String =
        model::fold::fold(&format!("{first}.{last}")).chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
    if ascii.len() < 4 {
        ascii = "rider".to_owned();
    }
    let email = format!("{ascii}{serial}@{}", dice.pick(&["example.com", "example.org", "mail.example"]));
    let with_mail = dice.percent(88);
    if with_mail {
        person
            .addresses
            .push((Channel::Email, point(ContactPointKind::Email, String::new(), email.clone(), email.clone(), 1, contact)));
    }
    if dice.percent(72) || !with_mail {
        let prefix = PHONES.iter().find(|(l, _)| *l == language).map_or(PHONES[0].1, |(_, p)| p);
        let number = format!("{prefix}{:06}", serial.rem_euclid(1_000_000));
        let raw = format!("{} {} {}", &number[..3], &number[3..7], &number[7..]);
        for channel in [Channel::Sms, Channel::Whatsapp, Channel::Voice] {
            person
                .addresses
                .push((channel, point(ContactPointKind::Phone, String::new(), number.clone(), raw.clone(), 2, contact)));
        }
    }
    if dice.percent(62) {
        // The twin came by the chat without a name.
        let holder = person.twin.unwrap_or(contact);
        let scope = cast.inbox(Channel::Webchat).to_string();
        let id = format!("demo{serial:010}");
        person.addresses.push((Channel::Webchat, point(ContactPointKind::Visitor, scope, id.clone(), id, 2, holder)));
        if dice.percent(35) {
            person.claimed.insert("name".to_owned(), json!(person.name));
            person.claimed.insert("plan".to_owned(), json!(dice.pick(&["Velo Club", "Guest", "Business"])));
            person.claimed.insert("orders".to_owned(), json!(dice.between(1, 14)));
            let page = dice.pick(&["/bikes/nordlicht", "/checkout", "/service", "/returns", "/e-bikes"]);
            person
                .claimed
                .insert("page".to_owned(), json!({"url": format!("https://velo-nord.example{page}"), "title": "Velo Nord"}));
        }
    }
    for (channel, kind, percent) in OWN_IDS {
        if dice.percent(percent) {
            let id = format!("{}", 70_000_000_000 + serial);
            let scope = cast.inbox(channel).to_string();
            let raw = format!("@{}", ascii.replace('.', "_"));
            person.addresses.push((channel, point(kind, scope, id, raw, 2, contact)));
        }
    }
    person
}

fn store_one(tx: &mut dyn Conn, workspace: WorkspaceId, person: &Person) -> Result<Vec<ContactPointId>, StoreError> {
    let row = |id: ContactId, name: Option<String>, claimed| Contact {
        id,
        merged_into: None,
        live_id: id,
        name,
        company: person.company.filter(|_| id == person.contact).map(str::to_owned),
        locale: Some(person.language.to_owned()),
        time_zone: None,
        notes: person.notes.filter(|_| id == person.contact).map(str::to_owned),
        claimed,
        blocked_at: None,
        first_seen_at: person.seen,
        last_seen_at: person.seen,
        version: 1,
    };
    let mut rows = vec![row(person.contact, Some(person.name.clone()), person.claimed.clone())];
    rows.extend(person.twin.map(|twin| row(twin, None, serde_json::Map::new())));
    for contact in &rows {
        contact::insert(tx, workspace, contact)?;
        let (stream_id, seq) = (Some(contact.id.0), Some(1));
        let payload = json!({"contact": contact.id});
        tx.log(Event {
            workspace,
            stream_id,
            seq,
            kind: "contact.created",
            at: person.seen,
            actor: Actor::Contact(contact.id),
            cause_id: None,
            payload,
        });
    }
    let mut points = Vec::with_capacity(person.addresses.len());
    for (_, address) in &person.addresses {
        let point = contact_point::upsert(tx, workspace, &address.key, &address.raw, person.seen)?;
        contact_point::own(tx, workspace, point.id, address.contact, address.proof_level, "sender", "sender", person.seen)?;
        points.push(point.id);
    }
    Ok(points)
}

/// Joins those who turned out to be one person, as an agent would.
pub async fn merge_twins(desk: &Desk, cast: &Cast, people: &[Person]) -> Result<(), DemoError> {
    for person in people {
        let Some(twin) = person.twin else { continue };
        let merged = identity::merge(desk, cast.owner(), person.contact, twin, identity::Choices::default(), false).await;
        merged.map_err(|error| StoreError::broken(error.to_string()))?;
    }
    Ok(())
}
