//! Words of mails: signatures, templates, and what an inbox answers by itself.

use super::news;
use crate::people::rights::{may_set_up_inboxes, may_share_views};
use crate::people::{ChangeError, Invalid, check};
use crate::{Desk, Who};
use model::{Actor, AgentId, InboxId, TemplateId, Timestamp};
use serde_json::json;
use store::automatic_answer::{self, AutomaticAnswer};
use store::signature::{self, Signature};
use store::template::{self, Template};
use store::{Conn, Route, StoreError};

const SIGNATURE_CHARS_MAX: usize = 5_000;
const TEXT_CHARS_MAX: usize = 50_000;
const HTML_BYTES_MAX: usize = 256 * 1024;
const COUNT_MAX: usize = 2_000;
const MINUTES_MAX: i64 = 60 * 24 * 60;

fn texts(text: &str, html: Option<&str>, chars_max: usize) -> Result<(), Invalid> {
    if text.chars().count() > chars_max {
        return Err(Invalid::new("text", format!("at most {chars_max} characters")));
    }
    if html.is_some_and(|html| html.len() > HTML_BYTES_MAX) {
        return Err(Invalid::new("html", "at most 256 KiB"));
    }
    Ok(())
}

fn inbox_is_there(tx: &mut dyn Conn, who: &Who, inbox: Option<InboxId>) -> Result<Result<(), Invalid>, StoreError> {
    Ok(match inbox.map(|id| store::inbox::find(tx, who.workspace, id)).transpose()?.flatten() {
        None if inbox.is_some() => Err(Invalid::new("inbox_id", "an inbox that exists")),
        _ => Ok(()),
    })
}

/// Every signature that this agent may see: the house's, and their own; admins see all.
pub async fn signatures(desk: &Desk, who: &Who) -> Result<Vec<Signature>, StoreError> {
    let (workspace, agent, all) = (who.workspace, who.agent, may_set_up_inboxes(who.role));
    let rows = desk.db.read(move |tx| signature::list(tx, workspace)).await?;
    Ok(rows.into_iter().filter(|s| all || s.agent_id.is_none_or(|id| id == agent)).collect())
}

/// Sets a signature; an empty text removes it. Agents set their own, admins all.
pub async fn set_signature(
    desk: &Desk,
    who: &Who,
    inbox: Option<InboxId>,
    agent: Option<AgentId>,
    text: &str,
    html: Option<&str>,
) -> Result<(), ChangeError> {
    if agent != Some(who.agent) && !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    texts(text, html, SIGNATURE_CHARS_MAX)?;
    let (now, who) = (desk.now(), who.clone());
    let (text, html) = (model::fold::clean(text), html.map(str::to_owned));
    desk.db
        .write(Route::Any, move |tx| {
            if let Err(refused) = inbox_is_there(tx, &who, inbox)? {
                return Ok::<_, StoreError>(Err(refused.into()));
            }
            if let Some(agent) = agent
                && store::agent::find(tx, who.workspace, agent)?.is_none()
            {
                return Ok(Err(Invalid::new("agent_id", "an agent who exists").into()));
            }
            if text.trim().is_empty() {
                signature::delete(tx, who.workspace, inbox, agent)?;
            } else {
                signature::put(tx, who.workspace, inbox, agent, &text, html.as_deref())?;
            }
            let payload = json!({"inbox_id": inbox, "agent_id": agent});
            tx.log(news(who.workspace, "signature.changed", Actor::Agent(who.agent), now, payload));
            Ok(Ok(()))
        })
        .await?
}

/// The templates that this agent may use, by name.
pub async fn templates(desk: &Desk, who: &Who) -> Result<Vec<Template>, StoreError> {
    let (workspace, agent) = (who.workspace, who.agent);
    let rows = desk.db.read(move |tx| template::list(tx, workspace)).await?;
    Ok(rows.into_iter().filter(|t| t.agent_id.is_none_or(|id| id == agent)).collect())
}

/// A template as it shall be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplateInput {
    /// Its name.
    pub name: String,
    /// Everybody may use it; else it is the agent's own.
    pub shared: bool,
    /// Offered in this inbox only.
    pub inbox_id: Option<InboxId>,
    /// Subject, for what begins a conversation.
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
}

/// Adds a template, or changes one of which this version was seen.
pub async fn set_template(
    desk: &Desk,
    who: &Who,
    change: Option<(TemplateId, i64)>,
    input: TemplateInput,
) -> Result<Template, ChangeError> {
    let name = check::name("name", &input.name)?;
    texts(&input.text, input.html.as_deref(), TEXT_CHARS_MAX)?;
    if input.text.trim().is_empty() {
        return Err(Invalid::new("text", "the words of the template").into());
    }
    if input.shared && !may_share_views(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            if let Err(refused) = inbox_is_there(tx, &who, input.inbox_id)? {
                return Ok::<_, StoreError>(Err(refused.into()));
            }
            let mut row = Template {
                id: TemplateId(0),
                name: name.clone(),
                agent_id: (!input.shared).then_some(who.agent),
                inbox_id: input.inbox_id,
                subject: input.subject.clone().filter(|s| !s.trim().is_empty()),
                text: model::fold::clean(&input.text),
                html: input.html.clone().filter(|h| !h.trim().is_empty()),
                version: 1,
                updated_at: now,
            };
            match change {
                Some((id, version)) => {
                    let before = match mine(tx, &who, id)? {
                        Ok(before) => before,
                        Err(refused) => return Ok(Err(refused)),
                    };
                    if before.version != version {
                        return Ok(Err(Invalid::new("version", "somebody else changed it meanwhile; read it again").into()));
                    }
                    (row.id, row.version) = (id, version);
                    template::change(tx, who.workspace, &row)?;
                }
                None if template::list(tx, who.workspace)?.len() >= COUNT_MAX => {
                    return Ok(Err(Invalid::new("name", format!("at most {COUNT_MAX} templates")).into()));
                }
                None => row.id = template::add(tx, who.workspace, &row)?,
            }
            tell(tx, &who, "template.changed", row.id, now);
            Ok(Ok(template::find(tx, who.workspace, row.id)?.ok_or(StoreError::NotFound)?))
        })
        .await?
}

/// Removes a template.
pub async fn remove_template(desk: &Desk, who: &Who, id: TemplateId) -> Result<(), ChangeError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            if let Err(refused) = mine(tx, &who, id)? {
                return Ok::<_, StoreError>(Err(refused));
            }
            template::delete(tx, who.workspace, id)?;
            tell(tx, &who, "template.removed", id, now);
            Ok(Ok(()))
        })
        .await?
}

/// The template, if this agent may change it.
fn mine(tx: &mut dyn Conn, who: &Who, id: TemplateId) -> Result<Result<Template, ChangeError>, StoreError> {
    Ok(match template::find(tx, who.workspace, id)? {
        Some(found) if found.agent_id == Some(who.agent) => Ok(found),
        Some(found) if found.agent_id.is_none() && may_share_views(who.role) => Ok(found),
        Some(found) if found.agent_id.is_none() => Err(ChangeError::NotAllowed),
        _ => Err(ChangeError::NotFound),
    })
}

fn tell(tx: &mut dyn Conn, who: &Who, kind: &'static str, id: TemplateId, now: Timestamp) {
    tx.log(news(who.workspace, kind, Actor::Agent(who.agent), now, json!({"template_id": id})));
}

/// What an inbox answers by itself.
pub async fn answers(desk: &Desk, who: &Who, inbox: InboxId) -> Result<Vec<AutomaticAnswer>, ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let workspace = who.workspace;
    Ok(desk.db.read(move |tx| automatic_answer::list(tx, workspace, inbox)).await?)
}

/// Sets what an inbox answers by itself. For admins.
pub async fn set_answer(desk: &Desk, who: &Who, answer: AutomaticAnswer) -> Result<AutomaticAnswer, ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    texts(&answer.text, answer.html.as_deref(), TEXT_CHARS_MAX)?;
    if answer.enabled && answer.text.trim().is_empty() {
        return Err(Invalid::new("text", "the words of the answer").into());
    }
    if answer.article_url.as_deref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
        return Err(Invalid::new("article_url", "an address that begins with https://").into());
    }
    if answer.reply_within_minutes.is_some_and(|minutes| !(1..=MINUTES_MAX).contains(&minutes)) {
        return Err(Invalid::new("reply_within_minutes", "1 minute to 60 days").into());
    }
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            if store::inbox::find(tx, who.workspace, answer.inbox_id)?.is_none() {
                return Ok::<_, StoreError>(Err(ChangeError::NotFound));
            }
            if let Some(hours) = answer.business_hours_id
                && store::business_hours::find(tx, who.workspace, hours)?.is_none()
            {
                return Ok(Err(Invalid::new("business_hours_id", "opening hours that exist").into()));
            }
            automatic_answer::put(tx, who.workspace, &answer)?;
            let payload = json!({"inbox_id": answer.inbox_id, "kind": answer.kind, "enabled": answer.enabled});
            tx.log(news(who.workspace, "automatic_answer.changed", Actor::Agent(who.agent), now, payload));
            let all = automatic_answer::list(tx, who.workspace, answer.inbox_id)?;
            Ok(Ok(all.into_iter().find(|a| a.kind == answer.kind).ok_or(StoreError::NotFound)?))
        })
        .await?
}
