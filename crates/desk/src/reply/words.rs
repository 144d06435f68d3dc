//! Variables of templates, signatures and automatic answers: `{{contact.name}}`. An unknown or empty one leaves nothing and is
//! named to whoever asks. Pure, but for reading the values.

use super::markup::escape;
use model::{ContactId, ConversationId, InboxId, WorkspaceId};
use std::collections::BTreeMap;
use store::{Conn, StoreError};

/// Every variable that there is, for the list beside the editor.
pub const NAMES: [&str; 13] = [
    "contact.name",
    "contact.first_name",
    "contact.company",
    "agent.name",
    "agent.first_name",
    "agent.email",
    "workspace.name",
    "inbox.name",
    "conversation.number",
    "conversation.subject",
    "expected_reply",
    "opens_at",
    "article",
];

/// Values of the variables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(BTreeMap<&'static str, String>);

impl Values {
    /// Sets one.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        let value: String = value.into();
        if !value.trim().is_empty() {
            self.0.insert(name, value.trim().to_owned());
        }
        self
    }
    /// What one stands for.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

fn first_word(name: &str) -> String {
    name.split_whitespace().next().unwrap_or_default().to_owned()
}

/// Who and what a text is written for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// To whom; `None`: nobody yet, or nobody who has proven to be themselves.
    pub contact: Option<ContactId>,
    /// Who writes: name and address.
    pub agent: Option<(&'a str, &'a str)>,
    /// Through which inbox.
    pub inbox: Option<InboxId>,
    /// In which conversation.
    pub conversation: Option<ConversationId>,
}

/// Reads the values.
pub fn values(tx: &mut dyn Conn, workspace: WorkspaceId, around: Around<'_>) -> Result<Values, StoreError> {
    let mut values = Values::default();
    values.set("workspace.name", store::workspace::get(tx, workspace)?.name);
    if let Some(contact) = around.contact {
        let contact = store::contact::get_live(tx, workspace, contact)?;
        let name = contact.name.unwrap_or_default();
        values.set("contact.first_name", first_word(&name)).set("contact.name", name);
        values.set("contact.company", contact.company.unwrap_or_default());
    }
    if let Some((name, email)) = around.agent {
        values.set("agent.name", name).set("agent.first_name", first_word(name)).set("agent.email", email);
    }
    if let Some(inbox) = around.inbox
        && let Some(inbox) = store::inbox::find(tx, workspace, inbox)?
    {
        values.set("inbox.name", inbox.name);
    }
    if let Some(id) = around.conversation
        && let Some(conversation) = store::conversation::find(tx, workspace, id)?
    {
        values.set("conversation.number", format!("#{}", conversation.number));
        values.set("conversation.subject", conversation.subject.unwrap_or_default());
    }
    Ok(values)
}

/// A text with its variables filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// The text.
    pub text: String,
    /// Variables without a value, once each, in order.
    pub empty: Vec<String>,
}

/// Fills a plain text.
pub fn fill(text: &str, values: &Values) -> Filled {
    fill_with(text, values, |value| value.to_owned())
}

/// Fills an HTML text; values stay text.
pub fn fill_html(html: &str, values: &Values) -> Filled {
    fill_with(html, values, escape)
}

fn fill_with(text: &str, values: &Values, form: impl Fn(&str) -> String) -> Filled {
    let mut filled = Filled::default();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else { break };
        let name = rest[start + 2..start + length].trim();
        filled.text.push_str(&rest[..start]);
        rest = &rest[start + length + 2..];
        match values.get(name) {
            Some(value) => filled.text.push_str(&form(value)),
            None => {
                if !filled.empty.iter().any(|known| known == name) {
                    filled.empty.push(name.to_owned());
                }
                // "Hello {{contact.first_name}}," becomes "Hello,", not "Hello ,".
                if rest.starts_with([',', '.', '!', '?', ':', ';']) && filled.text.ends_with(' ') {
                    filled.text.pop();
                }
            }
        }
    }
    filled.text.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_and_empty_ones_are_named() {
        let mut values = Values::default();
        values.set("contact.name", "Ada <Novak>").set("agent.name", "  ");
        let text = "Hello {{contact.name}}, I am {{ agent.name }}. {{agent.name}} {{nonsense}}! {{open {{contact.name}}";
        let filled = fill(text, &values);
        assert_eq!(filled.text, "Hello Ada <Novak>, I am. ! ");
        assert_eq!(filled.empty, ["agent.name", "nonsense", "open {{contact.name"]);
        assert_eq!(fill_html("<p>{{contact.name}}</p>", &values).text, "<p>Ada &lt;Novak&gt;</p>");
        assert_eq!(fill("Hello {{contact.first_name}},", &Values::default()).text, "Hello,");
        assert_eq!(fill("{{", &values).text, "{{");
        // A value is not read again.
        values.set("contact.name", "{{workspace.name}}");
        assert_eq!(fill("{{contact.name}}", &values), Filled { text: "{{workspace.name}}".into(), empty: vec![] });
    }
}
