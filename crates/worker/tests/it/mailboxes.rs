//! A mailbox over real Postfix and Dovecot, from connecting it over HTTP to conversations: the check, new mail, mail that was
//! answered in a mail program, spam of the provider, what was there before, and mail handed over by LMTP.
#![allow(clippy::disallowed_methods, reason = "real mail servers live in real time")]

use model::{Channel, InboxId, Timestamp, WorkspaceId};
use serde_json::{Value as Json, json};
use std::time::Duration;
use store::{Conn, StoreError, provider_event, values};
use testkit::app::{Client, TestApp};
use testkit::mailbed::{BedOptions, MailBed, PASSWORD, missing};
use worker::Supervisor;
use worker::mailboxes::{self, MailboxTimes};

const ADDRESS: &str = "support@shop.test";

pub(crate) fn bed(options: &BedOptions) -> Option<MailBed> {
    if let Err(why) = missing() {
        println!("skipped: {why}");
        return None;
    }
    Some(MailBed::start_with(options).unwrap())
}

pub(crate) fn mail(from: &str, to: &str, id: &str, more: &str, text: &str) -> String {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: About {id}\r\nMessage-ID: <{id}@cust.test>\r\nDate: Thu, 01 Oct 2026 08:00:00 +0000\r\n{more}\r\n{text}\r\n"
    )
}

pub(crate) struct Office {
    pub(crate) app: TestApp,
    pub(crate) client: Client,
    supervisor: Supervisor,
}

impl Office {
    pub(crate) async fn new() -> Self {
        let app = TestApp::with_mail().await;
        let client = app.owner_client().await;
        Self { app, client, supervisor: Supervisor::new() }
    }

    /// Makes an inbox over HTTP and gives it its password.
    pub(crate) async fn connect(&self, settings: Json) -> InboxId {
        let made =
            self.client.post("/api/v1/inboxes", json!({ "channel": "email", "name": "Support", "email": settings })).await.ok();
        assert_eq!(made["enabled"], false, "nothing is taken in before set-up is finished");
        let id = made["id"].as_str().unwrap().to_owned();
        self.client.put(&format!("/api/v1/inboxes/{id}/secrets"), json!({ "secrets": { "password": PASSWORD } })).await.ok();
        let shown = self.client.get("/api/v1/inboxes").await.text();
        assert!(!shown.contains(PASSWORD), "a secret is never shown");
        InboxId::parse(&id).unwrap()
    }

    pub(crate) async fn enable(&self, inbox: InboxId) {
        self.client.patch(&format!("/api/v1/inboxes/{inbox}"), json!({ "enabled": true })).await.ok();
    }

    /// Starts the fetchers.
    pub(crate) fn fetch(&self) {
        let times = MailboxTimes { wait_min: Duration::from_millis(50), ..MailboxTimes::default() };
        let (desk, supervisor, stop) = (self.app.desk.desk.clone(), self.supervisor.clone(), self.supervisor.stop_signal());
        self.supervisor.spawn("mailboxes", mailboxes::run(desk, supervisor, times, stop));
    }

    /// Does jobs until something holds.
    pub(crate) async fn until(&self, what: &str, mut good: impl AsyncFnMut() -> bool) {
        for _ in 0..1_200 {
            self.app.run_jobs().await;
            if good().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{what} did not come about");
    }

    async fn ledger(&self, inbox: InboxId) -> Json {
        self.client.get(&format!("/api/v1/inboxes/{inbox}/ledger")).await.ok()
    }

    pub(crate) async fn connected(&self, inbox: InboxId) {
        self.until("the connection", async || self.ledger(inbox).await["state"] == "ok").await;
    }

    /// How many mails of an inbox have their end.
    pub(crate) async fn read(&self, inbox: InboxId) -> i64 {
        let workspace = self.app.workspace;
        self.app.read(move |tx| ended(tx, workspace, inbox)).await
    }

    pub(crate) async fn end(self) {
        assert!(self.supervisor.stop(Duration::from_secs(20)).await.is_empty());
        self.app.end().await;
    }
}

fn ended(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId) -> Result<i64, StoreError> {
    const COUNT: &str =
        "SELECT count(*) FROM provider_event WHERE workspace_id = $1 AND inbox_id = $2 AND processed_at IS NOT NULL";
    Ok(tx.rows(COUNT, values![workspace, inbox])?[0].int(0))
}

/// Texts of messages with their direction, whether somebody waits, spam, status.
type Seen = (Vec<String>, bool, bool, String);

/// Conversation by conversation.
fn conversations(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Vec<Seen>, StoreError> {
    const ALL: &str = "SELECT id, waiting_since, spam, status FROM conversation WHERE workspace_id = $1 AND merged_into IS NULL ORDER BY number";
    let mut found = Vec::new();
    for row in tx.rows(ALL, values![workspace])? {
        let mut entries = store::entry::conversation_before(tx, workspace, row.id(0), (i64::MAX, i64::MAX), 1_000)?;
        entries.retain(|entry| entry.kind == model::EntryKind::Message);
        let texts = entries.iter().map(|e| format!("{}: {}", e.direction, e.body.text.trim())).collect();
        found.push((texts, row.opt_int(1).is_some(), row.bool(2), row.text(3)));
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_is_connected_checked_and_read_and_switched_off() {
    let Some(bed) = bed(&BedOptions::default()) else { return };
    let office = Office::new().await;
    let inbox = office.connect(bed.settings(ADDRESS)).await;
    let path = format!("/api/v1/inboxes/{inbox}/check");
    office.client.post(&path, json!({})).await.ok();
    office.until("the end of the check", async || !office.client.get(&path).await.ok()["ended_at"].is_null()).await;
    let check = office.client.get(&path).await.ok();
    let steps = check["steps"].as_array().unwrap().clone();
    assert!(steps.iter().all(|step| step["state"] != "failed"), "{check}");
    assert!(steps.iter().any(|step| step["code"] == "probe" && step["state"] == "ok"), "{check}");
    let shown = office.client.get("/api/v1/inboxes").await.ok();
    let shown = shown["items"].as_array().unwrap().iter().find(|one| one["id"] == inbox.to_string()).unwrap().clone();
    assert_eq!(shown["email"]["plus_addressing"], true, "the check has learned it: {shown}");
    assert_eq!(office.read(inbox).await, 0);

    let again = office
        .client
        .post("/api/v1/inboxes", json!({ "channel": "email", "name": "Second", "email": bed.settings(ADDRESS) }))
        .await;
    assert_eq!(again.code().0, 422, "one mailbox, one inbox: {}", again.text());
    assert!(again.text().contains("Support"), "{}", again.text());

    office.fetch();
    office.enable(inbox).await;
    office.connected(inbox).await;
    bed.send("ada@cust.test", ADDRESS, &mail("Ada <ada@cust.test>", ADDRESS, "q1", "", "Where is my order?")).unwrap();
    office.until("the question", async || office.read(inbox).await >= 1).await;
    let workspace = office.app.workspace;
    let now = office.app.read(move |tx| conversations(tx, workspace)).await;
    assert_eq!(now, [(vec!["in: Where is my order?".to_owned()], true, false, "open".to_owned())]);

    // Answered in the mail program: shown as ours, the wait is over, and nothing is sent again.
    bed.save(ADDRESS, "Sent", &mail(ADDRESS, "ada@cust.test", "a1", "In-Reply-To: <q1@cust.test>\r\n", "On its way.")).unwrap();
    bed.save(ADDRESS, "Junk", &mail("Shady <shady@cust.test>", ADDRESS, "s1", "", "Win a prize")).unwrap();
    // Folders beside INBOX are found by the safety poll or the next connection.
    bed.kick();
    office.until("answer and spam", async || office.read(inbox).await >= 3).await;
    let now = office.app.read(move |tx| conversations(tx, workspace)).await;
    let first = ["in: Where is my order?", "out: On its way."].map(str::to_owned).to_vec();
    assert_eq!((now[0].0.clone(), now[0].1), (first, false), "{now:?}");
    assert!(
        now.iter().any(|one| one.0 == ["in: Win a prize"] && one.2 && !one.1),
        "spam of the provider is kept as spam: {now:?}"
    );

    office.client.post(&format!("/api/v1/inboxes/{inbox}/ledger/count"), json!({})).await.ok();
    office.until("the count", async || !office.ledger(inbox).await["counted_at"].is_null()).await;
    let ledger = office.ledger(inbox).await;
    let figures = |role: &str| {
        let folder = ledger["folders"].as_array().unwrap().iter().find(|folder| folder["role"] == role).unwrap();
        (folder["on_server"].as_i64().unwrap(), folder["here"].as_i64().unwrap(), folder["missing"].as_i64().unwrap())
    };
    assert_eq!((figures("sent"), figures("junk")), ((1, 1, 0), (1, 1, 0)), "{ledger}");
    assert_eq!((ledger["balanced"].as_bool(), figures("inbox").2), (Some(true), 0), "{ledger}");

    office.client.patch(&format!("/api/v1/inboxes/{inbox}"), json!({ "enabled": false })).await.ok();
    let name = format!("fetch {inbox}");
    office.until("the end of the fetcher", async || !office.supervisor.running().contains(&name)).await;
    office.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_there_before_comes_in_as_history_when_asked() {
    let Some(bed) = bed(&BedOptions::default()) else { return };
    for n in 0..12 {
        let (from, id) = (format!("c{}@cust.test", n % 3), format!("old{n}"));
        bed.deliver(&from, ADDRESS, &mail(&from, ADDRESS, &id, "", &format!("question {n}"))).unwrap();
    }
    bed.save(ADDRESS, "Sent", &mail(ADDRESS, "c0@cust.test", "old-a0", "In-Reply-To: <old0@cust.test>\r\n", "answer 0")).unwrap();
    let office = Office::new().await;
    let inbox = office.connect(bed.settings(ADDRESS)).await;
    office.fetch();
    office.enable(inbox).await;
    office.connected(inbox).await;
    assert_eq!(office.read(inbox).await, 0, "new mail only");
    let path = format!("/api/v1/inboxes/{inbox}/import");
    assert_eq!(office.client.get(&path).await.status, 404);
    office.client.post(&path, json!({})).await.ok();
    office.until("the import", async || office.client.get(&path).await.ok()["state"] == "done").await;
    office.until("its reading", async || office.read(inbox).await >= 13).await;
    let import = office.client.get(&path).await.ok();
    assert_eq!((&import["total"], &import["done"]), (&json!(13), &json!(13)));
    let workspace = office.app.workspace;
    let now = office.app.read(move |tx| conversations(tx, workspace)).await;
    assert!(now.iter().all(|(_, waits, spam, status)| !waits && !spam && status == "resolved"), "{now:?}");
    assert_eq!(now.iter().map(|one| one.0.len()).sum::<usize>(), 13);
    assert!(
        now.iter().any(|one| one.0.contains(&"in: question 0".to_owned()) && one.0.contains(&"out: answer 0".to_owned())),
        "{now:?}"
    );
    office.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_is_handed_over_by_ones_own_mail_server() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = BedOptions { lmtp_domains: [("desk.test".to_owned(), port)].into(), ..BedOptions::default() };
    let Some(bed) = bed(&options) else { return };
    let office = Office::new().await;
    let made = json!({ "channel": "email", "name": "Help", "enabled": true, "email": { "address": "help@desk.test", "forwarding_only": true } });
    let made = office.client.post("/api/v1/inboxes", made).await.ok();
    let inbox = InboxId::parse(made["id"].as_str().unwrap()).unwrap();
    let (desk, stop) = (office.app.desk.desk.clone(), office.supervisor.stop_signal());
    office.supervisor.spawn("lmtp", mailboxes::listen(desk, Channel::Email, ([127, 0, 0, 1], port).into(), stop));
    for (n, to) in ["help@desk.test", "help+c123@desk.test"].into_iter().enumerate() {
        let from = format!("ada{n}@cust.test");
        bed.send(&from, to, &mail(&from, to, &format!("l{n}"), "", &format!("by LMTP {n}"))).unwrap();
    }
    office.until("both mails", async || office.read(inbox).await >= 2).await;
    let workspace = office.app.workspace;
    let now = office.app.read(move |tx| conversations(tx, workspace)).await;
    let mut texts: Vec<String> = now.into_iter().flat_map(|one| one.0).collect();
    texts.sort();
    assert_eq!(texts, ["in: by LMTP 0", "in: by LMTP 1"]);
    let open = office.app.read(move |tx| provider_event::open_count(tx, workspace, Timestamp(i64::MAX))).await;
    assert_eq!(open, 0);
    office.end().await;
}
