//! Forms as browsers send them.

use crate::error::Problem;
use axum::extract::{FromRequest, Request};
use std::collections::HashMap;

const FORM_BYTES_MAX: usize = 16 * 1024;

/// The fields of a form, by name; the first of a name counts.
pub struct Form(HashMap<String, String>);

impl Form {
    /// The value of a field, empty when it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn parse(body: &str) -> Self {
        let mut fields = HashMap::new();
        for pair in body.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.entry(decoded(name)).or_insert_with(|| decoded(value));
        }
        Self(fields)
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body =
            axum::body::to_bytes(request.into_body(), FORM_BYTES_MAX).await.map_err(|_| Problem::too_large(FORM_BYTES_MAX))?;
        Ok(Self::parse(&String::from_utf8_lossy(&body)))
    }
}

/// `a%20b+c` as text; what is no UTF-8 or no escape stays visible as such.
pub fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, escaped) {
            (_, Some(escaped)) => {
                out.push(escaped);
                at += 3;
                continue;
            }
            (b'+', None) => out.push(b' '),
            (byte, None) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_read_as_browsers_write_them() {
        let form = Form::parse("email=ada%40example.com&password=a+b%2Bc%C3%BC&email=second&odd=%zz%e&=x&flag");
        assert_eq!(form.get("email"), "ada@example.com");
        assert_eq!(form.get("password"), "a b+cü");
        assert_eq!(form.get("odd"), "%zz%e");
        assert_eq!(form.get("flag"), "");
        assert_eq!(form.get("missing"), "");
        assert_eq!(decoded("%ff%é"), "\u{fffd}%é");
    }
}
