//! An invented business: a bike shop with its people, four weeks of conversations on every channel, and, for tests of
//! scale, any amount of imported history before that. For trying, for screenshots, for benches.
//!
//! In: how much, and a seed. Out: a workspace marked `sample_data`. The recent conversations are played through the same
//! functions that the product uses, so their numbers, counters and previews are right by construction; the history goes
//! through the store's bulk loader. Everything is planned before its transaction, which may run twice.

mod business;
mod dice;
mod files;
mod history;
mod people;
mod plan;
mod play;
mod story;

pub use business::OwnerLogin;

use crate::Desk;
use crate::people::Invalid;
use dice::Dice;
use model::{Timestamp, WorkspaceId};
use store::conversation::list::{Cut, Order, walk_folders};
use store::conversation::{self, Folder};
use store::{Route, StoreError, agent, workspace};

/// So many are played entry by entry; all beyond is imported history.
const PLAYED_COUNT_MAX: u64 = 1_000;
/// Scenes of one transaction: about 200 rows.
const PER_TRANSACTION: usize = 8;
/// The most that is made in one go.
pub const CONVERSATION_COUNT_MAX: u64 = 1_000_000;

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// How many conversations.
    pub conversations: u64,
    /// The same seed tells the same stories.
    pub seed: u64,
    /// Address of the owner that is made when there is none.
    pub email: Option<String>,
    /// Password of that owner; made up when not given.
    pub password: Option<String>,
    /// Also into a workspace that has conversations.
    pub force: bool,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Filled {
    /// Where.
    pub workspace: WorkspaceId,
    /// The new owner's login, if there was no owner.
    pub owner: Option<OwnerLogin>,
    /// How many conversations.
    pub conversations: u64,
    /// How many of them are imported history.
    pub imported: u64,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Recent conversations told so far.
    Played(u64),
    /// Imported conversations loaded so far.
    Imported(u64),
    /// Changes that the search index has taken in, of how many.
    Indexed(i64, i64),
}

/// Why nothing (more) was made.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There are conversations already.
    #[error(
        "the workspace \"{0}\" has conversations already, and sample data among real customers helps nobody. Name another data folder with --data, or add --force to put the sample data beside what is there."
    )]
    NotEmpty(String),
    /// Several workspaces: which one?
    #[error("there are {0} workspaces in this database; sample data goes into a database of its own")]
    SeveralWorkspaces(usize),
    /// Too many.
    #[error("--conversations takes 1 to 1,000,000")]
    Count,
    /// A field of the owner.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A file could not be stored.
    #[error("a file of the sample data could not be stored: {0}")]
    Files(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<crate::people::ChangeError> for DemoError {
    fn from(error: crate::people::ChangeError) -> Self {
        match error {
            crate::people::ChangeError::Invalid(invalid) => Self::Invalid(invalid),
            crate::people::ChangeError::Store(error) => Self::Store(error),
            other => Self::Store(StoreError::broken(other.to_string())),
        }
    }
}

/// Fills the workspace of a database, making it first when there is none.
pub async fn fill(desk: &Desk, wanted: &Wanted, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<Filled, DemoError> {
    if !(1..=CONVERSATION_COUNT_MAX).contains(&wanted.conversations) {
        return Err(DemoError::Count);
    }
    refuse_real_data(desk, wanted.force).await?;
    let now = desk.now();
    let (cast, owner) = business::open(desk, wanted, now).await?;
    let played = wanted.conversations.min(PLAYED_COUNT_MAX);
    let imported = wanted.conversations - played;
    // The lowest numbers belong to the oldest conversations.
    let workspace = cast.workspace;
    let count = i64::try_from(wanted.conversations).map_err(|_| DemoError::Count)?;
    let last = desk.db.write(Route::Any, move |tx| conversation::reserve_numbers(tx, workspace, count)).await?;
    let first = last - count + 1;
    let dice = Dice::new(wanted.seed);
    if imported > 0 {
        history::load(desk, &cast, &dice, first, imported, now, progress).await?;
    }
    let first_played = first + i64::try_from(imported).unwrap_or(0);
    play_recent(desk, &cast, &dice, first_played, played, now, progress).await?;
    play::leave_loose_ends(desk, &cast, now).await?;
    index(desk, workspace, progress).await?;
    Ok(Filled { workspace, owner, conversations: wanted.conversations, imported })
}

/// Empty, or set up and never used: else it needs `--force`.
async fn refuse_real_data(desk: &Desk, force: bool) -> Result<(), DemoError> {
    let workspaces = desk.db.read(workspace::list).await?;
    let here = match workspaces.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        many => return Err(DemoError::SeveralWorkspaces(many.len())),
    };
    let start = Order::Newest.start();
    let id = here.id;
    let any = desk.db.read(move |tx| walk_folders(tx, id, &Folder::ALL, Cut::All, Order::Newest, start, 1)).await?;
    if any.is_empty() || force { Ok(()) } else { Err(DemoError::NotEmpty(here.name)) }
}

async fn play_recent(
    desk: &Desk,
    cast: &business::Cast,
    dice: &Dice,
    first: i64,
    count: u64,
    now: Timestamp,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), DemoError> {
    let stories = story::all();
    let people = people::make(desk, cast, dice, count, first, now).await?;
    let scenes = plan::scenes(cast, &people, &stories, dice, count, first, now);
    // Several to a transaction: each would wait for the disk otherwise.
    for (number, some) in (1_u64..).zip(scenes.chunks(PER_TRANSACTION)) {
        play::scenes(desk, cast, some.to_vec()).await?;
        let done = (number * PER_TRANSACTION as u64).min(count);
        if done.is_multiple_of(80) || done == count {
            progress(Progress::Played(done));
        }
    }
    people::merge_twins(desk, cast, &people).await
}

/// The server's follower would do it as well; whoever looks at the sample data at once shall find things at once.
async fn index(desk: &Desk, workspace: WorkspaceId, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<(), DemoError> {
    let head = desk.db.read(move |tx| store::event_log::head(tx, workspace)).await?;
    let mut shown = 0;
    loop {
        let followed = desk.search.follow(&desk.db, workspace).await?;
        if followed.at_head || followed.upto - shown >= 20_000 {
            shown = followed.upto;
            progress(Progress::Indexed(followed.upto, head));
        }
        if followed.at_head {
            return Ok(());
        }
    }
}

/// True when somebody owns the workspace.
fn has_owner(tx: &mut dyn store::Conn, workspace: WorkspaceId) -> Result<bool, StoreError> {
    Ok(agent::count_owners(tx, workspace)? > 0)
}
