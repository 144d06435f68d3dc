use super::*;
use jsonwebtoken::{EncodingKey, Header};
use model::FakeRandom;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp(1_795_425_300_000);
const SECRET: &str = "a-secret-of-the-site-32-characters";
/// PKCS#8 of an Ed25519 key made for these tests (RFC 8032 test 1 seed), and its public half.
const SEED: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b,
    0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const PUBLIC: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda,
    0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

fn secrets() -> IdentitySecrets {
    IdentitySecrets { current: Some(SecretText::new(SECRET)), previous: None }
}

fn good() -> Value {
    json!({"sub": "cust-42", "exp": NOW.ms() / 1_000 + 3_600, "name": "Ada", "email": "ada@example.org", "email_verified": true, "jti": "j1"})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn hs256(claims: &Value, secret: &str) -> String {
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn eddsa(claims: &Value) -> String {
    let mut pkcs8 = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    pkcs8.extend_from_slice(&SEED);
    jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &EncodingKey::from_ed_der(&pkcs8)).unwrap()
}

fn check(token: &str) -> Result<VerifiedIdentity, IdentityError> {
    verify_jwt(token, JwtAlgorithm::Hs256, None, &secrets(), NOW)
}

fn public_b64() -> String {
    STANDARD.encode(PUBLIC)
}

#[test]
fn a_signed_token_names_a_customer_at_level_three() {
    let identity = check(&hs256(&good(), SECRET)).unwrap();
    assert_eq!(
        identity,
        VerifiedIdentity {
            level: 3,
            id: "cust-42".into(),
            name: Some("Ada".into()),
            email: Some("ada@example.org".into()),
            email_verified: true,
            jti: Some("j1".into()),
            until: NOW.plus_seconds(3_600),
        }
    );
    let bare = json!({"sub": "顧客-1", "exp": NOW.ms() / 1_000 + 60});
    assert_eq!(check(&hs256(&bare, SECRET)).unwrap().id, "顧客-1");
}

#[test]
fn a_key_pair_works_in_every_form_of_its_public_half() {
    let spki = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..], &PUBLIC].concat();
    let forms = [
        public_b64(),
        URL_SAFE_NO_PAD.encode(PUBLIC),
        STANDARD.encode(&spki),
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&spki)),
        json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(PUBLIC)}).to_string(),
    ];
    for form in forms {
        let checked = verify_jwt(&eddsa(&good()), JwtAlgorithm::EdDsa, Some(&form), &IdentitySecrets::default(), NOW);
        assert_eq!(checked.unwrap().level, 3, "{form}");
    }
    for broken in ["", "AAAA", "{}", "{\"kty\":\"RSA\"}", "-----BEGIN PUBLIC KEY-----", &STANDARD.encode([1; 33])] {
        assert_eq!(parse_public_key(broken), None, "{broken}");
    }
}

#[test]
fn forged_tokens_are_refused_whatever_their_header_says() {
    let token = hs256(&good(), SECRET);
    let (head, rest) = token.split_once('.').unwrap();
    let (claims, mac) = rest.split_once('.').unwrap();
    let header = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let other = URL_SAFE_NO_PAD.encode(with("sub", json!("cust-1")).to_string());
    let forged = [
        format!("{}.{claims}.", header(json!({"alg": "none"}))),
        format!("{}.{claims}.", header(json!({"alg": "None", "typ": "JWT"}))),
        format!("{}.{claims}.{mac}", header(json!({"alg": "none"}))),
        format!("{}.{claims}.{mac}", header(json!({"alg": "HS384"}))),
        format!("{}.{claims}.{mac}", header(json!({"alg": "EdDSA"}))),
        format!("{head}.{other}.{mac}"),
        format!("{head}.{claims}."),
        format!("{head}.{claims}.{}", &mac[..mac.len() - 1]),
        format!("{head}.{claims}.{mac}A"),
        format!("{head}.{claims}"),
        format!("{token}.{mac}"),
        hs256(&good(), "another-secret-of-32-characters!!"),
        eddsa(&good()),
        String::new(),
        "..".to_owned(),
        "not a token".to_owned(),
        "ü.ñ.é".to_owned(),
        token[..20].to_owned(),
        "a".repeat(100_000),
    ];
    for token in forged {
        assert_eq!(check(&token), Err(IdentityError::Forged), "{}", &token[..token.len().min(80)]);
    }
}

#[test]
fn a_public_key_never_serves_as_a_secret() {
    // The classic confusion: the attacker knows the public key and signs HS256 with its text or its bytes.
    for text in [public_b64(), String::from_utf8_lossy(&PUBLIC).into_owned()] {
        let token = hs256(&good(), &text);
        let checked = verify_jwt(&token, JwtAlgorithm::EdDsa, Some(&public_b64()), &secrets(), NOW);
        assert_eq!(checked, Err(IdentityError::Forged));
    }
    // And a site that once used a secret and now uses a key pair does not accept the secret any more.
    assert_eq!(
        verify_jwt(&hs256(&good(), SECRET), JwtAlgorithm::EdDsa, Some(&public_b64()), &secrets(), NOW),
        Err(IdentityError::Forged)
    );
    assert_eq!(
        verify_jwt(&eddsa(&good()), JwtAlgorithm::Hs256, Some(&public_b64()), &secrets(), NOW),
        Err(IdentityError::Forged)
    );
}

#[test]
fn times_of_a_token_count_by_our_clock() {
    let at = |seconds: i64| with("exp", json!(NOW.ms() / 1_000 + seconds));
    let of = |claims: Value| check(&hs256(&claims, SECRET)).map(|identity| identity.until);
    assert_eq!(of(at(-61)), Err(IdentityError::Expired));
    assert!(of(at(-59)).is_ok(), "clocks may differ by a minute");
    assert!(of(at(24 * 3_600)).is_ok());
    for claims in [
        at(24 * 3_600 + 120),
        at(10 * 365 * 24 * 3_600),
        with("exp", json!(NOW.ms())),
        with("exp", json!(1e300)),
        with("exp", json!(u64::MAX)),
    ] {
        assert!(matches!(of(claims.clone()), Err(IdentityError::BadClaims(text)) if text.contains("24 hours")), "{claims}");
    }
    for claims in [without("exp"), with("exp", json!("tomorrow")), with("exp", Value::Null), with("exp", json!(-5))] {
        assert!(matches!(of(claims.clone()), Err(IdentityError::BadClaims(text)) if text.contains("exp")), "{claims}");
    }
    assert!(matches!(of(with("nbf", json!(NOW.ms() / 1_000 + 600))), Err(IdentityError::BadClaims(_))));
    assert!(of(with("nbf", json!(NOW.ms() / 1_000 - 600))).is_ok());
}

#[test]
fn claims_that_could_name_somebody_else_are_refused() {
    let refused = [
        without("sub"),
        with("sub", json!("")),
        with("sub", json!(" cust-42")),
        with("sub", json!("cust-42\n")),
        with("sub", json!("a\0b")),
        with("sub", json!(42)),
        with("sub", json!("x".repeat(256))),
        with("email", json!("not an address")),
        with("email", json!(5)),
        with("email_verified", json!("true")),
        with("name", json!({"first": "Ada"})),
        with("name", json!("x".repeat(201))),
    ];
    for claims in refused {
        assert!(matches!(check(&hs256(&claims, SECRET)), Err(IdentityError::BadClaims(_))), "{claims}");
    }
    assert!(check(&hs256(&with("sub", json!(["cust-42"])), SECRET)).is_err());
    assert_eq!(check(&hs256(&with("sub", json!("é".repeat(255))), SECRET)).unwrap().id.chars().count(), 255);
    assert_eq!(check(&hs256(&with("name", json!("A\u{7}da\n")), SECRET)).unwrap().name.as_deref(), Some("Ada"));
    assert!(!check(&hs256(&without("email_verified"), SECRET)).unwrap().email_verified);
}

#[test]
fn a_rotated_secret_is_good_until_it_is_taken_away() {
    let token = hs256(&good(), "the-old-secret-of-the-site!");
    let both = IdentitySecrets { previous: Some(SecretText::new("the-old-secret-of-the-site!")), ..secrets() };
    assert!(verify_jwt(&token, JwtAlgorithm::Hs256, None, &both, NOW).is_ok());
    assert_eq!(check(&token), Err(IdentityError::Forged));
}

#[test]
fn without_a_key_nobody_is_known() {
    for secrets in [IdentitySecrets::default(), IdentitySecrets { current: Some(SecretText::new("")), previous: None }] {
        let forged = hs256(&good(), "");
        assert_eq!(verify_jwt(&forged, JwtAlgorithm::Hs256, None, &secrets, NOW), Err(IdentityError::NotSet));
        assert_eq!(verify_hmac("cust-42", &"0".repeat(64), &secrets, NOW), Err(IdentityError::NotSet));
    }
    assert_eq!(verify_jwt(&eddsa(&good()), JwtAlgorithm::EdDsa, None, &secrets(), NOW), Err(IdentityError::NotSet));
}

#[test]
fn the_keyed_hash_of_an_id_proves_level_two() {
    // HMAC-SHA256 of "cust-42" under SECRET, computed with Python's hmac module.
    let hex = "0c24ded3b7bd33ce9e3dc6a5b931112cfb9d188fef5aa0c30fc11181dc0ac19c";
    let identity = verify_hmac("cust-42", hex, &secrets(), NOW).unwrap();
    assert_eq!((identity.level, identity.id.as_str(), identity.until), (2, "cust-42", NOW.plus_ms(HASH_LIFE_MS)));
    assert!(verify_hmac("cust-42", &hex.to_uppercase(), &secrets(), NOW).is_ok());
    for (id, hex) in [
        ("cust-43", hex),
        ("cust-42", &hex[..62]),
        ("cust-42", ""),
        ("cust-42", "zz"),
        ("", hex),
        ("cust-42", &"ü".repeat(32)),
        ("cust-42", &format!("+{}", &hex[1..])),
    ] {
        assert_eq!(verify_hmac(id, hex, &secrets(), NOW), Err(IdentityError::Forged), "{id} {hex}");
    }
}

fn key(number: u32) -> VisitorKey {
    VisitorKey { number, bytes: [number as u8; 32] }
}

const WORKSPACE: WorkspaceId = WorkspaceId(1);
const INBOX: InboxId = InboxId(2);

#[test]
fn a_visitor_token_comes_back_as_it_was_made() {
    let visitor = new_visitor_id(&FakeRandom::new(1));
    assert!(is_visitor_id(&visitor), "{visitor}");
    let identity = check(&hs256(&good(), SECRET)).unwrap();
    let token = VisitorToken::new(&visitor, NOW).proven(Some(identity));
    let text = token.sign(&key(2), WORKSPACE, INBOX);
    assert!(text.starts_with("2.") && text.is_ascii() && !text.contains(['+', '/', '=', ' ']), "{text}");
    let read = VisitorToken::verify(&text, &[key(1), key(2)], WORKSPACE, INBOX, NOW).unwrap();
    assert_eq!(read, token);
    assert!(read.verified_at(NOW.plus_seconds(3_599)).is_some());
    assert!(read.verified_at(NOW.plus_seconds(3_600)).is_none(), "what was proved ends with the proof, the visitor does not");
}

#[test]
fn the_longest_identity_still_fits_into_a_token() {
    let long = json!({"sub": "😀".repeat(255), "exp": NOW.ms() / 1_000 + 60, "name": "😀".repeat(200), "jti": "😀".repeat(255),
        "email": format!("{}@{}.example.org", "a".repeat(64), "b".repeat(60)), "email_verified": true});
    let token = VisitorToken::new(new_visitor_id(&FakeRandom::new(1)), NOW).proven(Some(check(&hs256(&long, SECRET)).unwrap()));
    let text = token.sign(&key(1), WORKSPACE, INBOX);
    assert_eq!(VisitorToken::verify(&text, &[key(1)], WORKSPACE, INBOX, NOW), Ok(token), "{} bytes", text.len());
}

#[test]
fn a_visitor_token_is_good_for_its_inbox_and_key_only() {
    let text = VisitorToken::new("vis_x", NOW).sign(&key(1), WORKSPACE, INBOX);
    let of = |text: &str, keys: &[VisitorKey], workspace, inbox, now| {
        VisitorToken::verify(text, keys, workspace, inbox, now).map(|_| ())
    };
    assert_eq!(of(&text, &[key(1)], WORKSPACE, INBOX, NOW), Ok(()));
    let forged = [
        of(&text, &[key(1)], WorkspaceId(9), INBOX, NOW),
        of(&text, &[key(1)], WORKSPACE, InboxId(9), NOW),
        of(&text, &[key(2)], WORKSPACE, INBOX, NOW),
        of(&text, &[VisitorKey { number: 1, bytes: [9; 32] }], WORKSPACE, INBOX, NOW),
        of(&text, &[], WORKSPACE, INBOX, NOW),
        of(&text.replacen("1.", "01.", 1), &[key(1)], WORKSPACE, INBOX, NOW),
        of(&text[..text.len() - 1], &[key(1)], WORKSPACE, INBOX, NOW),
        of(text.rsplit_once('.').unwrap().0, &[key(1)], WORKSPACE, INBOX, NOW),
        of(&format!("{}.", text.rsplit_once('.').unwrap().0), &[key(1)], WORKSPACE, INBOX, NOW),
        of("", &[key(1)], WORKSPACE, INBOX, NOW),
        of("1.ü.ü", &[key(1)], WORKSPACE, INBOX, NOW),
        of(&"1.".repeat(50_000), &[key(1)], WORKSPACE, INBOX, NOW),
    ];
    assert!(forged.iter().all(|result| *result == Err(TokenError::Forged)), "{forged:?}");
    assert_eq!(of(&text, &[key(1)], WORKSPACE, INBOX, NOW.plus_ms(TOKEN_LIFE_MS + 1)), Err(TokenError::TooOld));
    assert_eq!(
        of(&text, &[key(1)], WORKSPACE, INBOX, NOW.plus_ms(-3_600_000)),
        Ok(()),
        "a clock that was put back shuts nobody out"
    );
}

#[test]
fn visitor_ids_are_told_from_everything_else() {
    let ids: std::collections::BTreeSet<String> = (0..1_000).map(|seed| new_visitor_id(&FakeRandom::new(seed))).collect();
    assert_eq!(ids.len(), 1_000);
    for wrong in [
        "",
        "vis_",
        "vis_short",
        "ctc_0cn99439p060h0cn99439p060h",
        "vis_0cn99439p060h0cn99439p060:",
        "vis_0CN99439P060H0CN99439P060H",
    ] {
        assert!(!is_visitor_id(wrong), "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn random_text_is_never_a_proof(text in ".{0,200}", tokenish in "[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}") {
        for text in [&text, &tokenish] {
            prop_assert_eq!(check(text), Err(IdentityError::Forged));
            prop_assert!(verify_jwt(text, JwtAlgorithm::EdDsa, Some(&public_b64()), &secrets(), NOW).is_err());
            prop_assert!(VisitorToken::verify(text, &[key(1)], WORKSPACE, INBOX, NOW).is_err());
            prop_assert!(verify_hmac("cust-42", text, &secrets(), NOW).is_err());
            let _ = parse_public_key(text);
        }
    }

    #[test]
    fn any_changed_character_breaks_a_visitor_token(at in any::<prop::sample::Index>(), by in "[A-Za-z0-9_.-]") {
        let text = VisitorToken::new("vis_x", NOW).sign(&key(1), WORKSPACE, INBOX);
        let at = at.index(text.len());
        let mut changed = text.clone();
        changed.replace_range(at..=at, &by);
        let same = changed == text;
        prop_assert_eq!(VisitorToken::verify(&changed, &[key(1)], WORKSPACE, INBOX, NOW).is_ok(), same);
    }
}
