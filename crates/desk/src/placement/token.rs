//! Tokens and ids of ours that come back in mail: the token behind the plus sign of a reply address, and our Message-IDs.
//! Both carry a MAC, so that whoever shows one has had a mail of ours in hands; nobody can make one up for another
//! conversation. Pure: keys and text in, ids out.

use keys::{Keys, Purpose, SubKey};
use model::{ContactId, ConversationId, OutboxId, Timestamp, WorkspaceId};

/// Bytes of a MAC in tokens: 80 bits, 16 characters.
const MAC_BYTES: usize = 10;
const MAC_CHARS: usize = 16;
const ID_CHARS: usize = 13;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The token of a conversation for reply addresses: `c`, the id, the MAC; 30 characters, lower case.
pub fn reply_token(keys: &Keys, workspace: WorkspaceId, conversation: ConversationId) -> String {
    let key = keys.current(Purpose::ReplyAddress);
    format!("c{}{}", model::id::encode(conversation.0), mac_text(&key, workspace, conversation.0))
}

/// The conversation of a reply token; `None` when it is not ours, was changed, or is for another workspace.
pub fn read_reply_token(keys: &Keys, workspace: WorkspaceId, token: &str) -> Option<ConversationId> {
    let token = token.trim().to_ascii_lowercase();
    let rest = token.strip_prefix('c')?;
    let id = checked(keys, Purpose::ReplyAddress, workspace, rest.get(..ID_CHARS)?, rest.get(ID_CHARS..)?)?;
    Some(ConversationId(id))
}

/// The local part of the Message-ID of an outbox row: `m.{id}.{mac}`.
pub fn message_id_local(keys: &Keys, workspace: WorkspaceId, outbox: OutboxId) -> String {
    let key = keys.current(Purpose::MessageId);
    format!("m.{}.{}", model::id::encode(outbox.0), mac_text(&key, workspace, outbox.0))
}

/// The outbox row of one of our Message-IDs, with or without angle brackets, under whatever domain.
pub fn read_message_id(keys: &Keys, workspace: WorkspaceId, id: &str) -> Option<OutboxId> {
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    let local = id.split('@').next()?.to_ascii_lowercase();
    let (id, mac) = local.strip_prefix("m.")?.split_once('.')?;
    checked(keys, Purpose::MessageId, workspace, id, mac).map(OutboxId)
}

/// The token with which a widget that has lost its cookie continues its conversation: like a reply token, beginning with `w`.
pub fn widget_token(keys: &Keys, workspace: WorkspaceId, conversation: ConversationId) -> String {
    let key = keys.current(Purpose::Visitor);
    format!("w{}{}", model::id::encode(conversation.0), labelled(&key, "widget", workspace, &[conversation.0]))
}

/// The conversation of a widget token.
pub fn read_widget_token(keys: &Keys, workspace: WorkspaceId, token: &str) -> Option<ConversationId> {
    let token = token.trim().to_ascii_lowercase();
    let rest = token.strip_prefix('w').filter(|rest| rest.len() == ID_CHARS + MAC_CHARS && rest.is_ascii())?;
    let id = model::id::decode(&rest[..ID_CHARS])?;
    let ours = |key: &SubKey| keys::same(labelled(key, "widget", workspace, &[id]).as_bytes(), &rest.as_bytes()[ID_CHARS..]);
    keys.all(Purpose::Visitor).iter().any(ours).then_some(ConversationId(id))
}

/// The token that a checked one-time code leaves behind: whoever shows it is this contact, until then. It stays inside the
/// product: the step that checked the code puts it on the event.
pub fn proof_token(keys: &Keys, workspace: WorkspaceId, contact: ContactId, until: Timestamp) -> String {
    let key = keys.current(Purpose::Visitor);
    let mac = labelled(&key, "proof", workspace, &[contact.0, until.0]);
    format!("p{}{}{mac}", model::id::encode(contact.0), model::id::encode(until.0))
}

/// The contact of a proof token that is still good.
pub fn read_proof_token(keys: &Keys, workspace: WorkspaceId, token: &str, now: Timestamp) -> Option<ContactId> {
    let token = token.trim().to_ascii_lowercase();
    let rest = token.strip_prefix('p').filter(|rest| rest.len() == 2 * ID_CHARS + MAC_CHARS && rest.is_ascii())?;
    let (contact, until) = (model::id::decode(&rest[..ID_CHARS])?, model::id::decode(&rest[ID_CHARS..2 * ID_CHARS])?);
    let ours = |key: &SubKey| {
        keys::same(labelled(key, "proof", workspace, &[contact, until]).as_bytes(), &rest.as_bytes()[2 * ID_CHARS..])
    };
    (keys.all(Purpose::Visitor).iter().any(ours) && now <= Timestamp(until)).then_some(ContactId(contact))
}

fn labelled(key: &SubKey, label: &str, workspace: WorkspaceId, numbers: &[i64]) -> String {
    let bytes: Vec<[u8; 8]> = numbers.iter().map(|n| n.to_be_bytes()).collect();
    let mut parts: Vec<&[u8]> = vec![label.as_bytes()];
    let workspace = workspace.0.to_be_bytes();
    parts.push(&workspace);
    parts.extend(bytes.iter().map(|b| b.as_slice()));
    base32(&key.mac(&parts)[..MAC_BYTES])
}

fn checked(keys: &Keys, purpose: Purpose, workspace: WorkspaceId, id: &str, mac: &str) -> Option<i64> {
    if id.len() != ID_CHARS || mac.len() != MAC_CHARS {
        return None;
    }
    let id = model::id::decode(id)?;
    let ours = |key: &SubKey| keys::same(mac_text(key, workspace, id).as_bytes(), mac.as_bytes());
    keys.all(purpose).iter().any(ours).then_some(id)
}

fn mac_text(key: &SubKey, workspace: WorkspaceId, id: i64) -> String {
    let mac = key.mac(&[&workspace.0.to_be_bytes(), &id.to_be_bytes()]);
    base32(&mac[..MAC_BYTES])
}

/// Eight characters for each five bytes, in the alphabet of ids.
fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(MAC_CHARS);
    for five in bytes.chunks_exact(5) {
        let bits = five.iter().fold(0u64, |bits, byte| (bits << 8) | u64::from(*byte));
        for place in (0..8).rev() {
            out.push(char::from(ALPHABET[usize::try_from((bits >> (place * 5)) & 31).unwrap_or(0)]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: WorkspaceId = WorkspaceId(7);
    const CONVERSATION: ConversationId = ConversationId(456_316_158_209_955_857);
    const OUTBOX: OutboxId = OutboxId(456_316_158_209_955_900);

    #[test]
    fn a_token_names_its_conversation_also_in_capitals_and_fits_into_an_address() {
        let keys = Keys::from_root([1; 32]);
        let token = reply_token(&keys, WORKSPACE, CONVERSATION);
        assert_eq!(token.len(), 30);
        assert!(token.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{token}");
        assert_eq!(read_reply_token(&keys, WORKSPACE, &token), Some(CONVERSATION));
        assert_eq!(read_reply_token(&keys, WORKSPACE, &token.to_uppercase()), Some(CONVERSATION));
    }

    #[test]
    fn widgets_and_proofs_have_tokens_of_their_own() {
        let keys = Keys::from_root([1; 32]);
        let widget = widget_token(&keys, WORKSPACE, CONVERSATION);
        assert_eq!(read_widget_token(&keys, WORKSPACE, &widget), Some(CONVERSATION));
        assert_eq!(read_reply_token(&keys, WORKSPACE, &format!("c{}", &widget[1..])), None);
        assert_eq!(read_widget_token(&keys, WORKSPACE, &format!("w{}", &reply_token(&keys, WORKSPACE, CONVERSATION)[1..])), None);
        assert_eq!(read_widget_token(&keys, WorkspaceId(8), &widget), None);
        let (contact, until) = (ContactId(77), Timestamp(1_000_000));
        let proof = proof_token(&keys, WORKSPACE, contact, until);
        assert_eq!(read_proof_token(&keys, WORKSPACE, &proof, until), Some(contact));
        assert_eq!(read_proof_token(&keys, WORKSPACE, &proof, Timestamp(1_000_001)), None, "its time is over");
        for at in 0..proof.len() {
            let other = if proof.as_bytes()[at] == b'y' { "x" } else { "y" };
            let changed = format!("{}{other}{}", &proof[..at], &proof[at + 1..]);
            assert_eq!(read_proof_token(&keys, WORKSPACE, &changed, Timestamp(1)), None, "{changed}");
        }
    }

    #[test]
    fn our_message_id_is_known_under_any_domain() {
        let keys = Keys::from_root([1; 32]);
        let local = message_id_local(&keys, WORKSPACE, OUTBOX);
        for id in [local.clone(), format!("{local}@shop.test"), format!("<{local}@eu-west-1.relay.test>")] {
            assert_eq!(read_message_id(&keys, WORKSPACE, &id), Some(OUTBOX), "{id}");
        }
    }

    #[test]
    fn what_was_changed_or_made_up_is_not_ours() {
        let keys = Keys::from_root([1; 32]);
        let token = reply_token(&keys, WORKSPACE, CONVERSATION);
        let mut changed: Vec<String> = Vec::new();
        for at in 0..token.len() {
            let other = if token.as_bytes()[at] == b'z' { "y" } else { "z" };
            changed.push(format!("{}{other}{}", &token[..at], &token[at + 1..]));
        }
        changed
            .extend(["", "c", "c\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}", &token[1..], &token[..29]].map(str::to_owned));
        changed.push(format!("{token}0"));
        for token in &changed {
            assert_eq!(read_reply_token(&keys, WORKSPACE, token), None, "{token}");
        }
        assert_eq!(read_reply_token(&keys, WorkspaceId(8), &token), None);
        assert_eq!(read_reply_token(&Keys::from_root([2; 32]), WORKSPACE, &token), None);
        let id = message_id_local(&keys, WORKSPACE, OUTBOX);
        for id in ["", "@", "m..", "m.1.2@x", &id.replace("m.", "n."), &format!("{id}0@shop.test")] {
            assert_eq!(read_message_id(&keys, WORKSPACE, id), None, "{id}");
        }
        // The two kinds do not stand in for each other.
        assert_eq!(read_reply_token(&keys, WORKSPACE, &format!("c{}", id[2..].replace('.', ""))), None);
    }
}
