//! One row of a file of people as wishes about one contact: addresses in normal form, fields, consent. What cannot be meant
//! is refused with its reason and never guessed. Pure.

use crate::contacts::columns::{self, Meaning};
use crate::contacts::field;
use crate::contacts::table::{Line, Table};
use crate::identity::duplicates::record;
use crate::identity::normal::{self, Spelling};
use crate::identity::resolve::tidy_name;
use crate::settings::rules::region;
use model::{ConsentState, ContactFieldId, ContactPointKind, Purpose, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::contact_field::ContactField;
use store::contact_point::PointKey;

/// Countries whose numbers have a zero before the area code at home: without it, or a plus, a spreadsheet has eaten it.
const TRUNK_ZERO: &[&str] = &[
    "DE", "AT", "CH", "GB", "FR", "NL", "BE", "SE", "FI", "IE", "AU", "NZ", "ZA", "JP", "KR", "TR", "IL", "IN", "ID", "MY", "TH",
    "VN", "RO", "BG", "HR", "RS", "SI", "SK", "UA", "AR", "EG", "NG", "KE", "PK", "CN", "TW", "PH",
];

/// What the columns of a file mean, as an agent has settled it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// Column name to what it becomes: a meaning (`given_name`, `email`, `crm_id` ..), `field:<id>`, `consent:<purpose>`,
    /// `consent_date`, `consent_source`, or `ignore`.
    pub columns: BTreeMap<String, String>,
    /// Country of numbers without a plus.
    pub country: Option<String>,
}

/// What one column becomes.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A known meaning.
    Means(Meaning),
    /// A field that the business made.
    Field(ContactFieldId),
    /// Consent for a purpose.
    Consent(Purpose),
    /// When consent was given.
    ConsentDate,
    /// Where consent was given.
    ConsentSource,
    /// Nothing.
    Ignore,
}

impl Target {
    /// Reads the word of a mapping.
    pub fn parse(text: &str, fields: &[ContactField]) -> Option<Self> {
        Some(match text {
            "ignore" | "" => Self::Ignore,
            "consent_date" => Self::ConsentDate,
            "consent_source" => Self::ConsentSource,
            _ => match text.split_once(':') {
                Some(("field", id)) => {
                    let id = ContactFieldId::parse(id).ok()?;
                    Self::Field(fields.iter().find(|f| f.id == id && f.archived_at.is_none())?.id)
                }
                Some(("consent", purpose)) => Self::Consent(Purpose::parse(purpose)?),
                Some(_) => return None,
                None => Self::Means(serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()?),
            },
        })
    }

    /// The word of a mapping.
    pub fn word(&self) -> String {
        match self {
            Self::Means(meaning) => {
                serde_json::to_value(meaning).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
            }
            Self::Field(id) => format!("field:{id}"),
            Self::Consent(purpose) => format!("consent:{}", purpose.word()),
            Self::ConsentDate => "consent_date".to_owned(),
            Self::ConsentSource => "consent_source".to_owned(),
            Self::Ignore => "ignore".to_owned(),
        }
    }
}

/// What a file's columns probably mean: known names, then fields of the business by their own names.
pub fn guess(table: &Table, fields: &[ContactField]) -> Mapping {
    let meanings = columns::guess_all(table);
    let columns = table.columns.iter().zip(meanings).filter(|(name, _)| !name.is_empty()).map(|(name, meaning)| {
        let key = model::fold::fold(name);
        let own = fields.iter().find(|f| f.archived_at.is_none() && model::fold::fold(&f.name) == key);
        let squeezed = record::squeeze(name);
        let consent = Purpose::ALL.iter().find(|p| squeezed == p.word() || squeezed == format!("consent{}", p.word()));
        let target = match (own, meaning, consent) {
            (Some(field), ..) => Target::Field(field.id),
            (None, Some(Meaning::RecordId | Meaning::NationalId), _) => Target::Ignore,
            (None, Some(meaning), _) => Target::Means(meaning),
            (None, None, Some(purpose)) => Target::Consent(*purpose),
            (None, None, None) => match squeezed.as_str() {
                "newsletter" => Target::Consent(Purpose::Marketing),
                "consentdate" | "optindate" => Target::ConsentDate,
                "consentsource" | "optinsource" => Target::ConsentSource,
                _ => Target::Ignore,
            },
        };
        (name.clone(), target.word())
    });
    Mapping { columns: columns.collect(), country: None }
}

/// One statement of consent in a row.
#[derive(Clone, Debug, PartialEq)]
pub struct RowConsent {
    /// About what.
    pub purpose: Purpose,
    /// What they said.
    pub state: ConsentState,
    /// Where.
    pub source: String,
    /// When.
    pub at: Timestamp,
}

/// What a row wants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wish {
    /// Addresses in the order in which they decide: CRM id, mail, phone; with the spelling of the file.
    pub keys: Vec<(PointKey, String)>,
    /// Name.
    pub name: Option<String>,
    /// Firm.
    pub company: Option<String>,
    /// Language.
    pub locale: Option<String>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// Notes.
    pub notes: Option<String>,
    /// Values of own fields.
    pub values: Vec<(ContactFieldId, String)>,
    /// Consent.
    pub consents: Vec<RowConsent>,
}

/// A number that a spreadsheet has turned into another one: `4.9E+11`.
fn is_spoiled(text: &str) -> bool {
    let lower = text.trim().to_ascii_lowercase().replace(',', ".");
    let Some((left, right)) = lower.split_once('e') else { return false };
    let right = right.trim_start_matches('+');
    !left.is_empty() && left.parse::<f64>().is_ok() && !right.is_empty() && right.chars().all(|c| c.is_ascii_digit())
}

fn phone(text: &str, country: Option<&str>) -> Result<PointKey, String> {
    if is_spoiled(text) {
        return Err(format!("{text} was spoiled by a spreadsheet; format the column as text and export again"));
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 3 {
        return Err(format!("{text} is no telephone number"));
    }
    let international = text.trim_start().starts_with('+') || digits.starts_with("00");
    let spelling = match (international, country) {
        (true, _) => Spelling::default(),
        (false, None) => return Err(format!("{text} has no country code; say which country such numbers are from")),
        (false, Some(country)) => {
            let code = region(country).map_or_else(|| country.to_ascii_uppercase(), |id| format!("{id:?}"));
            if TRUNK_ZERO.contains(&code.as_str()) && !digits.starts_with('0') {
                return Err(format!("{text} has lost its leading zero; format the column as text and export again"));
            }
            Spelling::of_country(country)
        }
    };
    let match_key = normal::phone(text, spelling).filter(|key| key.starts_with('+'));
    let match_key = match_key.ok_or_else(|| format!("{text} is no telephone number"))?;
    Ok(PointKey { kind: ContactPointKind::Phone, scope: String::new(), match_key })
}

/// Reads a row by its mapping, or says why it is refused.
pub fn wish(
    table: &Table,
    targets: &[Target],
    row: &Line,
    country: Option<&str>,
    fields: &[ContactField],
    now: Timestamp,
) -> Result<Wish, String> {
    let mut wish = Wish::default();
    let (mut given, mut surname) = (String::new(), String::new());
    let (mut consents, mut date, mut source) = (Vec::new(), String::new(), String::new());
    let (mut crm, mut mails, mut phones) = (vec![], vec![], vec![]);
    for (at, cell) in row.cells.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty()) {
        let cell = cell.trim();
        let column = table.columns.get(at).map_or("", String::as_str);
        match targets.get(at).unwrap_or(&Target::Ignore) {
            Target::Ignore => {}
            Target::Field(id) => {
                if let Some(field) = fields.iter().find(|f| f.id == *id) {
                    let value = field::fits(field, cell).map_err(|invalid| format!("{column}: {}", invalid.text))?;
                    wish.values.push((*id, value));
                }
            }
            Target::Consent(purpose) => match model::fold::fold(cell).as_str() {
                "yes" | "true" | "1" | "ja" | "oui" | "si" | "y" | "j" | "x" | "granted" | "opted in" => {
                    consents.push((*purpose, ConsentState::Granted));
                }
                "no" | "false" | "0" | "nein" | "non" | "n" | "refused" => consents.push((*purpose, ConsentState::Refused)),
                "withdrawn" | "opted out" | "unsubscribed" => consents.push((*purpose, ConsentState::Withdrawn)),
                _ => return Err(format!("{column}: {cell} is neither yes nor no")),
            },
            Target::ConsentDate => date = cell.to_owned(),
            Target::ConsentSource => source = cell.to_owned(),
            Target::Means(meaning) => match meaning {
                Meaning::CrmId => {
                    if is_spoiled(cell) {
                        return Err(format!("{column}: {cell} was spoiled by a spreadsheet"));
                    }
                    let match_key = model::fold::truncate(cell, 200).to_owned();
                    crm.push((PointKey { kind: ContactPointKind::Crm, scope: String::new(), match_key }, cell.to_owned()));
                }
                Meaning::Email => {
                    let match_key = normal::email(cell).ok_or_else(|| format!("{column}: {cell} is no mail address"))?;
                    mails.push((PointKey { kind: ContactPointKind::Email, scope: String::new(), match_key }, cell.to_owned()));
                }
                Meaning::Phone => {
                    phones.push((phone(cell, country).map_err(|text| format!("{column}: {text}"))?, cell.to_owned()));
                }
                Meaning::Name => wish.name = Some(tidy_name(cell)),
                Meaning::GivenName => given = cell.to_owned(),
                Meaning::Surname => surname = cell.to_owned(),
                Meaning::Company => wish.company = Some(tidy_name(cell)),
                Meaning::Locale => wish.locale = Some(tidy_name(cell)),
                Meaning::TimeZone => {
                    if model::hours::Hours::office(cell).check().is_err() {
                        return Err(format!("{column}: {cell} is no time zone such as Europe/Berlin"));
                    }
                    wish.time_zone = Some(cell.to_owned());
                }
                Meaning::Notes => wish.notes = Some(model::fold::clean(cell)),
                _ => {}
            },
        }
    }
    if wish.name.is_none() && !(given.is_empty() && surname.is_empty()) {
        wish.name = Some(tidy_name(&format!("{given} {surname}")));
    }
    if !consents.is_empty() {
        let at = day(&date).filter(|at| *at <= now);
        let at = at.ok_or_else(|| "consent needs a date that is not in the future".to_owned())?;
        if source.is_empty() {
            return Err("consent needs a source: where was it said?".to_owned());
        }
        let statement = |(purpose, state)| RowConsent { purpose, state, source: source.clone(), at };
        wish.consents = consents.into_iter().map(statement).collect();
    }
    for key in crm.into_iter().chain(mails).chain(phones) {
        if !wish.keys.iter().any(|(known, _)| *known == key.0) {
            wish.keys.push(key);
        }
    }
    if wish.keys.is_empty() {
        return Err("no address, number or CRM id to know this person by".to_owned());
    }
    Ok(wish)
}

/// Midnight of a day in UTC.
fn day(text: &str) -> Option<Timestamp> {
    let day = record::date(text);
    let (year, rest) = day.split_at_checked(4)?;
    let (month, date) = rest.split_at_checked(2)?;
    // A day that the calendar does not have is no day.
    Timestamp::parse(&format!("{year}-{month}-{date}T00:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contacts::table;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn read(text: &str, country: Option<&str>) -> Vec<Result<Wish, String>> {
        let table = table::read(text.as_bytes()).unwrap();
        let mapping = guess(&table, &[]);
        let targets: Vec<Target> = table.columns.iter().map(|c| Target::parse(&mapping.columns[c], &[]).unwrap()).collect();
        table.rows.iter().map(|row| wish(&table, &targets, row, country, &[], NOW)).collect()
    }

    #[test]
    fn spoiled_numbers_are_refused_never_guessed() {
        let text = "phone\n4.9E+11\n\"4,9E+11\"\n17155501\n0171 5550123\n+49 171 5550123\nhello\n";
        let all = read(text, Some("DE"));
        for (at, part) in [(0, "spoiled"), (1, "spoiled"), (2, "leading zero"), (5, "no telephone")] {
            assert!(all[at].as_ref().unwrap_err().contains(part), "{:?}", all[at]);
        }
        assert_eq!(all[3].as_ref().unwrap().keys[0].0.match_key, "+491715550123");
        assert_eq!(all[3].as_ref().unwrap().keys[0].0, all[4].as_ref().unwrap().keys[0].0);
        assert!(read("phone\n0171 5550123\n", None)[0].as_ref().unwrap_err().contains("country"));
    }

    #[test]
    fn keys_stand_in_the_order_in_which_they_decide() {
        let all = read("phone;email;Kd-Nr;Vorname;Nachname\n+15550142;Ada@Ex.com;8841;Ada;Novak\n", None);
        let wish = all[0].as_ref().unwrap();
        let kinds: Vec<ContactPointKind> = wish.keys.iter().map(|(key, _)| key.kind).collect();
        assert_eq!(kinds, [ContactPointKind::Crm, ContactPointKind::Email, ContactPointKind::Phone]);
        assert_eq!((wish.name.as_deref(), wish.keys[1].0.match_key.as_str()), (Some("Ada Novak"), "ada@ex.com"));
        assert!(read("name\nAda\n", None)[0].as_ref().unwrap_err().contains("no address"));
    }

    #[test]
    fn consent_needs_a_purpose_a_date_and_a_source() {
        let head = "email,newsletter,consent date,consent source\n";
        let one = |row: &str| read(&format!("{head}{row}\n"), None).remove(0);
        let good = one("a@ex.com,ja,2024-05-03,fair").unwrap();
        assert_eq!(good.consents[0].at, Timestamp(1_714_694_400_000));
        assert_eq!((good.consents[0].purpose, good.consents[0].state), (Purpose::Marketing, ConsentState::Granted));
        for row in
            ["a@ex.com,ja,,fair", "a@ex.com,ja,2024-05-03,", "a@ex.com,ja,2999-01-01,fair", "a@ex.com,perhaps,2024-05-03,fair"]
        {
            assert!(one(row).is_err(), "{row}");
        }
        assert!(one("a@ex.com,,,").unwrap().consents.is_empty(), "an empty cell says nothing");
    }
}
