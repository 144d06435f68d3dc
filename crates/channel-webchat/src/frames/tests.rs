use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn lines(text: &str) -> impl Iterator<Item = Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

fn message(text: &str) -> Value {
    json!({"kind": "message", "client_msg_id": "m_12345678", "text": text})
}

fn refusal(frame: Value) -> FrameError {
    ClientFrame::parse(frame.to_string().as_bytes()).unwrap_err()
}

#[test]
fn every_frame_of_the_browser_is_read_and_written_alike() {
    let mut words = std::collections::BTreeSet::new();
    for line in lines(include_str!("../../fixtures/client.jsonl")) {
        let frame = ClientFrame::parse(line.to_string().as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(serde_json::to_value(&frame).unwrap(), line);
        words.insert(frame.word());
    }
    assert_eq!(words.len(), 9, "each kind has a fixture: {words:?}");
}

#[test]
fn every_frame_of_the_server_is_written_as_documented() {
    let mut kinds = std::collections::BTreeSet::new();
    for line in lines(include_str!("../../fixtures/server.jsonl")) {
        let frame: ServerFrame = serde_json::from_value(line.clone()).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(serde_json::to_value(&frame).unwrap(), line);
        kinds.insert(line["kind"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds.len(), 10, "each kind has a fixture: {kinds:?}");
}

#[test]
fn what_is_no_frame_is_refused_with_its_code() {
    for line in lines(include_str!("../../fixtures/refused.jsonl")) {
        let error = refusal(line["frame"].clone());
        assert_eq!(serde_json::to_value(error.code).unwrap(), line["code"], "{}", line["why"]);
        let given = line["frame"]["client_msg_id"].as_str().filter(|id| is_client_msg_id(id));
        assert_eq!(error.client_msg_id.as_deref(), given, "{}: the browser learns which message it was", line["why"]);
    }
    for bytes in [&b""[..], b"{", b"\xff\xfe", b"\0", b"nul", b"{\"kind\":\"ping\"}{\"kind\":\"ping\"}", &[b'['; 10_000]] {
        assert_eq!(ClientFrame::parse(bytes).unwrap_err().code, RefusedCode::BadFrame);
    }
}

#[test]
fn limits_hold_at_their_edges() {
    let ok = |frame: Value| ClientFrame::parse(frame.to_string().as_bytes()).is_ok();
    assert!(ok(message(&"😀".repeat(TEXT_CHARS_MAX))), "characters count, not bytes");
    let error = refusal(message(&"x".repeat(TEXT_CHARS_MAX + 1)));
    assert_eq!((error.code, error.max), (RefusedCode::TooLong, Some(TEXT_CHARS_MAX as u64)));
    assert_eq!(refusal(message(&"x".repeat(FRAME_BYTES_MAX))).code, RefusedCode::BadFrame);

    let with = |key: &str, value: Value| {
        let mut frame = message("x");
        frame[key] = value;
        frame
    };
    let ids = |count: usize| json!(vec!["att_0cn99439p060h"; count]);
    assert!(ok(with("file_ids", ids(FILE_COUNT_MAX))));
    assert_eq!(refusal(with("file_ids", ids(FILE_COUNT_MAX + 1))).code, RefusedCode::TooManyFiles);

    let form = |count: usize, key: usize, value: usize| {
        let fields = (0..count).map(|n| (format!("{n:0key$}"), "v".repeat(value).into())).collect::<serde_json::Map<_, _>>();
        with("form", Value::Object(fields))
    };
    assert!(ok(form(FIELD_COUNT_MAX, KEY_CHARS_MAX, VALUE_CHARS_MAX)));
    assert!(!ok(form(FIELD_COUNT_MAX + 1, 4, 1)) && !ok(form(1, KEY_CHARS_MAX + 1, 1)) && !ok(form(1, 4, VALUE_CHARS_MAX + 1)));
}

#[test]
fn long_pages_are_cut_and_not_refused() {
    let mut frame = message("x");
    frame["page"] = json!({"url": "ü".repeat(3_000), "title": "t".repeat(1_000)});
    let Ok(ClientFrame::Message(read)) = ClientFrame::parse(frame.to_string().as_bytes()) else { panic!("refused") };
    let page = read.page.unwrap();
    assert_eq!((page.url.chars().count(), page.title.len()), (URL_CHARS_MAX, TITLE_CHARS_MAX));
}

#[test]
fn a_site_may_allow_less_than_the_grammar() {
    let mut settings = WebchatSettings::new("acme");
    let frame = ClientFrame::from_value(
        json!({"kind": "message", "client_msg_id": "m_12345678", "text": "", "file_ids": vec!["att_0cn99439p060h"; 3]}),
    )
    .unwrap();
    assert_eq!(frame.check(&settings), Ok(()));
    settings.attachments.count_max = 2;
    let error = frame.check(&settings).unwrap_err();
    assert_eq!((error.code, error.max, error.client_msg_id.as_deref()), (RefusedCode::TooManyFiles, Some(2), Some("m_12345678")));
    settings.attachments.enabled = false;
    assert_eq!(frame.check(&settings).unwrap_err().max, Some(0));
    assert_eq!(ClientFrame::from_value(message("x")).unwrap().check(&settings), Ok(()));
}

#[test]
fn one_bad_frame_of_a_post_does_not_take_the_others_along() {
    let body = json!({"frames": [message("one"), {"kind": "hologram"}, {"kind": "read", "up_to_seq": 3}]});
    let frames = parse_post(body.to_string().as_bytes()).unwrap();
    assert_eq!(frames.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert!(parse_post(json!({"frames": vec![json!({"kind": "ping"}); FRAMES_PER_POST_MAX]}).to_string().as_bytes()).is_ok());
    assert!(
        parse_post(json!({"frames": vec![json!({"kind": "ping"}); FRAMES_PER_POST_MAX + 1]}).to_string().as_bytes()).is_err()
    );
    assert!(parse_post(b"[]").is_err() && parse_post(b"{\"frames\":[],\"x\":1}").is_err());
}

#[test]
fn begin_takes_what_the_loader_sends_and_nothing_else() {
    let begin = Begin::parse(
        json!({"visitor_token": null, "claimed": {"plan": "gold"}, "page": {"url": "https://acme.com", "title": "Home", "referrer": ""}, "locale": "de-AT", "host_origin": "https://acme.com"})
            .to_string()
            .as_bytes(),
    )
    .unwrap();
    assert_eq!(begin.host_origin, "https://acme.com");
    assert!(Begin::parse(b"{}").is_ok(), "the origin check says no, not the grammar");
    for body in [
        json!({"admin": true}),
        json!({"jwt": 5}),
        json!({"jwt": "x".repeat(9_000)}),
        json!({"claimed": {"a": {"b": "c"}}}),
        json!([]),
    ] {
        assert_eq!(Begin::parse(body.to_string().as_bytes()).unwrap_err().code, RefusedCode::BadFrame, "{body}");
    }
    let shown = format!("{:?}", Begin { jwt: Some("secret".into()), visitor_token: Some("secret".into()), ..Begin::default() });
    assert!(!shown.contains("secret"));
}

#[test]
fn refusals_tell_the_browser_what_it_needs() {
    let shown = |error: FrameError| serde_json::to_value(error.into_frame()).unwrap();
    assert_eq!(
        shown(FrameError::rate_limited(1_001)),
        json!({"kind": "refused", "client_msg_id": null, "code": "rate_limited", "retry_after": 2})
    );
    assert_eq!(shown(FrameError::rate_limited(0))["retry_after"], 1);
    assert_eq!(shown(FrameError::rate_limited(i64::MAX - 999))["retry_after"], u32::MAX);
    let busy = FrameError::new(RefusedCode::Busy, "the disk is full").of(Some("m_12345678".into()));
    assert_eq!(
        shown(busy),
        json!({"kind": "refused", "client_msg_id": "m_12345678", "code": "busy"}),
        "our own trouble is not told"
    );
}

#[test]
fn texts_and_tokens_are_not_printed() {
    for line in lines(include_str!("../../fixtures/client.jsonl")) {
        let shown = format!("{:?}", ClientFrame::from_value(line).unwrap());
        assert!(!shown.contains("order") && !shown.contains("ada@") && !shown.contains("1.abc"), "{shown}");
    }
}

#[test]
fn addresses_that_look_like_addresses() {
    for good in ["a@b.cd", "ada.lovelace+shop@example.co.uk", "ü@bücher.example", "o'neil@example.org"] {
        assert!(looks_like_email(good), "{good}");
    }
    for bad in [
        "",
        "@",
        "a@",
        "@b.cd",
        "a@b",
        "a b@c.de",
        "a@b..cd",
        "a@.cd",
        "a@b.cd.",
        "a@b@c.de",
        "a@b.cd,e@f.gh",
        "<a@b.cd>",
        "a\n@b.cd",
        "\"a\"@b.cd",
    ] {
        assert!(!looks_like_email(bad), "{bad:?}");
    }
    assert!(!looks_like_email(&format!("{}@example.org", "a".repeat(65))));
}

#[test]
fn schemas_have_names_of_their_own() {
    use utoipa::{PartialSchema, ToSchema};
    let mut schemas = vec![];
    ClientFrame::schemas(&mut schemas);
    ServerFrame::schemas(&mut schemas);
    Begin::schemas(&mut schemas);
    Begun::schemas(&mut schemas);
    WebchatSettings::schemas(&mut schemas);
    crate::WebchatPatch::schemas(&mut schemas);
    let mut by_name = BTreeMap::new();
    for (name, schema) in schemas {
        let schema = serde_json::to_string(&schema).unwrap();
        assert_eq!(by_name.entry(name.clone()).or_insert_with(|| schema.clone()), &schema, "two schemas are called {name}");
    }
    for name in [
        "WebchatAttachments",
        "WebchatIdentity",
        "WebchatRates",
        "WidgetPage",
        "WidgetItem",
        "WidgetFile",
        "PreChatField",
        "WidgetTheme",
    ] {
        assert!(by_name.contains_key(name), "{name} is not among {:?}", by_name.keys());
    }
    assert!(serde_json::to_string(&ClientFrame::schema()).unwrap().contains("since_seq"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = ClientFrame::parse(&bytes);
        let _ = Begin::parse(&bytes);
        let _ = parse_post(&bytes);
    }

    #[test]
    fn broken_frames_never_panic_and_read_ones_survive_the_round_trip(at in 0usize..13, cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let line = include_str!("../../fixtures/client.jsonl").lines().nth(at).unwrap();
        let mut bytes = line.as_bytes().to_vec();
        let place = cut.index(bytes.len());
        bytes[place] = byte;
        for bytes in [&bytes[..], &bytes[..place]] {
            if let Ok(frame) = ClientFrame::parse(bytes) {
                let again = serde_json::to_vec(&frame).unwrap();
                prop_assert_eq!(ClientFrame::parse(&again), Ok(frame));
            }
        }
    }
}
