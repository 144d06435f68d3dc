//! Answers by mail: who gets them, what stands in them, and what comes back about them.
#![allow(clippy::unwrap_used, reason = "a story that meets something else than it tells has failed")]

use channel::{
    Automatic, ClaimSource, ContactPointClaim, InboundEvent, InboundMessage, MailFacts, MailReport, ReportKind, ReportedRecipient,
};
use desk::reply::{MailChoice, MailMode, NewReply, SendError, WayState, send};
use model::{
    Audience, BlockReason, Channel, ContactPointKind, DeliveryState, EntryKind, InboxId, MailAddress, OutboxId, ParticipantRole,
    Role,
};
use serde_json::{Value as Json, json};
use store::entry::Entry;
use store::{Conn, StoreError};
use testkit::desk::TestDesk;

pub const OWN: &str = "support@shop.test";

pub async fn mailbox(t: &TestDesk, address: &str) -> InboxId {
    let (workspace, now) = (t.workspace, t.desk.now());
    let settings = json!({"address": address, "aliases": ["help@shop.test"], "plus_addressing": true,
        "capabilities": channel::Capabilities { cc: true, file_bytes: true, ..channel::fake::FakeChannel::generous() }});
    let name = address.to_owned();
    let add = move |tx: &mut dyn Conn| {
        let new = store::inbox::NewInbox { channel: Channel::Email, name: &name, site: None, settings: &settings };
        store::inbox::add(tx, workspace, &new, now)
    };
    t.desk.db.write(store::Route::Any, add).await.unwrap()
}

pub fn person(address: &str, level: u8) -> ContactPointClaim {
    ContactPointClaim::new(ContactPointKind::Email, "", address, level, ClaimSource::Sender)
}

fn receiver(address: &str) -> ContactPointClaim {
    ContactPointClaim::new(ContactPointKind::Email, "", address, 0, ClaimSource::Receiver)
}

/// A mail as the parser would give it.
pub fn mail(t: &TestDesk, from: &str, subject: &str, text: &str) -> InboundMessage {
    let plain = t.message(from, text);
    let id = format!("{}@cust.test", plain.provider_id);
    let facts = MailFacts { message_id: Some(id.clone()), ..MailFacts::default() };
    InboundMessage {
        provider_id: id,
        from: vec![person(from, 2)],
        to: vec![receiver(OWN)],
        subject: Some(subject.to_owned()),
        mail: Some(Box::new(facts)),
        ..plain
    }
}

/// It arrives in an inbox, and what follows is done.
pub async fn arrives(t: &TestDesk, inbox: InboxId, message: InboundMessage) -> Option<Entry> {
    let event = channel::fake::FakeEvent::new(
        message.provider_id.clone(),
        message.external_conversation.clone(),
        &InboundEvent::Message(message),
    );
    let open = t.open(inbox).await;
    let stored = desk::ingest::accept(&t.desk, t.workspace, &open, vec![event.raw_event(t.desk.now())]).await.unwrap();
    t.run_jobs().await;
    t.entry_of(stored[0]).await
}

pub fn sent(t: &TestDesk) -> Vec<Json> {
    t.fake.taken().iter().map(|taken| serde_json::from_slice(&taken.request.body).unwrap()).collect()
}

fn addresses(list: &[&str]) -> Vec<MailAddress> {
    list.iter().map(|a| MailAddress { name: None, address: (*a).to_owned() }).collect()
}

fn choice(mode: MailMode) -> MailChoice {
    MailChoice { mode: Some(mode), ..MailChoice::default() }
}

#[tokio::test]
async fn an_answer_to_all_goes_to_whom_the_answered_mail_names_and_carries_our_ids() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let mut first = mail(&t, "ada@cust.test", "Charged twice", "hello");
    first.to = vec![receiver("Support@shop.test"), receiver("tom@cust.test")];
    first.cc = vec![receiver("help@shop.test"), receiver("eve@other.test"), receiver("ADA@cust.test")];
    first.mail.as_mut().unwrap().references = vec!["root@cust.test".into()];
    let asked = arrives(&t, inbox, first).await.unwrap();
    let plan =
        desk::reply::plan(&t.desk, &t.owner, asked.conversation_id, None, None, MailChoice::default()).await.unwrap().unwrap().1;
    assert_eq!((plan.mode, plan.had_others, plan.answers), (MailMode::ReplyAll, true, Some(asked.id)));
    assert_eq!(
        (plan.to.clone(), plan.cc.clone()),
        (addresses(&["ada@cust.test"]), addresses(&["tom@cust.test", "eve@other.test"]))
    );
    assert_eq!(plan.new, ["tom@cust.test", "eve@other.test"]);
    let reply = NewReply { html: Some("<p>Done<script>x</script></p>".into()), ..t.reply("Done") };
    let answer = send(&t.desk, &t.owner, asked.conversation_id, reply).await.unwrap();
    t.run_jobs().await;
    let out = sent(&t).remove(0);
    assert_eq!((&out["to"], &out["cc"]), (&json!("ada@cust.test"), &json!(["tom@cust.test", "eve@other.test"])));
    assert_eq!((&out["subject"], &out["html"]), (&json!("Re: Charged twice"), &json!("<p>Done</p>")));
    let asked_id = asked.body.mail.unwrap().message_id.unwrap();
    assert_eq!(out["references"], json!(["root@cust.test", asked_id]));
    assert_eq!((&out["in_reply_to"], &out["quotes"]), (&json!(asked_id), &json!(["hello"])));
    let keys = &t.desk.keys;
    let row: OutboxId = {
        let (workspace, id) = (t.workspace, answer.id);
        t.read(move |tx| Ok(store::outbox::of_entry(tx, workspace, id)?[0].id)).await
    };
    let own_id = out["message_id"].as_str().unwrap();
    assert_eq!(desk::placement::token::read_message_id(keys, t.workspace, own_id), Some(row));
    let reply_address = out["reply_address"].as_str().unwrap();
    let token = reply_address.strip_prefix("support+").unwrap().strip_suffix("@shop.test").unwrap();
    assert_eq!(desk::placement::token::read_reply_token(keys, t.workspace, token), Some(asked.conversation_id));
    // Everybody in it takes part from now on.
    let (workspace, id) = (t.workspace, asked.conversation_id);
    let roles: Vec<ParticipantRole> =
        t.read(move |tx| Ok(store::conversation::participants(tx, workspace, id)?.iter().map(|p| p.role).collect())).await;
    assert_eq!(roles, [ParticipantRole::Customer, ParticipantRole::Copied, ParticipantRole::Copied]);
    t.end().await;
}

/// channels.md 16, case 17.
#[tokio::test]
async fn case_17_an_answer_goes_to_the_sender_of_the_answered_entry_not_to_the_last_one() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let asked = arrives(&t, inbox, mail(&t, "ada@cust.test", "Hi", "mine")).await.unwrap();
    let id = asked.conversation_id;
    let answer = send(&t.desk, &t.owner, id, t.reply("first")).await.unwrap();
    t.run_jobs().await;
    let (workspace, answered) = (t.workspace, answer.id);
    let key = t.read(move |tx| Ok(store::outbox::of_entry(tx, workspace, answered)?[0].id)).await;
    let ours = format!("{}@shop.test", desk::placement::token::message_id_local(&t.desk.keys, t.workspace, key));
    let provider = t.fake.taken()[0].provider_id.clone();
    let mut other = mail(&t, "tom@cust.test", "Re: Hi", "I have it from Ada");
    other.reply_to = vec![ours, provider];
    let joined = arrives(&t, inbox, other).await.unwrap();
    assert_eq!(joined.conversation_id, id);
    let reply = NewReply { mail: MailChoice { answers: Some(asked.id), ..choice(MailMode::Reply) }, ..t.reply("to Ada") };
    send(&t.desk, &t.owner, id, reply).await.unwrap();
    t.run_jobs().await;
    let out = sent(&t).remove(1);
    assert_eq!((&out["to"], &out["cc"], &out["quotes"]), (&json!("ada@cust.test"), &json!([]), &json!(["mine"])));
    let strange = MailChoice { answers: Some(model::EntryId(1)), ..MailChoice::default() };
    let refused = send(&t.desk, &t.owner, id, NewReply { mail: strange, ..t.reply("x") }).await;
    assert!(matches!(refused, Err(SendError::Invalid { field: "mail.answers", .. })), "{refused:?}");
    t.end().await;
}

#[tokio::test]
async fn answers_go_elsewhere_only_when_a_proven_sender_asks_for_it() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    for (level, to, asked_for) in [(2, "answers@cust.test", true), (1, "ada1@cust.test", false)] {
        let from = format!("ada{level}@cust.test");
        let mut message = mail(&t, &from, "Hi", "hello");
        message.from = vec![person(&from, level)];
        message.mail.as_mut().unwrap().reply_to = vec![receiver("answers@cust.test")];
        let asked = arrives(&t, inbox, message).await.unwrap();
        let id = asked.conversation_id;
        let plan = desk::reply::plan(&t.desk, &t.owner, id, None, None, MailChoice::default()).await.unwrap().unwrap().1;
        assert_eq!((plan.to, plan.from_reply_to), (addresses(&[to]), asked_for));
    }
    t.end().await;
}

#[tokio::test]
async fn what_is_passed_on_stays_between_us_and_the_third_party() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let asked = arrives(&t, inbox, mail(&t, "ada@cust.test", "Broken", "it smokes")).await.unwrap();
    let id = asked.conversation_id;
    let nobody = send(&t.desk, &t.owner, id, NewReply { mail: choice(MailMode::Forward), ..t.reply("FYI") }).await;
    assert!(matches!(nobody, Err(SendError::Invalid { field: "mail.to", .. })));
    let forward = MailChoice { to: Some(addresses(&["maker@supplier.test"])), ..choice(MailMode::Forward) };
    let passed = send(&t.desk, &t.owner, id, NewReply { mail: forward, ..t.reply("FYI") }).await.unwrap();
    t.run_jobs().await;
    assert_eq!(passed.audience, Audience::Outside);
    assert!(!desk::view::visitor::shows(&t.entry(passed.id).await));
    let out = sent(&t).remove(0);
    assert_eq!((&out["to"], &out["subject"]), (&json!("maker@supplier.test"), &json!("Fwd: Broken")));
    assert_eq!((&out["quotes"], &out["references"]), (&json!(["it smokes"]), &json!([])));
    // The customer still waits, nobody has taken the conversation, and nothing of it is repeated to the customer.
    let row = t.conversation(id).await;
    assert_eq!((row.waiting_since, row.agent_id), (Some(asked.at), None));
    let to_the_customer =
        MailChoice { answers: Some(passed.id), to: Some(addresses(&["ada@cust.test"])), ..choice(MailMode::Reply) };
    send(&t.desk, &t.owner, id, NewReply { mail: to_the_customer, ..t.reply("hello Ada") }).await.unwrap();
    t.run_jobs().await;
    assert_eq!(sent(&t)[1]["quotes"], json!([]));
    t.end().await;
}

#[tokio::test]
async fn the_closest_signature_stands_below_with_its_variables_filled() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let (workspace, agent) = (t.workspace, t.owner.agent);
    let put = move |tx: &mut dyn Conn| -> Result<(), StoreError> {
        store::signature::put(tx, workspace, None, None, "of the house", None)?;
        let own = "{{agent.first_name}} of {{workspace.name}}, for {{contact.name}}{{nothing}}";
        store::signature::put(tx, workspace, Some(inbox), Some(agent), own, Some("<b>{{agent.name}}</b><script>x</script>"))
    };
    t.desk.db.write(store::Route::Any, put).await.unwrap();
    let mut message = mail(&t, "ada@cust.test", "Hi", "hello");
    message.from[0].name = Some("Ada Novak".into());
    let id = arrives(&t, inbox, message).await.unwrap().conversation_id;
    let entry = send(&t.desk, &t.owner, id, t.reply("one")).await.unwrap();
    let signature = entry.body.mail.unwrap().signature.unwrap();
    assert_eq!(signature.text, "Lea of Acme, for Ada Novak");
    assert_eq!(signature.html.as_deref(), Some("<b>Lea Winter</b>"));
    let without = MailChoice { signature: Some(false), ..MailChoice::default() };
    let entry = send(&t.desk, &t.owner, id, NewReply { mail: without, ..t.reply("two") }).await.unwrap();
    assert_eq!(entry.body.mail.unwrap().signature, None);
    let other = t.add_agent("Max", Role::Agent).await;
    let entry = send(&t.desk, &other, id, t.reply("three")).await.unwrap();
    assert_eq!(entry.body.mail.unwrap().signature.unwrap().text, "of the house");
    t.run_jobs().await;
    let out = sent(&t);
    assert_eq!((&out[0]["signature"], &out[1]["signature"]), (&json!("Lea of Acme, for Ada Novak"), &Json::Null));
    t.end().await;
}

fn report(id: String, address: &str, state: DeliveryState, status: &str) -> InboundMessage {
    let recipient = ReportedRecipient {
        address: address.into(),
        state,
        status: Some(status.into()),
        text: Some("no such person here".into()),
    };
    let report =
        MailReport { kind: ReportKind::Delivery, original_id: Some(id), recipients: vec![recipient], ..MailReport::default() };
    let facts = MailFacts { report: Some(report), ..MailFacts::default() };
    InboundMessage {
        provider_id: format!("report-{address}-{status}-{}", state.word()),
        external_conversation: "mailer-daemon@relay.test".into(),
        from: vec![person("mailer-daemon@relay.test", 1)],
        automatic: Automatic::Bounce,
        mail: Some(Box::new(facts)),
        ..InboundMessage::default()
    }
}

#[tokio::test]
async fn a_bounce_ends_at_the_entry_that_bounced_and_at_the_address() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let asked = arrives(&t, inbox, mail(&t, "ada@cust.test", "Hi", "hello")).await.unwrap();
    let id = asked.conversation_id;
    let with_copy = MailChoice { cc: Some(addresses(&["tom@cust.test"])), ..choice(MailMode::Reply) };
    let entry = send(&t.desk, &t.owner, id, NewReply { mail: with_copy, ..t.reply("one") }).await.unwrap();
    t.run_jobs().await;
    let message_id = sent(&t)[0]["message_id"].as_str().unwrap().to_owned();
    let before = t.conversation(id).await;

    // A made-up id, an address that we did not write to: nothing happens.
    for forged in [
        report("m.0000000000001.0000000000000000@shop.test".into(), "ada@cust.test", DeliveryState::Failed, "5.1.1"),
        report(message_id.clone(), "somebody@else.test", DeliveryState::Failed, "5.1.1"),
    ] {
        assert_eq!(arrives(&t, inbox, forged).await, None);
        assert_eq!(t.entry(entry.id).await.delivery, Some(DeliveryState::Accepted));
    }
    // Late: told, and nothing else.
    arrives(&t, inbox, report(message_id.clone(), "ada@cust.test", DeliveryState::Queued, "4.4.1")).await;
    assert_eq!(t.entry(entry.id).await.delivery, Some(DeliveryState::Accepted));
    // The copy: told, the answer itself stands.
    arrives(&t, inbox, report(message_id.clone(), "tom@cust.test", DeliveryState::Failed, "5.1.1")).await;
    assert_eq!(t.entry(entry.id).await.delivery, Some(DeliveryState::Accepted));
    // The customer's address, under the domain of a relay, in another case.
    let (local, _) = message_id.split_once('@').unwrap();
    arrives(&t, inbox, report(format!("<{local}@relay.test>"), "ADA@cust.test", DeliveryState::Failed, "5.1.1")).await;
    let failed = t.entry(entry.id).await;
    assert_eq!(failed.delivery, Some(DeliveryState::Failed));
    assert!(failed.delivery_reason.as_deref().is_some_and(|r| r.contains("no such person here")), "{:?}", failed.delivery_reason);

    let after = t.conversation(id).await;
    assert_eq!(
        (after.status, after.waiting_since, after.unread_count),
        (before.status, before.waiting_since, before.unread_count)
    );
    let workspace = t.workspace;
    let events: Vec<String> = t
        .read(move |tx| {
            let all = store::entry::conversation_before(tx, workspace, id, (i64::MAX, i64::MAX), 100)?;
            Ok(all.into_iter().filter_map(|e| e.body.event).map(|e| e.code).collect())
        })
        .await;
    assert!(events.contains(&"delivery_delayed".to_owned()) && events.contains(&"copy_bounced".to_owned()), "{events:?}");
    let ways = desk::reply::options(&t.desk, &t.owner, id).await.unwrap().unwrap();
    let way = ways.iter().find(|w| w.inbox_id == inbox && w.address == "ada@cust.test").unwrap();
    assert_eq!((way.state, way.reason), (WayState::Blocked, Some(BlockReason::Bounced)));
    let refused = send(&t.desk, &t.owner, id, NewReply { inbox_id: Some(inbox), ..t.reply("two") }).await;
    assert_eq!(refused, Err(SendError::Blocked { reason: BlockReason::Bounced }));
    t.end().await;
}

#[tokio::test]
async fn a_full_mailbox_and_a_policy_do_not_make_an_address_bad() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let id = arrives(&t, inbox, mail(&t, "ada@cust.test", "Hi", "hello")).await.unwrap().conversation_id;
    for (n, status) in ["5.2.2", "5.7.1"].iter().enumerate() {
        let entry = send(&t.desk, &t.owner, id, t.reply("x")).await.unwrap();
        t.run_jobs().await;
        let message_id = sent(&t)[n]["message_id"].as_str().unwrap().to_owned();
        arrives(&t, inbox, report(message_id, "ada@cust.test", DeliveryState::Failed, status)).await;
        assert_eq!(t.entry(entry.id).await.delivery, Some(DeliveryState::Failed));
    }
    let ways = desk::reply::options(&t.desk, &t.owner, id).await.unwrap().unwrap();
    assert!(ways.iter().any(|w| w.inbox_id == inbox && w.state == WayState::Ok), "{ways:?}");
    t.end().await;
}

#[tokio::test]
async fn who_may_not_see_a_conversation_may_not_answer_it_and_a_closed_inbox_says_so() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let second = mailbox(&t, "billing@shop.test").await;
    let id = arrives(&t, inbox, mail(&t, "ada@cust.test", "Hi", "hello")).await.unwrap().conversation_id;
    let max = t.add_agent("Max", Role::Agent).await;
    let (workspace, owner) = (t.workspace, t.owner.agent);
    let close = move |inbox| {
        move |tx: &mut dyn Conn| -> Result<(), StoreError> {
            store::inbox::set_agents(tx, workspace, inbox, &[owner]).map(|_| ())
        }
    };
    t.desk.db.write(store::Route::Any, close(second)).await.unwrap();
    let ways = desk::reply::options(&t.desk, &max, id).await.unwrap().unwrap();
    let through = |inbox| ways.iter().find(|w| w.inbox_id == inbox).map(|w| (w.state, w.reason));
    assert_eq!(through(inbox), Some((WayState::Ok, None)));
    assert_eq!(through(second), Some((WayState::Blocked, Some(BlockReason::AgentNotAllowed))));
    let refused = send(&t.desk, &max, id, NewReply { inbox_id: Some(second), ..t.reply("x") }).await;
    assert_eq!(refused, Err(SendError::Blocked { reason: BlockReason::AgentNotAllowed }));
    t.desk.db.write(store::Route::Any, close(inbox)).await.unwrap();
    assert_eq!(desk::reply::options(&t.desk, &max, id).await.unwrap(), None);
    assert_eq!(send(&t.desk, &max, id, t.reply("x")).await, Err(SendError::NotFound));
    assert!(send(&t.desk, &t.owner, id, t.reply("x")).await.is_ok());
    t.run_jobs().await;
    t.end().await;
}

#[tokio::test]
async fn a_file_goes_along_with_its_bytes_and_a_lost_one_stops_the_mail() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let id = arrives(&t, inbox, mail(&t, "ada@cust.test", "Hi", "hello")).await.unwrap().conversation_id;
    let (workspace, now) = (t.workspace, t.desk.now());
    let put = t.desk.blobs.put_bytes(workspace, b"0123456789").await.unwrap();
    let uploader = model::Actor::Agent(t.owner.agent).to_string();
    let add = move |tx: &mut dyn Conn| -> Result<model::AttachmentId, StoreError> {
        let blob = store::attachment::put_blob(tx, workspace, &put.sha256, 10, "image/png", now)?;
        let row = store::attachment::Attachment {
            id: model::AttachmentId(tx.id()),
            entry_id: None,
            conversation_id: None,
            uploader: uploader.clone(),
            blob_id: blob,
            sha256: put.sha256.clone(),
            name: "x.png".into(),
            mime: "image/png".into(),
            bytes: 10,
        };
        store::attachment::insert(tx, workspace, &row, now)?;
        Ok(row.id)
    };
    let file = t.desk.db.write(store::Route::Any, add).await.unwrap();
    let entry = send(&t.desk, &t.owner, id, NewReply { attachment_ids: vec![file], ..t.reply("see file") }).await.unwrap();
    t.run_jobs().await;
    assert_eq!((t.entry(entry.id).await.delivery, &sent(&t)[0]["contents"]), (Some(DeliveryState::Accepted), &json!([10])));
    assert_eq!(entry.kind, EntryKind::Message);
    t.end().await;
}
