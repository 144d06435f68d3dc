//! Looks at every SQL text of the store: both engines understand it, and it holds nothing that only one of them knows or that
//! means something else on the other. This replaces a check at compile time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use store::Engine;
use testkit::db::TestDb;

/// A text with the place where it stands.
struct Text {
    place: String,
    sql: String,
}

/// The files with SQL of their own kind: they say to which engine a text belongs.
const ONE_ENGINE_ONLY: &[&str] = &[
    "src/dialect.rs",
    "src/sqlite.rs",
    "src/postgres.rs",
    // Its tables lie in a file of their own beside SQLite.
    "src/search/find.rs",
    "src/search/fts5.rs",
    "src/search/tsvector.rs",
];

#[test]
fn texts_hold_nothing_that_only_one_engine_knows() {
    let mut problems = Vec::new();
    for text in texts() {
        let bare = without_literals(&text.sql);
        let lower = bare.to_lowercase();
        for (needle, why) in [
            ("now()", "time comes from the Clock"),
            ("::", "write CAST(x AS y)"),
            (" ilike ", "fold in Rust into a key column"),
            ("any(", "write IN with placeholders"),
            ("lateral", "PostgreSQL only"),
            ("distinct on", "PostgreSQL only"),
            ("greatest(", "write CASE"),
            ("least(", "write CASE"),
            ("percentile_cont", "two neighbours by row_number"),
            ("json_", "SQL never looks into JSON"),
            ("->", "SQL never looks into JSON"),
            ("group_concat", "string_agg"),
            (" offset ", "page by key"),
            ("for update", "locks are taken by UPDATE; claims use dialect::claim_suffix"),
            ("ifnull(", "coalesce"),
            ("\"", "single quotes, and no quoted names"),
        ] {
            if lower.contains(needle) {
                problems.push(format!("{}: {needle:?}: {why}", text.place));
            }
        }
        for function in ["sum(", "avg("] {
            for (at, _) in lower.match_indices(function) {
                let before = lower[..at].trim_end();
                let inside = lower[at..].trim_start_matches(function).trim_start();
                if !before.ends_with("cast(") && !inside.starts_with("cast(") {
                    problems.push(format!("{}: {function}..) without CAST", text.place));
                }
            }
        }
        let squeezed = lower.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(");
        if ["as (insert ", "as (update ", "as (delete "].iter().any(|part| squeezed.contains(part)) {
            problems.push(format!("{}: a CTE that writes", text.place));
        }
        let dollars = bare.matches('$').count();
        let placeholders = bare.split('$').skip(1).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).count();
        if dollars != placeholders {
            problems.push(format!("{}: a dollar sign that is no placeholder", text.place));
        }
        if text.sql.contains("'$") {
            problems.push(format!("{}: a dollar sign inside a text literal", text.place));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[tokio::test]
async fn sqlite_understands_every_text() {
    all_are_understood(TestDb::open(Engine::Sqlite)).await;
}

#[tokio::test]
async fn postgres_understands_every_text() {
    all_are_understood(TestDb::open(Engine::Postgres)).await;
}

async fn all_are_understood(db: Option<TestDb>) {
    let Some(db) = db else { return };
    let mut problems = Vec::new();
    // Beside SQLite the search index is a file of its own.
    let index = db.path().map(|path| {
        drop(store::search::Search::open(&db).unwrap());
        rusqlite::Connection::open_with_flags(path.with_file_name("search.db"), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
            .unwrap()
    });
    for text in texts() {
        if let Some(index) = &index
            && text.place.starts_with("src/search/")
            && index.prepare(&text.sql.replace('$', "?")).is_ok()
        {
            continue;
        }
        let suffix = store::dialect::claim_suffix(db.engine());
        let sql = store::interned(text.sql.replace("/* suffix */", suffix)).unwrap();
        if let Err(error) = db.check_statement(sql).await {
            problems.push(format!("{}: {error}\n    {}", text.place, text.sql));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Tables that grow with the business; a walk over all of one is a page that gets slower every day.
const BIG: &[&str] = &[
    "attachment",
    "blob",
    "contact",
    "contact_point",
    "contact_point_owner",
    "conversation",
    "conversation_seen",
    "conversation_tag",
    "decision",
    "delivery",
    "entry",
    "event_log",
    "job",
    "job_lane",
    "mention",
    "outbox",
    "participant",
    "provider_event",
];

/// Texts that may walk or sort, each with its reason.
const SLOW_ALLOWED: &[(&str, &str)] = &[
    ("src/agent.rs LIST", "the people of one business"),
    ("src/attachment.rs PUT_BLOB", "SQLite plans to look for children, and skips that while no reference is open"),
    ("src/contact_point.rs OWNERS", "the owners of a few contact points"),
    ("src/contact_point.rs OWNED_BY", "the contact points of one contact"),
    (
        "src/conversation/mod.rs OF_LIVE",
        "the conversations of one person and those merged into it, read by index and then put in order",
    ),
    ("src/conversation/mod.rs TAGS_OF", "the tags of one page"),
    ("src/draft.rs LIST", "the drafts of one agent"),
    ("src/entry.rs FIRST_UNREAD", "what came since an agent last looked"),
    ("src/invitation.rs LIST_OPEN", "the open invitations of one business"),
];

#[tokio::test]
async fn no_text_walks_over_a_big_table_or_sorts_what_an_index_could_give() {
    let db = TestDb::open(Engine::Sqlite).unwrap();
    let file = db.path().unwrap();
    let connection = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut problems = Vec::new();
    for text in texts().iter().filter(|text| !text.place.starts_with("src/search/")) {
        let name = text.place.split([':', ' ']).collect::<Vec<_>>();
        let name = format!("{} {}", name[0], name[2]);
        if SLOW_ALLOWED.iter().any(|(allowed, _)| *allowed == name) {
            continue;
        }
        let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", text.sql.replace('$', "?"))).unwrap();
        let steps: Vec<String> = explained.raw_query().mapped(|row| row.get(3)).collect::<Result<_, _>>().unwrap();
        for step in steps {
            let walks =
                step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()).is_some_and(|table| BIG.contains(&table));
            if (walks && !step.contains("INDEX")) || step.contains("TEMP B-TREE FOR ORDER BY") {
                problems.push(format!("{}: {step}\n    {}", text.place, text.sql));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_reader_of_texts_reads_what_stands_in_the_files() {
    let source = r#"
        macro_rules! columns { () => { "id, name" }; }
        macro_rules! walk { ($cut:literal, $way:literal) => { concat!("SELECT ", columns!(), " FROM t WHERE ", $cut, " ORDER BY id ", $way) }; }
        const PLAIN: &str = "SELECT 1 \
            FROM \"t\"";
        const WALK: &str = walk!("x = $1", "DESC");
        pub(crate) const LATER: &str =
            concat!("DELETE FROM t WHERE ", "id = $1");
        const OF: &str = "SELECT id FROM t WHERE workspace_id = $1 AND id";
        const WORD: &str = "SELECTED is no statement";
        fn list() { let tail = " LIMIT @1"; many::rows_in(tx, OF, tail, workspace, &ids, &[]) }
    "#;
    let found: Vec<String> = texts_of("x.rs", source, &HashMap::new()).into_iter().map(|text| text.sql).collect();
    assert_eq!(
        found,
        [
            "SELECT 1 FROM \"t\"",
            "SELECT id, name FROM t WHERE x = $1 ORDER BY id DESC",
            "DELETE FROM t WHERE id = $1",
            "SELECT id FROM t WHERE workspace_id = $1 AND id IN ($2) LIMIT $3",
        ]
    );
}

/// Texts that walk everything of a workspace on purpose: small tables, and what is never part of a request.
const WHOLE_WORKSPACE: &[&str] = &[
    // A handful or a few hundred rows.
    "src/agent.rs",
    "src/business_hours.rs",
    "src/contact_field.rs",
    "src/segment.rs",
    "src/event_log.rs",
    "src/inbox.rs",
    "src/invitation.rs",
    "src/lease.rs",
    "src/login_session.rs",
    "src/migrate.rs",
    "src/node.rs",
    "src/signature.rs",
    "src/tag.rs",
    "src/team.rs",
    "src/template.rs",
    "src/view.rs",
    "src/workspace.rs",
    // Partial indexes that hold only what waits, ends after 1,000 rows, or lies there for a day at most.
    "src/job/",
    "src/provider_event.rs",
    "src/outbox.rs",
    // Counts of senders of the last day, forgotten by the housekeeping.
    "src/automatic_answer.rs",
    // The check of a foreign key, which runs only when an id changes.
    "src/attachment.rs",
    // Reads everything: doctor and tests.
    "src/conversation/recount.rs",
    // Goes through dialect::in_order_of_ids.
    "src/search/follower.rs",
];

#[tokio::test]
async fn no_statement_walks_a_whole_workspace_by_mistake() {
    let db = TestDb::open(Engine::Sqlite).unwrap();
    let mut problems = Vec::new();
    for text in texts() {
        let explained = store::interned(format!("EXPLAIN QUERY PLAN {}", text.sql)).unwrap();
        let count = (1..64).rev().find(|n| text.sql.contains(&format!("${n}"))).unwrap_or(0);
        let plan = db
            .read(move |tx| -> Result<Vec<String>, store::StoreError> {
                let bound: Vec<store::Value> = (0..count).map(|_| 1_i64.into()).collect();
                Ok(tx.rows(explained, &bound)?.iter().map(|row| row.text(3)).collect())
            })
            .await;
        let Ok(plan) = plan else { continue };
        let whole = |step: &String| step.contains("(workspace_id=?)") || (step.starts_with("SCAN") && !step.contains("CONSTANT"));
        if plan.iter().any(whole) && !WHOLE_WORKSPACE.iter().any(|known| text.place.contains(known)) {
            problems.push(format!(
                "{}\n    {}\n    {}",
                text.place,
                text.sql.split_whitespace().collect::<Vec<_>>().join(" "),
                plan.join(" | ")
            ));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Every constant in the store's sources that begins like a statement.
fn texts() -> Vec<Text> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(&root.join("src"), &mut files);
    files.sort();
    let sources: Vec<(String, String)> = files
        .iter()
        .map(|file| (file.strip_prefix(root).unwrap().display().to_string(), std::fs::read_to_string(file).unwrap()))
        .collect();
    // A macro may be used by the files of the same folder.
    let mut macros: HashMap<&str, HashMap<String, Macro>> = HashMap::new();
    for (name, source) in &sources {
        macros.entry(folder(name)).or_default().extend(macros_of(source));
    }
    let mut found = Vec::new();
    for (name, source) in sources.iter().filter(|(name, _)| !ONE_ENGINE_ONLY.contains(&name.as_str())) {
        // Tests inside a file may hold what they like.
        let source = source.split("#[cfg(test)]").next().unwrap();
        found.extend(texts_of(name, source, &macros[folder(name)]));
    }
    assert!(found.len() > 100, "only {} texts were found: the reader has become blind", found.len());
    found
}

fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn texts_of(place: &str, source: &str, shared: &HashMap<String, Macro>) -> Vec<Text> {
    let mut macros = shared.clone();
    macros.extend(macros_of(source));
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find("const ") {
        rest = &rest[at + "const ".len()..];
        let Some((name, after)) = rest.split_once(':') else { break };
        let Some(value) = after.trim_start().strip_prefix("&str = ").or(after.trim_start().strip_prefix("&str =\n")) else {
            continue;
        };
        if !name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit()) {
            continue;
        }
        let mut reader = Reader { text: value.trim_start(), macros: &macros, values: &HashMap::new() };
        let line = source[..source.len() - rest.len()].lines().count();
        let place = format!("{place}:{line} {name}");
        let sql = reader.expression().unwrap_or_else(|| panic!("{place} cannot be read; teach this test its form"));
        if ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "].iter().any(|verb| sql.starts_with(verb)) {
            found.push(Text { sql: completed(sql, name, source, &macros), place });
        }
    }
    found
}

/// A text that `many::rows_in` completes by a list of ids and a tail.
fn completed(sql: String, name: &str, source: &str, macros: &HashMap<String, Macro>) -> String {
    // The formatter may have put each argument on a line of its own.
    let called = |at: &usize| {
        let after = source[at + "rows_in(".len()..].trim_start().strip_prefix("tx,")?.trim_start().strip_prefix(name)?;
        Some((*at, after.strip_prefix(',')?.trim_start()))
    };
    let Some((at, argument)) = source.match_indices("rows_in(").map(|(at, _)| at).find_map(|at| called(&at)) else { return sql };
    let none = HashMap::new();
    let tail = Reader { text: argument, macros, values: &none }.expression().or_else(|| {
        let variable = argument.split(',').next()?;
        let before = source[..at].rfind(&format!("let {variable} = "))?;
        let text = source[before..].split_once("= ")?.1;
        Reader { text, macros, values: &none }.expression()
    });
    let tail = tail.unwrap_or_else(|| panic!("the tail of {name} cannot be read"));
    let mut sql = format!("{sql} IN ($2){tail}");
    for n in 1..=9 {
        sql = sql.replace(&format!("@{n}"), &format!("${}", 2 + n));
    }
    sql
}

#[derive(Clone)]
struct Macro {
    parameters: Vec<String>,
    body: String,
}

/// `macro_rules!` with one rule whose body is a text.
fn macros_of(source: &str) -> HashMap<String, Macro> {
    let mut found = HashMap::new();
    for part in source.split("macro_rules! ").skip(1) {
        let Some((name, after)) = part.split_once('{') else { continue };
        let Some((parameters, after)) = after.split_once("=>") else { continue };
        let Some((_, body)) = after.split_once('{') else { continue };
        let parameters = parameters
            .trim()
            .trim_matches(['(', ')'])
            .split(',')
            .filter_map(|one| Some(one.trim().strip_prefix('$')?.split(':').next()?.to_owned()))
            .collect();
        found.insert(name.trim().to_owned(), Macro { parameters, body: body.trim_start().to_owned() });
    }
    found
}

/// Reads an expression that is a text: a literal, `concat!`, a macro of ours, or a parameter of one.
struct Reader<'t> {
    text: &'t str,
    macros: &'t HashMap<String, Macro>,
    values: &'t HashMap<String, String>,
}

impl Reader<'_> {
    fn expression(&mut self) -> Option<String> {
        self.text = self.text.trim_start();
        if let Some(rest) = self.text.strip_prefix('"') {
            let (value, rest) = literal(rest)?;
            self.text = rest;
            return Some(value);
        }
        if let Some(rest) = self.text.strip_prefix('$') {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
            self.text = &rest[end..];
            return self.values.get(&rest[..end]).cloned();
        }
        let end = self.text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':')?;
        let name = self.text[..end].rsplit(':').next()?;
        self.text = self.text[end..].strip_prefix("!(")?;
        let mut arguments = Vec::new();
        loop {
            self.text = self.text.trim_start();
            if let Some(rest) = self.text.strip_prefix(')') {
                self.text = rest;
                break;
            }
            arguments.push(self.expression()?);
            self.text = self.text.trim_start().trim_start_matches(',');
        }
        if name == "concat" {
            return Some(arguments.concat());
        }
        let made = self.macros.get(name)?;
        let values = made.parameters.iter().cloned().zip(arguments).collect();
        Reader { text: &made.body, macros: self.macros, values: &values }.expression()
    }
}

/// The value of a literal after its opening quote, and what follows its closing one.
fn literal(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                '\n' => {
                    let after = chars.as_str();
                    let skipped = after.len() - after.trim_start().len();
                    chars = text.char_indices();
                    let next = text.len() - after.len() + skipped;
                    while chars.offset() < next {
                        chars.next()?;
                    }
                }
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

/// The text without what stands in single quotes.
fn without_literals(sql: &str) -> String {
    sql.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}
