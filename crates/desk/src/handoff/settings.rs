//! What a workspace sets for hand-overs: how long links and proofs last, the words, and what the customer should have at hand.

use crate::context::{Desk, Who};
use crate::people::rights::may_set_up_workspace;
use crate::people::{ChangeError, Invalid};
use model::{Actor, InboxId, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::{Conn, Event, Route, StoreError, setting};

const SETTING: &str = "handoff";
const TEXT_CHARS_MAX: usize = 2_000;
const ITEM_COUNT_MAX: usize = 10;
const ITEM_CHARS_MAX: usize = 80;

/// Settings of hand-overs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HandoffSettings {
    /// How long a link works.
    pub link_minutes: i64,
    /// How long a code works.
    pub code_minutes: i64,
    /// How long a proof counts.
    pub proof_minutes: i64,
    /// What the customer should have at hand.
    pub checklist: Vec<String>,
    /// The message with a link; `{link}`, `{checklist}`, `{business}`.
    pub link_text: String,
    /// The message with a code; `{code}`, `{business}`.
    pub code_text: String,
    /// Where links lead that name no inbox; none: the first web chat.
    pub inbox_id: Option<InboxId>,
}

impl Default for HandoffSettings {
    fn default() -> Self {
        Self {
            link_minutes: 60,
            code_minutes: 10,
            proof_minutes: 30,
            checklist: vec![],
            link_text: "For your security, let us go on here: {link}\n{checklist}".to_owned(),
            code_text: "{code} is your code for {business}. Please tell it only to the person you are writing with now."
                .to_owned(),
            inbox_id: None,
        }
    }
}

impl HandoffSettings {
    /// Checks every field; the first that is wrong is told.
    pub fn check(&self) -> Result<(), Invalid> {
        let bad = |field: &'static str, text: &'static str| Err(Invalid::new(field, text));
        if !(5..=1_440).contains(&self.link_minutes) {
            return bad("link_minutes", "5 to 1,440 minutes");
        }
        if !(2..=60).contains(&self.code_minutes) {
            return bad("code_minutes", "2 to 60 minutes");
        }
        if !(1..=1_440).contains(&self.proof_minutes) {
            return bad("proof_minutes", "1 to 1,440 minutes");
        }
        check_list(&self.checklist)?;
        if !self.link_text.contains("{link}") || self.link_text.chars().count() > TEXT_CHARS_MAX {
            return bad("link_text", "at most 2,000 characters, with {link} in it");
        }
        if !self.code_text.contains("{code}") || self.code_text.chars().count() > TEXT_CHARS_MAX {
            return bad("code_text", "at most 2,000 characters, with {code} in it");
        }
        Ok(())
    }
}

/// Short items that fit on a page.
pub(super) fn check_list(items: &[String]) -> Result<(), Invalid> {
    let good = |item: &String| !item.trim().is_empty() && item.chars().count() <= ITEM_CHARS_MAX;
    if items.len() > ITEM_COUNT_MAX || !items.iter().all(good) {
        return Err(Invalid::new("checklist", "at most 10 items of 1 to 80 characters"));
    }
    Ok(())
}

/// The settings in a transaction; what cannot be read has its default.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<HandoffSettings, StoreError> {
    let kept = setting::find(tx, workspace, SETTING)?;
    Ok(kept.and_then(|kept| serde_json::from_value(kept).ok()).unwrap_or_default())
}

/// The settings.
pub async fn get(desk: &Desk, workspace: WorkspaceId) -> Result<HandoffSettings, StoreError> {
    desk.db.read(move |tx| find(tx, workspace)).await
}

/// Sets all of them.
pub async fn put(desk: &Desk, who: &Who, settings: HandoffSettings) -> Result<HandoffSettings, ChangeError> {
    if !may_set_up_workspace(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    settings.check()?;
    let (workspace, agent, now) = (who.workspace, who.agent, desk.now());
    let kept = settings.clone();
    desk.db
        .write(Route::Any, move |tx| -> Result<(), StoreError> {
            setting::put(tx, workspace, SETTING, &serde_json::json!(kept))?;
            tx.log(Event {
                workspace,
                stream_id: None,
                seq: None,
                kind: "handoff.settings_changed",
                at: now,
                actor: Actor::Agent(agent),
                cause_id: None,
                payload: serde_json::json!({}),
            });
            Ok(())
        })
        .await?;
    Ok(settings)
}
