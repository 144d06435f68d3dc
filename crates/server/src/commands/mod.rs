//! The sub-commands, each in its file. `serve` is what a bare `continuo` does.

mod backup;
mod contacts;
mod demo;
mod doctor;
mod mail;
mod migrate;
mod reset_password;
mod serve;

use crate::settings::{self, Given, Settings};
use crate::{Failed, print};

const COMMANDS: [(&str, &str); 11] = [
    ("serve", "run the server (the default)"),
    ("migrate", "bring the database up to date and stop"),
    ("doctor", "look whether everything is in order, also beside a running server"),
    ("backup FILE", "copy a SQLite database, also beside a running server"),
    ("reset-password EMAIL", "print a link that sets another password, also beside a running server"),
    ("demo [--conversations N]", "fill the workspace with an invented business, for trying things out"),
    ("contacts match FILE", "print which records of a list of people are one person"),
    ("mail explain FILE", "print what becomes of a raw mail; - reads the standard input"),
    ("openapi", "print the description of the HTTP interface"),
    ("help", "print this"),
    ("version", "print the version"),
];

/// The text of `--help`.
pub fn help() -> String {
    let mut out =
        String::from("Continuo, a support desk for every channel.\n\nUsage: continuo [COMMAND] [SETTINGS]\n\nCommands:\n");
    for (name, text) in COMMANDS {
        out.push_str(&format!("  {name:<30} {text}\n"));
    }
    out.push('\n');
    out.push_str(&settings::help());
    out
}

/// Runs one command with the words after it.
pub fn run(name: &str, given: &Given, rest: &[String]) -> Result<(), Failed> {
    match name {
        "serve" => no_more(name, rest).and_then(|()| serve::run(&Settings::of(given)?)),
        "migrate" => no_more(name, rest).and_then(|()| migrate::run(&Settings::of(given)?)),
        "doctor" => no_more(name, rest).and_then(|()| doctor::run(&Settings::of(given)?)),
        "openapi" => no_more(name, rest).and_then(|()| print(&api::openapi())),
        "contacts" => contacts::run(rest),
        "mail" => mail::run(rest),
        "demo" => demo::run(&Settings::of(given)?, rest),
        "backup" => backup::run(&Settings::of(given)?, one(name, "FILE", rest)?),
        "reset-password" => reset_password::run(&Settings::of(given)?, one(name, "EMAIL", rest)?),
        other => {
            let names: Vec<&str> = COMMANDS.iter().filter_map(|(name, _)| name.split(' ').next()).collect();
            let kind = if other.starts_with('-') { "option" } else { "command" };
            Err(Failed(format!("there is no {kind} {other}. The commands are {}; continuo --help tells more.", names.join(", "))))
        }
    }
}

fn no_more(command: &str, rest: &[String]) -> Result<(), Failed> {
    match rest.first() {
        None => Ok(()),
        Some(word) => Err(Failed(format!("{command} does not know {word}; continuo --help tells what it knows."))),
    }
}

fn one<'a>(command: &str, what: &str, rest: &'a [String]) -> Result<&'a str, Failed> {
    match rest {
        [word] if !word.starts_with('-') => Ok(word),
        _ => Err(Failed(format!("use it like this: continuo {command} {what}"))),
    }
}

/// A runtime for a short command.
fn runtime() -> Result<tokio::runtime::Runtime, Failed> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
