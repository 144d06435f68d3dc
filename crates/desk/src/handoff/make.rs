//! Makes a link or a code and, where the agent chose a way, sends it as a message of its own.

use super::{HandoffError, Mode, code_hash, level, link_hash, settings};
use crate::context::{Desk, Who};
use crate::conversation::{Locked, add_event};
use crate::people::token::Token;
use crate::reply::send::{self, SendError};
use crate::reply::{NewReply, ReplyOption};
use model::{Actor, ContactPointId, ConversationId, EntryKind, HandoffId, InboxId, Timestamp, WorkspaceId};
use serde_json::json;
use store::entry::Entry;
use store::handoff_token::{self, HandoffToken};
use store::{Conn, Route, StoreError};

/// What the agent wants.
#[derive(Clone, Debug, PartialEq)]
pub struct NewHandoff {
    /// Link or code.
    pub mode: Mode,
    /// Where a link leads; none: as the settings say, else the first web chat.
    pub target: Option<InboxId>,
    /// The way by which it is sent: inbox and address. None: a link to be copied.
    pub via: Option<(InboxId, Option<ContactPointId>)>,
    /// The customer's last channel, whatever it is: the redirect of one press. Beats `via`.
    pub redirect: bool,
    /// Words of the message, with `{link}` or `{code}`; none: as the settings say.
    pub text: Option<String>,
    /// What the customer should have at hand; none: as the settings say.
    pub checklist: Option<Vec<String>>,
    /// Our own address for links, without slash at the end.
    pub base: String,
    /// Makes a repeat harmless; unique per agent.
    pub idempotency_key: String,
}

/// What was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// Its id.
    pub id: HandoffId,
    /// The link, when it was not sent: shown this once.
    pub url: Option<String>,
    /// The message that carries it.
    pub entry: Option<Entry>,
    /// What it will prove, 0 to 3.
    pub level: i64,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// Makes one, and sends it.
pub async fn make(desk: &Desk, who: &Who, id: ConversationId, new: NewHandoff) -> Result<Made, HandoffError> {
    let (workspace, now) = (who.workspace, desk.now());
    if new.text.as_ref().is_some_and(|text| text.chars().count() > 2_000) {
        return Err(HandoffError::Invalid { field: "text", text: "at most 2,000 characters" });
    }
    if new.checklist.as_ref().is_some_and(|items| settings::check_list(items).is_err()) {
        return Err(HandoffError::Invalid { field: "checklist", text: "at most 10 items of 1 to 80 characters" });
    }
    let ways = crate::reply::options(desk, who, id).await?.ok_or(HandoffError::NotFound)?;
    let way = chosen(&ways, &new)?;
    let level = level(new.mode, way.as_ref().map(|way| way.proof_level));
    if new.mode == Mode::Code && level == 0 {
        return Err(HandoffError::NotConfirmed);
    }
    let (rules, business, row) = desk
        .db
        .read(move |tx| -> Result<_, StoreError> {
            let row = store::conversation::find(tx, workspace, id)?;
            Ok((settings::find(tx, workspace)?, store::workspace::get(tx, workspace)?.name, row))
        })
        .await?;
    let row = row.ok_or(HandoffError::NotFound)?;
    let target = match new.mode {
        Mode::Link => target(desk, workspace, new.target.or(rules.inbox_id)).await?,
        Mode::Code => None,
    };
    let (secret, hash) = secret(desk, workspace, id, new.mode);
    let minutes = if new.mode == Mode::Link { rules.link_minutes } else { rules.code_minutes };
    let expires_at = now.plus_ms(minutes * 60_000);
    let token = HandoffToken {
        id: 0,
        token_hash: hash,
        mode: new.mode.word().to_owned(),
        conversation_id: id,
        contact_id: row.contact_id,
        delivered_point_id: way.as_ref().and_then(|way| way.contact_point_id),
        level,
        target_channel: target.as_ref().map(|inbox| inbox.channel),
        target_inbox_id: target.as_ref().map(|inbox| inbox.id),
        entry_id: None,
        made_by: Actor::Agent(who.agent).to_string(),
        created_at: now,
        expires_at,
        used_at: None,
        used_by: None,
        used_point_id: None,
        attempts: 0,
    };
    let kept = token.clone();
    let token_id = desk.db.write(Route::Conversation(id), move |tx| handoff_token::insert(tx, workspace, &kept)).await?;
    let url = format!("{}/t/{secret}", new.base);
    let sent = match &way {
        None => None,
        Some(way) => {
            let pattern = new.text.as_deref().unwrap_or(if new.mode == Mode::Link { &rules.link_text } else { &rules.code_text });
            let items = new.checklist.as_deref().unwrap_or(&rules.checklist);
            let text = words(pattern, new.mode, if new.mode == Mode::Link { &url } else { &secret }, items, &business);
            match send_it(desk, who, id, way, text, &new.idempotency_key).await {
                Ok(entry) => Some(entry),
                Err(error) => {
                    // Nobody got it: it must not work either.
                    desk.db.write(Route::Conversation(id), move |tx| handoff_token::end(tx, workspace, token_id, now)).await?;
                    return Err(error);
                }
            }
        }
    };
    tell(desk, who, id, token_id, &token, sent.as_ref(), now).await?;
    let url = (new.mode == Mode::Link && sent.is_none()).then_some(url);
    Ok(Made { id: HandoffId(token_id), url, entry: sent, level, expires_at })
}

fn chosen(ways: &[ReplyOption], new: &NewHandoff) -> Result<Option<ReplyOption>, HandoffError> {
    if new.redirect {
        let way = ways.iter().find(|way| way.is_default).or(ways.first());
        return way.cloned().map(Some).ok_or(HandoffError::Blocked(model::BlockReason::NoContactPoint));
    }
    let Some((inbox, point)) = new.via else {
        return match new.mode {
            Mode::Link => Ok(None),
            Mode::Code => Err(HandoffError::Invalid { field: "via", text: "a code is sent to a confirmed address" }),
        };
    };
    let fits = |way: &&ReplyOption| way.inbox_id == inbox && (point.is_none() || way.contact_point_id == point);
    let way = ways.iter().find(fits).ok_or(HandoffError::Blocked(model::BlockReason::NoContactPoint))?;
    Ok(Some(way.clone()))
}

/// The inbox that a link leads to. Without any wish, the first web chat that is open.
async fn target(
    desk: &Desk,
    workspace: WorkspaceId,
    wanted: Option<InboxId>,
) -> Result<Option<store::inbox::Inbox>, HandoffError> {
    let all = desk.db.read(move |tx| store::inbox::list(tx, workspace)).await?;
    let open = |inbox: &&store::inbox::Inbox| inbox.enabled;
    match wanted {
        Some(id) => match all.iter().filter(open).find(|inbox| inbox.id == id) {
            Some(inbox) => Ok(Some(inbox.clone())),
            None => Err(HandoffError::Invalid { field: "inbox_id", text: "an inbox that is switched on" }),
        },
        // An inbox with a public slug is one that a page can open.
        None => Ok(all.iter().filter(open).find(|inbox| inbox.site.is_some()).cloned()),
    }
}

fn secret(desk: &Desk, workspace: WorkspaceId, id: ConversationId, mode: Mode) -> (String, String) {
    match mode {
        Mode::Link => {
            let token = Token::make(workspace, &*desk.random);
            let text = token.text();
            let hash = link_hash(&text);
            (text, hash)
        }
        Mode::Code => {
            let mut bytes = [0; 8];
            desk.random.fill(&mut bytes);
            // 2^64 is so much more than a million that no code is likelier than another.
            let digits = format!("{:06}", u64::from_be_bytes(bytes) % 1_000_000);
            let hash = code_hash(id, &digits);
            (digits, hash)
        }
    }
}

fn words(pattern: &str, mode: Mode, secret: &str, checklist: &[String], business: &str) -> String {
    let mark = if mode == Mode::Link { "{link}" } else { "{code}" };
    let list = match checklist {
        [] => String::new(),
        items => format!("Please have at hand: {}.", items.join(", ")),
    };
    let mut text = pattern.replace("{checklist}", &list).replace("{business}", business);
    if !text.contains(mark) {
        text.push_str(&format!("\n{mark}"));
    }
    text.replace(mark, secret).trim_end().to_owned()
}

async fn send_it(
    desk: &Desk,
    who: &Who,
    id: ConversationId,
    way: &ReplyOption,
    text: String,
    key: &str,
) -> Result<Entry, HandoffError> {
    let reply = NewReply {
        inbox_id: Some(way.inbox_id),
        contact_point_id: way.contact_point_id,
        force: true,
        ..NewReply::plain(EntryKind::Message, text, format!("handoff:{key}"))
    };
    send::send(desk, who, id, reply).await.map_err(|error| match error {
        SendError::NotFound => HandoffError::NotFound,
        SendError::Blocked { reason } => HandoffError::Blocked(reason),
        SendError::Invalid { field, text } => HandoffError::Invalid { field, text },
        SendError::Store(error) => HandoffError::Store(error),
        _ => HandoffError::Blocked(model::BlockReason::AgentNotAllowed),
    })
}

async fn tell(
    desk: &Desk,
    who: &Who,
    id: ConversationId,
    token_id: i64,
    token: &HandoffToken,
    sent: Option<&Entry>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (who, token, entry) = (who.clone(), token.clone(), sent.map(|entry| entry.id));
    desk.db
        .write(Route::Conversation(id), move |tx| -> Result<(), StoreError> {
            if let Some(entry) = entry {
                handoff_token::note_entry(tx, who.workspace, token_id, entry)?;
            }
            let mut locked = Locked::lock_live(tx, who.workspace, id)?;
            let args = json!({
                "handoff": HandoffId(token_id), "mode": token.mode, "level": token.level, "to_channel": token.target_channel,
                "to_inbox": token.target_inbox_id, "contact_point": token.delivered_point_id, "sent_as": entry,
                "expires_at": token.expires_at,
            });
            let actor = Actor::Agent(who.agent);
            add_event(tx, &mut locked, "conversation.handoff_made", "handoff_made", args, actor, &who.name, now)?;
            locked.save(tx)?;
            Ok(())
        })
        .await
}

/// Takes a link or code back that was not used yet.
pub async fn take_back(desk: &Desk, who: &Who, id: ConversationId, handoff: HandoffId) -> Result<(), HandoffError> {
    let (who, now) = (who.clone(), desk.now());
    desk.db
        .write(Route::Conversation(id), move |tx| -> Result<Result<(), HandoffError>, StoreError> {
            let found = handoff_token::find(tx, who.workspace, handoff.0)?.filter(|token| token.conversation_id == id);
            if found.is_none() {
                return Ok(Err(HandoffError::NotFound));
            }
            if handoff_token::end(tx, who.workspace, handoff.0, now)? {
                let mut locked = Locked::lock_live(tx, who.workspace, id)?;
                let (actor, args) = (Actor::Agent(who.agent), json!({ "handoff": handoff }));
                add_event(tx, &mut locked, "conversation.handoff_ended", "handoff_ended", args, actor, &who.name, now)?;
                locked.save(tx)?;
            }
            Ok(Ok(()))
        })
        .await?
}

/// The links and codes of a conversation, newest first.
pub async fn list(desk: &Desk, workspace: WorkspaceId, id: ConversationId) -> Result<Vec<HandoffToken>, StoreError> {
    desk.db.read(move |tx| of(tx, workspace, id)).await
}

fn of(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Vec<HandoffToken>, StoreError> {
    handoff_token::of_conversation(tx, workspace, id, 50)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_always_carry_the_secret() {
        let list = ["order number".to_owned(), "postcode".to_owned()];
        assert_eq!(
            words("Go on: {link}\n{checklist}", Mode::Link, "L", &list, "Acme"),
            "Go on: L\nPlease have at hand: order number, postcode."
        );
        assert_eq!(words("Go on: {link}\n{checklist}", Mode::Link, "L", &[], "Acme"), "Go on: L");
        assert_eq!(words("Hello", Mode::Link, "L", &[], "Acme"), "Hello\nL", "an agent who deleted the mark");
        assert_eq!(words("{business}: {code}", Mode::Code, "123456", &[], "{code}"), "123456: 123456");
    }
}
