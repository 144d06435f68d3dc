//! What people type into the search box: words, `"phrases"`, `begin*`, `-without`, and filters such as `is:open` or
//! `before:2026-10-01`. Reading never fails: what is not understood becomes a [`Problem`] in words, and the rest still works.

use super::dates::Dates;
use super::words::query_words;
use model::{Channel, Priority, Status};

/// More terms than this help nobody and cost the index; the rest is left out and said so.
pub const TERM_COUNT_MAX: usize = 32;
/// A longer text is cut.
pub const QUERY_CHARS_MAX: usize = 1_000;

/// A query as it was understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParsedQuery {
    /// What the text must hold, or must not.
    pub terms: Vec<Term>,
    /// What else must be true of the conversation or the entry.
    pub filters: Vec<FilterTerm>,
    /// What was not understood.
    pub problems: Vec<Problem>,
}

/// Words that stand next to each other in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// What was typed, without the quotes and the sign.
    pub text: String,
    /// It stood in quotes.
    pub quoted: bool,
    /// The words, cut as the index cuts them; never empty.
    pub words: Vec<String>,
    /// The last word stands for every word that begins so.
    pub prefix: bool,
    /// The text must not hold it.
    pub negated: bool,
}

/// A filter, or its opposite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterTerm {
    /// What must be true.
    pub filter: Filter,
    /// Must not be true.
    pub negated: bool,
}

/// What must be true besides the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// `is:`
    Is(Is),
    /// `channel:`
    Channel(Channel),
    /// `inbox:` by name.
    Inbox(String),
    /// `team:` by name.
    Team(String),
    /// `agent:` by name or mail address.
    Agent(Whose),
    /// `from:` the customer, by name or address.
    From(String),
    /// `tag:` by name.
    Tag(String),
    /// `priority:`
    Priority(Priority),
    /// `before:`, ends where the day, month or year begins.
    Before(Dates),
    /// `after:`, begins where the day, month or year ends.
    After(Dates),
    /// `on:`, within the day, month or year.
    On(Dates),
    /// `has:attachment`
    HasAttachment,
}

/// Whose a conversation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// The agent who asks.
    Me,
    /// Nobody's.
    Nobody,
    /// Somebody's, by name or mail address.
    Named(String),
}

/// Words after `is:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// Everything but resolved and closed.
    Open,
    /// Pending or on hold.
    Waiting,
    /// Exactly this status.
    Status(Status),
    /// With entries that the agent who asks has not seen.
    Unread,
    /// Without an agent.
    Unassigned,
    /// Of the agent who asks.
    Mine,
    /// Marked as spam.
    Spam,
}

/// A piece of the query that was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The piece as it was typed.
    pub token: String,
    /// What is accepted instead.
    pub text: String,
}

const IS: [(&str, Is); 10] = [
    ("open", Is::Open),
    ("waiting", Is::Waiting),
    ("pending", Is::Status(Status::Pending)),
    ("on_hold", Is::Status(Status::OnHold)),
    ("snoozed", Is::Status(Status::Snoozed)),
    ("resolved", Is::Status(Status::Resolved)),
    ("closed", Is::Status(Status::Closed)),
    ("unread", Is::Unread),
    ("unassigned", Is::Unassigned),
    ("mine", Is::Mine),
];
const SPAM: (&str, Is) = ("spam", Is::Spam);

const FILTERS: &str = "is, channel, inbox, team, agent, from, tag, priority, before, after, on, has";
const DATES: &str = "a day such as 2026-10-01, a month such as 2026-10, a year, today, yesterday, or 7d for seven days ago";

/// Reads what was typed.
pub fn parse(text: &str) -> ParsedQuery {
    let mut query = ParsedQuery::default();
    let kept = model::fold::truncate(text, QUERY_CHARS_MAX);
    if kept.len() < text.len() {
        query.problem(
            model::fold::truncate(&text[kept.len()..], 20),
            &format!("Only the first {QUERY_CHARS_MAX} characters count."),
        );
    }
    let mut rest = kept;
    while let Some(token) = next_token(&mut rest) {
        if query.terms.len() + query.filters.len() >= TERM_COUNT_MAX {
            query.problem(token.raw, &format!("Only the first {TERM_COUNT_MAX} words and filters count."));
            break;
        }
        query.take(&token);
    }
    query
}

impl ParsedQuery {
    /// True when nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.filters.is_empty()
    }

    fn problem(&mut self, token: &str, text: &str) {
        self.problems.push(Problem { token: token.to_owned(), text: text.to_owned() });
    }

    fn take(&mut self, token: &Token<'_>) {
        let Some(name) = token.name else { return self.take_term(token) };
        match filter(name, token.value) {
            Ok(filter) => self.filters.push(FilterTerm { filter, negated: token.negated }),
            Err(text) => self.problem(token.raw, &text),
        }
    }

    fn take_term(&mut self, token: &Token<'_>) {
        let (text, asked) = match token.value.strip_suffix('*') {
            Some(text) if !token.quoted => (text, true),
            _ => (token.value, false),
        };
        let (words, single) = query_words(text);
        // A token of signs alone asks for nothing.
        if !words.is_empty() {
            let text = token.value.to_owned();
            self.terms.push(Term { text, quoted: token.quoted, words, prefix: asked || single, negated: token.negated });
        }
    }
}

fn filter(name: &str, value: &str) -> Result<Filter, String> {
    let name = name.to_ascii_lowercase();
    let word = value.trim().to_lowercase();
    let date = |make: fn(Dates) -> Filter| Dates::parse(&word).map(make).ok_or_else(|| format!("{name}: takes {DATES}."));
    let named = |make: fn(String) -> Filter| match value.trim() {
        "" => Err(format!("{name}: needs a name, such as {name}:billing or {name}:\"two words\".")),
        text => Ok(make(text.to_owned())),
    };
    match name.as_str() {
        "is" => IS.iter().chain([&SPAM]).find(|(known, _)| *known == word).map(|(_, is)| Filter::Is(*is)).ok_or_else(|| {
            let known: Vec<_> = IS.iter().chain([&SPAM]).map(|(known, _)| *known).collect();
            format!("is: takes one of {}.", known.join(", "))
        }),
        "channel" => {
            Channel::parse(&word).map(Filter::Channel).ok_or_else(|| one_of("channel", Channel::ALL.iter().map(|c| c.word())))
        }
        "priority" => {
            Priority::parse(&word).map(Filter::Priority).ok_or_else(|| one_of("priority", Priority::ALL.iter().map(|p| p.word())))
        }
        "inbox" => named(Filter::Inbox),
        "team" => named(Filter::Team),
        "from" => named(Filter::From),
        "tag" => named(Filter::Tag),
        "agent" => match word.as_str() {
            "me" => Ok(Filter::Agent(Whose::Me)),
            "nobody" | "none" => Ok(Filter::Agent(Whose::Nobody)),
            "" => Err("agent: needs a name, or me, or nobody.".to_owned()),
            _ => Ok(Filter::Agent(Whose::Named(value.trim().to_owned()))),
        },
        "before" => date(Filter::Before),
        "after" => date(Filter::After),
        "on" => date(Filter::On),
        "has" if matches!(word.as_str(), "attachment" | "attachments" | "file") => Ok(Filter::HasAttachment),
        "has" => Err("has: takes attachment.".to_owned()),
        _ => Err(format!("There is no filter {name}. Filters are {FILTERS}; put the text in quotes to search for it.")),
    }
}

fn one_of<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    format!("{name}: takes one of {}.", known.collect::<Vec<_>>().join(", "))
}

struct Token<'a> {
    raw: &'a str,
    negated: bool,
    /// The name of a filter.
    name: Option<&'a str>,
    value: &'a str,
    quoted: bool,
}

/// Takes the next token off the front.
fn next_token<'a>(rest: &mut &'a str) -> Option<Token<'a>> {
    let text = rest.trim_start();
    if text.is_empty() {
        *rest = text;
        return None;
    }
    let negated = text.len() > 1 && text.starts_with('-') && !text[1..].starts_with([' ', '-']);
    let body = &text[usize::from(negated)..];
    let name = filter_name(body);
    let value_at = name.map_or(0, |name| name.len() + 1);
    let value = &body[value_at..];
    let (value, length, quoted) = match value.strip_prefix('"') {
        // A quote that is never closed goes to the end.
        Some(inside) => match inside.find('"') {
            Some(end) => (&inside[..end], end + 2, true),
            None => (inside, value.len(), true),
        },
        None => {
            let end = value.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(value.len());
            (&value[..end], end, false)
        }
    };
    let end = usize::from(negated) + value_at + length;
    *rest = &text[end..];
    Some(Token { raw: &text[..end], negated, name, value, quoted })
}

/// The name before a colon, if this is a filter. Links (`https://..`) and times (`10:30`) are text.
fn filter_name(body: &str) -> Option<&str> {
    let (name, value) = body.split_once(':')?;
    let is_name = !name.is_empty() && name.len() <= 20 && name.bytes().all(|c| c.is_ascii_alphabetic());
    let is_link = value.starts_with("//") || matches!(name, "mailto" | "tel" | "sms");
    (is_name && !is_link).then_some(name)
}

/// The query as one would type it, which reads back as the same query.
impl std::fmt::Display for ParsedQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut gap = "";
        for FilterTerm { filter, negated } in &self.filters {
            write!(f, "{gap}{}{filter}", sign(*negated))?;
            gap = " ";
        }
        for Term { text, quoted, negated, .. } in &self.terms {
            let quote = if *quoted { "\"" } else { "" };
            write!(f, "{gap}{}{quote}{text}{quote}", sign(*negated))?;
            gap = " ";
        }
        Ok(())
    }
}

fn sign(negated: bool) -> &'static str {
    if negated { "-" } else { "" }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Is(is) => {
                let word = IS.iter().chain([&SPAM]).find(|(_, known)| known == is).map_or("", |(word, _)| *word);
                write!(f, "is:{}", if let Is::Status(status) = is { status.word() } else { word })
            }
            Self::Channel(channel) => write!(f, "channel:{channel}"),
            Self::Inbox(name) => write!(f, "inbox:\"{name}\""),
            Self::Team(name) => write!(f, "team:\"{name}\""),
            Self::Agent(Whose::Me) => f.write_str("agent:me"),
            Self::Agent(Whose::Nobody) => f.write_str("agent:nobody"),
            Self::Agent(Whose::Named(name)) => write!(f, "agent:\"{name}\""),
            Self::From(name) => write!(f, "from:\"{name}\""),
            Self::Tag(name) => write!(f, "tag:\"{name}\""),
            Self::Priority(priority) => write!(f, "priority:{priority}"),
            Self::Before(dates) => write!(f, "before:{dates}"),
            Self::After(dates) => write!(f, "after:{dates}"),
            Self::On(dates) => write!(f, "on:{dates}"),
            Self::HasAttachment => f.write_str("has:attachment"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        parse(text)
            .terms
            .iter()
            .map(|t| format!("{}{}{}", sign(t.negated), t.words.join("+"), if t.prefix { "*" } else { "" }))
            .collect()
    }
    fn filters(text: &str) -> Vec<String> {
        parse(text).filters.iter().map(|t| format!("{}{}", sign(t.negated), t.filter)).collect()
    }

    #[test]
    fn words_phrases_prefixes_and_negation_are_read() {
        assert_eq!(
            words("Refund  \"Credit Card\" recei* -spam -\"not this\""),
            ["refund", "credit+card", "recei*", "-spam", "-not+this"]
        );
        assert_eq!(words("ada@example.com"), ["ada+example+com"]);
        assert_eq!(words("\"open quote"), ["open+quote"]);
        assert_eq!(words("10:30 https://shop.example/a mailto:ada@x.org"), ["10+30", "https+shop+example+a", "mailto+ada+x+org"]);
        assert_eq!(words("!!! - -- * \"\" -\"\""), [""; 0]);
        assert_eq!(words("金 返金"), ["金*", "返金"]);
    }

    #[test]
    fn filters_are_read() {
        assert_eq!(
            filters(
                "IS:open -channel:email inbox:\"Web shop\" agent:me from:ada tag:vip priority:urgent before:2026-10-01 has:attachment"
            ),
            [
                "is:open",
                "-channel:email",
                "inbox:\"Web shop\"",
                "agent:me",
                "from:\"ada\"",
                "tag:\"vip\"",
                "priority:urgent",
                "before:2026-10-01",
                "has:attachment"
            ]
        );
        assert_eq!(
            filters("is:on_hold is:waiting agent:\"Bo Li\" after:2026 on:yesterday"),
            ["is:on_hold", "is:waiting", "agent:\"Bo Li\"", "after:2026", "on:yesterday"]
        );
    }

    #[test]
    fn what_is_not_understood_is_said_and_the_rest_works() {
        let query = parse("refund chanel:email is:opne before:soon from: channel:fax");
        assert_eq!(query.terms.len(), 1);
        assert!(query.filters.is_empty());
        let told: Vec<_> = query.problems.iter().map(|p| (p.token.as_str(), p.text.as_str())).collect();
        assert_eq!(told[0].0, "chanel:email");
        assert!(told[0].1.contains("no filter chanel") && told[0].1.contains("channel"));
        assert_eq!(
            told[1],
            (
                "is:opne",
                "is: takes one of open, waiting, pending, on_hold, snoozed, resolved, closed, unread, unassigned, mine, spam."
            )
        );
        assert!(told[2].1.contains("2026-10-01") && told[3].1.contains("needs a name") && told[4].1.contains("webchat"));
    }

    #[test]
    fn there_is_a_limit() {
        assert_eq!(parse(&"a b ".repeat(100)).terms.len(), TERM_COUNT_MAX);
        let long = "x".repeat(2_000);
        let query = parse(&long);
        assert_eq!((query.terms.len(), query.problems.len()), (1, 1));
    }

    fn typed() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "\\PC{0,12}",
            "[a-z\"'*():^&|!<>\\\\-]{0,12}",
            "-?(is|channel|inbox|team|agent|from|tag|priority|before|after|on|has):(\"[a-z ]{0,8}\"?|[a-z0-9-]{0,10})",
            "-?\"[a-zäß ]{0,12}\"?",
            "-?[a-z返金한]{1,6}\\*?",
            "is:(open|closed|spam|on_hold)|channel:(email|sms)|before:20[0-9]{2}-[01][0-9]-[0-3][0-9]|on:(today|[0-9]{1,3}[dwmy])",
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.join(" "))
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_reads_back_the_same(text in typed()) {
            let query = parse(&text);
            let again = parse(&query.to_string());
            prop_assert_eq!(&again.filters, &query.filters);
            prop_assert_eq!(&again.terms, &query.terms, "{}", query);
            prop_assert!(again.problems.is_empty(), "{:?}", again.problems);
        }
    }
}
