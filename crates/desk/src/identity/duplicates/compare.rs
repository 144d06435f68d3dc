//! Holds two people against each other, field by field: not a yes or no but a level, because a typo, two swapped fields and
//! a different person are three different things. Pure.

use super::record::{FIELD_COUNT, Field, Person};
use super::similar::{edits, jaro_winkler};

/// How well one field agrees.
pub type Level = u8;
/// Nothing to compare: one side does not know. Tells nothing.
pub const UNKNOWN: Level = u8::MAX;
/// Two different values.
pub const DIFFERENT: Level = 0;
/// Something in common.
pub const SIMILAR: Level = 1;
/// A slip of the pen apart.
pub const CLOSE: Level = 2;
/// The same.
pub const SAME: Level = 3;
/// How many levels a field has.
pub const LEVEL_COUNT: usize = 4;

/// The levels of a pair, by field.
pub type Levels = [Level; FIELD_COUNT];

/// Compares two people.
pub fn compare(a: &Person, b: &Person) -> Levels {
    let mut levels = [UNKNOWN; FIELD_COUNT];
    names(a, b, &mut levels);
    lines(a, b, &mut levels);
    let mut set = |field: Field, how: fn(&str, &str) -> Level| {
        levels[field as usize] = known(a.text(field), b.text(field), how);
    };
    set(Field::Born, date);
    set(Field::House, number);
    set(Field::Postcode, number);
    set(Field::Region, text);
    set(Field::Company, text);
    set(Field::Number, number);
    levels[Field::Email as usize] = best(&a.emails, &b.emails, email);
    levels[Field::Phone as usize] = best(&a.phones, &b.phones, phone);
    levels
}

fn known(a: &str, b: &str, how: fn(&str, &str) -> Level) -> Level {
    if a.is_empty() || b.is_empty() { UNKNOWN } else { how(a, b) }
}

fn best(a: &[String], b: &[String], how: fn(&str, &str) -> Level) -> Level {
    a.iter().flat_map(|x| b.iter().map(move |y| how(x, y))).max().unwrap_or(UNKNOWN)
}

/// What a level is worth when two ways of laying one record over the other are weighed.
fn worth(level: Level) -> i32 {
    match level {
        UNKNOWN => 0,
        DIFFERENT => -1,
        other => i32::from(other),
    }
}

fn names(a: &Person, b: &Person, levels: &mut Levels) {
    let (given_a, last_a) = (a.text(Field::Given), a.text(Field::Surname));
    let (given_b, last_b) = (b.text(Field::Given), b.text(Field::Surname));
    let straight = (known(given_a, given_b, text), known(last_a, last_b, text));
    let mut chosen = straight;
    if worth(straight.0) + worth(straight.1) < 4 {
        let swapped = (known(given_a, last_b, text), known(last_a, given_b, text));
        // A single name may stand in either field; two that only fit crosswise were swapped.
        if worth(swapped.0).max(0) + worth(swapped.1).max(0) >= 3
            && worth(swapped.0) + worth(swapped.1) > worth(straight.0) + worth(straight.1)
        {
            chosen = ordered(swapped);
            levels[Field::NameOrder as usize] = DIFFERENT;
        }
    }
    if levels[Field::NameOrder as usize] == UNKNOWN
        && (straight.0 >= CLOSE && straight.0 <= SAME || straight.1 >= CLOSE && straight.1 <= SAME)
    {
        levels[Field::NameOrder as usize] = SAME;
    }
    (levels[Field::Given as usize], levels[Field::Surname as usize]) = chosen;
}

/// After a swap it is not told which of the two agreed better: it would depend on the side from which one looks.
fn ordered((a, b): (Level, Level)) -> (Level, Level) {
    if worth(a) >= worth(b) { (a, b) } else { (b, a) }
}

fn lines(a: &Person, b: &Person, levels: &mut Levels) {
    const LINES: [Field; 3] = [Field::Street, Field::Locality, Field::Place];
    // Straight, first two swapped, last two swapped.
    const WAYS: [[usize; 3]; 3] = [[0, 1, 2], [1, 0, 2], [0, 2, 1]];
    let level =
        |way: &[usize; 3]| -> [Level; 3] { std::array::from_fn(|at| known(a.text(LINES[at]), b.text(LINES[way[at]]), text)) };
    let value = |found: &[Level; 3]| found.iter().map(|l| worth(*l)).sum::<i32>();
    let mut chosen = level(&WAYS[0]);
    let mut order = if chosen.iter().any(|l| *l == SAME || *l == CLOSE) { SAME } else { UNKNOWN };
    if chosen.iter().any(|l| *l != SAME && *l != CLOSE) {
        for way in &WAYS[1..] {
            let other = level(way);
            if value(&other) > value(&chosen) + 1 {
                let mut other = other;
                let from = usize::from(*way == WAYS[2]);
                (other[from], other[from + 1]) = ordered((other[from], other[from + 1]));
                (chosen, order) = (other, DIFFERENT);
            }
        }
    }
    for (field, level) in LINES.iter().zip(chosen) {
        levels[*field as usize] = level;
    }
    levels[Field::LineOrder as usize] = order;
}

/// Names, streets, places.
fn text(a: &str, b: &str) -> Level {
    if a == b {
        return SAME;
    }
    let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
    // An initial fits its name, as far as it goes.
    if short == 1 {
        return if a.chars().next() == b.chars().next() { SIMILAR } else { DIFFERENT };
    }
    let slips = if long <= 4 {
        1
    } else if long <= 11 {
        2
    } else {
        3
    };
    if long - short <= 6 && edits(a, b, slips).is_some() {
        return if long <= 3 { SIMILAR } else { CLOSE };
    }
    // "Ann" and "Annabel", "Novak" and "Novak Print": one begins the other.
    if short >= 3 && (a.starts_with(b) || b.starts_with(a)) {
        return SIMILAR;
    }
    if jaro_winkler(a, b) >= 0.88 { SIMILAR } else { DIFFERENT }
}

fn number(a: &str, b: &str) -> Level {
    if a == b {
        return SAME;
    }
    match edits(a, b, 1) {
        Some(_) if a.len().max(b.len()) >= 4 => CLOSE,
        Some(_) if a.len().max(b.len()) >= 2 => SIMILAR,
        _ if a.len().min(b.len()) >= 2 && (a.starts_with(b) || b.starts_with(a)) => SIMILAR,
        _ => DIFFERENT,
    }
}

/// Dates as eight digits.
fn date(a: &str, b: &str) -> Level {
    if a == b {
        return SAME;
    }
    if edits(a, b, 1).is_some() {
        return CLOSE;
    }
    if a.len() == 8 && b.len() == 8 && a.is_ascii() && b.is_ascii() {
        let parts = |t: &'_ str| (t[..4].to_owned(), t[4..6].to_owned(), t[6..].to_owned());
        let (x, y) = (parts(a), parts(b));
        if x.0 == y.0 && x.1 == y.2 && x.2 == y.1 {
            return CLOSE;
        }
        let same = usize::from(x.0 == y.0) + usize::from(x.1 == y.1) + usize::from(x.2 == y.2);
        if same == 2 || edits(a, b, 2).is_some() {
            return SIMILAR;
        }
    }
    DIFFERENT
}

/// Addresses in normal form.
fn email(a: &str, b: &str) -> Level {
    if a == b {
        return SAME;
    }
    let (Some((left_a, host_a)), Some((left_b, host_b))) = (a.split_once('@'), b.split_once('@')) else { return DIFFERENT };
    let plain = |left: &'_ str| left.split('+').next().unwrap_or(left).to_owned();
    if host_a == host_b && plain(left_a) == plain(left_b) {
        return CLOSE;
    }
    if left_a == left_b && left_a.len() >= 4 {
        return if edits(host_a, host_b, 1).is_some() { CLOSE } else { SIMILAR };
    }
    let bare = |left: &str| left.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    if host_a == host_b {
        let (x, y) = (bare(left_a), bare(left_b));
        if x.len() >= 5 && edits(&x, &y, 1).is_some() {
            return CLOSE;
        }
    }
    DIFFERENT
}

/// Numbers in normal form, or digits where there is none.
fn phone(a: &str, b: &str) -> Level {
    if a == b {
        return SAME;
    }
    let digits = |t: &str| t.chars().filter(char::is_ascii_digit).collect::<String>();
    let (x, y) = (digits(a), digits(b));
    if x.len() >= 9 && y.len() >= 9 && edits(&x, &y, 1).is_some() {
        return CLOSE;
    }
    // The same national number with and without its country.
    let (short, long) = if x.len() <= y.len() { (&x, &y) } else { (&y, &x) };
    let bare = short.trim_start_matches('0');
    if bare.len() >= 7 && long.ends_with(bare) { CLOSE } else { DIFFERENT }
}

/// What the level of one field says, in words for an agent.
pub fn words(field: Field, level: Level) -> Option<String> {
    let title = field.title();
    Some(match (field, level) {
        (_, UNKNOWN) | (Field::NameOrder | Field::LineOrder, SAME) => return None,
        (Field::NameOrder, _) => "first and last name swapped".to_owned(),
        (Field::LineOrder, _) => "address lines swapped".to_owned(),
        (_, SAME) => format!("same {title}"),
        (_, CLOSE) => format!("almost the same {title}"),
        (_, SIMILAR) => format!("similar {title}"),
        _ => format!("different {title}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(given: &str, last: &str) -> Person {
        let mut p = Person::default();
        p.set(Field::Given, given);
        p.set(Field::Surname, last);
        p
    }
    fn level(a: &Person, b: &Person, field: Field) -> Level {
        compare(a, b)[field as usize]
    }

    #[test]
    fn names_agree_through_typos_and_swaps() {
        let ada = person("Harley", "McCarthy");
        for (given, last, levels) in [
            ("harley", "mccarthy", (SAME, SAME, SAME)),
            ("haryley", "mcarthy", (CLOSE, CLOSE, SAME)),
            ("mccarthy", "harley", (SAME, SAME, DIFFERENT)),
            ("h", "mccarthy", (SIMILAR, SAME, SAME)),
            ("olivia", "vincent", (DIFFERENT, DIFFERENT, UNKNOWN)),
            ("", "mccarthy", (UNKNOWN, SAME, SAME)),
        ] {
            let found = compare(&ada, &person(given, last));
            assert_eq!(
                (found[Field::Given as usize], found[Field::Surname as usize], found[Field::NameOrder as usize]),
                levels,
                "{given} {last}"
            );
        }
    }

    #[test]
    fn the_comparison_does_not_depend_on_the_side() {
        let mut a = person("Ann", "Smith");
        a.set(Field::Street, "gundulu place");
        a.set(Field::Locality, "curringa");
        let mut b = person("Anna", "Smyth");
        b.set(Field::Street, "currihga");
        b.set(Field::Locality, "gundulu place");
        assert_eq!(compare(&a, &b), compare(&b, &a));
        assert_eq!(level(&a, &b, Field::LineOrder), DIFFERENT);
        assert_eq!((level(&a, &b, Field::Street), level(&a, &b, Field::Locality)), (SAME, CLOSE));
    }

    #[test]
    fn dates_numbers_addresses_and_phones() {
        for (a, b, wanted) in [
            ("19801203", "19801203", SAME),
            ("19801203", "19800312", CLOSE),
            ("19801203", "19801230", CLOSE),
            ("19801203", "19801219", SIMILAR),
            ("19801203", "19540617", DIFFERENT),
        ] {
            assert_eq!(date(a, b), wanted, "{a} {b}");
        }
        assert_eq!(
            (number("2193", "2139"), number("12", "21"), number("12", "13"), number("7", "8")),
            (CLOSE, SIMILAR, SIMILAR, DIFFERENT)
        );
        assert_eq!((email("ada@ex.com", "ada+shop@ex.com"), email("adan@ex.com", "adan@ex.org")), (CLOSE, SIMILAR));
        assert_eq!((phone("+4917155501234", "017155501234"), phone("+15550142", "+15550199")), (CLOSE, DIFFERENT));
    }

    #[test]
    fn what_nobody_knows_tells_nothing() {
        assert_eq!(compare(&Person::default(), &person("a", "b")), [UNKNOWN; FIELD_COUNT]);
        assert_eq!(words(Field::Phone, SAME).as_deref(), Some("same phone number"));
        assert_eq!(words(Field::Phone, UNKNOWN), None);
    }
}
