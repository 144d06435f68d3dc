//! Decides which contact the sender keys of one event name (domain.md 6.1). Pure: keys and their live owners in, a contact
//! or none out, with flags and the trace that "why?" shows.

use model::{ContactId, ContactPointKind};
use serde::Serialize;

/// One sender key with what the store knows of it, in the order strongest first.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownKey {
    /// What kind of address.
    pub kind: ContactPointKind,
    /// Proof in this event, 1 to 3.
    pub proof_level: i64,
    /// Several people use it.
    pub shared: bool,
    /// The live contacts that hold it.
    pub owners: Vec<ContactId>,
    /// Last use before this event, in days; `None` = never.
    pub unused_days: Option<i64>,
    /// Other level 3 keys of the same kind that the single owner holds: two people at one browser.
    pub owner_has_other_account: bool,
}

/// One key that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// Its kind.
    pub kind: ContactPointKind,
    /// Its proof level.
    pub proof_level: i64,
    /// What came of it.
    pub result: &'static str,
}

/// Who it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Match {
    /// The contact, or nobody yet.
    pub contact: Option<ContactId>,
    /// Anonymous contacts that may join it: a visitor who has just signed in with the same browser.
    pub joinable: Vec<ContactId>,
    /// `ambiguous_contact_point`, `shared_contact_point`, `stale_contact_point`, `identity_conflict`.
    pub flags: Vec<&'static str>,
    /// Every key tried.
    pub tried: Vec<Tried>,
}

/// A number at level 1 that was not used for longer than this may have a new owner.
pub const STALE_DAYS: i64 = 540;

/// Takes the keys strongest first; the first that names one contact wins, a later one that names another is a conflict.
pub fn decide(keys: &[KnownKey], is_anonymous: impl Fn(ContactId) -> bool) -> Match {
    let mut found = Match::default();
    // A checked account that nobody has yet, beside a browser whose owner has another account: two people, one browser.
    let new_account = keys.iter().any(|k| k.proof_level == 3 && k.owners.is_empty());
    for key in keys {
        let result = match key.owners.as_slice() {
            [] => "unknown",
            _ if key.shared => flag(&mut found, "shared_contact_point"),
            [_] if new_account && key.owner_has_other_account => flag(&mut found, "identity_conflict"),
            [_] if key.proof_level < 2 && key.unused_days.is_some_and(|d| d > STALE_DAYS) => {
                flag(&mut found, "stale_contact_point")
            }
            [owner] => match found.contact {
                None => {
                    found.contact = Some(*owner);
                    "match"
                }
                Some(winner) if winner == *owner => "match",
                Some(_) if key.kind == ContactPointKind::Visitor && is_anonymous(*owner) => {
                    found.joinable.push(*owner);
                    "joins"
                }
                Some(_) => flag(&mut found, "identity_conflict"),
            },
            _ => flag(&mut found, "ambiguous_contact_point"),
        };
        found.tried.push(Tried { kind: key.kind, proof_level: key.proof_level, result });
    }
    found
}

fn flag(found: &mut Match, flag: &'static str) -> &'static str {
    if !found.flags.contains(&flag) {
        found.flags.push(flag);
    }
    flag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: ContactPointKind, proof_level: i64, owners: &[i64]) -> KnownKey {
        let owners = owners.iter().map(|id| ContactId(*id)).collect();
        KnownKey { kind, proof_level, shared: false, owners, unused_days: None, owner_has_other_account: false }
    }
    use ContactPointKind::{Account, Email, Phone, Visitor};

    #[test]
    fn the_first_key_with_one_owner_wins_and_another_owner_is_a_conflict() {
        let found = decide(&[key(Account, 3, &[]), key(Email, 2, &[7]), key(Phone, 1, &[8])], |_| false);
        assert_eq!((found.contact, found.flags), (Some(ContactId(7)), vec!["identity_conflict"]));
    }

    #[test]
    fn shared_ambiguous_and_stale_keys_decide_nothing() {
        let shared = KnownKey { shared: true, ..key(Email, 2, &[7]) };
        let stale = KnownKey { unused_days: Some(541), ..key(Phone, 1, &[7]) };
        for (one, word) in [
            (shared, "shared_contact_point"),
            (key(Phone, 2, &[7, 8]), "ambiguous_contact_point"),
            (stale, "stale_contact_point"),
        ] {
            let found = decide(&[one], |_| false);
            assert_eq!((found.contact, found.flags), (None, vec![word]));
        }
        let proven_today = KnownKey { unused_days: Some(541), ..key(Phone, 2, &[7]) };
        assert_eq!(decide(&[proven_today], |_| false).contact, Some(ContactId(7)), "level 2 proves today's control");
    }

    #[test]
    fn a_visitor_who_signs_in_joins_only_while_anonymous() {
        let keys = [key(Account, 3, &[7]), key(Visitor, 2, &[9])];
        assert_eq!(decide(&keys, |_| true).joinable, vec![ContactId(9)]);
        let known = decide(&keys, |_| false);
        assert_eq!((known.joinable, known.flags), (vec![], vec!["identity_conflict"]));
    }

    #[test]
    fn two_people_at_one_browser_stay_two() {
        let browser = KnownKey { owner_has_other_account: true, ..key(Visitor, 2, &[9]) };
        let found = decide(&[key(Account, 3, &[]), browser], |_| false);
        assert_eq!((found.contact, found.flags), (None, vec!["identity_conflict"]));
    }
}
