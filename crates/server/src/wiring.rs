//! Puts the parts together: stores, channels, desk, jobs. Reads as a list.

use crate::Failed;
use crate::settings::{Dns, Settings};
use api::Front;
use desk::Desk;
use desk::people::Gate;
use keys::Keys;
use model::{Clock, OsRandom, Random, SystemClock};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::search::Search;
use store::{Access, Db, DbSettings, Wake};
use worker::mailboxes::MailboxTimes;
use worker::{Runner, RunnerSettings, Supervisor};

/// Folder of attachments and large raw events inside the data folder.
pub const FILES: &str = "files";

/// What is opened before anything asynchronous runs: the store's threads must not be born inside a runtime.
pub struct Stores {
    /// The database.
    pub db: Db,
    /// The search index.
    pub search: Search,
    /// The root key and its sub-keys.
    pub keys: Arc<Keys>,
    /// True when the key file was made just now.
    pub made_key: bool,
    /// The computer's clock.
    pub clock: Arc<dyn Clock>,
    /// The system's randomness.
    pub random: Arc<dyn Random>,
}

/// Makes the data folder if need be and opens what is in it, for a process that serves.
pub fn open(settings: &Settings) -> Result<Stores, Failed> {
    make_folder(&settings.data)?;
    let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(OsRandom));
    let access = Access::Serve { random: Arc::clone(&random), address: None };
    // The database first: its lock keeps a second process away from everything else in the folder.
    let db = Db::open(&DbSettings::new(&settings.database_url), Arc::clone(&clock), access)?;
    let opened = Keys::open(&settings.key_file, &*random)?;
    let search = Search::open(&db)?;
    Ok(Stores { db, search, keys: Arc::new(opened.keys), made_key: opened.made, clock, random })
}

/// Opens the database for looking only, also beside a running server.
pub fn look(settings: &Settings) -> Result<Db, Failed> {
    Ok(Db::open(&DbSettings::new(&settings.database_url), Arc::new(SystemClock), Access::Look)?)
}

fn make_folder(path: &Path) -> Result<(), Failed> {
    std::fs::create_dir_all(path).map_err(|error| {
        Failed(format!(
            "the data folder {} cannot be made: {error}. Make it yourself and give it to the account that runs Continuo, or name another one with --data.",
            path.display()
        ))
    })?;
    // Looks writable and is not: a read-only mount, another owner. Found out by trying.
    let probe = path.join(format!(".continuo-{}", std::process::id()));
    let tried = std::fs::write(&probe, b"x").and_then(|()| std::fs::remove_file(&probe));
    tried.map_err(|error| {
        let _may_not_exist = std::fs::remove_file(&probe);
        Failed(format!(
            "nothing can be written to the data folder {}: {error}. Continuo keeps database, files and keys there; make it writable, free some space, or name another folder with --data.",
            path.display()
        ))
    })
}

/// Every adapter of this build.
pub fn channels(settings: &Settings, clock: &Arc<dyn Clock>, random: &Arc<dyn Random>) -> channel::Registry {
    let mut email = channel_email::Email::new(Arc::clone(clock), Arc::clone(random));
    if let Some(look_ups) = look_ups(settings) {
        email = email.looking_up(look_ups);
    }
    channel::Registry::new([
        (model::Channel::Webchat, Arc::new(channel_webchat::WebChat) as Arc<dyn channel::Channel>),
        (model::Channel::Email, Arc::new(email)),
        (model::Channel::Api, Arc::new(channel_api::ApiChannel::new(Arc::clone(clock)))),
    ])
}

/// Who is asked about the senders of mail. Without anybody their provider's word counts alone.
fn look_ups(settings: &Settings) -> Option<channel_email::evidence::LookUps> {
    use channel_email::evidence::LookUps;
    // SPF wants a name of ours for its macros only.
    let host =
        settings.public_url.as_deref().and_then(|url| url.split("://").nth(1)?.split(['/', ':']).next()).unwrap_or("localhost");
    let made = match settings.dns {
        Dns::Off => return None,
        Dns::System => LookUps::system(host),
        Dns::At(server) => LookUps::at(server, host),
    };
    made.inspect_err(|error| tracing::warn!(%error, "senders of mail are not looked up")).ok()
}

/// The product over these stores.
pub async fn desk(settings: &Settings, stores: &Stores) -> Result<Desk, Failed> {
    Ok(Desk {
        db: stores.db.clone(),
        blobs: blob::Blobs::open_folder(&settings.data.join(FILES)).await?,
        clock: Arc::clone(&stores.clock),
        random: Arc::clone(&stores.random),
        keys: Arc::clone(&stores.keys),
        channels: channels(settings, &stores.clock, &stores.random),
        bus: bus::Bus::local(),
        visitors: desk::presence::Visitors::default(),
        gate: Gate::new(&*stores.random),
        search: stores.search.clone(),
        directory: desk::directory::Directory::default(),
        numbers: desk::numbers::Numbers::default(),
        topics: Arc::new(desk::placement::topic::Lexical),
        pace: desk::outbox::pace::Pace::default(),
    })
}

/// Starts everything that runs beside requests, and connects commits to those who wait for them.
pub fn start(settings: &Settings, front: &Front, supervisor: &Supervisor) {
    let desk = &front.desk;
    let runner = Runner::new(
        desk.db.clone(),
        Arc::clone(&desk.clock),
        Arc::clone(&desk.random),
        worker::jobs::registry(desk),
        RunnerSettings::default(),
    );
    let (bus, waker) = (desk.bus.clone(), runner.waker());
    desk.db.on_commit(move |committed| {
        for (workspace, change_seq) in committed.changes {
            bus.announce(bus::Change { workspace, inbox: None, change_seq });
        }
        for Wake::Jobs { priority } in committed.wakes {
            waker.wake();
            bus.announce_jobs(bus::JobsReady { priority });
        }
    });
    let (follower, keeper) = (desk.clone(), desk.clone());
    supervisor.spawn_restarting("search", move |stop| worker::recurring::follow_search(follower.clone(), stop));
    supervisor.spawn_restarting("housekeeping", move |stop| worker::recurring::keep_house(keeper.clone(), stop));
    supervisor.spawn_restarting("jobs", move |stop| {
        let runner = runner.clone();
        async move { runner.run(stop).await }
    });
    let (fetched, fetchers) = (desk.clone(), supervisor.clone());
    supervisor.spawn_restarting("mailboxes", move |stop| {
        worker::mailboxes::run(fetched.clone(), fetchers.clone(), MailboxTimes::default(), stop)
    });
    if let Some(bind) = settings.lmtp_listen {
        let listening = desk.clone();
        supervisor.spawn_restarting("lmtp", move |stop| {
            worker::mailboxes::listen(listening.clone(), model::Channel::Email, bind, stop)
        });
    }
    let live = front.live.clone();
    supervisor.spawn_restarting("live", move |stop| {
        let live = live.clone();
        async move { live.run(stop.stopped()).await }
    });
}

/// Ends everything: sockets are told to come back, requests and jobs may end.
pub async fn stop(front: &Front, supervisor: &Supervisor, within: Duration) {
    // Sockets and event streams never end by themselves, and the HTTP server waits for them.
    front.live.close();
    // The supervisor itself logs what did not end in time.
    let _cut_off = supervisor.stop(within).await;
}
