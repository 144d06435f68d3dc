//! `continuo serve`: the server, until it is told to stop.

use crate::settings::Settings;
use crate::{Failed, print, start_log, wiring};
use api::{Config, Front};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use worker::Supervisor;

/// Requests and jobs that have not ended by then are cut off; browsers and providers try again, jobs run again.
const END_WITHIN: Duration = Duration::from_secs(30);

/// Runs the server.
pub fn run(settings: &Settings) -> Result<(), Failed> {
    start_log(settings);
    // Before the database is opened: a port in use is the usual slip, and it must not migrate anything.
    let listener = bind(settings.listen)?;
    let stores = wiring::open(settings)?;
    if stores.made_key {
        eprintln!(
            "A new key was made: {}. Keep a copy of this file: without it, stored secrets cannot be read again.",
            settings.key_file.display()
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(settings, &stores, listener));
    runtime.shutdown_timeout(Duration::from_secs(2));
    stores.search.close();
    if let Err(error) = stores.db.checkpoint() {
        // A reader that is still there; the next start reads the log file as well.
        tracing::info!(%error, "the write-ahead log stays until the next start");
    }
    stores.db.close();
    served
}

fn bind(address: SocketAddr) -> Result<TcpListener, Failed> {
    let bound = TcpListener::bind(address).and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    bound.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "it is in use by another program (or another Continuo). Stop that one, or name another port with --listen; port 0 takes a free one"
            }
            std::io::ErrorKind::PermissionDenied => {
                "this account may not use that port. Ports below 1024 belong to the system; use another with --listen and a proxy in front"
            }
            std::io::ErrorKind::AddrNotAvailable => "this computer does not have that address. Use 127.0.0.1 or 0.0.0.0 with --listen",
            _ => return Failed(format!("cannot listen on {address}: {error}")),
        };
        Failed(format!("cannot listen on {address}: {hint}."))
    })
}

async fn serve(settings: &Settings, stores: &wiring::Stores, listener: TcpListener) -> Result<(), Failed> {
    let desk = wiring::desk(settings, stores).await?;
    let supervisor = Supervisor::new();
    let config = Config {
        public_url: settings.public_url.clone(),
        behind_proxy: settings.behind_proxy,
        time_zone: settings.time_zone.clone(),
    };
    let front = Front::new(desk.clone(), config);
    wiring::start(settings, &front, &supervisor);

    let address = listener.local_addr()?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let stop = supervisor.stop_signal();
    let router = api::router(front.clone());
    let (ended, mut has_ended) = tokio::sync::watch::channel(None);
    supervisor.spawn("http", async move {
        let served =
            api::listen::serve(listener, router, api::listen::Patience::default(), async move { stop.stopped().await }).await;
        ended.send_replace(Some(served.map_err(|error| error.to_string())));
    });
    announce(settings, &desk, address).await?;

    let failed = tokio::select! {
        signal = told_to_stop() => {
            tracing::info!(signal, "told to stop ({signal}); requests and jobs may end");
            None
        }
        end = has_ended.wait_for(Option::is_some) => match end.as_deref() {
            Ok(Some(Err(error))) => Some(error.clone()),
            _ => Some("its task ended".to_owned()),
        },
    };
    wiring::stop(&front, &supervisor, END_WITHIN).await;
    failed.map_or(Ok(()), |error| Err(Failed(format!("the server ended by itself: {error}"))))
}

/// Scripts and people read these lines.
async fn announce(settings: &Settings, desk: &desk::Desk, address: SocketAddr) -> Result<(), Failed> {
    let mut text = format!("Continuo listens on http://{address}\n");
    if desk::people::setup::needed(desk).await? {
        let here =
            SocketAddr::new(if address.ip().is_unspecified() { [127, 0, 0, 1].into() } else { address.ip() }, address.port());
        let base = settings.public_url.clone().unwrap_or_else(|| format!("http://{here}"));
        let code = desk.gate.setup_code();
        text.push_str(&format!("Set-up code: {code}\nSet it up at {base}/setup?code={code}\n"));
    }
    print(&text)
}

#[cfg(unix)]
async fn told_to_stop() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return "interrupt";
    };
    tokio::select! {
        _ = terminate.recv() => "terminate",
        _ = tokio::signal::ctrl_c() => "interrupt",
    }
}

#[cfg(not(unix))]
async fn told_to_stop() -> &'static str {
    let _ = tokio::signal::ctrl_c().await;
    "interrupt"
}
