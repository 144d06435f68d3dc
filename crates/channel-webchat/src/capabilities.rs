//! What web chat can do. The limits are our own: there is no provider.

use crate::frames::{FILE_COUNT_MAX, TEXT_CHARS_MAX};
use crate::settings::WebchatSettings;
use channel::{AttachRule, Capabilities, MediaClass, Rate, SendIdempotency, TextMax};

/// An agent may send what a visitor may receive: any type, up to a size that a phone still loads.
pub const OUT_BYTES_MAX: u64 = 100 * 1024 * 1024;

pub(crate) fn capabilities(_settings: &WebchatSettings) -> Capabilities {
    Capabilities {
        text_max: TextMax::Chars(TEXT_CHARS_MAX as u32),
        attach: vec![AttachRule {
            class: MediaClass::Any,
            bytes_max: OUT_BYTES_MAX,
            types: vec![],
            count_max: FILE_COUNT_MAX as u32,
            needs_public_url: false,
        }],
        typing: true,
        read_receipts_in: true,
        read_receipts_out: true,
        delivery_receipts: true,
        deletes: true,
        // The entry is the message: sending it twice is one entry.
        send_idempotency: SendIdempotency::Key("entry".to_owned()),
        rate: Rate::default(),
        ..Capabilities::default()
    }
}
