//! Possible duplicates of a workspace: a quick look at one contact when something about it is new, and a pass over all of
//! them that also learns the weights. What is found waits for a person; nothing here merges.

use crate::contacts::columns::{self, Meaning};
use crate::context::{Desk, JobEnd, Who};
use crate::identity::duplicates::blocking;
use crate::identity::duplicates::{CheckDuplicates, Evidence, Field, Linkage, Model, Person, STRONG_BITS, SUGGEST_BITS};
use crate::settings::news;
use model::{Actor, ContactId, ContactPointId, ContactPointKind, Timestamp, WorkspaceId};
use serde_json::json;
use std::collections::HashMap;
use store::contact::Contact;
use store::job::{self, JobRef};
use store::suggestion::{self, Suggestion};
use store::{Conn, Route, StoreError, contact, contact_field, contact_key, contact_point, setting};

const MODEL_SETTING: &str = "duplicates.model";
const PASSED_SETTING: &str = "duplicates.passed_at";
const PASS_EVERY_MS: i64 = 86_400_000;
/// A key that more contacts share tells nothing.
const SHARING_MAX: i64 = 50;
/// Candidates that are looked at in full, those with most shared keys first.
const CANDIDATES_MAX: usize = 40;
/// The most pairs that one pass suggests.
const SUGGESTIONS_MAX: usize = 20_000;
const CHUNK: usize = 200;

/// A contact as it is compared, with its proven addresses.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The live contact.
    pub id: ContactId,
    /// What is compared.
    pub person: Person,
    /// Addresses and numbers by their normal form: contact point and proof.
    points: HashMap<String, (ContactPointId, i64)>,
}

/// What is known of a pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    /// The score.
    pub bits: f64,
    /// What speaks for and against, strongest first.
    pub evidence: Vec<Evidence>,
    /// Addresses that both hold, with the weaker of both proofs.
    pub shared: Vec<(ContactPointId, i64)>,
}

impl Weighed {
    /// The strongest proof behind the evidence.
    pub fn level(&self) -> i64 {
        self.shared.iter().map(|(_, level)| *level).max().unwrap_or(0)
    }
}

/// Reads what is known of a live contact and of everybody merged into it. Shared addresses tell nothing and are left out.
pub fn profile(tx: &mut dyn Conn, workspace: WorkspaceId, live: &Contact) -> Result<Profile, StoreError> {
    let mut person = Person::default();
    let claimed = || live.claimed.get("name").and_then(|v| v.as_str()).map(str::to_owned);
    if let Some(name) = live.name.clone().or_else(claimed) {
        person.set_name(&name);
    }
    if let Some(company) = &live.company {
        person.set(Field::Company, company);
    }
    let set = contact::merged_set(tx, workspace, live.id)?;
    let values = contact_field::values_of(tx, workspace, &set)?;
    if !values.is_empty() {
        let fields = contact_field::list(tx, workspace)?;
        for value in values {
            let name = fields.iter().find(|f| f.id == value.field_id).map(|f| f.name.as_str()).unwrap_or_default();
            if let Some(field) = columns::guess(name).and_then(field_of) {
                person.set(field, &value.value);
            }
        }
    }
    let owned = contact_point::owned_by(tx, workspace, live.id)?;
    let ids: Vec<ContactPointId> = owned.iter().map(|o| o.contact_point_id).collect();
    let mut points = HashMap::new();
    for point in contact_point::list(tx, workspace, &ids)?.into_iter().filter(|p| !p.shared) {
        let level = owned.iter().filter(|o| o.contact_point_id == point.id).map(|o| o.proof_level).max().unwrap_or(0);
        match point.key.kind {
            ContactPointKind::Email => person.emails.push(point.key.match_key.clone()),
            ContactPointKind::Phone => person.phones.push(point.key.match_key.clone()),
            ContactPointKind::Account => person.set(Field::Number, &point.key.match_key),
            _ => continue,
        }
        points.insert(point.key.match_key, (point.id, level));
    }
    person.emails.sort();
    person.phones.sort();
    Ok(Profile { id: live.id, person, points })
}

/// Fields that the business made itself and whose names say what they are.
fn field_of(meaning: Meaning) -> Option<Field> {
    Some(match meaning {
        Meaning::BirthDate => Field::Born,
        Meaning::Street => Field::Street,
        Meaning::AddressLine => Field::Locality,
        Meaning::HouseNumber => Field::House,
        Meaning::Place => Field::Place,
        Meaning::Postcode => Field::Postcode,
        Meaning::Region => Field::Region,
        Meaning::CrmId => Field::Number,
        _ => return None,
    })
}

/// Weighs two profiles.
pub fn weigh(model: &Model, a: &Profile, b: &Profile) -> Weighed {
    let score = model.weights().score(&a.person, &b.person);
    let mut shared: Vec<(ContactPointId, i64)> = a
        .points
        .iter()
        .filter_map(|(key, (id, level))| b.points.get(key).map(|(_, other)| (*id, (*level).min(*other))))
        .collect();
    shared.sort_unstable();
    Weighed { bits: score.bits, evidence: score.evidence, shared }
}

/// From how many bits a pair is shown: in a large list chance alone makes more look-alikes.
pub fn suggest_from(people: usize) -> f64 {
    SUGGEST_BITS.max((people.max(2) as f64).log2() - 2.0)
}

/// The model of a workspace: what its own contacts taught, or the start values.
pub fn model(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Model, StoreError> {
    let stored = setting::find(tx, workspace, MODEL_SETTING)?;
    Ok(stored.and_then(|text| serde_json::from_value(text).ok()).unwrap_or_default())
}

/// Runs the job of one contact.
pub async fn run(desk: &Desk, job: JobRef, wanted: CheckDuplicates) -> JobEnd {
    let now = desk.now();
    let done = desk
        .db
        .write(Route::Contact(wanted.contact), move |tx| -> Result<(), StoreError> {
            check(tx, job.workspace, wanted.contact, now)?;
            job::finish_in_tx(tx, job)
        })
        .await;
    match done {
        Ok(()) => JobEnd::DoneInTx,
        Err(error) => error.into(),
    }
}

/// Renews the keys of a contact and looks for others that may be the same person.
pub fn check(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId, now: Timestamp) -> Result<usize, StoreError> {
    let Some(found) = contact::find(tx, workspace, id)? else { return Ok(0) };
    if found.live_id != id || store::erase::erased_at(tx, workspace, id)?.is_some() {
        contact_key::set(tx, workspace, id, &[])?;
        return Ok(0);
    }
    let mine = profile(tx, workspace, &found)?;
    let keys = if mine.person.is_empty() { vec![] } else { blocking::keys(&mine.person) };
    contact_key::set(tx, workspace, id, &keys)?;
    let model = model(tx, workspace)?;
    let from = suggest_from(model.people);
    let mut shares: HashMap<ContactId, usize> = HashMap::new();
    for key in keys {
        let sharing = contact_key::sharing(tx, workspace, key, SHARING_MAX + 1)?;
        if sharing.len() as i64 <= SHARING_MAX {
            for other in sharing.into_iter().filter(|other| *other != id) {
                *shares.entry(other).or_default() += 1;
            }
        }
    }
    // Pairs that stand already are weighed anew: what spoke for them may be gone, or come from elsewhere and have no weight.
    for pair in suggestion::of_contact(tx, workspace, id)?.iter().filter(|p| p.state == "open") {
        *shares.entry(if pair.a == id { pair.b } else { pair.a }).or_default() += 100;
    }
    let mut others: Vec<(usize, ContactId)> = shares.into_iter().map(|(other, count)| (count, other)).collect();
    others.sort_unstable_by(|a, b| b.cmp(a));
    others.truncate(CANDIDATES_MAX);
    let mut count = 0;
    for (_, other) in others {
        let Some(other) = contact::find(tx, workspace, other)?.filter(|c| c.live_id == c.id) else { continue };
        let weighed = weigh(&model, &mine, &profile(tx, workspace, &other)?);
        if store_pair(tx, workspace, id, other.id, &weighed, from, now)? {
            count += 1;
        }
    }
    Ok(count)
}

/// Stores what is known of a pair; true when it stands open afterwards. A pair that was judged "not the same" comes back
/// only with an address that both hold at level 2 or more and that was not known then.
pub fn store_pair(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    one: ContactId,
    other: ContactId,
    weighed: &Weighed,
    from: f64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let bits = (weighed.bits * 1_000.0).round() as i64;
    let points: Vec<ContactPointId> = weighed.shared.iter().map(|(id, _)| *id).collect();
    let evidence = json!({"model": weighed.evidence, "points": points});
    match suggestion::find(tx, workspace, one, other)? {
        None if weighed.bits < from => Ok(false),
        None => {
            suggestion::put(tx, workspace, one, other, "model", Some(bits), weighed.level(), &evidence, now)?;
            log_found(tx, workspace, one, other, now);
            Ok(true)
        }
        Some(known) => {
            let known_points: Vec<ContactPointId> =
                known.evidence.get("points").and_then(|v| serde_json::from_value(v.clone()).ok()).unwrap_or_default();
            let proven = weighed.shared.iter().any(|(id, level)| *level >= 2 && !known_points.contains(id));
            let reopened = known.state == "not_same" && proven && weighed.bits >= from;
            if known.state != "open" && !reopened {
                return Ok(false);
            }
            let mut evidence = evidence;
            if let (Some(object), Some(arrival)) = (evidence.as_object_mut(), arrival_of(&known)) {
                object.insert("arrival".to_owned(), arrival);
            }
            let since = if reopened { Some(json!(known.decided_at)) } else { known.evidence.get("new_since").cloned() };
            if let (Some(since), Some(object)) = (since, evidence.as_object_mut()) {
                object.insert("new_since".to_owned(), since);
            }
            if reopened {
                log_found(tx, workspace, one, other, now);
            }
            let level = weighed.level().max(if known.source == "arrival" { known.level } else { 0 });
            let made_at = if reopened { now } else { known.made_at };
            let renewed = Suggestion { bits: Some(bits), level, evidence, state: "open".to_owned(), made_at, ..known };
            suggestion::renew(tx, workspace, &renewed)?;
            Ok(true)
        }
    }
}

/// What an event said about a pair, kept beside what the model says.
fn arrival_of(known: &Suggestion) -> Option<serde_json::Value> {
    match known.source.as_str() {
        "arrival" if known.evidence.get("model").is_none() => Some(known.evidence.clone()),
        "arrival" => known.evidence.get("arrival").cloned(),
        _ => None,
    }
}

fn log_found(tx: &mut dyn Conn, workspace: WorkspaceId, one: ContactId, other: ContactId, now: Timestamp) {
    let payload = json!({"a": one.min(other), "b": one.max(other)});
    tx.log(news(workspace, "contact.duplicate_suggested", Actor::System, now, payload));
}

/// What a pass over all contacts did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Contacts compared.
    pub contacts: usize,
    /// Pairs that shared a key.
    pub compared: usize,
    /// Pairs that stand open because of it.
    pub suggested: usize,
    /// Did these contacts teach the weights (or were they too few)?
    pub learned: bool,
}

/// Compares all contacts of a workspace and learns the weights anew. Reads in pieces and writes in pieces, so that the work
/// of the day goes on beside it.
pub async fn full_pass(desk: &Desk, workspace: WorkspaceId) -> Result<Pass, StoreError> {
    let now = desk.now();
    let mut profiles: Vec<Profile> = Vec::new();
    let mut below = (i64::MAX, i64::MAX);
    loop {
        let (page, next) = desk
            .db
            .read(move |tx| -> Result<_, StoreError> {
                let page = contact::page(tx, workspace, below, 500)?;
                let next = page.last().map(|c| (c.last_seen_at.0, c.id.0));
                let all = page.iter().map(|c| profile(tx, workspace, c)).collect::<Result<Vec<_>, _>>()?;
                Ok((all, next))
            })
            .await?;
        profiles.extend(page.into_iter().filter(|p| !p.person.is_empty()));
        match next {
            Some(place) => below = place,
            None => break,
        }
    }
    let people: Vec<Person> = profiles.iter().map(|p| p.person.clone()).collect();
    let worked = tokio::task::spawn_blocking(move || {
        let linkage = Linkage::new(&people, None);
        let from = suggest_from(people.len());
        let keys: Vec<Vec<i64>> = people.iter().map(blocking::keys).collect();
        let mut pairs = linkage.pairs(from);
        pairs.truncate(SUGGESTIONS_MAX);
        let pairs: Vec<(usize, usize)> = pairs.iter().map(|p| (p.a, p.b)).collect();
        (linkage.candidate_count(), linkage.model.for_storing(), from, keys, pairs)
    })
    .await;
    let (compared, model, from, keys, pairs) =
        worked.map_err(|_| StoreError::broken("comparing all contacts ended by a panic"))?;
    let stored = serde_json::to_value(&model).map_err(|error| StoreError::broken(error.to_string()))?;
    desk.db.write(Route::Any, move |tx| setting::put(tx, workspace, MODEL_SETTING, &stored)).await?;
    for (at, chunk) in profiles.chunks(CHUNK).enumerate() {
        let mine: Vec<(ContactId, Vec<i64>)> =
            chunk.iter().zip(&keys[at * CHUNK..]).map(|(profile, keys)| (profile.id, keys.clone())).collect();
        desk.db
            .write_bulk(Route::Any, move |tx| mine.iter().try_for_each(|(id, keys)| contact_key::set(tx, workspace, *id, keys)))
            .await?;
    }
    let (contacts, learned, mut suggested) = (profiles.len(), model.people > 0, 0);
    for chunk in pairs.chunks(CHUNK) {
        let weighed: Vec<(ContactId, ContactId, Weighed)> =
            chunk.iter().map(|(a, b)| (profiles[*a].id, profiles[*b].id, weigh(&model, &profiles[*a], &profiles[*b]))).collect();
        suggested += desk
            .db
            .write_bulk(Route::Any, move |tx| -> Result<usize, StoreError> {
                let mut open = 0;
                for (a, b, weighed) in &weighed {
                    open += usize::from(store_pair(tx, workspace, *a, *b, weighed, from, now)?);
                }
                Ok(open)
            })
            .await?;
    }
    Ok(Pass { contacts, compared, suggested, learned })
}

/// Runs the pass when the last one is a day old. Gives what it did, or nothing when it was not time.
pub async fn pass_when_due(desk: &Desk, workspace: WorkspaceId) -> Result<Option<Pass>, StoreError> {
    let now = desk.now();
    let last = desk.db.read(move |tx| setting::find(tx, workspace, PASSED_SETTING)).await?;
    let last: Option<Timestamp> = last.and_then(|value| serde_json::from_value(value).ok());
    if last.is_some_and(|at| now.since(at) < PASS_EVERY_MS) {
        return Ok(None);
    }
    // Noted first: a pass that cannot end must not be begun again every ten minutes.
    desk.db.write(Route::Any, move |tx| setting::put(tx, workspace, PASSED_SETTING, &json!(now))).await?;
    full_pass(desk, workspace).await.map(Some)
}

/// A pair for an agent to judge.
#[derive(Clone, Debug, PartialEq)]
pub struct PairView {
    /// One of the two.
    pub a: ContactId,
    /// The other.
    pub b: ContactId,
    /// Weight in bits; `None`: an event suggested it and it has not been weighed.
    pub bits: Option<f64>,
    /// Enough to be called a strong match.
    pub strong: bool,
    /// In words, strongest first.
    pub evidence: Vec<Evidence>,
    /// What an event said.
    pub arrival: Option<serde_json::Value>,
    /// Strongest proof behind the evidence.
    pub level: i64,
    /// It was judged "not the same" before, at this time; the evidence is new since.
    pub new_since: Option<Timestamp>,
    /// When it was found.
    pub made_at: Timestamp,
}

impl From<Suggestion> for PairView {
    fn from(s: Suggestion) -> Self {
        let part = |name: &str| s.evidence.get(name).cloned();
        let bits = s.bits.map(|bits| bits as f64 / 1_000.0);
        let arrival = arrival_of(&s);
        Self {
            a: s.a,
            b: s.b,
            bits,
            strong: bits.is_some_and(|bits| bits >= STRONG_BITS),
            evidence: part("model").and_then(|v| serde_json::from_value(v).ok()).unwrap_or_default(),
            arrival,
            level: s.level,
            new_since: part("new_since").and_then(|v| serde_json::from_value(v).ok()).flatten(),
            made_at: s.made_at,
        }
    }
}

/// A place in the list of pairs: thousandths of a bit, id of the row.
pub type Place = (i64, i64);

/// Open pairs, best first, below a place `(bits in thousandths, id)`. Pairs whose two have become one, or whose evidence has
/// gone, are passed over.
pub fn page(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    below: Option<Place>,
    limit: usize,
) -> Result<(Vec<PairView>, Option<Place>), StoreError> {
    let from = (suggest_from(model(tx, workspace)?.people) * 1_000.0) as i64;
    let mut below = below.unwrap_or((i64::MAX, i64::MAX));
    let mut found = Vec::new();
    loop {
        let window = suggestion::best(tx, workspace, below, 100)?;
        let full = window.len() == 100;
        for one in window {
            below = (one.bits.unwrap_or(0), one.id);
            if one.source == "model" && one.bits.is_some_and(|bits| bits < from) {
                return Ok((found, None));
            }
            let ids = [one.a, one.b];
            let live = contact::list(tx, workspace, &ids)?;
            if live.len() == 2 && live.iter().all(|c| c.live_id == c.id) {
                found.push(one.into());
                if found.len() == limit {
                    return Ok((found, Some(below)));
                }
            }
        }
        if !full {
            return Ok((found, None));
        }
    }
}

/// Open pairs of one contact, best first.
pub fn of_contact(tx: &mut dyn Conn, workspace: WorkspaceId, live: ContactId) -> Result<Vec<PairView>, StoreError> {
    let mut pairs: Vec<PairView> = suggestion::of_contact(tx, workspace, live)?
        .into_iter()
        .filter(|s| s.state == "open")
        .map(PairView::from)
        .filter(|p| p.arrival.is_some() || p.bits.is_none_or(|bits| bits >= SUGGEST_BITS))
        .collect();
    let others: Vec<ContactId> = pairs.iter().map(|p| if p.a == live { p.b } else { p.a }).collect();
    let still: Vec<ContactId> =
        contact::list(tx, workspace, &others)?.into_iter().filter(|c| c.live_id == c.id).map(|c| c.id).collect();
    pairs.retain(|p| still.contains(&if p.a == live { p.b } else { p.a }));
    pairs.sort_by(|x, y| y.bits.unwrap_or(0.0).total_cmp(&x.bits.unwrap_or(0.0)));
    Ok(pairs)
}

/// Remembers that pairs are two people each. Gives how many were open.
pub async fn not_same(desk: &Desk, who: &Who, pairs: Vec<(ContactId, ContactId)>) -> Result<usize, StoreError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            let mut count = 0;
            let by = Actor::Agent(who.agent).to_string();
            for (a, b) in pairs.iter().filter(|(a, b)| a != b) {
                let known = contact::list(tx, who.workspace, &[*a, *b])?.len() == 2;
                if suggestion::find(tx, who.workspace, *a, *b)?.is_none() && known {
                    // Nobody suggested it yet; the judgement counts all the same.
                    let weighed = weigh_live(tx, who.workspace, *a, *b)?;
                    suggestion::put(tx, who.workspace, *a, *b, "model", Some(0), weighed.level(), &points_of(&weighed), now)?;
                }
                if suggestion::decide(tx, who.workspace, *a, *b, "not_same", &by, now)? {
                    let payload = json!({"a": a.min(b), "b": a.max(b)});
                    tx.log(news(who.workspace, "contact.not_same", Actor::Agent(who.agent), now, payload));
                    count += 1;
                }
            }
            Ok(count)
        })
        .await
}

fn points_of(weighed: &Weighed) -> serde_json::Value {
    let points: Vec<ContactPointId> = weighed.shared.iter().map(|(id, _)| *id).collect();
    json!({"model": weighed.evidence, "points": points})
}

/// Weighs two contacts as they are now.
pub fn weigh_live(tx: &mut dyn Conn, workspace: WorkspaceId, a: ContactId, b: ContactId) -> Result<Weighed, StoreError> {
    let model = model(tx, workspace)?;
    let (a, b) = (contact::get_live(tx, workspace, a)?, contact::get_live(tx, workspace, b)?);
    Ok(weigh(&model, &profile(tx, workspace, &a)?, &profile(tx, workspace, &b)?))
}
