//! What the tests of transport share: an inbox, a sink that keeps what it gets and its cursor as the store would, and waiting
//! for something to become true.

use crate::mailbed::{FaultProxy, MailBed, PASSWORD};
use channel::{
    Cursor, Fut, InboxSettings, Pull, PullError, RawEvent, RawSink, SecretError, SecretText, Secrets, SinkError, SourceNews,
};
use channel_email::wire::{Times, Wire};
use model::{FakeRandom, InboxId, SystemClock};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub fn bed() -> MailBed {
    MailBed::start().expect("the mail bed")
}

/// Short time limits, so that silence is noticed within a test.
pub fn quick() -> Times {
    Times {
        connect: Duration::from_secs(10),
        command: Duration::from_secs(10),
        silence: Duration::from_secs(10),
        final_reply: Duration::from_secs(3),
        idle: Duration::from_secs(120),
        poll: Duration::from_secs(60),
        probe: Duration::from_secs(20),
        lmtp_silence: Duration::from_secs(5),
    }
}

pub fn wire(times: Times) -> Wire {
    Wire::with(Arc::new(SystemClock), Arc::new(FakeRandom::new(7)), times, None)
}

/// Secrets in memory, replaced by compare and swap.
#[derive(Default)]
pub struct Kept(Mutex<BTreeMap<String, String>>);

impl Kept {
    pub fn set(&self, name: &str, value: &str) {
        self.0.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }
}

impl Secrets for Kept {
    fn get(&self, name: &str) -> Option<SecretText> {
        self.0.lock().unwrap().get(name).map(SecretText::new)
    }
    fn replace<'a>(&'a self, name: &'a str, old: &'a SecretText, new: SecretText) -> Fut<'a, Result<(), SecretError>> {
        Box::pin(async move {
            let mut kept = self.0.lock().unwrap();
            if kept.get(name).map(String::as_str) != Some(old.expose()) {
                return Err(SecretError::Changed);
            }
            kept.insert(name.to_owned(), new.expose().to_owned());
            Ok(())
        })
    }
}

pub fn secrets(pairs: &[(&str, &str)]) -> Arc<Kept> {
    let kept = Kept::default();
    for (name, value) in pairs {
        kept.set(name, value);
    }
    Arc::new(kept)
}

pub fn inbox(settings: serde_json::Value) -> InboxSettings {
    inbox_with(settings, secrets(&[("password", PASSWORD)]))
}

pub fn inbox_with(settings: serde_json::Value, secrets: Arc<dyn Secrets>) -> InboxSettings {
    let settings = channel_email::settings::validate(&settings).expect("settings of a test are valid");
    InboxSettings { id: InboxId(1), channel: model::Channel::Email, name: "Support".to_owned(), settings, secrets }
}

/// Keeps events and cursor together, as one commit; a repeated key changes nothing.
#[derive(Default)]
pub struct Store {
    kept: Mutex<Kept2>,
    changed: tokio::sync::Notify,
}

#[derive(Default)]
struct Kept2 {
    events: BTreeMap<String, RawEvent>,
    order: Vec<String>,
    cursor: Cursor,
    news: Vec<SourceNews>,
    repeats: usize,
    refuse: Vec<SinkError>,
}

impl Store {
    pub fn events(&self) -> Vec<RawEvent> {
        let kept = self.kept.lock().unwrap();
        kept.order.iter().map(|key| kept.events[key].clone()).collect()
    }
    pub fn subjects(&self) -> Vec<String> {
        self.events().iter().map(|event| subject(&event.body)).collect()
    }
    pub fn cursor(&self) -> Cursor {
        self.kept.lock().unwrap().cursor.clone()
    }
    pub fn news(&self) -> Vec<SourceNews> {
        self.kept.lock().unwrap().news.clone()
    }
    pub fn repeats(&self) -> usize {
        self.kept.lock().unwrap().repeats
    }
    /// The next commits end like this.
    pub fn refuse(&self, errors: Vec<SinkError>) {
        self.kept.lock().unwrap().refuse = errors;
    }
    /// Waits until it holds; a test that waits for ever fails by itself.
    pub async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if holds(self) {
                    return;
                }
                changed.await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(90), waiting).await.is_err() {
            panic!("never: {what}; have {:?}", self.subjects());
        }
    }
    pub async fn until_alive(&self, times: usize) {
        self.until("the source is alive", |store| {
            store.news().iter().filter(|news| matches!(news, SourceNews::Alive { .. })).count() >= times
        })
        .await;
    }
}

impl RawSink for Store {
    fn accept<'a>(&'a self, events: Vec<RawEvent>, cursor: Option<Cursor>) -> Fut<'a, Result<(), SinkError>> {
        Box::pin(async move {
            {
                let mut kept = self.kept.lock().unwrap();
                if !kept.refuse.is_empty() {
                    return Err(kept.refuse.remove(0));
                }
                for event in events {
                    if kept.events.contains_key(&event.dedupe_key) {
                        kept.repeats += 1;
                        continue;
                    }
                    kept.order.push(event.dedupe_key.clone());
                    kept.events.insert(event.dedupe_key.clone(), event);
                }
                if let Some(cursor) = cursor {
                    kept.cursor = cursor;
                }
            }
            self.changed.notify_waiters();
            Ok(())
        })
    }
    fn news(&self, news: SourceNews) {
        self.kept.lock().unwrap().news.push(news);
        self.changed.notify_waiters();
    }
}

/// Pulls until the condition holds, then stops. Ends early when the pull fails, with its error.
pub async fn pull_until(
    wire: &Wire,
    inbox: &InboxSettings,
    store: &Store,
    what: &str,
    holds: impl Fn(&Store) -> bool,
) -> Result<(), PullError> {
    tokio::select! {
        ended = wire.pull(inbox, store.cursor(), store) => Err(ended.expect_err("a mailbox never ends by itself")),
        () = store.until(what, holds) => Ok(()),
    }
}

/// Waits until a client has said this through the proxy.
pub async fn until_said(proxy: &FaultProxy, words: &str) {
    let waiting = async {
        while !proxy.client_said().contains(words) {
            tokio::task::yield_now().await;
            let _a_moment = tokio::time::timeout(Duration::from_millis(10), std::future::pending::<()>()).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), waiting).await.is_ok(), "never said: {words}");
}

pub fn mail(from: &str, subject: &str, body: &str) -> String {
    format!(
        "From: {from}\r\nTo: support@shop.test\r\nSubject: {subject}\r\nMessage-ID: <{}@cust.test>\r\nDate: Thu, 1 Oct 2026 12:00:00 +0000\r\n\r\n{body}\r\n",
        subject.replace(' ', "-")
    )
}

pub fn subject(mail: &[u8]) -> String {
    channel_email::Headers::read(mail).first("subject").unwrap_or_default().to_owned()
}
