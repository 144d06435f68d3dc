//! Contact points to contact: who is writing. `normal` makes the keys that are compared, `matching` decides (pure),
//! `resolve` looks up and writes, `merge` joins two contacts and takes them apart again.

pub mod ceiling;
pub mod contact;
pub mod duplicates;
pub mod matching;
pub mod merge;
pub mod normal;
pub mod resolve;

pub use contact::{ContactError, ContactPatch, change_contact};
pub use merge::{Choices, MergeError, MergePreview, merge};
pub use resolve::{Resolved, resolve};

use store::contact::Contact;

/// What a contact is called on screens: the name, else the name that the page said, else a name made from the id.
pub fn display_name(contact: &Contact) -> String {
    let claimed = || contact.claimed.get("name").and_then(|v| v.as_str()).map(str::to_owned).filter(|n| !n.trim().is_empty());
    contact.name.clone().or_else(claimed).unwrap_or_else(|| {
        // The low bits of ids count up from zero each millisecond and are nearly always alike: mix all of them.
        let mixed = (contact.id.0 as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44;
        let id = model::id::encode(mixed as i64);
        format!("Visitor {}", id[id.len() - 4..].to_uppercase())
    })
}
