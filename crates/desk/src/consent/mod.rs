//! What customers said about what we may do. Statements are added, never changed. Of one contact the last statement about a
//! purpose and a way counts; of contacts that were merged, the strictest of theirs. An import never undoes a "no".

use crate::context::{Desk, Who};
use model::{Actor, Channel, ConsentState, ContactId, ContactPointId, ImportId, Purpose, Timestamp, WorkspaceId};
use serde_json::json;
use std::collections::BTreeMap;
use store::consent::{self, Consent};
use store::{Conn, Event, Route, StoreError, contact};

const WORDS_MAX: usize = 200;
const EVIDENCE_MAX: usize = 2_000;

/// What a statement is about: purpose, channel (none = all), address (none = all).
pub type Way = (Purpose, Option<Channel>, Option<ContactPointId>);

/// What holds now about one purpose and way.
#[derive(Clone, Debug, PartialEq)]
pub struct Holds {
    /// The statement that decides.
    pub consent: Consent,
    /// Merged contacts say different things about it; this is the strictest.
    pub disputed: bool,
}

/// What two contacts say about one purpose and way, and what holds for both together.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// About what.
    pub purpose: Purpose,
    /// On which channel.
    pub channel: Option<Channel>,
    /// At which address.
    pub contact_point_id: Option<ContactPointId>,
    /// What the one that stays says.
    pub keep: Option<ConsentState>,
    /// What the other says.
    pub other: Option<ConsentState>,
    /// What holds then: withdrawn before refused before granted before nothing.
    pub result: Option<ConsentState>,
}

impl Joined {
    /// Do the two say different things?
    pub fn differs(&self) -> bool {
        self.keep.is_some() && self.other.is_some() && self.keep != self.other
    }
}

/// How strict a state is.
fn rank(state: ConsentState) -> u8 {
    match state {
        ConsentState::Granted => 1,
        ConsentState::Refused => 2,
        ConsentState::Withdrawn => 3,
    }
}

/// The stricter of two; anything is stricter than nothing.
pub fn stricter(a: Option<ConsentState>, b: Option<ConsentState>) -> Option<ConsentState> {
    match (a, b) {
        (Some(x), Some(y)) => Some(if rank(x) >= rank(y) { x } else { y }),
        (one, other) => one.or(other),
    }
}

/// What holds, from every statement of a merged set, in order of their times.
pub fn holding(statements: &[Consent]) -> BTreeMap<Way, Holds> {
    let mut last: BTreeMap<(Way, ContactId), &Consent> = BTreeMap::new();
    for one in statements {
        last.insert(((one.purpose, one.channel, one.contact_point_id), one.contact_id), one);
    }
    let mut found: BTreeMap<Way, Holds> = BTreeMap::new();
    for ((way, _), consent) in last {
        match found.get_mut(&way) {
            None => {
                found.insert(way, Holds { consent: consent.clone(), disputed: false });
            }
            Some(holds) => {
                holds.disputed |= holds.consent.state != consent.state;
                if rank(consent.state) > rank(holds.consent.state) {
                    holds.consent = consent.clone();
                }
            }
        }
    }
    found
}

/// What holds for one message: the strictest of what was said about every address, every channel, and just this one.
pub fn applies(
    found: &BTreeMap<Way, Holds>,
    purpose: Purpose,
    channel: Channel,
    point: Option<ContactPointId>,
) -> Option<ConsentState> {
    found
        .iter()
        .filter(|((p, c, at), _)| *p == purpose && c.is_none_or(|c| c == channel) && (at.is_none() || *at == point))
        .map(|(_, holds)| Some(holds.consent.state))
        .fold(None, stricter)
}

/// May something of this purpose that we start ourselves go to a contact? `None`: nothing is on record.
pub fn state_of(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    live: ContactId,
    purpose: Purpose,
    channel: Channel,
    point: Option<ContactPointId>,
) -> Result<Option<ConsentState>, StoreError> {
    let set = contact::merged_set(tx, workspace, live)?;
    Ok(applies(&holding(&consent::of_contacts(tx, workspace, &set)?), purpose, channel, point))
}

/// What two merged sets say, side by side.
pub fn joined(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    keep: &[ContactId],
    other: &[ContactId],
) -> Result<Vec<Joined>, StoreError> {
    let a = holding(&consent::of_contacts(tx, workspace, keep)?);
    let b = holding(&consent::of_contacts(tx, workspace, other)?);
    let mut ways: Vec<Way> = a.keys().chain(b.keys()).copied().collect();
    ways.sort_unstable();
    ways.dedup();
    Ok(ways
        .into_iter()
        .map(|way| {
            let state = |of: &BTreeMap<Way, Holds>| of.get(&way).map(|holds| holds.consent.state);
            let (keep, other) = (state(&a), state(&b));
            let (purpose, channel, contact_point_id) = way;
            Joined { purpose, channel, contact_point_id, keep, other, result: stricter(keep, other) }
        })
        .collect())
}

/// A statement to write down.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// About what.
    pub purpose: Purpose,
    /// On which channel.
    pub channel: Option<Channel>,
    /// At which address.
    pub contact_point_id: Option<ContactPointId>,
    /// What they said.
    pub state: ConsentState,
    /// Where it was said.
    pub source: String,
    /// What shows it.
    pub evidence: String,
    /// When it was said.
    pub at: Timestamp,
}

/// Which rule said no.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConsentError {
    /// No such contact, or not their address.
    #[error("there is no such customer or address")]
    NotFound,
    /// A value that cannot be.
    #[error("{field}: {text}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What is accepted.
        text: &'static str,
    },
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes down what a customer said.
pub async fn record(desk: &Desk, who: &Who, id: ContactId, statement: Statement) -> Result<(), ConsentError> {
    let (now, who) = (desk.now(), who.clone());
    if statement.at > now.plus_ms(86_400_000) {
        return Err(ConsentError::Invalid { field: "at", text: "a consent cannot be given in the future" });
    }
    if statement.source.trim().is_empty() {
        return Err(ConsentError::Invalid { field: "source", text: "say where it was said: form, call, letter .." });
    }
    desk.db
        .write(Route::Contact(id), move |tx| -> Result<Result<(), ConsentError>, StoreError> {
            let live = match contact::get_live(tx, who.workspace, id) {
                Ok(found) => found,
                Err(StoreError::NotFound) => return Ok(Err(ConsentError::NotFound)),
                Err(other) => return Err(other),
            };
            let owned = store::contact_point::owned_by(tx, who.workspace, live.id)?;
            if statement.contact_point_id.is_some_and(|point| !owned.iter().any(|o| o.contact_point_id == point)) {
                return Ok(Err(ConsentError::NotFound));
            }
            // A statement stands with whom it was said of; said of the person as a whole it is said of every part of a
            // merged set, or an older "no" of one part could never be taken back.
            for contact in contact::merged_set(tx, who.workspace, live.id)? {
                write(tx, who.workspace, contact, &statement, Actor::Agent(who.agent), None, now)?;
            }
            log(tx, who.workspace, live.id, &statement, Actor::Agent(who.agent), now)?;
            Ok(Ok(()))
        })
        .await?
}

/// Writes one row.
pub fn write(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: ContactId,
    statement: &Statement,
    actor: Actor,
    import_id: Option<ImportId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let s = statement;
    let line = |text: &str, max| model::fold::truncate(&model::fold::clean(text.trim()), max).to_owned();
    let row = Consent {
        id: model::ConsentId(0),
        contact_id: contact,
        purpose: s.purpose,
        channel: s.channel,
        contact_point_id: s.contact_point_id,
        state: s.state,
        source: line(&s.source, WORDS_MAX),
        evidence: line(&s.evidence, EVIDENCE_MAX),
        at: s.at,
        recorded_at: now,
        recorded_by: actor.to_string(),
        import_id,
    };
    consent::insert(tx, workspace, &row)?;
    Ok(())
}

/// Logs a statement as a change of its contact.
fn log(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    live: ContactId,
    s: &Statement,
    actor: Actor,
    at: Timestamp,
) -> Result<(), StoreError> {
    let contact = contact::get_live(tx, workspace, live)?;
    let version = contact::save(tx, workspace, &contact)?;
    tx.log(Event {
        workspace,
        stream_id: Some(live.0),
        seq: Some(version),
        kind: "contact.consent_recorded",
        at,
        actor,
        cause_id: None,
        payload: json!({"contact": live, "purpose": s.purpose, "channel": s.channel, "contact_point": s.contact_point_id, "state": s.state}),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ConsentState::{Granted, Refused, Withdrawn};

    fn said(contact: i64, channel: Option<Channel>, state: ConsentState, at: i64) -> Consent {
        Consent {
            id: model::ConsentId(at),
            contact_id: ContactId(contact),
            purpose: Purpose::Marketing,
            channel,
            contact_point_id: None,
            state,
            source: "form".to_owned(),
            evidence: String::new(),
            at: Timestamp(at),
            recorded_at: Timestamp(at),
            recorded_by: "system".to_owned(),
            import_id: None,
        }
    }

    #[test]
    fn of_one_contact_the_last_word_counts_of_several_the_strictest() {
        let way = (Purpose::Marketing, None, None);
        let state = |all: &[Consent]| holding(all).get(&way).map(|h| (h.consent.state, h.disputed));
        assert_eq!(state(&[said(1, None, Withdrawn, 1), said(1, None, Granted, 2)]), Some((Granted, false)));
        assert_eq!(state(&[said(1, None, Withdrawn, 1), said(2, None, Granted, 2)]), Some((Withdrawn, true)));
        assert_eq!(
            state(&[said(1, None, Refused, 1), said(2, None, Granted, 2), said(3, None, Withdrawn, 3)]),
            Some((Withdrawn, true))
        );
        assert_eq!(state(&[]), None);
    }

    #[test]
    fn stricter_is_withdrawn_then_refused_then_granted_then_nothing() {
        let order = [None, Some(Granted), Some(Refused), Some(Withdrawn)];
        for (at, a) in order.iter().enumerate() {
            for (bt, b) in order.iter().enumerate() {
                assert_eq!(stricter(*a, *b), order[at.max(bt)]);
            }
        }
    }

    #[test]
    fn a_no_on_every_channel_holds_on_each() {
        let found = holding(&[said(1, None, Withdrawn, 1), said(1, Some(Channel::Email), Granted, 2)]);
        assert_eq!(applies(&found, Purpose::Marketing, Channel::Email, None), Some(Withdrawn));
        let only_mail = holding(&[said(1, Some(Channel::Email), Granted, 1)]);
        assert_eq!(applies(&only_mail, Purpose::Marketing, Channel::Sms, None), None);
        assert_eq!(applies(&only_mail, Purpose::Service, Channel::Email, None), None);
    }
}
