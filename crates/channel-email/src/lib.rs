//! The grammar of e-mail: what a raw mail means, how an answer becomes one, and how both travel (IMAP, SMTP, LMTP). Knows no
//! store, no contact and no conversation; keys and tokens come in ready-made.

pub mod address;
pub mod charset;
pub mod date;
pub mod fetch;
pub mod headers;
mod imap;
pub mod mime;
pub mod quote;
mod quote_lines;
#[rustfmt::skip]
mod quote_words;
pub mod render;
pub mod settings;
mod sign_in;
pub mod submit;
pub mod wire;

pub use headers::{Header, Headers};
