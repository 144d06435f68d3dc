//! Decides which contact the keys of one event name (domain.md 6.1). Pure: keys with whoever holds them in; a contact or
//! nobody out, with flags, suggestions and every key that was tried.

use model::{ContactId, ContactPointKind};
use serde::Serialize;

/// A contact that holds a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Holder {
    /// The live contact.
    pub contact: ContactId,
    /// Last use by it before this event, in days; `None` = never used.
    pub unused_days: Option<i64>,
    /// Nothing of theirs comes in.
    pub blocked: bool,
}

/// One key of the event with what the store knows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownKey {
    /// What kind of address.
    pub kind: ContactPointKind,
    /// Proof in this event, 0 to 3.
    pub proof_level: i64,
    /// Proven false.
    pub disproved: bool,
    /// Typed by a person or said by a page: never proof, not even of being blocked.
    pub typed: bool,
    /// Several people use it.
    pub shared: bool,
    /// Blocked by itself.
    pub blocked: bool,
    /// Who holds it.
    pub holders: Vec<Holder>,
}

/// What must be known of a contact beside its keys, for the few events in which it matters.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// The live contact.
    pub contact: ContactId,
    /// It holds nothing but visitor cookies, and no name.
    pub anonymous: bool,
    /// Kinds of the level 3 keys that it holds.
    pub strong: Vec<ContactPointKind>,
}

/// A token that led to a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenSays {
    /// The customer of that conversation.
    pub contact: ContactId,
    /// It names the sender when nobody else does: with which proof.
    pub names: Option<i64>,
}

/// Everything that the decision is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// The keys, in the order of the event.
    pub keys: Vec<KnownKey>,
    /// Whoever `wants_people` named.
    pub people: Vec<Person>,
    /// The contact that a one-time code proved.
    pub proven: Option<ContactId>,
    /// Customers of open conversations with an order number of the event, one per conversation.
    pub order_holders: Vec<ContactId>,
    /// A valid token.
    pub token: Option<TokenSays>,
    /// A number that proves nothing and was not used for more days than this may have a new owner.
    pub stale_days: i64,
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
    /// Who holds it.
    pub holders: Vec<ContactId>,
}

/// Who it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Match {
    /// The contact, or nobody.
    pub contact: Option<ContactId>,
    /// How sure, 0 to 3.
    pub proof_level: i64,
    /// What decided: `key`, `order`, `code`, `token`, `nobody`.
    pub by: &'static str,
    /// Anonymous contacts that join it: a visitor who has just signed in with the same browser.
    pub joins: Vec<ContactId>,
    /// Contacts that may be the same person.
    pub suggest: Vec<ContactId>,
    /// `ambiguous_contact_point`, `shared_contact_point`, `stale_contact_point`, `identity_conflict`, `spoof_suspected`.
    pub flags: Vec<&'static str>,
    /// Every key tried, strongest first.
    pub tried: Vec<Tried>,
    /// The sender is blocked.
    pub blocked: bool,
}

impl Match {
    fn flag(&mut self, flag: &'static str) -> &'static str {
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
        flag
    }
    fn suggest(&mut self, contacts: impl IntoIterator<Item = ContactId>) {
        for contact in contacts {
            if !self.suggest.contains(&contact) {
                self.suggest.push(contact);
            }
        }
    }
}

impl KnownKey {
    /// May this key name somebody in this event?
    pub fn counts(&self) -> bool {
        self.proof_level >= 1 && !self.disproved && !self.typed
    }
    /// The live contacts that hold it. One who has not used it for so long that it may have a new owner counts no more once
    /// somebody else has used it since.
    pub fn owners(&self, stale_days: i64) -> Vec<ContactId> {
        let is_fresh = |h: &&Holder| h.unused_days.is_none_or(|days| days <= stale_days);
        let any_fresh = self.holders.iter().any(|h| is_fresh(&h));
        let mut owners: Vec<ContactId> = self.holders.iter().filter(|h| !any_fresh || is_fresh(h)).map(|h| h.contact).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }
    fn is_stale(&self, stale_days: i64) -> bool {
        self.proof_level < 2
            && !self.holders.is_empty()
            && self.holders.iter().all(|h| h.unused_days.is_some_and(|d| d > stale_days))
    }
    fn is_blocked(&self) -> bool {
        let all_blocked = !self.holders.is_empty() && self.holders.iter().all(|h| h.blocked);
        !self.typed && (self.blocked || all_blocked)
    }
    fn is_visitor(&self) -> bool {
        self.kind == ContactPointKind::Visitor
    }
}

/// The keys strongest first; of equal ones those of a person before that of a browser.
fn strongest_first(keys: &[KnownKey]) -> Vec<&KnownKey> {
    let mut sorted: Vec<&KnownKey> = keys.iter().collect();
    sorted.sort_by_key(|k| (std::cmp::Reverse(k.proof_level), k.is_visitor()));
    sorted
}

/// Level 3 keys of the event that nobody has: a customer who signs in for the first time.
fn new_strong(keys: &[KnownKey]) -> Vec<ContactPointKind> {
    keys.iter().filter(|k| k.counts() && k.proof_level == 3 && k.holders.is_empty()).map(|k| k.kind).collect()
}

/// The contacts of whom more must be known before the decision; mostly none.
pub fn wants_people(known: &Known) -> Vec<ContactId> {
    let all: Vec<&KnownKey> = known.keys.iter().filter(|k| k.counts()).collect();
    let mut wanted: Vec<ContactId> = Vec::new();
    if !new_strong(&known.keys).is_empty() {
        wanted.extend(all.iter().flat_map(|k| k.owners(known.stale_days)));
        wanted.extend(known.token.iter().map(|t| t.contact));
    }
    let strong = all.iter().any(|k| k.proof_level == 3 || k.kind == ContactPointKind::Account);
    if strong {
        wanted.extend(all.iter().filter(|k| k.is_visitor()).flat_map(|k| k.owners(known.stale_days)));
    }
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// The contacts among whom an order number may decide: nobody was found, but keys that several people have.
pub fn undecided(known: &Known) -> Vec<ContactId> {
    let found = first_pass(known);
    if found.contact.is_some() || known.proven.is_some() {
        return vec![];
    }
    let several = |k: &&KnownKey| k.counts() && (k.shared || k.owners(known.stale_days).len() > 1);
    let mut all: Vec<ContactId> = known.keys.iter().filter(several).flat_map(|k| k.owners(known.stale_days)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Walks the rules; the order is that of domain.md 6.1.
pub fn decide(known: &Known) -> Match {
    let blocked_key = known.keys.iter().any(KnownKey::is_blocked);
    let is_blocked = |contact: ContactId| known.keys.iter().flat_map(|k| &k.holders).any(|h| h.contact == contact && h.blocked);
    let mut found = if known.keys.iter().any(|k| k.disproved) { disproved(known) } else { decided(known) };
    found.blocked = blocked_key || found.contact.is_some_and(is_blocked);
    let (contact, joins) = (found.contact, found.joins.clone());
    found.suggest.retain(|id| Some(*id) != contact && !joins.contains(id));
    found
}

/// Somebody who was caught with a false key proves nothing with the others: nobody, and the owner of the address is shown.
fn disproved(known: &Known) -> Match {
    let mut found = Match { by: "nobody", ..Match::default() };
    found.flag("spoof_suspected");
    for key in &known.keys {
        if key.disproved {
            found.suggest(key.owners(known.stale_days));
        }
        let result = if key.disproved { "proven_false" } else { "not_used" };
        found.tried.push(tried(key, result, known.stale_days));
    }
    found
}

fn tried(key: &KnownKey, result: &'static str, stale_days: i64) -> Tried {
    Tried { kind: key.kind, proof_level: key.proof_level, result, holders: key.owners(stale_days) }
}

/// Rules 1 to 3: the first key with one owner wins, a later one of somebody else is a conflict.
fn first_pass(known: &Known) -> Match {
    let mut found = Match { by: "nobody", ..Match::default() };
    let mut signed_in = false;
    for key in strongest_first(&known.keys) {
        let owners = key.owners(known.stale_days);
        let result = if !key.counts() {
            found.suggest(owners.iter().copied());
            if owners.is_empty() { "unknown" } else { "only_claimed" }
        } else if owners.is_empty() {
            "unknown"
        } else if key.shared {
            found.suggest(owners.iter().copied());
            found.flag("shared_contact_point")
        } else if owners.len() > 1 {
            found.suggest(owners.iter().copied());
            found.flag("ambiguous_contact_point")
        } else if key.is_stale(known.stale_days) {
            found.suggest(owners.iter().copied());
            found.flag("stale_contact_point")
        } else {
            let owner = owners[0];
            match found.contact {
                None => {
                    (found.contact, found.proof_level, found.by) = (Some(owner), key.proof_level, "key");
                    signed_in = key.proof_level == 3 || key.kind == ContactPointKind::Account;
                    "match"
                }
                Some(winner) if winner == owner => "match",
                Some(_) if signed_in && key.is_visitor() && is_anonymous(known, owner) => {
                    found.joins.push(owner);
                    "joins"
                }
                Some(_) => {
                    found.suggest([owner]);
                    found.flag("identity_conflict")
                }
            }
        };
        found.tried.push(tried(key, result, known.stale_days));
    }
    found
}

fn person(known: &Known, id: ContactId) -> Option<&Person> {
    known.people.iter().find(|p| p.contact == id)
}

fn is_anonymous(known: &Known, id: ContactId) -> bool {
    person(known, id).is_some_and(|p| p.anonymous)
}

/// Does the event sign somebody in for the first time, while the contact has signed in as somebody else?
fn is_somebody_else(known: &Known, contact: ContactId) -> bool {
    let new = new_strong(&known.keys);
    person(known, contact).is_some_and(|p| p.strong.iter().any(|kind| new.contains(kind)))
}

fn decided(known: &Known) -> Match {
    let mut found = first_pass(known);
    // Rule 4: two people at one browser.
    if let Some(candidate) = found.contact.filter(|id| is_somebody_else(known, *id)) {
        found.suggest([candidate]);
        found.flag("identity_conflict");
        (found.contact, found.proof_level, found.by) = (None, 0, "nobody");
        found.joins.clear();
    }
    // Rule 5: an order number among those who share a key.
    if found.contact.is_none()
        && known.proven.is_none()
        && let [one] = known.order_holders.as_slice()
        && undecided(known).contains(one)
    {
        (found.contact, found.proof_level, found.by) = (Some(*one), 1, "order");
    }
    // Rule 6: a one-time code outranks the keys.
    if let Some(proven) = known.proven {
        if let Some(other) = found.contact.filter(|id| *id != proven) {
            found.suggest([other]);
            found.flag("identity_conflict");
        }
        found.joins.clear();
        (found.contact, found.proof_level, found.by) = (Some(proven), 3, "code");
    }
    // Rule 7: a token, when nobody was found.
    if found.contact.is_none()
        && let Some(TokenSays { contact, names: Some(level) }) = known.token
        && !is_somebody_else(known, contact)
    {
        (found.contact, found.proof_level, found.by) = (Some(contact), level, "token");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use ContactPointKind::{Account, Crm, Email, Phone, Visitor};

    const A: ContactId = ContactId(1);
    const B: ContactId = ContactId(2);
    const V: ContactId = ContactId(9);

    fn holder(contact: ContactId) -> Holder {
        Holder { contact, unused_days: None, blocked: false }
    }
    fn key(kind: ContactPointKind, proof_level: i64, holders: &[ContactId]) -> KnownKey {
        KnownKey {
            kind,
            proof_level,
            disproved: false,
            typed: false,
            shared: false,
            blocked: false,
            holders: holders.iter().map(|id| holder(*id)).collect(),
        }
    }
    fn known(keys: Vec<KnownKey>) -> Known {
        Known { keys, stale_days: 540, ..Known::default() }
    }
    fn anonymous(contact: ContactId) -> Person {
        Person { contact, anonymous: true, strong: vec![] }
    }
    fn who(known: &Known) -> (Option<ContactId>, i64, Vec<&'static str>, Vec<ContactId>) {
        let found = decide(known);
        (found.contact, found.proof_level, found.flags, found.suggest)
    }

    #[test]
    fn the_strongest_key_with_one_owner_wins_and_another_owner_is_a_conflict() {
        let keys = vec![key(Phone, 1, &[B]), key(Account, 3, &[]), key(Email, 2, &[A])];
        assert_eq!(who(&known(keys)), (Some(A), 2, vec!["identity_conflict"], vec![B]));
        assert_eq!(who(&known(vec![key(Email, 2, &[])])), (None, 0, vec![], vec![]));
        let browser_first = vec![key(Visitor, 2, &[V]), key(Email, 2, &[A])];
        assert_eq!(who(&known(browser_first)).0, Some(A), "a person's key before a browser's");
    }

    #[test]
    fn shared_ambiguous_and_stale_keys_decide_nothing_and_suggest() {
        let shared = KnownKey { shared: true, ..key(Email, 2, &[A]) };
        let stale = |level, days| {
            let holders = vec![Holder { unused_days: Some(days), ..holder(A) }];
            KnownKey { holders, ..key(Phone, level, &[]) }
        };
        assert_eq!(who(&known(vec![shared])), (None, 0, vec!["shared_contact_point"], vec![A]));
        assert_eq!(who(&known(vec![key(Phone, 2, &[A, B])])), (None, 0, vec!["ambiguous_contact_point"], vec![A, B]));
        assert_eq!(who(&known(vec![stale(1, 541)])), (None, 0, vec!["stale_contact_point"], vec![A]));
        assert_eq!(who(&known(vec![stale(1, 540)])).0, Some(A), "the limit is inclusive");
        assert_eq!(who(&known(vec![stale(2, 541)])).0, Some(A), "level 2 proves today's control");
        let mut recycled = stale(1, 900);
        recycled.holders.push(holder(B));
        assert_eq!(who(&known(vec![recycled])), (Some(B), 1, vec![], vec![]), "the new owner has it now");
    }

    #[test]
    fn an_order_number_decides_among_those_who_share_a_key() {
        let shared = KnownKey { shared: true, ..key(Phone, 2, &[A, B]) };
        let asked = Known { order_holders: vec![B], ..known(vec![shared.clone()]) };
        assert_eq!(undecided(&asked), vec![A, B]);
        assert_eq!(who(&asked), (Some(B), 1, vec!["shared_contact_point"], vec![A]));
        let two = Known { order_holders: vec![A, B], ..known(vec![shared.clone()]) };
        assert_eq!(who(&two).0, None, "two conversations with it decide nothing");
        let stranger = Known { order_holders: vec![V], ..known(vec![shared]) };
        assert_eq!(who(&stranger).0, None, "nor one of somebody else");
        let ambiguous = Known { order_holders: vec![A], ..known(vec![key(Phone, 1, &[A, B])]) };
        assert_eq!(who(&ambiguous).0, Some(A));
    }

    #[test]
    fn a_visitor_who_signs_in_joins_only_while_anonymous() {
        let keys = vec![key(Account, 3, &[A]), key(Visitor, 2, &[V])];
        let asked = Known { people: vec![anonymous(V)], ..known(keys.clone()) };
        assert_eq!(wants_people(&asked), vec![V]);
        assert_eq!((decide(&asked).contact, decide(&asked).joins), (Some(A), vec![V]));
        let named = Known { people: vec![Person { anonymous: false, ..anonymous(V) }], ..known(keys) };
        assert_eq!(who(&named), (Some(A), 3, vec!["identity_conflict"], vec![V]));
        let not_signed_in = Known { people: vec![anonymous(V)], ..known(vec![key(Email, 1, &[A]), key(Visitor, 2, &[V])]) };
        assert_eq!(decide(&not_signed_in).joins, vec![], "an address in a form signs nobody in");
    }

    #[test]
    fn two_people_at_one_browser_stay_two() {
        let keys = vec![key(Account, 3, &[]), key(Visitor, 2, &[A])];
        let person = |strong: &[ContactPointKind]| Person { contact: A, anonymous: false, strong: strong.to_vec() };
        let asked = Known { people: vec![person(&[Account])], ..known(keys.clone()) };
        assert_eq!(wants_people(&asked), vec![A]);
        assert_eq!(who(&asked), (None, 0, vec!["identity_conflict"], vec![A]));
        let first_time = Known { people: vec![person(&[])], ..known(keys.clone()) };
        assert_eq!(who(&first_time), (Some(A), 2, vec![], vec![]), "the first sign-in of this browser's owner");
        let other_kind = Known { people: vec![person(&[Crm])], ..known(keys) };
        assert_eq!(who(&other_kind).0, Some(A));
    }

    #[test]
    fn a_one_time_code_outranks_the_keys() {
        let asked = Known { proven: Some(A), ..known(vec![key(Phone, 2, &[B])]) };
        assert_eq!(who(&asked), (Some(A), 3, vec!["identity_conflict"], vec![B]));
        assert_eq!(who(&Known { proven: Some(A), ..known(vec![]) }), (Some(A), 3, vec![], vec![]));
    }

    #[test]
    fn a_token_names_only_whom_nothing_else_names() {
        let token = Some(TokenSays { contact: A, names: Some(2) });
        assert_eq!(who(&Known { token: token.clone(), ..known(vec![key(Phone, 1, &[])]) }), (Some(A), 2, vec![], vec![]));
        assert_eq!(who(&Known { token: token.clone(), ..known(vec![key(Phone, 1, &[B])]) }).0, Some(B));
        let mute = Some(TokenSays { contact: A, names: None });
        assert_eq!(who(&Known { token: mute, ..known(vec![key(Email, 2, &[])]) }).0, None);
        let somebody_else = Known {
            token,
            people: vec![Person { contact: A, anonymous: false, strong: vec![Account] }],
            ..known(vec![key(Account, 3, &[])])
        };
        assert_eq!(who(&somebody_else).0, None, "another account is another person");
    }

    #[test]
    fn typed_keys_and_unproven_accounts_only_suggest() {
        let typed = KnownKey { typed: true, ..key(Email, 0, &[A]) };
        assert_eq!(who(&known(vec![key(Visitor, 2, &[]), typed])), (None, 0, vec![], vec![A]));
        assert_eq!(who(&known(vec![key(Account, 0, &[A])])), (None, 0, vec![], vec![A]));
        let lied = KnownKey { typed: true, ..key(Email, 3, &[A]) };
        assert_eq!(who(&known(vec![lied])).0, None, "typed is typed, whatever level it claims");
    }

    #[test]
    fn a_false_key_matches_nobody_and_gets_nobody_past_a_block() {
        let forged = KnownKey { disproved: true, ..key(Email, 0, &[A]) };
        assert_eq!(who(&known(vec![forged.clone(), key(Visitor, 2, &[B])])), (None, 0, vec!["spoof_suspected"], vec![A]));
        let mut of_blocked = forged;
        of_blocked.holders[0].blocked = true;
        assert!(decide(&known(vec![of_blocked])).blocked);
    }

    #[test]
    fn blocked_is_who_has_nobody_unblocked_behind_a_key() {
        let blocked = |id| Holder { blocked: true, ..holder(id) };
        let both = KnownKey { holders: vec![blocked(A), holder(B)], shared: true, ..key(Phone, 2, &[]) };
        assert!(!decide(&known(vec![both])).blocked, "a shared phone with one blocked member stays usable");
        let all = KnownKey { holders: vec![blocked(A), blocked(B)], ..key(Phone, 2, &[]) };
        assert!(decide(&known(vec![all])).blocked);
        let one = KnownKey { holders: vec![blocked(A)], ..key(Phone, 1, &[]) };
        assert!(decide(&known(vec![key(Email, 2, &[B]), one])).blocked);
        let typed = KnownKey { typed: true, holders: vec![blocked(A)], ..key(Email, 0, &[]) };
        assert!(!decide(&known(vec![key(Visitor, 2, &[]), typed])).blocked, "anybody may type anybody's address");
        assert!(decide(&known(vec![KnownKey { blocked: true, ..key(Phone, 1, &[]) }])).blocked);
    }
}
