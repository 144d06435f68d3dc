//! Dates of mail as they are really written. In: a Date field. Out: a time, or none when it cannot be told.

use model::Timestamp;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The time of a Date field: RFC 5322, its obsolete forms, the order of `ctime`, ISO 8601. A missing or unknown zone is
/// UTC. `None` when day, month, year or hour are missing or impossible.
pub fn parse(value: &str) -> Option<Timestamp> {
    let value = without_comments(value);
    if let Some(at) = iso(value.trim()) {
        return Some(at);
    }
    let (mut day, mut month, mut year, mut time, mut zone) = (None, None, None, None, None);
    let words = value.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()).take(20);
    for word in words.flat_map(dashed) {
        if word.contains(':') && time.is_none() {
            // "00:01+0000": the zone hangs on the time.
            let end = word.find(['+', '-']).unwrap_or(word.len());
            time = clock(&word[..end]);
            zone = offset(&word[end..]);
        } else if let Some(number) = month_of(word).filter(|_| month.is_none()) {
            month = Some(number);
        } else if let Some(minutes) = offset(word).filter(|_| time.is_some() && zone.is_none()) {
            zone = Some(minutes);
        } else if let Ok(number) = word.parse::<i32>() {
            if day.is_none() && word.len() <= 2 && (1..=31).contains(&number) {
                day = Some(number);
            } else if year.is_none() && word.bytes().all(|b| b.is_ascii_digit()) {
                year = Some(full_year(number, word.len()));
            }
        } else if zone.is_none() && time.is_some() {
            zone = named_zone(word);
        }
    }
    let (hour, minute, second) = time?;
    civil(year?, month?, day?, hour, minute, second, zone.unwrap_or(0))
}

fn without_comments(value: &str) -> String {
    let mut depth = 0usize;
    let kept = value.chars().filter(|c| match c {
        '(' => {
            depth += 1;
            false
        }
        ')' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => depth == 0,
    });
    kept.take(200).collect()
}

// "21-Nov-97" is three words; "-0600" is one.
fn dashed(word: &str) -> Vec<&str> {
    match word.split('-').collect::<Vec<_>>() {
        three if three.len() == 3 && month_of(three[1]).is_some() => three,
        _ => vec![word],
    }
}

fn month_of(word: &str) -> Option<i32> {
    let three = word.get(..3)?.to_ascii_lowercase();
    if !word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'.') {
        return None;
    }
    MONTHS.iter().position(|month| *month == three).map(|at| at as i32 + 1)
}

fn full_year(number: i32, digits: usize) -> i32 {
    match digits {
        1 | 2 if number < 69 => number + 2000,
        1 | 2 => number + 1900,
        3 => number + 1900,
        _ => number,
    }
}

fn clock(word: &str) -> Option<(i32, i32, i32)> {
    let mut parts = word.split(':');
    let hour: i32 = parts.next()?.parse().ok()?;
    let minute: i32 = parts.next()?.parse().ok()?;
    let second = parts.next().map_or(Some(0), |s| s.split('.').next()?.parse().ok())?;
    ((0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second)).then_some((hour, minute, second.min(59)))
}

// Minutes east of UTC.
fn offset(word: &str) -> Option<i32> {
    let word = word.strip_prefix("GMT").or(word.strip_prefix("UTC")).filter(|rest| !rest.is_empty()).unwrap_or(word);
    let sign = match word.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = word[1..].replace(':', "");
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) = if digits.len() <= 2 { (number, 0) } else { (number / 100, number % 100) };
    Some(sign * (hours * 60 + minutes))
}

fn named_zone(word: &str) -> Option<i32> {
    Some(match word.to_ascii_uppercase().as_str() {
        "UT" | "UTC" | "GMT" | "Z" => 0,
        "EST" => -300,
        "EDT" => -240,
        "CST" => -360,
        "CDT" => -300,
        "MST" => -420,
        "MDT" => -360,
        "PST" => -480,
        "PDT" => -420,
        "AST" => -240,
        "ADT" => -180,
        "CET" | "MET" | "BST" => 60,
        "CEST" | "MEST" | "EET" => 120,
        "EEST" | "MSK" => 180,
        "JST" => 540,
        _ => return None,
    })
}

fn iso(value: &str) -> Option<Timestamp> {
    let bytes = value.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |from: usize, to: usize| value.get(from..to)?.parse::<i32>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let rest = value[10..].trim_start_matches(['T', 't', ' ']);
    let end = rest.find(['+', '-', 'Z', 'z', ' ']).unwrap_or(rest.len());
    let (hour, minute, second) = clock(&rest[..end])?;
    let zone = rest[end..].trim();
    let zone = offset(zone).or_else(|| named_zone(zone)).unwrap_or(0);
    civil(year, month, day, hour, minute, second, zone)
}

#[allow(clippy::too_many_arguments)]
fn civil(year: i32, month: i32, day: i32, hour: i32, minute: i32, second: i32, zone: i32) -> Option<Timestamp> {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1900..=9999).contains(&year) || !(1..=days).contains(&day) || zone.abs() > 24 * 60 {
        return None;
    }
    // Days since 1970 (Howard Hinnant's civil_from_days, read backwards).
    let shifted = i64::from(if month <= 2 { year - 1 } else { year });
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * i64::from(if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + i64::from(day) - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = days * 86_400 + i64::from(hour) * 3_600 + i64::from(minute - zone) * 60 + i64::from(second);
    Some(Timestamp(seconds * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_programs_write_them() {
        for (value, iso) in [
            ("Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21T15:55:06Z"),
            ("21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06Z"),
            ("Thu,\t13 Feb 1969 23:32 -0330 (Newfoundland Time)", "1969-02-14T03:02:00Z"),
            ("Mon Jan  5 10:00:00 2009", "2009-01-05T10:00:00Z"),
            ("Mon, 29 Feb 2016 00:00:00 EST", "2016-02-29T05:00:00Z"),
            ("01 Jan 2001 00:01+0000", "2001-01-01T00:01:00Z"),
            ("Wed, 20 Sep 1995 00:19:00 (EDT) -0400", "1995-09-20T04:19:00Z"),
            ("2026-03-01T10:00:00+01:00", "2026-03-01T09:00:00Z"),
            ("2026-03-01 10:00:00", "2026-03-01T10:00:00Z"),
            ("1-Mar-2026 10:00:00 GMT+0200", "2026-03-01T08:00:00Z"),
            ("Sat, 1 March 2026 10:00:00 +0000", "2026-03-01T10:00:00Z"),
            ("Wed, 31 Dec 2008 23:59:60 +0000", "2008-12-31T23:59:59Z"),
        ] {
            assert_eq!(parse(value), Timestamp::parse(iso), "{value}");
            assert!(parse(value).is_some(), "{value}");
        }
        for bad in [
            "",
            "yesterday",
            "30 Feb 2020 10:00:00 +0000",
            "1 Jan 2020",
            "1 Jan 20200 10:00",
            "25 Xyz 2020 10:00",
            "1 Jan 2020 25:00:00",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
