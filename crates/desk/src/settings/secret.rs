//! Secrets of inboxes: sealed in the database, opened only in memory. The identity secret, with which a site signs who
//! its customer is, is shown once; after a rotation the one before works for another day, so that a site can follow.

use super::news;
use crate::people::ChangeError;
use crate::people::rights::may_set_up_inboxes;
use crate::{Desk, Who};
use channel::{Fut, SecretError, SecretText, Secrets};
use keys::{Keys, Place, Secret};
use model::{Actor, InboxId, Timestamp, WorkspaceId};
use serde_json::json;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock};
use store::{Conn, Route, StoreError, inbox, secret};

/// Name of the secret that signs identities.
pub const IDENTITY: &str = "identity";
/// What is put behind the name of a secret for the one before it.
const PREVIOUS: &str = "_previous";
/// How long the one before still works.
const PREVIOUS_MS: i64 = 24 * 3_600_000;

/// Opened secrets that can be replaced: a token that the provider rotates is committed before it is used.
struct OpenSecrets {
    kept: RwLock<HashMap<String, SecretText>>,
    // Not the whole desk: the directory in it holds this.
    db: store::Db,
    keys: Arc<Keys>,
    random: Arc<dyn model::Random>,
    clock: Arc<dyn model::Clock>,
    workspace: WorkspaceId,
    inbox: InboxId,
}

impl Secrets for OpenSecrets {
    fn get(&self, name: &str) -> Option<SecretText> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
    fn replace<'a>(&'a self, name: &'a str, old: &'a SecretText, new: SecretText) -> Fut<'a, Result<(), SecretError>> {
        Box::pin(async move {
            let swapped = self.swap(name, old, &new).await;
            if let Err(StoreError::Conflict(_) | StoreError::NotFound) = &swapped {
                return Err(SecretError::Changed);
            }
            swapped.map_err(|error| SecretError::Broken(error.to_string()))?;
            self.kept.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), new);
            Ok(())
        })
    }
}

impl OpenSecrets {
    /// Compare and swap, in one commit: `Conflict` when another secret stands there by now.
    async fn swap(&self, name: &str, old: &SecretText, new: &SecretText) -> Result<(), StoreError> {
        let (workspace, inbox, keys, now) = (self.workspace, self.inbox, Arc::clone(&self.keys), self.clock.now());
        let sealed = keys.seal(&*self.random, Place { workspace, owner: inbox.0, name }, &Secret::from(new.expose()));
        let (name, old, new) = (name.to_owned(), old.clone(), new.clone());
        self.db
            .write(Route::Any, move |tx| {
                let found = secret::find(tx, workspace, inbox.0, &name)?.ok_or(StoreError::NotFound)?;
                let stands = opened(&keys, workspace, inbox, &name, &found);
                if stands.as_ref() == Some(&new) {
                    // Committed before, and the answer was lost.
                    return Ok(());
                }
                if stands.as_ref() != Some(&old) {
                    return Err(StoreError::Conflict("secret".to_owned()));
                }
                secret::put(tx, workspace, inbox.0, &name, sealed.key_number.into(), &sealed.bytes, now)
            })
            .await
    }
}

fn opened(keys: &Keys, workspace: WorkspaceId, inbox: InboxId, name: &str, sealed: &secret::Sealed) -> Option<SecretText> {
    let number = u32::try_from(sealed.key_number).unwrap_or(0);
    match keys.unseal(Place { workspace, owner: inbox.0, name }, number, &sealed.sealed) {
        Ok(secret) => secret.expose_text().map(SecretText::new),
        Err(error) => {
            tracing::warn!(%inbox, name, %error, "a secret of {inbox} does not open: set it again");
            None
        }
    }
}

/// The secrets of an inbox, opened, before they are bound to a desk.
pub struct Opened(HashMap<String, SecretText>);

impl Opened {
    /// As adapters want them.
    pub fn bind(self, desk: &Desk, workspace: WorkspaceId, inbox: InboxId) -> Arc<dyn Secrets> {
        Arc::new(OpenSecrets {
            kept: RwLock::new(self.0),
            db: desk.db.clone(),
            keys: Arc::clone(&desk.keys),
            random: Arc::clone(&desk.random),
            clock: Arc::clone(&desk.clock),
            workspace,
            inbox,
        })
    }
}

/// The secrets of an inbox, opened. One that does not open (another key file) is left out and logged: the adapter then
/// says that it needs to be set again.
pub fn open_secrets(
    tx: &mut dyn Conn,
    keys: &Keys,
    workspace: WorkspaceId,
    inbox: InboxId,
    now: Timestamp,
) -> Result<Opened, StoreError> {
    let mut open = HashMap::new();
    for (name, sealed) in secret::list(tx, workspace, inbox.0)? {
        if name.ends_with(PREVIOUS) && now.since(sealed.changed_at) > PREVIOUS_MS {
            continue;
        }
        if let Some(text) = opened(keys, workspace, inbox, &name, &sealed) {
            open.insert(name, text);
        }
    }
    Ok(Opened(open))
}

/// Seals secrets of an inbox and stores them, in the transaction of the caller; an empty text forgets one.
pub fn put_secrets(
    desk: &Desk,
    workspace: WorkspaceId,
    inbox: InboxId,
    secrets: Vec<(String, SecretText)>,
) -> impl Fn(&mut dyn Conn, Timestamp) -> Result<(), StoreError> + Send + use<> {
    let sealed: Vec<_> = secrets
        .into_iter()
        .map(|(name, text)| {
            let place = Place { workspace, owner: inbox.0, name: &name };
            let sealed = (!text.expose().is_empty()).then(|| desk.keys.seal(&*desk.random, place, &Secret::from(text.expose())));
            (name, sealed)
        })
        .collect();
    move |tx, now| {
        for (name, sealed) in &sealed {
            match sealed {
                Some(sealed) => secret::put(tx, workspace, inbox.0, name, sealed.key_number.into(), &sealed.bytes, now)?,
                None => drop(secret::delete(tx, workspace, inbox.0, name)?),
            }
        }
        Ok(())
    }
}

/// Makes another identity secret and gives it back, this once.
pub async fn rotate_identity(desk: &Desk, who: &Who, id: InboxId) -> Result<String, ChangeError> {
    let text = random_hex(desk);
    rotate(desk, who, id, IDENTITY, &text).await?;
    Ok(text)
}

/// Puts another secret in the place of the present one, which works for another day.
pub async fn rotate(desk: &Desk, who: &Who, id: InboxId, name: &'static str, text: &str) -> Result<(), ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let (workspace, now) = (who.workspace, desk.now());
    let stored = desk
        .db
        .read(move |tx| {
            let known = inbox::find(tx, workspace, id)?.is_some();
            Ok::<_, StoreError>(known.then_some(secret::find(tx, workspace, id.0, name)?))
        })
        .await?
        .ok_or(ChangeError::NotFound)?;
    let name_before = format!("{name}{PREVIOUS}");
    let seal = |name: &str, secret: &Secret| desk.keys.seal(&*desk.random, Place { workspace, owner: id.0, name }, secret);
    let fresh = seal(name, &Secret::from(text));
    // A secret is bound to its name, so the old one is opened and sealed again; one that does not open is given up.
    let previous = stored.as_ref().and_then(|old| {
        let place = Place { workspace, owner: id.0, name };
        let secret = desk.keys.unseal(place, u32::try_from(old.key_number).ok()?, &old.sealed).ok()?;
        Some(seal(&name_before, &secret))
    });
    let (seen, agent) = (stored.map(|old| old.version), who.agent);
    desk.db
        .write(Route::Any, move |tx| {
            let present = secret::find(tx, workspace, id.0, name)?.map(|now| now.version);
            if present != seen {
                return Err(StoreError::Busy);
            }
            if let Some(previous) = &previous {
                secret::put(tx, workspace, id.0, &name_before, previous.key_number.into(), &previous.bytes, now)?;
            }
            secret::put(tx, workspace, id.0, name, fresh.key_number.into(), &fresh.bytes, now)?;
            let payload = json!({ "inbox_id": id, "name": name });
            tx.log(news(workspace, "inbox.secret_rotated", Actor::Agent(agent), now, payload));
            Ok(())
        })
        .await?;
    desk.directory.forget();
    Ok(())
}

fn random_hex(desk: &Desk) -> String {
    let mut bytes = [0; 32];
    desk.random.fill(&mut bytes);
    bytes.iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
