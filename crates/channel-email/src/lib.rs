//! The grammar of e-mail: what a raw mail means, how an answer becomes one, and how both travel (IMAP, SMTP, LMTP). Knows no
//! store, no contact and no conversation; keys and tokens come in ready-made.

pub mod address;
pub mod charset;
pub mod check;
pub mod date;
mod discover;
pub mod fetch;
pub mod headers;
pub mod html;
mod html_dom;
mod imap;
pub mod lmtp;
pub mod mime;
mod presets;
pub mod quote;
mod quote_html;
mod quote_lines;
#[rustfmt::skip]
mod quote_words;
pub mod render;
pub mod settings;
mod sign_in;
pub mod submit;
pub mod wire;

pub use headers::{Header, Headers};
