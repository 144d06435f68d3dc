//! Sources that keep what they delivered, such as a mailbox on a server: they can be compared with what we have, asked for
//! single events again, and read backwards as history. And the words that pulled events carry for the desk.

use crate::{Cursor, Fut, InboxSettings, PullError, RawSink};
use model::Timestamp;
use serde::{Deserialize, Serialize};

/// Header of a pulled event: the folder that it lay in, as the server names it.
pub const FOLDER: &str = "continuo-folder";
/// Header of a pulled event: what the folder is for, a word of `FolderRole`.
pub const FOLDER_ROLE: &str = "continuo-folder-role";
/// Header of a pulled event that is older than the inbox and was imported: `1`.
pub const HISTORY: &str = "continuo-history";

/// What a folder is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FolderRole {
    /// New things arrive here.
    #[default]
    Inbox,
    /// What we wrote, also in another program: read as echoes.
    Sent,
    /// What the provider takes for spam.
    Junk,
    /// Watched by choice.
    Other,
}

impl FolderRole {
    /// The word, as it stands in headers, SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Sent => "sent",
            Self::Junk => "junk",
            Self::Other => "other",
        }
    }
    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Inbox, Self::Sent, Self::Junk, Self::Other].into_iter().find(|role| role.word() == word)
    }
}

/// What a running `Pull` tells beside its events; nothing of it is stored by the adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceNews {
    /// Signed in and listening, or asked without finding anything new: the source works. Said after every connect and every
    /// poll.
    Alive {
        /// The source tells us of news by itself (IDLE); false: we only ask from time to time.
        push: bool,
    },
    /// The server renumbered a folder: everything in it is compared by content, nothing comes in twice.
    Renumbered {
        /// Which one.
        folder: String,
        /// How many things lie in it.
        count: u64,
    },
}

/// A source that can be compared with what we have, and asked again.
pub trait Stock: Send + Sync {
    /// Everything that lies at the source now, folder by folder, under the keys that `Pull` gives its events. `cursor` is the
    /// stored one: it tells what is older than the inbox.
    fn list<'a>(&'a self, inbox: &'a InboxSettings, cursor: &'a Cursor) -> Fut<'a, Result<Vec<StockFolder>, PullError>>;
    /// Brings these again, in the order given, as `Pull` would (without a cursor). What no longer lies there is left out. With
    /// `history` the events carry the header `HISTORY`.
    fn fetch<'a>(
        &'a self,
        inbox: &'a InboxSettings,
        keys: &'a [String],
        history: bool,
        sink: &'a dyn RawSink,
    ) -> Fut<'a, Result<(), PullError>>;
}

/// One folder of a source as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockFolder {
    /// As the server names it, decoded.
    pub name: String,
    /// What it is for.
    pub role: FolderRole,
    /// The numbering of its items (UIDVALIDITY); another one means that all keys have changed.
    pub generation: String,
    /// What lies in it, oldest first.
    pub items: Vec<StockItem>,
}

/// One thing at a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockItem {
    /// Its dedupe key.
    pub key: String,
    /// When the server got it.
    pub at: Option<Timestamp>,
    /// Its size there.
    pub bytes: u64,
    /// Marked as deleted there: never taken in.
    pub deleted: bool,
    /// It lay there before the inbox was connected, so that `Pull` leaves it alone.
    pub before_start: bool,
    /// The cursor is not there yet: `Pull` will bring it.
    pub ahead: bool,
}
