//! The API behind a real port: for stories with sockets. Jobs run by themselves, commits reach the feed, and clients speak
//! to it over TCP that can be cut at any moment.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use testkit::app::{Client, TestApp};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Nothing that is waited for takes longer than this.
const PATIENCE: Duration = Duration::from_secs(20);

/// The API behind a port.
pub struct Served {
    /// The story.
    pub app: Arc<TestApp>,
    /// Where it listens.
    pub address: SocketAddr,
    supervisor: worker::Supervisor,
}

impl Served {
    /// Starts everything that a server has: port, feed, worker.
    pub async fn new() -> Self {
        let app = Arc::new(TestApp::new().await);
        let supervisor = worker::Supervisor::new();
        let bus = app.desk.desk.bus.clone();
        app.desk.desk.db.on_commit(move |committed| {
            for (workspace, change_seq) in committed.changes {
                bus.announce(bus::Change { workspace, inbox: None, change_seq });
            }
        });
        let (live, stop) = (app.front.live.clone(), supervisor.stop_signal());
        supervisor.spawn("live", async move { live.run(stop.stopped()).await });
        let (jobs, stop) = (Arc::clone(&app), supervisor.stop_signal());
        supervisor.spawn("jobs", async move {
            let mut tick = tokio::time::interval(Duration::from_millis(3));
            while !stop.is_stopping() {
                jobs.run_jobs().await;
                tick.tick().await;
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let router = api::router(app.front.clone());
        let stop = supervisor.stop_signal();
        supervisor.spawn("http", async move {
            let serve = api::listen::serve(listener, router, api::listen::Patience::default(), std::future::pending());
            tokio::select! {
                _ = serve => {}
                () = stop.stopped() => {}
            }
        });
        Self { app, address, supervisor }
    }

    /// A webchat inbox with these settings; gives its slug.
    pub async fn add_site(&self, settings: Json) -> String {
        let owner = self.app.owner_client().await;
        let made =
            owner.post("/api/v1/inboxes", json!({ "channel": "webchat", "name": "Website", "webchat": settings })).await.ok();
        made["webchat"]["site"].as_str().expect("a site").to_owned()
    }

    /// Stops everything, then lets the desk check what is left.
    pub async fn end(self) {
        self.app.front.live.close();
        self.supervisor.stop(Duration::from_secs(10)).await;
        drop(self.supervisor);
        // What came in at the last moment.
        self.app.run_jobs().await;
        self.app.check().await;
    }

    /// A customer writes on the API channel; gives the entry once the worker has made it.
    pub async fn customer_writes(&self, from: &str, text: &str) -> store::entry::Entry {
        let message = channel::InboundEvent::Message(self.app.message(from, text));
        let stored = self.app.receive(&message).await;
        let worked_off = async {
            let mut tick = tokio::time::interval(Duration::from_millis(3));
            loop {
                if let Some(entry) = self.app.entry_of(stored).await {
                    return entry;
                }
                tick.tick().await;
            }
        };
        timeout(PATIENCE, worked_off).await.expect("it becomes an entry")
    }

    /// A socket of an agent, greeted.
    pub async fn agent(&self, client: &Client, position: Option<i64>) -> Socket {
        let mut socket = Socket::open(self.address, "/api/v1/live", &[("cookie", &client.cookie().expect("signed in"))]).await;
        socket.say(json!({ "kind": "hello", "change_seq": position })).await;
        socket
    }

    /// A new visit.
    pub async fn begin(&self, site: &str, body: Json) -> Json {
        self.begun(site, body).await.ok()
    }

    /// The answer to a begin.
    pub async fn begun(&self, site: &str, body: Json) -> testkit::app::Answer {
        let mut whole = json!({ "locale": "en", "host_origin": "" });
        for (key, value) in body.as_object().expect("an object") {
            whole[key] = value.clone();
        }
        self.app.client().post(&format!("/w/{site}/visitors"), whole).await
    }

    /// A socket of a visitor, greeted; the welcome is still to be read.
    pub async fn visitor(&self, site: &str, token: &str, conversation: Option<&str>, since: i64) -> Socket {
        let mut socket = Socket::open(self.address, &format!("/w/{site}/socket"), &[]).await;
        socket.say(json!({ "kind": "hello", "token": token, "conversation": conversation, "since_seq": since })).await;
        socket
    }
}

/// A client's end of a socket. Dropping it cuts the connection without a word.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Connects.
    pub async fn open(address: SocketAddr, path: &str, headers: &[(&'static str, &str)]) -> Self {
        Self::try_open(address, path, headers).await.expect("the socket opens")
    }

    /// Connects, or gives the status that was answered.
    pub async fn try_open(address: SocketAddr, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{address}{path}").into_client_request().expect("an address");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        let stream = TcpStream::connect(address).await.expect("somebody listens");
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends a frame; a connection that is gone swallows it, as a browser's does.
    pub async fn say(&mut self, frame: Json) {
        self.say_text(frame.to_string()).await;
    }

    /// The same with any text.
    pub async fn say_text(&mut self, text: String) {
        let _gone = self.0.send(Message::text(text)).await;
    }

    /// The next frame; `None` when the connection ended, with the code of the close before it, if any.
    pub async fn next(&mut self) -> Result<Json, Option<u16>> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("something comes") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).expect("frames are JSON")),
                Some(Ok(Message::Close(close))) => return Err(close.map(|close| close.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Reads on until a frame that fits; all others are dropped.
    pub async fn until(&mut self, what: &str, fits: impl Fn(&Json) -> bool) -> Json {
        let mut seen = Vec::new();
        loop {
            let frame =
                self.next().await.unwrap_or_else(|code| panic!("closed ({code:?}) while waiting for {what}; came: {seen:#?}"));
            if fits(&frame) {
                return frame;
            }
            seen.push(frame);
        }
    }

    /// Reads on until a frame of this kind.
    pub async fn until_kind(&mut self, kind: &str) -> Json {
        self.until(kind, |frame| frame["kind"] == kind).await
    }

    /// Reads on until an item that fits comes in a frame.
    pub async fn until_item(&mut self, what: &str, fits: impl Fn(&Json) -> bool) -> Json {
        let frame = self.until(what, |frame| items(frame).iter().any(&fits)).await;
        items(&frame).into_iter().find(|item| fits(item)).expect("it was there")
    }

    /// What is there already, without waiting longer than a moment for more.
    pub async fn rest(&mut self, moment: Duration) -> Vec<Json> {
        let mut frames = Vec::new();
        while let Ok(Some(Ok(message))) = timeout(moment, self.0.next()).await {
            if let Message::Text(text) = message {
                frames.push(serde_json::from_str(&text).expect("frames are JSON"));
            }
        }
        frames
    }
}

/// The items of a frame.
pub fn items(frame: &Json) -> Vec<Json> {
    frame["items"].as_array().cloned().unwrap_or_default()
}

/// A message frame.
pub fn message(id: &str, text: &str) -> Json {
    json!({ "kind": "message", "client_msg_id": id, "text": text })
}
