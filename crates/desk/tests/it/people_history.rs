//! Random histories of people who write, are merged, answered, split and separated again: merge and separate at once is the
//! identity, no entry is ever lost or doubled, and what was written since goes back to the owner of its contact point.

use desk::contacts::separate;
use desk::conversation::label;
use desk::identity::{Choices, MergeError, merge};
use desk::reply::send::send;
use model::{ContactId, ContactMergeId, ConversationId, EntryId, EntryKind};
use proptest::prelude::*;
use std::collections::BTreeMap;
use testkit::desk::TestDesk;

const PEOPLE: [&str; 4] = ["ada@example.com", "+15550142", "novak@example.com", "ext-7"];

/// One random step.
#[derive(Clone, Debug)]
enum Step {
    Write(usize),
    Answer(usize),
    Merge(usize, usize),
    Separate(usize),
    MergeConversations(usize, usize),
    Split(usize),
    MergeAndBack(usize, usize),
    Later,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..PEOPLE.len()).prop_map(Step::Write),
        2 => (0usize..8).prop_map(Step::Answer),
        3 => (0..PEOPLE.len(), 0..PEOPLE.len()).prop_map(|(a, b)| Step::Merge(a, b)),
        3 => (0usize..8).prop_map(Step::Separate),
        1 => (0usize..8, 0usize..8).prop_map(|(a, b)| Step::MergeConversations(a, b)),
        1 => (0usize..8).prop_map(Step::Split),
        2 => (0..PEOPLE.len(), 0..PEOPLE.len()).prop_map(|(a, b)| Step::MergeAndBack(a, b)),
        1 => Just(Step::Later),
    ]
}

/// Everything that a merge and its undo might disturb.
#[derive(Debug, PartialEq)]
struct Snapshot {
    /// Messages: whose they are, and in which conversation they stand.
    entries: BTreeMap<EntryId, (ContactId, ConversationId)>,
    /// Conversations: whose, merged into which, status, assignee.
    conversations: BTreeMap<ConversationId, (ContactId, Option<ConversationId>, String)>,
    /// Contacts: the end of the pointers, fields.
    contacts: BTreeMap<ContactId, (ContactId, Option<String>, Option<String>, bool)>,
    /// Contact points of each.
    points: BTreeMap<ContactId, Vec<String>>,
}

async fn look(t: &TestDesk, contacts: &[ContactId]) -> Snapshot {
    let (workspace, contacts) = (t.workspace, contacts.to_vec());
    t.read(move |tx| {
        let mut shot = Snapshot {
            entries: BTreeMap::new(),
            conversations: BTreeMap::new(),
            contacts: BTreeMap::new(),
            points: BTreeMap::new(),
        };
        for id in &contacts {
            let c = store::contact::find(tx, workspace, *id)?.ok_or(store::StoreError::NotFound)?;
            shot.contacts.insert(*id, (c.live_id, c.name, c.company, c.blocked_at.is_some()));
            let held = store::contact_point::owned_by(tx, workspace, c.live_id)?;
            let mut mine: Vec<String> = held
                .iter()
                .filter(|o| o.contact_id == *id)
                .map(|o| format!("{} {}", o.contact_point_id, o.proof_level))
                .collect();
            mine.sort();
            shot.points.insert(*id, mine);
        }
        for entry in store::entry::timeline_before(tx, workspace, &contacts, (i64::MAX, i64::MAX), 10_000)? {
            if entry.kind != EntryKind::Event {
                let twice = shot.entries.insert(entry.id, (entry.contact_id, entry.conversation_id));
                assert!(twice.is_none(), "an entry stands twice");
            }
        }
        for c in store::conversation::of_contacts(tx, workspace, &contacts, 1_000)? {
            let rest = format!("{:?} {:?}", c.status, c.agent_id);
            shot.conversations.insert(c.id, (c.contact_id, c.merged_into, rest));
        }
        Ok(shot)
    })
    .await
}

async fn history(steps: Vec<Step>) {
    let t = TestDesk::new().await;
    let (mut contacts, mut merges, mut written) = (vec![], Vec::<ContactMergeId>::new(), 0_usize);
    for from in PEOPLE {
        contacts.push(t.customer_writes(from, "hello").await.contact_id);
        written += 1;
    }
    // Ids tell when something was made: let the merge be later than what came before it.
    t.advance(1_000).await;
    let owner_of = contacts.clone();
    for (n, step) in steps.into_iter().enumerate() {
        t.clock.advance_ms(1_000);
        let conversations: Vec<ConversationId> = look(&t, &contacts).await.conversations.into_keys().collect();
        let pick = |n: usize| conversations[n % conversations.len()];
        match step {
            Step::Write(who) => {
                let entry = t.customer_writes(PEOPLE[who], &format!("w{n}")).await;
                assert_eq!(entry.contact_id, owner_of[who], "new entries go to the owner of their contact point");
                written += 1;
            }
            Step::Answer(at) => {
                if send(&t.desk, &t.owner, pick(at), t.reply(&format!("r{n}"))).await.is_ok() {
                    t.run_jobs().await;
                    written += 1;
                }
            }
            Step::Merge(a, b) => {
                if let Ok(done) = merge(&t.desk, &t.owner, contacts[a], contacts[b], Choices::default(), false).await {
                    merges.extend(done.merge_id);
                }
            }
            Step::Separate(at) if !merges.is_empty() => {
                let id = merges[at % merges.len()];
                let preview = separate(&t.desk, &t.owner, id, true, true).await;
                let before = look(&t, &contacts).await;
                match separate(&t.desk, &t.owner, id, true, false).await {
                    Ok(done) => {
                        let preview = preview.expect("what is done can be looked at first");
                        assert_eq!((preview.entries, preview.since.len()), (done.entries, done.since.len()));
                        let after = look(&t, &contacts).await;
                        assert_eq!(after.entries.len(), before.entries.len());
                        one_side_each(&t, &done, &contacts).await;
                        merges.retain(|m| *m != id);
                    }
                    Err(MergeError::TooLate(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Separate(_) => {}
            Step::MergeConversations(a, b) => {
                let _ = label::merge(&t.desk, &t.owner, pick(a), pick(b), false).await;
            }
            Step::Split(at) => {
                let workspace = t.workspace;
                let id = pick(at);
                let held = t.read(move |tx| store::entry::ids_of_conversation(tx, workspace, id, 100)).await;
                if let Some(first) = held.first() {
                    let _ = label::split(&t.desk, &t.owner, id, vec![*first], false).await;
                }
            }
            Step::MergeAndBack(a, b) => {
                let before = look(&t, &contacts).await;
                let pair = (contacts[a], contacts[b]);
                let dry = merge(&t.desk, &t.owner, pair.0, pair.1, Choices::default(), true).await;
                assert_eq!(look(&t, &contacts).await, before, "a dry run changes nothing");
                if let Ok(done) = merge(&t.desk, &t.owner, pair.0, pair.1, Choices::default(), false).await {
                    assert_eq!(dry.expect("it could be looked at").entries, done.entries);
                    let id = done.merge_id.expect("it is recorded");
                    separate(&t.desk, &t.owner, id, true, true).await.expect("it can be looked at");
                    separate(&t.desk, &t.owner, id, false, false).await.expect("it can be taken back at once");
                    assert_eq!(look(&t, &contacts).await, before, "merge and back is the identity");
                }
            }
            Step::Later => {
                t.advance(3 * 86_400_000).await;
            }
        }
        let now = look(&t, &contacts).await;
        assert_eq!(now.entries.len(), written, "no entry is lost or doubled");
    }
    t.end().await;
}

/// After two are apart, no conversation of one holds a message of the other.
async fn one_side_each(t: &TestDesk, done: &desk::contacts::Separation, contacts: &[ContactId]) {
    let shot = look(t, contacts).await;
    let live = |id: ContactId| shot.contacts.get(&id).map(|c| c.0);
    for (entry, (contact, conversation)) in &shot.entries {
        let of = shot.conversations.get(conversation).map(|c| c.0).expect("its conversation is one of theirs");
        let two = [live(done.keep.id), live(done.other.id)];
        if two.contains(&live(*contact)) && two.contains(&live(of)) {
            assert_eq!(live(*contact), live(of), "{entry} stands in a conversation of the other");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn merges_and_their_undo_keep_every_entry_and_part_them_along_the_contact(
        steps in proptest::collection::vec(step(), 1..16),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(history(steps));
    }
}
