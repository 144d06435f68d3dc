//! How alike the topics of a message and of a conversation are, from 0 to 1. An interface, so that a better model can take
//! its place, with a default that knows nothing but letters: hashed words and pieces of words. Pure.

use model::ConversationId;
use model::fold::fold;

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub struct TopicQuestion<'a> {
    /// The sender's own id of the message, when it has one.
    pub message: &'a str,
    /// Subject and text of the message, without what it quotes.
    pub text: &'a str,
    /// The conversation.
    pub conversation: ConversationId,
    /// Its subject and its latest texts.
    pub recent: &'a [String],
}

/// Says how alike topics are.
pub trait Topics: Send + Sync {
    /// Is the message long enough to say anything? Decides whether texts are read at all.
    fn can_tell(&self, text: &str) -> bool;
    /// From 0 (another topic) to 1 (the same); `None` when nothing can be said.
    fn similarity(&self, question: &TopicQuestion<'_>) -> Option<f64>;
}

/// The default: cosine of hashed word and letter n-grams. It says nothing about short texts: "any news?" is about anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lexical;

const BUCKETS: usize = 1 << 12;
/// Words that carry a topic, on each side, before anything is said.
const WORDS_MIN: usize = 6;
/// Letters of a piece.
const GRAM: usize = 4;
/// A word counts as much as this many of its pieces.
const WORD_WEIGHT: f32 = 2.0;
const TEXT_CHARS_MAX: usize = 4_000;

// Measured in similarity_of_pairs below: texts about one matter lie above 0.22, texts about two below 0.10.
const LOW: f64 = 0.10;
const HIGH: f64 = 0.22;

impl Topics for Lexical {
    fn can_tell(&self, text: &str) -> bool {
        words(text).len() >= WORDS_MIN
    }

    fn similarity(&self, question: &TopicQuestion<'_>) -> Option<f64> {
        let (ours, theirs) = (words(question.text), words(&question.recent.join(" ")));
        if ours.len() < WORDS_MIN || theirs.len() < WORDS_MIN {
            return None;
        }
        // Two languages share no words whatever they are about.
        if script(&ours) != script(&theirs) {
            return None;
        }
        let cosine = cosine(&vector(&ours), &vector(&theirs));
        Some(scale(cosine))
    }
}

/// Puts the measured borders where the thresholds of placement lie: 0.25 and 0.6.
fn scale(cosine: f64) -> f64 {
    let piece = |from: f64, to: f64, low: f64, high: f64| low + (cosine - from) / (to - from) * (high - low);
    match cosine {
        c if c < LOW => piece(0.0, LOW, 0.0, 0.25),
        c if c < HIGH => piece(LOW, HIGH, 0.25, 0.6),
        _ => piece(HIGH, 1.0, 0.6, 1.0).min(1.0),
    }
}

/// Words without meaning of their own in the languages that most texts are in; the rest is left to the cosine.
const EMPTY: &str = " the and for you your are was were with that this have has had not but from they them there here what when where which who why how can could would should will just been about into our out its his her hello dear please thanks thank regards best kind team sent mail message und der die das ist ein eine einen nicht mit fur auf von den dem des sich auch ich sie wir ihr mein meine bitte danke hallo guten tag grusse liebe sehr geehrte damen herren noch aber oder wie was wann warum kann habe hat haben wird werden les des une est pas pour avec vous nous votre notre bonjour merci dans sur que qui los las una por para con como esta hola gracias buenos dias est del nel sono che per con una non grazie buongiorno ";

fn words(text: &str) -> Vec<String> {
    let folded = fold(model::fold::truncate(text, TEXT_CHARS_MAX));
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| w.chars().count() >= 3 && !EMPTY.contains(&format!(" {w} ")))
        .map(str::to_owned)
        .collect()
}

#[derive(PartialEq, Eq)]
enum Script {
    Latin,
    Other,
}

fn script(words: &[String]) -> Script {
    let letters = words.iter().flat_map(|w| w.chars());
    let (latin, other) = letters.fold((0, 0), |(l, o), c| if c.is_ascii() { (l + 1, o) } else { (l, o + 1) });
    if latin >= other { Script::Latin } else { Script::Other }
}

fn vector(words: &[String]) -> Vec<f32> {
    let mut counts = vec![0_f32; BUCKETS];
    for word in words {
        counts[bucket(word.as_bytes())] += WORD_WEIGHT;
        let letters: Vec<char> = format!("_{word}_").chars().collect();
        for gram in letters.windows(GRAM) {
            let text: String = gram.iter().collect();
            counts[bucket(text.as_bytes())] += 1.0;
        }
    }
    // A word said ten times is not ten times the topic.
    counts.iter().map(|n| n.sqrt()).collect()
}

/// FNV-1a.
fn bucket(bytes: &[u8]) -> usize {
    let hash =
        bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 32)) as usize % BUCKETS
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(p, q)| f64::from(*p) * f64::from(*q)).sum::<f64>();
    let norm = (dot(a, a) * dot(b, b)).sqrt();
    if norm == 0.0 { 0.0 } else { dot(a, b) / norm }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(text: &str, recent: &str) -> Option<f64> {
        Lexical.similarity(&TopicQuestion { message: "", text, conversation: ConversationId(1), recent: &[recent.to_owned()] })
    }

    const PARCEL: &str = "Where is my parcel? The tracking page says that the delivery of order 77120 was postponed twice and the courier does not answer the phone";
    const PARCEL_AGAIN: &str =
        "The courier has still not brought my parcel, tracking shows another postponed delivery for order 77120";
    const INVOICE: &str = "Our accounting needs an invoice with the correct company address and VAT number, the one from March shows the old street";
    const INVOICE_AGAIN: &str =
        "The VAT number on the March invoice is wrong, accounting cannot book it with the old company address";
    const RETOURE: &str = "Ich möchte die Schuhe zurückschicken, sie sind zu klein, wie bekomme ich ein Etikett für die Rücksendung und wann kommt die Erstattung";
    const RETOURE_AGAIN: &str =
        "Das Etikett für die Rücksendung der Schuhe fehlt noch, und wie lange dauert die Erstattung nach der Rücksendung";

    #[test]
    fn similarity_of_pairs() {
        for (a, b) in [(PARCEL, PARCEL_AGAIN), (INVOICE, INVOICE_AGAIN), (RETOURE, RETOURE_AGAIN)] {
            let found = similarity(a, b).unwrap();
            assert!(found >= 0.6, "{found:.2}: {a} / {b}");
        }
        for (a, b) in [(PARCEL, INVOICE), (INVOICE_AGAIN, PARCEL_AGAIN), (PARCEL, INVOICE_AGAIN), (RETOURE, INVOICE)] {
            let found = similarity(a, b).unwrap();
            assert!(found < 0.25, "{found:.2}: {a} / {b}");
        }
    }

    #[test]
    fn a_short_text_says_nothing() {
        assert_eq!(similarity("any news?", PARCEL), None);
        assert_eq!(similarity(PARCEL, "hello"), None);
        assert_eq!(similarity("", ""), None);
        assert!(!Lexical.can_tell("see the invoice") && Lexical.can_tell(INVOICE));
    }

    #[test]
    fn it_is_the_same_topic_as_itself_and_symmetric() {
        assert!(similarity(PARCEL, PARCEL).unwrap() > 0.999);
        assert_eq!(similarity(PARCEL, INVOICE), similarity(INVOICE, PARCEL));
        assert_eq!(similarity(PARCEL, "Где моя посылка? Курьер не отвечает на звонки, доставка заказа отложена дважды"), None);
    }
}
