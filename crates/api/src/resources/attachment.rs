//! Files: uploads of agents, and the signed addresses under which every file is read.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{Path, Query};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::file::{Attachment, Files, may_be_shown};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use blob::{BlobError, ByteRange};
use futures_util::{StreamExt, stream};
use http::header::{self, HeaderMap, HeaderValue};
use http::{StatusCode, header::HeaderName};
use model::{Actor, AttachmentId, ConversationId, Timestamp, WorkspaceId};
use serde::Deserialize;
use store::attachment::{self, Attachment as Row};
use store::{Route, StoreError};
use utoipa::OpenApi;

/// Largest file of an agent; a channel may take less.
pub const BYTES_MAX: u64 = 25 * 1024 * 1024;

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(upload), components(schemas(Attachment)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/attachments", post(upload))
        .route("/files/{id}/{name}", get(read))
        .layer(axum::extract::DefaultBodyLimit::disable())
}

/// What is uploaded.
#[derive(Deserialize)]
struct Asked {
    name: String,
    #[serde(default)]
    conversation_id: Option<ConversationId>,
}

/// Stores a file that a reply will carry. The body is the file; its type is found out by looking at it.
#[utoipa::path(post, path = "/attachments", tag = "attachment",
    params(("name" = String, Query), ("conversation_id" = Option<ConversationId>, Query)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Attachment), (status = 413, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn upload(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Attachment>), Problem> {
    if let Some(id) = asked.conversation_id
        && !front.live.may_see(&who, id).await
    {
        return Err(Problem::not_found());
    }
    let upload = Upload {
        workspace: who.workspace,
        uploader: Actor::Agent(who.agent).to_string(),
        conversation_id: asked.conversation_id,
        name: &asked.name,
        bytes_max: BYTES_MAX,
    };
    let row = receive(&front, upload, &headers, body, |_| true).await?;
    Ok((StatusCode::CREATED, Json(Files::new(&front.desk, who.workspace).of(&row))))
}

/// A file on its way in.
pub struct Upload<'a> {
    /// Whose.
    pub workspace: WorkspaceId,
    /// By whom, as the row says it.
    pub uploader: String,
    /// For which conversation, if that is known.
    pub conversation_id: Option<ConversationId>,
    /// Name as the browser gave it.
    pub name: &'a str,
    /// Largest size.
    pub bytes_max: u64,
}

/// Takes a file in: bytes first, row second. `takes` is asked about the type that was found in the bytes.
pub async fn receive(
    front: &Front,
    upload: Upload<'_>,
    headers: &HeaderMap,
    body: Body,
    takes: impl Fn(&str) -> bool,
) -> Result<Row, Problem> {
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length > upload.bytes_max) {
        return Err(too_large(upload.bytes_max));
    }
    let mut target = front.desk.blobs.begin(upload.workspace, upload.bytes_max).await.map_err(problem)?;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Problem::bad_json("the upload was cut off"))?;
        target.write(&chunk).await.map_err(problem)?;
    }
    if target.bytes() == 0 {
        return Err(Problem::invalid("file", "a file that is not empty"));
    }
    let put = target.finish().await.map_err(problem)?;
    let name = blob::clean_name(upload.name);
    let hint = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mime = blob::sniff(&put.head, &name, hint).mime;
    if !takes(&mime) {
        // The bytes stay until the sweeper finds that nothing refers to them.
        let title = "Files of this type are not taken here.";
        return Err(Problem { code: "attachment_type", title, ..Problem::invalid("file", mime.clone()) }
            .args(serde_json::json!({ "mime": mime })));
    }
    let bytes = i64::try_from(put.bytes).unwrap_or(i64::MAX);
    let (now, workspace) = (front.desk.now(), upload.workspace);
    let (uploader, conversation_id, sha256) = (upload.uploader, upload.conversation_id, put.sha256);
    let stored = front.desk.db.write(Route::Any, move |tx| -> Result<Row, StoreError> {
        let blob_id = attachment::put_blob(tx, workspace, &sha256, bytes, &mime, now)?;
        let row = Row {
            id: AttachmentId(tx.id()),
            entry_id: None,
            conversation_id,
            uploader: uploader.clone(),
            blob_id,
            sha256: sha256.clone(),
            name: name.clone(),
            mime: mime.clone(),
            bytes,
        };
        attachment::insert(tx, workspace, &row, now)?;
        Ok(row)
    });
    Ok(stored.await?)
}

fn too_large(bytes_max: u64) -> Problem {
    Problem::too_large(usize::try_from(bytes_max).unwrap_or(usize::MAX))
}

fn problem(error: BlobError) -> Problem {
    match error {
        BlobError::NotFound => Problem::not_found(),
        BlobError::TooLarge { bytes_max } => too_large(bytes_max),
        BlobError::OutOfRange { .. } => Problem::not_found(),
        BlobError::Full | BlobError::ReadOnly | BlobError::Broken(_) => {
            tracing::error!(%error, "a file could not be stored or read: {error}");
            let title = "Files cannot be stored right now. Nothing else is affected.";
            Problem { title, ..Problem::busy() }
        }
    }
}

/// What makes an address valid.
#[derive(Deserialize)]
struct Signed {
    w: WorkspaceId,
    exp: i64,
    sig: String,
}

// `GET /files/:id/:name?w=&exp=&sig=`: no sign-in, the signature is the right. Not part of the document: addresses are
// given out ready-made.
async fn read(
    State(front): State<Front>,
    Path((id, _name)): Path<(AttachmentId, String)>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let now = front.desk.now();
    front.desk.keys.check_file(signed.w, &id.to_string(), signed.exp, &signed.sig, now).map_err(|error| match error {
        keys::SignatureError::Expired => {
            Problem::gone("address_expired", "This address has expired. Open the conversation again.")
        }
        keys::SignatureError::Forged => Problem::not_found(),
    })?;
    let row = front.desk.db.read(move |tx| attachment::find(tx, signed.w, id)).await?.ok_or_else(Problem::not_found)?;
    let total = u64::try_from(row.bytes).unwrap_or(0);
    let wanted = headers.get(header::RANGE).and_then(|value| value.to_str().ok()).map(|range| ByteRange::parse(range, total));
    let range = match wanted {
        Some(Err(error)) => return Ok(unsatisfiable(error.bytes_total)),
        Some(Ok(range)) => range,
        None => None,
    };
    let mut reader = front.desk.blobs.read(signed.w, &row.sha256, range).await.map_err(problem)?;
    let (length, part) = (reader.range().bytes(), range.map(|range| format!("bytes {}-{}/{total}", range.start, range.end - 1)));
    // The first chunk is read before the head goes out, so that a missing object is still a 404.
    let first = reader.next_chunk().await.map_err(problem)?;
    let rest = stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        match reader.next_chunk().await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(reader))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    let body = Body::from_stream(stream::iter(first.map(Ok::<Bytes, BlobError>)).chain(rest));
    let mut response = Response::new(body);
    describe(response.headers_mut(), &row, length, now, signed.exp);
    if let Some(part) = part.and_then(|part| HeaderValue::from_str(&part).ok()) {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        response.headers_mut().insert(header::CONTENT_RANGE, part);
    }
    Ok(response)
}

fn unsatisfiable(total: u64) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
    if let Ok(value) = HeaderValue::from_str(&format!("bytes */{total}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

// What a stranger uploaded must never run as ours: the type is fixed, everything that could hold script is a download, and
// even what is opened by itself stands in a sandbox.
fn describe(out: &mut HeaderMap, row: &Row, length: u64, now: Timestamp, exp: i64) {
    let shown = may_be_shown(&row.mime);
    let mime = if row.mime.starts_with("text/") { format!("{}; charset=utf-8", row.mime) } else { row.mime.clone() };
    let disposition = disposition(&row.name, shown);
    let left = (exp - now.ms() / 1_000).clamp(0, 86_400);
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            out.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, if shown { &mime } else { "application/octet-stream" });
    set(header::CONTENT_LENGTH, &length.to_string());
    set(header::CONTENT_DISPOSITION, &disposition);
    set(header::ACCEPT_RANGES, "bytes");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(header::CACHE_CONTROL, &format!("private, max-age={left}, immutable"));
}

/// `Content-Disposition` with a name that no header can be broken by.
pub fn disposition(name: &str, shown: bool) -> String {
    let kind = if shown { "inline" } else { "attachment" };
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || " .-_()".contains(c) { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_header() {
        let hostile = disposition("a\"; x=\r\nSet-Cookie: b=c; ünï.pdf", false);
        assert!(
            hostile.starts_with("attachment; filename=\"a__ x___Set-Cookie_ b_c_ _n_.pdf\"; filename*=UTF-8''a%22%3B"),
            "{hostile}"
        );
        assert!(HeaderValue::from_str(&hostile).is_ok());
        assert!(disposition("a.png", true).starts_with("inline; "));
    }
}
