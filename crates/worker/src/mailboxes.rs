//! Keeps one fetcher running for every inbox that is asked by us (mailboxes): started and stopped as inboxes are made, changed
//! and switched off, one per inbox over all nodes by a lease row, started again for ever. Beside it the ledger is counted.

use crate::attempt::pause;
use crate::leader::lead;
use crate::supervisor::{Stop, Supervisor, panic_text};
use desk::Desk;
use desk::mailbox::fetch::{self, FetchEnd};
use desk::mailbox::{self, Wanted, ledger};
use futures_util::FutureExt;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use store::{Route, lease};
use tokio::sync::watch;

/// How often the list of inboxes is looked at; a change on this node is seen at once.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How soon another node is asked whether it still leads.
const LEAD_AGAIN: Duration = Duration::from_secs(5);
const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(300);
const COUNT_FIRST: Duration = Duration::from_secs(60);
const COUNT_EVERY: Duration = Duration::from_secs(600);

/// How the waits go; tests are in more of a hurry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxTimes {
    /// The first wait after a lost connection; doubled each time.
    pub wait_min: Duration,
    /// The longest wait.
    pub wait_max: Duration,
    /// When the ledger is counted first.
    pub count_first: Duration,
    /// And how often after that.
    pub count_every: Duration,
}

impl Default for MailboxTimes {
    fn default() -> Self {
        Self { wait_min: WAIT_MIN, wait_max: WAIT_MAX, count_first: COUNT_FIRST, count_every: COUNT_EVERY }
    }
}

/// Runs every fetcher until the process stops.
pub async fn run(desk: Desk, supervisor: Supervisor, times: MailboxTimes, stop: Stop) {
    let mut running: HashMap<Wanted, watch::Sender<bool>> = HashMap::new();
    let mut changes = desk.bus.listen(None);
    while !stop.is_stopping() {
        match mailbox::wanted(&desk).await {
            Ok(wanted) => {
                // Dropping the sender stops the fetcher. One that ended by itself stays here: only a change of its inbox helps.
                running.retain(|known, _| wanted.contains(known));
                for one in wanted {
                    running.entry(one).or_insert_with(|| begin(&desk, &supervisor, times, one));
                }
            }
            Err(error) => tracing::warn!(%error, "the list of inboxes could not be read; their fetchers go on"),
        }
        tokio::select! {
            () = pause(LOOK_EVERY) => {}
            () = stop.stopped() => return,
            // A settings change wakes us; a flood of messages must not make us read the list all the time.
            _ = async { changes.next().await; pause(Duration::from_millis(300)).await } => {}
        }
    }
}

fn begin(desk: &Desk, supervisor: &Supervisor, times: MailboxTimes, wanted: Wanted) -> watch::Sender<bool> {
    let (sender, mut cancelled) = watch::channel(false);
    let (desk, stop) = (desk.clone(), supervisor.stop_signal());
    supervisor.spawn(format!("fetch {}", wanted.inbox), async move {
        let name = format!("fetch.{}", wanted.inbox);
        tokio::select! {
            () = fetch_for_ever(&desk, &name, times, wanted) => {}
            // An error: the sender is gone, which is how the list tells us.
            _ = cancelled.wait_for(|cancelled| *cancelled) => {}
            () = stop.stopped() => {}
        }
        let (name, holder) = (name, desk.db.holder().to_owned());
        // One that cannot be given back runs out.
        let _runs_out = desk.db.write(Route::Any, move |tx| lease::release(tx, &name, &holder)).await;
    });
    sender
}

async fn fetch_for_ever(desk: &Desk, name: &str, times: MailboxTimes, wanted: Wanted) {
    loop {
        let work = async {
            tokio::select! {
                () = fetching(desk, times, wanted) => {}
                () = counting(desk, times, wanted) => {}
            }
        };
        match lead(&desk.db, name, work).await {
            // It can never work until the inbox changes, and then another fetcher begins.
            Ok(Some(())) => return,
            Ok(None) => {}
            Err(error) => tracing::warn!(lease = name, %error, "the lease {name} could not be asked for"),
        }
        pause(LEAD_AGAIN).await;
    }
}

async fn fetching(desk: &Desk, times: MailboxTimes, wanted: Wanted) {
    let Wanted { workspace, inbox, .. } = wanted;
    let mut wait = times.wait_min;
    loop {
        let run = AssertUnwindSafe(fetch::once(desk, workspace, inbox)).catch_unwind().await;
        let at_least = match run {
            Ok(Ok(FetchEnd::Stop)) => return,
            Ok(Ok(FetchEnd::Again { heard, wait_ms })) => {
                if heard {
                    wait = times.wait_min;
                }
                Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))
            }
            Ok(Err(error)) => {
                tracing::warn!(%inbox, %error, "the store stopped the fetcher of {inbox}; it is started again");
                Duration::ZERO
            }
            Err(panic) => {
                if let Err(error) = fetch::died(desk, workspace, inbox, panic_text(panic.as_ref())).await {
                    tracing::warn!(%inbox, %error, "that the fetcher of {inbox} died could not be written down");
                }
                Duration::ZERO
            }
        };
        pause(wait.max(at_least)).await;
        wait = (wait * 2).min(times.wait_max);
    }
}

/// Counts the ledger from time to time; what is missing is fetched once more at once. Never returns.
async fn counting(desk: &Desk, times: MailboxTimes, wanted: Wanted) {
    let Wanted { workspace, inbox, .. } = wanted;
    pause(times.count_first).await;
    loop {
        match ledger::count(desk, workspace, inbox).await {
            Ok(Some(folders)) if folders.iter().any(|figures| figures.missing > 0) => {
                if let Err(error) = ledger::refetch(desk, workspace, inbox).await {
                    tracing::warn!(%inbox, %error, "what is missing in {inbox} could not be fetched");
                }
            }
            Ok(_) => {}
            Err(ledger::LedgerError::None) => std::future::pending().await,
            Err(error) => tracing::info!(%inbox, %error, "the ledger of {inbox} could not be counted now"),
        }
        pause(times.count_every).await;
    }
}

/// Keeps the listener of a kind of channel on its port (mail that another server hands over).
pub async fn listen(desk: Desk, kind: model::Channel, bind: std::net::SocketAddr, stop: Stop) {
    let Some(door) = mailbox::door::ListenDoor::new(&desk, kind).map(Arc::new) else {
        tracing::error!(%kind, "no adapter of this build listens for {kind}");
        return;
    };
    let adapter = Arc::clone(door.adapter());
    let Some(listener) = adapter.listen() else { return };
    let mut wait = WAIT_MIN;
    while !stop.is_stopping() {
        tracing::info!(%kind, %bind, "listening for {kind} on {bind}");
        tokio::select! {
            end = listener.listen(bind, &*door) => match end {
                Ok(()) => tracing::warn!(%kind, "the listener for {kind} ended; it is started again"),
                Err(error) => tracing::error!(%kind, %bind, %error, "the listener for {kind} failed; it is started again"),
            },
            () = stop.stopped() => return,
        }
        tokio::select! {
            () = pause(wait) => {}
            () = stop.stopped() => return,
        }
        wait = (wait * 2).min(Duration::from_secs(60));
    }
}
