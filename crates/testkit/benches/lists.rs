//! The two reads that agents wait for, as the bare engine does them: a page of the inbox list and a page of a timeline, on
//! the file that CONTINUO_BENCH_DB names. `make bench ONLY=lists` asks the server the same by HTTP beside it.
#![allow(missing_docs, reason = "a bench is a program")]

#[allow(dead_code, reason = "each bench uses its part of the common things")]
mod yardstick;

use rusqlite::Connection;
use rusqlite::types::Value;
use std::path::Path;
use yardstick::{Watch, bare, given, percentile, place};

const ROUNDS: usize = 5;
const RUNS: usize = 1_000;

fn main() {
    let Some(path) = given("CONTINUO_BENCH_DB") else {
        println!("CONTINUO_BENCH_DB names no file: nothing to read");
        return;
    };
    let path = Path::new(&path);
    let connection = bare(path);
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("the file is one of ours");
    let workspace = number("SELECT id FROM workspace LIMIT 1");
    println!(
        "Bare engine: {} conversations, {} entries. {}\n",
        number("SELECT count(*) FROM conversation"),
        number("SELECT count(*) FROM entry"),
        place(path.parent().unwrap_or(Path::new(".")))
    );
    println!("| read | p50 ms | p99 ms | CPU ms | per second |\n|---|---|---|---|---|");
    let last = [i64::MAX, i64::MAX];
    let page = |_: usize| vec![Value::from(workspace), Value::from("open".to_owned()), last[0].into(), last[1].into(), 51.into()];
    measure(&connection, "inbox list, newest 50 open", store::conversation::list::WALKS[0], page);
    let contacts: Vec<i64> = {
        let sql = "SELECT contact_id FROM conversation WHERE folder = 'open' ORDER BY last_activity_at DESC LIMIT 500";
        let mut statement = connection.prepare(sql).expect("the file is one of ours");
        statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a number")).collect()
    };
    let page =
        |n: usize| vec![Value::from(workspace), contacts[n % contacts.len()].into(), last[0].into(), last[1].into(), 51.into()];
    measure(&connection, "timeline page of a contact", store::entry::WALKS[0], page);
}

fn measure(connection: &Connection, name: &str, sql: &str, values: impl Fn(usize) -> Vec<Value>) {
    let mut statement = connection.prepare(&store::tape::sqlite_text(sql)).expect("a statement of the store");
    let columns = statement.column_count();
    let mut ms = Vec::with_capacity(ROUNDS * RUNS);
    let mut bytes = 0;
    let whole = Watch::start();
    for n in 0..ROUNDS * RUNS {
        let watch = Watch::start();
        let mut rows = statement.query(rusqlite::params_from_iter(values(n))).expect("it runs");
        while let Some(row) = rows.next().expect("a row") {
            bytes += (0..columns).filter_map(|at| row.get_ref(at).ok()?.as_str().ok().map(str::len)).sum::<usize>();
        }
        ms.push(watch.took().seconds * 1_000.0);
    }
    let took = whole.took();
    assert!(bytes > 0, "the read found something");
    let count = ms.len() as f64;
    println!(
        "| {name} | {:.3} | {:.3} | {:.3} | {:.0} |",
        percentile(&mut ms, 50.0),
        percentile(&mut ms, 99.0),
        took.cpu_us / 1_000.0 / count,
        count / took.seconds
    );
}
