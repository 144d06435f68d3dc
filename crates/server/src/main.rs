//! The binary: settings, wiring, sub-commands. No rule of the product stands here.

mod commands;
mod settings;
mod wiring;

use settings::{Given, Settings, SettingsError};
use std::process::ExitCode;

/// What `main` exits with when a person has to change something first.
const NEEDS_ATTENTION: u8 = 2;

/// Why a command ended: one paragraph for the person who typed it.
#[derive(Debug)]
pub struct Failed(pub String);

impl<E: std::fmt::Display> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(text)) => {
            eprintln!("continuo: {text}");
            ExitCode::from(NEEDS_ATTENTION)
        }
    }
}

fn run() -> Result<(), Failed> {
    let (given, words) = Given::read(arguments()?.into_iter(), Given::environment())?;
    let mut words = words.into_iter();
    let command = words.next().unwrap_or_else(|| "serve".to_owned());
    let rest: Vec<String> = words.collect();
    match command.as_str() {
        "-h" | "--help" | "help" => print(&commands::help()),
        "-V" | "--version" | "version" => print(&format!("continuo {}\n", env!("CARGO_PKG_VERSION"))),
        name => commands::run(name, &given, &rest),
    }
}

fn arguments() -> Result<Vec<String>, SettingsError> {
    let mut out = Vec::new();
    for argument in std::env::args_os().skip(1) {
        let text = argument.into_string();
        out.push(text.map_err(|other| SettingsError(format!("the argument {} is not UTF-8", other.display())))?);
    }
    Ok(out)
}

/// Writes to stdout at once; a reader that has gone is no reason to panic.
fn print(text: &str) -> Result<(), Failed> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())?;
    Ok(())
}

/// Log lines on stderr, so that stdout stays for what a person or script asked for.
fn start_log(settings: &Settings) {
    let filter = tracing_subscriber::EnvFilter::new(&settings.log);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Fails only when there is a subscriber already, which then stays.
    let _ = match settings.log_format {
        settings::LogFormat::Json => lines.json().try_init(),
        settings::LogFormat::Text => {
            use std::io::IsTerminal;
            lines.with_ansi(std::io::stderr().is_terminal()).try_init()
        }
    };
}
