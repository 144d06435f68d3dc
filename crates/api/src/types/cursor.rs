//! Cursors of pages: two numbers as opaque text. A broken one is refused, never read as the first page.

use crate::error::Problem;

/// The text of a place `(at, id)`.
pub fn write(place: (i64, i64)) -> String {
    format!("{}.{}", place.0, model::id::encode(place.1))
}

/// Reads it back.
pub fn read(text: &str) -> Option<(i64, i64)> {
    let (at, id) = text.split_once('.')?;
    Some((at.parse().ok()?, model::id::decode(id)?))
}

/// Reads the cursor of a query, if there is one.
pub fn of_query(text: Option<&str>) -> Result<Option<(i64, i64)>, Problem> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => read(text).map(Some).ok_or_else(|| Problem::invalid("cursor", "a cursor that came with a page")),
    }
}

/// Rows of a page: 1 to 100, 50 unless told.
pub fn limit(asked: Option<i64>) -> Result<usize, Problem> {
    match asked.unwrap_or(50) {
        n @ 1..=100 => Ok(usize::try_from(n).expect("between 1 and 100")),
        _ => Err(Problem::invalid("limit", "between 1 and 100")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nonsense_does_not() {
        for place in [(0, 0), (1_795_425_300_123, 456_316_158_209_955_857), (-5, 7), (i64::MAX, i64::MAX)] {
            assert_eq!(read(&write(place)), Some(place));
        }
        for wrong in ["x", "1", "1.2", "zz.0cn99439p060h", "1.0cn99439p060u"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert!(of_query(Some("x")).is_err());
        assert_eq!(of_query(Some("")).unwrap(), None);
    }

    #[test]
    fn limits_are_refused_rather_than_cut() {
        assert_eq!(limit(None).unwrap(), 50);
        assert_eq!(limit(Some(100)).unwrap(), 100);
        assert!(limit(Some(0)).is_err() && limit(Some(101)).is_err() && limit(Some(-1)).is_err());
    }
}
