//! Shapes that several resources share, as docs/API-DESIGN.md names them.

pub mod contact;
pub mod conversation;
pub mod cursor;
pub mod entry;
pub mod file;
pub mod live;
pub mod merge;
pub mod mail;
pub mod reply;
pub mod search;

use channel_api::ApiSettings;
use channel_webchat::WebchatSettings;
use desk::people::{Card, Me as DeskMe};
use desk::settings::workspace::{checklist_done, sample_data};
use model::preferences::Preferences;
use model::{AgentId, Availability, Channel, InboxId, InboxState, Role, TeamId, Timestamp, WorkspaceId};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not done (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// HTTP status.
    pub status: u16,
    /// Stable word of a closed list per endpoint.
    pub code: String,
    /// One sentence.
    pub title: String,
    /// What exactly, and what is accepted.
    pub detail: Option<String>,
    /// Values that belong to the code, such as `field`.
    #[schema(value_type = Option<Object>)]
    pub args: Option<serde_json::Value>,
    /// Seconds to wait before trying again.
    pub retry_after: Option<i64>,
    /// For the log of the server.
    pub request_id: String,
}

/// A person of the business.
#[derive(Serialize, ToSchema)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Name as customers and colleagues see it.
    pub name: String,
    /// Address for sign-in.
    pub email: String,
    /// Rights.
    pub role: Role,
    /// Whether new work is taken.
    pub availability: Availability,
    /// Teams, ascending.
    pub team_ids: Vec<TeamId>,
    /// Left the business: cannot sign in, the name stays on entries.
    pub archived: bool,
}

impl From<Card> for Agent {
    fn from(card: Card) -> Self {
        let Card { agent, team_ids } = card;
        Self {
            id: agent.id,
            name: agent.name,
            email: agent.email,
            role: agent.role,
            availability: agent.availability,
            team_ids,
            archived: agent.archived_at.is_some(),
        }
    }
}

/// The business.
#[derive(Serialize, ToSchema)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Name of the business.
    pub name: String,
    /// Accent of public surfaces, `#rrggbb`.
    pub colour: String,
    /// IANA time zone in which days are cut.
    pub time_zone: String,
    /// Whether sample conversations are in it.
    pub sample_data: bool,
}

impl From<store::workspace::Workspace> for Workspace {
    fn from(row: store::workspace::Workspace) -> Self {
        let sample_data = sample_data(&row);
        Self { id: row.id, name: row.name, colour: row.colour, time_zone: row.time_zone, sample_data }
    }
}

/// Steps of the first days.
#[derive(Serialize, ToSchema)]
pub struct Checklist {
    /// Those that are done.
    pub done: Vec<String>,
}

/// The one who is signed in, and where.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// Who.
    pub agent: Agent,
    /// Where.
    pub workspace: Workspace,
    /// Own choices.
    pub preferences: Preferences,
    /// Steps of the first days.
    pub checklist: Checklist,
}

impl From<DeskMe> for Me {
    fn from(me: DeskMe) -> Self {
        Self {
            preferences: Preferences::of_json(&me.card.agent.preferences),
            checklist: Checklist { done: checklist_done(&me.workspace) },
            agent: me.card.into(),
            workspace: me.workspace.into(),
        }
    }
}

/// A group of agents.
#[derive(Serialize, ToSchema)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// Who is in it, ascending.
    pub agent_ids: Vec<AgentId>,
}

impl From<store::team::Team> for Team {
    fn from(team: store::team::Team) -> Self {
        Self { id: team.id, name: team.name, agent_ids: team.agent_ids }
    }
}

/// One way in.
#[derive(Serialize, ToSchema)]
pub struct Inbox {
    /// Its id.
    pub id: InboxId,
    /// Its channel.
    pub channel: Channel,
    /// Its name.
    pub name: String,
    /// Whether it takes and sends.
    pub enabled: bool,
    /// Where its conversations start.
    pub team_id: Option<TeamId>,
    /// Who may see it; empty: everybody.
    pub agent_ids: Vec<AgentId>,
    /// How it fares.
    pub state: InboxState,
    /// Settings of a webchat inbox; only for those who may change them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webchat: Option<WebchatSettings>,
    /// Settings of an inbox of the API channel; only for those who may change them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiSettings>,
    /// Settings of a mail inbox; only for those who may change them. Secrets are never shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub email: Option<serde_json::Value>,
    /// The line for the business's own pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
    /// A page of ours with the widget in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_url: Option<String>,
    /// When something last came in.
    pub last_in_at: Option<Timestamp>,
    /// When something last went out.
    pub last_out_at: Option<Timestamp>,
}

impl Inbox {
    /// The row as an agent may see it; `base` is our address without slash at the end.
    pub fn of(row: store::inbox::Inbox, base: &str, with_settings: bool) -> Self {
        let is_webchat = row.channel == Channel::Webchat;
        let api =
            (row.channel == Channel::Api && with_settings).then(|| serde_json::from_value(row.settings.clone()).ok()).flatten();
        let email = (row.channel == Channel::Email && with_settings).then(|| row.settings.clone());
        let webchat = (is_webchat && with_settings).then(|| serde_json::from_value(row.settings).ok()).flatten();
        Self {
            id: row.id,
            channel: row.channel,
            name: row.name,
            enabled: row.enabled,
            team_id: row.team_id,
            agent_ids: row.agent_ids,
            state: row.state,
            webchat,
            api,
            email,
            snippet: row.site.as_ref().map(|site| format!("<script src=\"{base}/w/{site}.js\" async></script>")),
            test_url: row.site.as_ref().map(|site| format!("{base}/w/{site}/test")),
            last_in_at: row.last_in_at,
            last_out_at: row.last_out_at,
        }
    }
}
