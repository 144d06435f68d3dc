//! Serves the router on a socket: each connection on a task of its own, upgrades to WebSocket allowed. In: a bound listener and
//! a signal to end. Beyond axum's own loop it limits how long a client may take over a request's head, so that connections
//! which send a byte a minute do not pile up.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;

/// How patient the server is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Longest time for the head of a request; also how long an idle kept connection stays.
    pub head_ms: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head_ms: 60_000 }
    }
}

/// Accepts connections until `stop` ends, then waits for the requests that run. Sockets and event streams must be told to end by
/// whoever gave the signal.
#[expect(
    clippy::disallowed_methods,
    reason = "a connection is served until its client or a stop ends it; `serve` waits for all of them"
)]
pub async fn serve(listener: TcpListener, router: Router, patience: Patience, stop: impl Future<Output = ()>) -> io::Result<()> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(Duration::from_millis(patience.head_ms));
    let (close, closing) = watch::channel(());
    // Each connection holds a sender: when all are gone, all have ended.
    let (open, mut all_ended) = mpsc::channel::<()>(1);
    tokio::pin!(stop);
    loop {
        let (stream, address) = tokio::select! {
            accepted = accept(&listener) => accepted?,
            () = &mut stop => break,
        };
        // Small frames of a chat must not wait for each other.
        let _only_slower_without = stream.set_nodelay(true);
        let router = router.clone();
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(address));
            router.clone().oneshot(request)
        });
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let (mut closing, open) = (closing.clone(), open.clone());
        tokio::spawn(async move {
            tokio::pin!(connection);
            // What a client does to its own connection is no news.
            tokio::select! {
                _ended = connection.as_mut() => return,
                _told = closing.changed() => connection.as_mut().graceful_shutdown(),
            }
            let _ended = connection.await;
            drop(open);
        });
    }
    drop((listener, open));
    close.send_replace(());
    // Nobody sends: the answer is that the last sender has gone.
    let _none = all_ended.recv().await;
    Ok(())
}

/// One connection. Trouble of one client passes; without free file handles there is a pause instead of a hot loop.
async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    loop {
        match listener.accept().await {
            Ok(accepted) => return Ok(accepted),
            Err(error) => match error.kind() {
                ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset => {}
                _ => {
                    tracing::error!(%error, "no connection could be accepted; next try in a second");
                    pause().await;
                }
            },
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "waits for the system to have file handles again")]
async fn pause() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}
