//! What we know about the matter of a conversation, so that nobody asks twice: name, order, topic, what was done so far.
//! Each value has its source and its entry. In: messages and agents. Out: facts, and one line in the log without content.

use crate::context::{Desk, Who};
use crate::conversation::{ChangeError, Locked};
use channel::InboundMessage;
use model::{Actor, ConversationId, EntryId, FactId, Timestamp, WorkspaceId};
use serde_json::{Value as Json, json};
use store::fact::{self, Fact};
use store::{Conn, Route, StoreError};

/// The name of the customer, as they gave it.
pub const NAME: &str = "name";
/// Number of an order; there may be several.
pub const ORDER_NUMBER: &str = "order_number";
/// What it is about.
pub const TOPIC: &str = "topic";
/// Something that was done already; there may be several.
pub const ACTION: &str = "action";
/// What an agent asks for first; the screen shows those that are missing.
pub const INTAKE: [&str; 4] = [NAME, ORDER_NUMBER, TOPIC, ACTION];

const VALUE_CHARS_MAX: usize = 500;
const NAME_CHARS_MAX: usize = 40;
const COUNT_MAX: usize = 100;
/// Merged conversations whose facts are looked at.
const MERGED_MAX: usize = 50;

/// Where a fact comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An agent wrote it down.
    Agent,
    /// The customer filled it into a form.
    Form,
    /// Found in the text of a message.
    Text,
    /// A program of the business stated it.
    Program,
}

impl Source {
    /// The word in rows and in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Form => "form",
            Self::Text => "text",
            Self::Program => "program",
        }
    }
    /// What a person wrote down is not replaced by what a machine found.
    fn rank(word: &str) -> u8 {
        match word {
            "agent" => 3,
            "form" => 2,
            "program" => 1,
            _ => 0,
        }
    }
}

/// May there be several values of this name?
pub fn has_many(name: &str) -> bool {
    matches!(name, ORDER_NUMBER | ACTION)
}

/// A name of a fact: small letters, digits and underscores. Names of forms and programs are brought into this shape.
pub fn tidy_name(name: &str) -> Option<String> {
    // A letter that has no accent to lose: without this "Größe" falls apart.
    let folded = model::fold::fold(name).replace('ß', "ss");
    let words: Vec<&str> = folded.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name = model::fold::truncate(&words.join("_"), NAME_CHARS_MAX).trim_end_matches('_').to_owned();
    let name = match name.as_str() {
        "order" | "order_no" | "order_id" | "ordernumber" => ORDER_NUMBER.to_owned(),
        "subject" => TOPIC.to_owned(),
        _ => name,
    };
    (!name.is_empty()).then_some(name)
}

fn tidy_value(value: &str) -> String {
    model::fold::truncate(model::fold::clean(value).trim(), VALUE_CHARS_MAX).to_owned()
}

/// One value that somebody or something states.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated {
    /// Its name, tidy.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where it comes from.
    pub source: Source,
}

/// What a message states, beside its text. Pure. `orders` are numbers that placement found in the text.
pub fn stated(message: &InboundMessage, orders: &[String]) -> Vec<Stated> {
    let mut all = vec![];
    let mut add = |name: &str, value: &str, source: Source| {
        if let Some(name) = tidy_name(name)
            && !value.trim().is_empty()
            && all.len() < COUNT_MAX
        {
            all.push(Stated { name, value: tidy_value(value), source });
        }
    };
    if let Some(name) = message.from.iter().filter(|claim| !claim.disproved).find_map(|claim| claim.name.as_deref()) {
        add(NAME, name, Source::Text);
    }
    let field = |name: &str| message.context.as_ref().and_then(|context| context.get(name)).and_then(Json::as_object);
    for (key, value) in field("form").into_iter().flatten() {
        add(key, value.as_str().unwrap_or_default(), Source::Form);
    }
    for (key, value) in field("facts").into_iter().flatten() {
        match value {
            Json::String(text) => add(key, text, Source::Program),
            Json::Array(several) => several.iter().filter_map(Json::as_str).for_each(|text| add(key, text, Source::Program)),
            Json::Null | Json::Object(_) => {}
            number_or_flag => add(key, &number_or_flag.to_string(), Source::Program),
        }
    }
    for number in &message.order_numbers {
        add(ORDER_NUMBER, number, Source::Program);
    }
    for number in orders {
        add(ORDER_NUMBER, number, Source::Text);
    }
    all
}

/// What counts now: of the conversation itself, and of those that were merged into it, as long as they say no other.
pub fn known(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Vec<Fact>, StoreError> {
    let mut known = fact::of_conversation(tx, workspace, id)?;
    let mut ids = vec![id];
    let mut at = 0;
    while let Some(one) = ids.get(at).copied().filter(|_| at < MERGED_MAX) {
        at += 1;
        for merged in store::conversation::merged_here(tx, workspace, one)? {
            ids.push(merged);
            for fact in fact::of_conversation(tx, workspace, merged)? {
                let same = |have: &Fact| have.name == fact.name && (!has_many(&fact.name) || have.value_key == fact.value_key);
                if known.len() < COUNT_MAX && !known.iter().any(same) {
                    known.push(fact);
                }
            }
        }
    }
    known.sort_by(|a, b| (&a.name, a.set_at, a.id).cmp(&(&b.name, b.set_at, b.id)));
    Ok(known)
}

/// Keeps what was stated, as one change of the conversation; true when something was news.
pub fn learn(
    tx: &mut dyn Conn,
    locked: &mut Locked,
    stated: &[Stated],
    entry: Option<EntryId>,
    actor: Actor,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if stated.is_empty() {
        return Ok(false);
    }
    let (workspace, id) = (locked.workspace(), locked.row.id);
    let mut known = known(tx, workspace, id)?;
    let mut learned = vec![];
    for one in stated {
        let value_key = model::fold::fold(&one.value);
        let stronger = |have: &Fact| Source::rank(&have.source) > Source::rank(one.source.word());
        let same_name: Vec<&Fact> = known.iter().filter(|have| have.name == one.name).collect();
        let is_known = same_name.iter().any(|have| have.value_key == value_key);
        let loses = !has_many(&one.name) && same_name.iter().any(|have| stronger(have));
        if is_known || loses || known.len() >= COUNT_MAX {
            continue;
        }
        if !has_many(&one.name) {
            fact::replace(tx, workspace, id, &one.name, &value_key, now)?;
            known.retain(|have| have.name != one.name);
        }
        let new = Fact {
            id: FactId(0),
            conversation_id: id,
            name: one.name.clone(),
            value: one.value.clone(),
            value_key,
            source: one.source.word().to_owned(),
            entry_id: entry,
            set_by: actor.to_string(),
            set_at: now,
        };
        if fact::insert(tx, workspace, &new)? {
            learned.push(one.name.clone());
            known.push(new);
        }
    }
    if learned.is_empty() {
        return Ok(false);
    }
    locked.log(tx, "conversation.facts_learned", now, actor, json!({ "names": learned, "entry": entry }));
    Ok(true)
}

/// What counts now.
pub async fn list(desk: &Desk, workspace: WorkspaceId, id: ConversationId) -> Result<Vec<Fact>, StoreError> {
    desk.db.read(move |tx| known(tx, workspace, id)).await
}

/// An agent writes a fact down. Of a name that has one value, the new one takes its place.
pub async fn set(desk: &Desk, who: &Who, id: ConversationId, name: &str, value: &str) -> Result<Vec<Fact>, ChangeError> {
    let name = tidy_name(name).ok_or(ChangeError::Invalid { field: "name", text: "letters, digits and underscores" })?;
    let value = tidy_value(value);
    if value.is_empty() {
        return Err(ChangeError::Invalid { field: "value", text: "1 to 500 characters" });
    }
    let (who, now) = (who.clone(), desk.now());
    desk.db
        .write(Route::Conversation(id), move |tx| -> Result<_, StoreError> {
            let mut locked = Locked::lock_live(tx, who.workspace, id)?;
            let one = Stated { name: name.clone(), value: value.clone(), source: Source::Agent };
            let live = locked.row.id;
            if learn(tx, &mut locked, &[one], None, Actor::Agent(who.agent), now)? {
                locked.save(tx)?;
            }
            known(tx, who.workspace, live)
        })
        .await
        .map_err(not_found)
}

/// An agent takes a value away that is wrong.
pub async fn end(desk: &Desk, who: &Who, id: ConversationId, wrong: FactId) -> Result<Vec<Fact>, ChangeError> {
    let (who, now) = (who.clone(), desk.now());
    desk.db
        .write(Route::Conversation(id), move |tx| -> Result<_, StoreError> {
            let mut locked = Locked::lock_live(tx, who.workspace, id)?;
            let live = locked.row.id;
            let holder =
                known(tx, who.workspace, live)?.into_iter().find(|fact| fact.id == wrong).map(|fact| fact.conversation_id);
            if let Some(holder) = holder
                && fact::end(tx, who.workspace, holder, wrong, now)?
            {
                locked.log(tx, "conversation.fact_ended", now, Actor::Agent(who.agent), json!({ "fact": wrong }));
                locked.save(tx)?;
            }
            known(tx, who.workspace, live)
        })
        .await
        .map_err(not_found)
}

fn not_found(error: StoreError) -> ChangeError {
    match error {
        StoreError::NotFound => ChangeError::NotFound,
        other => ChangeError::Store(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_forms_and_programs_become_ours() {
        for (given, name) in [
            ("Order", Some("order_number")),
            ("order-no", Some("order_number")),
            ("Größe (cm)", Some("grosse_cm")),
            ("subject", Some("topic")),
            ("  ", None),
            ("日本", None),
        ] {
            assert_eq!(tidy_name(given).as_deref(), name, "{given}");
        }
        assert!(tidy_name(&"long name ".repeat(20)).is_some_and(|name| name.len() <= NAME_CHARS_MAX));
    }

    #[test]
    fn a_message_states_what_its_form_its_program_and_its_text_say() {
        let message = InboundMessage {
            context: Some(
                json!({"form": {"name": "Ada", "empty": " "}, "facts": {"topic": "delivery", "tries": 2, "action": ["reset", "call"], "odd": {"a": 1}}}),
            ),
            order_numbers: vec!["A-1".into()],
            ..InboundMessage::default()
        };
        let got: Vec<_> = stated(&message, &["A-2".into()]).into_iter().map(|s| (s.name, s.value, s.source)).collect();
        let text = |a: &str, b: &str, source| (a.to_owned(), b.to_owned(), source);
        assert_eq!(got[0], text("name", "Ada", Source::Form));
        for want in [
            text("topic", "delivery", Source::Program),
            text("tries", "2", Source::Program),
            text("action", "reset", Source::Program),
            text("action", "call", Source::Program),
            text("order_number", "A-1", Source::Program),
            text("order_number", "A-2", Source::Text),
        ] {
            assert!(got.contains(&want), "{want:?} in {got:?}");
        }
        assert_eq!(got.len(), 7);
    }
}
