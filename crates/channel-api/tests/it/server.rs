//! The other side: a small HTTP server on loopback that checks our signatures, takes each id once, and misbehaves on demand.

use crate::{NOW, secret};
use channel_api::sign;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Got {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Got {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("our webhooks are JSON")
    }
}

/// How the next request is met.
#[derive(Clone, Debug)]
pub enum Meet {
    /// Status, more header lines, body.
    Answer(u16, &'static str, String),
    /// Takes it, then hangs up.
    HangUp,
    /// Takes it and answers with half a body.
    HalfAnswer,
}

#[derive(Default)]
struct State {
    script: VecDeque<Meet>,
    got: Vec<Got>,
    taken: Vec<String>,
}

/// A server of its own for one test.
#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = Self { address: listener.local_addr().expect("an address"), state: Arc::default() };
        let own = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                std::thread::spawn(move || own.serve(stream));
            }
        });
        server
    }
    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }
    pub fn meet(&self, meet: Meet) {
        self.state.lock().unwrap().script.push_back(meet);
    }
    pub fn got(&self) -> Vec<Got> {
        self.state.lock().unwrap().got.clone()
    }
    pub fn taken(&self) -> Vec<String> {
        self.state.lock().unwrap().taken.clone()
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        while let Some(got) = read_request(&mut reader) {
            let meet = self.take(&got);
            let (status, more, body, whole) = match meet {
                Meet::HangUp => return,
                Meet::HalfAnswer => (200, "", "{\"message_id\": \"half".to_owned(), false),
                Meet::Answer(status, more, body) => (status, more, body, true),
            };
            let length = body.len() + if whole { 0 } else { 100 };
            let head = format!("HTTP/1.1 {status} X\r\n{more}content-length: {length}\r\n\r\n");
            if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_err() || !whole {
                return;
            }
        }
    }

    fn take(&self, got: &Got) -> Meet {
        let mut state = self.state.lock().unwrap();
        state.got.push(got.clone());
        let scripted = state.script.pop_front();
        let id = got.header(sign::ID_HEADER).unwrap_or_default().to_owned();
        if let Some(meet @ Meet::Answer(..)) = scripted {
            return meet;
        }
        let (at, signed) = (got.header(sign::TIMESTAMP_HEADER), got.header(sign::SIGNATURE_HEADER));
        if sign::check(&[&secret()], Some(&id), at, signed, &got.body, NOW).is_err() {
            return Meet::Answer(401, "", String::new());
        }
        let place = state.taken.iter().position(|have| *have == id).unwrap_or_else(|| {
            state.taken.push(id.clone());
            state.taken.len() - 1
        });
        scripted.unwrap_or_else(|| Meet::Answer(200, "", format!("{{\"message_id\": \"theirs-{place}\"}}")))
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Got> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = vec![];
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap_or(0));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Got { path, headers, body })
}
