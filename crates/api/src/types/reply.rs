//! Ways to reach the customer of a conversation.

use channel::Fix;
use desk::reply::{ReplyOption as Way, WayState};
use model::{BlockReason, Channel, ContactPointId, InboxId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How open a way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplyState {
    /// Usable.
    Ok,
    /// Usable, with something to know.
    Warn,
    /// Not now; the reason says why.
    Blocked,
}

/// The one thing that would help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplyFix {
    /// What to do.
    pub action: String,
    /// Key of the words for it.
    pub label_key: String,
}

/// What fits through a way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplyLimits {
    /// Characters; none: no limit.
    pub text_max: Option<u32>,
    /// Largest file.
    pub attachment_bytes_max: u64,
    /// Files in one message.
    pub attachments_max: u32,
    /// Media types that are taken.
    pub types: Vec<String>,
}

/// One way to reach the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplyOption {
    /// Its channel.
    pub channel: Channel,
    /// Its inbox.
    pub inbox_id: InboxId,
    /// Name of the inbox.
    pub inbox_name: String,
    /// The address.
    pub contact_point_id: Option<ContactPointId>,
    /// The address as shown.
    pub address: String,
    /// How open it is.
    pub state: ReplyState,
    /// Why.
    pub reason: Option<BlockReason>,
    /// Until when, where it ends by itself.
    pub until: Option<Timestamp>,
    /// The one thing that would help.
    pub fix: Option<ReplyFix>,
    /// What fits.
    pub limits: ReplyLimits,
    /// Taken when nothing is chosen.
    pub default: bool,
    /// How well the address is proven.
    pub proof_level: i64,
    /// When the visitor left the chat.
    pub away_since: Option<Timestamp>,
    /// What is not read there goes on by mail so many seconds later.
    pub by_mail_after_seconds: Option<i64>,
}

impl From<Way> for ReplyOption {
    fn from(way: Way) -> Self {
        Self {
            channel: way.channel,
            inbox_id: way.inbox_id,
            inbox_name: way.inbox_name,
            contact_point_id: way.contact_point_id,
            address: way.address,
            state: match way.state {
                WayState::Ok => ReplyState::Ok,
                WayState::Warn => ReplyState::Warn,
                WayState::Blocked => ReplyState::Blocked,
            },
            reason: way.reason,
            until: way.until,
            fix: way.fix.map(fix),
            limits: ReplyLimits {
                text_max: way.limits.text_max,
                attachment_bytes_max: way.limits.attachment_bytes_max,
                attachments_max: way.limits.attachments_max,
                types: way.limits.types,
            },
            default: way.is_default,
            proof_level: way.proof_level,
            away_since: way.away_since,
            by_mail_after_seconds: way.by_mail_after_seconds,
        }
    }
}

fn fix(fix: Fix) -> ReplyFix {
    let action = match fix {
        Fix::UseTemplate => "use_template",
        Fix::Shorten => "shorten",
        Fix::ChangeFiles => "change_files",
        Fix::SwitchChannel => "switch_channel",
        Fix::SignIn => "sign_in",
        Fix::SendByMail => "send_by_mail",
        Fix::AddAddress => "add_address",
    };
    ReplyFix { action: action.to_owned(), label_key: format!("fix.{action}") }
}

/// All ways of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplyOptionList {
    /// Usable ones first.
    pub items: Vec<ReplyOption>,
}
