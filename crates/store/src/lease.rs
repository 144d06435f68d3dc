//! Leases: at most one node does a leader's task (scheduler, listeners, retention, migrations). A row with a time limit, no
//! advisory locks: those are missing in some servers and break behind poolers.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::values;
use model::Timestamp;

/// Clocks of nodes may differ by this much.
const SKEW_MS: i64 = 5_000;

/// A held lease as it stands in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What is led.
    pub name: String,
    /// Who leads.
    pub holder: String,
    /// Until when, unless renewed.
    pub until: Timestamp,
    /// Grows with each change of the holder: work that was begun under an older one is stale.
    pub token: i64,
}

const TAKE: &str = "INSERT INTO lease(name, holder, until, token) VALUES ($1, $2, $3, 1) \
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until, \
        token = CASE WHEN lease.holder = excluded.holder THEN lease.token ELSE lease.token + 1 END \
      WHERE lease.until < $4 OR lease.holder = excluded.holder \
     RETURNING token";
const RELEASE: &str = "UPDATE lease SET until = 0 WHERE name = $1 AND holder = $2";
const LIST: &str = "SELECT name, holder, until, token FROM lease ORDER BY name";
const CLEAR: &str = "UPDATE lease SET until = 0";

/// Takes or renews the lease for `ttl_ms`; gives the token, or `None` while somebody else holds it.
pub fn take(tx: &mut dyn Conn, name: &str, holder: &str, now: Timestamp, ttl_ms: i64) -> Result<Option<i64>, StoreError> {
    let row = tx.one(TAKE, values![name, holder, now.plus_ms(ttl_ms), now.plus_ms(-SKEW_MS)])?;
    Ok(row.map(|row| row.int(0)))
}

/// Gives the lease back, so that the next one need not wait. Says whether it was ours.
pub fn release(tx: &mut dyn Conn, name: &str, holder: &str) -> Result<bool, StoreError> {
    Ok(tx.exec(RELEASE, values![name, holder])? == 1)
}

/// All leases, also the expired ones.
pub fn list(tx: &mut dyn Conn) -> Result<Vec<Lease>, StoreError> {
    let rows = tx.rows(LIST, &[])?;
    Ok(rows.iter().map(|row| Lease { name: row.text(0), holder: row.text(1), until: row.at(2), token: row.int(3) }).collect())
}

/// Ends every lease. Only where it is certain that nobody else lives: at the start on SQLite, under the lock file.
pub(crate) fn clear(tx: &mut dyn Conn) -> Result<(), StoreError> {
    tx.exec(CLEAR, &[]).map(drop)
}
