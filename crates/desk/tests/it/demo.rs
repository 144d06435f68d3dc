//! The sample business, on the engine of this run: everything that has a number, a counter or a preview is right, and what is told
//! can be read by the screens.

use desk::demo::{DemoError, Filled, Progress, Wanted, fill};
use model::{Channel, DeliveryState, Status};
use std::collections::BTreeSet;
use store::conversation::list::{Cut, Order, walk_folders};
use store::conversation::{Conversation, Folder};
use store::entry;
use testkit::desk::TestDesk;

fn wanted(conversations: u64) -> Wanted {
    Wanted { conversations, seed: 7, email: None, password: None, force: false }
}

async fn filled(desk: &TestDesk, conversations: u64) -> Filled {
    let mut told = Vec::new();
    let mut progress = |p: Progress| told.push(p);
    let filled = fill(&desk.desk, &wanted(conversations), &mut progress).await.expect("it is filled");
    assert!(told.iter().any(|p| matches!(p, Progress::Indexed(upto, head) if upto == head)), "the index is complete: {told:?}");
    filled
}

async fn all(desk: &TestDesk) -> Vec<Conversation> {
    let workspace = desk.workspace;
    desk.read(move |tx| walk_folders(tx, workspace, &Folder::ALL, Cut::All, Order::Newest, Order::Newest.start(), 10_000)).await
}

/// What a row says of its entries is what its entries say.
async fn rows_agree_with_their_entries(desk: &TestDesk, rows: &[Conversation]) {
    let workspace = desk.workspace;
    for row in rows {
        let id = row.id;
        let entries = desk.read(move |tx| entry::conversation_before(tx, workspace, id, (i64::MAX, i64::MAX), 1_000)).await;
        let spoken: Vec<_> = entries.iter().filter(|e| e.kind != model::EntryKind::Event).collect();
        let last = spoken.last().expect("nobody opens a conversation without a word");
        assert_eq!(row.preview.as_ref().and_then(|p| p.entry_id), Some(last.id), "preview of #{}", row.number);
        assert_eq!(row.last_activity_at, last.at, "activity of #{}", row.number);
        let newest = entries.iter().map(|e| e.seq).max();
        assert!(newest <= Some(row.seq) && row.public_seq <= row.seq, "numbers of #{}", row.number);
        let last_in = spoken.iter().rev().find(|e| e.direction == model::Direction::In).expect("a customer wrote");
        assert!(row.imported || row.customer_at == Some(last_in.at), "the customer's time of #{}", row.number);
        if row.status == Status::Open && row.waiting_since.is_some() {
            let answered = spoken
                .iter()
                .rev()
                .take_while(|e| e.direction != model::Direction::In)
                .any(|e| e.direction == model::Direction::Out);
            assert!(!answered, "#{} waits although it was answered", row.number);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_business_is_whole() {
    let desk = TestDesk::new().await;
    let made = filled(&desk, 160).await;
    assert_eq!((made.conversations, made.imported, made.owner), (160, 0, None), "the owner was there");
    desk.check().await;
    let rows = all(&desk).await;
    assert_eq!(rows.len(), 160);
    rows_agree_with_their_entries(&desk, &rows).await;
    let channels: BTreeSet<Channel> = rows.iter().map(|r| r.first_channel).collect();
    assert!(channels.len() >= 8, "{channels:?}");
    let statuses: BTreeSet<Status> = rows.iter().map(|r| r.status).collect();
    for status in [Status::Open, Status::Pending, Status::Snoozed, Status::Resolved, Status::Closed] {
        assert!(statuses.contains(&status), "nothing is {status}");
    }
    let several = rows.iter().filter(|r| r.channel != r.first_channel).count();
    assert!(several >= 5, "{several} conversations went on elsewhere");
    assert!(rows.iter().any(|r| r.spam) && rows.iter().any(|r| r.unread_count > 0) && rows.iter().any(|r| r.agent_id.is_none()));

    let workspace = desk.workspace;
    let (quarantined, here, states) = desk
        .read(move |tx| {
            let quarantined = store::provider_event::quarantine_count(tx, workspace)?;
            let here = store::workspace::get(tx, workspace)?;
            let mut states = BTreeSet::new();
            for row in walk_folders(tx, workspace, &Folder::ALL, Cut::All, Order::Newest, Order::Newest.start(), 1_000)? {
                let entries = entry::conversation_before(tx, workspace, row.id, (i64::MAX, i64::MAX), 1_000)?;
                states.extend(entries.iter().filter_map(|e| e.delivery));
            }
            Ok((quarantined, here, states))
        })
        .await;
    assert_eq!(quarantined, 3);
    assert!(desk::settings::workspace::sample_data(&here), "it is marked");
    assert!(states.contains(&DeliveryState::Read) && states.contains(&DeliveryState::Delivered), "{states:?}");

    // Nothing can be sent by a channel that has no adapter (the desk of the tests has none for web chat), and it says so.
    let chat = rows.iter().find(|r| r.channel == Channel::Webchat && r.status == Status::Open).expect("an open chat");
    let ways = desk::reply::options(&desk.desk, &desk.owner, chat.id).await.expect("ways").expect("it is there");
    let down = ways.iter().find(|w| w.channel == Channel::Webchat).expect("the chat is shown");
    assert_eq!(down.reason, Some(model::BlockReason::ChannelDown));
    let by_chat = desk::reply::NewReply { inbox_id: Some(down.inbox_id), force: true, ..desk.reply("hello") };
    let refused = desk::reply::send(&desk.desk, &desk.owner, chat.id, by_chat).await.expect_err("there is no way");
    assert_eq!(refused, desk::reply::SendError::Blocked { reason: model::BlockReason::ChannelDown });

    // A second time only when asked for.
    let again = fill(&desk.desk, &wanted(5), &mut |_| {}).await;
    assert!(matches!(again, Err(DemoError::NotEmpty(_))), "{again:?}");
    fill(&desk.desk, &Wanted { force: true, ..wanted(5) }, &mut |_| {}).await.expect("beside what is there");
    desk.check().await;
    assert_eq!(all(&desk).await.len(), 165);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_keeps_every_number() {
    let desk = TestDesk::new().await;
    let made = filled(&desk, 2_000).await;
    assert_eq!(made.imported, 1_000);
    desk.check().await;
    let rows = all(&desk).await;
    assert_eq!(rows.len(), 2_000);
    let imported: Vec<Conversation> = rows.iter().filter(|r| r.imported).cloned().collect();
    assert_eq!(imported.len(), 1_000);
    rows_agree_with_their_entries(&desk, &imported[..200]).await;
    let numbers: BTreeSet<i64> = rows.iter().map(|r| r.number).collect();
    assert_eq!(numbers.len(), 2_000, "each has its own number");

    // The next change of an imported conversation takes the next number.
    let open = imported.iter().find(|r| r.status == Status::Open).expect("one is open");
    let patch = desk::conversation::Patch { status: Some(Status::Resolved), ..Default::default() };
    let after = desk::conversation::change::change(&desk.desk, &desk.owner, open.id, patch).await.expect("it is changed");
    assert_eq!(after.seq, 2);
    desk.check().await;
}
