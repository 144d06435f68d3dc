//! How much memory the largest mail takes on its way from the server to the sink. A program of its own: the peak is the
//! process's.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../../testkit/src/mailbed.rs"]
#[allow(dead_code, unreachable_pub, reason = "other tests use other parts of the bed")]
mod mailbed;
#[path = "it/support.rs"]
#[allow(dead_code, reason = "other tests use other parts")]
mod support;

use support::*;

fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
}

#[tokio::test]
async fn a_mail_of_50_mb_stays_under_200_mb() {
    let bed = bed();
    let (wire, inbox, store) = (wire(quick()), inbox(bed.settings("support@shop.test")), Store::default());
    pull_until(&wire, &inbox, &store, "connected", |store| !store.news().is_empty()).await.unwrap();
    // From a child, so that this process has never held it.
    let head = "From: alice@cust.test\nTo: support@shop.test\nSubject: large\n\n";
    let script = format!(
        "{{ printf '{head}'; yes 'VGhlIGxhcmdlc3QgbWFpbCB0aGF0IGlzIGZldGNoZWQgd2hvbGU=' | head -c 49000000; }} | doveadm -c {}/dc/dovecot.conf save -u support@shop.test -m INBOX",
        bed.folder().display()
    );
    assert!(std::process::Command::new("sh").args(["-c", &script]).status().unwrap().success());
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak_mb();
    pull_until(&wire, &inbox, &store, "the mail", |store| !store.subjects().is_empty()).await.unwrap();
    let peak = peak_mb();
    println!("peak {peak} MB, {before} MB before");
    assert!(store.events()[0].body.len() > 49_000_000);
    assert!(peak < 200, "{peak} MB");
}
