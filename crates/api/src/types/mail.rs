//! What mails have beside a text: senders and receivers, and what an agent may choose of them.

use desk::reply::{MailChoice, MailMode, Plan};
use model::{ContactPointId, EntryId, InboxId, MailAddress};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The mail side of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryMail {
    /// Who it says to be from (incoming).
    pub from: Option<MailAddress>,
    /// Where the sender wants answers (incoming).
    pub reply_to: Vec<MailAddress>,
    /// Receivers.
    pub to: Vec<MailAddress>,
    /// In copy.
    pub cc: Vec<MailAddress>,
    /// In copy, seen by nobody but the team.
    pub bcc: Vec<MailAddress>,
    /// What kind of answer: reply, reply_all, forward, new; chat: messages of a chat that went on by mail.
    pub mode: Option<String>,
    /// Words under the text.
    pub signature: Option<String>,
    /// A machine wrote it.
    pub automatic: bool,
}

impl From<&model::Mail> for EntryMail {
    fn from(mail: &model::Mail) -> Self {
        Self {
            from: mail.from.clone(),
            reply_to: mail.reply_to.clone(),
            to: mail.to.clone(),
            cc: mail.cc.clone(),
            bcc: mail.bcc.clone(),
            mode: mail.mode.clone(),
            signature: mail.signature.as_ref().map(|s| s.text.clone()),
            automatic: mail.automatic.is_some(),
        }
    }
}

/// What kind of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailWishMode {
    /// To the sender of the answered mail.
    Reply,
    /// To everybody who had it.
    ReplyAll,
    /// To somebody else; the customer does not see it.
    Forward,
}

impl From<MailWishMode> for MailMode {
    fn from(mode: MailWishMode) -> Self {
        match mode {
            MailWishMode::Reply => Self::Reply,
            MailWishMode::ReplyAll => Self::ReplyAll,
            MailWishMode::Forward => Self::Forward,
        }
    }
}

impl From<MailMode> for MailWishMode {
    fn from(mode: MailMode) -> Self {
        match mode {
            MailMode::Reply => Self::Reply,
            MailMode::ReplyAll => Self::ReplyAll,
            MailMode::Forward => Self::Forward,
        }
    }
}

/// Receivers, subject and the rest of an answer by mail. What is left out follows from the answered mail.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailWish {
    /// Which kind of answer; else to all when the answered mail had others.
    #[serde(default)]
    pub mode: Option<MailWishMode>,
    /// Which entry is answered; else the customer's last mail.
    #[serde(default)]
    pub answers: Option<EntryId>,
    /// Receivers.
    #[serde(default)]
    pub to: Option<Vec<MailAddress>>,
    /// In copy.
    #[serde(default)]
    pub cc: Option<Vec<MailAddress>>,
    /// In copy, seen by nobody.
    #[serde(default)]
    pub bcc: Vec<MailAddress>,
    /// Subject.
    #[serde(default)]
    pub subject: Option<String>,
    /// Repeat the answered mail below; else yes.
    #[serde(default)]
    pub quote: Option<bool>,
    /// With signature; else yes.
    #[serde(default)]
    pub signature: Option<bool>,
}

impl From<MailWish> for MailChoice {
    fn from(wish: MailWish) -> Self {
        Self {
            mode: wish.mode.map(Into::into),
            answers: wish.answers,
            to: wish.to,
            cc: wish.cc,
            bcc: wish.bcc,
            subject: wish.subject,
            quote: wish.quote,
            signature: wish.signature,
        }
    }
}

/// A plan is asked for: the same fields as in sending.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanMail {
    /// The chosen way; else the first by mail.
    #[serde(default)]
    pub inbox_id: Option<InboxId>,
    /// The chosen address.
    #[serde(default)]
    pub contact_point_id: Option<ContactPointId>,
    /// What was chosen so far.
    #[serde(default)]
    pub mail: Option<MailWish>,
}

/// What a mail would be: shown before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MailPlan {
    /// Through which inbox.
    pub inbox_id: InboxId,
    /// To which address of the customer.
    pub contact_point_id: Option<ContactPointId>,
    /// Which kind of answer.
    pub mode: MailWishMode,
    /// The answered entry.
    pub answers: Option<EntryId>,
    /// Receivers.
    pub to: Vec<MailAddress>,
    /// In copy.
    pub cc: Vec<MailAddress>,
    /// In copy, seen by nobody.
    pub bcc: Vec<MailAddress>,
    /// Subject.
    pub subject: String,
    /// Entries that will be repeated below.
    pub quotes: Vec<EntryId>,
    /// Addresses that are new to this conversation: they take part from then on.
    pub new: Vec<String>,
    /// The sender, who is proven, asked for answers at another address.
    pub from_reply_to: bool,
    /// The answered mail had other receivers.
    pub had_others: bool,
}

impl MailPlan {
    /// A plan through a way.
    pub fn of(way: &desk::reply::ReplyOption, plan: Plan) -> Self {
        Self {
            inbox_id: way.inbox_id,
            contact_point_id: way.contact_point_id,
            mode: plan.mode.into(),
            answers: plan.answers,
            to: plan.to,
            cc: plan.cc,
            bcc: plan.bcc,
            subject: plan.subject,
            quotes: plan.quotes,
            new: plan.new,
            from_reply_to: plan.from_reply_to,
            had_others: plan.had_others,
        }
    }
}
