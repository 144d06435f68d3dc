//! `continuo doctor`: looks at everything that can be looked at without changing anything, and says what to do.

use super::runtime;
use crate::settings::Settings;
use crate::{Failed, print, wiring};
use keys::Keys;
use model::{OsRandom, SystemClock};
use std::fmt::Write;
use store::{Db, Engine, StoreError};

const FREE_BYTES_MIN: u64 = 1024 * 1024 * 1024;

struct Report {
    text: String,
    wrong: usize,
}

impl Report {
    fn ok(&mut self, line: impl std::fmt::Display) {
        let _ = writeln!(self.text, "ok      {line}");
    }
    fn wrong(&mut self, line: impl std::fmt::Display) {
        self.wrong += 1;
        let _ = writeln!(self.text, "WRONG   {line}");
    }
}

/// Prints one line per finding; fails when something is wrong.
pub fn run(settings: &Settings) -> Result<(), Failed> {
    let mut report = Report { text: String::new(), wrong: 0 };
    folder(settings, &mut report);
    let keys = key_file(settings, &mut report);
    match wiring::look(settings) {
        Ok(db) => {
            let engine = match db.engine() {
                Engine::Sqlite => "SQLite",
                Engine::Postgres => "PostgreSQL",
            };
            report.ok(format!("the database ({engine}) opens"));
            if let Err(error) = runtime()?.block_on(inside(&db, keys.as_ref(), &mut report)) {
                report.wrong(format!("the database cannot be read: {error}"));
            }
            db.close();
        }
        Err(Failed(text)) => report.wrong(text),
    }
    print(&report.text)?;
    match report.wrong {
        0 => print("Everything is in order.\n"),
        n => Err(Failed(format!("{n} of the findings above need attention."))),
    }
}

fn folder(settings: &Settings, report: &mut Report) {
    let data = settings.data.display();
    match std::fs::metadata(&settings.data) {
        Err(error) => report.wrong(format!("the data folder {data} cannot be read: {error}")),
        Ok(found) if !found.is_dir() => report.wrong(format!("{data} is not a folder")),
        Ok(_) => report.ok(format!("the data folder is {data}")),
    }
    match fs4::available_space(&settings.data) {
        Ok(free) if free < FREE_BYTES_MIN => {
            report.wrong(format!("only {} MiB are free in the data folder; below one GiB it gets tight", free / (1024 * 1024)));
        }
        Ok(free) => report.ok(format!("{} GiB are free there", free / FREE_BYTES_MIN)),
        Err(error) => report.wrong(format!("the free space of {data} cannot be found out: {error}")),
    }
}

fn key_file(settings: &Settings, report: &mut Report) -> Option<Keys> {
    let path = settings.key_file.display();
    if !settings.key_file.exists() {
        report.wrong(format!("there is no key file {path}; the first start of the server makes it"));
        return None;
    }
    match Keys::open(&settings.key_file, &OsRandom) {
        Ok(opened) => {
            report.ok(format!("the key file {path} is readable by its owner only; keep a copy of it"));
            Some(opened.keys)
        }
        Err(error) => {
            report.wrong(error);
            None
        }
    }
}

async fn inside(db: &Db, keys: Option<&Keys>, report: &mut Report) -> Result<(), StoreError> {
    let workspaces = db.read(store::workspace::list).await?;
    if workspaces.is_empty() {
        report.ok("nothing is set up yet: start the server and open the address that it prints");
    }
    let now = model::Clock::now(&SystemClock);
    for workspace in workspaces {
        let id = workspace.id;
        let (agents, inboxes, secrets) = db
            .read(move |tx| {
                let agents = store::agent::list(tx, id)?.iter().filter(|agent| agent.archived_at.is_none()).count();
                let inboxes = store::inbox::list(tx, id)?;
                let mut secrets = Vec::new();
                for inbox in &inboxes {
                    for (name, sealed) in store::secret::list(tx, id, inbox.id.0)? {
                        secrets.push((inbox.id, inbox.name.clone(), name, sealed));
                    }
                }
                Ok::<_, StoreError>((agents, inboxes.len(), secrets))
            })
            .await?;
        report.ok(format!("{}: {agents} agents, {inboxes} inboxes", workspace.name));
        for (inbox, inbox_name, name, sealed) in secrets {
            let place = keys::Place { workspace: id, owner: inbox.0, name: &name };
            let number = u32::try_from(sealed.key_number).unwrap_or(0);
            if keys.is_some_and(|keys| keys.unseal(place, number, &sealed.sealed).is_err()) {
                report.wrong(format!(
                    "the secret \"{name}\" of the inbox {inbox_name} does not open with this key file: set it again"
                ));
            }
        }
        let given_up = db.read(move |tx| store::job::list_given_up(tx, id, None, 100)).await?;
        if !given_up.is_empty() {
            report.wrong(format!(
                "{}: {} jobs were given up; the settings list them with their reasons",
                workspace.name,
                given_up.len()
            ));
        }
    }
    let nodes = db.read(store::node::list).await?;
    let alive = nodes.iter().filter(|node| node.until > now).count();
    report.ok(format!("{alive} servers run on this database now"));
    Ok(())
}
