//! PostgreSQL for tests: a database of its own for each test, cloned from one that is migrated once per server. The server is
//! named by `CONTINUO_TEST_DATABASE_URL` (scripts/test-postgres.sh starts one); its role must be allowed to make databases.

use model::{SystemClock, Timestamp};
use postgres::{Client, NoTls};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use store::{Access, Db, DbSettings};

const URL: &str = "CONTINUO_TEST_DATABASE_URL";
const SKIP: &str = "CONTINUO_TEST_POSTGRES";
/// Only one process makes the template; others wait for it under this number.
const TEMPLATE_LOCK: i64 = 0x0C04_7171;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A database that goes away with this value.
#[derive(Debug)]
pub struct PgDatabase {
    /// Its URL, as `DbSettings` takes it.
    pub url: String,
    name: String,
    server: String,
}

/// True when a server is named: stories then run on it.
#[expect(clippy::disallowed_methods, reason = "the test run says by this variable which engine it means")]
pub fn is_named() -> bool {
    std::env::var("CONTINUO_TEST_DATABASE_URL").is_ok_and(|url| !url.is_empty())
}

/// The server for tests, if one is there. `None` only where somebody has said `CONTINUO_TEST_POSTGRES=skip`; without a
/// server and without that word a test on PostgreSQL fails, so that nobody takes a skipped one for a passed one.
pub fn server() -> Option<String> {
    let variable = |name: &str| {
        #[expect(clippy::disallowed_methods, reason = "tests have no settings; this is how they learn of the server")]
        std::env::var(name).ok().filter(|value| !value.is_empty())
    };
    let server = variable(URL);
    if server.is_none() && variable(SKIP).as_deref() == Some("skip") {
        eprintln!("SKIPPED: no PostgreSQL ({SKIP}=skip)");
        return None;
    }
    assert!(
        server.is_some(),
        "this test needs PostgreSQL: `scripts/test-postgres.sh start` prints a {URL} to export; {SKIP}=skip leaves such tests out"
    );
    server
}

/// A fresh, migrated database; `None` as in [`server`].
pub fn database() -> Option<PgDatabase> {
    let server = server()?;
    let name = format!("continuo_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    let template = template(&server);
    let (made, of) = (name.clone(), server.clone());
    on_a_thread(move || {
        let mut admin = connect(&of);
        // A crashed run of the same process number may have left one.
        run(&mut admin, &format!("DROP DATABASE IF EXISTS {made} WITH (FORCE)"));
        run(&mut admin, &format!("CREATE DATABASE {made} TEMPLATE {template}"));
    });
    Some(PgDatabase { url: with_database(&server, &name), name, server })
}

/// A fresh database without any table.
pub fn empty_database() -> Option<PgDatabase> {
    let server = server()?;
    let name = format!("continuo_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    let (made, of) = (name.clone(), server.clone());
    on_a_thread(move || {
        let mut admin = connect(&of);
        run(&mut admin, &format!("DROP DATABASE IF EXISTS {made} WITH (FORCE)"));
        run(&mut admin, &format!("CREATE DATABASE {made} TEMPLATE template0"));
    });
    Some(PgDatabase { url: with_database(&server, &name), name, server })
}

impl Drop for PgDatabase {
    fn drop(&mut self) {
        let (name, server) = (self.name.clone(), self.server.clone());
        on_a_thread(move || run(&mut connect(&server), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
    }
}

/// The name of the template for the present migrations, made when it is missing.
fn template(server: &str) -> String {
    // All migrations count: one that is still being written changes under the same name.
    let mixed = store::migrate::MIGRATIONS.iter().fold(0u64, |mixed, migration| {
        let part = u64::from_str_radix(&migration.checksum()[..16], 16).expect("a checksum is hexadecimal");
        mixed.rotate_left(7) ^ part
    });
    let name = format!("continuo_template_{mixed:016x}");
    let (made, of) = (name.clone(), server.to_owned());
    on_a_thread(move || {
        let mut admin = connect(&of);
        admin.execute("SELECT pg_advisory_lock($1)", &[&TEMPLATE_LOCK]).expect("the lock for making the template");
        let known = admin.query("SELECT 1 FROM pg_database WHERE datname = $1", &[&made]).expect("a look at the databases");
        if known.is_empty() {
            let raw = format!("{made}_raw");
            run(&mut admin, &format!("DROP DATABASE IF EXISTS {raw} WITH (FORCE)"));
            run(&mut admin, &format!("CREATE DATABASE {raw} TEMPLATE template0"));
            let settings = DbSettings { writer_count: 1, reader_count: 1, ..DbSettings::new(with_database(&of, &raw)) };
            let db = Db::open(&settings, Arc::new(SystemClock), Access::Test).expect("migrations run on an empty database");
            db.close();
            drop(db);
            // The last connection may still be on its way out.
            run(&mut admin, &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{raw}'"));
            run(&mut admin, &format!("ALTER DATABASE {raw} RENAME TO {made}"));
        }
    });
    name
}

#[expect(clippy::disallowed_methods, reason = "administration of test databases, outside the store")]
fn connect(url: &str) -> Client {
    Client::connect(url, NoTls).expect("the PostgreSQL server for tests answers")
}

fn run(admin: &mut Client, sql: &str) {
    admin.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// The driver runs a runtime of its own, which must not happen on a thread of tokio's.
fn on_a_thread<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::spawn(run).join().expect("the thread that prepares PostgreSQL")
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) =
        url.split_once('?').map_or((url, String::new()), |(address, options)| (address, format!("?{options}")));
    let scheme = address.find("://").map_or(0, |at| at + 3);
    let end = address[scheme..].find('/').map_or(address.len(), |at| scheme + at);
    format!("{}/{name}{options}", &address[..end])
}

/// A time to start fake clocks from: a Monday in October 2026, 09:00 UTC.
pub const MONDAY: Timestamp = Timestamp(1_792_400_400_000);

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        assert_eq!(with_database("postgres://a:b@127.0.0.1:5/postgres", "x"), "postgres://a:b@127.0.0.1:5/x");
        assert_eq!(with_database("postgres://a@h?host=/run/pg", "x"), "postgres://a@h/x?host=/run/pg");
    }
}
