//! What an idle socket costs.

use crate::served::Served;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const COUNT: usize = 1_000;
const BYTES_MAX: usize = 8 * 1_024;

fn resident_bytes() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split_whitespace().nth(1)?.parse::<usize>().ok().map(|pages| pages * 4_096)
}

// A bare client: the library's own buffers would be measured otherwise.
async fn open(served: &Served, site: &str, hello: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).await.expect("somebody listens");
    let request = format!(
        "GET /w/{site}/socket HTTP/1.1\r\nhost: desk.test\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    // Masked with zeros, which leaves the text as it is.
    let mut frame = vec![0x81, 0xFE];
    frame.extend_from_slice(&u16::try_from(hello.len()).expect("a short hello").to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(hello.as_bytes());
    stream.write_all(&frame).await.expect("it is sent");
    let mut first = [0; 2];
    stream.read_exact(&mut first).await.expect("a welcome");
    let mut rest = vec![
        0;
        match first[1] {
            126 => usize::from(stream.read_u16().await.expect("a length")),
            short => usize::from(short),
        }
    ];
    stream.read_exact(&mut rest).await.expect("a welcome");
    assert!(String::from_utf8_lossy(&rest).contains("welcome"));
    stream
}

// In a process of its own: what other stories take meanwhile would be counted otherwise.
#[test]
fn a_thousand_idle_sockets_cost_less_than_eight_kibibytes_each() {
    let program = std::env::current_exe().expect("this program");
    let mut command = std::process::Command::new(program);
    let output = command.args(["--exact", "sockets::measured_alone", "--ignored", "--nocapture"]).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    // No figure: a system that does not tell.
    let each = text.lines().find_map(|line| line.strip_prefix("bytes each: ")).and_then(|figure| figure.parse::<usize>().ok());
    assert!(each.is_none_or(|each| each < BYTES_MAX), "{each:?} bytes for each socket");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the story above"]
async fn measured_alone() {
    let served = Served::new().await;
    let site = served.add_site(json!({})).await;
    let begun = served.begin(&site, json!({})).await;
    let hello = json!({ "kind": "hello", "token": begun["visitor_token"], "conversation": null, "since_seq": 0 }).to_string();
    let mut sockets = Vec::with_capacity(COUNT + 200);
    // The first ones warm up what all share: allocator, runtime, tables.
    for _ in 0..200 {
        sockets.push(open(&served, &site, &hello).await);
    }
    let before = resident_bytes();
    for _ in 0..COUNT {
        sockets.push(open(&served, &site, &hello).await);
    }
    assert_eq!(served.app.front.live.count().1, COUNT + 200);
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        println!("\nbytes each: {}", after.saturating_sub(before) / COUNT);
    }
    drop(sockets);
    served.end().await;
}
