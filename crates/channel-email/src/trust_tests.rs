use super::*;
use crate::address;

const OWN: Option<&str> = Some("mx.shop.test");

fn judged(fields: &[(&str, &str)], found: Option<&Found>) -> Verdict {
    let headers: Headers = fields.iter().copied().collect();
    let stored = found.map(|found| serde_json::to_vec(found).unwrap());
    judge(&headers, &address::sender(&headers), stored.as_deref(), OWN)
}

fn said(results: &str) -> SenderTrust {
    judged(&[("Authentication-Results", results), ("From", "Jo <jo@cust.test>")], None).trust
}

#[test]
fn the_providers_word_decides_over_imap() {
    for (results, wanted) in [
        ("mx.shop.test; dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=cust.test", SenderTrust::Controlled),
        (
            "mx.shop.test 1; spf=pass smtp.mailfrom=jo@cust.test; dkim=pass header.i=@cust.test header.s=s1;\r\n\tdmarc=pass header.from=cust.test",
            SenderTrust::Controlled,
        ),
        ("MX.Shop.Test; dmarc=PASS header.from=Cust.Test", SenderTrust::Controlled),
        // The domain only wants reports: it does not say that this is forged.
        ("mx.shop.test; dmarc=fail (p=NONE sp=NONE dis=NONE) header.from=cust.test", SenderTrust::Unverified),
        ("mx.shop.test; dmarc=fail action=none header.from=cust.test", SenderTrust::Unverified),
        ("mx.shop.test; dmarc=fail (p=REJECT) header.from=cust.test", SenderTrust::Failed),
        ("mx.shop.test; dkim=pass header.d=evil.test; dmarc=fail (p=quarantine) header.from=cust.test", SenderTrust::Failed),
        // About another domain than the one that the mail shows.
        ("mx.shop.test; dmarc=pass header.from=evil.test", SenderTrust::Unverified),
        ("mx.shop.test; dmarc=pass header.from=cust.test.evil.test", SenderTrust::Unverified),
        // No DMARC: a signature of the same domain, or of the one above it.
        ("mx.shop.test; dkim=pass header.d=cust.test", SenderTrust::Controlled),
        ("mx.shop.test; dkim=pass header.i=jo@cust.test", SenderTrust::Controlled),
        ("mx.shop.test; dkim=pass header.d=evil.test", SenderTrust::Unverified),
        ("mx.shop.test; dkim=pass header.d=evil.cust.test", SenderTrust::Unverified),
        ("mx.shop.test; dkim=pass header.d=test", SenderTrust::Unverified),
        ("mx.shop.test; dkim=fail header.d=cust.test", SenderTrust::Unverified),
        ("mx.shop.test; spf=pass smtp.mailfrom=jo@cust.test", SenderTrust::Unverified),
        ("mx.shop.test; none", SenderTrust::Unverified),
        ("mx.shop.test; dmarc=temperror header.from=cust.test", SenderTrust::Unverified),
        // What stands in comments and in quotes is no result.
        ("mx.shop.test; spf=fail (dmarc=pass header.from=cust.test) smtp.mailfrom=x", SenderTrust::Unverified),
        ("mx.shop.test; spf=fail smtp.mailfrom=\"x; dmarc=pass header.from=cust.test\"", SenderTrust::Unverified),
        ("evil.test; dmarc=pass header.from=cust.test", SenderTrust::Unverified),
        ("mx.shop.test.evil.test; dmarc=pass header.from=cust.test", SenderTrust::Unverified),
        ("(mx.shop.test) evil.test; dmarc=pass header.from=cust.test", SenderTrust::Unverified),
        ("dmarc=pass header.from=cust.test", SenderTrust::Unverified),
        ("", SenderTrust::Unverified),
    ] {
        assert_eq!(said(results), wanted, "{results}");
    }
}

#[test]
fn c18_a_forged_result_counts_nothing_wherever_it_stands() {
    let forged = ("Authentication-Results", "mx.shop.test; dmarc=pass header.from=cust.test");
    let from = ("From", "jo@cust.test");
    // Below the provider's own, which says otherwise.
    let own = ("Authentication-Results", "mx.shop.test; dmarc=fail (p=REJECT) header.from=cust.test");
    assert_eq!(judged(&[own, forged, from], None).trust, SenderTrust::Failed);
    let none = ("Authentication-Results", "mx.shop.test; dmarc=none header.from=cust.test");
    assert_eq!(judged(&[none, forged, from], None).trust, SenderTrust::Unverified);
    // Below one of a relay: the topmost is not the provider's.
    let relay = ("Authentication-Results", "relay.test; dmarc=none");
    assert_eq!(judged(&[relay, forged, from], None).trust, SenderTrust::Unverified);
    // An inbox that has not learned its provider's name believes nobody.
    let headers: Headers = [forged, from].into_iter().collect();
    for unknown in [None, Some(""), Some(" ")] {
        assert_eq!(judge(&headers, &address::sender(&headers), None, unknown).trust, SenderTrust::Unverified);
    }
}

#[test]
fn more_than_one_sender_is_no_sender() {
    let pass = ("Authentication-Results", "mx.shop.test; dmarc=pass header.from=cust.test");
    let good = Found {
        version: FOUND_VERSION,
        from_domain: Some("cust.test".into()),
        direct: true,
        dmarc_dkim: Outcome::Pass,
        policy: Some("reject".into()),
        ..Found::default()
    };
    for from in [
        &[("From", "jo@cust.test"), ("From", "evil@x.test")][..],
        &[("From", "jo@cust.test, ann@cust.test")],
        &[("From", "no address")],
        &[],
    ] {
        let fields: Vec<(&str, &str)> = [pass].into_iter().chain(from.iter().copied()).collect();
        assert_eq!(judged(&fields, Some(&good)).trust, SenderTrust::Failed, "{from:?}");
    }
}

#[test]
fn look_ups_are_judged_by_what_could_be_known() {
    let base = Found {
        version: FOUND_VERSION,
        from_domain: Some("cust.test".into()),
        policy: Some("reject".into()),
        ..Found::default()
    };
    let direct = Found { direct: true, ..base.clone() };
    let cases = [
        ("signed, aligned", Found { dmarc_dkim: Outcome::Pass, ..direct.clone() }, SenderTrust::Controlled),
        ("right server, aligned", Found { dmarc_spf: Outcome::Pass, ..direct.clone() }, SenderTrust::Controlled),
        ("neither, reject", direct.clone(), SenderTrust::Failed),
        ("neither, quarantine", Found { policy: Some("quarantine".into()), ..direct.clone() }, SenderTrust::Failed),
        ("neither, policy none", Found { policy: Some("none".into()), ..direct.clone() }, SenderTrust::Unverified),
        ("no record", Found { policy: None, ..direct.clone() }, SenderTrust::Unverified),
        ("DNS away", Found { dmarc_dkim: Outcome::Temperror, ..direct.clone() }, SenderTrust::Unverified),
        ("SPF could not be asked", Found { spf: Outcome::Temperror, ..direct.clone() }, SenderTrust::Unverified),
        ("by IMAP, signed", Found { dmarc_dkim: Outcome::Pass, ..base.clone() }, SenderTrust::Controlled),
        // Without the sending server nothing can be disproved.
        ("by IMAP, unsigned", base.clone(), SenderTrust::Unverified),
        ("by IMAP, SPF means nothing", Found { dmarc_spf: Outcome::Pass, ..base.clone() }, SenderTrust::Unverified),
        (
            "about another domain",
            Found { from_domain: Some("evil.test".into()), dmarc_dkim: Outcome::Pass, ..direct.clone() },
            SenderTrust::Unverified,
        ),
        ("another form", Found { version: 99, dmarc_dkim: Outcome::Pass, ..direct }, SenderTrust::Unverified),
    ];
    for (name, found, wanted) in cases {
        assert_eq!(judged(&[("From", "jo@cust.test")], Some(&found)).trust, wanted, "{name}");
    }
    // The provider saw the server; a good signature is proof even where the provider says nothing.
    let results = ("Authentication-Results", "mx.shop.test; dmarc=fail (p=REJECT) header.from=cust.test");
    assert_eq!(judged(&[results, ("From", "jo@cust.test")], Some(&base)).trust, SenderTrust::Failed);
    let signed = Found { dmarc_dkim: Outcome::Pass, ..base };
    assert_eq!(judged(&[("From", "jo@cust.test")], Some(&signed)).trust, SenderTrust::Controlled);
    // Broken evidence is none.
    let headers: Headers = [("From", "jo@cust.test")].into_iter().collect();
    assert_eq!(judge(&headers, &address::sender(&headers), Some(b"\xff{"), OWN).trust, SenderTrust::Unverified);
}

#[test]
fn results_are_read_as_servers_write_them() {
    let google = "mx.google.com;\r\n       dkim=pass header.i=@cust.test header.s=s1 header.b=\"ab+c/d\";\r\n       spf=pass (google.com: domain of jo@cust.test designates 192.0.2.1 as permitted sender) smtp.mailfrom=jo@cust.test;\r\n       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=cust.test";
    let results = parse_results(google).unwrap();
    assert_eq!(results.server, "mx.google.com");
    let methods: Vec<(&str, Outcome, Option<String>)> =
        results.methods.iter().map(|one| (one.method.as_str(), one.outcome, one.domain())).collect();
    let domain = Some("cust.test".to_owned());
    assert_eq!(
        methods,
        [("dkim", Outcome::Pass, domain.clone()), ("spf", Outcome::Pass, domain.clone()), ("dmarc", Outcome::Pass, domain)]
    );
    // Microsoft names no server.
    let microsoft = parse_results("spf=none (sender IP is 192.0.2.1) smtp.helo=x.test; dkim=none (message not signed) header.d=none;dmarc=fail action=none header.from=cust.test;compauth=softpass reason=202").unwrap();
    assert_eq!((microsoft.server.as_str(), microsoft.methods.len()), ("", 4));
    assert_eq!(parse_results(""), None);
    for odd in ["((((((", "\"\"\"", ";;;;;;", "a=b=c;=;=d", "\\", "x; dmarc", "x; =pass", "é; dmarc=päss"] {
        let _ = parse_results(odd);
    }
    assert!(parse_results(&"x; a=b ".repeat(100_000)).unwrap().methods.len() <= 100);
}
