//! What entries keep of a mail: who wrote to whom, and the ids by which programs put mails together. Pure.

use channel::{ContactPointClaim, InboundMessage, OwnAddress};
use model::{ContactPointKind, Mail, MailAddress};

/// Receivers that are kept.
const RECEIVERS_MAX: usize = 200;
/// Ids of a chain that are kept.
const REFERENCES_MAX: usize = 100;
const SUBJECT_CHARS_MAX: usize = 500;

/// The mail side of an incoming message; `None` where it is no mail.
pub fn of_message(message: &InboundMessage) -> Option<Box<Mail>> {
    let facts = message.mail.as_ref()?;
    let mut references = facts.references.clone();
    for parent in &facts.in_reply_to {
        if !references.contains(parent) {
            references.push(parent.clone());
        }
    }
    let from = references.len().saturating_sub(REFERENCES_MAX);
    references.drain(..from);
    Some(Box::new(Mail {
        from: message.from.iter().find_map(address_of),
        reply_to: facts.reply_to.iter().filter_map(address_of).take(RECEIVERS_MAX).collect(),
        to: message.to.iter().filter_map(address_of).take(RECEIVERS_MAX).collect(),
        cc: message.cc.iter().filter_map(address_of).take(RECEIVERS_MAX).collect(),
        message_id: facts.message_id.clone(),
        references,
        ..Mail::default()
    }))
}

fn address_of(claim: &ContactPointClaim) -> Option<MailAddress> {
    let address = claim.value.trim();
    (claim.kind == ContactPointKind::Email && address.contains('@'))
        .then(|| MailAddress { name: claim.name.clone(), address: address.to_owned() })
}

/// The subject of an answer: one `Re:` before what stands there.
pub fn answer_subject(subject: &str) -> String {
    prefixed("Re", subject)
}

/// The subject of what is passed on.
pub fn forward_subject(subject: &str) -> String {
    prefixed("Fwd", subject)
}

fn prefixed(mark: &str, subject: &str) -> String {
    let subject = bare_subject(subject);
    let subject = model::fold::truncate(subject, SUBJECT_CHARS_MAX);
    if subject.is_empty() { format!("{mark}:") } else { format!("{mark}: {subject}") }
}

/// A subject without the marks of answers, in the languages of common programs.
pub fn bare_subject(subject: &str) -> &str {
    const MARKS: [&str; 14] = ["re", "fw", "fwd", "aw", "wg", "sv", "vs", "antw", "doorst", "tr", "rv", "res", "enc", "odp"];
    let mut rest = subject.trim();
    while let Some((mark, behind)) = rest.split_once(':') {
        let mark = mark.trim_end_matches(|c: char| c.is_ascii_digit() || "[]()^".contains(c)).trim().to_lowercase();
        if !MARKS.contains(&mark.as_str()) {
            break;
        }
        rest = behind.trim_start();
    }
    rest
}

/// Addresses without repeats (whatever the case) and without our own.
pub fn others(list: impl IntoIterator<Item = MailAddress>, own: &[OwnAddress], but: &[MailAddress]) -> Vec<MailAddress> {
    let mut kept: Vec<MailAddress> = Vec::new();
    let is = |a: &MailAddress, b: &MailAddress| a.address.trim().eq_ignore_ascii_case(b.address.trim());
    for address in list {
        let ours = own.iter().any(|own| own.is(&address.address));
        if !ours && !kept.iter().chain(but).any(|known| is(known, &address)) {
            kept.push(address);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_do_not_pile_up() {
        for subject in ["Charged twice", "Re: Charged twice", "RE[2]: Fwd: AW: Charged twice", "Antw: sv: Charged twice"] {
            assert_eq!(answer_subject(subject), "Re: Charged twice");
            assert_eq!(forward_subject(subject), "Fwd: Charged twice");
        }
        assert_eq!(answer_subject("Order: late"), "Re: Order: late");
        assert_eq!((answer_subject(""), answer_subject("Re:")), ("Re:".to_owned(), "Re:".to_owned()));
    }

    #[test]
    fn our_own_addresses_and_repeats_are_nobody_to_answer() {
        let address = |text: &str| MailAddress { name: None, address: text.to_owned() };
        let own =
            [OwnAddress { address: "support@shop.test".into(), aliases: vec!["help@shop.test".into()], plus_addressing: true }];
        let list = ["Support+c123@Shop.test", "help@shop.test", "tom@cust.test", "TOM@cust.test", "ada@cust.test"].map(address);
        let kept = others(list, &own, &[address("ada@cust.test")]);
        assert_eq!(kept, [address("tom@cust.test")]);
    }
}
