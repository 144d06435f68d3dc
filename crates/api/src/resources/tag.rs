//! Tags.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::JsonBody;
use crate::error::Problem;
use crate::types::ProblemDocument;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use desk::settings::tag;
use http::StatusCode;
use model::TagId;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(list, add), components(schemas(Tag, TagList, NewTag)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/tags", get(list).post(add))
}

/// A word for conversations.
#[derive(Serialize, ToSchema)]
pub struct Tag {
    /// Its id.
    pub id: TagId,
    /// As it is shown.
    pub name: String,
    /// `#rrggbb`.
    pub colour: String,
}

impl From<store::tag::Tag> for Tag {
    fn from(tag: store::tag::Tag) -> Self {
        Self { id: tag.id, name: tag.name, colour: tag.colour }
    }
}

/// Every tag.
#[derive(Serialize, ToSchema)]
pub struct TagList {
    /// By name.
    pub items: Vec<Tag>,
}

/// Every tag, by name.
#[utoipa::path(get, path = "/tags", tag = "tag", responses((status = 200, body = TagList)))]
async fn list(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<TagList>, Problem> {
    let items = tag::list(&front.desk, &who).await?.into_iter().map(Tag::from).collect();
    Ok(Json(TagList { items }))
}

/// A tag to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTag {
    /// As it is shown; case and accents do not make another tag.
    pub name: String,
    /// `#rrggbb`.
    #[serde(default)]
    pub colour: Option<String>,
}

/// Makes a tag; a name that is there already gives that tag.
#[utoipa::path(post, path = "/tags", tag = "tag", request_body = NewTag,
    responses((status = 201, body = Tag), (status = 422, body = ProblemDocument)))]
async fn add(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(new): JsonBody<NewTag>,
) -> Result<(StatusCode, Json<Tag>), Problem> {
    let made = tag::add(&front.desk, &who, &new.name, new.colour.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}
