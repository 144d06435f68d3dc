//! The node number inside ids: leased, so that two processes never make the same id, also when a clock steps back or a
//! computer sleeps. A node makes no id past its horizon `ids_up_to`, and nobody takes its number before that has passed.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::values;
use model::id::ID_EPOCH_MS;
use model::{Clock, IdSource, Random, Timestamp};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// How far ahead a renewal reaches, and how much the clocks of nodes may differ.
const HORIZON_MS: i64 = 60_000;
/// A renewal is due this long after the last one.
const RENEW_MS: i64 = 10_000;
const NUMBER_MAX: i64 = 1_023;
const CANDIDATE_COUNT: usize = 8;

/// A row of the node table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// 1 to 1023.
    pub number: i64,
    /// Random text of the process that has it.
    pub holder: String,
    /// Where other nodes reach it.
    pub address: Option<String>,
    /// Alive until, unless renewed.
    pub until: Timestamp,
    /// No id of this number has a later time.
    pub ids_up_to: Timestamp,
}

const TAKE: &str = "INSERT INTO node(number, holder, address, until, ids_up_to) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (number) DO UPDATE SET holder = excluded.holder, address = excluded.address, \
        until = excluded.until, ids_up_to = excluded.ids_up_to \
      WHERE node.holder = excluded.holder OR (node.until < $6 AND node.ids_up_to < $6) \
     RETURNING number";
const LIST: &str = "SELECT number, holder, address, until, ids_up_to FROM node ORDER BY number";
const RELEASE: &str = "UPDATE node SET until = $3, ids_up_to = $4 WHERE number = $1 AND holder = $2";

/// All numbers that were ever taken.
pub fn list(tx: &mut dyn Conn) -> Result<Vec<Node>, StoreError> {
    let rows = tx.rows(LIST, &[])?;
    let node = |row: &crate::Row| Node {
        number: row.int(0),
        holder: row.text(1),
        address: row.opt_text(2),
        until: row.at(3),
        ids_up_to: row.at(4),
    };
    Ok(rows.iter().map(node).collect())
}

/// The numbers worth trying, best first: never used ones, then those whose horizon is oldest.
fn candidates(known: &[Node], now: Timestamp) -> Vec<(i64, Timestamp)> {
    let free =
        (1..=NUMBER_MAX).filter(|number| known.iter().all(|node| node.number != *number)).map(|number| (number, Timestamp(0)));
    let mut old: Vec<&Node> = known.iter().filter(|node| is_over(node, now)).collect();
    old.sort_by_key(|node| node.ids_up_to);
    free.chain(old.iter().map(|node| (node.number, node.ids_up_to))).take(CANDIDATE_COUNT).collect()
}

fn is_over(node: &Node, now: Timestamp) -> bool {
    let cutoff = now.plus_ms(-HORIZON_MS);
    node.until < cutoff && node.ids_up_to < cutoff
}

/// Where the ids of this process come from, and the lease on their number.
pub(crate) struct NodeIds {
    clock: Arc<dyn Clock>,
    holder: Option<Holder>,
    ids: RwLock<Arc<IdSource>>,
    renewed_at: Mutex<Timestamp>,
}

struct Holder {
    name: String,
    address: Option<String>,
    random: Arc<dyn Random>,
}

impl NodeIds {
    /// Without a lease: for tests, which use number 0, and for those who only read.
    pub fn fixed(clock: Arc<dyn Clock>, number: u16) -> Self {
        let ids = IdSource::new(clock.clone(), number, Timestamp(0));
        Self { clock, holder: None, ids: RwLock::new(Arc::new(ids)), renewed_at: Mutex::default() }
    }
    /// With a lease, which `take` must get before the first id.
    pub fn leased(clock: Arc<dyn Clock>, random: Arc<dyn Random>, address: Option<String>) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        let name = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let fixed = Self::fixed(clock, 0);
        fixed.ids().set_ids_up_to(Timestamp(0));
        Self { holder: Some(Holder { name, address, random }), ..fixed }
    }
    /// The present source. It changes only when the number was lost to somebody else.
    pub fn ids(&self) -> Arc<IdSource> {
        self.ids.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// The random text that names this process in leases.
    pub fn holder(&self) -> &str {
        self.holder.as_ref().map_or("fixed", |holder| holder.name.as_str())
    }
    /// True when a renewal should be made before anything else is written.
    pub fn must_renew(&self) -> bool {
        self.holder.is_some() && !self.ids().may_make()
    }
    /// True when the last renewal is some time ago.
    pub fn is_due(&self) -> bool {
        let renewed_at = *self.renewed_at.lock().unwrap_or_else(PoisonError::into_inner);
        self.holder.is_some() && self.clock.now().since(renewed_at) >= RENEW_MS
    }

    /// Takes or renews the number. Runs in a transaction; the result counts only after its COMMIT, by `adopt`.
    pub fn take(&self, tx: &mut dyn Conn) -> Result<Taken, StoreError> {
        let Some(holder) = &self.holder else {
            return Ok(Taken::Renewed(Timestamp(i64::MAX)));
        };
        let now = self.clock.now();
        if now.0 < ID_EPOCH_MS {
            return Err(StoreError::broken(format!(
                "the clock of this computer says {now}, which cannot be right; set it first"
            )));
        }
        let ids = self.ids();
        if ids.node() != 0 {
            let ids_up_to = now.max(ids.last()).plus_ms(HORIZON_MS);
            if self.try_number(tx, holder, i64::from(ids.node()), ids_up_to, now)? {
                return Ok(Taken::Renewed(ids_up_to));
            }
            tracing::warn!(node = ids.node(), "another process has taken our node number; taking a new one");
        }
        let known = list(tx)?;
        // A clock that went back while nobody ran must not send new ids into the past.
        let newest = known.iter().map(|node| node.ids_up_to).max().unwrap_or_default().plus_ms(-HORIZON_MS);
        let own = if ids.node() == 0 { Timestamp(0) } else { ids.last().plus_ms(1) };
        let mut candidates = candidates(&known, now);
        while !candidates.is_empty() {
            let (number, old) = candidates.swap_remove(holder.random.below(candidates.len() as u64) as usize);
            let begin = now.max(old.plus_ms(1)).max(newest).max(own);
            let ids_up_to = begin.plus_ms(HORIZON_MS);
            if self.try_number(tx, holder, number, ids_up_to, now)? {
                return Ok(Taken::New { number: number as u16, begin, ids_up_to });
            }
        }
        Err(StoreError::broken("all node numbers are taken: 1023 other processes use this database, or the clock has gone back"))
    }

    fn try_number(
        &self,
        tx: &mut dyn Conn,
        holder: &Holder,
        number: i64,
        ids_up_to: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let address = holder.address.as_deref();
        let cutoff = now.plus_ms(-HORIZON_MS);
        let row = tx.one(TAKE, values![number, holder.name.as_str(), address, now.plus_ms(HORIZON_MS), ids_up_to, cutoff])?;
        Ok(row.is_some())
    }

    /// After COMMIT: ids may be made up to the new horizon.
    pub fn adopt(&self, taken: Taken) {
        match taken {
            Taken::Renewed(ids_up_to) => self.ids().set_ids_up_to(ids_up_to),
            Taken::New { number, begin, ids_up_to } => {
                let ids = IdSource::new(self.clock.clone(), number, begin);
                ids.set_ids_up_to(ids_up_to);
                *self.ids.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ids);
            }
        }
        *self.renewed_at.lock().unwrap_or_else(PoisonError::into_inner) = self.clock.now();
        let ahead_ms = self.ids().ahead_ms();
        if ahead_ms > 1_000 {
            tracing::warn!(ahead_ms, "the clock went back: new ids run ahead of it until it has caught up");
        }
    }

    /// Gives the number back at a clean stop.
    pub fn release(&self, tx: &mut dyn Conn) -> Result<(), StoreError> {
        let (Some(holder), ids) = (&self.holder, self.ids()) else { return Ok(()) };
        tx.exec(RELEASE, values![i64::from(ids.node()), holder.name.as_str(), self.clock.now(), ids.last()]).map(drop)
    }
}

/// What `NodeIds::take` got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Renewed(Timestamp),
    New { number: u16, begin: Timestamp, ids_up_to: Timestamp },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: i64, ids_up_to: i64) -> Node {
        Node { number, holder: "x".into(), address: None, until: Timestamp(ids_up_to), ids_up_to: Timestamp(ids_up_to) }
    }

    #[test]
    fn unused_numbers_come_before_old_ones_and_living_ones_never() {
        let now = Timestamp(1_000_000);
        let first: Vec<i64> = candidates(&[node(1, 5), node(3, 999_000)], now).iter().map(|(number, _)| *number).collect();
        assert_eq!(first, [2, 4, 5, 6, 7, 8, 9, 10]);
        let all: Vec<Node> = (1..=NUMBER_MAX).map(|number| node(number, 1_000_000 - 400 * number)).collect();
        let oldest: Vec<i64> = candidates(&all, now).iter().map(|(number, _)| *number).collect();
        assert_eq!(oldest, [1023, 1022, 1021, 1020, 1019, 1018, 1017, 1016]);
        let alive: Vec<Node> = (1..=NUMBER_MAX).map(|number| node(number, 999_000)).collect();
        assert!(candidates(&alive, now).is_empty());
    }
}
