//! An outgoing entry for the widget: the entry is the message, so there is one part and nothing to translate.

use crate::capabilities::capabilities;
use crate::settings::WebchatSettings;
use channel::{BlockReason, Blocked, ContactPointKind, Fix, Outbound, SendContext, WireRequest};

pub(crate) fn render(outbound: &Outbound, context: &SendContext) -> Result<Vec<WireRequest>, Blocked> {
    if outbound.to.kind != ContactPointKind::Visitor {
        return Err(Blocked::because(BlockReason::NoContactPoint).fixed_by(Fix::SwitchChannel));
    }
    let settings = WebchatSettings::of(&context.inbox).map_err(|_| Blocked::because(BlockReason::ChannelDown))?;
    capabilities(&settings).check(&outbound.text, &outbound.files)?;
    Ok(vec![WireRequest {
        part: 0,
        parts: 1,
        correlation: context.correlation.clone(),
        idempotency_key: Some(outbound.entry.to_string()),
        method: "SHOW".to_owned(),
        url: format!("webchat:{}/{}", outbound.to.value, outbound.entry),
        headers: vec![],
        body: vec![],
        files: outbound.files.clone(),
    }])
}
