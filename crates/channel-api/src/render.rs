//! An outgoing entry as one webhook. Its time is that of the entry, so that a repeat is the same bytes.

use crate::capabilities::capabilities;
use crate::settings::ApiSettings;
use crate::wire::{ApiOut, ApiOutFile, ApiReceiver, ApiTemplate, ApiWebhook};
use channel::{BlockReason, Blocked, ContactPointKind, Fix, Outbound, SendContext, WireRequest, window::window};

pub(crate) fn render(outbound: &Outbound, context: &SendContext) -> Result<Vec<WireRequest>, Blocked> {
    let settings = ApiSettings::of(&context.inbox);
    let Some(url) = settings.webhook_url.clone() else {
        return Err(Blocked::because(BlockReason::ChannelDown).fixed_by(Fix::SwitchChannel));
    };
    let can = capabilities(&settings);
    let state = window(can.window, outbound.author, context.last_inbound_at, context.now);
    state.admit(outbound.template.is_some(), can.templates)?;
    can.check(&outbound.text, &outbound.files)?;
    let inbox = context.inbox.id.to_string();
    if outbound.to.value.is_empty() || (outbound.to.kind == ContactPointKind::Ext && !of_this(&outbound.to.scope, &inbox)) {
        return Err(Blocked::because(BlockReason::NoContactPoint).fixed_by(Fix::SwitchChannel));
    }
    let data = ApiOut {
        conversation_id: outbound.conversation.to_string(),
        entry_id: outbound.entry.to_string(),
        to: ApiReceiver {
            kind: outbound.to.kind,
            scope: outbound.to.scope.clone(),
            value: outbound.to.value.clone(),
            name: outbound.to.name.clone(),
        },
        external_conversation: outbound.external_conversation.clone(),
        author: outbound.author.word().to_owned(),
        author_name: outbound.author_name.clone(),
        subject: outbound.subject.clone().filter(|_| can.subject),
        text: outbound.text.clone(),
        html: outbound.html.clone(),
        files: outbound
            .files
            .iter()
            .map(|file| ApiOutFile {
                id: file.id,
                name: file.name.clone(),
                mime: file.mime.clone(),
                bytes: file.bytes,
                path: format!("/api/v1/channel/{inbox}/files/{}", file.id),
            })
            .collect(),
        reply_to: outbound.reply_to.clone(),
        template: outbound.template.as_ref().map(|template| ApiTemplate {
            name: template.name.clone(),
            language: template.language.clone(),
            values: template.values.clone(),
        }),
        inbox_id: inbox,
    };
    let webhook = ApiWebhook {
        kind: "message.created".to_owned(),
        timestamp: model::made_at(outbound.entry.0),
        data: serde_json::to_value(data).expect("a message is plain JSON"),
    };
    Ok(vec![WireRequest {
        part: 0,
        parts: 1,
        correlation: context.correlation.clone(),
        idempotency_key: Some(context.correlation.clone()),
        method: "POST".to_owned(),
        url,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: serde_json::to_vec(&webhook).expect("a webhook is plain JSON"),
        // The other side fetches them: nothing is streamed along.
        files: vec![],
    }])
}

/// An id of the other side belongs to the inbox that it came by. Rows of imports may have no scope.
fn of_this(scope: &str, inbox: &str) -> bool {
    scope.is_empty() || scope == inbox
}
