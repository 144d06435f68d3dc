//! Which error to use where: every handler answers with [`Problem`], made by the small constructors below; the `From`s
//! turn the refusals of the desk into it. This is the only file that knows which refusal is which HTTP status. A
//! problem becomes a document (RFC 9457) in the outermost layer, where the request id is known.

use axum::response::{IntoResponse, Response};
use desk::people::{AcceptError, ChangeError, Invalid, ResetError, SetupError, SignInError};
use desk::settings::draft::DraftError;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value as Json, json};
use store::StoreError;

/// Why a request was not done, for the program (`code`, `args`) and for the person (`title`, `detail`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable word of a closed list.
    pub code: &'static str,
    /// One sentence.
    pub title: &'static str,
    /// What exactly, and what is accepted.
    pub detail: Option<String>,
    /// Values that belong to the code.
    pub args: Option<Json>,
    /// Seconds to wait.
    pub retry_after: Option<i64>,
}

/// Marks a response whose body is still to be written by the outermost layer.
#[derive(Clone)]
pub(crate) struct Unfinished(pub Problem);

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self { status: status.as_u16(), code, title, detail: None, args: None, retry_after: None }
    }
    /// The same with words about what exactly is wrong.
    pub fn detail(self, text: impl Into<String>) -> Self {
        Self { detail: Some(text.into()), ..self }
    }
    /// The same with values.
    pub fn args(self, args: Json) -> Self {
        Self { args: Some(args), ..self }
    }
    /// 401: nobody is signed in.
    pub fn not_signed_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not_signed_in", "Please sign in.")
    }
    /// 403: the role has not this right.
    pub fn not_allowed() -> Self {
        Self::new(StatusCode::FORBIDDEN, "not_allowed", "Your role may not do this.")
    }
    /// 404.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such thing here.")
    }
    /// 405.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This address does not take that method.")
    }
    /// 422: a field cannot be so.
    pub fn invalid(field: impl Into<String>, text: impl Into<String>) -> Self {
        let (field, text) = (field.into(), text.into());
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "A field cannot be saved like this.")
            .detail(format!("{field}: {text}"))
            .args(json!({ "field": field }))
    }
    /// 400: the body is not JSON.
    pub fn bad_json(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_json", "The request is not the JSON that is expected here.").detail(text)
    }
    /// 413.
    pub fn too_large(bytes_max: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The request is too large.").args(json!({ "bytes_max": bytes_max }))
    }
    /// 429.
    pub fn rate_limited(retry_after_s: i64) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many tries. Please wait a little.");
        Self { retry_after: Some(retry_after_s.max(1)), ..problem }
    }
    /// 503: the store takes nothing now.
    pub fn busy() -> Self {
        let problem =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "The server is busy. Nothing was changed; please try again.");
        Self { retry_after: Some(1), ..problem }
    }
    /// 403: the request came from another site.
    pub fn wrong_origin() -> Self {
        Self::new(StatusCode::FORBIDDEN, "wrong_origin", "This request came from another site and was not carried out.")
    }
    /// 500: a bug or a broken disk; the log has the details under the request id.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The server could not do this. The log of the server says why under this request's id.",
        )
    }
    /// 409 with a code of its own.
    pub fn conflict(code: &'static str, title: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, code, title)
    }
    /// 403 with a code of its own.
    pub fn forbidden(code: &'static str, title: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, title)
    }
    /// 401 with a code of its own.
    pub fn unauthorized(code: &'static str, title: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, title)
    }
    /// 410 with a code of its own.
    pub fn gone(code: &'static str, title: &'static str) -> Self {
        Self::new(StatusCode::GONE, code, title)
    }

    /// The document.
    pub(crate) fn body(&self, request_id: &str) -> Json {
        let mut body = json!({ "status": self.status, "code": self.code, "title": self.title, "request_id": request_id });
        if let Some(detail) = &self.detail {
            body["detail"] = json!(detail);
        }
        if let Some(args) = &self.args {
            body["args"] = args.clone();
        }
        if let Some(retry_after) = self.retry_after {
            body["retry_after"] = json!(retry_after);
        }
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(Unfinished(self));
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found(),
            StoreError::Busy => Self::busy(),
            // The desk looks before it writes, so this is two people at the same moment: trying again tells which.
            StoreError::Conflict(_) => Self::busy(),
            StoreError::Broken(_) => Self::internal(),
        }
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::invalid(invalid.field, invalid.text)
    }
}

impl From<SetupError> for Problem {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Done => Self::conflict("setup_done", "This Continuo already has an owner. Please sign in."),
            SetupError::WrongCode { left } => {
                Self::forbidden("wrong_code", "This is not the code that the server printed.").args(json!({ "left": left }))
            }
            SetupError::Locked => {
                Self::forbidden("setup_locked", "Too many wrong codes. Restart the server: it then prints a new code.")
            }
            SetupError::Invalid(invalid) => invalid.into(),
            SetupError::Store(error) => error.into(),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::WrongPair => Self::unauthorized("wrong_pair", "Email or password is not right."),
            SignInError::RateLimited { retry_after_s } => Self::rate_limited(retry_after_s),
            SignInError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotAllowed => Self::not_allowed(),
            ChangeError::NotFound => Self::not_found(),
            ChangeError::Invalid(invalid) => invalid.into(),
            ChangeError::LastOwner => Self::conflict("last_owner", "A workspace needs an owner. Make somebody else owner first."),
            ChangeError::WrongPassword => Self::forbidden("wrong_password", "The present password is not right."),
            ChangeError::RateLimited { retry_after_s } => Self::rate_limited(retry_after_s),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<AcceptError> for Problem {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::NotFound => Self::not_found(),
            AcceptError::Expired => {
                Self::gone("invitation_expired", "This invitation is more than seven days old. Ask for a new one.")
            }
            AcceptError::Used => Self::conflict("invitation_used", "This invitation was used already. Please sign in."),
            AcceptError::Invalid(invalid) => invalid.into(),
            AcceptError::RateLimited { retry_after_s } => Self::rate_limited(retry_after_s),
            AcceptError::Store(error) => error.into(),
        }
    }
}

impl From<ResetError> for Problem {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::NotFound => Self::not_found(),
            ResetError::Invalid(invalid) => invalid.into(),
            ResetError::RateLimited { retry_after_s } => Self::rate_limited(retry_after_s),
            ResetError::Store(error) => error.into(),
        }
    }
}

/// A draft conflict needs the other draft in the form of the API, so its resource turns that case itself.
impl From<DraftError> for Problem {
    fn from(error: DraftError) -> Self {
        match error {
            DraftError::NotFound => Self::not_found(),
            DraftError::Invalid(invalid) => invalid.into(),
            DraftError::Conflict(_) => Self::conflict("draft_conflict", "Another window changed this draft."),
            DraftError::Store(error) => error.into(),
        }
    }
}
