//! Reading of requests with errors in words: JSON bodies, queries, path parameters, and the three states of a PATCH.

use crate::error::Problem;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// Largest JSON body.
pub const JSON_BYTES_MAX: usize = 1024 * 1024;

/// A JSON body. Unknown fields are refused where the type says so; every refusal names the field or the place.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        // Also a wall against other sites: a form cannot send this type without asking first.
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
            return Err(Problem::bad_json("Content-Type must be application/json"));
        }
        let body =
            axum::body::to_bytes(request.into_body(), JSON_BYTES_MAX).await.map_err(|_| Problem::too_large(JSON_BYTES_MAX))?;
        read_json(&body).map(Self)
    }
}

/// Reads JSON with the same refusals.
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Problem::invalid(named_field(&error.to_string()), error.to_string()),
        _ => Problem::bad_json(error.to_string()),
    })
}

// serde names the field between backticks; without one the place in the text stands in the detail.
fn named_field(message: &str) -> String {
    let named = message.contains("field `").then(|| message.split('`').nth(1)).flatten();
    named.unwrap_or("body").chars().take(100).collect()
}

/// Query parameters.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error| Problem::invalid("query", error.body_text()))
    }
}

/// Path parameters. One that cannot be read names nothing that exists: 404.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Path(path) =
            axum::extract::Path::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        Ok(Self(path))
    }
}

/// For `#[serde(default, deserialize_with = "three")]` on `Option<Option<T>>`: absent is `None`, null is `Some(None)`.
pub fn three<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(value).map(Some)
}

/// For `#[serde(default, deserialize_with = "set")]` on `Option<T>` of a field that cannot be cleared: null is refused.
pub fn set<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Patch {
        #[serde(default, deserialize_with = "three")]
        team: Option<Option<u8>>,
        #[serde(default, deserialize_with = "set")]
        name: Option<String>,
    }

    #[test]
    fn a_patch_has_three_states() {
        let read = |text: &str| read_json::<Patch>(text.as_bytes());
        assert_eq!(read("{}").unwrap(), Patch { team: None, name: None });
        assert_eq!(read(r#"{"team":null}"#).unwrap().team, Some(None));
        assert_eq!(read(r#"{"team":7}"#).unwrap().team, Some(Some(7)));
        assert_eq!(read(r#"{"name":null}"#).unwrap_err().code, "invalid");
    }

    #[test]
    fn refusals_name_the_field() {
        let unknown = read_json::<Patch>(br#"{"nmae":"x"}"#).unwrap_err();
        assert_eq!((unknown.code, unknown.args), ("invalid", Some(serde_json::json!({ "field": "nmae" }))));
        assert_eq!(read_json::<Patch>(b"{").unwrap_err().code, "bad_json");
        assert_eq!(read_json::<Patch>(b"\xff").unwrap_err().code, "bad_json");
    }
}
