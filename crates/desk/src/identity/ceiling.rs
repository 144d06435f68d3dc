//! Holds what a channel says about its senders to what it may vouch for (channels.md 14). In: an understood event and the
//! inbox's ceiling. Out: the same event with lowered levels; what was stated stays beside it, so that agents see both.

use channel::{ContactPointClaim, InboundEvent};
use model::{ContactPointKind, InboxId};

/// The most that a channel's own ids can prove: control inside that channel.
const OWN_LEVEL_MAX: u8 = 2;

/// Lowers every claim of an event that is above the ceiling.
pub fn lower(event: &mut InboundEvent, inbox: InboxId, ceiling: u8) {
    let scope = inbox.to_string();
    let one = |claim: &mut ContactPointClaim| {
        let is_own = claim.kind == ContactPointKind::Ext && claim.scope == scope;
        let max = if is_own { OWN_LEVEL_MAX } else { ceiling };
        if claim.proof_level > max {
            claim.stated_level = Some(claim.proof_level);
            claim.proof_level = max;
        }
    };
    match event {
        InboundEvent::Message(message) | InboundEvent::Echo(message) | InboundEvent::Edit { message, .. } => {
            message.from.iter_mut().chain(&mut message.to).chain(&mut message.cc).for_each(one);
        }
        InboundEvent::Reaction { from, .. } | InboundEvent::OptOut { from, .. } | InboundEvent::OptIn { from, .. } => one(from),
        InboundEvent::ContactPointChanged { old, new } => {
            one(old);
            one(new);
        }
        InboundEvent::Claim(claim) => claim.from.iter_mut().chain(&mut claim.address).for_each(one),
        InboundEvent::Call(call) => call.from.iter_mut().for_each(one),
        InboundEvent::Unsupported { from, .. } => from.iter_mut().for_each(one),
        InboundEvent::Delivery { .. }
        | InboundEvent::Watermark { .. }
        | InboundEvent::Delete { .. }
        | InboundEvent::Typing { .. }
        | InboundEvent::Template { .. }
        | InboundEvent::Account { .. } => {}
    }
}

/// Was something stated that the channel may not vouch for?
pub fn was_lowered(claims: &[ContactPointClaim]) -> bool {
    claims.iter().any(|claim| claim.stated_level.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ContactPointKind::{Account, Email, Ext, Phone};
    use channel::{ClaimSource, InboundMessage};

    #[test]
    fn nothing_counts_above_the_ceiling_but_the_channels_own_ids() {
        let inbox = InboxId(7);
        let own = inbox.to_string();
        // kind, scope, stated, ceiling -> counts, stated beside it
        let cases = [
            (Phone, "", 3, 1, 1, Some(3)),
            (Phone, "", 1, 1, 1, None),
            (Email, "", 2, 0, 0, Some(2)),
            (Account, "", 3, 3, 3, None),
            (Ext, own.as_str(), 2, 0, 2, None),
            (Ext, own.as_str(), 3, 0, 2, Some(3)),
            (Ext, "ibx_other", 2, 1, 1, Some(2)),
        ];
        for (kind, scope, stated, ceiling, counts, beside) in cases {
            let claim = ContactPointClaim::new(kind, scope, "x", stated, ClaimSource::Sender);
            let mut event = InboundEvent::Message(InboundMessage { from: vec![claim], ..InboundMessage::default() });
            lower(&mut event, inbox, ceiling);
            let InboundEvent::Message(message) = event else { unreachable!("it stays a message") };
            let got = (message.from[0].proof_level, message.from[0].stated_level);
            assert_eq!(got, (counts, beside), "{kind} {scope} {stated} under {ceiling}");
            assert_eq!(was_lowered(&message.from), beside.is_some());
        }
    }

    #[test]
    fn every_event_with_a_sender_is_held_to_it() {
        let claim = || ContactPointClaim::new(Phone, "", "+1555", 3, ClaimSource::Sender);
        let scope = channel::OptScope::All;
        let events = [
            InboundEvent::OptOut { from: claim(), scope },
            InboundEvent::OptIn { from: claim(), scope },
            InboundEvent::Reaction { provider_id: "m".into(), from: claim(), emoji: None },
            InboundEvent::ContactPointChanged { old: claim(), new: claim() },
            InboundEvent::Unsupported { kind: "x".into(), from: vec![claim()], external_conversation: None },
            InboundEvent::Echo(InboundMessage { to: vec![claim()], ..InboundMessage::default() }),
        ];
        for mut event in events {
            lower(&mut event, InboxId(7), 1);
            let json = serde_json::to_string(&event).expect("events are plain JSON");
            assert!(json.contains("\"stated_level\":3") && !json.contains("\"proof_level\":3"), "{json}");
        }
    }
}
