//! Which column of a file holds what: header names of many programs and languages, mapped generously. Pure.

use crate::contacts::table::{Line, Table};
use crate::identity::duplicates::{Field, Person};
use serde::{Deserialize, Serialize};

/// What a column may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// The record's own id in its file.
    RecordId,
    /// First name.
    GivenName,
    /// Family name.
    Surname,
    /// The whole name.
    Name,
    /// House number.
    HouseNumber,
    /// Street or first address line.
    Street,
    /// Second address line.
    AddressLine,
    /// Town.
    Place,
    /// Postcode.
    Postcode,
    /// State or region.
    Region,
    /// Date of birth.
    BirthDate,
    /// A number of the state: looked at only when asked.
    NationalId,
    /// Mail address.
    Email,
    /// Telephone number.
    Phone,
    /// Firm.
    Company,
    /// Number in the business's own system.
    CrmId,
    /// Language.
    Locale,
    /// Time zone.
    TimeZone,
    /// Notes.
    Notes,
}

const NAMES: [(Meaning, &[&str]); 19] = [
    (Meaning::RecordId, &["recid", "recordid", "id", "uniqueid", "rowid", "key"]),
    (
        Meaning::GivenName,
        &["givenname", "firstname", "forename", "fname", "first", "vorname", "prenom", "nombre", "nome", "imie", "christianname"],
    ),
    (
        Meaning::Surname,
        &[
            "surname",
            "lastname",
            "familyname",
            "lname",
            "last",
            "nachname",
            "familienname",
            "nomdefamille",
            "apellido",
            "apellidos",
            "cognome",
            "nazwisko",
        ],
    ),
    (
        Meaning::Name,
        &["name", "fullname", "displayname", "contact", "contactname", "customer", "customername", "kunde", "kundenname"],
    ),
    (
        Meaning::HouseNumber,
        &["streetnumber", "housenumber", "houseno", "streetno", "hausnummer", "hausnr", "number", "wayfarenumber"],
    ),
    (
        Meaning::Street,
        &[
            "address1",
            "street",
            "streetaddress",
            "address",
            "addressline1",
            "streetname",
            "strasse",
            "str",
            "adresse",
            "anschrift",
            "rue",
            "calle",
            "via",
            "wayfarename",
        ],
    ),
    (
        Meaning::AddressLine,
        &["address2", "addressline2", "street2", "adresszusatz", "zusatz", "unit", "apartment", "localityname"],
    ),
    (
        Meaning::Place,
        &["suburb", "city", "town", "place", "locality", "ort", "stadt", "wohnort", "ville", "ciudad", "citta", "miasto"],
    ),
    (
        Meaning::Postcode,
        &["postcode", "postalcode", "zip", "zipcode", "plz", "postleitzahl", "codepostal", "cp", "cap", "codigopostal"],
    ),
    (Meaning::Region, &["state", "region", "province", "county", "bundesland", "territory", "stateabbrev", "provincia"]),
    (
        Meaning::BirthDate,
        &[
            "dateofbirth",
            "dob",
            "birthdate",
            "birthday",
            "born",
            "geburtsdatum",
            "geburtstag",
            "datedenaissance",
            "fechadenacimiento",
        ],
    ),
    (Meaning::NationalId, &["socsecid", "ssn", "socialsecuritynumber", "nationalid", "taxid", "personalnumber"]),
    (
        Meaning::Email,
        &["email", "emailaddress", "mail", "mailaddress", "emailadresse", "courriel", "correo", "correoelectronico"],
    ),
    (
        Meaning::Phone,
        &[
            "phone",
            "phonenumber",
            "telephone",
            "tel",
            "telefon",
            "telefonnummer",
            "mobile",
            "mobil",
            "mobilephone",
            "mobilenumber",
            "handy",
            "cell",
            "cellphone",
            "telefono",
            "telephonenumber",
            "portable",
        ],
    ),
    (
        Meaning::Company,
        &[
            "company",
            "companyname",
            "firm",
            "firma",
            "organisation",
            "organization",
            "employer",
            "entreprise",
            "societe",
            "empresa",
            "unternehmen",
        ],
    ),
    (
        Meaning::CrmId,
        &[
            "crmid",
            "crm",
            "customerid",
            "customernumber",
            "customerno",
            "kdnr",
            "kundennummer",
            "kundennr",
            "accountnumber",
            "clientid",
            "externalid",
        ],
    ),
    (Meaning::Locale, &["locale", "language", "lang", "sprache", "langue", "idioma"]),
    (Meaning::TimeZone, &["timezone", "tz", "zeitzone"]),
    (Meaning::Notes, &["notes", "note", "comment", "comments", "remarks", "bemerkung", "notizen", "kommentar"]),
];

/// What a header name means, if it is one of the known ones. Numbered ones (`phone 2`, `email_1`) count as well.
pub fn guess(header: &str) -> Option<Meaning> {
    let key: String = model::fold::fold(header).replace('ß', "ss").chars().filter(|c| c.is_alphanumeric()).collect();
    let find = |key: &str| NAMES.iter().find(|(_, names)| names.contains(&key)).map(|(meaning, _)| *meaning);
    find(&key).or_else(|| {
        let bare = key.trim_end_matches(|c: char| c.is_ascii_digit());
        find(bare).filter(|meaning| matches!(meaning, Meaning::Email | Meaning::Phone))
    })
}

/// The meanings of a table's columns, by place.
pub fn guess_all(table: &Table) -> Vec<Option<Meaning>> {
    let mut found: Vec<Option<Meaning>> = table.columns.iter().map(|name| guess(name)).collect();
    // A plain "number" beside no street is not a house number; two columns of one single meaning: the first has it.
    let has_street = found.contains(&Some(Meaning::Street));
    let mut seen = std::collections::HashSet::new();
    for meaning in &mut found {
        match meaning {
            Some(Meaning::HouseNumber) if !has_street => *meaning = None,
            Some(Meaning::Email | Meaning::Phone) | None => {}
            Some(one) => {
                if !seen.insert(*one) {
                    *meaning = None;
                }
            }
        }
    }
    found
}

/// Header names that are understood, for messages.
pub fn known_names() -> String {
    NAMES.iter().map(|(_, names)| names[0]).collect::<Vec<_>>().join(", ")
}

/// The id of a row's record, if there is a column for it.
pub fn record_id<'a>(meanings: &[Option<Meaning>], row: &'a Line) -> Option<&'a str> {
    let wanted = [Meaning::RecordId, Meaning::CrmId];
    wanted.iter().find_map(|want| {
        let at = meanings.iter().position(|m| m.as_ref() == Some(want))?;
        row.cells.get(at).map(String::as_str).filter(|text| !text.is_empty())
    })
}

/// The person that a row describes, as the model compares it. Numbers of the state only when asked.
pub fn person(meanings: &[Option<Meaning>], row: &Line, with_national_id: bool) -> Person {
    let mut person = Person::default();
    let cells = || meanings.iter().zip(&row.cells).filter(|(_, text)| !text.is_empty());
    // The whole name first: first and last name, where a file has all three, are the better ones.
    for (_, text) in cells().filter(|(meaning, _)| **meaning == Some(Meaning::Name)) {
        person.set_name(text);
    }
    for (meaning, text) in cells() {
        let field = match meaning {
            Some(Meaning::GivenName) => Field::Given,
            Some(Meaning::Surname) => Field::Surname,
            Some(Meaning::HouseNumber) => Field::House,
            Some(Meaning::Street) => Field::Street,
            Some(Meaning::AddressLine) => Field::Locality,
            Some(Meaning::Place) => Field::Place,
            Some(Meaning::Postcode) => Field::Postcode,
            Some(Meaning::Region) => Field::Region,
            Some(Meaning::BirthDate) => Field::Born,
            Some(Meaning::Company) => Field::Company,
            Some(Meaning::NationalId) if with_national_id => Field::Number,
            Some(Meaning::CrmId) => Field::Number,
            Some(Meaning::Email) => {
                person.emails.push(text.to_lowercase());
                continue;
            }
            Some(Meaning::Phone) => {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                if digits.len() >= 5 {
                    person.phones.push(digits);
                }
                continue;
            }
            _ => continue,
        };
        person.set(field, text);
    }
    person
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contacts::table;

    #[test]
    fn headers_of_many_programs_are_understood() {
        for (header, meaning) in [
            ("given_name", Meaning::GivenName),
            ("First Name", Meaning::GivenName),
            ("Nachname", Meaning::Surname),
            ("street_number", Meaning::HouseNumber),
            ("address_1", Meaning::Street),
            ("Straße", Meaning::Street),
            ("suburb", Meaning::Place),
            ("PLZ", Meaning::Postcode),
            ("date_of_birth", Meaning::BirthDate),
            ("soc_sec_id", Meaning::NationalId),
            ("E-Mail", Meaning::Email),
            ("Phone 2", Meaning::Phone),
            ("Kd-Nr", Meaning::CrmId),
            ("rec_id", Meaning::RecordId),
        ] {
            assert_eq!(guess(header), Some(meaning), "{header}");
        }
        assert_eq!(guess("favourite colour"), None);
    }

    #[test]
    fn a_row_becomes_a_person() {
        let table =
            table::read(b"rec_id, name, first name, phone, phone2, soc_sec_id\nr1, Ada M. Novak, Adah, 0171 55501, 12, 99\n")
                .unwrap();
        let meanings = guess_all(&table);
        let found = person(&meanings, &table.rows[0], false);
        assert_eq!((found.text(Field::Given), found.text(Field::Surname), found.text(Field::Number)), ("adah", "novak", ""));
        assert_eq!(found.phones, ["017155501"], "too short to be a number");
        assert_eq!(person(&meanings, &table.rows[0], true).text(Field::Number), "99");
        assert_eq!(record_id(&meanings, &table.rows[0]), Some("r1"));
    }
}
