//! Ranges of bytes, as players ask for them.

use crate::BlobError;

/// Bytes `start` up to and without `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// First byte.
    pub start: u64,
    /// After the last byte.
    pub end: u64,
}

/// A range that the object does not have: 416.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file has only {bytes_total} bytes")]
pub struct RangeError {
    /// Size of the object.
    pub bytes_total: u64,
}

impl ByteRange {
    /// How many bytes.
    pub fn bytes(self) -> u64 {
        self.end - self.start
    }

    /// Reads a `Range` header for an object of a size. `None`: nothing we serve in parts (another unit, several ranges,
    /// not understood), so the whole object is the right answer.
    pub fn parse(header: &str, bytes_total: u64) -> Result<Option<Self>, RangeError> {
        let Some((first, last)) = header.trim().strip_prefix("bytes=").and_then(|spec| spec.split_once('-')) else {
            return Ok(None);
        };
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
        let beyond = Err(RangeError { bytes_total });
        match (first.trim(), last.trim()) {
            ("", suffix) => match number(suffix) {
                None => Ok(None),
                Some(0) => beyond,
                Some(_) if bytes_total == 0 => beyond,
                Some(count) => Ok(Some(Self { start: bytes_total.saturating_sub(count), end: bytes_total })),
            },
            (first, last) => {
                let (start, end) = match (number(first), last, number(last)) {
                    (Some(start), "", _) => (start, bytes_total),
                    (Some(start), _, Some(last)) if last >= start => (start, last.saturating_add(1).min(bytes_total)),
                    _ => return Ok(None),
                };
                if start >= bytes_total { beyond } else { Ok(Some(Self { start, end })) }
            }
        }
    }

    pub(crate) fn within(self, bytes_total: u64) -> Result<Self, BlobError> {
        if self.start <= self.end && self.end <= bytes_total { Ok(self) } else { Err(BlobError::OutOfRange { bytes_total }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_players_ask_for_them() {
        let some = |start, end| Ok(Some(ByteRange { start, end }));
        let beyond = Err(RangeError { bytes_total: 100 });
        let cases = [
            ("bytes=0-", some(0, 100)),
            ("bytes=0-0", some(0, 1)),
            ("bytes=10-19", some(10, 20)),
            ("bytes=90-500", some(90, 100)),
            ("bytes=-10", some(90, 100)),
            ("bytes=-500", some(0, 100)),
            ("bytes=99-99", some(99, 100)),
            ("bytes=0-18446744073709551615", some(0, 100)),
            ("bytes=100-", beyond),
            ("bytes=-0", beyond),
            ("bytes=5-4", Ok(None)),
            ("bytes=0-1,5-6", Ok(None)),
            ("bytes=a-b", Ok(None)),
            ("bytes=-", Ok(None)),
            ("bytes=+1-2", Ok(None)),
            ("items=0-1", Ok(None)),
            ("", Ok(None)),
        ];
        for (header, expected) in cases {
            assert_eq!(ByteRange::parse(header, 100), expected, "{header}");
        }
        assert_eq!(ByteRange::parse("bytes=-5", 0), Err(RangeError { bytes_total: 0 }));
        assert_eq!(ByteRange::parse("bytes=0-", 0), Err(RangeError { bytes_total: 0 }));
    }
}
