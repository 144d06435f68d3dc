//! The widget's door: what our own api crate hands in after it checked token, origin and limits.

use crate::WebChat;
use crate::frames::{ClientFrame, FRAME_BYTES_MAX};
use crate::identity::{VerifiedIdentity, is_visitor_id};
use channel::{CameBy, InboxSettings, RawEvent, RawRequest, Rejected, Verified, Webhook, content_key};
use model::Timestamp;

/// Header with the visitor's id.
pub const VISITOR_HEADER: &str = "x-continuo-visitor";
/// Header with what the site proved, as JSON of `VerifiedIdentity`.
pub const VERIFIED_HEADER: &str = "x-continuo-verified";
/// Largest body of a frame.
pub const MESSAGE_BYTES_MAX: usize = FRAME_BYTES_MAX;

/// One frame with who sent it; the only way a webchat request is made.
#[derive(Clone, Debug)]
pub struct WidgetRequest<'a> {
    /// From the visitor token.
    pub visitor_id: &'a str,
    /// From the visitor token, while it counts (`VisitorToken::verified_at`).
    pub verified: Option<&'a VerifiedIdentity>,
    /// The frame as it was read; what the client sent beyond it is gone.
    pub frame: &'a ClientFrame,
    /// When we had it.
    pub received_at: Timestamp,
}

impl WidgetRequest<'_> {
    /// As the contract wants it.
    pub fn into_raw(self) -> RawRequest {
        let mut headers = vec![(VISITOR_HEADER.to_owned(), self.visitor_id.to_owned())];
        if let Some(verified) = self.verified {
            headers.push((VERIFIED_HEADER.to_owned(), serde_json::to_string(verified).expect("an identity is plain JSON")));
        }
        RawRequest {
            came_by: CameBy::Widget,
            method: "POST".to_owned(),
            path_and_query: String::new(),
            headers,
            body: serde_json::to_vec(self.frame).expect("a frame is plain JSON"),
            received_at: self.received_at,
        }
    }
}

impl Webhook for WebChat {
    fn verify(&self, _inbox: &InboxSettings, request: &RawRequest, _now: Timestamp) -> Result<Verified, Rejected> {
        // The headers below are believed, so they must be ours: a stranger at the public webhook route gets nothing.
        if request.came_by != CameBy::Widget {
            return Err(Rejected::BadSignature);
        }
        if request.body.len() > MESSAGE_BYTES_MAX {
            return Err(Rejected::TooLarge { bytes_max: MESSAGE_BYTES_MAX });
        }
        if !request.header(VISITOR_HEADER).is_some_and(is_visitor_id) {
            return Err(Rejected::Malformed("a widget request without a visitor".to_owned()));
        }
        let ours = |(name, _): &&(String, String)| [VISITOR_HEADER, VERIFIED_HEADER].contains(&name.as_str());
        let headers = request.headers.iter().filter(ours).cloned().collect();
        Ok(Verified { headers, body: request.body.clone(), received_at: request.received_at, answer: None })
    }

    fn split(&self, verified: &Verified) -> Vec<RawEvent> {
        let visitor = verified.header(VISITOR_HEADER).unwrap_or_default();
        let dedupe_key = match ClientFrame::parse(&verified.body) {
            // The client's own id makes a message exactly-once, however often it is sent again.
            Ok(ClientFrame::Message(message)) => format!("{visitor}:m:{}", message.client_msg_id),
            // Marks only rise, so the same mark again says nothing new.
            Ok(ClientFrame::Read { up_to_seq }) => format!("{visitor}:r:{up_to_seq}"),
            Ok(ClientFrame::Delivered { up_to_seq }) => format!("{visitor}:d:{up_to_seq}"),
            // What somebody says may be taken back and said again: each saying counts, at its time.
            Ok(ClientFrame::Claim { .. } | ClientFrame::Email { .. } | ClientFrame::Page { .. } | ClientFrame::Typing { .. }) => {
                format!("{visitor}:s:{}:{}", verified.received_at.ms(), &content_key(&verified.body)[..32])
            }
            Ok(ClientFrame::Hello { .. } | ClientFrame::Ping) => return vec![],
            Err(_) => format!("{visitor}:x:{}", content_key(&verified.body)),
        };
        vec![RawEvent {
            dedupe_key,
            lane: visitor.to_owned(),
            body: verified.body.clone(),
            headers: verified.headers.clone(),
            received_at: verified.received_at,
            evidence: None,
        }]
    }
}
