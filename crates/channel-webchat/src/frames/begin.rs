//! How a visitor begins: who they say they are, and where they are.

use super::{FRAME_BYTES_MAX, FrameError, TITLE_CHARS_MAX, URL_CHARS_MAX, check_fields};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Opens or resumes a visitor.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Begin {
    /// The token of an earlier visit.
    pub visitor_token: Option<String>,
    /// Signed token of a known customer.
    pub jwt: Option<String>,
    /// Id of a known customer, with its hash.
    pub identify_id: Option<String>,
    /// Hex HMAC-SHA256 of the id.
    pub identify_hash: Option<String>,
    /// Unsigned values: shown to agents as claimed.
    pub claimed: Option<BTreeMap<String, String>>,
    /// The page around the widget.
    pub page: Option<Page>,
    /// BCP 47 language of the visitor.
    pub locale: String,
    /// Origin of the embedding page.
    pub host_origin: String,
    /// "Not you? Start new": a new visitor, whatever the token says.
    pub new: Option<bool>,
}

impl std::fmt::Debug for Begin {
    // It carries tokens, which never enter a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Begin({}, token: {}, jwt: {})", self.host_origin, self.visitor_token.is_some(), self.jwt.is_some())
    }
}

impl Begin {
    /// Reads the body of `POST /w/:site/visitors` and cuts what may be cut.
    pub fn parse(body: &[u8]) -> Result<Self, FrameError> {
        if body.len() > FRAME_BYTES_MAX {
            return Err(FrameError::bad("the request is too large"));
        }
        let value: serde_json::Value = serde_json::from_slice(body).map_err(|_| FrameError::bad("not JSON"))?;
        // serde would take a list of values in the order of the fields as well.
        if !value.is_object() {
            return Err(FrameError::bad("not a JSON object"));
        }
        let mut begin: Self = serde_json::from_value(value).map_err(|_| FrameError::bad("not the fields of a begin"))?;
        if let Some(claimed) = &begin.claimed {
            check_fields(claimed, "claimed")?;
        }
        let too_long = |text: &Option<String>, max| text.as_ref().is_some_and(|text| text.len() > max);
        if too_long(&begin.visitor_token, 4_096)
            || too_long(&begin.jwt, 8_192)
            || too_long(&begin.identify_id, 1_020)
            || too_long(&begin.identify_hash, 256)
        {
            return Err(FrameError::bad("a token is too long"));
        }
        if begin.host_origin.len() > 512 || begin.locale.len() > 64 {
            return Err(FrameError::bad("a field is too long"));
        }
        if let Some(page) = &mut begin.page {
            page.cut();
        }
        Ok(begin)
    }
}

/// The page a visitor is on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = WidgetPage)]
pub struct Page {
    /// Its address.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Where the visitor came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
}

impl Page {
    pub(super) fn cut(&mut self) {
        cut(&mut self.url, URL_CHARS_MAX);
        cut(&mut self.title, TITLE_CHARS_MAX);
        if let Some(referrer) = &mut self.referrer {
            cut(referrer, URL_CHARS_MAX);
        }
    }
}

pub(super) fn cut(text: &mut String, chars_max: usize) {
    let kept = model::fold::truncate(text, chars_max).len();
    text.truncate(kept);
}
