//! Files of people in, taken back, out again; a person erased to the byte; possible duplicates found, judged and found anew.

#![allow(clippy::unwrap_used, reason = "helpers of stories")]

use desk::consent::{self, Statement};
use desk::contacts::import::row::Mapping;
use desk::contacts::{duplicates, field, import, segment};
use desk::identity::{ContactPatch, change_contact};
use desk::privacy::{erase, export};
use model::{ConsentState, ContactId, ContactPointKind, FieldKind, ImportId, Purpose, Timestamp};
use store::contact_point::PointKey;
use testkit::desk::TestDesk;

async fn owner_of(t: &TestDesk, kind: ContactPointKind, key: &str) -> Option<ContactId> {
    let (workspace, key) = (t.workspace, PointKey { kind, scope: String::new(), match_key: key.to_owned() });
    t.read(move |tx| {
        let Some(point) = store::contact_point::find_key(tx, workspace, &key)? else { return Ok(None) };
        Ok(store::contact_point::owners(tx, workspace, point.id)?.first().map(|o| o.live_id))
    })
    .await
}

async fn live(t: &TestDesk, id: ContactId) -> store::contact::Contact {
    let workspace = t.workspace;
    t.read(move |tx| store::contact::get_live(tx, workspace, id)).await
}

async fn take_in(t: &TestDesk, text: &str, country: Option<&str>) -> ImportId {
    let checked = import::upload(&t.desk, &t.owner, "people.csv", text.as_bytes()).await.unwrap();
    let mapping = Mapping { country: country.map(str::to_owned), ..checked.mapping };
    import::dry_run(&t.desk, &t.owner, checked.import.id, Some(mapping)).await.unwrap();
    import::start(&t.desk, &t.owner, checked.import.id).await.unwrap();
    t.run_jobs().await;
    checked.import.id
}

async fn counts(t: &TestDesk, id: ImportId) -> (String, serde_json::Value) {
    let workspace = t.workspace;
    let found = t.read(move |tx| store::import::find(tx, workspace, id)).await.unwrap();
    (found.state, found.counts)
}

const FILE: &str = "Name;Mobil;E-Mail;Firma;Kd-Nr;Newsletter;consent date;consent source\n\
Ada Novak;0171 5550123;ada@example.com;Novak Print;8841;ja;2024-05-03;fair\n\
Ben Okafor;4,9E+11;ben@example.com;;;;;\n\
Cleo;+49 171 5550124;;;;;;\n\
;;;;;;;\n\
Two People;+15550142;ada@example.com;;;;;\n\
Cleo;+49 171 5550124;cleo@example.com;;;;;\n";

#[tokio::test]
async fn a_file_is_looked_at_taken_in_and_taken_back() {
    let t = TestDesk::new().await;
    let ada = t.customer_writes("ada@example.com", "hello").await.contact_id;
    t.customer_writes("+15550142", "hello").await;
    let checked = import::upload(&t.desk, &t.owner, "people.csv", FILE.as_bytes()).await.unwrap();
    let mapping = Mapping { country: Some("DE".to_owned()), ..checked.mapping.clone() };
    assert_eq!(mapping.columns["Mobil"], "phone");
    assert_eq!(mapping.columns["Newsletter"], "consent:marketing");
    let dry = import::dry_run(&t.desk, &t.owner, checked.import.id, Some(mapping)).await.unwrap();
    let count = |word: &str| dry.counts.get(word).copied().unwrap_or(0);
    assert_eq!((count("new"), count("updated"), count("conflict"), count("refused")), (1, 2, 1, 1), "{:?}", dry.problems);
    assert!(dry.problems.iter().any(|p| p.line == 3 && p.reason.as_ref().unwrap().contains("spoiled")));
    assert!(dry.problems.iter().any(|p| p.line == 6 && p.outcome == "conflict"));
    assert_eq!(owner_of(&t, ContactPointKind::Phone, "+491715550123").await, None, "a dry run writes nothing");

    import::start(&t.desk, &t.owner, checked.import.id).await.unwrap();
    assert!(import::start(&t.desk, &t.owner, checked.import.id).await.is_err(), "only once");
    t.run_jobs().await;
    let (state, done) = counts(&t, checked.import.id).await;
    assert_eq!((state.as_str(), &done["new"], &done["updated"]), ("done", &serde_json::json!(1), &serde_json::json!(2)));
    let now = live(&t, ada).await;
    assert_eq!((now.name.as_deref(), now.company.as_deref()), (Some("Ada Novak"), Some("Novak Print")));
    assert_eq!(owner_of(&t, ContactPointKind::Phone, "+491715550123").await, Some(ada));
    assert_eq!(owner_of(&t, ContactPointKind::Crm, "8841").await, Some(ada));
    let cleo = owner_of(&t, ContactPointKind::Email, "cleo@example.com").await.unwrap();
    assert_eq!(owner_of(&t, ContactPointKind::Phone, "+491715550124").await, Some(cleo), "two lines, one new person");
    // An imported number is only said until its owner writes from it: then it is theirs, and the same person.
    let wrote = t.customer_writes("+491715550123", "it is me").await;
    assert_eq!(wrote.contact_id, ada);

    // Again: nothing changes.
    let again = take_in(&t, FILE, Some("DE")).await;
    assert_eq!(counts(&t, again).await.1["unchanged"], serde_json::json!(3));

    let (back, stay) = import::undo(&t.desk, &t.owner, checked.import.id).await.unwrap();
    assert_eq!((back, stay), (3, 0));
    let now = live(&t, ada).await;
    assert_eq!((now.name, now.company), (None, None));
    assert_eq!(owner_of(&t, ContactPointKind::Crm, "8841").await, None);
    assert_eq!(owner_of(&t, ContactPointKind::Phone, "+491715550123").await, Some(ada), "used since, so it stays");
    let workspace = t.workspace;
    assert_eq!(t.read(move |tx| store::contact::find(tx, workspace, cleo)).await, None, "made by the file alone");
    assert!(import::undo(&t.desk, &t.owner, checked.import.id).await.is_err());
    t.end().await;
}

#[tokio::test]
async fn an_undo_leaves_what_has_changed_since() {
    let t = TestDesk::new().await;
    let id = take_in(&t, "name,email\nAda,ada@example.com\nBen,ben@example.com\n", None).await;
    let ada = owner_of(&t, ContactPointKind::Email, "ada@example.com").await.unwrap();
    let patch = ContactPatch { notes: Some(Some("likes tea".to_owned())), ..ContactPatch::default() };
    change_contact(&t.desk, &t.owner, ada, patch).await.unwrap();
    assert_eq!(import::undo(&t.desk, &t.owner, id).await.unwrap(), (1, 1));
    assert_eq!(live(&t, ada).await.name.as_deref(), Some("Ada"));
    assert_eq!(owner_of(&t, ContactPointKind::Email, "ben@example.com").await, None);
    t.run_jobs().await;
    t.end().await;
}

#[tokio::test]
async fn a_file_never_undoes_a_no() {
    let t = TestDesk::new().await;
    let ada = t.customer_writes("ada@example.com", "hello").await.contact_id;
    let no = Statement {
        purpose: Purpose::Marketing,
        channel: None,
        contact_point_id: None,
        state: ConsentState::Withdrawn,
        source: "mail".to_owned(),
        evidence: String::new(),
        at: Timestamp(1_600_000_000_000),
    };
    consent::record(&t.desk, &t.owner, ada, no).await.unwrap();
    take_in(&t, "email,marketing,consent date,consent source\nada@example.com,yes,2024-05-03,fair\n", None).await;
    let workspace = t.workspace;
    let state = t.read(move |tx| consent::state_of(tx, workspace, ada, Purpose::Marketing, model::Channel::Email, None)).await;
    assert_eq!(state, Some(ConsentState::Withdrawn));
    t.end().await;
}

/// Is this text anywhere in the files of the database?
fn bytes_hold(t: &TestDesk, text: &str) -> Vec<String> {
    let Some(path) = t.desk.db.path() else { return vec![] };
    let folder = path.parent().unwrap();
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).unwrap().flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        if name.contains(".db") && bytes.windows(text.len()).any(|w| w.eq_ignore_ascii_case(text.as_bytes())) {
            found.push(name);
        }
    }
    found
}

#[tokio::test]
async fn an_erased_person_leaves_no_byte_and_is_not_imported_again() {
    let t = TestDesk::new().await;
    let id = take_in(&t, "name,email,phone\nZebulon Quixworth,zebulon@quixworth.example,+15550142\n", None).await;
    assert_eq!(counts(&t, id).await.1["new"], serde_json::json!(1));
    let zeb = owner_of(&t, ContactPointKind::Email, "zebulon@quixworth.example").await.unwrap();
    for n in 0..30 {
        t.customer_writes("zebulon@quixworth.example", &format!("my secret pelargonium {n} {}", "word ".repeat(200))).await;
    }
    let entry = t.customer_writes("zebulon@quixworth.example", "and the pelargonium again").await;
    let sent =
        desk::reply::send(&t.desk, &t.owner, entry.conversation_id, t.reply("Dear Zebulon Quixworth, pelargonium it is")).await;
    sent.expect("an answer");
    t.run_jobs().await;
    let other = t.customer_writes("ada@example.com", "I stay").await;
    let follow = async || t.desk.search.catch_up(&t.desk.db, t.workspace).await.unwrap();
    follow().await;
    let on_sqlite = t.desk.db.path().is_some();
    if on_sqlite {
        t.desk.db.checkpoint().unwrap();
        assert!(!bytes_hold(&t, "pelargonium").is_empty(), "the test sees what is there");
    }

    let dry = erase::erase(&t.desk, &t.owner, zeb, true).await.unwrap();
    assert_eq!((dry.entries, dry.done, dry.contact_points), (32, false, 2));
    assert_eq!(live(&t, zeb).await.name.as_deref(), Some("Zebulon Quixworth"), "a dry run takes nothing");
    let done = erase::erase(&t.desk, &t.owner, zeb, false).await.unwrap();
    assert!(done.done);
    follow().await;
    t.desk.db.checkpoint().unwrap_or(());
    for text in ["pelargonium", "quixworth", "zebulon", "5550142"] {
        assert_eq!(bytes_hold(&t, text), Vec::<String>::new(), "{text}");
    }
    let workspace = t.workspace;
    let (texts, name) = {
        let conversation = entry.conversation_id;
        let texts = t.texts(conversation).await;
        (texts, live(&t, zeb).await.name)
    };
    assert_eq!((texts.iter().all(String::is_empty), name), (true, None));
    assert_eq!(t.texts(other.conversation_id).await, ["I stay"]);
    let tombstone = t.read(move |tx| store::erase::tombstone_of(tx, workspace, zeb)).await.expect("a mark stays");
    assert_eq!(tombstone.2["entries"], serde_json::json!(32));

    let checked =
        import::upload(&t.desk, &t.owner, "again.csv", b"name,email\nZebulon,Zebulon@Quixworth.example\nAda,ada@example.com\n")
            .await
            .unwrap();
    assert_eq!((checked.counts.get("erased"), checked.counts.get("updated")), (Some(&1), Some(&1)), "{:?}", checked.problems);
    t.end().await;
}

#[tokio::test]
async fn duplicates_are_found_at_arrival_judged_and_come_back_only_with_new_proof() {
    let t = TestDesk::new().await;
    let name = |n: &str| ContactPatch { name: Some(Some(n.to_owned())), ..ContactPatch::default() };
    let ada = t.customer_writes("ada.novak@example.com", "hello").await.contact_id;
    let twin = t.customer_writes("ada.novak@work.example", "hello").await.contact_id;
    let ben = t.customer_writes("ben@example.com", "hello").await.contact_id;
    for (id, n) in [(ada, "Ada Novak"), (twin, "Ada Novák"), (ben, "Ben Okafor")] {
        change_contact(&t.desk, &t.owner, id, name(n)).await.unwrap();
        t.run_jobs().await;
    }
    let workspace = t.workspace;
    let (pairs, _) = t.read(move |tx| duplicates::page(tx, workspace, None, 50)).await;
    assert_eq!(pairs.len(), 1, "{pairs:?}");
    let pair = &pairs[0];
    assert_eq!((pair.a.min(pair.b), pair.a.max(pair.b), pair.level), (ada.min(twin), ada.max(twin), 0));
    let words: Vec<&str> = pair.evidence.iter().map(|e| e.words.as_str()).collect();
    assert!(words.contains(&"same first name") && words.contains(&"same last name"), "{words:?}");

    assert_eq!(duplicates::not_same(&t.desk, &t.owner, vec![(ada, twin)]).await.unwrap(), 1);
    change_contact(&t.desk, &t.owner, twin, name("Ada Novak")).await.unwrap();
    t.run_jobs().await;
    assert!(t.read(move |tx| duplicates::page(tx, workspace, None, 50)).await.0.is_empty(), "remembered");

    // Now both hold one number, confirmed for each: something new.
    t.desk
        .db
        .write(store::Route::Any, move |tx| -> Result<(), store::StoreError> {
            let key = PointKey { kind: ContactPointKind::Phone, scope: String::new(), match_key: "+15550142".to_owned() };
            let point = store::contact_point::upsert(tx, workspace, &key, "+1 555 0142", Timestamp(1))?;
            for id in [ada, twin] {
                store::contact_point::own(tx, workspace, point.id, id, 2, "sender", "sender", Timestamp(1))?;
                desk::identity::duplicates::check_later(tx, workspace, id, Timestamp(1))?;
            }
            Ok(())
        })
        .await
        .unwrap();
    t.run_jobs().await;
    let (pairs, _) = t.read(move |tx| duplicates::page(tx, workspace, None, 50)).await;
    assert_eq!((pairs.len(), pairs[0].level, pairs[0].strong, pairs[0].new_since.is_some()), (1, 2, true, true));
    assert_eq!(pairs[0].evidence[0].words, "same phone number");

    // A full pass finds the same and forgets nothing.
    let pass = duplicates::full_pass(&t.desk, workspace).await.unwrap();
    assert_eq!((pass.contacts, pass.learned), (3, false));
    assert_eq!(t.read(move |tx| duplicates::page(tx, workspace, None, 50)).await.0.len(), 1);
    let merged = desk::identity::merge(&t.desk, &t.owner, ada, twin, desk::identity::Choices::default(), false).await.unwrap();
    assert!(merged.merge_id.is_some());
    t.run_jobs().await;
    assert!(t.read(move |tx| duplicates::page(tx, workspace, None, 50)).await.0.is_empty());
    t.end().await;
}

#[tokio::test]
async fn filters_find_people_by_company_field_consent_and_words() {
    let t = TestDesk::new().await;
    let plan =
        field::add(&t.desk, &t.owner, "Plan", FieldKind::Choice, vec!["Gold".to_owned(), "Silver".to_owned()]).await.unwrap();
    let ada = t.customer_writes("ada@example.com", "hello").await.contact_id;
    let ben = t.customer_writes("+15550142", "hello").await.contact_id;
    let patch = |name: &str, company: &str| ContactPatch {
        name: Some(Some(name.to_owned())),
        company: Some(Some(company.to_owned())),
        ..ContactPatch::default()
    };
    change_contact(&t.desk, &t.owner, ada, patch("Ada Novak", "Novak Print")).await.unwrap();
    change_contact(&t.desk, &t.owner, ben, patch("Ben Okafor", "Byte Bakery")).await.unwrap();
    field::set_values(&t.desk, &t.owner, ada, vec![(plan.id, Some("gold".to_owned()))]).await.unwrap();
    assert!(field::set_values(&t.desk, &t.owner, ada, vec![(plan.id, Some("Tin".to_owned()))]).await.is_err());
    let yes = Statement {
        purpose: Purpose::Marketing,
        channel: None,
        contact_point_id: None,
        state: ConsentState::Granted,
        source: "form".to_owned(),
        evidence: String::new(),
        at: t.desk.now(),
    };
    consent::record(&t.desk, &t.owner, ada, yes).await.unwrap();
    t.run_jobs().await;
    let found = async |query: &'static str| {
        let (who, now) = (t.owner.clone(), t.desk.now());
        let page = t.read(move |tx| segment::page(tx, &who, query, None, 50, now)).await;
        (page.rows.iter().map(|r| r.id).collect::<Vec<_>>(), page.problems.len())
    };
    for (query, wanted) in [
        ("company:\"Novak Print\"", vec![ada]),
        ("field:Plan=gold", vec![ada]),
        ("-field:Plan=gold", vec![ben]),
        ("consent:marketing", vec![ada]),
        ("consent:marketing=none", vec![ben]),
        ("novak", vec![ada]),
        ("phone:+1555", vec![ben]),
        ("has:phone has:company", vec![ben]),
        ("email:ada@ is:blocked", vec![]),
        ("on:today ben", vec![ben]),
    ] {
        assert_eq!(found(query).await, (wanted, 0), "{query}");
    }
    assert_eq!(found("colour:red").await.1, 1);
    assert!(segment::add(&t.desk, &t.owner, "Red", "colour:red", false).await.is_err());
    let saved = segment::add(&t.desk, &t.owner, "Gold", "field:Plan=gold", true).await.unwrap();
    assert_eq!(segment::list(&t.desk, &t.owner).await.unwrap(), vec![saved]);

    let table = export::export_list(&t.desk, &t.owner, "").await.unwrap();
    assert!(table.contains("'+15550142") && table.contains("Gold"), "{table}");
    let back = import::upload(&t.desk, &t.owner, "export.csv", table.as_bytes()).await.unwrap();
    assert_eq!(back.counts.get("refused"), None, "an export can be imported: {:?}", back.problems);
    let document = export::export_one(&t.desk, &t.owner, ada).await.unwrap();
    assert_eq!((&document["contact"]["name"], &document["entries"][0]["text"]), (&"Ada Novak".into(), &"hello".into()));
    t.end().await;
}
