//! Days, months and years as people type them. Their edges are computed in the zone of the workspace; SQL never sees a date.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use model::Timestamp;

/// A day, month or year, or one relative to today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// `2026-10-01`
    Day(Date),
    /// `2026-10`
    Month(i16, i8),
    /// `2026`
    Year(i16),
    /// `today`
    Today,
    /// `yesterday`
    Yesterday,
    /// `7d`, `2w`, `3m`, `1y`: the day that many days, weeks, months or years ago.
    Ago(u16, Unit),
}

/// What is counted back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// d
    Days,
    /// w
    Weeks,
    /// m
    Months,
    /// y
    Years,
}

impl Dates {
    /// Reads lower-case text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "today" => return Some(Self::Today),
            "yesterday" => return Some(Self::Yesterday),
            _ => {}
        }
        let unit = match text.as_bytes().last()? {
            b'd' => Some(Unit::Days),
            b'w' => Some(Unit::Weeks),
            b'm' => Some(Unit::Months),
            b'y' => Some(Unit::Years),
            _ => None,
        };
        if let Some(unit) = unit {
            let count = &text[..text.len() - 1];
            return (digits(count, 1..=3)).then(|| count.parse().ok()).flatten().map(|count| Self::Ago(count, unit));
        }
        let parts: Vec<&str> = text.split('-').collect();
        let year = digits(parts.first()?, 4..=4).then(|| parts[0].parse::<i16>().ok()).flatten().filter(|y| *y >= 1000)?;
        let number = |part: &str| digits(part, 2..=2).then(|| part.parse::<i8>().ok()).flatten();
        match parts[..] {
            [_] => Some(Self::Year(year)),
            [_, month] => number(month).filter(|m| (1..=12).contains(m)).map(|month| Self::Month(year, month)),
            [_, month, day] => Date::new(year, number(month)?, number(day)?).ok().map(Self::Day),
            _ => None,
        }
    }

    /// From the first moment up to and without the last, in a zone such as `Europe/Berlin`; an unknown zone counts as UTC.
    pub fn edges(self, now: Timestamp, time_zone: &str) -> (Timestamp, Timestamp) {
        let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
        let moment = jiff::Timestamp::from_millisecond(now.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let today = zone.to_datetime(moment).date();
        let back = |span: Span| today.saturating_sub(span);
        let (first, length) = match self {
            Self::Day(date) => (date, 1.day()),
            Self::Month(year, month) => (Date::new(year, month, 1).unwrap_or(today), 1.month()),
            Self::Year(year) => (Date::new(year, 1, 1).unwrap_or(today), 1.year()),
            Self::Today => (today, 1.day()),
            Self::Yesterday => (back(1.day()), 1.day()),
            Self::Ago(count, unit) => {
                let count = i64::from(count);
                let span = match unit {
                    Unit::Days => count.days(),
                    Unit::Weeks => count.weeks(),
                    Unit::Months => count.months(),
                    Unit::Years => count.years(),
                };
                (back(span), 1.day())
            }
        };
        // The first moment of a day is not always midnight: clocks change.
        let start = |date: Date| {
            let at = zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0)).compatible();
            at.map_or(Timestamp(i64::MAX), |at| Timestamp(at.as_millisecond()))
        };
        (start(first), start(first.saturating_add(length)))
    }
}

fn digits(text: &str, count: std::ops::RangeInclusive<usize>) -> bool {
    count.contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit())
}

impl std::fmt::Display for Dates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Day(date) => write!(f, "{date}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Today => f.write_str("today"),
            Self::Yesterday => f.write_str("yesterday"),
            Self::Ago(count, Unit::Days) => write!(f, "{count}d"),
            Self::Ago(count, Unit::Weeks) => write!(f, "{count}w"),
            Self::Ago(count, Unit::Months) => write!(f, "{count}m"),
            Self::Ago(count, Unit::Years) => write!(f, "{count}y"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str, zone: &str) -> String {
        let now = Timestamp::parse("2026-11-22T23:30:00Z").unwrap();
        let (from, to) = Dates::parse(text).unwrap().edges(now, zone);
        format!("{} {}", &from.to_string()[..16], &to.to_string()[..16])
    }

    #[test]
    fn dates_have_edges_in_the_zone_of_the_workspace() {
        for (text, zone, wanted) in [
            ("2026-10-01", "UTC", "2026-10-01T00:00 2026-10-02T00:00"),
            ("2026-10-01", "Europe/Berlin", "2026-09-30T22:00 2026-10-01T22:00"),
            // The day on which clocks go back has 25 hours.
            ("2026-10-25", "Europe/Berlin", "2026-10-24T22:00 2026-10-25T23:00"),
            ("2026-02", "UTC", "2026-02-01T00:00 2026-03-01T00:00"),
            ("2026", "America/Lima", "2026-01-01T05:00 2027-01-01T05:00"),
            // It is already the 23rd in Berlin.
            ("today", "Europe/Berlin", "2026-11-22T23:00 2026-11-23T23:00"),
            ("today", "No/Where", "2026-11-22T00:00 2026-11-23T00:00"),
            ("yesterday", "UTC", "2026-11-21T00:00 2026-11-22T00:00"),
            ("7d", "UTC", "2026-11-15T00:00 2026-11-16T00:00"),
            ("2w", "UTC", "2026-11-08T00:00 2026-11-09T00:00"),
            ("1m", "UTC", "2026-10-22T00:00 2026-10-23T00:00"),
            ("999y", "UTC", "1027-11-22T00:00 1027-11-23T00:00"),
        ] {
            assert_eq!(span(text, zone), wanted, "{text} {zone}");
        }
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in
            ["", "d", "2026-13", "2026-02-30", "26-01-01", "2026-1-1", "soon", "7x", "9999d", "0026", "2026-01-01-01", "１d"]
        {
            assert_eq!(Dates::parse(text), None, "{text}");
        }
    }
}
