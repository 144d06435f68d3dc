//! The API over a desk for one story: HTTP goes straight to the router, without a port. A client keeps its cookie as a
//! browser would; `run_jobs` does what follows; the desk's own checks run at the end.

use crate::api_channel::FakeOrApi;
use crate::db::TestDb;
use crate::desk::{TestDesk, story_engine};
use api::{Config, Front};
use axum::Router;
use axum::body::Body;
use channel::fake::FakeChannel;
use channel_api::ApiChannel;
use desk::Who;
use desk::people::token::Token;
use http::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use model::{Availability, Channel, Role};
use serde_json::Value as Json;
use std::sync::{Arc, Mutex, PoisonError};
use store::{Engine, Route, StoreError, agent, login_session};
use tower::ServiceExt;

/// The API over everything that a story needs.
pub struct TestApp {
    /// The desk underneath: clock, channels, jobs, builders.
    pub desk: TestDesk,
    /// State of the router.
    pub front: Front,
    router: Router,
}

impl std::ops::Deref for TestApp {
    type Target = TestDesk;
    fn deref(&self) -> &TestDesk {
        &self.desk
    }
}

impl TestApp {
    /// An API with a workspace, an owner and the real web chat, on the engine of this run.
    pub async fn new() -> Self {
        Self::on(story_engine()).await.expect("the engine of the stories is there")
    }

    /// The same with the real mail adapter in place of FakeChannel.
    pub async fn with_mail() -> Self {
        Self::made(story_engine(), true).await.expect("the engine of the stories is there")
    }

    /// The same on one engine; `None` without PostgreSQL when tests on it are left out.
    pub async fn on(engine: Engine) -> Option<Self> {
        Self::made(engine, false).await
    }

    async fn made(engine: Engine, with_mail: bool) -> Option<Self> {
        let db = TestDb::open(engine)?;
        let fake = Arc::new(FakeChannel::new(db.clock.clone()));
        let kinds = Channel::ALL.iter().filter(|c| !matches!(c, Channel::Webchat | Channel::Internal));
        let channels = channel::Registry::new(kinds.map(|kind| (*kind, Arc::clone(&fake) as Arc<dyn channel::Channel>)))
            .with(Channel::Webchat, Arc::new(channel_webchat::WebChat))
            .with(
                Channel::Api,
                Arc::new(FakeOrApi { fake: Arc::clone(&fake), real: Arc::new(ApiChannel::new(db.clock.clone())) }),
            );
        let channels = match with_mail {
            true => {
                let random = Arc::new(model::FakeRandom::new(11));
                channels.with(Channel::Email, Arc::new(channel_email::Email::new(db.clock.clone(), random)))
            }
            false => channels,
        };
        let desk = TestDesk::with_channels(db, fake, channels).await?;
        let front = Front::new(desk.desk.clone(), Config { time_zone: "Europe/Berlin".to_owned(), ..Config::default() });
        let router = api::router(front.clone());
        Some(Self { desk, front, router })
    }

    /// An API that nobody has set up yet.
    pub async fn before_setup() -> Self {
        let app = Self::new().await;
        // The desk's own builder makes an owner; with nobody who can sign in, set-up is open as on the first day.
        let (workspace, id, now) = (app.workspace, app.owner.agent, app.desk.desk.now());
        let archived = app.desk.desk.db.write(Route::Any, move |tx| -> Result<(), StoreError> {
            let mut owner = agent::get(tx, workspace, id)?;
            owner.archived_at = Some(now);
            agent::change(tx, workspace, &owner)
        });
        archived.await.expect("the owner leaves");
        app
    }

    /// A browser that is not signed in.
    pub fn client(&self) -> Client {
        Client { router: self.router.clone(), cookie: Mutex::default(), headers: Vec::new() }
    }

    /// A browser that is not signed in, of the same desk behind another configuration.
    pub fn over(&self, config: Config) -> Client {
        let router = api::router(Front::new(self.desk.desk.clone(), config));
        Client { router, cookie: Mutex::default(), headers: Vec::new() }
    }

    /// A browser of this agent, signed in without the cost of a password.
    pub async fn client_of(&self, who: &Who) -> Client {
        let desk = &self.desk.desk;
        let token = Token::make(who.workspace, &*desk.random);
        let (hash, now, workspace, agent) = (token.hash(), desk.now(), who.workspace, who.agent);
        let until = now.plus_ms(desk::people::login::SESSION_MS);
        let begun = desk.db.write(Route::Any, move |tx| login_session::add(tx, workspace, agent, &hash, "test", now, until));
        begun.await.expect("a login session");
        let client = self.client();
        client.set_cookie(format!("{}={}", api::auth::COOKIE_NAME, token.text()));
        client
    }

    /// A browser of the owner.
    pub async fn owner_client(&self) -> Client {
        self.client_of(&self.owner).await
    }

    /// A browser of a new agent of this role.
    pub async fn client_with_role(&self, name: &'static str, role: Role) -> Client {
        let who = self.add_agent(name, role).await;
        self.client_of(&who).await
    }

    /// Gives an agent of the desk a password, so that it can sign in.
    pub async fn set_password(&self, who: &Who, password: &str) {
        let desk = &self.desk.desk;
        let hash = desk.gate.passwords.hash(password, &desk.random).await.expect("nobody else signs in");
        let (workspace, id) = (who.workspace, who.agent);
        let set = desk.db.write(Route::Any, move |tx| agent::set_password(tx, workspace, id, &hash));
        set.await.expect("a password");
    }

    /// What an agent is doing, as stored.
    pub async fn availability(&self, who: &Who) -> Availability {
        let (workspace, id) = (who.workspace, who.agent);
        self.read(move |tx| agent::get(tx, workspace, id)).await.availability
    }

    /// Ends the story with the desk's checks.
    pub async fn end(self) {
        self.desk.check().await;
    }
}

/// One browser.
pub struct Client {
    router: Router,
    cookie: Mutex<Option<String>>,
    headers: Vec<(HeaderName, String)>,
}

impl Client {
    /// The same browser with another header on every request.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((HeaderName::from_static(name), value.to_owned()));
        self
    }

    /// What it keeps, as `name=value`.
    pub fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_cookie(&self, cookie: String) {
        *self.cookie.lock().unwrap_or_else(PoisonError::into_inner) = Some(cookie).filter(|cookie| !cookie.ends_with('='));
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Body::empty(), None).await
    }
    /// POST with JSON.
    pub async fn post(&self, path: &str, body: Json) -> Answer {
        self.json(Method::POST, path, body).await
    }
    /// PUT with JSON.
    pub async fn put(&self, path: &str, body: Json) -> Answer {
        self.json(Method::PUT, path, body).await
    }
    /// PATCH with JSON.
    pub async fn patch(&self, path: &str, body: Json) -> Answer {
        self.json(Method::PATCH, path, body).await
    }
    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, Body::empty(), None).await
    }
    /// POST of a form, as a page without script sends it.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let encode = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
        let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        self.send(Method::POST, path, pairs.join("&").into(), Some("application/x-www-form-urlencoded")).await
    }
    /// Any method with JSON.
    pub async fn json(&self, method: Method, path: &str, body: Json) -> Answer {
        self.send(method, path, body.to_string().into(), Some("application/json")).await
    }

    /// Any request at all.
    pub async fn send(&self, method: Method, path: &str, body: Body, kind: Option<&str>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(HOST, "desk.test");
        if let Some(cookie) = self.cookie() {
            request = request.header(COOKIE, cookie);
        }
        if let Some(kind) = kind {
            request = request.header(CONTENT_TYPE, kind);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(body).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("the router always answers");
        let (parts, body) = response.into_parts();
        for set in parts.headers.get_all(SET_COOKIE) {
            let pair = set.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            self.set_cookie(pair.to_owned());
        }
        let bytes = axum::body::to_bytes(body, 64 * 1024 * 1024).await.expect("a body that ends");
        Answer { status: parts.status, headers: parts.headers, bytes: bytes.to_vec() }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON of a request that must have worked.
    #[track_caller]
    pub fn ok(&self) -> Json {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        if self.bytes.is_empty() { Json::Null } else { self.value() }
    }
    /// The code of a request that must have been refused, with its status.
    #[track_caller]
    pub fn code(&self) -> (u16, String) {
        assert!(!self.status.is_success(), "it worked: {}", self.text());
        (self.status.as_u16(), self.value()["code"].as_str().unwrap_or_default().to_owned())
    }
    /// The body as JSON, whatever the status.
    #[track_caller]
    pub fn value(&self) -> Json {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
    /// A header as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
