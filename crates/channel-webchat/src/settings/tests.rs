use super::*;
use proptest::prelude::*;
use serde_json::json;

fn refused(input: serde_json::Value) -> SettingsError {
    WebchatSettings::from_input(&input).unwrap_err()
}

#[test]
fn nothing_at_all_gives_complete_settings_that_check() {
    let settings = WebchatSettings::from_input(&json!({})).unwrap();
    assert_eq!(settings, WebchatSettings::default());
    assert_eq!(WebchatSettings::from_input(&json!({"title": null, "rates": null})).unwrap(), settings);
    assert_eq!(WebchatSettings { site: "acme".into(), ..settings.clone() }.check(), Ok(()));
    assert_eq!(WebchatSettings::from_json(&settings.to_json()), Ok(settings));
}

#[test]
fn stored_settings_of_an_older_version_have_defaults_for_what_is_new() {
    let old = json!({"site": "acme", "title": "Hi", "attachments": {"enabled": false}, "left_over": 1});
    let settings = WebchatSettings::from_json(&old).unwrap();
    assert_eq!((settings.title.as_str(), settings.attachments.enabled, settings.attachments.count_max), ("Hi", false, 5));
    assert_eq!(WebchatSettings::from_json(&json!({"radius": "round"})).unwrap_err().field, "webchat");
}

#[test]
fn what_is_stored_can_be_given_back() {
    let input = json!({"site": "acme", "allowed_origins": ["https://Bücher.example/"], "pre_chat": {"enabled": true, "fields": [{"key": "email", "label": "Mail", "kind": "email", "required": true}]}});
    let settings = WebchatSettings::from_input(&input).unwrap();
    assert_eq!(settings.allowed_origins, ["https://xn--bcher-kva.example"]);
    assert_eq!(WebchatSettings::from_input(&settings.to_json()), Ok(settings));
}

#[test]
fn every_wrong_setting_is_named_and_explained() {
    let field = |key: &str, label: &str, kind: &str| json!({"key": key, "label": label, "kind": kind, "required": false});
    let form = |fields: serde_json::Value| json!({"pre_chat": {"enabled": true, "fields": fields}});
    let cases = [
        (json!([]), "webchat", "object"),
        (json!({"colors": "#fff"}), "colors", "unknown field"),
        (json!({"radius": "big"}), "radius", "invalid type"),
        (json!({"radius": 33}), "radius", "32 pixels"),
        (json!({"corner": "left"}), "corner", "left"),
        (json!({"locale": "xx"}), "locale", "xx"),
        (json!({"site": "Acme Shop"}), "site", "small letters"),
        (json!({"site": "-acme"}), "site", "hyphen"),
        (json!({"site": "../w"}), "site", "small letters"),
        (json!({"title": "  "}), "title", "needs a title"),
        (json!({"title": "x".repeat(81)}), "title", "80 characters"),
        (json!({"colour": "red"}), "colour", "#rrggbb"),
        (json!({"colour": "#12345g"}), "colour", "#rrggbb"),
        (json!({"consent_text": "x".repeat(2_001)}), "consent_text", "2000 characters"),
        (json!({"allowed_origins": ["https://acme.com", "acme.com"]}), "allowed_origins.1", "https://"),
        (json!({"allowed_origins": ["*"]}), "allowed_origins.0", "leave the list empty"),
        (json!({"banned_addresses": ["10.0.0.1", "here"]}), "banned_addresses.1", "203.0.113.7"),
        (json!({"banned_addresses": ["10.0.0.0/33"]}), "banned_addresses.0", "network address"),
        (form(json!([field("Name", "n", "text")])), "pre_chat.fields.0.key", "small letters"),
        (form(json!([field("a", "n", "text"), field("a", "m", "text")])), "pre_chat.fields.1.key", "twice"),
        (form(json!([field("a", "", "text")])), "pre_chat.fields.0.label", "label"),
        (form(json!([field("a", "n", "select")])), "pre_chat.fields.0.options", "2 to 50"),
        (form(json!([field("email", "n", "text")])), "pre_chat.fields.0.kind", "mail address"),
        (form(json!([field("a", "n", "dropdown")])), "pre_chat", "dropdown"),
        (form(json!(vec![field("a", "n", "text"); 11])), "pre_chat.fields", "at most 10"),
        (json!({"attachments": {"bytes_max": 0}}), "attachments.bytes_max", "100 MiB"),
        (json!({"attachments": {"count_max": 21}}), "attachments.count_max", "1 to 20"),
        (json!({"attachments": {"types": ["images"]}}), "attachments.types.0", "image/*"),
        (json!({"identity": {"jwt_algorithm": "none"}}), "identity", "none"),
        (json!({"identity": {"jwt_algorithm": "RS256"}}), "identity", "RS256"),
        (json!({"identity": {"required": true, "jwt_algorithm": "EdDSA"}}), "identity.jwt_public_key", "public key"),
        (json!({"identity": {"jwt_public_key": "AAAA"}}), "identity.jwt_public_key", "Ed25519"),
        (json!({"rates": {"messages_per_minute": 0}}), "rates.messages_per_minute", "1 to 600"),
        (json!({"rates": {"visitors_per_address_per_hour": 100_001}}), "rates.visitors_per_address_per_hour", "100,000"),
    ];
    for (input, field, text) in cases {
        let error = refused(input.clone());
        assert_eq!(error.field, field, "{input}: {error}");
        assert!(error.text.contains(text), "{input}: {error}");
    }
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let settings = WebchatSettings { site: "acme".into(), consent_text: Some("ok?".into()), ..WebchatSettings::default() };
    let patch = |json: serde_json::Value| serde_json::from_value::<WebchatPatch>(json).unwrap();
    let same = patch(json!({})).apply(&settings).unwrap();
    assert_eq!(same, settings);
    let cleared = patch(json!({"consent_text": null, "title": "  New "})).apply(&settings).unwrap();
    assert_eq!((cleared.consent_text, cleared.title.as_str(), cleared.greeting), (None, "New", settings.greeting.clone()));
    let empty = patch(json!({"consent_text": "  "})).apply(&settings).unwrap();
    assert_eq!(empty.consent_text, None);
    let hours = patch(json!({"business_hours_id": "bhr_0cn99439p060h"})).apply(&settings).unwrap();
    assert_eq!(hours.business_hours_id.map(|id| id.to_string()).as_deref(), Some("bhr_0cn99439p060h"));
    assert_eq!(patch(json!({"business_hours_id": null})).apply(&hours).unwrap().business_hours_id, None);
    assert_eq!(patch(json!({"radius": 99})).apply(&settings).unwrap_err().field, "radius");
    assert!(serde_json::from_value::<WebchatPatch>(json!({"sight": "x"})).is_err());
    let kept = serde_json::to_value(patch(json!({"consent_text": null}))).unwrap();
    assert_eq!(kept, json!({"consent_text": null}), "null and absent stay apart when a change is passed on");
}

#[test]
fn slugs_out_of_names() {
    for (name, slug) in [
        ("Acme Shop", "acme-shop"),
        ("  Müller & Söhne GmbH ", "muller-sohne-gmbh"),
        ("株式会社", "chat"),
        ("", "chat"),
        ("a", "chat"),
        ("--x--y--", "x-y"),
    ] {
        assert_eq!(WebchatSettings::slug_of(name), slug, "{name}");
    }
    let long = WebchatSettings::slug_of(&"very long name ".repeat(10));
    assert_eq!(WebchatSettings { site: long, ..WebchatSettings::default() }.check(), Ok(()));
}

#[test]
fn bans_by_address_and_by_network() {
    let settings = WebchatSettings {
        banned_addresses: ["203.0.113.7", "198.51.100.0/24", "2001:db8::/32", "0.0.0.0/32"].map(str::to_owned).into(),
        ..WebchatSettings::default()
    };
    for (address, banned) in [
        ("203.0.113.7", true),
        ("203.0.113.8", false),
        ("198.51.100.255", true),
        ("198.51.101.0", false),
        ("2001:db8:1::5", true),
        ("2001:db9::1", false),
        ("::ffff:203.0.113.7", true),
        ("::1", false),
    ] {
        assert_eq!(settings.bans(address.parse().unwrap()), banned, "{address}");
    }
    let all = WebchatSettings { banned_addresses: vec!["0.0.0.0/0".into()], ..WebchatSettings::default() };
    assert!(all.bans("8.8.8.8".parse().unwrap()) && !all.bans("::1".parse().unwrap()));
}

#[test]
fn languages_are_chosen_among_ours() {
    for (wanted, got) in [
        ("de-AT", "de"),
        ("pt-BR, fr;q=0.8, en;q=0.5", "fr"),
        ("AR", "ar"),
        ("", "en"),
        ("zz", "en"),
        ("es_MX", "es"),
        ("*", "en"),
    ] {
        assert_eq!(WidgetLocale::Auto.resolve(wanted), got, "{wanted}");
    }
    assert_eq!(WidgetLocale::Es.resolve("de"), "es");
}

#[test]
fn a_form_is_complete_when_every_needed_answer_fits() {
    let field = |key: &str, kind, required| PreChatField {
        key: key.into(),
        label: key.into(),
        kind,
        required,
        options: Some(vec!["Returns".into(), "Other".into()]),
    };
    let form = PreChat {
        enabled: true,
        fields: vec![
            field("name", FieldKind::Text, true),
            field("email", FieldKind::Email, false),
            field("topic", FieldKind::Select, true),
        ],
    };
    let answers = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!(form.wrong_field(&answers(&[("name", "Ada"), ("topic", "Returns")])), None);
    assert_eq!(form.wrong_field(&answers(&[("name", " "), ("topic", "Returns")])), Some("name"));
    assert_eq!(form.wrong_field(&answers(&[("name", "Ada"), ("email", "nowhere"), ("topic", "Returns")])), Some("email"));
    assert_eq!(form.wrong_field(&answers(&[("name", "Ada"), ("topic", "returns")])), Some("topic"));
    assert_eq!(PreChat { enabled: false, ..form }.wrong_field(&answers(&[])), None);
}

#[test]
fn file_types_as_the_owner_set_them() {
    let files = Attachments { types: vec!["image/*".into(), "application/pdf".into()], ..Attachments::default() };
    assert!(
        files.takes("image/webp") && files.takes("application/pdf") && !files.takes("text/html") && !files.takes("imagex/png")
    );
    assert!(!Attachments { enabled: false, ..files }.takes("image/webp"));
    assert!(
        !Attachments::default().takes("text/html")
            && Attachments { types: vec![], ..Attachments::default() }.takes("anything/at-all")
    );
}

proptest! {
    #[test]
    fn any_json_is_refused_or_checks(key in "(site|title|colour|radius|allowed_origins|banned_addresses|pre_chat|rates|identity|attachments|[a-z]{0,8})", text in ".{0,40}", number in any::<i64>()) {
        for value in [json!(text), json!(number), json!([text]), json!({"fields": [text]}), json!({text.clone(): number}), json!(true)] {
            if let Ok(settings) = WebchatSettings::from_input(&json!({key.clone(): value})) {
                let settings = if settings.site.is_empty() { WebchatSettings { site: "acme".into(), ..settings } } else { settings };
                prop_assert_eq!(settings.check(), Ok(()));
            }
        }
    }
}
