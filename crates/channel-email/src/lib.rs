//! The grammar of e-mail: what a raw mail means, how an answer becomes one, and how both travel (IMAP, SMTP, LMTP). Knows no
//! store, no contact and no conversation; keys and tokens come in ready-made.

pub mod address;
pub mod auto;
pub mod bounce;
mod calendar;
pub mod charset;
pub mod check;
mod content;
pub mod date;
mod discover;
pub mod email;
pub mod evidence;
pub mod explain;
pub mod fetch;
pub mod headers;
pub mod html;
mod html_dom;
mod imap;
pub mod lmtp;
pub mod mime;
pub mod parse;
mod presets;
pub mod quote;
mod quote_html;
mod quote_lines;
#[rustfmt::skip]
mod quote_words;
pub mod render;
pub mod reply_chain;
pub mod rtf;
pub mod settings;
mod sign_in;
pub mod submit;
pub mod tnef;
pub mod trust;
pub mod wire;

pub use content::open as content_of;
pub use email::Email;
pub use headers::{Header, Headers};
