//! A secret that is open in memory.

use subtle::ConstantTimeEq;

/// An opened secret. It shows as `[secret]`, has no serde form, and is compared in constant time.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
    /// The bytes; the call site is where a reviewer looks.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
    /// The text, when it is text.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}
impl Eq for Secret {}

impl Drop for Secret {
    // Best effort: the copy that we hold does not stay readable in freed memory.
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(&mut self.0);
    }
}

/// Are these the same bytes? Takes as long whether the first or the last one differs.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_compare_by_content() {
        assert_eq!(Secret::from("a"), Secret::new(vec![b'a']));
        assert_ne!(Secret::from("a"), Secret::from("b"));
        assert!(!same(b"a", b"ab") && same(b"", b""));
        assert_eq!(Secret::new(vec![0xff]).expose_text(), None);
    }
}
