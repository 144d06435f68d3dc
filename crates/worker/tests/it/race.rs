//! Two runners over one database, many lanes, many enqueuers.

use crate::{Place, WORKSPACE, left, plain};
use model::{Clock, FakeRandom};
use serde_json::json;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::Route;
use store::job::{self, NewJob};
use worker::{Outcome, Registry, Runner, RunnerSettings, Supervisor};

const LANES: i64 = 40;
const ENQUEUERS: i64 = 6;
const PER_ENQUEUER: i64 = 200;

#[derive(Default)]
struct Ledger {
    inside: HashSet<i64>,
    order: BTreeMap<i64, Vec<i64>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runners_share_lanes_without_a_double_a_loss_or_a_change_of_order() {
    let (place, clock) = Place::real();
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let supervisor = Supervisor::new();
    for number in 0..2 {
        let ledger = ledger.clone();
        let mut registry = Registry::new();
        registry.add("step", move |context| {
            let ledger = ledger.clone();
            async move {
                let lane = context.lane.unwrap();
                assert!(ledger.lock().unwrap().inside.insert(lane), "two jobs of lane {lane} at a time");
                tokio::task::yield_now().await;
                let mut ledger = ledger.lock().unwrap();
                ledger.inside.remove(&lane);
                ledger.order.entry(lane).or_default().push(context.job.id.0);
                Outcome::Done
            }
        });
        let random = Arc::new(FakeRandom::new(number));
        let settings = RunnerSettings { poll_ms: 20, ..RunnerSettings::default() };
        let runner = Runner::new(place.db.clone(), clock.clone(), random, registry, settings);
        let stop = supervisor.stop_signal();
        supervisor.spawn(format!("runner {number}"), async move { runner.run(stop).await });
    }
    let enqueue = |enqueuer: i64| {
        let (db, clock) = (place.db.clone(), clock.clone());
        async move {
            for n in 0..PER_ENQUEUER {
                let job = NewJob { lane: Some((enqueuer * 7 + n) % LANES), ..plain("step", json!({}), clock.now()) };
                db.write(Route::Any, move |tx| job::add(tx, WORKSPACE, &job)).await.unwrap();
            }
        }
    };
    futures_util::future::join_all((0..ENQUEUERS).map(enqueue)).await;
    let began = tokio::time::Instant::now();
    while left(&place.db).await != (0, 0) {
        assert!(began.elapsed() < Duration::from_secs(60), "jobs or lanes are left behind: {:?}", left(&place.db).await);
        tokio::task::yield_now().await;
    }
    assert!(supervisor.stop(Duration::from_secs(10)).await.is_empty());
    let ledger = ledger.lock().unwrap();
    let ran: usize = ledger.order.values().map(Vec::len).sum();
    assert_eq!(ran as i64, ENQUEUERS * PER_ENQUEUER, "each exactly once");
    for (lane, ids) in &ledger.order {
        assert!(ids.is_sorted_by(|a, b| a < b), "lane {lane} out of order");
    }
}
