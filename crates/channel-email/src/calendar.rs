//! Invitations: a text/calendar part as the few facts of a card. In: text of the part. Out: one card per event. Pure.

use channel::CalendarCard;
use model::Timestamp;

const CARDS_MAX: usize = 20;
const LINES_MAX: usize = 20_000;

/// The events of a calendar, in order. `method` is the parameter of the part's Content-Type, should the text have none.
pub fn read(text: &str, method: Option<&str>) -> Vec<CalendarCard> {
    let mut cards: Vec<CalendarCard> = Vec::new();
    let mut method = method.map(str::to_ascii_uppercase);
    // Inside which components we are; alarms and zones have properties of the same names.
    let mut open: Vec<String> = Vec::new();
    for line in unfolded(text) {
        let Some((name, params, value)) = property(&line) else { continue };
        let at_event = open.last().is_some_and(|c| c == "VEVENT" || c == "VTODO");
        match name.as_str() {
            "BEGIN" => {
                let component = value.trim().to_ascii_uppercase();
                if matches!(component.as_str(), "VEVENT" | "VTODO") && cards.len() < CARDS_MAX {
                    cards.push(CalendarCard::default());
                }
                if open.len() < 20 {
                    open.push(component);
                }
            }
            "END" => {
                open.pop();
            }
            "METHOD" if open.len() <= 1 => method = Some(value.trim().to_ascii_uppercase()),
            _ if at_event => {
                if let Some(card) = cards.last_mut() {
                    set(card, &name, &params, &value);
                }
            }
            _ => {}
        }
    }
    for card in &mut cards {
        card.method = method.clone();
    }
    cards
}

fn set(card: &mut CalendarCard, name: &str, params: &[(String, String)], value: &str) {
    let first = |slot: &mut Option<String>, text: String| {
        if slot.is_none() && !text.is_empty() {
            *slot = Some(text.chars().take(2_000).collect());
        }
    };
    let param = |name: &str| params.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str());
    let zoned = || match param("TZID") {
        Some(zone) => format!("{} {zone}", value.trim()),
        None => value.trim().to_owned(),
    };
    match name {
        "UID" => first(&mut card.uid, value.trim().to_owned()),
        "SUMMARY" => first(&mut card.summary, unescape(value)),
        "LOCATION" => first(&mut card.location, unescape(value)),
        "ORGANIZER" => first(&mut card.organizer, mailto(value)),
        "DTSTART" => {
            card.starts_at = card.starts_at.or_else(|| utc(value.trim()));
            first(&mut card.starts, zoned());
        }
        "DTEND" | "DUE" => first(&mut card.ends, zoned()),
        "ATTENDEE" => {
            if let Some(answer) = param("PARTSTAT").filter(|answer| !answer.eq_ignore_ascii_case("NEEDS-ACTION")) {
                first(&mut card.answer, answer.to_ascii_uppercase());
            }
        }
        _ => {}
    }
}

fn unfolded(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in text.lines().take(LINES_MAX) {
        let line = line.trim_end_matches('\r');
        match (line.strip_prefix([' ', '\t']), out.last_mut()) {
            (Some(more), Some(last)) if last.len() < 100_000 => last.push_str(more),
            (Some(_), _) => {}
            (None, _) => out.push(line.to_owned()),
        }
    }
    out
}

type Property = (String, Vec<(String, String)>, String);

// NAME;PARAM=value;PARAM="va:lue":text
fn property(line: &str) -> Option<Property> {
    let mut quoted = false;
    let colon = line.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == ':' && !quoted
    })?;
    let (head, value) = (&line[..colon.0], &line[colon.0 + 1..]);
    let mut pieces = head.split(';');
    let name = pieces.next()?.trim().to_ascii_uppercase();
    let params = pieces.filter_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        Some((name.trim().to_ascii_uppercase(), value.trim_matches('"').to_owned()))
    });
    Some((name, params.collect(), value.to_owned()))
}

fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(c) => out.push(c),
                None => {}
            },
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

fn mailto(value: &str) -> String {
    let value = value.trim();
    match value.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => value[7..].to_owned(),
        _ => value.to_owned(),
    }
}

// 20260301T100000Z; other zones are shown as written, since their rules stand in the sender's program.
fn utc(value: &str) -> Option<Timestamp> {
    let value = value.strip_suffix('Z')?;
    let (date, time) = value.split_once('T')?;
    let part = |text: &str, from: usize, to: usize| text.get(from..to).map(str::to_owned);
    let iso = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(date, 0, 4)?,
        part(date, 4, 6)?,
        part(date, 6, 8)?,
        part(time, 0, 2)?,
        part(time, 2, 4)?,
        part(time, 4, 6)?
    );
    crate::date::parse(&iso)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITATION: &str = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Zurich\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:42@cal.test\r\nSUMMARY:Fitting\\, second\r\n  try\r\nLOCATION:Shop\\n1st floor\r\nORGANIZER;CN=\"Ada: the first\":MAILTO:ada@cust.test\r\nDTSTART;TZID=Europe/Zurich:20260301T100000\r\nDTEND:20260301T093000Z\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.test\r\nBEGIN:VALARM\r\nSUMMARY:beep\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn an_invitation_becomes_a_card() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            read(INVITATION, None),
            [CalendarCard {
                method: some("REQUEST"),
                uid: some("42@cal.test"),
                summary: some("Fitting, second try"),
                location: some("Shop\n1st floor"),
                organizer: some("ada@cust.test"),
                starts_at: None,
                starts: some("20260301T100000 Europe/Zurich"),
                ends: some("20260301T093000Z"),
                answer: some("ACCEPTED"),
            }]
        );
        let utc = INVITATION.replace(";TZID=Europe/Zurich:20260301T100000", ":20260301T100000Z");
        assert_eq!(read(&utc, None)[0].starts_at, Timestamp::parse("2026-03-01T10:00:00Z"));
        assert_eq!(read("no calendar", Some("reply")), []);
        assert_eq!(read("BEGIN:VEVENT\nSUMMARY:x", Some("reply"))[0].method.as_deref(), Some("REPLY"));
    }
}
