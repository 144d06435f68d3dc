//! What every bench does alike: sizes, CPU time, the state of the disk, medians, and the bare engine.

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;
use store::Value;
use store::tape::Recorded;

/// A point in wall time and CPU time.
pub struct Watch {
    began: Instant,
    cpu_us: f64,
}

/// What passed.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// Wall time in seconds.
    pub seconds: f64,
    /// CPU time of this process, all threads, in microseconds.
    pub cpu_us: f64,
}

impl Watch {
    /// Starts.
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    pub fn start() -> Self {
        Self { began: Instant::now(), cpu_us: cpu_us() }
    }
    /// Reads.
    pub fn took(&self) -> Took {
        Took { seconds: self.began.elapsed().as_secs_f64(), cpu_us: cpu_us() - self.cpu_us }
    }
}

/// User and system time of this process (clock ticks of 10 ms).
fn cpu_us() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: f64 = after.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum();
    ticks * 10_000.0
}

/// `small` or `full`, from the environment.
#[expect(clippy::disallowed_methods, reason = "make hands the size over in the environment")]
pub fn is_full() -> bool {
    std::env::var("SIZE").is_ok_and(|size| size == "full")
}

/// A value of the environment.
#[expect(clippy::disallowed_methods, reason = "make hands paths over in the environment")]
pub fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// p50 and p99 of writing 8 KiB and waiting for the disk, in milliseconds.
pub fn disk(folder: &Path) -> (f64, f64) {
    let path = folder.join("fdatasync");
    let mut file = File::create(&path).expect("the folder takes files");
    let block = [7_u8; 8192];
    let mut ms: Vec<f64> = (0..200)
        .map(|_| {
            let watch = Watch::start();
            file.write_all(&block).and_then(|()| file.sync_data()).expect("the disk takes 8 KiB");
            watch.took().seconds * 1_000.0
        })
        .collect();
    let _gone = std::fs::remove_file(&path);
    (percentile(&mut ms, 50.0), percentile(&mut ms, 99.0))
}

/// The value below which `percent` of all lie.
pub fn percentile(of: &mut [f64], percent: f64) -> f64 {
    if of.is_empty() {
        return 0.0;
    }
    of.sort_by(f64::total_cmp);
    of[((of.len() - 1) as f64 * percent / 100.0).round() as usize]
}

/// Median with lowest and highest.
pub fn spread(of: &[f64]) -> (f64, f64, f64) {
    let mut sorted = of.to_vec();
    (percentile(&mut sorted, 50.0), sorted.first().copied().unwrap_or(0.0), sorted.last().copied().unwrap_or(0.0))
}

/// The lines about the computer that stand before every table.
pub fn place(folder: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let system = mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(at, _)| real.starts_with(at))
        .max_by_key(|(at, _)| at.len())
        .map_or("unknown", |(_, system)| system)
        .to_owned();
    let (p50, p99) = disk(folder);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    format!(
        "{cores} cores, SQLite {}, {system}, 8 KiB + fdatasync p50 {p50:.2} ms p99 {p99:.2} ms, load {load}",
        rusqlite::version()
    )
}

/// A connection as the store's writer has it.
#[expect(clippy::disallowed_methods, reason = "the yardstick is the bare engine")]
pub fn bare(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("the copy opens");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192; \
             PRAGMA secure_delete = FAST; PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 8000; PRAGMA temp_store = MEMORY;",
        )
        .expect("the PRAGMAs are known");
    connection
}

/// Runs recorded statements, `count` transactions for all of them. Gives how many rows came back, so that nothing is
/// optimised away.
pub fn replay(connection: &Connection, tape: &[Recorded], count: usize) -> usize {
    let mut rows_seen = 0;
    let mut prepared: HashMap<usize, rusqlite::Statement<'_>> = HashMap::new();
    for part in tape.chunks(tape.len().div_ceil(count).max(1)) {
        connection.execute_batch("BEGIN IMMEDIATE").expect("nobody else has the copy");
        for recorded in part {
            let address = recorded.sql.as_ptr() as usize;
            let statement = prepared
                .entry(address)
                .or_insert_with(|| connection.prepare(&store::tape::sqlite_text(recorded.sql)).expect("the product ran it"));
            for (at, value) in recorded.values.iter().enumerate() {
                statement.raw_bind_parameter(at + 1, bound(value)).expect("it binds as it did before");
            }
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next().expect("it runs as it did before") {
                rows_seen += usize::from(!matches!(row.get_ref(0), Ok(ValueRef::Null)));
            }
        }
        connection.execute_batch("COMMIT").expect("it commits");
    }
    rows_seen
}

fn bound(value: &Value) -> rusqlite::types::ToSqlOutput<'_> {
    use rusqlite::types::ToSqlOutput::Borrowed;
    Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Int(n) => ValueRef::Integer(*n),
        Value::Float(x) => ValueRef::Real(*x),
        Value::Bool(yes) => ValueRef::Integer(i64::from(*yes)),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Bytes(bytes) => ValueRef::Blob(bytes),
    })
}
