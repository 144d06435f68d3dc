use crate::{BlobError, Blobs, ByteRange, FaultPlan, Put};
use model::{Timestamp, WorkspaceId};
use std::path::Path;

const ONE: WorkspaceId = WorkspaceId(1);
const TWO: WorkspaceId = WorkspaceId(2);
const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

async fn blobs() -> (tempfile::TempDir, Blobs) {
    let home = tempfile::tempdir().unwrap();
    let blobs = Blobs::open_folder(&home.path().join("files")).await.unwrap();
    (home, blobs)
}

fn unfinished(home: &Path) -> usize {
    std::fs::read_dir(home.join("files/tmp")).unwrap().count()
}

#[tokio::test]
async fn what_is_put_is_got_under_its_hash_and_only_in_its_workspace() {
    let (home, blobs) = blobs().await;
    let put = blobs.put_bytes(ONE, b"hello").await.unwrap();
    assert_eq!(put, Put { sha256: HELLO.to_owned(), bytes: 5, head: b"hello".to_vec() });
    assert_eq!(blobs.get(ONE, HELLO, 5).await.unwrap(), b"hello");
    assert_eq!(blobs.size(ONE, HELLO).await, Ok(5));
    assert_eq!(blobs.get(TWO, HELLO, 5).await, Err(BlobError::NotFound));
    assert_eq!(blobs.get(ONE, HELLO, 4).await, Err(BlobError::TooLarge { bytes_max: 4 }));
    assert_eq!(unfinished(home.path()), 0);
    assert!(!format!("{put:?}").contains("hello"));
}

#[tokio::test]
async fn the_same_again_is_success_and_one_object() {
    let (_home, blobs) = blobs().await;
    let puts = futures(&blobs, 8).await;
    assert!(puts.iter().all(|put| put.as_ref().is_ok_and(|put| put.sha256 == HELLO)), "{puts:?}");
    assert_eq!(blobs.list(ONE, None, 10).await.unwrap().len(), 1);
    assert_eq!(blobs.get(ONE, HELLO, 5).await.unwrap(), b"hello");
}

async fn futures(blobs: &Blobs, count: usize) -> Vec<Result<Put, BlobError>> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let blobs = blobs.clone();
        tasks.spawn(async move { blobs.put_bytes(ONE, b"hello").await });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn an_upload_in_pieces_is_limited_and_leaves_nothing_when_it_breaks_off() {
    let (home, blobs) = blobs().await;
    let mut upload = blobs.begin(ONE, 6).await.unwrap();
    upload.write(b"hel").await.unwrap();
    upload.write(b"lo").await.unwrap();
    assert_eq!(upload.bytes(), 5);
    assert_eq!(upload.finish().await.unwrap().sha256, HELLO);

    let mut upload = blobs.begin(ONE, 6).await.unwrap();
    upload.write(b"hello").await.unwrap();
    assert_eq!(upload.write(b"!!").await, Err(BlobError::TooLarge { bytes_max: 6 }));
    assert_eq!(unfinished(home.path()), 1);
    drop(upload);
    assert_eq!(unfinished(home.path()), 0);
    assert_eq!(blobs.list(ONE, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn ranges_of_a_large_object() {
    let (_home, blobs) = blobs().await;
    let content: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
    let put = blobs.put_bytes(ONE, &content).await.unwrap();
    assert_eq!(put.head, content[..crate::HEAD_BYTES]);
    for (start, end) in [(0, 200_000), (0, 1), (65_535, 131_073), (199_999, 200_000), (5, 5)] {
        let mut reader = blobs.read(ONE, &put.sha256, Some(ByteRange { start, end })).await.unwrap();
        assert_eq!(reader.bytes_total(), 200_000);
        let mut got = vec![];
        while let Some(chunk) = reader.next_chunk().await.unwrap() {
            got.extend_from_slice(&chunk);
        }
        assert_eq!(got, content[start as usize..end as usize], "{start}..{end}");
    }
    let beyond = blobs.read(ONE, &put.sha256, Some(ByteRange { start: 0, end: 200_001 })).await;
    assert_eq!(beyond.unwrap_err(), BlobError::OutOfRange { bytes_total: 200_000 });
}

#[tokio::test]
async fn a_key_cannot_name_a_path() {
    let (home, blobs) = blobs().await;
    std::fs::write(home.path().join("outside"), "secret").unwrap();
    for key in ["../../outside", "", "..", "/etc/passwd", &HELLO.to_uppercase(), &format!("{HELLO}0"), &"ü".repeat(32)] {
        assert_eq!(blobs.get(ONE, key, 100).await, Err(BlobError::NotFound), "{key}");
        assert_eq!(blobs.delete(ONE, key).await, Err(BlobError::NotFound), "{key}");
    }
}

#[tokio::test]
async fn deleting_and_listing_for_the_sweeper() {
    let (_home, blobs) = blobs().await;
    let mut keys = vec![];
    for n in 0..20u8 {
        keys.push(blobs.put_bytes(ONE, &[n]).await.unwrap().sha256);
    }
    blobs.put_bytes(TWO, b"other").await.unwrap();
    keys.sort();
    let mut seen = vec![];
    loop {
        let page = blobs.list(ONE, seen.last().map(String::as_str), 7).await.unwrap();
        assert!(page.iter().all(|object| object.bytes == 1 && object.put_at > Timestamp(1_600_000_000_000)));
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|object| object.sha256));
    }
    assert_eq!(seen, keys);
    assert_eq!(blobs.delete(ONE, &keys[0]).await, Ok(true));
    assert_eq!(blobs.delete(ONE, &keys[0]).await, Ok(false));
    assert_eq!(blobs.size(ONE, &keys[0]).await, Err(BlobError::NotFound));
    assert_eq!(blobs.list(WorkspaceId(3), None, 7).await, Ok(vec![]));
}

#[tokio::test]
async fn what_a_killed_process_left_is_swept_when_it_is_old() {
    let (home, blobs) = blobs().await;
    std::fs::write(home.path().join("files/tmp/99-0"), "half").unwrap();
    assert_eq!(blobs.sweep_unfinished(Timestamp(1_000)).await, Ok(0));
    assert_eq!(blobs.sweep_unfinished(Timestamp(i64::MAX)).await, Ok(1));
    assert_eq!(unfinished(home.path()), 0);
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_said_at_the_start() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "").unwrap();
    let error = Blobs::open_folder(&home.path().join("file")).await.unwrap_err();
    assert!(matches!(error, BlobError::Broken(_)), "{error}");
}

#[tokio::test]
async fn every_call_can_be_made_to_fail_and_a_second_try_succeeds() {
    let (home, blobs) = blobs().await;
    for nth in 1..=2 {
        blobs.set_fault(Some(FaultPlan { nth, count: 1, error: BlobError::Full }));
        assert_eq!(blobs.put_bytes(ONE, b"hello").await, Err(BlobError::Full), "call {nth}");
        assert_eq!(unfinished(home.path()), 0);
        assert!(blobs.put_bytes(ONE, b"hello").await.is_ok());
    }
    blobs.set_fault(Some(FaultPlan { nth: 9, count: 1, error: BlobError::Full }));
    blobs.get(ONE, HELLO, 9).await.unwrap();
    assert_eq!(blobs.fault_calls(), 1);
    blobs.set_fault(None);
    assert_eq!(blobs.fault_calls(), 0);
}
