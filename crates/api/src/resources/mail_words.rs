//! Words of mails: signatures, templates, what an inbox answers by itself, and when a chat goes on by mail.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path};
use crate::error::Problem;
use crate::types::ProblemDocument;
use axum::extract::State;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use desk::reply::compose::fill_template;
use desk::settings::chat_by_mail::{self, ChatByMail as Rule};
use desk::settings::mail_words::{self, TemplateInput};
use http::StatusCode;
use model::{AgentId, BusinessHoursId, ContactId, ConversationId, InboxId, TemplateId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(
        signatures,
        set_signature,
        templates,
        add_template,
        change_template,
        remove_template,
        fill,
        answers,
        set_answer,
        rule,
        set_rule
    ),
    components(schemas(
        Signature,
        SignatureList,
        SignatureInput,
        Template,
        TemplateList,
        NewTemplate,
        TemplateChange,
        FillTemplate,
        FilledTemplate,
        AutomaticAnswer,
        AutomaticAnswerList,
        AutomaticKind,
        AutomaticAnswerInput,
        ChatByMail
    ))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/signatures", get(signatures).put(set_signature))
        .route("/templates", get(templates).post(add_template))
        .route("/templates/{id}", put(change_template).delete(remove_template))
        .route("/templates/{id}/fill", post(fill))
        .route("/inboxes/{id}/automatic_answers", get(answers))
        .route("/inboxes/{id}/automatic_answers/{kind}", put(set_answer))
        .route("/settings/chat_by_mail", get(rule).put(set_rule))
}

/// Words under mails. The closest one counts: of this agent in this inbox, of this agent, of this inbox, of everybody.
#[derive(Serialize, ToSchema)]
pub struct Signature {
    /// Of this inbox; none: of every inbox.
    pub inbox_id: Option<InboxId>,
    /// Of this agent; none: of every agent.
    pub agent_id: Option<AgentId>,
    /// Plain text with variables.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
}

/// Every signature that I may see, and the variables that there are.
#[derive(Serialize, ToSchema)]
pub struct SignatureList {
    /// The house's, then agents' own.
    pub items: Vec<Signature>,
    /// Names for `{{..}}`.
    pub variables: Vec<String>,
}

fn variables() -> Vec<String> {
    desk::reply::words::NAMES.iter().map(|name| (*name).to_owned()).collect()
}

/// Every signature that I may see.
#[utoipa::path(get, path = "/signatures", tag = "mail", responses((status = 200, body = SignatureList)))]
async fn signatures(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<SignatureList>, Problem> {
    let rows = mail_words::signatures(&front.desk, &who).await?;
    let items =
        rows.into_iter().map(|s| Signature { inbox_id: s.inbox_id, agent_id: s.agent_id, text: s.text, html: s.html }).collect();
    Ok(Json(SignatureList { items, variables: variables() }))
}

/// A signature as it shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureInput {
    /// Of this inbox; none: of every inbox.
    #[serde(default)]
    pub inbox_id: Option<InboxId>,
    /// Of this agent; none: of every agent.
    #[serde(default)]
    pub agent_id: Option<AgentId>,
    /// Plain text with variables; empty removes it.
    pub text: String,
    /// The same as HTML.
    #[serde(default)]
    pub html: Option<String>,
}

/// Sets a signature. Agents set their own; the others are for admins.
#[utoipa::path(put, path = "/signatures", tag = "mail", request_body = SignatureInput,
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn set_signature(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(new): JsonBody<SignatureInput>,
) -> Result<StatusCode, Problem> {
    mail_words::set_signature(&front.desk, &who, new.inbox_id, new.agent_id, &new.text, new.html.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A prepared text.
#[derive(Serialize, ToSchema)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// Its name.
    pub name: String,
    /// Everybody may use it; else it is mine.
    pub shared: bool,
    /// Offered in this inbox only.
    pub inbox_id: Option<InboxId>,
    /// Subject, for what begins a conversation.
    pub subject: Option<String>,
    /// Plain text with variables.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// Grows with each change.
    pub version: i64,
    /// Last change.
    pub updated_at: Timestamp,
}

impl From<store::template::Template> for Template {
    fn from(row: store::template::Template) -> Self {
        Self {
            id: row.id,
            name: row.name,
            shared: row.agent_id.is_none(),
            inbox_id: row.inbox_id,
            subject: row.subject,
            text: row.text,
            html: row.html,
            version: row.version,
            updated_at: row.updated_at,
        }
    }
}

/// The templates that I may use.
#[derive(Serialize, ToSchema)]
pub struct TemplateList {
    /// By name.
    pub items: Vec<Template>,
    /// Names for `{{..}}`.
    pub variables: Vec<String>,
}

/// The templates that I may use, by name.
#[utoipa::path(get, path = "/templates", tag = "mail", responses((status = 200, body = TemplateList)))]
async fn templates(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<TemplateList>, Problem> {
    let items = mail_words::templates(&front.desk, &who).await?.into_iter().map(Template::from).collect();
    Ok(Json(TemplateList { items, variables: variables() }))
}

/// A template to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTemplate {
    /// Its name.
    pub name: String,
    /// Everybody may use it; for supervisors.
    #[serde(default)]
    pub shared: bool,
    /// Offered in this inbox only.
    #[serde(default)]
    pub inbox_id: Option<InboxId>,
    /// Subject, for what begins a conversation.
    #[serde(default)]
    pub subject: Option<String>,
    /// Plain text with variables.
    pub text: String,
    /// The same as HTML.
    #[serde(default)]
    pub html: Option<String>,
}

impl From<NewTemplate> for TemplateInput {
    fn from(new: NewTemplate) -> Self {
        Self { name: new.name, shared: new.shared, inbox_id: new.inbox_id, subject: new.subject, text: new.text, html: new.html }
    }
}

/// Makes a template.
#[utoipa::path(post, path = "/templates", tag = "mail", request_body = NewTemplate,
    responses((status = 201, body = Template), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn add_template(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(new): JsonBody<NewTemplate>,
) -> Result<(StatusCode, Json<Template>), Problem> {
    let made = mail_words::set_template(&front.desk, &who, None, new.into()).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// A template as it shall be, and the version that was seen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateChange {
    /// What it shall be.
    pub template: NewTemplate,
    /// The version that was seen.
    pub version: i64,
}

/// Changes a template as a whole.
#[utoipa::path(put, path = "/templates/{id}", tag = "mail", params(("id" = TemplateId, Path)), request_body = TemplateChange,
    responses((status = 200, body = Template), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn change_template(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<TemplateId>,
    JsonBody(change): JsonBody<TemplateChange>,
) -> Result<Json<Template>, Problem> {
    let after = mail_words::set_template(&front.desk, &who, Some((id, change.version)), change.template.into()).await?;
    Ok(Json(after.into()))
}

/// Removes a template.
#[utoipa::path(delete, path = "/templates/{id}", tag = "mail", params(("id" = TemplateId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn remove_template(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<TemplateId>,
) -> Result<StatusCode, Problem> {
    mail_words::remove_template(&front.desk, &who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// For whom a template is filled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FillTemplate {
    /// In this conversation.
    #[serde(default)]
    pub conversation_id: Option<ConversationId>,
    /// For this customer, where there is no conversation yet.
    #[serde(default)]
    pub contact_id: Option<ContactId>,
    /// Through this inbox.
    #[serde(default)]
    pub inbox_id: Option<InboxId>,
}

/// A template with its variables filled in.
#[derive(Serialize, ToSchema)]
pub struct FilledTemplate {
    /// Subject.
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
    /// Clean HTML.
    pub html: Option<String>,
    /// Variables that had no value: the composer warns of them.
    pub empty: Vec<String>,
}

/// Fills a template.
#[utoipa::path(post, path = "/templates/{id}/fill", tag = "mail", params(("id" = TemplateId, Path)), request_body = FillTemplate,
    responses((status = 200, body = FilledTemplate), (status = 404, body = ProblemDocument)))]
async fn fill(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<TemplateId>,
    JsonBody(asked): JsonBody<FillTemplate>,
) -> Result<Json<FilledTemplate>, Problem> {
    let filled = fill_template(&front.desk, &who, id, asked.conversation_id, asked.contact_id, asked.inbox_id).await?;
    let filled = filled.ok_or_else(Problem::not_found)?;
    Ok(Json(FilledTemplate { subject: filled.subject, text: filled.text, html: filled.html, empty: filled.empty }))
}

/// Which answer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AutomaticKind {
    /// It came in.
    Acknowledge,
    /// Nobody is there now.
    OffHours,
}

impl AutomaticKind {
    fn word(self) -> &'static str {
        match self {
            Self::Acknowledge => desk::automatic::answer::ACKNOWLEDGE,
            Self::OffHours => desk::automatic::answer::OFF_HOURS,
        }
    }
}

/// What an inbox answers by itself: once per conversation, at most once a day to one sender, never to machines.
#[derive(Serialize, ToSchema)]
pub struct AutomaticAnswer {
    /// Which answer.
    pub kind: AutomaticKind,
    /// Is it sent?
    pub enabled: bool,
    /// Subject; none: that of the customer's mail.
    pub subject: Option<String>,
    /// Plain text with variables, such as `{{conversation.number}}`, `{{expected_reply}}`, `{{opens_at}}`, `{{article}}`.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// A page that may help meanwhile: `{{article}}`.
    pub article_url: Option<String>,
    /// How soon somebody will answer, in opening hours: `{{expected_reply}}`.
    pub reply_within_minutes: Option<i64>,
    /// Whose hours count; none: the first of the workspace.
    pub business_hours_id: Option<BusinessHoursId>,
}

impl From<store::automatic_answer::AutomaticAnswer> for AutomaticAnswer {
    fn from(row: store::automatic_answer::AutomaticAnswer) -> Self {
        let off_hours = row.kind == desk::automatic::answer::OFF_HOURS;
        Self {
            kind: if off_hours { AutomaticKind::OffHours } else { AutomaticKind::Acknowledge },
            enabled: row.enabled,
            subject: row.subject,
            text: row.text,
            html: row.html,
            article_url: row.article_url,
            reply_within_minutes: row.reply_within_minutes,
            business_hours_id: row.business_hours_id,
        }
    }
}

/// What an inbox answers by itself.
#[derive(Serialize, ToSchema)]
pub struct AutomaticAnswerList {
    /// Those that were ever set.
    pub items: Vec<AutomaticAnswer>,
    /// Names for `{{..}}`.
    pub variables: Vec<String>,
}

/// What an inbox answers by itself. For admins.
#[utoipa::path(get, path = "/inboxes/{id}/automatic_answers", tag = "mail", params(("id" = InboxId, Path)),
    responses((status = 200, body = AutomaticAnswerList), (status = 403, body = ProblemDocument)))]
async fn answers(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<Json<AutomaticAnswerList>, Problem> {
    let items = mail_words::answers(&front.desk, &who, id).await?.into_iter().map(AutomaticAnswer::from).collect();
    Ok(Json(AutomaticAnswerList { items, variables: variables() }))
}

/// An answer as it shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AutomaticAnswerInput {
    /// Is it sent?
    pub enabled: bool,
    /// Subject; none: that of the customer's mail.
    #[serde(default)]
    pub subject: Option<String>,
    /// Plain text with variables.
    pub text: String,
    /// The same as HTML.
    #[serde(default)]
    pub html: Option<String>,
    /// A page that may help meanwhile.
    #[serde(default)]
    pub article_url: Option<String>,
    /// How soon somebody will answer, in opening hours.
    #[serde(default)]
    pub reply_within_minutes: Option<i64>,
    /// Whose hours count.
    #[serde(default)]
    pub business_hours_id: Option<BusinessHoursId>,
}

/// Sets what an inbox answers by itself. For admins.
#[utoipa::path(put, path = "/inboxes/{id}/automatic_answers/{kind}", tag = "mail",
    params(("id" = InboxId, Path), ("kind" = AutomaticKind, Path)), request_body = AutomaticAnswerInput,
    responses((status = 200, body = AutomaticAnswer), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn set_answer(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path((id, kind)): Path<(InboxId, AutomaticKind)>,
    JsonBody(new): JsonBody<AutomaticAnswerInput>,
) -> Result<Json<AutomaticAnswer>, Problem> {
    let row = store::automatic_answer::AutomaticAnswer {
        inbox_id: id,
        kind: kind.word().to_owned(),
        enabled: new.enabled,
        subject: new.subject,
        text: new.text,
        html: new.html,
        article_url: new.article_url.filter(|url| !url.trim().is_empty()),
        reply_within_minutes: new.reply_within_minutes,
        business_hours_id: new.business_hours_id,
        version: 0,
    };
    Ok(Json(mail_words::set_answer(&front.desk, &who, row).await?.into()))
}

/// When a chat goes on by mail.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatByMail {
    /// Answers that a visitor who has left did not read go out by mail.
    pub enabled: bool,
    /// So long after they were written, 0 to 86,400 seconds.
    pub delay_seconds: i64,
    /// Through this inbox; none: the first mailbox that can send.
    pub inbox_id: Option<InboxId>,
    /// What stands above the messages.
    pub intro: String,
}

impl From<Rule> for ChatByMail {
    fn from(rule: Rule) -> Self {
        Self { enabled: rule.enabled, delay_seconds: rule.delay_seconds, inbox_id: rule.inbox_id, intro: rule.intro }
    }
}

/// When a chat goes on by mail.
#[utoipa::path(get, path = "/settings/chat_by_mail", tag = "mail", responses((status = 200, body = ChatByMail)))]
async fn rule(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<ChatByMail>, Problem> {
    Ok(Json(chat_by_mail::get(&front.desk, &who).await?.into()))
}

/// Sets when a chat goes on by mail. For admins.
#[utoipa::path(put, path = "/settings/chat_by_mail", tag = "mail", request_body = ChatByMail,
    responses((status = 200, body = ChatByMail), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn set_rule(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(new): JsonBody<ChatByMail>,
) -> Result<Json<ChatByMail>, Problem> {
    let rule = Rule { enabled: new.enabled, delay_seconds: new.delay_seconds, inbox_id: new.inbox_id, intro: new.intro };
    Ok(Json(chat_by_mail::put(&front.desk, &who, rule).await?.into()))
}
