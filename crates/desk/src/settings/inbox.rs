//! Inboxes: made, changed, switched off. Their adapter checks the settings; this file knows only the few names that mean
//! the same in every adapter: `site`, `title`, `colour`, `business_hours_id`.

use super::{merge_patch, news};
use crate::people::rights::may_set_up_inboxes;
use crate::people::{ChangeError, Invalid, check};
use crate::{Desk, Who};
use model::fold::fold;
use model::{Actor, AgentId, BusinessHoursId, Channel, InboxId, InboxState, TeamId, Timestamp, WorkspaceId};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use store::inbox::{Inbox, NewInbox};
use store::{Conn, Route, StoreError, agent, business_hours, inbox, team, workspace};

const SITE_CHARS_MAX: usize = 40;
const SETTINGS_BYTES_MAX: usize = 64 * 1024;

/// What is to be changed. The outer `None` leaves; an inner one clears.
#[derive(Debug, Clone, Default)]
pub struct InboxChange {
    /// Its name.
    pub name: Option<String>,
    /// Whether it takes and sends.
    pub enabled: Option<bool>,
    /// Where its conversations start.
    pub team_id: Option<Option<TeamId>>,
    /// Who may see it; empty: everybody.
    pub agent_ids: Option<Vec<AgentId>>,
    /// A merge patch for the settings of the adapter.
    pub settings: Option<Json>,
}

type Adapter = Arc<dyn channel::Channel>;
type Outcome<T> = Result<Result<T, ChangeError>, StoreError>;

/// Every inbox, oldest first.
pub async fn list(desk: &Desk, who: &Who) -> Result<Vec<Inbox>, StoreError> {
    let workspace = who.workspace;
    desk.db.read(move |tx| inbox::list(tx, workspace)).await
}

/// The inbox of a public slug, in whatever workspace.
pub async fn find_by_site(desk: &Desk, site: &str) -> Result<Option<Inbox>, StoreError> {
    let site = site.to_owned();
    desk.db.read(move |tx| inbox::find_by_site(tx, &site)).await
}

/// Makes an inbox. What `settings` leaves out comes from the adapter and from the workspace.
pub async fn add(desk: &Desk, who: &Who, channel: Channel, name: &str, settings: Json) -> Result<Inbox, ChangeError> {
    add_as(desk, who, channel, name, settings, true).await
}

/// The same, switched on or off: nothing is taken in before somebody has finished setting it up.
pub async fn add_as(
    desk: &Desk,
    who: &Who,
    channel: Channel,
    name: &str,
    settings: Json,
    enabled: bool,
) -> Result<Inbox, ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let name = check::name("name", name)?;
    let adapter = adapter(desk, channel)?;
    let (now, who) = (desk.now(), who.clone());
    let made = desk
        .db
        .write(Route::Any, move |tx| {
            let made = match add_in(tx, &who, &adapter, channel, &name, &settings, now)? {
                Ok(made) => made,
                Err(refused) => return Ok(Err(refused)),
            };
            if enabled {
                return Ok(Ok(made));
            }
            inbox::change(tx, &Inbox { enabled: false, state: InboxState::Off, ..made.clone() })?;
            inbox::get(tx, who.workspace, made.id).map(Ok)
        })
        .await??;
    desk.directory.forget();
    Ok(made)
}

fn adapter(desk: &Desk, channel: Channel) -> Result<Adapter, ChangeError> {
    let adapter = desk.channels.get(channel).cloned();
    adapter.ok_or_else(|| Invalid::new("channel", "a channel that this build can serve").into())
}

fn add_in(
    tx: &mut dyn Conn,
    who: &Who,
    adapter: &Adapter,
    channel: Channel,
    name: &str,
    wanted: &Json,
    now: Timestamp,
) -> Outcome<Inbox> {
    let workspace = who.workspace;
    let defaults = adapter.validate_settings(&json!({})).unwrap_or_else(|_| json!({}));
    let mut settings = json!({});
    let place = workspace::get(tx, workspace)?;
    let hours = business_hours::list(tx, workspace)?.first().map(|hours| hours.id);
    for (key, value) in [("title", json!(place.name)), ("colour", json!(place.colour)), ("business_hours_id", json!(hours))] {
        if defaults.get(key).is_some() && !value.is_null() {
            settings[key] = value;
        }
    }
    merge_patch(&mut settings, wanted);
    let mut settings = match checked(tx, workspace, adapter, &settings)? {
        Ok(settings) => settings,
        Err(refused) => return Ok(Err(refused.into())),
    };
    if let Err(refused) = address_is_free(tx, workspace, adapter, channel, &settings, None)? {
        return Ok(Err(refused.into()));
    }
    let site = match settings.get("site").map(|site| site.as_str().unwrap_or_default().to_owned()) {
        None => None,
        Some(site) if site.is_empty() => Some(free_site(tx, name)?),
        Some(site) => match own_site(tx, &site, None)? {
            Ok(()) => Some(site),
            Err(refused) => return Ok(Err(refused.into())),
        },
    };
    if let Some(site) = &site {
        settings["site"] = json!(site);
    }
    let new = NewInbox { channel, name, site: site.as_deref(), settings: &settings };
    let id = inbox::add(tx, workspace, &new, now)?;
    let payload = json!({ "inbox_id": id, "channel": channel });
    tx.log(news(workspace, "inbox.added", Actor::Agent(who.agent), now, payload));
    inbox::get(tx, workspace, id).map(Ok)
}

// The adapter's word on the settings, then what only we can know: do the opening hours exist?
fn checked(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    adapter: &Adapter,
    settings: &Json,
) -> Result<Result<Json, Invalid>, StoreError> {
    if settings.to_string().len() > SETTINGS_BYTES_MAX {
        return Ok(Err(Invalid::new("settings", "fewer and shorter settings")));
    }
    let settings = match adapter.validate_settings(settings) {
        Ok(settings) => settings,
        Err(refused) => return Ok(Err(Invalid::new(refused.field, refused.text))),
    };
    if let Some(hours) = settings.get("business_hours_id").and_then(Json::as_str) {
        let known = match BusinessHoursId::parse(hours) {
            Ok(id) => business_hours::find(tx, workspace, id)?.is_some(),
            Err(_) => false,
        };
        if !known {
            return Ok(Err(Invalid::new("business_hours_id", "opening hours that exist")));
        }
    }
    Ok(Ok(settings))
}

// Two fetchers of one mailbox would both answer: the second inbox is told the name of the first.
fn address_is_free(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    adapter: &Adapter,
    channel: Channel,
    settings: &Json,
    own: Option<InboxId>,
) -> Result<Result<(), Invalid>, StoreError> {
    let seen = |id, name: &str, settings: &Json| channel::InboxSettings {
        id,
        channel,
        name: name.to_owned(),
        settings: settings.clone(),
        secrets: Arc::new(channel::NoSecrets),
    };
    let Some(mine) = adapter.own_address(&seen(own.unwrap_or(InboxId(0)), "", settings)) else { return Ok(Ok(())) };
    for other in inbox::list(tx, workspace)?.iter().filter(|other| other.channel == channel && Some(other.id) != own) {
        let theirs = adapter.own_address(&seen(other.id, &other.name, &other.settings));
        if theirs.is_some_and(|theirs| !mine.address.is_empty() && theirs.is(&mine.address)) {
            let text = format!("an address that no other inbox has: \"{}\" already has this one", other.name);
            return Ok(Err(Invalid::new("address", text)));
        }
    }
    Ok(Ok(()))
}

fn own_site(tx: &mut dyn Conn, site: &str, own: Option<InboxId>) -> Result<Result<(), Invalid>, StoreError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if site.is_empty() || site.len() > SITE_CHARS_MAX || !site.chars().all(plain) || site.starts_with('-') || site.ends_with('-')
    {
        return Ok(Err(Invalid::new("site", "lower-case letters, digits and hyphens, at most 40")));
    }
    let taken = inbox::find_by_site(tx, site)?.is_some_and(|other| Some(other.id) != own);
    Ok(if taken { Err(Invalid::new("site", "a name that is still free")) } else { Ok(()) })
}

fn free_site(tx: &mut dyn Conn, name: &str) -> Result<String, StoreError> {
    let base = slug(name);
    for n in 1..1_000 {
        let site = if n == 1 { base.clone() } else { format!("{base}-{n}") };
        if inbox::find_by_site(tx, &site)?.is_none() {
            return Ok(site);
        }
    }
    Ok(format!("{base}-{}", model::id::encode(tx.id())))
}

fn slug(name: &str) -> String {
    let words: Vec<String> =
        fold(name).split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let slug: String = words.join("-").chars().take(SITE_CHARS_MAX - 10).collect();
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "chat".to_owned() } else { slug.to_owned() }
}

/// Changes an inbox.
pub async fn change(desk: &Desk, who: &Who, id: InboxId, mut change: InboxChange) -> Result<Inbox, ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    if let Some(name) = &change.name {
        change.name = Some(check::name("name", name)?);
    }
    let (now, channels, who) = (desk.now(), desk.channels.clone(), who.clone());
    let changed = desk.db.write(Route::Any, move |tx| change_in(tx, &channels, &who, id, &change, now)).await??;
    desk.directory.forget();
    Ok(changed)
}

fn change_in(
    tx: &mut dyn Conn,
    channels: &channel::Registry,
    who: &Who,
    id: InboxId,
    change: &InboxChange,
    now: Timestamp,
) -> Outcome<Inbox> {
    let workspace = who.workspace;
    let Some(before) = inbox::find(tx, workspace, id)? else { return Ok(Err(ChangeError::NotFound)) };
    let mut after = before.clone();
    if let Some(name) = &change.name {
        after.name.clone_from(name);
    }
    if let Some(enabled) = change.enabled {
        after.enabled = enabled;
        after.state = match (enabled, before.state) {
            (false, _) => InboxState::Off,
            (true, InboxState::Off) => InboxState::Ok,
            (true, state) => state,
        };
    }
    if let Some(team_id) = change.team_id {
        if let Some(team_id) = team_id
            && team::find(tx, workspace, team_id)?.is_none()
        {
            return Ok(Err(Invalid::new("team_id", "a team that exists").into()));
        }
        after.team_id = team_id;
    }
    if let Some(wanted) = &change.settings {
        let Some(adapter) = channels.get(before.channel) else {
            return Ok(Err(Invalid::new("channel", "a channel that this build can serve").into()));
        };
        merge_patch(&mut after.settings, wanted);
        if let Some(site) = &before.site
            && after.settings.get("site").is_none_or(|wanted| wanted.as_str() == Some(""))
        {
            after.settings["site"] = json!(site);
        }
        after.settings = match checked(tx, workspace, adapter, &after.settings)? {
            Ok(settings) => settings,
            Err(refused) => return Ok(Err(refused.into())),
        };
        if let Err(refused) = address_is_free(tx, workspace, adapter, before.channel, &after.settings, Some(id))? {
            return Ok(Err(refused.into()));
        }
        if let Some(site) = after.settings.get("site").and_then(Json::as_str).map(str::to_owned) {
            if let Err(refused) = own_site(tx, &site, Some(id))? {
                return Ok(Err(refused.into()));
            }
            after.site = Some(site);
        }
    }
    if let Some(agents) = &change.agent_ids {
        for agent in agents {
            if agent::find(tx, workspace, *agent)?.is_none() {
                return Ok(Err(Invalid::new("agent_ids", "agents that exist").into()));
            }
        }
        after.agent_ids = agents.clone();
        after.agent_ids.sort_unstable();
        after.agent_ids.dedup();
    }
    if after == before {
        return Ok(Ok(before));
    }
    inbox::change(tx, &after)?;
    if after.agent_ids != before.agent_ids {
        inbox::set_agents(tx, workspace, id, &after.agent_ids)?;
    }
    tx.log(news(workspace, "inbox.changed", Actor::Agent(who.agent), now, difference(&before, &after)));
    inbox::get(tx, workspace, id).map(Ok)
}

fn difference(before: &Inbox, after: &Inbox) -> Json {
    let mut changed = serde_json::Map::new();
    let mut note = |name: &str, from: Json, to: Json| {
        if from != to {
            changed.insert(name.to_owned(), json!({ "from": from, "to": to }));
        }
    };
    note("name", json!(before.name), json!(after.name));
    note("enabled", json!(before.enabled), json!(after.enabled));
    note("team_id", json!(before.team_id), json!(after.team_id));
    note("agent_ids", json!(before.agent_ids), json!(after.agent_ids));
    let names = before.settings.as_object().into_iter().chain(after.settings.as_object()).flat_map(serde_json::Map::keys);
    let settings: std::collections::BTreeSet<&String> =
        names.filter(|name| before.settings.get(name.as_str()) != after.settings.get(name.as_str())).collect();
    if !settings.is_empty() {
        changed.insert("settings".to_owned(), json!(settings));
    }
    json!({ "inbox_id": after.id, "changed": changed })
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn slugs_are_short_and_plain() {
        assert_eq!(slug("Müller & Söhne GmbH"), "muller-sohne-gmbh");
        assert_eq!(slug("  --  "), "chat");
        assert_eq!(slug("日本"), "chat");
        assert!(slug(&"long name ".repeat(20)).len() <= 30);
    }
}
