//! Inboxes that are asked by us: exactly once over cuts and renumbering, the ledger, history, sign-in states.

use channel::fake::{FakeAnswer, FakeEvent, FaultPlan};
use channel::{InboundEvent, InboundMessage};
use desk::mailbox::fetch::{self, FetchEnd};
use desk::mailbox::ledger::{self, Figures};
use desk::mailbox::{self, history, sign_in};
use model::{ImportState, InboxState, PullHealth, Status, TroubleKind};
use store::pull;
use testkit::desk::{TestDesk, claim};

fn mail(n: usize, from: &str) -> InboundMessage {
    InboundMessage {
        provider_id: format!("mail-{n}@x.test"),
        external_conversation: from.to_owned(),
        from: vec![claim(from)],
        text: format!("mail {n}"),
        sent_at: Some(model::Timestamp(1_700_000_000_000 + n as i64)),
        ..InboundMessage::default()
    }
}

fn put(t: &TestDesk, mails: impl IntoIterator<Item = InboundMessage>) {
    let event =
        |m: InboundMessage| FakeEvent::new(m.provider_id.clone(), m.external_conversation.clone(), &InboundEvent::Message(m));
    t.fake.put_pulled(mails.into_iter().map(event));
}

async fn run(t: &TestDesk) -> FetchEnd {
    fetch::once(&t.desk, t.workspace, t.inbox).await.expect("the store works")
}

async fn state(t: &TestDesk) -> pull::PullState {
    let (workspace, inbox) = (t.workspace, t.inbox);
    t.read(move |tx| pull::find(tx, workspace, inbox)).await.expect("it was asked")
}

async fn count(t: &TestDesk) -> Figures {
    let folders = ledger::count(&t.desk, t.workspace, t.inbox).await.expect("it can be counted").expect("it was asked");
    assert_eq!(folders.len(), 1);
    folders[0].clone()
}

async fn entries(t: &TestDesk) -> i64 {
    let workspace = t.workspace;
    t.read(move |tx| {
        let rows =
            tx.rows("SELECT count(*) FROM entry WHERE workspace_id = $1 AND kind = 'message'", store::values![workspace])?;
        Ok(rows[0].int(0))
    })
    .await
}

fn lost_every(nth: u64) -> Option<FaultPlan> {
    Some(FaultPlan { nth, count: 1, answer: FakeAnswer::Uncertain })
}

#[tokio::test]
async fn mail_comes_in_exactly_once_over_many_cuts() {
    let t = TestDesk::new().await;
    assert_eq!(run(&t).await, FetchEnd::Again { heard: true, wait_ms: 0 });
    put(&t, (0..50).map(|n| mail(n, &format!("c{}@x.test", n % 7))));
    let mut cuts = 0;
    loop {
        t.fake.set_fault(lost_every(4));
        match state(&t).await.cursor.as_str() {
            "50" => break,
            _ => cuts += 1,
        }
        run(&t).await;
    }
    t.fake.set_fault(None);
    assert!(cuts > 10, "only {cuts} cuts");
    run(&t).await;
    t.run_jobs().await;
    let figures = count(&t).await;
    assert_eq!((figures.on_server, figures.here, figures.waiting, figures.missing), (50, 50, 0, 0));
    assert_eq!(entries(&t).await, 50);
    t.end().await;
}

#[tokio::test]
async fn a_renumbered_folder_brings_nothing_twice() {
    let t = TestDesk::new().await;
    run(&t).await;
    put(&t, (0..10).map(|n| mail(n, "ada@x.test")));
    run(&t).await;
    t.run_jobs().await;
    t.fake.renumber("/2");
    put(&t, [mail(10, "ada@x.test")]);
    run(&t).await;
    t.run_jobs().await;
    let figures = count(&t).await;
    assert_eq!((figures.on_server, figures.here, figures.missing, figures.gone), (11, 11, 0, 0));
    assert_eq!(entries(&t).await, 11);
    let (workspace, inbox) = (t.workspace, t.inbox);
    let troubles = t.read(move |tx| pull::troubles(tx, workspace, inbox, 10)).await;
    assert!(troubles.iter().any(|trouble| trouble.kind == TroubleKind::Renumbered), "{troubles:?}");
    t.end().await;
}

#[tokio::test]
async fn the_ledger_names_what_is_missing_and_one_key_fetches_it() {
    let t = TestDesk::new().await;
    run(&t).await;
    put(&t, (0..5).map(|n| mail(n, "ada@x.test")));
    let (workspace, inbox) = (t.workspace, t.inbox);
    // A fetcher with a bug moved on without storing two mails.
    let wrong = t.desk.db.write(store::Route::Any, move |tx| pull::set_cursor(tx, workspace, inbox, "2"));
    wrong.await.unwrap();
    run(&t).await;
    t.run_jobs().await;
    let figures = count(&t).await;
    assert_eq!((figures.on_server, figures.here, figures.missing), (5, 3, 2));
    assert_eq!(figures.missing_items[0].key, "mail-0@x.test");
    let shown = ledger::show(&t.desk, &t.owner, t.inbox).await.unwrap();
    assert!(!shown.state.balanced);
    ledger::ask(&t.desk, &t.owner, t.inbox, true).await.unwrap();
    t.run_jobs().await;
    let figures = count(&t).await;
    assert_eq!((figures.here, figures.missing, entries(&t).await), (5, 0, 5));
    let shown = ledger::show(&t.desk, &t.owner, t.inbox).await.unwrap();
    assert!(shown.state.balanced);
    let kinds: Vec<TroubleKind> = shown.troubles.iter().map(|trouble| trouble.kind).collect();
    assert!(kinds.contains(&TroubleKind::Missing) && kinds.contains(&TroubleKind::Refetched), "{kinds:?}");
    t.end().await;
}

#[tokio::test]
async fn what_could_not_be_read_and_what_a_rule_kept_out_is_counted_by_name() {
    let t = TestDesk::new().await;
    run(&t).await;
    let machine = InboundMessage { automatic: channel::Automatic::Reply, ..mail(1, "robot@x.test") };
    put(&t, [mail(0, "ada@x.test"), machine]);
    t.fake.put_pulled([FakeEvent::raw("poison", "x", serde_json::json!({ "kind": "panic" }))]);
    put(&t, [mail(2, "ben@x.test")]);
    run(&t).await;
    t.run_jobs().await;
    let figures = count(&t).await;
    assert_eq!((figures.on_server, figures.here, figures.quarantined, figures.missing), (4, 2, 1, 0));
    assert_eq!(figures.ignored.get("T0-auto"), Some(&1));
    t.end().await;
}

#[tokio::test]
async fn a_network_error_goes_on_for_ever_and_is_told_after_ten_minutes() {
    let t = TestDesk::new().await;
    run(&t).await;
    let cut = Some(FaultPlan { nth: 1, count: 1_000, answer: FakeAnswer::Uncertain });
    t.fake.set_fault(cut);
    for minute in 0..15 {
        assert_eq!(run(&t).await, FetchEnd::Again { heard: false, wait_ms: 0 });
        let now = state(&t).await;
        assert_eq!((now.state, now.announced), (PullHealth::Trouble, minute >= 10), "minute {minute}");
        t.clock.advance_ms(60_000);
    }
    assert_eq!(t.open(t.inbox).await.inbox.state, InboxState::Ok, "never switched off by itself");
    t.fake.set_fault(None);
    run(&t).await;
    let now = state(&t).await;
    assert_eq!((now.state, now.trouble_since, now.announced), (PullHealth::Ok, None, false));
    let (workspace, inbox) = (t.workspace, t.inbox);
    let troubles = t.read(move |tx| pull::troubles(tx, workspace, inbox, 10)).await;
    assert_eq!((troubles.len(), troubles[0].kind), (1, TroubleKind::NoConnection));
    assert_eq!(troubles[0].ended_at.unwrap().since(troubles[0].began_at), 15 * 60_000);
    t.end().await;
}

#[tokio::test]
async fn only_repeated_refusals_need_a_sign_in_and_a_new_password_heals() {
    let t = TestDesk::new().await;
    run(&t).await;
    t.fake.set_fault(Some(FaultPlan { nth: 1, count: 1, answer: FakeAnswer::SignInAgain }));
    assert_eq!(run(&t).await, FetchEnd::Again { heard: false, wait_ms: 30_000 });
    t.fake.set_fault(None);
    run(&t).await;
    assert_eq!(state(&t).await.refused_count, 0, "one refusal is an accident");
    t.fake.set_fault(Some(FaultPlan { nth: 1, count: 100, answer: FakeAnswer::SignInAgain }));
    run(&t).await;
    run(&t).await;
    assert_eq!(run(&t).await, FetchEnd::Stop);
    assert_eq!(t.open(t.inbox).await.inbox.state, InboxState::NeedsSignIn);
    assert!(mailbox::wanted(&t.desk).await.unwrap().iter().all(|wanted| wanted.inbox != t.inbox));
    let secrets = vec![("password".to_owned(), channel::SecretText::new("right"))];
    sign_in::set_secrets(&t.desk, &t.owner, t.inbox, secrets).await.unwrap();
    t.fake.set_fault(None);
    assert_eq!(t.open(t.inbox).await.inbox.state, InboxState::Ok);
    assert!(mailbox::wanted(&t.desk).await.unwrap().iter().any(|wanted| wanted.inbox == t.inbox));
    run(&t).await;
    assert_eq!(state(&t).await.state, PullHealth::Ok);
    t.end().await;
}

#[tokio::test]
async fn a_rotated_secret_is_swapped_once_and_never_lost() {
    let t = TestDesk::new().await;
    let text = channel::SecretText::new;
    sign_in::set_secrets(&t.desk, &t.owner, t.inbox, vec![("token".to_owned(), text("one"))]).await.unwrap();
    let open = t.open(t.inbox).await;
    open.settings.secrets.replace("token", &text("one"), text("two")).await.unwrap();
    assert_eq!(open.settings.secrets.get("token"), Some(text("two")));
    let again = open.settings.secrets.replace("token", &text("one"), text("three")).await;
    assert_eq!(again, Err(channel::SecretError::Changed));
    t.desk.directory.forget();
    assert_eq!(t.open(t.inbox).await.settings.secrets.get("token"), Some(text("two")));
    t.end().await;
}

#[tokio::test]
async fn history_comes_in_without_clocks_and_goes_on_after_a_cut() {
    let t = TestDesk::new().await;
    put(&t, (0..120).map(|n| mail(n, &format!("c{}@x.test", n % 5))));
    t.fake.set_before_start(120);
    run(&t).await;
    assert_eq!(entries(&t).await, 0, "new mail only");
    let figures = count(&t).await;
    assert_eq!(figures.ignored.get(ledger::BEFORE_START), Some(&120));
    history::start(&t.desk, &t.owner, t.inbox, None).await.unwrap();
    t.fake.set_fault(Some(FaultPlan { nth: 40, count: 1, answer: FakeAnswer::Uncertain }));
    t.run_jobs().await;
    let (workspace, inbox) = (t.workspace, t.inbox);
    let import = t.read(move |tx| pull::find_import(tx, workspace, inbox)).await.unwrap();
    assert_eq!((import.state, import.total), (ImportState::Running, 120));
    t.fake.set_fault(None);
    t.advance(60_000).await;
    t.run_jobs().await;
    let import = t.read(move |tx| pull::find_import(tx, workspace, inbox)).await.unwrap();
    assert_eq!((import.state, import.total, import.done), (ImportState::Done, 120, 120));
    assert_eq!(entries(&t).await, 120);
    let figures = count(&t).await;
    assert_eq!((figures.here, figures.missing, figures.ignored.len()), (120, 0, 0));
    let all = t
        .read(move |tx| {
            let sql = "SELECT status, imported, waiting_since, unread_count FROM conversation WHERE workspace_id = $1";
            let rows = tx.rows(sql, store::values![workspace])?;
            Ok(rows.iter().map(|row| (row.text(0), row.bool(1), row.opt_int(2), row.int(3))).collect::<Vec<_>>())
        })
        .await;
    let over = ("resolved".to_owned(), true, None, 0);
    assert!(all.iter().all(|one| *one == over), "history is resolved and nobody waits: {all:?}");
    // New mail of one of them is new work.
    put(&t, [InboundMessage { sent_at: None, ..mail(200, "c1@x.test") }]);
    run(&t).await;
    t.run_jobs().await;
    let live = t
        .read(move |tx| {
            let sql = "SELECT status FROM conversation WHERE workspace_id = $1 AND waiting_since IS NOT NULL";
            Ok(tx.rows(sql, store::values![workspace])?.iter().map(|row| row.text(0)).collect::<Vec<_>>())
        })
        .await;
    assert_eq!(live, [Status::Open.word()]);
    t.end().await;
}

#[tokio::test]
async fn spam_of_the_provider_is_kept_as_spam() {
    let t = TestDesk::new().await;
    run(&t).await;
    put(&t, [InboundMessage { junk: true, ..mail(0, "shady@x.test") }, mail(1, "ada@x.test")]);
    run(&t).await;
    t.run_jobs().await;
    let workspace = t.workspace;
    let spam = t
        .read(move |tx| {
            let rows = tx.rows(
                "SELECT spam, waiting_since FROM conversation WHERE workspace_id = $1 ORDER BY number",
                store::values![workspace],
            )?;
            Ok(rows.iter().map(|row| (row.bool(0), row.opt_int(1).is_some())).collect::<Vec<_>>())
        })
        .await;
    // Lanes run side by side: whichever came first.
    assert!(spam.contains(&(true, false)) && spam.contains(&(false, true)) && spam.len() == 2, "{spam:?}");
    t.end().await;
}

#[tokio::test]
async fn mail_of_a_machine_can_be_let_in_once_or_for_good() {
    let t = TestDesk::new().await;
    run(&t).await;
    let machine = |n| InboundMessage {
        automatic: channel::Automatic::Reply,
        subject: Some("Order 7".to_owned()),
        ..mail(n, "shop@forms.test")
    };
    put(&t, [machine(0), machine(1)]);
    run(&t).await;
    t.run_jobs().await;
    assert_eq!(entries(&t).await, 0);
    let workspace = t.workspace;
    let list = t.read(move |tx| store::provider_event::automatic(tx, workspace, (i64::MAX, i64::MAX), 10)).await;
    assert_eq!(list.len(), 2);
    let summary = desk::journeys::quarantine::Summary::of(&list[0]).unwrap();
    assert_eq!((summary.from.as_deref(), summary.subject.as_deref()), (Some("shop@forms.test"), Some("Order 7")));
    assert!(desk::journeys::quarantine::let_in(&t.desk, &t.owner, list[0].id, true).await.unwrap());
    t.run_jobs().await;
    assert_eq!(entries(&t).await, 1);
    put(&t, [machine(2)]);
    run(&t).await;
    t.run_jobs().await;
    assert_eq!(entries(&t).await, 2, "from now on they come in by themselves");
    t.end().await;
}
