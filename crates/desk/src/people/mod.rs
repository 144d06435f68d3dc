//! Who works here: set-up of the first owner, sign-in, login sessions, invitations, teams, rights and own choices.
//!
//! In: what somebody typed, and from where. Out: a signed-in agent, or a refusal that tells the way out and nothing
//! about who exists. Must not know: HTTP, cookies, pages.

pub mod agent;
pub mod check;
pub mod gate;
pub mod invitation;
pub mod login;
pub mod password;
pub mod reset;
pub mod rights;
pub mod setup;
pub mod team;
pub mod token;

pub use agent::{AgentChange, Card, ChangeError, Me, MeChange};
pub use check::Invalid;
pub use gate::Gate;
pub use invitation::AcceptError;
pub use login::{NewLogin, SignInError, SignedIn};
pub use reset::ResetError;
pub use setup::{NewOwner, SetupError};
