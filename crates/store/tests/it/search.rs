//! Search on both engines: whatever is asked, the answer is what reading every document would give.

use crate::story::{ACME, BYTE_BAKERY};
use model::{Channel, ContactId, ConversationId, FakeRandom, InboxId, Random, Timestamp};
use std::collections::BTreeMap;
use store::search::words::document_words;
use store::search::{DocId, DocKind, Hit, Scope, Search, SearchDoc, SearchQuery, SubjectRef, Term, parse};
use testkit::db::TestDb;
use testkit::db_test;

const DOC_COUNT: i64 = 3_000;
const MINUTE_MS: i64 = 60_000;

fn start() -> Timestamp {
    Timestamp::parse("2026-09-01T00:00:00Z").unwrap()
}

fn entry(id: i64) -> SubjectRef {
    SubjectRef { kind: DocKind::Entry, id }
}

fn doc(id: i64, at: Timestamp, title: &str, body: &str) -> SearchDoc {
    SearchDoc { workspace: ACME, subject: entry(id), at, scopes: Vec::new(), title: title.to_owned(), body: body.to_owned() }
}

fn words(terms: &str) -> SearchQuery {
    SearchQuery { terms: parse(terms).terms, ..SearchQuery::new(ACME, DocKind::Entry) }
}

async fn ids(search: &Search, query: SearchQuery) -> Vec<i64> {
    search.find(query, None, 10_000).await.unwrap().iter().map(|hit| hit.subject.id).collect()
}

/// Words that people write, in many scripts; some stand in nearly every document, some in one of a thousand.
const RARE: [&str; 12] = [
    "Rückerstattung",
    "brûlée",
    "Σίσυφος",
    "ёлка",
    "مكتبة",
    "返金してください",
    "환불해",
    "straße",
    "x9k-77",
    "ada@example.com",
    "हिन्दी",
    "ฉันรัก",
];
const USUAL: [&str; 16] = [
    "order",
    "orders",
    "ordered",
    "parcel",
    "late",
    "refund",
    "refunds",
    "card",
    "credit",
    "please",
    "hello",
    "commande",
    "größe",
    "thanks",
    "注文番号",
    "مرحبا",
];

struct Corpus {
    docs: Vec<SearchDoc>,
    /// title and body of each, cut
    cut: Vec<(Vec<String>, Vec<String>)>,
}

fn corpus() -> Corpus {
    let random = FakeRandom::new(4);
    let mut docs = Vec::new();
    for n in 0..DOC_COUNT {
        let mut body = vec!["the".to_owned()];
        for _ in 0..2 + random.below(14) {
            let word = if random.below(40) == 0 { RARE[random.below(12) as usize] } else { USUAL[random.below(16) as usize] };
            body.push(if random.below(5) == 0 { word.to_uppercase() } else { word.to_owned() });
        }
        let title = if random.below(3) == 0 {
            format!("{} {}", USUAL[random.below(16) as usize], RARE[random.below(12) as usize])
        } else {
            String::new()
        };
        let mut scopes = vec![
            Scope::Inbox(InboxId(1 + random.below(4) as i64)),
            Scope::Channel(if random.below(3) == 0 { Channel::Email } else { Channel::Webchat }),
            Scope::Contact(ContactId(1 + random.below(50) as i64)),
            Scope::Conversation(ConversationId(1 + random.below(90) as i64)),
        ];
        if random.below(9) == 0 {
            scopes.push(Scope::HasAttachment);
        }
        // Times repeat (collisions) and ids do not follow them (imported history).
        let at = start().plus_ms(random.below(40_000) as i64 * MINUTE_MS);
        let workspace = if n % 10 == 0 { BYTE_BAKERY } else { ACME };
        docs.push(SearchDoc {
            workspace,
            scopes,
            ..doc((n * 7 % DOC_COUNT) << 21, at, &title, &body.join(if n % 2 == 0 { " " } else { ", " }))
        });
    }
    let cut = docs.iter().map(|doc| (document_words(&doc.title), document_words(&doc.body))).collect();
    Corpus { docs, cut }
}

impl Corpus {
    /// The answer by reading everything: places are compared by time, so equal times are one group.
    fn read(&self, query: &SearchQuery) -> Vec<(Timestamp, i64)> {
        let mut found: Vec<(Timestamp, i64)> = (0..self.docs.len())
            .filter(|n| {
                let doc = &self.docs[*n];
                doc.workspace == query.workspace
                    && doc.subject.kind == query.kind
                    && query.from.is_none_or(|from| doc.at >= from)
                    && query.to.is_none_or(|to| doc.at < to)
                    && query.any_of.iter().all(|group| group.iter().any(|scope| doc.scopes.contains(scope)))
                    && !query.none_of.iter().any(|scope| doc.scopes.contains(scope))
                    && query
                        .terms
                        .iter()
                        .all(|term| term.negated != (holds(&self.cut[*n].0, term) || holds(&self.cut[*n].1, term)))
            })
            .map(|n| (self.docs[n].at, self.docs[n].subject.id))
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found
    }
}

fn holds(words: &[String], term: &Term) -> bool {
    let last = term.words.len() - 1;
    words.windows(term.words.len()).any(|window| {
        window[..last] == term.words[..last]
            && (window[last] == term.words[last] || term.prefix && window[last].starts_with(&term.words[last]))
    })
}

async fn filled(db: &TestDb) -> (Search, Corpus) {
    let search = Search::open(&db.db).unwrap();
    let corpus = corpus();
    for workspace in [ACME, BYTE_BAKERY] {
        let of_workspace: Vec<_> = corpus.docs.iter().filter(|doc| doc.workspace == workspace).cloned().collect();
        for chunk in of_workspace.chunks(500) {
            search.apply(workspace, chunk.to_vec(), Vec::new(), Some(1)).await.unwrap();
        }
    }
    (search, corpus)
}

fn same(corpus: &Corpus, query: &SearchQuery, hits: &[Hit]) {
    let mut found: Vec<_> = hits.iter().map(|hit| (hit.doc_id.at(), hit.subject.id)).collect();
    assert!(hits.is_sorted_by(|a, b| a.doc_id > b.doc_id), "newest first");
    found.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(found, corpus.read(query), "{query:?}");
}

fn typed_queries() -> Vec<String> {
    let mut typed: Vec<String> = [
        "the",
        "order",
        "ORDER",
        "order*",
        "refund late",
        "\"credit card\"",
        "\"card credit\"",
        "-refund",
        "refund -late",
        "refund -\"credit card\"",
        "rückerstattung",
        "RUCKERSTATTUNG",
        "ruck*",
        "brulee",
        "σισυφοσ",
        "ЕЛКА",
        "елка",
        "مكتبه",
        "مَرحَبا",
        "返金",
        "返金して",
        "金",
        "い",
        "文番",
        "注文番号 late",
        "환불",
        "불해",
        "strasse",
        "STRAẞE",
        "x9k-77",
        "\"x9k 77\"",
        "x9k",
        "ada@example.com",
        "example",
        "\"ada example\"",
        "हिन्दी",
        "รัก",
        "grosse",
        "größe*",
        "nosuchword",
        "nosuch*",
        "\"late late\"",
        "\"the order\"",
        "the -the",
        "wkacme",
        "in0000000000001",
        "kdentry",
        "wk*",
        "chemail",
        "\"order par*",
        "credit.car*",
        "a*",
        "the order* -parcel -\"late refund\" card",
        // What other query languages would read something into.
        "order AND late",
        "order OR nosuchword",
        "NOT refund",
        "NEAR(order late)",
        "body:order",
        "scope:\"wk",
        "{title}:order",
        "^the",
        "order:*",
        "'order'",
        "order') OR 1=1 --",
        "order & late",
        "!order",
        "order <-> late",
        "order | late",
        "or\\der",
        "(order",
        "\"",
        "order\" OR \"late",
        "*",
        "%",
        "_",
    ]
    .map(str::to_owned)
    .to_vec();
    let random = FakeRandom::new(11);
    let pick = |from: u64| random.below(from) as usize;
    for _ in 0..60 {
        let mut words = Vec::new();
        for _ in 0..1 + pick(3) {
            let word = if pick(4) == 0 { RARE[pick(12)] } else { USUAL[pick(16)] };
            let cut: String = word.chars().take(1 + pick(6)).collect();
            words.push(match pick(6) {
                0 => format!("-{word}"),
                1 => format!("\"{word} {}\"", USUAL[pick(16)]),
                2 => format!("{cut}*"),
                _ => word.to_owned(),
            });
        }
        typed.push(words.join(" "));
    }
    typed
}

db_test! {
    async fn every_query_finds_what_reading_everything_would(db: TestDb) {
        let (search, corpus) = filled(&db).await;
        let mut found = 0;
        for (n, typed) in typed_queries().iter().enumerate() {
            let mut query = words(typed);
            match n % 7 {
                1 => query.any_of = vec![vec![Scope::Inbox(InboxId(1)), Scope::Inbox(InboxId(3))]],
                2 => query.any_of = vec![vec![Scope::Channel(Channel::Email)], vec![Scope::Inbox(InboxId(2)), Scope::Inbox(InboxId(9))]],
                3 => query.none_of = vec![Scope::Channel(Channel::Email), Scope::HasAttachment],
                4 => {
                    query.since(start().plus_ms(3_000 * MINUTE_MS));
                    query.until(start().plus_ms(29_000 * MINUTE_MS));
                }
                5 => query.any_of = vec![(1..=20).map(|n| Scope::Contact(ContactId(n))).collect()],
                _ => {}
            }
            let hits = search.find(query.clone(), None, 10_000).await.unwrap();
            same(&corpus, &query, &hits);
            found += hits.len();
            // The first page of a frequent word goes another way than its whole list.
            let first = search.find(query.clone(), None, 20).await.unwrap();
            assert_eq!(first[..], hits[..hits.len().min(20)], "{typed}");
        }
        assert!(found > 20_000, "the corpus has answers: {found}");
        let other = SearchQuery { workspace: BYTE_BAKERY, ..words("order") };
        let hits = search.find(other.clone(), None, 10_000).await.unwrap();
        same(&corpus, &other, &hits);
        assert!(hits.len() > 50);
    }

    async fn filters_alone_and_impossible_ones(db: TestDb) {
        let (search, corpus) = filled(&db).await;
        let mut query = words("");
        query.any_of = vec![vec![Scope::Conversation(ConversationId(7))]];
        let hits = search.find(query.clone(), None, 10_000).await.unwrap();
        same(&corpus, &query, &hits);
        assert!(hits.len() > 10);
        // Nobody may see no inbox: an empty group is not "any".
        query.any_of = vec![Vec::new()];
        assert!(ids(&search, query).await.is_empty());
        let mut query = words("order");
        query.since(start().plus_ms(MINUTE_MS));
        query.until(start().plus_ms(MINUTE_MS));
        assert!(ids(&search, query).await.is_empty());
    }

    async fn pages_have_no_gap_and_no_repeat(db: TestDb) {
        let (search, _) = filled(&db).await;
        for typed in ["the", "order late", "\"credit card\"", "ruckerstattung"] {
            let all = search.find(words(typed), None, 10_000).await.unwrap();
            for size in [7, 50] {
                let (mut paged, mut after) = (Vec::new(), None);
                loop {
                    let page = search.find(words(typed), after, size).await.unwrap();
                    paged.extend(page.iter().copied());
                    after = page.last().map(|hit| hit.doc_id);
                    // The first pages of a frequent word are enough to see the seams of its walk.
                    if page.len() < size || paged.len() > 400 {
                        break;
                    }
                }
                assert_eq!(paged[..], all[..paged.len()], "{typed} by {size}");
            }
        }
    }

    async fn a_page_filtered_outside_may_be_short_and_says_where_it_stopped(db: TestDb) {
        let (search, _) = filled(&db).await;
        let all = search.find(words("the"), None, 10_000).await.unwrap();
        let keep = |hits: Vec<Hit>| async move { Ok::<_, store::StoreError>(hits.iter().map(|hit| (hit.subject.id >> 21) % 3 == 0).collect()) };
        let wanted: Vec<Hit> = all.iter().copied().filter(|hit| (hit.subject.id >> 21) % 3 == 0).collect();
        let (mut kept, mut after) = (Vec::new(), None);
        loop {
            let page = search.page(&words("the"), after, 40, keep).await.unwrap();
            kept.extend(page.hits);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(kept, wanted);
        // Nothing passes: after some windows it stops and says how far back it looked.
        let nothing = |hits: Vec<Hit>| async move { Ok::<_, store::StoreError>(vec![false; hits.len()]) };
        let page = search.page(&words("the"), None, 40, nothing).await.unwrap();
        assert!(page.hits.is_empty());
        assert_eq!(page.next, Some(all[5 * 50 - 1].doc_id));
        assert_eq!(page.looked_back_to(), Some(all[5 * 50 - 1].doc_id.at()));
    }

    async fn documents_are_replaced_moved_and_taken_out(db: TestDb) {
        let search = Search::open(&db.db).unwrap();
        assert_eq!(search.position(ACME).await.unwrap(), None);
        let at = start();
        search.apply(ACME, vec![doc(1, at, "", "first draft"), doc(2, at, "", "second draft")], Vec::new(), Some(4)).await.unwrap();
        assert_eq!(search.position(ACME).await.unwrap(), Some(4));
        assert_eq!(ids(&search, words("draft")).await, [2, 1]);
        // Edited, and moved to a later time.
        search.apply(ACME, vec![doc(1, at.plus_ms(1), "", "final text")], Vec::new(), Some(5)).await.unwrap();
        assert_eq!(ids(&search, words("draft")).await, [2]);
        assert_eq!(ids(&search, words("final")).await, [1]);
        assert_eq!(ids(&search, words("")).await, [1, 2]);
        // The same document twice changes nothing; a subject that is not there is no error.
        search.apply(ACME, vec![doc(2, at, "", "second draft")], vec![entry(9)], Some(6)).await.unwrap();
        assert_eq!(ids(&search, words("")).await, [1, 2]);
        search.apply(ACME, Vec::new(), vec![entry(1)], None).await.unwrap();
        assert_eq!(ids(&search, words("")).await, [2]);
        assert_eq!(search.position(ACME).await.unwrap(), Some(6));
    }

    async fn subjects_of_the_same_moment_and_the_same_low_bits_all_have_a_place(db: TestDb) {
        let search = Search::open(&db.db).unwrap();
        let docs: Vec<_> = (0..40).map(|n| doc(n << 21, start(), "", "same")).collect();
        search.apply(ACME, docs, Vec::new(), None).await.unwrap();
        let mut found = ids(&search, words("same")).await;
        found.sort_unstable();
        assert_eq!(found, (0..40).map(|n| n << 21).collect::<Vec<_>>());
        let mut after = None;
        let mut seen = 0;
        while let Some(hit) = search.find(words("same"), after, 1).await.unwrap().first() {
            after = Some(hit.doc_id);
            seen += 1;
        }
        assert_eq!(seen, 40);
    }

    async fn a_workspace_is_cleared_alone(db: TestDb) {
        let (search, corpus) = filled(&db).await;
        search.clear(ACME).await.unwrap();
        assert!(ids(&search, words("")).await.is_empty());
        assert_eq!((search.position(ACME).await.unwrap(), search.position(BYTE_BAKERY).await.unwrap()), (None, Some(1)));
        let other = SearchQuery::new(BYTE_BAKERY, DocKind::Entry);
        same(&corpus, &other, &search.find(other.clone(), None, 10_000).await.unwrap());
    }

    async fn contacts_are_found_by_the_beginning_of_a_name_or_address_and_stay_apart_from_entries(db: TestDb) {
        let search = Search::open(&db.db).unwrap();
        let contact = |id: i64, name: &str, addresses: &str| SearchDoc {
            subject: SubjectRef { kind: DocKind::Contact, id },
            ..doc(id, start().plus_ms(id), name, addresses)
        };
        let docs = vec![
            contact(1, "Ada Nováková", "ada@example.com +44 20 7946 0958 +442079460958"),
            contact(2, "Adam Smith", "smith@adamant.org"),
            contact(3, "Bo Li", "bo.li@example.com"),
            doc(1, start(), "", "ada wrote this"),
        ];
        search.apply(ACME, docs, Vec::new(), Some(1)).await.unwrap();
        let find = |typed: &str| {
            let query = SearchQuery { terms: parse(typed).terms, ..SearchQuery::new(ACME, DocKind::Contact) };
            ids(&search, query)
        };
        assert_eq!(find("ad*").await, [2, 1]);
        assert_eq!(find("nova*").await, [1]);
        assert_eq!(find("ada@ex*").await, [1]);
        assert_eq!(find("44207*").await, [1]);
        assert_eq!(find("\"7946 0958\"").await, [1]);
        assert_eq!(find("wrote").await, [0; 0]);
        assert_eq!(ids(&search, words("ada")).await, [1]);
    }

    async fn best_match_is_the_same_on_both_engines(db: TestDb) {
        let search = Search::open(&db.db).unwrap();
        let at = |n: i64| start().plus_ms(n * MINUTE_MS);
        let docs = vec![
            doc(1, at(1), "", "the refund for the late parcel please"),
            doc(2, at(2), "Late refund", "see above"),
            doc(3, at(3), "", "late late late, and a refund, and much more to say about many other things that happened that day"),
            doc(4, at(4), "", "a late refund again"),
            doc(5, at(5), "", "refund"),
        ];
        search.apply(ACME, docs, Vec::new(), None).await.unwrap();
        let best = |typed: &str| {
            let (search, query) = (search.clone(), words(typed));
            async move { search.best(query, at(10), 10).await.unwrap().iter().map(|hit| hit.subject.id).collect::<Vec<_>>() }
        };
        assert_eq!(best("late refund").await, [2, 4, 1, 3]);
        assert_eq!(best("refund").await, [2, 5, 4, 1, 3]);
        assert_eq!(best("").await, [5, 4, 3, 2, 1], "without words: newest first");
        assert_eq!(best("refund -parcel -above").await, [5, 4, 3]);
    }

    async fn no_typed_text_is_an_error(db: TestDb) {
        let search = Search::open(&db.db).unwrap();
        search.apply(ACME, vec![doc(1, start(), "one", "two three")], Vec::new(), None).await.unwrap();
        let random = FakeRandom::new(99);
        let pieces: Vec<char> = "ab19 \"'*():^&|!<>\\-+{}[],.;%_$?@#~\0\t\n\u{7f}äß返金한กิ\u{301}\u{200d}\u{fffd}🙂مك".chars().collect();
        for _ in 0..400 {
            let typed: String = (0..random.below(24)).map(|_| pieces[random.below(pieces.len() as u64) as usize]).collect();
            let found = search.find(words(&typed), None, 5).await;
            assert!(found.is_ok(), "{typed:?}: {found:?}");
        }
        assert_eq!(ids(&search, words("two")).await, [1]);
    }

    async fn long_and_odd_texts_are_taken(db: TestDb) {
        let search = Search::open(&db.db).unwrap();
        let all: String = (1..0x3_0000).filter_map(char::from_u32).collect();
        let long = (0..30_000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        let wide = (0..9_000).map(|n| format!("{}{n}", "ä🙂漢字".repeat(9))).collect::<Vec<_>>().join(" ");
        let docs = vec![
            doc(1, start(), &all, "needle"),
            doc(2, start(), "needle", &long),
            doc(3, start(), "needle", &wide),
            doc(4, start(), "needle", &format!("'; DROP TABLE search_doc; -- \\ ' \" {}", "x".repeat(9_000_000))),
            doc(5, start(), "", ""),
            doc(6, Timestamp(i64::MIN), "needle", ""),
            doc(7, Timestamp(i64::MAX), "needle", ""),
        ];
        for doc in docs {
            search.apply(ACME, vec![doc], Vec::new(), None).await.unwrap();
        }
        let mut found = ids(&search, words("needle")).await;
        found.sort_unstable();
        assert_eq!(found, [1, 2, 3, 4, 6, 7][..], "all but the empty one hold the word");
        assert_eq!(ids(&search, words("w5000")).await, [2]);
        assert_eq!(ids(&search, words("w29999")).await, [0; 0], "beyond the limit");
        assert_eq!(ids(&search, words("\"drop table\"")).await, [4]);
    }
}

/// Words that stand nowhere else: one that differs at its beginning, one that differs at its end. (The index cuts the words
/// between its pages to what tells them apart: those that differ late stay whole there.)
fn secret(n: i64) -> String {
    format!("q{n:04}zebrawedding{n:04} zebrawedding{n:04}")
}

#[tokio::test]
async fn erased_text_leaves_no_byte_in_the_file() {
    let db = TestDb::open(store::Engine::Sqlite).unwrap();
    let search = Search::open(&db.db).unwrap();
    let random = FakeRandom::new(3);
    for chunk in 0..6 {
        let docs = (0..250).map(|n| {
            let id = chunk * 250 + n;
            let usual: Vec<_> = (0..10).map(|_| USUAL[random.below(16) as usize]).collect();
            let title = if id % 2 == 0 { format!("title{}", secret(id)) } else { String::new() };
            doc(
                id,
                start().plus_ms(random.below(900_000) as i64),
                &title,
                &format!("{} {} {}", usual.join(" "), secret(id), usual[0]),
            )
        });
        search.apply(ACME, docs.collect(), Vec::new(), Some(chunk)).await.unwrap();
    }
    // Some documents were edited before: old versions must be gone as well.
    let edited = (0..100).map(|id| doc(id, start().plus_ms(5), "", &format!("edited{}", secret(id)))).collect();
    search.apply(ACME, edited, Vec::new(), None).await.unwrap();
    let bytes = || {
        let folder = db.db.path().unwrap().parent().unwrap().to_owned();
        let mut all = Vec::new();
        for end in ["", "-wal", "-shm"] {
            all.extend(std::fs::read(folder.join(format!("search.db{end}"))).unwrap_or_default());
        }
        all
    };
    let erased: Vec<i64> = (0..1_500).filter(|id| id % 3 == 0).collect();
    // One at a time for some, many at a time for the rest.
    for id in &erased[..20] {
        search.erase(ACME, vec![entry(*id)]).await.unwrap();
    }
    search.erase(ACME, erased[20..].iter().map(|id| entry(*id)).collect()).await.unwrap();
    let left = String::from_utf8_lossy(&bytes()).into_owned();
    let found: BTreeMap<i64, usize> = erased
        .iter()
        .map(|id| (*id, left.matches(&format!("{id:04}zebra")).count() + left.matches(&format!("zebrawedding{id:04}")).count()))
        .filter(|(_, n)| *n > 0)
        .collect();
    assert!(found.is_empty(), "{} of {} are still there: {found:?}", found.len(), erased.len());
    assert!(left.contains(&secret(101)), "the others are untouched");
    assert_eq!(ids(&search, words(&secret(101))).await, [101]);
    assert!(ids(&search, words(&secret(102))).await.is_empty());
    assert_eq!(ids(&search, words("zebrawedding*")).await.len(), 1_000);
}

#[tokio::test]
async fn a_damaged_index_is_thrown_away_and_one_in_use_is_not() {
    let db = TestDb::open(store::Engine::Sqlite).unwrap();
    let path = db.db.path().unwrap().with_file_name("search.db");
    std::fs::write(&path, "this is no database at all, but long enough to be looked at".repeat(300)).unwrap();
    let search = Search::open(&db.db).unwrap();
    search.apply(ACME, vec![doc(1, start(), "", "kept")], Vec::new(), Some(7)).await.unwrap();
    assert!(Search::open(&db.db).is_err(), "somebody serves it");
    search.close();
    drop(search);
    let search = Search::open(&db.db).unwrap();
    assert_eq!(ids(&search, words("kept")).await, [1]);
    assert_eq!(search.position(ACME).await.unwrap(), Some(7));
    assert_eq!(search.find(words("kept"), Some(DocId(i64::MIN)), 5).await.unwrap(), []);
}
