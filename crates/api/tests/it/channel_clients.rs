//! The example clients of `examples/api-channel` against a server behind a real port, and other people's programs as judges
//! of our signatures.

use crate::served::Served;
use channel_api::sign;
use model::{Clock, ConversationId, SystemClock};
use serde_json::{Value as Json, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

struct World {
    served: Served,
    inbox: String,
    key: String,
    secret: String,
}

impl World {
    async fn new() -> Self {
        let served = Served::new().await;
        // The clients sign by the computer's clock.
        served.app.clock.set(SystemClock.now());
        let owner = served.app.owner_client().await;
        let settings = json!({ "allow_private_networks": true });
        let made = owner.post("/api/v1/inboxes", json!({ "channel": "api", "name": "Shop app", "api": settings })).await.ok();
        let inbox = made["id"].as_str().unwrap().to_owned();
        let text = |answer: Json, name: &str| answer[name].as_str().unwrap().to_owned();
        let key = text(owner.post(&format!("/api/v1/inboxes/{inbox}/channel_key"), json!({})).await.ok(), "key");
        let secret = text(owner.post(&format!("/api/v1/inboxes/{inbox}/webhook_secret"), json!({})).await.ok(), "secret");
        Self { served, inbox, key, secret }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(root())
            .env("CONTINUO_URL", format!("http://{}", self.served.address))
            .env("CONTINUO_INBOX", &self.inbox)
            .env("CONTINUO_KEY", &self.key)
            .env("CONTINUO_WEBHOOK_SECRET", &self.secret)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("http_proxy")
            .env_remove("HTTP_PROXY")
            .env("no_proxy", "127.0.0.1");
        command
    }

    async fn said(&self, program: &'static str, arguments: &[&str]) -> Json {
        let mut command = self.run(program, arguments);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
        let output = output.unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"));
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
    }

    async fn entries(&self) -> Vec<store::entry::Entry> {
        self.served.app.run_jobs().await;
        let list = self.served.app.owner_client().await.get("/api/v1/conversations?view=all").await.ok();
        let mut all = vec![];
        for item in list["items"].as_array().unwrap() {
            let (workspace, id) = (self.served.app.workspace, ConversationId::parse(item["id"].as_str().unwrap()).unwrap());
            let read =
                move |tx: &mut dyn store::Conn| store::entry::conversation_before(tx, workspace, id, (i64::MAX, i64::MAX), 100);
            all.extend(self.served.app.read(read).await);
        }
        all.into_iter().filter(|entry| entry.kind == model::EntryKind::Message).collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

struct Listening {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    url: String,
}

impl Listening {
    fn start(world: &World) -> Self {
        let mut command = world.run("python3", &["examples/api-channel/client.py", "listen", "--port", "0"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("python3 is needed for this test");
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        let url = first.trim().rsplit(' ').next().unwrap().to_owned();
        Self { child, lines, url }
    }
    fn next(&mut self) -> Json {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_brings_messages_and_takes_answers() {
    const CLIENT: &str = "examples/api-channel/client.py";
    let world = World::new().await;
    let mut hooks = Listening::start(&world);
    let owner = world.served.app.owner_client().await;
    let change = json!({ "api": { "webhook_url": hooks.url } });
    owner.patch(&format!("/api/v1/inboxes/{}", world.inbox), change).await.ok();

    assert_eq!(world.said("python3", &[CLIENT, "check"]).await["claim_ceiling"], 1);
    let file = root().join("examples/api-channel/README.md");
    let file = file.to_str().unwrap();
    let send = [
        CLIENT,
        "send",
        "Where is it? \"quoted\" ünïcode",
        "--from",
        "cust-1",
        "--name",
        "Ada Novak",
        "--phone",
        "+1 555 0142",
        "--order",
        "A-1001",
        "--file",
        file,
        "--event-id",
        "py-1",
    ];
    let first = world.said("python3", &send).await;
    assert_eq!(first["events"][0]["repeat"], false);
    let signed = [&send[..], &["--sign"]].concat();
    assert_eq!(world.said("python3", &signed).await["events"][0]["repeat"], true, "signed, and the same event");
    let came = world.entries().await;
    assert_eq!(came.len(), 1);
    assert_eq!((came[0].body.text.as_str(), came[0].body.attachments.len()), ("Where is it? \"quoted\" ünïcode", 1));

    let owner = world.served.app.owner_client().await.with("idempotency-key", "k");
    let path = format!("/api/v1/conversations/{}/entries", came[0].conversation_id);
    let sent =
        owner.post(&path, json!({ "kind": "message", "text": "On its way.", "base_seq": 1_000, "hold_seconds": 0 })).await.ok();
    world.served.app.run_jobs().await;
    let got = tokio::task::spawn_blocking(move || (hooks.next(), hooks)).await.unwrap();
    assert_eq!((&got.0["text"], &got.0["to"]["value"]), (&json!("On its way."), &json!("cust-1")), "{}", got.0);
    let id = format!("mine-{}", got.0["id"].as_str().unwrap());
    world.said("python3", &[CLIENT, "report", &id, "read"]).await;
    // The server works by itself beside us: its answer to the report comes when it comes.
    let id = model::EntryId::parse(sent["id"].as_str().unwrap()).unwrap();
    let mut state = None;
    for _ in 0..5_000 {
        world.served.app.run_jobs().await;
        state = world.served.app.entry(id).await.delivery;
        if state == Some(model::DeliveryState::Read) {
            break;
        }
    }
    assert_eq!(state, Some(model::DeliveryState::Read));

    let mut wrong = world.run("python3", &[CLIENT, "check"]);
    let refused = tokio::task::spawn_blocking(move || wrong.env("CONTINUO_KEY", "cik_AAAA").output()).await.unwrap().unwrap();
    assert!(!refused.status.success() && text(&refused.stderr).contains("wrong_key"), "{}", text(&refused.stderr));
    drop(got);
    world.served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shell_client_sends_signs_and_checks() {
    const CLIENT: &str = "examples/api-channel/client.sh";
    let world = World::new().await;
    assert_eq!(world.said("sh", &[CLIENT, "check"]).await["name"], "Shop app");
    let plain = world.said("sh", &[CLIENT, "send", "sh-1", "cust-2", "It's \"broken\" \\ again"]).await;
    assert_eq!(plain["events"][0]["repeat"], false);
    let signed = world.said("sh", &[CLIENT, "send-signed", "sh-1", "cust-2", "It's \"broken\" \\ again"]).await;
    assert_eq!(signed["events"][0], json!({ "event_id": "sh-1", "id": plain["events"][0]["id"], "repeat": true }));
    let file = world.said("sh", &[CLIENT, "upload", "examples/api-channel/README.md"]).await;
    assert_eq!(file["name"], "README.md");
    assert_eq!(world.entries().await[0].body.text, "It's \"broken\" \\ again");

    // openssl as judge of what we sign.
    let now = SystemClock.now().ms() / 1_000;
    let signature = sign::signature(&world.secret, "out_1", now, b"{\"type\":\"test\"}");
    let (old, both) = (now - 301, format!("v1,AAAA {signature}"));
    for (at, body, good) in
        [(now, "{\"type\":\"test\"}", true), (now, "{\"type\":\"tesT\"}", false), (old, "{\"type\":\"test\"}", false)]
    {
        let mut command = world.run("sh", &[CLIENT, "verify", "out_1", &at.to_string(), &both]);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
        assert_eq!(child.wait().unwrap().success(), good, "{at} {body}");
    }
    world.served.end().await;
}

/// The published package of the convention, as judge of both directions. Installed with the web parts (`npm ci` in web/).
#[test]
fn the_published_verifier_believes_us_and_we_believe_it() {
    let module = root().join("web/node_modules/standardwebhooks");
    if !module.exists() {
        println!("SKIPPED: web/node_modules/standardwebhooks is not installed; openssl judges in the other test");
        return;
    }
    let (secret, now) = (sign::secret_of([5; 24]), SystemClock.now());
    let (seconds, body) = (now.ms() / 1_000, "{\"type\":\"message.created\",\"data\":{\"text\":\"ünïcode\"}}");
    let ours = sign::signature(&secret, "out_1", seconds, body.as_bytes());
    let script = "const { Webhook } = require(process.argv[1]); const [secret, id, at, ours, body] = process.argv.slice(2);\
        const hook = new Webhook(secret); const headers = { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': ours };\
        hook.verify(body, headers);\
        let refused = 0; for (const change of [body + ' ', body.replace('ü', 'u')]) { try { hook.verify(change, headers) } catch { refused++ } }\
        console.log(refused, hook.sign(id, new Date(Number(at) * 1000), body));";
    let output = Command::new("node")
        .args(["-e", script, module.to_str().unwrap(), &secret, "out_1", &seconds.to_string(), &ours, body])
        .output()
        .expect("node is needed for this test");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let (refused, theirs) = said.trim().split_once(' ').unwrap();
    assert_eq!(refused, "2");
    let check =
        |body: &str| sign::check(&[&secret], Some("out_1"), Some(&seconds.to_string()), Some(theirs), body.as_bytes(), now);
    assert_eq!(check(body), Ok(()));
    assert_eq!(check("{}"), Err(sign::SignatureError::Wrong));
}
