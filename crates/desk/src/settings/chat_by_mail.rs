//! A chat goes on by mail when the visitor has left: whether, after how long, and through which mailbox.

use super::news;
use crate::people::rights::may_set_up_inboxes;
use crate::people::{ChangeError, Invalid};
use crate::{Desk, Who};
use model::{Actor, InboxId, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Conn, Route, StoreError, setting};

const NAME: &str = "chat_by_mail";
const DELAY_SECONDS_MAX: i64 = 86_400;

/// The rule of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatByMail {
    /// Answers that nobody reads go out by mail.
    pub enabled: bool,
    /// So long after they were written.
    pub delay_seconds: i64,
    /// Through this inbox; `None`: the first mailbox that can send.
    pub inbox_id: Option<InboxId>,
    /// What stands above the messages.
    pub intro: String,
}

const INTRO: &str = "You had left the chat when this was written. To go on, just answer this mail.";
const INTRO_CHARS_MAX: usize = 2_000;

impl Default for ChatByMail {
    fn default() -> Self {
        Self { enabled: true, delay_seconds: 300, inbox_id: None, intro: INTRO.to_owned() }
    }
}

/// The rule as it stands.
pub fn get_in(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<ChatByMail, StoreError> {
    let stored = setting::find(tx, workspace, NAME)?;
    Ok(stored.and_then(|json| serde_json::from_value(json).ok()).unwrap_or_default())
}

/// The rule as it stands.
pub async fn get(desk: &Desk, who: &Who) -> Result<ChatByMail, StoreError> {
    let workspace = who.workspace;
    desk.db.read(move |tx| get_in(tx, workspace)).await
}

/// Sets the rule. For admins.
pub async fn put(desk: &Desk, who: &Who, rule: ChatByMail) -> Result<ChatByMail, ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    if !(0..=DELAY_SECONDS_MAX).contains(&rule.delay_seconds) {
        return Err(Invalid::new("delay_seconds", "0 to 86,400 seconds").into());
    }
    if rule.intro.chars().count() > INTRO_CHARS_MAX {
        return Err(Invalid::new("intro", "at most 2,000 characters").into());
    }
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            if let Some(inbox) = rule.inbox_id
                && store::inbox::find(tx, who.workspace, inbox)?.is_none()
            {
                return Ok::<_, StoreError>(Err(Invalid::new("inbox_id", "an inbox that exists").into()));
            }
            setting::put(tx, who.workspace, NAME, &json!(rule))?;
            tx.log(news(who.workspace, "chat_by_mail.changed", Actor::Agent(who.agent), now, json!(rule)));
            Ok(Ok(rule.clone()))
        })
        .await?
}
