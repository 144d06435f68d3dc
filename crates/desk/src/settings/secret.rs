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
use std::sync::Arc;
use store::{Conn, Route, StoreError, inbox, secret};

/// Name of the secret that signs identities.
pub const IDENTITY: &str = "identity";
/// Name under which the one before is kept.
pub const IDENTITY_PREVIOUS: &str = "identity_previous";
/// How long the one before still works.
const PREVIOUS_MS: i64 = 24 * 3_600_000;

struct OpenSecrets(HashMap<String, SecretText>);

impl Secrets for OpenSecrets {
    fn get(&self, name: &str) -> Option<SecretText> {
        self.0.get(name).cloned()
    }
    fn replace<'a>(&'a self, name: &'a str, _old: &'a SecretText, _new: SecretText) -> Fut<'a, Result<(), SecretError>> {
        // No adapter that exists keeps a token that it may rotate by itself; an admin changes secrets in the settings.
        let text = format!("the secret {name} is changed in the settings of the inbox only");
        Box::pin(async move { Err(SecretError::Broken(text)) })
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
) -> Result<Arc<dyn Secrets>, StoreError> {
    let mut open = HashMap::new();
    for (name, sealed) in secret::list(tx, workspace, inbox.0)? {
        if name == IDENTITY_PREVIOUS && now.since(sealed.changed_at) > PREVIOUS_MS {
            continue;
        }
        let number = u32::try_from(sealed.key_number).unwrap_or(0);
        match keys.unseal(Place { workspace, owner: inbox.0, name: &name }, number, &sealed.sealed) {
            Ok(secret) => {
                if let Some(text) = secret.expose_text() {
                    open.insert(name, SecretText::new(text));
                }
            }
            Err(error) => tracing::warn!(%inbox, name, %error, "a secret of {inbox} does not open: set it again"),
        }
    }
    Ok(Arc::new(OpenSecrets(open)))
}

/// Makes another identity secret and gives it back, this once.
pub async fn rotate_identity(desk: &Desk, who: &Who, id: InboxId) -> Result<String, ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let (workspace, now) = (who.workspace, desk.now());
    let stored = desk
        .db
        .read(move |tx| {
            let known = inbox::find(tx, workspace, id)?.is_some();
            Ok::<_, StoreError>(known.then_some(secret::find(tx, workspace, id.0, IDENTITY)?))
        })
        .await?
        .ok_or(ChangeError::NotFound)?;
    let text = random_hex(desk);
    let seal = |name, secret: &Secret| desk.keys.seal(&*desk.random, Place { workspace, owner: id.0, name }, secret);
    let fresh = seal(IDENTITY, &Secret::from(text.as_str()));
    // A secret is bound to its name, so the old one is opened and sealed again; one that does not open is given up.
    let previous = stored.as_ref().and_then(|old| {
        let place = Place { workspace, owner: id.0, name: IDENTITY };
        let secret = desk.keys.unseal(place, u32::try_from(old.key_number).ok()?, &old.sealed).ok()?;
        Some(seal(IDENTITY_PREVIOUS, &secret))
    });
    let (seen, agent) = (stored.map(|old| old.version), who.agent);
    desk.db
        .write(Route::Any, move |tx| {
            let present = secret::find(tx, workspace, id.0, IDENTITY)?.map(|now| now.version);
            if present != seen {
                return Err(StoreError::Busy);
            }
            if let Some(previous) = &previous {
                secret::put(tx, workspace, id.0, IDENTITY_PREVIOUS, previous.key_number.into(), &previous.bytes, now)?;
            }
            secret::put(tx, workspace, id.0, IDENTITY, fresh.key_number.into(), &fresh.bytes, now)?;
            let payload = json!({ "inbox_id": id, "name": IDENTITY });
            tx.log(news(workspace, "inbox.secret_rotated", Actor::Agent(agent), now, payload));
            Ok(())
        })
        .await?;
    desk.directory.forget();
    Ok(text)
}

fn random_hex(desk: &Desk) -> String {
    let mut bytes = [0; 32];
    desk.random.fill(&mut bytes);
    bytes.iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
