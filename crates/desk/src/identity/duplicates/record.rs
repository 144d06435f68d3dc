//! A person as the model compares it: short folded texts, one per field, however the source spelt them.

use model::fold::fold;

/// What is compared. The order is that of `Person::texts`, then what is made from several of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum Field {
    /// First name.
    Given,
    /// Family name.
    Surname,
    /// Date of birth, as eight digits.
    Born,
    /// House number.
    House,
    /// Street, or the first line of an address.
    Street,
    /// Second line of an address.
    Locality,
    /// Town or suburb.
    Place,
    /// Postcode.
    Postcode,
    /// State or region.
    Region,
    /// Firm.
    Company,
    /// A number that a state or a business gave the person.
    Number,
    /// Mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// Did the names have to be swapped to fit?
    NameOrder,
    /// Did the lines of the address have to be swapped to fit?
    LineOrder,
}

/// How many fields hold one text.
pub const TEXT_COUNT: usize = 11;
/// How many fields there are.
pub const FIELD_COUNT: usize = 15;

impl Field {
    /// All of them, in order.
    pub const ALL: [Self; FIELD_COUNT] = [
        Self::Given,
        Self::Surname,
        Self::Born,
        Self::House,
        Self::Street,
        Self::Locality,
        Self::Place,
        Self::Postcode,
        Self::Region,
        Self::Company,
        Self::Number,
        Self::Email,
        Self::Phone,
        Self::NameOrder,
        Self::LineOrder,
    ];

    /// Its name in stored models and in machine-readable evidence.
    pub fn word(self) -> &'static str {
        match self {
            Self::Given => "given_name",
            Self::Surname => "surname",
            Self::Born => "date_of_birth",
            Self::House => "house_number",
            Self::Street => "street",
            Self::Locality => "address_2",
            Self::Place => "place",
            Self::Postcode => "postcode",
            Self::Region => "region",
            Self::Company => "company",
            Self::Number => "number",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::NameOrder => "name_order",
            Self::LineOrder => "line_order",
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Given => "first name",
            Self::Surname => "last name",
            Self::Born => "date of birth",
            Self::House => "house number",
            Self::Street => "street",
            Self::Locality => "second address line",
            Self::Place => "town",
            Self::Postcode => "postcode",
            Self::Region => "region",
            Self::Company => "company",
            Self::Number => "customer number",
            Self::Email => "email address",
            Self::Phone => "phone number",
            Self::NameOrder => "order of the names",
            Self::LineOrder => "order of the address lines",
        }
    }
}

/// One person, ready to be compared. An empty text is "not known".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Folded, without blanks; by `Field`.
    pub texts: [String; TEXT_COUNT],
    /// Normal forms of mail addresses.
    pub emails: Vec<String>,
    /// Normal forms of telephone numbers.
    pub phones: Vec<String>,
}

impl Person {
    /// The text of a field; empty for the others.
    pub fn text(&self, field: Field) -> &str {
        self.texts.get(field as usize).map_or("", String::as_str)
    }

    /// Sets the text of a field from what a source says.
    pub fn set(&mut self, field: Field, value: &str) {
        if let Some(place) = self.texts.get_mut(field as usize) {
            *place = match field {
                Field::Born => date(value),
                Field::House | Field::Postcode | Field::Number => squeeze(value).trim_start_matches('0').to_owned(),
                _ => squeeze(value),
            };
        }
    }

    /// Sets both names from one line: "Ada Novak", "Novak, Ada", "Dr. Ada M. Novak".
    pub fn set_name(&mut self, line: &str) {
        let (first, last) = split_name(line);
        self.set(Field::Given, &first);
        self.set(Field::Surname, &last);
    }

    /// True when nothing is known that could tell people apart.
    pub fn is_empty(&self) -> bool {
        self.texts.iter().all(String::is_empty) && self.emails.is_empty() && self.phones.is_empty()
    }
}

/// Folded, with nothing but letters and digits: people and forms put blanks, hyphens and dots where they like.
pub fn squeeze(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).take(64).collect()
}

const TITLES: [&str; 22] = [
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "herr", "frau", "hr", "fr", "sr", "sra", "senor", "senora", "mme", "m",
    "dipl", "ing", "jr", "phd",
];

/// First and last name of one line.
pub fn split_name(line: &str) -> (String, String) {
    let is_title = |word: &str| word.chars().count() > 1 && TITLES.contains(&squeeze(word).as_str());
    if let Some((last, first)) = line.split_once(',') {
        let first: Vec<&str> = first.split_whitespace().filter(|w| !is_title(w)).collect();
        if !first.is_empty() {
            return (first.join(" "), last.trim().to_owned());
        }
    }
    let words: Vec<&str> = line.split_whitespace().filter(|w| !is_title(w)).collect();
    match words.as_slice() {
        [] => (String::new(), String::new()),
        [one] => ((*one).to_owned(), String::new()),
        [first @ .., last] => {
            // Initials in the middle tell little and are left out as often as not.
            let kept: Vec<&str> = first
                .iter()
                .enumerate()
                .filter(|(at, word)| *at == 0 || word.trim_end_matches('.').chars().count() > 1)
                .map(|(_, word)| *word)
                .collect();
            (kept.join(" "), (*last).to_owned())
        }
    }
}

/// A date as `YYYYMMDD`, or its digits as they stand: a damaged date is still worth comparing.
pub fn date(text: &str) -> String {
    let parts: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|p| !p.is_empty()).collect();
    if let [a, b, c, ..] = parts[..]
        && a.len() <= 4
        && b.len() <= 2
    {
        let (year, month, day) = if a.len() == 4 { (a, b, c) } else { (c, b, a) };
        if year.len() == 4 {
            // 12/31/1990: a month above twelve is a day.
            let swap = month.parse::<u8>().is_ok_and(|m| m > 12) && day.parse::<u8>().is_ok_and(|d| d <= 12);
            let (month, day) = if swap { (day, month) } else { (month, day) };
            return format!("{year}{month:0>2}{:0>2}", &day[..day.len().min(2)]);
        }
    }
    text.chars().filter(char::is_ascii_digit).take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart() {
        for (line, first, last) in [
            ("Ada Novak", "Ada", "Novak"),
            ("Novak, Ada", "Ada", "Novak"),
            ("Dr. Ada M. Novak", "Ada", "Novak"),
            ("Ada", "Ada", ""),
            ("Jean Paul Marat", "Jean Paul", "Marat"),
            ("A. Novak", "A.", "Novak"),
            ("", "", ""),
        ] {
            assert_eq!(split_name(line), (first.to_owned(), last.to_owned()), "{line}");
        }
    }

    #[test]
    fn dates_of_many_spellings_are_one() {
        for text in ["19081209", "1908-12-09", "9.12.1908", "09/12/1908", "1908/12/9", "1908-12-09T00:00:00Z"] {
            assert_eq!(date(text), "19081209", "{text}");
        }
        assert_eq!(date("12/31/1990"), "19901231");
        assert_eq!(date("1908121"), "1908121");
        assert_eq!(date("unknown"), "");
    }

    #[test]
    fn blanks_and_accents_do_not_count() {
        let mut one = Person::default();
        one.set(Field::Street, "Rue de l'Église ");
        one.set(Field::House, "007");
        assert_eq!((one.text(Field::Street), one.text(Field::House)), ("ruedeleglise", "7"));
        assert!(!one.is_empty() && Person::default().is_empty());
    }
}
