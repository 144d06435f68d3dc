//! Opening hours: when is the business open, and when does it open next. Pure; time zones by the bundled database.

use crate::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{Disambiguation, TimeZone};
use serde::{Deserialize, Serialize};

/// A span of one local day, `[open, close)` in minutes after midnight; 1440 is the end of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Span {
    /// Minute of opening, 0 to 1439.
    pub open: u16,
    /// Minute of closing, up to 1440 and after `open`.
    pub close: u16,
}

/// A date that replaces its weekday.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Holiday {
    /// The local date, `2026-12-24`.
    pub on: String,
    /// What it is called.
    pub name: String,
    /// Hours of that day; empty means closed.
    #[serde(default)]
    pub spans: Vec<Span>,
}

/// A week of opening hours in one time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Hours {
    /// IANA name such as `Europe/Berlin`.
    pub time_zone: String,
    /// Monday to Sunday, each with its spans.
    pub week: Vec<Vec<Span>>,
    /// Dates that replace their weekday.
    #[serde(default)]
    pub holidays: Vec<Holiday>,
}

/// What is wrong with opening hours, in words for the person who sets them up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// The zone is not in the database.
    #[error("\"{0}\" is not a known time zone; write it like Europe/Berlin")]
    Zone(String),
    /// Not seven days.
    #[error("opening hours need seven days, Monday first; {0} were given")]
    Days(usize),
    /// A span that is no span.
    #[error("{0}: a span must open before it closes, within one day, and spans must not overlap")]
    Span(String),
    /// A date that is no date.
    #[error("\"{0}\" is not a date; write it like 2026-12-24")]
    Date(String),
}

impl Hours {
    /// Monday to Friday, nine to five.
    pub fn office(time_zone: &str) -> Self {
        let day = vec![Span { open: 540, close: 1020 }];
        let mut week = vec![day; 5];
        week.extend([vec![], vec![]]);
        Self { time_zone: time_zone.to_owned(), week, holidays: vec![] }
    }

    /// Checks zone, days, spans and dates.
    pub fn check(&self) -> Result<(), HoursError> {
        self.zone()?;
        if self.week.len() != 7 {
            return Err(HoursError::Days(self.week.len()));
        }
        for (day, spans) in self.week.iter().enumerate() {
            check_spans(spans, || format!("day {}", day + 1))?;
        }
        for holiday in &self.holidays {
            holiday.on.parse::<Date>().map_err(|_| HoursError::Date(holiday.on.clone()))?;
            check_spans(&holiday.spans, || holiday.on.clone())?;
        }
        Ok(())
    }

    fn zone(&self) -> Result<TimeZone, HoursError> {
        TimeZone::get(&self.time_zone).map_err(|_| HoursError::Zone(self.time_zone.clone()))
    }

    fn spans_on(&self, date: Date) -> &[Span] {
        if let Some(holiday) = self.holidays.iter().find(|h| h.on.parse::<Date>().ok() == Some(date)) {
            return &holiday.spans;
        }
        let day = date.weekday().since(Weekday::Monday);
        self.week.get(usize::try_from(day).unwrap_or(0)).map_or(&[], Vec::as_slice)
    }

    /// The open spans of a local date as points in time. Inside the spring gap a time is the transition; in autumn
    /// opening is the first occurrence and closing the second (domain.md 3.3).
    fn open_on(&self, zone: &TimeZone, date: Date) -> Vec<(Timestamp, Timestamp)> {
        let at = |minute: u16, pick: Disambiguation| {
            let (date, minute) = if minute >= 1440 { (date.tomorrow().unwrap_or(date), 0) } else { (date, minute) };
            let time = Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0).unwrap_or_else(|_| Time::midnight());
            zone.to_ambiguous_zoned(date.to_datetime(time))
                .disambiguate(pick)
                .map(|z| Timestamp(z.timestamp().as_millisecond()))
                .unwrap_or_default()
        };
        self.spans_on(date)
            .iter()
            .map(|s| (at(s.open, Disambiguation::Compatible), at(s.close, Disambiguation::Later)))
            .filter(|(open, close)| open < close)
            .collect()
    }

    /// Is the business open at `now`? `false` for hours that do not check.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.zone().is_ok_and(|zone| {
            let date = local_date(&zone, now);
            self.open_on(&zone, date).iter().any(|(open, close)| *open <= now && now < *close)
        })
    }

    /// The next time the business opens after `now`, within 370 days.
    pub fn next_open(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = self.zone().ok()?;
        let mut date = local_date(&zone, now);
        for _ in 0..370 {
            if let Some((open, _)) = self.open_on(&zone, date).into_iter().find(|(open, _)| *open > now) {
                return Some(open);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// The time at which `minutes` of opening hours have passed since `from`, within 370 days. Hours that never open count
    /// as always open.
    pub fn after_open_minutes(&self, from: Timestamp, minutes: i64) -> Timestamp {
        let mut left_ms = minutes.max(0).saturating_mul(60_000);
        let always = from.plus_ms(left_ms);
        let Ok(zone) = self.zone() else { return always };
        let mut date = local_date(&zone, from);
        for _ in 0..370 {
            for (open, close) in self.open_on(&zone, date) {
                let begin = open.max(from);
                let span_ms = close.since(begin);
                if span_ms <= 0 {
                    continue;
                }
                if left_ms <= span_ms {
                    return begin.plus_ms(left_ms);
                }
                left_ms -= span_ms;
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        always
    }

    /// A time as people of the business read it: `Mon 23 Nov 2026, 09:00`.
    pub fn local_text(&self, at: Timestamp) -> String {
        let zone = self.zone().unwrap_or(TimeZone::UTC);
        let zoned = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(zone);
        zoned.strftime("%a %-d %b %Y, %H:%M").to_string()
    }
}

fn local_date(zone: &TimeZone, at: Timestamp) -> Date {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(zone.clone()).date()
}

fn check_spans(spans: &[Span], name: impl Fn() -> String) -> Result<(), HoursError> {
    let mut end = 0;
    for span in spans {
        if span.open >= span.close || span.close > 1440 || span.open < end {
            return Err(HoursError::Span(name()));
        }
        end = span.close;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn two_working_hours_from_friday_afternoon_end_on_monday() {
        let hours = Hours::office("Europe/Berlin");
        // Friday 16:00 in Berlin.
        let friday = at("2026-11-20T15:00:00Z");
        assert_eq!(hours.after_open_minutes(friday, 60), at("2026-11-20T16:00:00Z"));
        assert_eq!(hours.after_open_minutes(friday, 120), at("2026-11-23T09:00:00Z"));
        assert_eq!(hours.local_text(at("2026-11-23T09:00:00Z")), "Mon 23 Nov 2026, 10:00");
        let never = Hours { week: vec![vec![]; 7], ..Hours::office("UTC") };
        assert_eq!(never.after_open_minutes(friday, 60), friday.plus_ms(3_600_000));
    }

    #[test]
    fn office_hours_in_berlin() {
        let hours = Hours::office("Europe/Berlin");
        hours.check().unwrap();
        assert!(hours.is_open(at("2026-11-23T08:00:00Z")), "Monday 09:00 local is open");
        assert!(!hours.is_open(at("2026-11-23T07:59:59Z")));
        assert!(!hours.is_open(at("2026-11-23T16:00:00Z")), "closing is exclusive");
        assert_eq!(hours.next_open(at("2026-11-20T17:00:00Z")), Some(at("2026-11-23T08:00:00Z")), "over the weekend");
    }

    #[test]
    fn a_holiday_replaces_its_day_and_no_hours_never_open() {
        let mut hours = Hours::office("Europe/Berlin");
        hours.holidays.push(Holiday { on: "2026-11-23".into(), name: "Closed".into(), spans: vec![] });
        assert_eq!(hours.next_open(at("2026-11-20T17:00:00Z")), Some(at("2026-11-24T08:00:00Z")));
        hours.week = vec![vec![]; 7];
        hours.holidays.clear();
        assert_eq!(hours.next_open(at("2026-11-20T17:00:00Z")), None);
    }

    #[test]
    fn a_night_desk_has_seven_hours_in_spring_and_nine_in_autumn() {
        let week = vec![vec![Span { open: 0, close: 360 }, Span { open: 1320, close: 1440 }]; 7];
        let hours = Hours { time_zone: "Europe/Berlin".into(), week, holidays: vec![] };
        let zone = hours.zone().unwrap();
        let length = |evening: &str, morning: &str| -> i64 {
            let spans = [hours.open_on(&zone, evening.parse().unwrap())[1], hours.open_on(&zone, morning.parse().unwrap())[0]];
            spans.iter().map(|(open, close)| close.since(*open)).sum::<i64>() / 3_600_000
        };
        assert_eq!(length("2026-03-28", "2026-03-29"), 7);
        assert_eq!(length("2026-10-24", "2026-10-25"), 9);
    }

    #[test]
    fn wrong_hours_are_refused_in_words() {
        let mut hours = Hours::office("Mars/Base");
        assert_eq!(hours.check(), Err(HoursError::Zone("Mars/Base".into())));
        hours.time_zone = "UTC".into();
        hours.week[0] = vec![Span { open: 600, close: 600 }];
        assert!(matches!(hours.check(), Err(HoursError::Span(_))));
        hours.week[0] = vec![Span { open: 0, close: 600 }, Span { open: 500, close: 700 }];
        assert!(matches!(hours.check(), Err(HoursError::Span(_))));
        hours.week = vec![];
        assert_eq!(hours.check(), Err(HoursError::Days(0)));
    }
}
