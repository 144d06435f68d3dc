//! "Thanks, bye": words that need no answer and open nothing again. A small rule in several languages; when in doubt it says
//! no, since a request that is taken for a goodbye is lost, and the other way round costs one look. Pure.

use model::fold::fold;
use std::sync::LazyLock;

const CHARS_MAX: usize = 160;

/// Phrases that close, folded: lower case without accents, words parted by one blank.
const STRONG: &[&str] = &[
    "thank you",
    "thank u",
    "thanks",
    "thx",
    "tnx",
    "ty",
    "cheers",
    "much appreciated",
    "appreciate it",
    "appreciated",
    "bye",
    "bye bye",
    "goodbye",
    "good bye",
    "see you",
    "all good now",
    "all good",
    "all set",
    "problem solved",
    "solved",
    "resolved",
    "that worked",
    "it works",
    "it works now",
    "works now",
    "works again",
    "it works again",
    "that fixed it",
    "fixed",
    "that helped",
    "that helps",
    "no further questions",
    "nothing else",
    "that is all",
    "thats all",
    "have a nice day",
    "have a great day",
    "have a good day",
    "have a nice weekend",
    "have a good one",
    "you too",
    "same to you",
    "danke",
    "danke dir",
    "danke ihnen",
    "vielen dank",
    "herzlichen dank",
    "besten dank",
    "dankeschon",
    "danke schon",
    "danke sehr",
    "tausend dank",
    "merci vielmals",
    "tschuss",
    "tschuess",
    "auf wiedersehen",
    "ciao",
    "hat geklappt",
    "hat sich erledigt",
    "erledigt",
    "hat funktioniert",
    "funktioniert",
    "funktioniert jetzt",
    "funktioniert wieder",
    "jetzt geht es",
    "geht wieder",
    "geht jetzt",
    "schonen tag",
    "schonen tag noch",
    "schones wochenende",
    "einen schonen tag",
    "einen schonen tag noch",
    "ebenso",
    "gleichfalls",
    "bis dann",
    "merci",
    "merci beaucoup",
    "merci bien",
    "mille mercis",
    "au revoir",
    "bonne journee",
    "bonne soiree",
    "c est bon",
    "cest bon",
    "ca marche",
    "ca fonctionne",
    "c est regle",
    "gracias",
    "muchas gracias",
    "mil gracias",
    "adios",
    "hasta luego",
    "buen dia",
    "que tenga buen dia",
    "ya funciona",
    "solucionado",
    "resuelto",
    "grazie",
    "grazie mille",
    "molte grazie",
    "arrivederci",
    "buona giornata",
    "risolto",
    "funziona",
    "obrigado",
    "obrigada",
    "muito obrigado",
    "muito obrigada",
    "tchau",
    "bom dia para voce",
    "resolvido",
    "funcionou",
    "dank je",
    "dank je wel",
    "dank u",
    "dank u wel",
    "bedankt",
    "hartelijk dank",
    "tot ziens",
    "fijne dag",
    "opgelost",
    "dziekuje",
    "dziekuje bardzo",
    "dzieki",
    "do widzenia",
    "milego dnia",
    "tack",
    "tack sa mycket",
    "hej da",
    "tak",
    "mange tak",
    "takk",
    "tusen takk",
    "kiitos",
    "kiitos paljon",
    "спасибо",
    "большое спасибо",
    "спасибо большое",
    "благодарю",
    "до свидания",
    "всего доброго",
    "дякую",
    "tesekkurler",
    "tesekkur ederim",
    "sagol",
    "hvala",
    "dekuji",
    "koszonom",
    "multumesc",
    "ευχαριστω",
    "شكرا",
    "תודה",
    "ありがとう",
    "ありがとうございます",
    "谢谢",
    "謝謝",
    "감사합니다",
    "धन्यवाद",
];

/// Words that may stand beside them and say nothing.
const FILLER: &[&str] = &[
    "ok",
    "okay",
    "oki",
    "k",
    "great",
    "perfect",
    "super",
    "cool",
    "nice",
    "awesome",
    "excellent",
    "wonderful",
    "good",
    "fine",
    "yes",
    "yep",
    "yeah",
    "alright",
    "right",
    "a lot",
    "so much",
    "very much",
    "again",
    "for your help",
    "for the help",
    "for helping",
    "for your time",
    "for the quick reply",
    "for the quick answer",
    "for your quick reply",
    "for everything",
    "for the info",
    "for the information",
    "for letting me know",
    "and",
    "then",
    "now",
    "well",
    "oh",
    "ah",
    "hi",
    "hello",
    "everyone",
    "all",
    "guys",
    "team",
    "i",
    "it",
    "everything",
    "the",
    "my",
    "prima",
    "toll",
    "perfekt",
    "klasse",
    "alles",
    "alles klar",
    "gut",
    "sehr",
    "ja",
    "hallo",
    "und",
    "nochmal",
    "nochmals",
    "noch",
    "jetzt",
    "fur die hilfe",
    "fur ihre hilfe",
    "fur deine hilfe",
    "fur die schnelle hilfe",
    "fur die schnelle antwort",
    "fur die info",
    "fur die information",
    "fur alles",
    "es",
    "das",
    "wunderbar",
    "dir",
    "ihnen",
    "euch",
    "dann",
    "parfait",
    "d accord",
    "tres bien",
    "bien",
    "oui",
    "pour votre aide",
    "pour tout",
    "et",
    "a vous",
    "beaucoup",
    "vale",
    "perfecto",
    "muy bien",
    "si",
    "por todo",
    "por la ayuda",
    "por su ayuda",
    "y",
    "perfetto",
    "va bene",
    "per l aiuto",
    "per tutto",
    "e",
    "perfeito",
    "otimo",
    "pela ajuda",
    "por tudo",
    "sim",
    "goed",
    "prima",
    "voor de hulp",
    "en",
    "super",
    "хорошо",
    "отлично",
    "за помощь",
    "все",
    "ок",
    "bardzo",
    "za pomoc",
    "sa mycket",
    "for hjalpen",
    "for hjelpen",
    "for hjaelpen",
];

/// Behind one of these only a name follows.
const SIGN_OFF: &[&str] = &[
    "best regards",
    "kind regards",
    "regards",
    "best wishes",
    "best",
    "sincerely",
    "yours",
    "mit freundlichen grussen",
    "freundliche grusse",
    "viele grusse",
    "liebe grusse",
    "beste grusse",
    "grusse",
    "gruss",
    "lg",
    "vg",
    "mfg",
    "cordialement",
    "bien cordialement",
    "saludos",
    "un saludo",
    "cordiali saluti",
    "saluti",
    "met vriendelijke groet",
    "groetjes",
    "cumprimentos",
    "atenciosamente",
    "pozdrawiam",
    "с уважением",
];
const NAME_WORDS_MAX: usize = 4;

const THUMBS: &[char] =
    &['👍', '🙏', '👌', '❤', '🙂', '😊', '😀', '😃', '🎉', '✅', '👋', '😍', '🥰', '💯', '😁', '😄', '☺', '♥'];

/// Does this text only say thanks or goodbye?
pub fn is_closing(text: &str) -> bool {
    if text.chars().count() > CHARS_MAX || text.contains(['?', '？', '؟']) {
        return false;
    }
    let has_thumb = text.chars().any(|c| THUMBS.contains(&c));
    let words = words_of(text);
    let words = without_sign_off(&words);
    match words.is_empty() {
        true => has_thumb,
        false => spells(words, has_thumb),
    }
}

fn words_of(text: &str) -> Vec<String> {
    let folded = fold(text).replace('ß', "ss");
    folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

fn without_sign_off(words: &[String]) -> &[String] {
    for phrase in &LISTS.2 {
        let last = words.len().saturating_sub(phrase.len());
        for at in (1..=last).rev() {
            if words[at..].starts_with(phrase) && words.len() - at - phrase.len() <= NAME_WORDS_MAX {
                return &words[..at];
            }
        }
    }
    words
}

type Phrases = Vec<Vec<String>>;

static LISTS: LazyLock<(Phrases, Phrases, Phrases)> = LazyLock::new(|| {
    let folded = |list: &[&str]| list.iter().map(|phrase| words_of(phrase)).collect();
    (folded(STRONG), folded(FILLER), folded(SIGN_OFF))
});

/// Can the words be covered by phrases, at least one of them a strong one? Longest first; no phrase needs a way back, since
/// every shorter one is on a list of its own where it matters.
fn spells(words: &[String], has_thumb: bool) -> bool {
    let (mut at, mut strong) = (0, has_thumb);
    while at < words.len() {
        let fits = |list: &Phrases| list.iter().filter(|phrase| words[at..].starts_with(phrase)).map(Vec::len).max().unwrap_or(0);
        let (closing, filler) = (fits(&LISTS.0), fits(&LISTS.1));
        match closing.max(filler) {
            0 => return false,
            taken => {
                strong |= closing == taken;
                at += taken;
            }
        }
    }
    strong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thanks_and_goodbye_close_in_several_languages() {
        for text in [
            "thanks, bye",
            "Thank you so much!",
            "Thanks for your help, have a great day 😊",
            "ok thx 👍",
            "👍",
            "🙏🙏",
            "Perfect, that fixed it. Thanks!",
            "Super, vielen Dank! Hat geklappt.",
            "Danke schön, schönen Tag noch",
            "Vielen Dank\n\nMit freundlichen Grüßen\nAnna Berg",
            "Merci beaucoup, bonne journée !",
            "¡Muchas gracias!",
            "Grazie mille",
            "Muito obrigada",
            "Bedankt!",
            "Dziękuję bardzo",
            "Tack så mycket",
            "Спасибо большое!",
            "ありがとうございます",
            "谢谢！",
        ] {
            assert!(is_closing(text), "{text}");
        }
    }

    #[test]
    fn whatever_asks_or_tells_something_does_not() {
        for text in [
            "",
            "ok",
            "hello",
            "Thanks, but it is still broken",
            "Thanks in advance",
            "thanks, when will it arrive?",
            "Thank you?",
            "Danke, aber die Rechnung fehlt",
            "danke im voraus",
            "thanks, please cancel my order",
            "Thanks. Order 4711 is missing",
            "no thanks",
            "not solved",
            "it works now but the other one does not",
            "merci de me rappeler",
            "regards",
        ] {
            assert!(!is_closing(text), "{text}");
        }
        assert!(!is_closing(&"thanks ".repeat(40)), "a long text is read by a person");
    }
}
