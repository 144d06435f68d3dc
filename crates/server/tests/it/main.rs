//! The real program as a person or a script runs it: what it prints, how it refuses, how it stops.

mod commands;
mod kill;
mod mail;
mod mail_explain;
mod serve;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long a start or a stop may take on a busy computer.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The program with a data folder, nothing else from outside. `CONTINUO_TEST_PROGRAM` names another build of it.
#[expect(clippy::disallowed_methods, reason = "a switch for long runs, during which the usual build may be replaced")]
pub fn continuo(data: &Path) -> Command {
    let program = std::env::var("CONTINUO_TEST_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_continuo").to_owned());
    let mut command = Command::new(program);
    for name in [
        "CONFIG",
        "DATA",
        "LISTEN",
        "DATABASE_URL",
        "PUBLIC_URL",
        "BEHIND_PROXY",
        "KEY_FILE",
        "LOG",
        "LOG_FORMAT",
        "TIME_ZONE",
        "LMTP_LISTEN",
        "DNS",
    ] {
        command.env_remove(format!("CONTINUO_{name}"));
    }
    // Nothing but loopback: senders of mail are looked up only where a test brings a name server.
    command.env("CONTINUO_DNS", "off");
    command.args(["--data", &data.display().to_string()]);
    command.stdin(Stdio::null());
    command
}

/// Runs to the end.
pub fn run(command: &mut Command) -> Output {
    command.output().expect("the program starts")
}

/// What it said on stderr, after it refused in the proper way.
#[track_caller]
pub fn refusal(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let last = text.trim_end().lines().last().unwrap_or_default().to_owned();
    assert!(last.starts_with("continuo: ") && !text.contains("panicked"), "{text}");
    last
}

/// A server that runs until it is dropped.
pub struct Server {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// The set-up code, while there is no owner.
    pub code: Option<String>,
}

impl Server {
    /// Starts on a free port and waits for its lines.
    pub fn start(data: &Path) -> Self {
        let mut child = continuo(data)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("it is piped");
        let (lines, heard) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        let line = heard.recv_timeout(PATIENCE).expect("the first line comes");
        let address = line.strip_prefix("Continuo listens on http://").expect("the first line tells the address").to_owned();
        let mut server = Self { child, address, code: None };
        if server.get("/api/v1/setup").contains("\"needed\":true") {
            let line = heard.recv_timeout(PATIENCE).expect("the code comes");
            let code = line.strip_prefix("Set-up code: ").expect("the second line tells the code").to_owned();
            let line = heard.recv_timeout(PATIENCE).expect("the address comes");
            assert_eq!(line, format!("Set it up at http://{}/setup?code={code}", server.address));
            server.code = Some(code);
        }
        server
    }

    /// The whole answer to a request.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it takes connections");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        let host = &self.address;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    /// The whole answer to a GET.
    pub fn get(&self, path: &str) -> String {
        self.ask("GET", path, "")
    }

    /// Asks it to stop and waits; its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill is there");
        assert!(killed.success());
        let (ended, has_ended) = mpsc::channel();
        let id = self.child.id();
        std::thread::spawn(move || {
            // Whoever hangs is ended the hard way, so that the wait below ends and the test fails with a code.
            if has_ended.recv_timeout(PATIENCE).is_err() {
                let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
            }
        });
        let status = self.child.wait().expect("it ends");
        let _ = ended.send(());
        status.code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
