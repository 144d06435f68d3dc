//! What an event proves about a sender key: the one table that adapters go by (domain.md 5.1). Pure. A level belongs to the
//! event and not to the person: the same number is 2 on WhatsApp and 1 in a call without attestation.

use model::{Channel, ContactPointKind};

/// What is known about a sender key beside the key itself; the default is: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// DMARC of a mail: `Some(true)` aligned, `Some(false)` failed, `None` without verdict.
    pub dmarc: Option<bool>,
    /// The network vouches in full for the caller's number (STIR/SHAKEN "A").
    pub full_attestation: bool,
    /// A text that answers a message of ours on that inbox.
    pub solicited: bool,
    /// The id of a signed-in customer comes in a token whose signature was checked.
    pub signed: bool,
    /// The id comes with a keyed hash that was checked: it never expires.
    pub hashed: bool,
}

/// What a key is worth in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// 3 authenticated, 2 controlled, 1 spoofable, 0 claimed.
    Level(u8),
    /// Proven false: never a match.
    Disproved,
}

/// The level of a key of this kind that came on this channel.
pub fn of(kind: ContactPointKind, channel: Channel, evidence: Evidence) -> Proof {
    use ContactPointKind as Kind;
    Proof::Level(match kind {
        Kind::Email => match evidence.dmarc {
            Some(true) => 2,
            Some(false) => return Proof::Disproved,
            None => 1,
        },
        Kind::Phone => match channel {
            Channel::Whatsapp => 2,
            Channel::Voice if evidence.full_attestation => 2,
            Channel::Sms if evidence.solicited => 2,
            _ => 1,
        },
        Kind::Account if evidence.signed => 3,
        Kind::Account if evidence.hashed => 2,
        Kind::Account => 0,
        Kind::Crm => 3,
        Kind::Visitor | Kind::Whatsapp | Kind::Messenger | Kind::Instagram | Kind::Telegram | Kind::Viber | Kind::Ext => 2,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Channel::{Email, Sms, Voice, Webchat, Whatsapp};
    use ContactPointKind::{Account, Crm, Email as Mail, Phone, Telegram, Visitor};

    #[test]
    fn the_table() {
        let no = Evidence::default();
        let cases = [
            (Mail, Email, Evidence { dmarc: Some(true), ..no }, Proof::Level(2)),
            (Mail, Email, no, Proof::Level(1)),
            (Mail, Email, Evidence { dmarc: Some(false), ..no }, Proof::Disproved),
            (Phone, Whatsapp, no, Proof::Level(2)),
            (Phone, Voice, Evidence { full_attestation: true, ..no }, Proof::Level(2)),
            (Phone, Voice, Evidence { solicited: true, ..no }, Proof::Level(1)),
            (Phone, Sms, Evidence { solicited: true, ..no }, Proof::Level(2)),
            (Phone, Sms, Evidence { full_attestation: true, ..no }, Proof::Level(1)),
            (Account, Webchat, Evidence { signed: true, ..no }, Proof::Level(3)),
            (Account, Webchat, Evidence { hashed: true, ..no }, Proof::Level(2)),
            (Account, Webchat, no, Proof::Level(0)),
            (Crm, Webchat, no, Proof::Level(3)),
            (Visitor, Webchat, no, Proof::Level(2)),
            (Telegram, Channel::Telegram, no, Proof::Level(2)),
        ];
        for (kind, channel, evidence, wanted) in cases {
            assert_eq!(of(kind, channel, evidence), wanted, "{kind} on {channel} {evidence:?}");
        }
    }
}
