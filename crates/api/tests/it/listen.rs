//! The accept loop: it answers, does not wait for ever for a request's head, and lets a running request end at a stop.

#![expect(clippy::disallowed_methods, reason = "the loop under test runs beside the test")]

use api::listen::{Patience, serve};
use axum::Router;
use axum::routing::get;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

const WAIT: Duration = Duration::from_secs(20);

async fn read_all(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let read = tokio::time::timeout(WAIT, stream.read_to_string(&mut text)).await.expect("the server closes the connection");
    read.map(|_| text).unwrap_or_default()
}

#[tokio::test]
async fn half_a_head_is_not_waited_for_for_ever_and_others_are_answered_meanwhile() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(|| async { "here" }));
    let server = tokio::spawn(serve(listener, router, Patience { head_ms: 300 }, std::future::pending()));
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Never").await.unwrap();
    let mut quick = TcpStream::connect(address).await.unwrap();
    quick.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let answer = read_all(&mut quick).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"), "{answer}");
    let cut = read_all(&mut slow).await;
    assert!(!cut.contains("200"), "{cut}");
    assert_eq!(read_all(&mut silent).await, "");
    server.abort();
}

#[tokio::test]
async fn a_stop_lets_a_running_request_end_and_takes_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (began, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (has_begun, may_go_on) = (began.clone(), go_on.clone());
    let router = Router::new().route(
        "/",
        get(move || {
            let (began, go_on) = (has_begun.clone(), may_go_on.clone());
            async move {
                began.notify_one();
                go_on.notified().await;
                "whole"
            }
        }),
    );
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, router, Patience::default(), async move {
        let _either_way = stopped.await;
    }));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    began.notified().await;
    stop.send(()).unwrap();
    // The port is free as soon as nobody listens; until then a connection may still be taken.
    tokio::time::timeout(WAIT, async { while TcpStream::connect(address).await.is_ok() {} }).await.expect("nobody listens");
    go_on.notify_one();
    let answer = read_all(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("whole"), "{answer}");
    tokio::time::timeout(WAIT, server).await.expect("it ends").unwrap().unwrap();
}
