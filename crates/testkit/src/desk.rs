//! A desk for one story: own database, blobs in a temporary folder, FakeChannel for every channel but ours, a fake clock,
//! one workspace with an owner and an inbox. Events go in by `receive`, `run_jobs` does what follows, and on drop nothing
//! may be left over.

use crate::db::TestDb;
use channel::fake::{FakeChannel, FakeEvent};
use channel::{ClaimSource, ContactPointClaim, InboundEvent, InboundMessage};
use desk::directory::{Directory, OpenInbox};
use desk::ingest::Stored;
use desk::numbers::Numbers;
use desk::reply::NewReply;
use desk::{Desk, Who};
use model::{
    Channel, Clock, ContactPointKind, ConversationId, EntryKind, FakeClock, FakeRandom, InboxId, Random, Role, Timestamp,
    WorkspaceId,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use store::conversation::Conversation;
use store::entry::Entry;
use store::{Engine, Route, StoreError};
use worker::{DueReport, Runner, RunnerSettings};

/// The engine that stories run on: PostgreSQL when a server is named, else SQLite; `make test` runs them once each way.
pub fn story_engine() -> Engine {
    if crate::pg::is_named() { Engine::Postgres } else { Engine::Sqlite }
}

/// Everything that a story of the desk needs.
pub struct TestDesk {
    /// The desk.
    pub desk: Desk,
    /// Its clock.
    pub clock: Arc<FakeClock>,
    /// The other side of every channel.
    pub fake: Arc<FakeChannel>,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The owner.
    pub owner: Who,
    /// An inbox of kind `api`, through which messages may declare any channel.
    pub inbox: InboxId,
    runner: Runner,
    events: AtomicU64,
    leftovers_allowed: AtomicBool,
    db: Option<TestDb>,
    _blobs: tempfile::TempDir,
}

impl TestDesk {
    /// A desk on the engine of this run.
    pub async fn new() -> Self {
        Self::on(story_engine()).await.expect("the engine of the stories is there")
    }

    /// A desk on one engine; `None` without PostgreSQL when tests on it are left out.
    pub async fn on(engine: Engine) -> Option<Self> {
        Self::over(TestDb::open(engine)?).await
    }

    /// A desk over a database that was opened with other settings.
    pub async fn over(db: TestDb) -> Option<Self> {
        let clock = db.clock.clone();
        let fake = Arc::new(FakeChannel::new(clock.clone()));
        let adapter: Arc<dyn channel::Channel> = fake.clone();
        let kinds = Channel::ALL.iter().filter(|c| !matches!(c, Channel::Webchat | Channel::Internal));
        let channels = channel::Registry::new(kinds.map(|kind| (*kind, Arc::clone(&adapter))));
        Self::with_channels(db, fake, channels).await
    }

    /// A desk with other adapters beside FakeChannel: the API's tests bring the real web chat.
    pub async fn with_channels(db: TestDb, fake: Arc<FakeChannel>, channels: channel::Registry) -> Option<Self> {
        Self::with_topics(db, fake, channels, Arc::new(desk::placement::topic::Lexical)).await
    }

    /// The same with another opinion about topics.
    pub async fn with_topics(
        db: TestDb,
        fake: Arc<FakeChannel>,
        channels: channel::Registry,
        topics: Arc<dyn desk::placement::topic::Topics>,
    ) -> Option<Self> {
        let clock = db.clock.clone();
        let blobs = tempfile::tempdir().expect("a folder for blobs");
        let random: Arc<dyn Random> = Arc::new(FakeRandom::new(7));
        let desk = Desk {
            db: db.db.clone(),
            blobs: blob::Blobs::open_folder(blobs.path()).await.expect("the folder takes blobs"),
            clock: clock.clone(),
            random: Arc::clone(&random),
            keys: Arc::new(keys::Keys::from_root([7; 32])),
            channels,
            bus: bus::Bus::local(),
            search: store::search::Search::open(&db.db).expect("the search index opens"),
            directory: Directory::default(),
            numbers: Numbers::default(),
            topics,
            pace: desk::outbox::pace::Pace::default(),
            visitors: desk::presence::Visitors::default(),
            gate: desk::people::Gate::new(&*random),
        };
        let now = clock.now();
        let (workspace, agent, inbox) = desk
            .db
            .write(Route::Any, move |tx| -> Result<_, StoreError> {
                let workspace = store::workspace::add(tx, "Acme", "#0b6b74", "Europe/Berlin", &serde_json::json!({}), now)?;
                let owner = store::agent::NewAgent {
                    name: "Lea Winter",
                    email: "lea@acme.test",
                    email_key: "lea@acme.test",
                    password: "!",
                    role: Role::Owner,
                };
                let agent = store::agent::add(tx, workspace, &owner, now)?;
                let settings = serde_json::json!({});
                let inbox = store::inbox::NewInbox { channel: Channel::Api, name: "Everything", site: None, settings: &settings };
                Ok((workspace, agent, store::inbox::add(tx, workspace, &inbox, now)?))
            })
            .await
            .expect("the first rows");
        let runner =
            Runner::new(desk.db.clone(), clock.clone(), random, worker::jobs::registry(&desk), RunnerSettings::default());
        let owner = Who { workspace, agent, name: "Lea Winter".to_owned(), role: Role::Owner };
        Some(Self {
            desk,
            clock,
            fake,
            workspace,
            owner,
            inbox,
            runner,
            events: AtomicU64::new(0),
            leftovers_allowed: AtomicBool::new(false),
            db: Some(db),
            _blobs: blobs,
        })
    }

    /// The inbox as its adapter wants it.
    pub async fn open(&self, inbox: InboxId) -> Arc<OpenInbox> {
        self.desk.directory.open(&self.desk, self.workspace, inbox).await.expect("the inbox opens")
    }

    /// Another inbox on a channel.
    pub async fn add_inbox(&self, channel: Channel, name: &'static str) -> InboxId {
        let (workspace, now) = (self.workspace, self.clock.now());
        self.desk
            .db
            .write(Route::Any, move |tx| {
                let settings = serde_json::json!({});
                let new = store::inbox::NewInbox { channel, name, site: None, settings: &settings };
                store::inbox::add(tx, workspace, &new, now)
            })
            .await
            .expect("an inbox")
    }

    /// Another agent.
    pub async fn add_agent(&self, name: &'static str, role: Role) -> Who {
        let (workspace, now) = (self.workspace, self.clock.now());
        let email = format!("{}@acme.test", name.to_lowercase());
        let agent = self
            .desk
            .db
            .write(Route::Any, move |tx| {
                let new = store::agent::NewAgent { name, email: &email, email_key: &email, password: "!", role };
                store::agent::add(tx, workspace, &new, now)
            })
            .await
            .expect("an agent");
        Who { workspace, agent, name: name.to_owned(), role }
    }

    /// A message of a sender, not yet given to the desk: change what the story needs.
    pub fn message(&self, from: &str, text: &str) -> InboundMessage {
        let n = self.events.fetch_add(1, Ordering::SeqCst);
        InboundMessage {
            provider_id: format!("m{n}"),
            external_conversation: from.to_owned(),
            from: vec![claim(from)],
            text: text.to_owned(),
            ..InboundMessage::default()
        }
    }

    /// Stores an event as a channel would give it to us.
    pub async fn receive(&self, event: &InboundEvent) -> Stored {
        let (id, lane) = match event {
            InboundEvent::Message(m) => (m.provider_id.clone(), m.external_conversation.clone()),
            _ => (format!("e{}", self.events.fetch_add(1, Ordering::SeqCst)), "states".to_owned()),
        };
        self.receive_raw(&FakeEvent::new(id, lane, event)).await.expect("it is stored")
    }

    /// The same for JSON that may be broken; an error when it could not be stored.
    pub async fn receive_raw(&self, event: &FakeEvent) -> Result<Stored, desk::ingest::IngestError> {
        let open = self.open(self.inbox).await;
        let stored = desk::ingest::accept(&self.desk, self.workspace, &open, vec![event.raw_event(self.clock.now())]).await?;
        Ok(stored[0])
    }

    /// A customer writes on the API channel, and everything that follows is done.
    pub async fn customer_writes(&self, from: &str, text: &str) -> Entry {
        let message = self.message(from, text);
        self.customer_sends(message).await
    }

    /// The same with a message of the story's own making.
    pub async fn customer_sends(&self, message: InboundMessage) -> Entry {
        let stored = self.receive(&InboundEvent::Message(message)).await;
        self.run_jobs().await;
        self.entry_of(stored).await.expect("it became an entry")
    }

    /// The entry that a stored event became.
    pub async fn entry_of(&self, stored: Stored) -> Option<Entry> {
        let workspace = self.workspace;
        self.read(move |tx| {
            let event = store::provider_event::find(tx, workspace, stored.id)?.ok_or(StoreError::NotFound)?;
            event.entry_id.map_or(Ok(None), |id| store::entry::find(tx, workspace, id))
        })
        .await
    }

    /// An answer as an agent would write it.
    pub fn reply(&self, text: &str) -> NewReply {
        let n = self.events.fetch_add(1, Ordering::SeqCst);
        NewReply {
            kind: EntryKind::Message,
            text: text.to_owned(),
            html: None,
            mail: desk::reply::MailChoice::default(),
            attachment_ids: vec![],
            mention_ids: vec![],
            inbox_id: None,
            contact_point_id: None,
            base_seq: i64::MAX,
            hold_seconds: 0,
            send_at: None,
            then: None,
            force: false,
            idempotency_key: format!("key-{n}"),
        }
    }

    /// Does every job that is due now.
    pub async fn run_jobs(&self) -> DueReport {
        self.try_run_jobs().await.expect("jobs run")
    }

    /// The same where the store may fail on purpose. Leases that ran out are put back first, as the runner's reaper does.
    pub async fn try_run_jobs(&self) -> Result<DueReport, StoreError> {
        let now = self.clock.now();
        if self.desk.db.read(move |tx| store::job::expired(tx, now)).await? {
            self.desk.db.write(Route::Any, move |tx| store::job::reap(tx, now)).await?;
        }
        self.runner.run_due(now).await
    }

    /// Lets the real runner work, many jobs at a time, until every stored event has its end.
    pub async fn run_for_real(&self) {
        let supervisor = worker::Supervisor::new();
        let (runner, stop) = (self.runner.clone(), supervisor.stop_signal());
        supervisor.spawn("runner", async move { runner.run(stop).await });
        let (workspace, after_now) = (self.workspace, Timestamp(i64::MAX));
        for _ in 0..60_000 {
            if self.read(move |tx| store::provider_event::open_count(tx, workspace, after_now)).await == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        supervisor.stop(std::time::Duration::from_secs(10)).await;
    }

    /// Moves the clock and does what became due.
    pub async fn advance(&self, ms: i64) -> DueReport {
        self.clock.advance_ms(ms);
        self.run_jobs().await
    }

    /// Reads.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnMut(&mut dyn store::Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.desk.db.read(f).await.expect("a read")
    }

    /// The conversation of an id.
    pub async fn conversation(&self, id: ConversationId) -> Conversation {
        let workspace = self.workspace;
        self.read(move |tx| store::conversation::find(tx, workspace, id)).await.expect("it is there")
    }

    /// An entry of an id.
    pub async fn entry(&self, id: model::EntryId) -> Entry {
        let workspace = self.workspace;
        self.read(move |tx| store::entry::find(tx, workspace, id)).await.expect("it is there")
    }

    /// The texts of a conversation in timeline order, events left out.
    pub async fn texts(&self, id: ConversationId) -> Vec<String> {
        let workspace = self.workspace;
        let all = self.read(move |tx| store::entry::conversation_before(tx, workspace, id, (i64::MAX, i64::MAX), 10_000)).await;
        all.into_iter().filter(|e| e.kind != EntryKind::Event).map(|e| e.body.text).collect()
    }

    /// The story leaves jobs behind on purpose.
    pub fn allow_leftovers(&self) {
        self.leftovers_allowed.store(true, Ordering::SeqCst);
    }

    /// What every story ends with: no job left that is due, every stored event has its end, counters equal counts, numbers
    /// without a gap.
    pub async fn check(&self) {
        let (workspace, now) = (self.workspace, self.clock.now());
        let allowed = self.leftovers_allowed.load(Ordering::SeqCst);
        let (given_up, open, drift, gaps) = self
            .read(move |tx| {
                let given_up = store::job::list_given_up(tx, workspace, None, 10)?.len();
                let open = store::provider_event::open_count(tx, workspace, Timestamp(now.0 + 1))?;
                Ok((
                    given_up,
                    open,
                    store::conversation::recount::drift(tx, workspace)?,
                    store::conversation::recount::gaps(tx, workspace)?,
                ))
            })
            .await;
        assert!(allowed || (given_up == 0 && open == 0), "{given_up} jobs were given up, {open} stored events have no end");
        assert!(drift.is_empty(), "counters that differ from counts: {drift:?}");
        assert!(gaps.is_empty(), "gaps in the numbers of the event log: {gaps:?}");
    }

    /// Ends the story: checks, then closes.
    pub async fn end(self) {
        self.check().await;
    }

    /// Closes the store and opens it again, as after a crash of the process.
    pub fn database(&mut self) -> &mut TestDb {
        self.db.as_mut().expect("the database is there until the end")
    }
}

/// A sender by the look of the name: an address, a number, or an id of the API channel.
pub fn claim(from: &str) -> ContactPointClaim {
    let kind = match from {
        mail if mail.contains('@') => ContactPointKind::Email,
        phone if phone.starts_with('+') => ContactPointKind::Phone,
        _ => ContactPointKind::Ext,
    };
    ContactPointClaim::new(kind, "", from, 2, ClaimSource::Sender)
}
