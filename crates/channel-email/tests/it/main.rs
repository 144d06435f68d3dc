//! Mail transport against real servers: Dovecot, Postfix and dnsmasq on loopback, with a proxy between that does harm. Without
//! the servers or without root each test fails with one sentence that says what to install.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

mod check;
mod fetch;
mod lmtp;
mod sign_in;
mod submit;

// The bed belongs to testkit; as a file, so that this leaf of the tree is tested without building the whole product.
#[path = "../../../testkit/src/mailbed.rs"]
#[allow(dead_code, unreachable_pub, reason = "other crates' tests use other parts of the bed")]
mod mailbed;
