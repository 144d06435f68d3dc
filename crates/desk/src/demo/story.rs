//! Reads the library of stories (`stories.txt`, whose head explains the form).

use model::{Channel, Status};

const LIBRARY: &str = include_str!("stories.txt");

/// One step of a story, with its variations.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The customer writes, perhaps with a file of this name.
    Customer(Vec<&'static str>, Option<&'static str>),
    /// An agent answers.
    Agent(Vec<&'static str>, Option<&'static str>),
    /// An agent notes, naming a colleague or not.
    Note(&'static str, bool),
    /// It goes on elsewhere.
    Switch(Channel),
    /// A call: from us or to us, with its seconds; nobody answered when `answered` is false.
    Call {
        /// The customer called.
        inbound: bool,
        /// Somebody picked up.
        answered: bool,
        /// Talking or ringing time.
        seconds: i64,
    },
    /// More urgent from here on.
    Priority(&'static str),
}

/// How a story ends when there is time for its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With this status.
    Status(Status),
    /// As spam.
    Spam,
}

/// One story.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Its name.
    pub key: &'static str,
    /// Language of customer and agent.
    pub language: &'static str,
    /// Where it may begin.
    pub channels: Vec<Channel>,
    /// Which team it is for.
    pub team: &'static str,
    /// Words on it.
    pub tags: Vec<&'static str>,
    /// Subject, where the channel has one.
    pub subject: Option<&'static str>,
    /// What happens.
    pub steps: Vec<Step>,
    /// How it ends.
    pub end: End,
}

/// Every story of the library.
pub fn all() -> Vec<Story> {
    let mut stories: Vec<Story> = Vec::new();
    for (number, line) in (1..).zip(LIBRARY.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let understood = match line.strip_prefix("== ") {
            Some(head) => begin(head).map(|story| stories.push(story)),
            None => stories.last_mut().and_then(|story| step(story, line)),
        };
        // The library is part of the program; a test reads all of it.
        understood.unwrap_or_else(|| panic!("stories.txt, line {number} is not understood: {line}"));
    }
    stories
}

fn begin(head: &'static str) -> Option<Story> {
    let mut parts = head.split('|').map(str::trim);
    Some(Story {
        key: parts.next()?,
        language: parts.next()?,
        channels: parts.next()?.split_whitespace().map(Channel::parse).collect::<Option<_>>()?,
        team: parts.next()?,
        tags: parts.next()?.split(',').map(str::trim).collect(),
        subject: None,
        steps: vec![],
        end: End::Status(Status::Resolved),
    })
}

fn step(story: &mut Story, line: &'static str) -> Option<()> {
    if let Some(subject) = line.strip_prefix("subject:") {
        story.subject = Some(subject.trim());
        return Some(());
    }
    if let Some(end) = line.strip_prefix("end ") {
        story.end = match end.trim() {
            "spam" => End::Spam,
            word => End::Status(Status::parse(word)?),
        };
        return Some(());
    }
    if let Some(channel) = line.strip_prefix("> ") {
        story.steps.push(Step::Switch(Channel::parse(channel.trim())?));
        return Some(());
    }
    let (kind, rest) = line.split_once(' ')?;
    let ways = |text: &'static str| -> Vec<&'static str> { text.split("||").map(str::trim).collect() };
    let with_file = |text: &'static str| text.split_once(": ").map(|(name, text)| (ways(text), Some(name.trim())));
    story.steps.push(match kind {
        "c" => Step::Customer(ways(rest), None),
        "a" => Step::Agent(ways(rest), None),
        "cf" => with_file(rest).map(|(texts, file)| Step::Customer(texts, file))?,
        "af" => with_file(rest).map(|(texts, file)| Step::Agent(texts, file))?,
        "n" => Step::Note(rest, false),
        "m" => Step::Note(rest, true),
        "p" => Step::Priority(rest),
        "k" => call(rest)?,
        _ => return None,
    });
    Some(())
}

fn call(text: &str) -> Option<Step> {
    let mut words = text.split_whitespace();
    let inbound = words.next()? == "in";
    let answered = words.next()? == "answered";
    Some(Step::Call { inbound, answered, seconds: words.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_read_to_its_end() {
        let stories = all();
        assert!(stories.len() >= 40, "{} stories", stories.len());
        for story in &stories {
            assert!(!story.channels.is_empty() && !story.steps.is_empty(), "{}", story.key);
            let mail = story.channels.contains(&Channel::Email);
            assert!(
                !mail || story.subject.is_some() || story.key.starts_with("viber"),
                "{} may begin as a mail and has no subject",
                story.key
            );
        }
        let languages: std::collections::BTreeSet<_> = stories.iter().map(|s| s.language).collect();
        assert_eq!(languages.into_iter().collect::<Vec<_>>(), ["ar", "de", "en", "es", "fr"]);
        let first = &stories[0];
        assert!(matches!(&first.steps[0], Step::Customer(ways, None) if ways.len() == 3));
    }
}
