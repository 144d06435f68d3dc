//! The business itself: workspace, owner, agents, teams, opening hours, tags, inboxes. What is there already by its name is
//! used, so that sample data can also be put beside a set-up of one's own.

use super::files::Drawer;
use super::{DemoError, Wanted, has_owner};
use crate::people::check;
use crate::settings::{inbox as inboxes, news};
use crate::{Desk, Who};
use model::hours::{Hours, Span};
use model::{Actor, AgentId, Availability, Channel, InboxId, Role, TagId, TeamId, Timestamp, WorkspaceId};
use serde_json::json;
use std::collections::BTreeMap;
use store::{Conn, Route, StoreError, agent, business_hours, inbox, tag, team, workspace};

const NAME: &str = "Velo Nord";
const COLOUR: &str = "#0b6b74";
const ZONE: &str = "Europe/Berlin";
const OWNER: &str = "Lea Winter";
const OWNER_EMAIL: &str = "owner@velo-nord.example";
/// Passwords that nobody knows: not the form of any hash.
const NO_PASSWORD: &str = "!";

const AGENTS: [(&str, &str, Role, Availability, &[usize]); 5] = [
    ("Jonas Falk", "jonas", Role::Admin, Availability::Available, &[0, 1]),
    ("Amira Haddad", "amira", Role::Supervisor, Availability::Available, &[0]),
    ("Tom Becker", "tom", Role::Agent, Availability::Busy, &[1]),
    ("Sofía Rossi", "sofia", Role::Agent, Availability::Away, &[0]),
    ("Nils Eriksen", "nils", Role::Agent, Availability::Offline, &[0, 1]),
];
const TEAMS: [&str; 2] = ["Sales & orders", "Workshop"];
const INBOXES: [(Channel, &str); 9] = [
    (Channel::Webchat, "Website chat"),
    (Channel::Email, "hello@velo-nord.example"),
    (Channel::Sms, "Text messages"),
    (Channel::Whatsapp, "WhatsApp"),
    (Channel::Messenger, "Facebook page"),
    (Channel::Instagram, "@velo.nord"),
    (Channel::Telegram, "Velo Nord bot"),
    (Channel::Viber, "Viber"),
    (Channel::Voice, "Hotline"),
];
const COLOURS: [&str; 8] = ["#0b6b74", "#b4540a", "#7a3e9d", "#2f6f2f", "#a3293d", "#2456a6", "#6b5b00", "#555b66"];

/// Login of the owner that was made.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnerLogin {
    /// Address.
    pub email: String,
    /// Password, shown once.
    pub password: String,
}

impl std::fmt::Debug for OwnerLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnerLogin").field("email", &self.email).finish_non_exhaustive()
    }
}

/// An agent of the business with their teams.
#[derive(Debug, Clone)]
pub struct Colleague {
    /// Who.
    pub who: Who,
    /// Numbers in `TEAMS`.
    pub teams: Vec<usize>,
}

/// Everybody and everything that stories refer to.
pub struct Cast {
    /// Where.
    pub workspace: WorkspaceId,
    /// The owner first.
    pub agents: Vec<Colleague>,
    /// By number in `TEAMS`.
    pub teams: Vec<TeamId>,
    /// Inbox of each channel.
    pub inboxes: BTreeMap<Channel, InboxId>,
    /// By name.
    pub tags: BTreeMap<String, TagId>,
    /// When the shop is open.
    pub hours: Hours,
    /// Files to attach.
    pub drawer: Drawer,
}

impl Cast {
    /// The owner.
    pub fn owner(&self) -> &Who {
        &self.agents[0].who
    }
    /// Number of the team of a story.
    pub fn team_of(word: &str) -> usize {
        usize::from(word == "workshop")
    }
    /// Numbers of the agents in a team.
    pub fn members(&self, team: usize) -> Vec<usize> {
        (0..self.agents.len()).filter(|n| self.agents[*n].teams.contains(&team)).collect()
    }
    /// The inbox of a channel.
    pub fn inbox(&self, channel: Channel) -> InboxId {
        self.inboxes.get(&channel).copied().unwrap_or(InboxId(0))
    }
}

/// Finds or makes everything.
pub async fn open(desk: &Desk, wanted: &Wanted, now: Timestamp) -> Result<(Cast, Option<OwnerLogin>), DemoError> {
    let (workspace, owner) = workspace_and_owner(desk, wanted, now).await?;
    let made = desk.db.write(Route::Any, move |tx| people_and_words(tx, workspace, now)).await?;
    let (agents, teams, tags, hours) = made;
    let boss = agents[0].who.clone();
    let mut by_channel = BTreeMap::new();
    for (channel, name) in INBOXES {
        by_channel.insert(channel, one_inbox(desk, &boss, channel, name, now).await?);
    }
    desk.directory.forget();
    let drawer = Drawer::fill(desk, workspace).await?;
    Ok((Cast { workspace, agents, teams, inboxes: by_channel, tags, hours, drawer }, owner))
}

async fn workspace_and_owner(
    desk: &Desk,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<(WorkspaceId, Option<OwnerLogin>), DemoError> {
    let email = check::email("email", wanted.email.as_deref().unwrap_or(OWNER_EMAIL))?;
    let password = wanted.password.clone().unwrap_or_else(|| new_password(desk));
    check::password("password", &password, &email)?;
    let hash = desk.gate.passwords.hash(&password, &desk.random).await.map_err(|_| StoreError::Busy)?;
    let login = OwnerLogin { email: email.clone(), password };
    let (workspace, made) = desk
        .db
        .write(Route::Any, move |tx| -> Result<_, StoreError> {
            let workspace = match workspace::list(tx)?.first() {
                Some(here) => here.id,
                None => workspace::add(tx, NAME, COLOUR, ZONE, &json!({}), now)?,
            };
            let made = !has_owner(tx, workspace)?;
            if made {
                let key = check::email_key(&email);
                let new = agent::NewAgent { name: OWNER, email: &email, email_key: &key, password: &hash, role: Role::Owner };
                let id = agent::add(tx, workspace, &new, now)?;
                set_availability(tx, workspace, id, Availability::Available, now)?;
                tx.log(news(workspace, "agent.added", Actor::System, now, json!({"agent_id": id, "role": Role::Owner})));
            }
            let mut here = workspace::get(tx, workspace)?;
            if !here.settings.is_object() {
                here.settings = json!({});
            }
            here.settings["sample_data"] = json!(true);
            workspace::change(tx, &here)?;
            tx.log(news(workspace, "workspace.changed", Actor::System, now, json!({"changed": ["sample_data"]})));
            Ok((workspace, made))
        })
        .await?;
    Ok((workspace, made.then_some(login)))
}

/// 20 characters that are easy to type: about 100 bits.
fn new_password(desk: &Desk) -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let letter = |_| char::from(LETTERS[usize::try_from(desk.random.below(LETTERS.len() as u64)).unwrap_or(0)]);
    (0..4).map(|_| (0..5).map(letter).collect::<String>()).collect::<Vec<_>>().join("-")
}

fn set_availability(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: AgentId,
    to: Availability,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut row = agent::get(tx, workspace, id)?;
    row.availability = to;
    agent::change(tx, workspace, &row)?;
    agent::begin_span(tx, workspace, id, to, now)
}

type Words = (Vec<Colleague>, Vec<TeamId>, BTreeMap<String, TagId>, Hours);

fn people_and_words(tx: &mut dyn Conn, workspace: WorkspaceId, now: Timestamp) -> Result<Words, StoreError> {
    let who = |a: &agent::Agent| Who { workspace, agent: a.id, name: a.name.clone(), role: a.role };
    let all = agent::list(tx, workspace)?;
    let owner = all.iter().find(|a| a.role == Role::Owner && a.archived_at.is_none()).ok_or(StoreError::NotFound)?;
    let mut agents = vec![Colleague { who: who(owner), teams: vec![0, 1] }];
    for (name, local, role, availability, teams) in AGENTS {
        let email = format!("{local}@velo-nord.example");
        let id = match agent::find_by_email(tx, workspace, &email)? {
            Some(here) => here.id,
            None => {
                let new = agent::NewAgent { name, email: &email, email_key: &email, password: NO_PASSWORD, role };
                let id = agent::add(tx, workspace, &new, now)?;
                set_availability(tx, workspace, id, availability, now)?;
                tx.log(news(workspace, "agent.added", Actor::System, now, json!({"agent_id": id, "role": role})));
                id
            }
        };
        agents.push(Colleague { who: who(&agent::get(tx, workspace, id)?), teams: teams.to_vec() });
    }
    let mut teams = Vec::new();
    for (number, name) in TEAMS.into_iter().enumerate() {
        let known = team::list(tx, workspace)?.into_iter().find(|t| t.name == name).map(|t| t.id);
        let id = match known {
            Some(id) => id,
            None => team::add(tx, workspace, name, &model::fold::fold(name))?,
        };
        for colleague in agents.iter().filter(|a| a.teams.contains(&number)) {
            team::add_member(tx, workspace, id, colleague.who.agent)?;
        }
        teams.push(id);
    }
    tx.log(news(workspace, "team.added", Actor::System, now, json!({"team_ids": teams})));
    let hours = opening_hours(tx, workspace)?;
    Ok((agents, teams, words(tx, workspace)?, hours))
}

fn opening_hours(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Hours, StoreError> {
    const SHOP: &str = "Shop";
    if let Some(known) = business_hours::list(tx, workspace)?.into_iter().find(|h| h.name == SHOP) {
        return Ok(known.hours);
    }
    let mut week = vec![vec![Span { open: 540, close: 1_110 }]; 5];
    week.extend([vec![Span { open: 600, close: 900 }], vec![]]);
    let hours = Hours { time_zone: ZONE.to_owned(), week, holidays: vec![] };
    business_hours::add(tx, workspace, SHOP, &hours)?;
    Ok(hours)
}

fn words(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<BTreeMap<String, TagId>, StoreError> {
    let names: std::collections::BTreeSet<&str> = super::story::all().iter().flat_map(|s| s.tags.clone()).collect();
    let mut tags = BTreeMap::new();
    for (n, name) in names.into_iter().enumerate() {
        let key = model::fold::fold(name);
        tag::add(tx, workspace, name, &key, COLOURS[n % COLOURS.len()])?;
        let row = tag::find_by_key(tx, workspace, &key)?.ok_or(StoreError::NotFound)?;
        tags.insert(name.to_owned(), row.id);
    }
    Ok(tags)
}

/// A channel that this build can serve gets its inbox from its adapter; the others get a row that shows what came through
/// it, and that nothing can be sent by (`channel_down`).
async fn one_inbox(desk: &Desk, boss: &Who, channel: Channel, name: &'static str, now: Timestamp) -> Result<InboxId, DemoError> {
    let workspace = boss.workspace;
    let known = desk.db.read(move |tx| inbox::list(tx, workspace)).await?;
    let same = |i: &&inbox::Inbox| i.channel == channel && (i.name == name || (channel == Channel::Webchat && i.enabled));
    if let Some(known) = known.iter().find(same) {
        return Ok(known.id);
    }
    if desk.channels.get(channel).is_some() {
        // An invented mailbox has no server to ask: it takes what is forwarded, which is nothing.
        let settings = match channel {
            Channel::Email => json!({ "address": name, "forwarding_only": true }),
            _ => json!({}),
        };
        return Ok(inboxes::add(desk, boss, channel, name, settings).await?.id);
    }
    let id = desk
        .db
        .write(Route::Any, move |tx| -> Result<_, StoreError> {
            let settings = json!({});
            let id = inbox::add(tx, workspace, &inbox::NewInbox { channel, name, site: None, settings: &settings }, now)?;
            tx.log(news(workspace, "inbox.added", Actor::System, now, json!({"inbox_id": id, "channel": channel})));
            Ok(id)
        })
        .await?;
    Ok(id)
}
