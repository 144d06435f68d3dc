//! The check that an admin runs: what it says when all is well, and for each thing that is not; and what finds the servers.

use crate::mailbed::{BedOptions, MailBed};
use crate::support::*;
use channel::{CheckState, CheckStep, SetUp};
use channel_email::wire::{Times, Wire};
use mail_auth::hickory_resolver::TokioResolver;
use mail_auth::hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use model::{FakeRandom, SystemClock};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const US: &str = "support@shop.test";

async fn steps(wire: &Wire, inbox: &channel::InboxSettings) -> Vec<CheckStep> {
    let steps = Mutex::new(Vec::new());
    let keep = |step| steps.lock().unwrap().push(step);
    wire.check_steps(inbox, &keep).await;
    steps.into_inner().unwrap()
}

fn states(steps: &[CheckStep]) -> Vec<(&str, CheckState)> {
    steps.iter().map(|step| (step.result.code.as_str(), step.result.state)).collect()
}

#[tokio::test]
async fn a_mail_goes_out_and_comes_back_and_teaches_the_settings() {
    for files in [false, true] {
        let header_on_top = files.then(|| "Authentication-Results: MX.shop.test; dkim=none".to_owned());
        let bed = MailBed::start_with(&BedOptions { files_sent_copies: files, header_on_top, ..BedOptions::default() }).unwrap();
        let wire = wire(quick());
        let steps = steps(&wire, &inbox(bed.settings(US))).await;
        let ok = CheckState::Ok;
        assert_eq!(
            states(&steps),
            [("sign_in", ok), ("read", ok), ("send", ok), ("probe", ok), ("plus_address", ok)],
            "{steps:?}\n{}",
            bed.logs()
        );
        let mut learned = json!({"keeps_sent_copies": files});
        if files {
            learned["authserv_id"] = "mx.shop.test".into();
        }
        assert_eq!(steps[3].learned, Some(learned));
        assert_eq!(steps[4].learned, Some(json!({"plus_addressing": true})));
        for folder in ["INBOX", "Sent"] {
            assert_eq!(bed.count(US, folder).unwrap(), 0, "the check's mail has removed itself from {folder}");
        }
    }
}

#[tokio::test]
async fn each_failure_is_said_in_plain_words() {
    let bed = bed();
    let wire = wire(Times { connect: Duration::from_secs(2), command: Duration::from_secs(2), ..quick() });
    let first_failure = async |settings: serde_json::Value, password: &str| {
        let inbox = inbox_with(settings, secrets(&[("password", password)]));
        let steps = steps(&wire, &inbox).await;
        steps
            .into_iter()
            .find(|step| step.result.state == CheckState::Failed)
            .map(|step| (step.result.code, step.result.text))
            .unwrap()
    };
    let patched = |side: &str, server: serde_json::Value| {
        let mut settings = bed.settings(US);
        settings[side] = server;
        settings
    };
    let cases = [
        (bed.settings(US), "wrong", "sign_in", "app password"),
        (
            patched("imap", json!({"host": "127.0.0.1", "port": 1, "tls": "implicit"})),
            "secret",
            "sign_in",
            "nothing listens there",
        ),
        (
            patched("imap", json!({"host": "127.0.0.1", "port": bed.imap_port, "tls": "implicit"})),
            "secret",
            "sign_in",
            "STARTTLS",
        ),
        (patched("imap", json!({"host": "no-such-host.invalid", "port": 993})), "secret", "sign_in", "no server of this name"),
        (patched("smtp", json!({"host": "127.0.0.1", "port": 1, "tls": "starttls"})), "secret", "send", "nothing listens there"),
        (
            patched("smtp", json!({"host": "127.0.0.1", "port": bed.submission_port, "tls": "implicit"})),
            "secret",
            "send",
            "STARTTLS",
        ),
        (
            patched("smtp", json!({"host": "127.0.0.1", "port": bed.submission_port, "tls": "starttls", "login_name": "x"})),
            "secret",
            "send",
            "name and password",
        ),
        (patched("trusted_ca", json!(null)), "secret", "sign_in", "signed by nobody we know"),
    ];
    for (settings, password, code, words) in cases {
        let (have, text) = first_failure(settings, password).await;
        assert!(have == code && text.contains(words), "{code}, {words}: {have}, {text}");
    }
}

#[tokio::test]
async fn an_address_that_leads_elsewhere_is_noticed() {
    let bed = bed();
    let mut settings = bed.settings("alice@cust.test");
    settings["imap"]["login_name"] = US.into();
    settings["smtp"]["login_name"] = US.into();
    let steps = steps(&wire(Times { probe: Duration::from_secs(3), ..quick() }), &inbox(settings)).await;
    let probe = steps.iter().find(|step| step.result.code == "probe").unwrap();
    assert_eq!(probe.result.state, CheckState::Failed);
    assert!(probe.result.text.contains("whether this address leads to this mailbox"), "{}", probe.result.text);
}

#[tokio::test]
async fn an_inbox_that_only_hears_is_checked_as_far_as_can_be() {
    let bed = bed();
    let mut settings = bed.settings(US);
    settings["imap"] = serde_json::Value::Null;
    let steps = steps(&wire(quick()), &inbox(settings)).await;
    assert_eq!(states(&steps), [("read", CheckState::Ok), ("send", CheckState::Ok), ("probe", CheckState::Warn)]);
}

#[tokio::test]
async fn servers_are_found_by_exchangers_and_by_service_records() {
    let dns_lines = [
        "mx-host=firm.test,aspmx.l.google.com,10",
        "srv-host=_imaps._tcp.own.test,imap.own.test,993,10,5",
        "srv-host=_imaps._tcp.own.test,backup.own.test,993,20,5",
        "srv-host=_submission._tcp.own.test,smtp.own.test,587,10,5",
        "srv-host=_submissions._tcp.own.test,.,0,0,0",
    ];
    let options = BedOptions { dns_lines: dns_lines.map(str::to_owned).into(), ..BedOptions::default() };
    let bed = MailBed::start_with(&options).unwrap();
    let mut server = NameServerConfig::udp_and_tcp([127, 0, 0, 1].into());
    server.connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()]
        .into_iter()
        .map(|mut connection| {
            connection.port = bed.dns_port;
            connection
        })
        .collect();
    let resolver = TokioResolver::builder_with_config(ResolverConfig::from_parts(None, vec![], vec![server]), Default::default())
        .build()
        .unwrap();
    let wire = Wire::with(Arc::new(SystemClock), Arc::new(FakeRandom::new(1)), quick(), Some(resolver));
    let found = wire.discover("support@gmail.com").await.unwrap();
    assert_eq!((found.preset.as_deref(), found.by.as_str()), (Some("gmail"), "domain"));
    let found = wire.discover("support@firm.test").await.unwrap();
    assert_eq!((found.preset.as_deref(), found.by.as_str()), (Some("gmail"), "mx"));
    let found = wire.discover("support@own.test").await.unwrap();
    assert_eq!(found.by, "srv");
    assert_eq!(found.settings["imap"]["host"], "imap.own.test");
    assert_eq!((&found.settings["smtp"]["host"], &found.settings["smtp"]["tls"]), (&json!("smtp.own.test"), &json!("starttls")));
    for odd in ["", "support", "@own.test", "support@localhost"] {
        assert_eq!(wire.discover(odd).await, None, "{odd}");
    }
}
