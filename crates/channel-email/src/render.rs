//! An outgoing entry as a mail: plain text and HTML, files, threading headers, our ids. Pure: tokens, ids and the bytes of
//! files come in ready-made, the same input gives the same bytes. Never a `Bcc` field, never a value that ends its line.

mod dkim;
mod mime;
pub mod words;

use channel::{
    AttachRule, AutomaticMail, BlockReason, Blocked, Capabilities, ContactPointKind, Fix, InboxSettings, MediaClass, Outbound,
    OutboundFile, OwnAddress, Recipient, Rich, SendContext, SendIdempotency, TextMax, WireRequest,
};
pub(crate) use mime::date;
use mime::{Entity, addresses, mailbox, one_line, tokens, unstructured};
use model::words::AuthorKind;
use serde_json::Value as Json;

/// What most providers take, encoded.
const MESSAGE_BYTES_MAX: u64 = 25 * 1024 * 1024;
/// Ids of a chain that are kept: the first, and the last of the others.
const REFERENCES_MAX: usize = 20;
const FILES_MAX: u32 = 100;

/// What a mailbox can do.
pub fn capabilities(inbox: &InboxSettings) -> Capabilities {
    let message_bytes_max = bytes_max(inbox);
    let any = AttachRule {
        class: MediaClass::Any,
        // What fits once it is encoded.
        bytes_max: message_bytes_max.saturating_sub(8_192) / 78 * 57,
        types: vec![],
        count_max: FILES_MAX,
        needs_public_url: false,
    };
    Capabilities {
        text_max: TextMax::Bytes(2 * 1024 * 1024),
        rich: Rich::Html,
        attach: vec![any],
        reply_quotes: true,
        subject: true,
        cc: true,
        can_initiate: true,
        delivery_receipts: false,
        send_idempotency: SendIdempotency::Correlate("Message-ID".to_owned()),
        file_bytes: true,
        message_bytes_max: Some(message_bytes_max),
        ..Capabilities::default()
    }
}

fn bytes_max(inbox: &InboxSettings) -> u64 {
    inbox.settings.get("message_bytes_max").and_then(Json::as_u64).filter(|max| *max > 0).unwrap_or(MESSAGE_BYTES_MAX)
}

fn text_of<'a>(inbox: &'a InboxSettings, name: &str) -> Option<&'a str> {
    inbox.settings.get(name).and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// The address of a mailbox as its settings say.
pub fn own_address(inbox: &InboxSettings) -> Option<OwnAddress> {
    let aliases = inbox.settings.get("aliases").and_then(Json::as_array);
    Some(OwnAddress {
        address: text_of(inbox, "address").filter(|address| address.contains('@'))?.to_owned(),
        aliases: aliases.into_iter().flatten().filter_map(|alias| alias.as_str().map(str::to_owned)).collect(),
        plus_addressing: inbox.settings.get("plus_addressing").and_then(Json::as_bool).unwrap_or(false),
    })
}

/// The entry as one mail with its envelope.
pub fn render(outbound: &Outbound, context: &SendContext) -> Result<Vec<WireRequest>, Blocked> {
    let inbox = &context.inbox;
    let down = || Blocked::because(BlockReason::ChannelDown).fixed_by(Fix::SignIn);
    let own = own_address(inbox).ok_or_else(down)?;
    let from = wire_address(&own.address).ok_or_else(down)?;
    capabilities(inbox).check(&outbound.text, &outbound.files)?;
    let to = receivers(std::iter::once(&outbound.to).chain(&outbound.mail.also_to))?;
    let cc = receivers(outbound.cc.iter())?;
    let bcc = receivers(outbound.mail.bcc.iter())?;
    let message_id = context.message_id.clone().unwrap_or_else(|| format!("{}@{}", context.correlation, own.domain()));
    let message_id = id(&message_id).unwrap_or_else(|| format!("{}@invalid", context.correlation));

    let mut fields = vec![
        format!("Date: {}", date(context.now)),
        addresses("From", &[mailbox(sender_name(outbound, inbox).as_deref(), &from)]),
        addresses("To", &shown(&to)),
    ];
    if !cc.is_empty() {
        fields.push(addresses("Cc", &shown(&cc)));
    }
    if let Some(reply_to) = context.reply_address.as_deref().and_then(wire_address) {
        fields.push(addresses("Reply-To", &[mailbox(text_of(inbox, "display_name"), &reply_to)]));
    }
    fields.push(unstructured("Subject", outbound.subject.as_deref().unwrap_or_default()));
    fields.push(format!("Message-ID: <{message_id}>"));
    if let Some(parent) = outbound.mail.in_reply_to.as_deref().and_then(id) {
        fields.push(format!("In-Reply-To: <{parent}>"));
    }
    fields.push(tokens("References", &chain(&outbound.mail.references, outbound.mail.in_reply_to.as_deref(), &message_id)));
    if let Some(automatic) = outbound.mail.automatic {
        let word = match automatic {
            AutomaticMail::Replied => "auto-replied",
            AutomaticMail::Generated => "auto-generated",
        };
        fields.push(format!("Auto-Submitted: {word}"));
        fields.push("X-Auto-Response-Suppress: All".to_owned());
        fields.push(format!("X-Loop: {from}"));
    }
    if let Some(way) = outbound.mail.unsubscribe.as_deref().map(one_line) {
        let fits = (way.starts_with("mailto:") || way.starts_with("https:")) && way.is_ascii() && !way.contains(['<', '>', ' ']);
        if fits {
            fields.push(tokens("List-Unsubscribe", &[format!("<{way}>")]));
            if way.starts_with("https:") {
                fields.push("List-Unsubscribe-Post: List-Unsubscribe=One-Click".to_owned());
            }
        }
    }
    fields.push(format!("X-Continuo-Correlation: {}", one_line(&context.correlation)));
    fields.push("MIME-Version: 1.0".to_owned());
    let content = content(outbound, context, own.domain())?;
    fields.extend(content.fields);
    let mut body = Entity { fields, body: content.body }.bytes();
    if body.len() as u64 > bytes_max(inbox) {
        return Err(Blocked::because(BlockReason::TooLong).fixed_by(Fix::ChangeFiles));
    }
    if let Some(signature) = dkim::signature(inbox, &body).map_err(|_| down())? {
        body.splice(0..0, signature.into_bytes());
    }

    let envelope = to.iter().chain(&cc).chain(&bcc).map(|(_, address)| address);
    let mut headers = vec![("mail-from".to_owned(), from)];
    for address in envelope {
        let header = ("rcpt-to".to_owned(), address.clone());
        if !headers.contains(&header) {
            headers.push(header);
        }
    }
    headers.push(("message-id".to_owned(), format!("<{message_id}>")));
    Ok(vec![WireRequest {
        part: 0,
        parts: 1,
        correlation: context.correlation.clone(),
        idempotency_key: None,
        method: "SMTP".to_owned(),
        url: "smtp:".to_owned(),
        headers,
        body,
        files: vec![],
    }])
}

/// "Lea Winter (Acme)" for a person, the inbox's name for a machine.
fn sender_name(outbound: &Outbound, inbox: &InboxSettings) -> Option<String> {
    let house = text_of(inbox, "display_name").map_or_else(|| one_line(&inbox.name), one_line);
    match outbound.author_name.as_deref().map(one_line).filter(|name| !name.is_empty()) {
        Some(author) if outbound.author == AuthorKind::Agent && !house.is_empty() => Some(format!("{author} ({house})")),
        Some(author) if outbound.author == AuthorKind::Agent => Some(author),
        _ => Some(house).filter(|name| !name.is_empty()),
    }
}

type Receiver = (Option<String>, String);

fn receivers<'a>(list: impl Iterator<Item = &'a Recipient>) -> Result<Vec<Receiver>, Blocked> {
    list.map(|recipient| {
        let address = (recipient.kind == ContactPointKind::Email).then(|| wire_address(&recipient.value)).flatten();
        let address = address.ok_or_else(|| Blocked::because(BlockReason::NoContactPoint).fixed_by(Fix::SwitchChannel))?;
        Ok((recipient.name.clone(), address))
    })
    .collect()
}

fn shown(list: &[Receiver]) -> Vec<String> {
    list.iter().map(|(name, address)| mailbox(name.as_deref(), address)).collect()
}

/// An address as SMTP takes it: one `@` that counts, no blank, the domain in its ASCII form. `None`: no mail goes there.
pub fn wire_address(address: &str) -> Option<String> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    let dot_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let local_ok = !local.is_empty() && local.len() <= 64 && local.chars().all(dot_atom);
    let domain = idna::domain_to_ascii_strict(domain.trim_end_matches('.')).ok()?;
    let domain_ok =
        !domain.is_empty() && domain.len() <= 253 && domain.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
    (local_ok && domain_ok).then(|| format!("{local}@{domain}"))
}

/// An id that may stand between angle brackets.
fn id(text: &str) -> Option<String> {
    let id = text.trim().trim_start_matches('<').trim_end_matches('>');
    let plain = id.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>');
    (plain && id.contains('@') && id.len() <= 900).then(|| id.to_owned())
}

/// The chain, then the parent, then our own id: a relay that gives the mail another Message-ID leaves this one alone.
fn chain(references: &[String], parent: Option<&str>, own: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for known in references.iter().map(String::as_str).chain(parent).filter_map(id) {
        if known != own && !ids.contains(&known) {
            ids.push(known);
        }
    }
    if ids.len() >= REFERENCES_MAX {
        let tail = ids.split_off(ids.len() - (REFERENCES_MAX - 2));
        ids.truncate(1);
        ids.extend(tail);
    }
    ids.push(own.to_owned());
    ids.iter().map(|id| format!("<{id}>")).collect()
}

fn content(outbound: &Outbound, context: &SendContext, domain: &str) -> Result<Entity, Blocked> {
    // Made of an id that nobody outside knows before, and never part of base64 or quoted-printable lines.
    let boundary = |level: &str| format!("=_{level}_{}", context.correlation.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    let html = words::html(outbound);
    let is_inline = |file: &OutboundFile| html.contains(&format!("cid:{}", file.id));
    let mut inline = Vec::new();
    let mut attached = Vec::new();
    for file in &outbound.files {
        let bytes = context.contents.0.get(&file.id).filter(|bytes| bytes.len() as u64 == file.bytes);
        // A mail without one of its files is not the mail that was written.
        let bytes = bytes.ok_or_else(|| Blocked::because(BlockReason::AttachmentType).fixed_by(Fix::ChangeFiles))?;
        if is_inline(file) {
            let content_id = format!("{}@{domain}", file.id);
            inline.push(Entity::file(&file.name, &file.mime, Some(&content_id), bytes));
        } else {
            attached.push(Entity::file(&file.name, &file.mime, None, bytes));
        }
    }
    let mut html_part = Entity::text("html", &with_domains(&html, &outbound.files, domain));
    if !inline.is_empty() {
        inline.insert(0, html_part);
        html_part = Entity::multipart("related", &boundary("r"), &inline);
    }
    let plain = Entity::text("plain", &words::plain(outbound));
    let both = Entity::multipart("alternative", &boundary("a"), &[plain, html_part]);
    if attached.is_empty() {
        return Ok(both);
    }
    attached.insert(0, both);
    Ok(Entity::multipart("mixed", &boundary("m"), &attached))
}

/// The composer names a picture by its attachment; a Content-ID wants a domain.
fn with_domains(html: &str, files: &[OutboundFile], domain: &str) -> String {
    files.iter().fold(html.to_owned(), |html, file| {
        html.replace(&format!("cid:{}\"", file.id), &format!("cid:{}@{domain}\"", file.id))
            .replace(&format!("cid:{}'", file.id), &format!("cid:{}@{domain}'", file.id))
    })
}

#[cfg(test)]
#[path = "render/tests.rs"]
mod tests;
