//! Identity and placement as stories: one mail to two inboxes, an agent who is asked, why, and rehearsals that write nothing.

use channel::{ClaimSource, ContactPointClaim, InboundEvent, InboundMessage, MailFacts};
use desk::conversation::Patch;
use desk::journeys::why::{self, Choice, ChoiceError};
use model::{Audience, Channel, ContactPointKind, Outcome, ParticipantRole, Status};
use serde_json::json;
use store::Route;
use testkit::desk::{TestDesk, claim};

const HOUR: i64 = 3_600_000;

fn on(t: &TestDesk, channel: Channel, from: &str, text: &str) -> InboundMessage {
    InboundMessage { channel: Some(channel), ..t.message(from, text) }
}

fn mail(t: &TestDesk, from: &str, subject: &str, text: &str) -> InboundMessage {
    let mail = Some(Box::new(MailFacts::default()));
    InboundMessage { subject: Some(subject.into()), mail, ..on(t, Channel::Email, from, text) }
}

#[tokio::test]
async fn thanks_and_bye_opens_nothing_again_and_a_question_does() {
    let t = TestDesk::new().await;
    let id = t.customer_writes("ada@example.com", "It broke").await.conversation_id;
    let resolve = Patch { status: Some(Status::Resolved), ..Default::default() };
    desk::conversation::change::change(&t.desk, &t.owner, id, resolve).await.unwrap();
    let thanks = t.customer_writes("ada@example.com", "Thanks, bye!").await;
    assert_eq!((thanks.conversation_id, thanks.closing), (id, true));
    assert_eq!(t.conversation(id).await.status, Status::Resolved);
    let question = t.customer_writes("ada@example.com", "Thanks, but when does it arrive?").await;
    assert_eq!((question.conversation_id, t.conversation(id).await.status), (id, Status::Open));
    t.end().await;
}

#[tokio::test]
async fn one_mail_to_two_of_our_inboxes_is_one_entry_and_another_with_its_id_is_not_lost() {
    let t = TestDesk::new().await;
    let info = t.add_inbox(Channel::Email, "info@").await;
    let same = mail(&t, "ada@example.com", "Lamp", "It broke");
    let first = t.customer_sends(same.clone()).await;
    let send = async |message: &InboundMessage, id: &str| {
        let event = channel::fake::FakeEvent::new(id, "elsewhere", &InboundEvent::Message(message.clone()));
        let open = t.desk.directory.open(&t.desk, t.workspace, info).await.unwrap();
        let raw = vec![event.raw_event(t.desk.now())];
        let stored = desk::ingest::accept(&t.desk, t.workspace, &open, raw).await.unwrap()[0];
        t.run_jobs().await;
        let workspace = t.workspace;
        t.read(move |tx| store::provider_event::find(tx, workspace, stored.id)).await.unwrap()
    };
    let copy = send(&same, "c1").await;
    assert_eq!((copy.outcome, copy.reason.as_deref()), (Some(Outcome::Dropped), Some("copy")));
    assert_eq!(t.entry(first.id).await.body.also_sent_to, [info]);
    let again = send(&same, "c2").await;
    assert_eq!(again.reason.as_deref(), Some("T0-duplicate"), "a third copy changes nothing");
    // Anybody may repeat a Message-ID: other words are another mail.
    let other = InboundMessage { text: "Something else".into(), ..same.clone() };
    assert_eq!(send(&other, "c3").await.outcome, Some(Outcome::Entry));
    let stranger = InboundMessage { from: vec![claim("eve@example.com")], ..same };
    assert_eq!(send(&stranger, "c4").await.outcome, Some(Outcome::Entry));
    t.end().await;
}

#[tokio::test]
async fn an_agent_is_asked_when_several_fit_and_the_answer_moves_the_whole_conversation() {
    let t = TestDesk::new().await;
    let person = |t: &TestDesk, channel, text: &str| InboundMessage {
        from: vec![claim("ada@example.com"), claim("+4915112345678")],
        ..on(t, channel, "ada@example.com", text)
    };
    let chat = t.customer_sends(person(&t, Channel::Telegram, "first")).await;
    let second = t.customer_sends(person(&t, Channel::Whatsapp, "one more")).await;
    assert_eq!(chat.conversation_id, second.conversation_id, "another channel joins the only one");
    // A second matter, told apart by an agent.
    let split = desk::conversation::label::split(&t.desk, &t.owner, chat.conversation_id, vec![second.id], false).await.unwrap();
    let unclear = t.customer_sends(person(&t, Channel::Sms, "any news?")).await;
    let found = why::why(&t.desk, &t.owner, unclear.id).await.unwrap().unwrap();
    assert_eq!(found.rule, "T6-ambiguous");
    let mut offered = why::choices(&found);
    offered.sort();
    let mut wanted = vec![chat.conversation_id, split.conversation_id];
    wanted.sort();
    assert_eq!(offered, wanted);
    let foreign = why::choose(&t.desk, &t.owner, unclear.id, Choice::There(unclear.conversation_id)).await;
    assert_eq!(foreign, Err(ChoiceError::NotOffered));
    let to = why::choose(&t.desk, &t.owner, unclear.id, Choice::There(chat.conversation_id)).await.unwrap();
    assert_eq!((to, t.entry(unclear.id).await.conversation_id), (chat.conversation_id, chat.conversation_id));
    let twice = why::choose(&t.desk, &t.owner, unclear.id, Choice::New).await;
    assert_eq!(twice, Err(ChoiceError::Answered));
    let not_asked = why::choose(&t.desk, &t.owner, chat.id, Choice::New).await;
    assert_eq!(not_asked, Err(ChoiceError::NotAsked));
    t.end().await;
}

#[tokio::test]
async fn a_rehearsal_says_what_would_happen_and_writes_nothing() {
    let t = TestDesk::new().await;
    let known = t.customer_writes("ada@example.com", "It broke").await;
    let workspace = t.workspace;
    let figures = async || {
        t.read(move |tx| {
            let sql = "SELECT (SELECT count(*) FROM contact WHERE workspace_id = $1), (SELECT count(*) FROM contact_point WHERE workspace_id = $1), (SELECT count(*) FROM entry WHERE workspace_id = $1), (SELECT count(*) FROM event_log WHERE workspace_id = $1)";
            let row = tx.one(sql, store::values![workspace])?.expect("one row");
            Ok([row.int(0), row.int(1), row.int(2), row.int(3)])
        })
        .await
    };
    let before = figures().await;
    let now = t.desk.now();
    let rehearse = |message: InboundMessage| why::rehearse(&t.desk, &t.owner, t.inbox, message, now);
    let goes_on = rehearse(on(&t, Channel::Sms, "ada@example.com", "and?")).await.unwrap();
    assert_eq!((goes_on.contact, goes_on.placement.rule), (Some(known.contact_id), "T6-cross-channel"));
    assert_eq!(goes_on.placement.action.conversation(), Some(known.conversation_id));
    let nobody = rehearse(t.message("eve@example.com", "hello")).await.unwrap();
    assert_eq!((nobody.contact, nobody.placement.rule), (None, "T8-new"));
    assert_eq!(figures().await, before);
    let agent = t.add_agent("Ben", model::Role::Agent).await;
    assert!(why::rehearse(&t.desk, &agent, t.inbox, t.message("x", ""), now).await.is_err());
    // It said what then happens.
    let real = t.customer_sends(on(&t, Channel::Sms, "ada@example.com", "and?")).await;
    assert_eq!(real.conversation_id, known.conversation_id);
    t.end().await;
}

#[tokio::test]
async fn why_no_entry_came_of_an_event_is_kept_too() {
    let t = TestDesk::new().await;
    let machine = InboundMessage { automatic: channel::Automatic::Reply, ..mail(&t, "ada@example.com", "Away", "I am away") };
    let stored = t.receive(&InboundEvent::Message(machine)).await;
    t.run_jobs().await;
    assert_eq!(t.entry_of(stored).await, None);
    let found = why::why_not(&t.desk, &t.owner, stored.id).await.unwrap().unwrap();
    assert_eq!((found.rule.as_str(), &found.trace["identity"]["contact"]), ("T0-auto", &json!(null)));
    let workspace = t.workspace;
    assert_eq!(t.read(move |tx| Ok(store::contact::page(tx, workspace, (i64::MAX, i64::MAX), 9)?.len())).await, 0);
    t.end().await;
}

#[tokio::test]
async fn what_a_supplier_writes_is_not_for_the_customer_and_opens_the_conversation() {
    let t = TestDesk::new().await;
    let id = t.customer_writes("ada@example.com", "Where is my parcel?").await.conversation_id;
    let carrier = t.customer_sends(mail(&t, "carrier@example.org", "Hello", "We are the carrier")).await;
    let (workspace, contact, point) = (t.workspace, carrier.contact_id, carrier.contact_point_id.unwrap());
    let now = t.desk.now();
    t.desk
        .db
        .write(Route::Conversation(id), move |tx| {
            store::conversation::join(tx, workspace, id, contact, point, ParticipantRole::Outside, now)
        })
        .await
        .unwrap();
    let reply = desk::reply::send(&t.desk, &t.owner, id, t.reply("We ask the carrier")).await.unwrap();
    t.run_jobs().await;
    let pending = Patch { status: Some(Status::Pending), ..Default::default() };
    desk::conversation::change::change(&t.desk, &t.owner, id, pending).await.unwrap();
    let number = t.conversation(id).await.number;
    let answer = t
        .customer_sends(InboundMessage {
            conversation_numbers: vec![number.to_string()],
            ..mail(&t, "carrier@example.org", "Parcel", "It is in Leipzig")
        })
        .await;
    assert_eq!((answer.conversation_id, answer.audience), (id, Audience::Outside));
    let row = t.conversation(id).await;
    assert_eq!((row.status, row.waiting_since), (Status::Open, None), "open, but it is not the customer who waits");
    assert!(row.public_seq < answer.seq, "nothing new for the customer");
    assert!(reply.seq > 0);
    t.end().await;
}

#[tokio::test]
async fn two_people_who_share_a_number_and_are_called_differently_make_it_shared() {
    let t = TestDesk::new().await;
    let number = "+46701112233";
    let dora =
        ContactPointClaim::new(ContactPointKind::Account, "", "d-1", 3, ClaimSource::Signed).named(Some("Dora Lind".into()));
    let erik =
        ContactPointClaim::new(ContactPointKind::Account, "", "e-1", 3, ClaimSource::Signed).named(Some("Erik Lind".into()));
    let phone = |name: &str| claim(number).named(Some(name.to_owned()));
    let first = t.customer_sends(InboundMessage { from: vec![dora, phone("Dora Lind")], ..t.message("d", "I am Dora") }).await;
    let second = t.customer_sends(InboundMessage { from: vec![erik, phone("Erik Lind")], ..t.message("e", "I am Erik") }).await;
    assert_ne!(first.contact_id, second.contact_id, "two accounts are two people");
    let unknown = t.customer_sends(t.message(number, "it is me")).await;
    assert!(unknown.flags.contains(&"shared_contact_point".to_owned()), "{:?}", unknown.flags);
    let workspace = t.workspace;
    let suggested = t.read(move |tx| store::suggestion::of_contact(tx, workspace, unknown.contact_id)).await;
    assert_eq!(suggested.len(), 2, "{suggested:?}");
    t.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_first_messages_in_many_spellings_make_one_contact_and_one_conversation() {
    let t = TestDesk::new().await;
    desk::settings::rules::change(&t.desk, &t.owner, json!({"country": "AR"})).await.unwrap();
    let spellings =
        ["+54 9 11 2345 6789", "+541123456789", "0 11 15 2345 6789", "011 15-2345-6789", "00541123456789", "11 2345 6789"];
    for n in 0..50 {
        let spelt = spellings[n % spellings.len()];
        let from = vec![ContactPointClaim::new(ContactPointKind::Phone, "", spelt, 2, ClaimSource::Sender)];
        // Digits without a country are national on every channel but WhatsApp.
        let channel = if n % 3 == 0 && spelt.starts_with('+') { Channel::Whatsapp } else { Channel::Sms };
        let message =
            InboundMessage { from, external_conversation: format!("line {n}"), ..on(&t, channel, "x", &format!("{n}")) };
        t.receive(&InboundEvent::Message(message)).await;
    }
    t.run_for_real().await;
    let workspace = t.workspace;
    let contacts = t.read(move |tx| store::contact::page(tx, workspace, (i64::MAX, i64::MAX), 99)).await;
    assert_eq!(contacts.len(), 1);
    let id = contacts[0].id;
    let conversations = t.read(move |tx| store::conversation::of_live_contact(tx, workspace, id, 99)).await;
    assert_eq!(conversations.len(), 1);
    assert_eq!(t.texts(conversations[0].id).await.len(), 50);
    t.advance(HOUR).await;
    t.end().await;
}
