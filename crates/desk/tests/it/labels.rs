//! Merge, split and move of conversations, and taking each back. Entries are only relabelled: never lost, never doubled.

use desk::conversation::label::{LabelError, merge, move_entry, split, undo};
use desk::conversation::{Patch, change};
use model::{Channel, ConversationId, EntryId, EntryKind, Status};
use proptest::prelude::*;
use std::collections::BTreeMap;
use testkit::desk::TestDesk;

/// Two conversations of one person: the first is resolved, so a message on another channel opens a second.
async fn two(t: &TestDesk) -> (ConversationId, ConversationId) {
    let a = t.customer_writes("ada@example.com", "a1").await.conversation_id;
    t.customer_writes("ada@example.com", "a2").await;
    let resolve = Patch { status: Some(Status::Resolved), ..Patch::default() };
    change::change(&t.desk, &t.owner, a, resolve).await.expect("it resolves");
    let other = channel::InboundMessage { channel: Some(Channel::Sms), ..t.message("ada@example.com", "b1") };
    let b = t.customer_sends(other).await.conversation_id;
    assert_ne!(a, b);
    (a, b)
}

async fn entries(t: &TestDesk, id: ConversationId) -> Vec<(EntryId, String)> {
    let workspace = t.workspace;
    let all = t.read(move |tx| store::entry::conversation_before(tx, workspace, id, (i64::MAX, i64::MAX), 1_000)).await;
    all.into_iter().filter(|e| e.kind != EntryKind::Event).map(|e| (e.id, e.body.text)).collect()
}

#[tokio::test]
async fn a_merge_moves_every_entry_and_is_taken_back_whole() {
    let t = TestDesk::new().await;
    let (a, b) = two(&t).await;
    let before = (entries(&t, a).await, entries(&t, b).await);
    let dry = merge(&t.desk, &t.owner, b, a, true).await.unwrap();
    assert_eq!((dry.undo_id, dry.warnings.as_slice()), (None, &["target_is_closed"][..]));
    assert_eq!(entries(&t, b).await, before.1, "a dry run changes nothing");
    let done = merge(&t.desk, &t.owner, b, a, false).await.unwrap();
    assert_eq!(t.texts(a).await, ["a1", "a2", "b1"]);
    assert_eq!(t.conversation(b).await.merged_into, Some(a));
    assert_eq!(merge(&t.desk, &t.owner, b, a, false).await, Err(LabelError::MergedAway));
    // What the customer writes now lands in the survivor, and stays there after the undo.
    undo(&t.desk, &t.owner, done.undo_id.unwrap()).await.unwrap();
    assert_eq!((entries(&t, a).await, entries(&t, b).await), before);
    assert_eq!(t.conversation(b).await.merged_into, None);
    assert_eq!(undo(&t.desk, &t.owner, done.undo_id.unwrap()).await, Err(LabelError::TooLate));
    t.end().await;
}

#[tokio::test]
async fn a_split_takes_the_chosen_entries_and_its_undo_leaves_a_pointer() {
    let t = TestDesk::new().await;
    let (a, _) = two(&t).await;
    let all = entries(&t, a).await;
    let everything: Vec<EntryId> = all.iter().map(|e| e.0).collect();
    assert_eq!(split(&t.desk, &t.owner, a, everything, false).await, Err(LabelError::NothingOrAll));
    assert_eq!(split(&t.desk, &t.owner, a, vec![], false).await, Err(LabelError::NothingOrAll));
    let done = split(&t.desk, &t.owner, a, vec![all[1].0], false).await.unwrap();
    assert_eq!((t.texts(a).await, t.texts(done.conversation_id).await), (vec!["a1".to_owned()], vec!["a2".to_owned()]));
    assert_eq!(t.conversation(a).await.preview.unwrap().text, "a1");
    undo(&t.desk, &t.owner, done.undo_id.unwrap()).await.unwrap();
    assert_eq!(entries(&t, a).await, all);
    assert_eq!(t.conversation(done.conversation_id).await.merged_into, Some(a));
    t.end().await;
}

#[tokio::test]
async fn other_peoples_conversations_never_mix() {
    let t = TestDesk::new().await;
    let ada = t.customer_writes("ada@example.com", "hi").await;
    let ben = t.customer_writes("ben@example.com", "hi").await;
    assert_eq!(merge(&t.desk, &t.owner, ada.conversation_id, ben.conversation_id, false).await, Err(LabelError::OtherContact));
    assert_eq!(move_entry(&t.desk, &t.owner, ada.id, ben.conversation_id, false).await, Err(LabelError::OtherContact));
    assert_eq!(merge(&t.desk, &t.owner, ada.conversation_id, ada.conversation_id, false).await, Err(LabelError::Same));
    t.end().await;
}

#[tokio::test]
async fn a_bulk_change_is_taken_back_by_one_undo() {
    let t = TestDesk::new().await;
    let mut ids = Vec::new();
    for name in ["ada", "ben", "cleo"] {
        ids.push(t.customer_writes(&format!("{name}@example.com"), "hello").await.conversation_id);
    }
    let patch = Patch { status: Some(Status::Resolved), agent_id: Some(Some(t.owner.agent)), ..Patch::default() };
    let done = change::bulk(&t.desk, &t.owner, ids.clone(), patch).await.unwrap();
    assert_eq!(done.changed, 3);
    undo(&t.desk, &t.owner, done.undo_id).await.unwrap();
    for id in ids {
        let row = t.conversation(id).await;
        assert_eq!((row.status, row.agent_id), (Status::Open, None));
    }
    t.end().await;
}

/// One random step.
#[derive(Clone, Debug)]
enum Step {
    Write(usize),
    Merge(usize, usize),
    Split(usize, usize),
    Move(usize, usize),
    Undo(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0usize..6).prop_map(Step::Write),
        3 => (0usize..6, 0usize..6).prop_map(|(a, b)| Step::Merge(a, b)),
        3 => (0usize..6, 0usize..20).prop_map(|(a, e)| Step::Split(a, e)),
        2 => (0usize..20, 0usize..6).prop_map(|(e, a)| Step::Move(e, a)),
        3 => (0usize..9).prop_map(Step::Undo),
    ]
}

/// Every entry of the workspace with its conversation.
async fn labels(t: &TestDesk, conversations: &[ConversationId]) -> BTreeMap<EntryId, ConversationId> {
    let mut all = BTreeMap::new();
    for id in conversations {
        for (entry, _) in entries(t, *id).await {
            assert!(all.insert(entry, *id).is_none(), "an entry stands in two conversations");
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn no_history_of_moves_loses_or_doubles_an_entry(steps in proptest::collection::vec(step(), 1..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let t = TestDesk::new().await;
            let (a, b) = two(&t).await;
            let (mut conversations, mut undos, mut written) = (vec![a, b], vec![], 3usize);
            for step in steps {
                let pick = |list: &Vec<ConversationId>, n: usize| list[n % list.len()];
                match step {
                    Step::Write(n) => {
                        let entry = t.customer_writes("ada@example.com", &format!("w{n}")).await;
                        if !conversations.contains(&entry.conversation_id) {
                            conversations.push(entry.conversation_id);
                        }
                        written += 1;
                    }
                    Step::Merge(x, y) => {
                        let (x, y) = (pick(&conversations, x), pick(&conversations, y));
                        if let Ok(done) = merge(&t.desk, &t.owner, x, y, false).await {
                            undos.extend(done.undo_id);
                        }
                    }
                    Step::Split(x, e) => {
                        let x = pick(&conversations, x);
                        let here = entries(&t, x).await;
                        if let Some((entry, _)) = here.get(e % here.len().max(1)).cloned()
                            && let Ok(done) = split(&t.desk, &t.owner, x, vec![entry], false).await
                        {
                            conversations.push(done.conversation_id);
                            undos.extend(done.undo_id);
                        }
                    }
                    Step::Move(e, y) => {
                        let all: Vec<EntryId> = labels(&t, &conversations).await.into_keys().collect();
                        if let Ok(done) = move_entry(&t.desk, &t.owner, all[e % all.len()], pick(&conversations, y), false).await {
                            undos.extend(done.undo_id);
                        }
                    }
                    Step::Undo(n) if !undos.is_empty() => {
                        let _ = undo(&t.desk, &t.owner, undos[n % undos.len()]).await;
                    }
                    Step::Undo(_) => {}
                }
                assert_eq!(labels(&t, &conversations).await.len(), written, "each entry stands in exactly one conversation");
            }
            t.end().await;
        });
    }
}
