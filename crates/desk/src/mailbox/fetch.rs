//! One run of the fetcher of an inbox: from the stored cursor on until the connection is lost. How that ended is written down
//! for people; a network error never ends the fetching, only sign-ins that are refused again and again do.

use super::StoreSink;
use crate::context::Desk;
use crate::directory::{DirectoryError, OpenInbox};
use crate::settings::news;
use channel::{Cursor, PullError, SourceNews};
use model::{Actor, InboxId, InboxState, PullHealth, Timestamp, TroubleKind, WorkspaceId};
use serde_json::json;
use store::pull::{self, PullState};
use store::{Conn, Route, StoreError, inbox};
use tokio::sync::mpsc;

/// So many refused sign-ins in a row, each half a minute after the other, are no accident.
pub const REFUSED_COUNT_MAX: i64 = 3;
/// After this time without a connection admins are told.
pub const BANNER_AFTER_MS: i64 = 10 * 60_000;
/// Shorter trouble is not worth a line.
const TROUBLE_MS: i64 = 60_000;
const ALIVE_EVERY_MS: i64 = 60_000;
/// Wait at least so long before a refused sign-in is tried again.
const REFUSED_WAIT_MS: i64 = 30_000;

/// What to do after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchEnd {
    /// Nothing, until the inbox changes.
    Stop,
    /// Run again.
    Again {
        /// The source had answered: the growing wait begins anew.
        heard: bool,
        /// Not earlier than in so many milliseconds.
        wait_ms: i64,
    },
}

/// Runs until the connection is lost, the source ends or the inbox cannot be fetched.
pub async fn once(desk: &Desk, workspace: WorkspaceId, id: InboxId) -> Result<FetchEnd, StoreError> {
    let open = match desk.directory.open(desk, workspace, id).await {
        Ok(open) => open,
        Err(DirectoryError::Store(error)) => return Err(error),
        Err(_) => return Ok(FetchEnd::Stop),
    };
    let Some(source) = open.channel.pull().filter(|_| open.inbox.enabled) else { return Ok(FetchEnd::Stop) };
    let state = desk.db.read(move |tx| pull::find(tx, workspace, id)).await?.unwrap_or_else(PullState::fresh);
    let from = Cursor(state.cursor.clone());
    let mut health = Health { desk, workspace, id, state, heard: false };
    let (teller, mut told) = mpsc::unbounded_channel();
    let sink = StoreSink::new(desk, workspace, &open, Some(teller));
    let mut pulling = source.pull(&open.settings, from, &sink);
    let end = loop {
        tokio::select! {
            end = &mut pulling => break end,
            Some(news) = told.recv() => health.hear(news).await?,
        }
    };
    while let Ok(news) = told.try_recv() {
        health.hear(news).await?;
    }
    // A long catch-up over a bad line is progress, although the line breaks before everything is read: no growing wait.
    health.heard |= sink.gave.load(std::sync::atomic::Ordering::SeqCst);
    match end {
        Ok(cursor) => {
            // It ended by itself: what it says is what it has committed.
            desk.db.write(Route::Any, move |tx| pull::set_cursor(tx, workspace, id, &cursor.0)).await?;
            health.alive(health.state.push).await?;
            Ok(FetchEnd::Again { heard: true, wait_ms: 0 })
        }
        Err(PullError::Lost(text)) => health.lost(text).await,
        Err(PullError::SignInAgain) => health.refused(&open).await,
        Err(PullError::Settings(text)) => health.wrong(text).await,
    }
}

/// Writes down that a fetcher died by a fault of ours: it is started again, and somebody should know.
pub async fn died(desk: &Desk, workspace: WorkspaceId, id: InboxId, why: &str) -> Result<(), StoreError> {
    tracing::error!(inbox = %id, why, "the fetcher of {id} died; it is started again");
    let (now, why) = (desk.now(), format!("the fetcher died and was started again: {why}"));
    desk.db
        .write(Route::Any, move |tx| {
            tx.log(news(workspace, "inbox.fetcher_died", Actor::System, now, json!({ "inbox_id": id })));
            pull::add_trouble(tx, workspace, id, TroubleKind::NoConnection, &why, now, Some(now))
        })
        .await
}

struct Health<'a> {
    desk: &'a Desk,
    workspace: WorkspaceId,
    id: InboxId,
    state: PullState,
    heard: bool,
}

impl Health<'_> {
    async fn hear(&mut self, news: SourceNews) -> Result<(), StoreError> {
        match news {
            SourceNews::Alive { push } => self.alive(push).await,
            SourceNews::Renumbered { folder, count } => {
                let (workspace, id, now) = (self.workspace, self.id, self.desk.now());
                let detail = json!({ "folder": folder, "count": count }).to_string();
                let noted = move |tx: &mut dyn Conn| {
                    pull::add_trouble(tx, workspace, id, TroubleKind::Renumbered, &detail, now, Some(now))
                };
                self.desk.db.write(Route::Any, noted).await
            }
        }
    }

    async fn alive(&mut self, push: bool) -> Result<(), StoreError> {
        self.heard = true;
        let now = self.desk.now();
        let recently = self.state.alive_at.is_some_and(|at| (0..ALIVE_EVERY_MS).contains(&now.since(at)));
        if self.state.state == PullHealth::Ok && self.state.push == push && recently && self.state.refused_count == 0 {
            return Ok(());
        }
        let was = self.state.clone();
        self.state = PullState {
            state: PullHealth::Ok,
            push,
            alive_at: Some(now),
            trouble_since: None,
            reason: None,
            announced: false,
            refused_count: 0,
            ..was.clone()
        };
        self.save(now, move |tx, workspace, id| {
            let ended = pull::end_trouble(tx, workspace, id, TroubleKind::NoConnection, now)?;
            pull::end_trouble(tx, workspace, id, TroubleKind::SignIn, now)?;
            if let Some(since) = was.trouble_since.filter(|since| !ended && now.since(*since) >= TROUBLE_MS) {
                let reason = was.reason.as_deref().unwrap_or_default();
                pull::add_trouble(tx, workspace, id, TroubleKind::NoConnection, reason, since, Some(now))?;
            }
            if was.announced {
                tx.log(news(workspace, "inbox.connected_again", Actor::System, now, json!({ "inbox_id": id })));
            }
            Ok(())
        })
        .await
    }

    async fn lost(mut self, text: String) -> Result<FetchEnd, StoreError> {
        let now = self.desk.now();
        let since = *self.state.trouble_since.get_or_insert(now);
        let tell = !self.state.announced && now.since(since) >= BANNER_AFTER_MS;
        self.state.announced |= tell;
        self.state.state = PullHealth::Trouble;
        self.state.reason = Some(text.clone());
        tracing::info!(inbox = %self.id, reason = text, "the connection of {} was lost; it is tried again", self.id);
        self.save(now, move |tx, workspace, id| {
            let long = now.since(since) >= TROUBLE_MS;
            if long && !pull::has_trouble(tx, workspace, id, TroubleKind::NoConnection)? {
                pull::add_trouble(tx, workspace, id, TroubleKind::NoConnection, &text, since, None)?;
            }
            if tell {
                tx.log(news(workspace, "inbox.no_connection", Actor::System, now, json!({ "inbox_id": id, "since": since })));
            }
            Ok(())
        })
        .await?;
        Ok(FetchEnd::Again { heard: self.heard, wait_ms: 0 })
    }

    async fn refused(mut self, open: &OpenInbox) -> Result<FetchEnd, StoreError> {
        let now = self.desk.now();
        self.state.refused_count += 1;
        self.state.trouble_since.get_or_insert(now);
        let give_up = self.state.refused_count >= REFUSED_COUNT_MAX;
        self.state.state = if give_up { PullHealth::NeedsSignIn } else { PullHealth::Trouble };
        self.state.reason = Some("the sign-in was refused".to_owned());
        let inbox_name = open.inbox.name.clone();
        self.save(now, move |tx, workspace, id| {
            if give_up && inbox::set_state(tx, workspace, id, InboxState::NeedsSignIn)? {
                pull::add_trouble(tx, workspace, id, TroubleKind::SignIn, "the sign-in was refused", now, None)?;
                tx.log(news(workspace, "inbox.needs_sign_in", Actor::System, now, json!({ "inbox_id": id })));
                tracing::warn!(inbox = %id, "{inbox_name} needs somebody to sign in again");
            }
            Ok(())
        })
        .await?;
        if give_up {
            self.desk.directory.forget();
            return Ok(FetchEnd::Stop);
        }
        Ok(FetchEnd::Again { heard: false, wait_ms: REFUSED_WAIT_MS })
    }

    async fn wrong(mut self, text: String) -> Result<FetchEnd, StoreError> {
        let now = self.desk.now();
        self.state.trouble_since.get_or_insert(now);
        let tell = self.state.state != PullHealth::WrongSettings;
        self.state.state = PullHealth::WrongSettings;
        self.state.reason = Some(text);
        self.save(now, move |tx, workspace, id| {
            if tell {
                tx.log(news(workspace, "inbox.wrong_settings", Actor::System, now, json!({ "inbox_id": id })));
            }
            Ok(())
        })
        .await?;
        Ok(FetchEnd::Stop)
    }

    async fn save(
        &self,
        _now: Timestamp,
        mut more: impl FnMut(&mut dyn Conn, WorkspaceId, InboxId) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let (workspace, id, state) = (self.workspace, self.id, self.state.clone());
        self.desk
            .db
            .write(Route::Any, move |tx| {
                pull::set_health(tx, workspace, id, &state)?;
                more(tx, workspace, id)
            })
            .await
    }
}
