//! What an inbox can do, declared by its adapter. The desk and the composer ask this and never a provider's name.

use crate::window::WindowRule;
use crate::{Blocked, Fix, OutboundFile};
use model::words::BlockReason;
use serde::{Deserialize, Serialize};

/// Everything an inbox can do now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// Longest text of one message.
    pub text_max: TextMax,
    /// Markup that it understands.
    pub rich: Rich,
    /// Files, one rule per class; no rule = no such files.
    pub attach: Vec<AttachRule>,
    /// When we may write.
    pub window: WindowRule,
    /// Has approved templates.
    pub templates: bool,
    /// Shows the customer that we write.
    pub typing: bool,
    /// Tells us what the customer read.
    pub read_receipts_in: bool,
    /// Tells the customer what we read.
    pub read_receipts_out: bool,
    /// Tells us what was delivered.
    pub delivery_receipts: bool,
    /// Our sent messages can be changed.
    pub edits: bool,
    /// Our sent messages can be taken back.
    pub deletes: bool,
    /// Emoji reactions.
    pub reactions: bool,
    /// A message can quote the one it answers.
    pub reply_quotes: bool,
    /// Messages have a subject.
    pub subject: bool,
    /// Others can be in copy.
    pub cc: bool,
    /// We may write first.
    pub can_initiate: bool,
    /// Needs our server to be reachable from the internet.
    pub needs_public_url: bool,
    /// Buttons under a message.
    pub quick_replies: u32,
    /// Rows of a list message.
    pub list_rows: u32,
    /// The highest proof level that what comes in here may state about its sender; the inbox's own ids are another matter.
    pub claim_ceiling: u8,
    /// How a repeated submit is recognised.
    pub send_idempotency: SendIdempotency,
    /// What messages cost.
    pub cost: CostModel,
    /// How fast we may be.
    pub rate: Rate,
    /// Messages carry their files inside: `render` needs the bytes.
    pub file_bytes: bool,
    /// Largest message with all its files, as it travels; `None` = no limit. Checked with what base64 adds.
    pub message_bytes_max: Option<u64>,
}

impl Default for Capabilities {
    /// Plain text without limits, and nothing else.
    fn default() -> Self {
        Self {
            text_max: TextMax::Unlimited,
            rich: Rich::Plain,
            attach: vec![],
            window: WindowRule::None,
            templates: false,
            typing: false,
            read_receipts_in: false,
            read_receipts_out: false,
            delivery_receipts: false,
            edits: false,
            deletes: false,
            reactions: false,
            reply_quotes: false,
            subject: false,
            cc: false,
            can_initiate: false,
            needs_public_url: false,
            quick_replies: 0,
            list_rows: 0,
            claim_ceiling: 3,
            send_idempotency: SendIdempotency::None,
            cost: CostModel::Free,
            rate: Rate::default(),
            file_bytes: false,
            message_bytes_max: None,
        }
    }
}

/// Longest text of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextMax {
    /// Unicode scalar values.
    Chars(u32),
    /// Bytes of UTF-8.
    Bytes(u32),
    /// SMS segments.
    Segments {
        /// How many.
        count: u32,
    },
    /// No limit that matters.
    Unlimited,
}

impl TextMax {
    /// Does the text fit?
    pub fn holds(self, text: &str) -> bool {
        match self {
            Self::Chars(max) => text.chars().count() <= max as usize,
            Self::Bytes(max) => text.len() <= max as usize,
            Self::Segments { count } => segments_of(text) <= count,
            Self::Unlimited => true,
        }
    }
    /// The limit in characters for a counter on screen: what surely fits.
    pub fn chars(self) -> Option<u32> {
        match self {
            Self::Chars(max) => Some(max),
            Self::Bytes(max) => Some(max / 4),
            Self::Segments { count: 1 } => Some(70),
            Self::Segments { count } => Some(count.saturating_mul(67)),
            Self::Unlimited => None,
        }
    }
}

// GSM 03.38: the basic table, and the characters that take two places.
const GSM_BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const GSM_EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// How many SMS segments a text takes: GSM-7 when every character is in its table, else UCS-2.
pub fn segments_of(text: &str) -> u32 {
    let gsm_cost = |c: char| match c {
        c if GSM_BASIC.contains(c) => Some(1),
        c if GSM_EXTENDED.contains(c) => Some(2),
        _ => None,
    };
    let costs: Option<Vec<u32>> = text.chars().map(gsm_cost).collect();
    match costs {
        Some(costs) => pack(&costs, 160, 153),
        None => pack(&text.chars().map(|c| c.len_utf16() as u32).collect::<Vec<_>>(), 70, 67),
    }
}

// A character is never cut in two by a segment's end, so a segment may stay one place short.
fn pack(costs: &[u32], alone: u32, joined: u32) -> u32 {
    if costs.iter().sum::<u32>() <= alone {
        return u32::from(!costs.is_empty());
    }
    let (mut segments, mut used) = (1, 0);
    for cost in costs {
        if used + cost > joined {
            segments += 1;
            used = 0;
        }
        used += cost;
    }
    segments
}

/// Markup of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rich {
    /// None.
    Plain,
    /// HTML.
    Html,
    /// Telegram's HTML.
    TelegramHtml,
    /// WhatsApp's stars and underscores.
    WhatsappMarkup,
    /// Slack's.
    SlackMarkup,
}

/// What may be attached of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachRule {
    /// Which files it is about.
    pub class: MediaClass,
    /// Largest file.
    pub bytes_max: u64,
    /// Media types such as `image/jpeg` or `image/*`; empty = all of the class.
    pub types: Vec<String>,
    /// How many in one message.
    pub count_max: u32,
    /// The provider fetches the file from us.
    pub needs_public_url: bool,
}

/// Class of a file, by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaClass {
    /// Pictures.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// Everything that is none of these.
    Document,
    /// Every file.
    Any,
}

impl MediaClass {
    /// The class of a media type.
    pub fn of(mime: &str) -> Self {
        match mime.split('/').next() {
            Some("image") => Self::Image,
            Some("audio") => Self::Audio,
            Some("video") => Self::Video,
            _ => Self::Document,
        }
    }
}

impl AttachRule {
    /// Does this rule allow files of this media type?
    pub fn takes(&self, mime: &str) -> bool {
        (self.class == MediaClass::Any || self.class == MediaClass::of(mime))
            && (self.types.is_empty() || self.types.iter().any(|pattern| mime_matches(pattern, mime)))
    }
}

fn mime_matches(pattern: &str, mime: &str) -> bool {
    let mime = mime.split(';').next().unwrap_or_default().trim();
    match pattern.strip_suffix("/*") {
        Some(class) => mime.split_once('/').is_some_and(|(have, _)| have.eq_ignore_ascii_case(class)),
        None => pattern == "*" || pattern.eq_ignore_ascii_case(mime),
    }
}

/// How a repeated submit is recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendIdempotency {
    /// A header of this name: the provider takes the same key once, so resending is safe.
    Key(String),
    /// Our id goes along in this field and comes back: it settles doubts, but resending is not safe.
    Correlate(String),
    /// Nothing.
    None,
}

/// What messages cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostModel {
    /// Nothing.
    Free,
    /// Each message.
    PerMessage,
    /// Each SMS segment.
    PerSegment,
    /// Each minute.
    PerMinute,
}

/// Token buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Messages a minute for the inbox; 0 = unlimited.
    pub inbox_per_minute: u32,
    /// Messages a minute to one receiver; 0 = unlimited.
    pub recipient_per_minute: u32,
}

/// The limits that a composer shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendLimits {
    /// Characters; `None` = no limit.
    pub text_max: Option<u32>,
    /// Largest file of any class.
    pub attachment_bytes_max: u64,
    /// Files in one message.
    pub attachments_max: u32,
    /// Media types that are taken.
    pub types: Vec<String>,
}

impl Capabilities {
    /// The limits that a composer shows.
    pub fn limits(&self) -> SendLimits {
        let mut types: Vec<String> = self.attach.iter().flat_map(rule_types).collect();
        types.dedup();
        SendLimits {
            text_max: self.text_max.chars(),
            attachment_bytes_max: self.attach.iter().map(|rule| rule.bytes_max).max().unwrap_or(0),
            attachments_max: self.attach.iter().map(|rule| rule.count_max).max().unwrap_or(0),
            types,
        }
    }

    /// Checks text and files against the limits: what every `render` begins with.
    pub fn check(&self, text: &str, files: &[OutboundFile]) -> Result<(), Blocked> {
        if !self.text_max.holds(text) {
            return Err(Blocked::because(BlockReason::TooLong).fixed_by(Fix::Shorten));
        }
        for file in files {
            let rule = self.attach.iter().find(|rule| rule.takes(&file.mime));
            let fits = rule.is_some_and(|rule| {
                let same = files.iter().filter(|other| rule.takes(&other.mime)).count();
                file.bytes <= rule.bytes_max && same <= rule.count_max as usize
            });
            if !fits {
                return Err(Blocked::because(BlockReason::AttachmentType).fixed_by(Fix::ChangeFiles));
            }
        }
        if self.message_bytes_max.is_some_and(|max| encoded_bytes(text, files) > max) {
            return Err(Blocked::because(BlockReason::TooLong).fixed_by(Fix::ChangeFiles));
        }
        Ok(())
    }
}

/// About how many bytes a text with its files takes on its way: base64 makes four of three, and lines end in two.
pub fn encoded_bytes(text: &str, files: &[OutboundFile]) -> u64 {
    let files: u64 = files.iter().map(|file| encoded_file_bytes(file.bytes)).sum();
    files + 2 * text.len() as u64 + 4_096
}

/// About how many bytes a file takes inside a mail: base64 in lines of 76, and the header of its part.
pub fn encoded_file_bytes(bytes: u64) -> u64 {
    let encoded = bytes.div_ceil(3) * 4;
    encoded + encoded.div_ceil(76) * 2 + 512
}

fn rule_types(rule: &AttachRule) -> Vec<String> {
    let all = match rule.class {
        _ if !rule.types.is_empty() => return rule.types.clone(),
        MediaClass::Image => "image/*",
        MediaClass::Audio => "audio/*",
        MediaClass::Video => "video/*",
        MediaClass::Document | MediaClass::Any => "*",
    };
    vec![all.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_count_as_the_standard_does() {
        let cases = [
            (String::new(), 0),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("я".repeat(70), 1),
            ("я".repeat(71), 2),
            ("я".repeat(134), 2),
            ("😀".repeat(35), 1),
            ("😀".repeat(36), 2),
            // 67 places hold 33 emoji, so the third segment begins at the 67th.
            ("😀".repeat(67), 3),
        ];
        for (text, segments) in cases {
            assert_eq!(segments_of(&text), segments, "{} x {:?}", text.chars().count(), text.chars().next());
        }
    }

    #[test]
    fn texts_and_files_outside_the_limits_are_blocked_with_a_way_out() {
        let capabilities = Capabilities {
            text_max: TextMax::Chars(5),
            attach: vec![AttachRule {
                class: MediaClass::Any,
                bytes_max: 100,
                types: vec!["image/*".into(), "application/pdf".into()],
                count_max: 2,
                needs_public_url: false,
            }],
            ..Capabilities::default()
        };
        let file = |mime: &str, bytes| OutboundFile {
            id: model::AttachmentId(1),
            name: "x".into(),
            mime: mime.into(),
            bytes,
            url: None,
        };
        assert_eq!(capabilities.check("fünf!", &[]), Ok(()));
        assert_eq!(capabilities.check("sechs!", &[]).unwrap_err().fix, Some(Fix::Shorten));
        assert_eq!(capabilities.check("", &[file("image/png", 100), file("Application/PDF; x=1", 1)]), Ok(()));
        for files in [vec![file("image/png", 101)], vec![file("text/html", 1)], vec![file("image/png", 1); 3]] {
            assert_eq!(capabilities.check("", &files).unwrap_err().reason, BlockReason::AttachmentType, "{files:?}");
        }
        assert_eq!(Capabilities::default().check("", &[file("image/png", 1)]).unwrap_err().reason, BlockReason::AttachmentType);
        assert_eq!(capabilities.limits().types, ["image/*", "application/pdf"]);
    }

    #[test]
    fn a_screen_counts_in_what_surely_fits() {
        assert!(TextMax::Bytes(1000).holds(&"😀".repeat(TextMax::Bytes(1000).chars().unwrap() as usize)));
        assert!(TextMax::Segments { count: 3 }.holds(&"я".repeat(TextMax::Segments { count: 3 }.chars().unwrap() as usize)));
    }
}
