//! Messages in through the real transactions (`desk::ingest::accept`, then the message-in journey by the real runner)
//! against the same statements with the same values in a bare loop of the same engine, 4,096 messages per transaction.
//! Run by `make bench ONLY=ingest SIZE=small|full`; docs/BENCHMARKS.md tells the rules.
#![allow(missing_docs, reason = "a bench is a program")]
#![expect(clippy::disallowed_methods, reason = "a bench waits for a real runner in real time")]

#[allow(dead_code, reason = "each bench uses its part of the common things")]
mod yardstick;

use channel::fake::FakeEvent;
use channel::{InboundEvent, InboundMessage};
use desk::directory::OpenInbox;
use futures_util::future::join_all;
use model::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::Engine;
use testkit::db::TestDb;
use testkit::desk::{TestDesk, claim};
use worker::{Runner, RunnerSettings, Supervisor, Waker};
use yardstick::{Took, Watch, bare, given, is_full, place, replay, spread};

const CLIENTS: usize = 256;
const PER_TRANSACTION: usize = 4_096;
const PAIRS: usize = 5;
/// Bytes of text of a message.
const TEXT_BYTES: usize = 1_000;

struct Rig {
    desk: TestDesk,
    inbox: Arc<OpenInbox>,
    runner: Runner,
    waker: Waker,
    senders: usize,
    said: AtomicUsize,
}

impl Rig {
    async fn open(engine: Engine, senders: usize) -> Option<Self> {
        let db = TestDb::open_with(engine, |settings| {
            settings.full_sync = true;
            settings.test_run_twice = false;
            settings.writer_count = 8;
            settings.reader_count = if engine == Engine::Sqlite { 2 } else { 8 };
        })?;
        let desk = TestDesk::over(db).await?;
        let inbox = desk.open(desk.inbox).await;
        let (db, clock) = (desk.desk.db.clone(), desk.desk.clock.clone());
        let registry = worker::jobs::registry(&desk.desk);
        let runner = Runner::new(db, clock, desk.desk.random.clone(), registry, RunnerSettings::default());
        let waker = runner.waker();
        let woken = waker.clone();
        desk.desk.db.on_commit(move |committed| {
            if !committed.wakes.is_empty() {
                woken.wake();
            }
        });
        let rig = Self { desk, inbox, runner, waker, senders, said: AtomicUsize::new(0) };
        // Everybody has written before: what is measured is a conversation that goes on.
        rig.accept(senders).await;
        rig.process().await;
        Some(rig)
    }

    fn event(&self, n: usize) -> channel::RawEvent {
        let from = format!("sender-{}", n % self.senders);
        let text = format!("message {n} {}", "The rear light of my bike flickers since Monday. ".repeat(TEXT_BYTES / 49));
        let message = InboundMessage {
            provider_id: format!("m{n}"),
            external_conversation: from.clone(),
            from: vec![claim(&from)],
            text,
            ..InboundMessage::default()
        };
        FakeEvent::new(message.provider_id.clone(), from, &InboundEvent::Message(message)).raw_event(self.desk.clock_now())
    }

    /// `count` messages by 256 clients, each waiting for its answer before the next.
    async fn accept(&self, count: usize) -> Took {
        let first = self.said.fetch_add(count, Ordering::SeqCst);
        let next = AtomicUsize::new(first);
        let watch = Watch::start();
        join_all((0..CLIENTS).map(|_| async {
            loop {
                let n = next.fetch_add(1, Ordering::SeqCst);
                if n >= first + count {
                    return;
                }
                if n.is_multiple_of(4) {
                    self.desk.clock.advance_ms(1);
                }
                let event = self.event(n);
                desk::ingest::accept(&self.desk.desk, self.desk.workspace, &self.inbox, vec![event]).await.expect("it is stored");
            }
        }))
        .await;
        watch.took()
    }

    /// Everything stored becomes entries, by the runner of the server.
    async fn process(&self) -> Took {
        let watch = Watch::start();
        let supervisor = Supervisor::new();
        let (runner, stop) = (self.runner.clone(), supervisor.stop_signal());
        supervisor.spawn("runner", async move { runner.run(stop).await });
        let workspace = self.desk.workspace;
        while self.desk.read(move |tx| store::provider_event::open_count(tx, workspace, Timestamp(i64::MAX))).await > 0 {
            self.waker.wake();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let took = watch.took();
        supervisor.stop(Duration::from_secs(10)).await;
        took
    }
}

trait Now {
    fn clock_now(&self) -> Timestamp;
}
impl Now for TestDesk {
    fn clock_now(&self) -> Timestamp {
        model::Clock::now(&*self.clock)
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let (count, senders) = if is_full() { (4 * PER_TRANSACTION, 50_000) } else { (PER_TRANSACTION / 2, 1_000) };
    let folder = tempfile::tempdir().expect("a folder for the yardstick");
    println!("## Ingest, {count} messages of about 1 KB per phase from {senders} senders, {CLIENTS} clients, SQLite FULL\n");
    println!("Before: {}\n", place(folder.path()));
    sqlite(count, senders, folder.path()).await;
    println!("\nAfter: {}", place(folder.path()));
    if given("CONTINUO_TEST_DATABASE_URL").is_some() {
        postgres(count / 4, senders / 5).await;
    }
}

#[derive(Default)]
struct Series {
    ratios: Vec<f64>,
    product: Vec<f64>,
    yard: Vec<f64>,
    cpu: Vec<f64>,
    yard_cpu: Vec<f64>,
}

impl Series {
    fn note(&mut self, count: usize, product: Took, yard: Took) {
        let n = count as f64;
        self.product.push(n / product.seconds);
        self.yard.push(n / yard.seconds);
        self.ratios.push(yard.seconds / product.seconds);
        self.cpu.push(product.cpu_us / n);
        self.yard_cpu.push(yard.cpu_us / n);
    }
    fn line(&self, name: &str) {
        let (ratio, low, high) = spread(&self.ratios);
        let (yard, slowest, fastest) = spread(&self.yard);
        let noisy = if fastest > slowest * 1.5 { " (noisy)" } else { "" };
        println!(
            "| {name} | {:.0} | {yard:.0}{noisy} | {ratio:.2} ({low:.2} to {high:.2}) | {:.0} | {:.0} | {:.2} |",
            spread(&self.product).0,
            spread(&self.cpu).0,
            spread(&self.yard_cpu).0,
            spread(&self.yard_cpu).0 / spread(&self.cpu).0,
        );
    }
}

async fn sqlite(count: usize, senders: usize, folder: &std::path::Path) {
    // What is replayed is written down on a database of its own: writing down costs time, which nobody shall pay twice.
    let copy = folder.join("yardstick.db");
    let mut tapes = Vec::new();
    {
        let recorder = Rig::open(Engine::Sqlite, senders).await.expect("SQLite is always there");
        recorder.desk.desk.db.backup_to(&copy).expect("a copy of the state at the start");
        for _ in 0..=PAIRS {
            store::tape::start();
            recorder.accept(count).await;
            let accepting = store::tape::take();
            store::tape::start();
            recorder.process().await;
            tapes.push((accepting, store::tape::take()));
        }
    }
    let per_message =
        |pick: fn(&(Vec<store::tape::Recorded>, Vec<store::tape::Recorded>)) -> usize| pick(&tapes[0]) as f64 / count as f64;
    println!(
        "Statements per message: {:.1} to accept, {:.1} to process.\n",
        per_message(|t| t.0.len()),
        per_message(|t| t.1.len())
    );
    let product = Rig::open(Engine::Sqlite, senders).await.expect("SQLite is always there");
    let engine = bare(&copy);
    let (mut accepted, mut both) = (Series::default(), Series::default());
    let transactions = count.div_ceil(PER_TRANSACTION);
    for (pair, (accepting, processing)) in tapes.iter().enumerate() {
        let watch = Watch::start();
        replay(&engine, accepting, transactions);
        let yard_accept = watch.took();
        let watch = Watch::start();
        replay(&engine, processing, transactions);
        let yard_process = watch.took();
        let accept = product.accept(count).await;
        let process = product.process().await;
        // The first pair warms caches and statements.
        if pair > 0 {
            accepted.note(count, accept, yard_accept);
            both.note(count, sum(accept, process), sum(yard_accept, yard_process));
        }
    }
    println!(
        "| phase | product/s | bare loop/s | ratio, median of {PAIRS} (range) | product CPU us/message | bare CPU us/message | CPU ratio |"
    );
    println!("|---|---|---|---|---|---|---|");
    accepted.line("accept (acknowledged to the channel)");
    both.line("accept + process (entry, log, counters)");
    product.desk.check().await;
}

fn sum(a: Took, b: Took) -> Took {
    Took { seconds: a.seconds + b.seconds, cpu_us: a.cpu_us + b.cpu_us }
}

async fn postgres(count: usize, senders: usize) {
    let Some(product) = Rig::open(Engine::Postgres, senders).await else { return };
    println!("\n## Ingest, PostgreSQL, {count} messages per phase, {CLIENTS} clients, 8 writers\n");
    println!("| phase | product/s | client CPU us/message |\n|---|---|---|");
    let (mut accepts, mut both, mut cpu, mut cpu_both) = (vec![], vec![], vec![], vec![]);
    for pair in 0..=PAIRS {
        let accept = product.accept(count).await;
        let all = sum(accept, product.process().await);
        if pair > 0 {
            let n = count as f64;
            accepts.push(n / accept.seconds);
            both.push(n / all.seconds);
            cpu.push(accept.cpu_us / n);
            cpu_both.push(all.cpu_us / n);
        }
    }
    println!("| accept | {:.0} | {:.0} |", spread(&accepts).0, spread(&cpu).0);
    println!("| accept + process | {:.0} | {:.0} |", spread(&both).0, spread(&cpu_both).0);
    product.desk.check().await;
}
