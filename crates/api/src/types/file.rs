//! Files outside: signed addresses that expire, and which of them a browser may show by itself.

use desk::Desk;
use keys::Keys;
use model::{AttachmentId, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// An address is good for at least this long, and the same within the hour, so that a browser finds it in its cache.
const LIFE_MS: i64 = 24 * 3_600_000;
const HOUR_MS: i64 = 3_600_000;

/// A file of an entry, or one that waits for a send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attachment {
    /// Its id.
    pub id: AttachmentId,
    /// Name as shown.
    pub name: String,
    /// Sniffed media type.
    pub mime: String,
    /// Size.
    pub bytes: i64,
    /// Signed, expires.
    pub url: String,
    /// Safe to show in a page.
    pub inline: bool,
}

/// Signs the addresses of files.
#[derive(Clone)]
pub struct Files {
    keys: Arc<Keys>,
    workspace: WorkspaceId,
    until: Timestamp,
}

impl Files {
    /// For the files of a workspace, as of now.
    pub fn new(desk: &Desk, workspace: WorkspaceId) -> Self {
        Self::at(&desk.keys, workspace, desk.now())
    }

    /// The same by parts.
    pub fn at(keys: &Arc<Keys>, workspace: WorkspaceId, now: Timestamp) -> Self {
        let until = Timestamp(now.ms().div_euclid(HOUR_MS) * HOUR_MS + HOUR_MS + LIFE_MS);
        Self { keys: Arc::clone(keys), workspace, until }
    }

    /// The address of a file.
    pub fn url(&self, id: AttachmentId, name: &str) -> String {
        let signed = self.keys.sign_file(self.workspace, &id.to_string(), self.until);
        format!("/api/v1/files/{id}/{}?w={}&{}", path_piece(name), self.workspace, signed.query())
    }

    /// A file as screens show it.
    pub fn attachment(&self, id: AttachmentId, name: &str, mime: &str, bytes: i64) -> Attachment {
        Attachment {
            id,
            name: name.to_owned(),
            mime: mime.to_owned(),
            bytes,
            url: self.url(id, name),
            inline: may_be_shown(mime),
        }
    }

    /// The same of a row.
    pub fn of(&self, row: &store::attachment::Attachment) -> Attachment {
        self.attachment(row.id, &row.name, &row.mime, row.bytes)
    }
}

/// Types that a browser shows without running anything. Everything else is only ever a download.
pub fn may_be_shown(mime: &str) -> bool {
    matches!(
        mime,
        "image/png"
            | "image/jpeg"
            | "image/gif"
            | "image/webp"
            | "image/avif"
            | "audio/mpeg"
            | "audio/ogg"
            | "audio/wav"
            | "audio/webm"
            | "audio/mp4"
            | "video/mp4"
            | "video/webm"
            | "video/ogg"
            | "text/plain"
    )
}

/// A name as one piece of a path: letters and digits stay, all else is percent-encoded.
pub fn path_piece(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in model::fold::truncate(name, 100).bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && !out.is_empty()) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    if out.is_empty() { "file".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_within_the_hour_and_checks() {
        let keys = Arc::new(Keys::from_root([3; 32]));
        let now = Timestamp(1_795_425_300_123);
        let files = Files::at(&keys, WorkspaceId(9), now);
        let one = files.attachment(AttachmentId(5), "../a b\".html", "text/html", 7);
        assert_eq!(one.url, Files::at(&keys, WorkspaceId(9), now.plus_seconds(60)).url(AttachmentId(5), "../a b\".html"));
        assert!(
            one.url.starts_with("/api/v1/files/att_0000000000005/%2E.%2Fa%20b%22.html?w=wsp_0000000000009&exp="),
            "{}",
            one.url
        );
        assert!(!one.inline && files.attachment(AttachmentId(5), "a", "image/png", 7).inline);
    }

    #[test]
    fn nothing_that_runs_is_shown() {
        for mime in ["text/html", "image/svg+xml", "application/pdf", "application/xhtml+xml", "text/xml", ""] {
            assert!(!may_be_shown(mime), "{mime}");
        }
    }
}
