//! What an inbox can do: good defaults, what its settings declare over them, and the three things that this channel knows
//! better than any declaration.

use crate::settings::ApiSettings;
use crate::sign::ID_HEADER;
use channel::{AttachRule, Capabilities, MediaClass, Rate, SendIdempotency, TextMax};

/// What an inbox can do that declares nothing. It writes to whom it knows; who may be written to first is declared.
fn defaults(settings: &ApiSettings) -> Capabilities {
    let files = AttachRule {
        class: MediaClass::Any,
        bytes_max: settings.files.bytes_max,
        types: settings.files.types.clone(),
        count_max: settings.files.count_max,
        needs_public_url: false,
    };
    Capabilities {
        text_max: TextMax::Chars(10_000),
        attach: if settings.files.enabled { vec![files] } else { vec![] },
        delivery_receipts: true,
        read_receipts_in: true,
        reply_quotes: true,
        rate: Rate::default(),
        ..Capabilities::default()
    }
}

/// The declaration over the defaults. What cannot be read counts as not declared: settings are checked when they are set.
pub(crate) fn capabilities(settings: &ApiSettings) -> Capabilities {
    let base = defaults(settings);
    let mut merged = serde_json::to_value(&base).unwrap_or_default();
    if let Some(fields) = merged.as_object_mut() {
        fields.extend(settings.capabilities.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    let declared = serde_json::from_value(merged).unwrap_or(base);
    Capabilities {
        subject: settings.has_subject,
        claim_ceiling: settings.claim_ceiling,
        send_idempotency: SendIdempotency::Key(ID_HEADER.to_owned()),
        // Files are fetched from us with the key of the inbox, so nobody has to see us from outside.
        file_bytes: false,
        ..declared
    }
}
