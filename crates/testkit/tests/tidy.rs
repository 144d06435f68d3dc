//! Reads the tree and holds it to the rules that no compiler knows: who may depend on whom, where SQL may stand, which
//! words we use, how long a file gets, and that documents point at things that exist. Each rule names the way out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crate, what it may use beside tests. ARCHITECTURE.md shows the same table with the reasons.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("keys", &["model"]),
    ("store", &["model", "keys"]),
    ("bus", &["model"]),
    ("blob", &["model", "keys"]),
    ("channel", &["model"]),
    ("channel-webchat", &["model", "channel"]),
    ("desk", &["model", "keys", "store", "bus", "blob", "channel"]),
    ("api", &["model", "keys", "store", "bus", "blob", "channel", "channel-webchat", "channel-api", "desk"]),
    ("worker", &["model", "keys", "store", "bus", "blob", "channel", "desk"]),
    ("channel-email", &["model", "channel"]),
    ("channel-api", &["model", "channel"]),
    (
        "server",
        &[
            "model",
            "keys",
            "store",
            "bus",
            "blob",
            "channel",
            "channel-webchat",
            "channel-email",
            "channel-api",
            "desk",
            "api",
            "worker",
        ],
    ),
    (
        "testkit",
        &[
            "model",
            "keys",
            "store",
            "bus",
            "blob",
            "channel",
            "channel-webchat",
            "channel-email",
            "channel-api",
            "desk",
            "api",
            "worker",
            "server",
        ],
    ),
];

/// Files that may hold SQL although they are not in the store, each with its reason.
const SQL_ALLOWED: &[(&str, &str)] = &[
    ("crates/store/", "the only SQL of the product"),
    ("crates/testkit/benches/", "yardsticks measure the bare engine"),
    ("crates/testkit/tests/tidy.rs", "this list"),
    ("crates/testkit/src/pg.rs", "makes one database per test"),
];

/// Names of other companies' services. The desk asks `capabilities()` instead of knowing them.
const PROVIDERS: &[&str] = &["whatsapp", "messenger", "instagram", "facebook", "telegram", "viber", "twilio", "vonage", "sinch"];

/// Places in the desk where such a name is right, each with its reason.
const PROVIDERS_ALLOWED: &[(&str, &str)] = &[("crates/desk/src/demo", "an invented business has all channels")];

/// Declared names that hold a word of the glossary's last column for a good reason: place, word, reason.
const WORDS_ALLOWED: &[(&str, &str, &str)] =
    &[("crates/store/src/", "session", "the database's own word for a connection in use")];

/// A file near this length hides a noun or an event that wants out.
const LINES_MAX: usize = 1_000;

/// Calls to a later step that are right, each with its reason.
const FORWARD_ALLOWED: &[(&str, &str)] = &[
    ("crates/desk/src/context.rs", "holds what the steps keep between calls, and calls none of them"),
    (
        "crates/desk/src/settings/draft.rs",
        "whoever may see a conversation may keep a draft on it; conversation owns that question",
    ),
];

const SKIPPED_FOLDERS: &[&str] = &["target", "node_modules", "dist", ".git", "generated", "data", "shots", "results"];
const TEXT: &[&str] =
    &["rs", "toml", "md", "sql", "sh", "ts", "tsx", "js", "mjs", "css", "html", "json", "yml", "yaml", "snap", "txt", ""];

#[test]
fn crates_depend_only_downwards() {
    let known: BTreeMap<&str, BTreeSet<&str>> =
        MAY_USE.iter().map(|(name, uses)| (*name, uses.iter().copied().collect())).collect();
    let mut problems = Problems::default();
    for package in workspace_packages() {
        let Some(allowed) = known.get(package.name.as_str()) else {
            problems.add(&package.name, "is a crate that nobody placed: give it a row in MAY_USE and in ARCHITECTURE.md");
            continue;
        };
        for uses in &package.uses {
            if uses.kind == "dev" {
                continue;
            }
            if !allowed.contains(uses.name.as_str()) {
                problems.add(
                    &package.name,
                    &format!("may not use {}: move what it needs up the chain, or pass it in through a trait", uses.name),
                );
            }
        }
        // A step's tests may stand on the testkit, but nothing shipped may.
        if package.name.starts_with("channel-") && package.uses.iter().any(|uses| uses.kind == "dev" && uses.name == "store") {
            problems.add(&package.name, "may not see the store, not even in its tests");
        }
    }
    problems.none("dependency rule");
}

#[test]
fn the_table_of_crates_is_the_table_of_the_tree() {
    let in_tree: BTreeSet<String> = workspace_packages().into_iter().map(|package| package.name).collect();
    let in_table: BTreeSet<String> = MAY_USE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(in_tree, in_table, "crates of the tree and rows of MAY_USE differ");
}

#[test]
fn every_declared_dependency_is_used() {
    // Needed for what they bring along, not for a name in the code.
    let by_effect = ["rustls"];
    let mut problems = Problems::default();
    for package in workspace_packages() {
        let code: String =
            rust_files().into_iter().filter(|file| file.path.starts_with(&package.folder)).map(|file| file.text).collect();
        for name in package.uses.iter().map(|uses| &uses.name).chain(&package.foreign) {
            let ident = name.replace('-', "_");
            if !by_effect.contains(&name.as_str()) && !has_word(&code, &ident) {
                problems.add(&package.name, &format!("declares {name} and never names it: take it out of Cargo.toml"));
            }
        }
    }
    problems.none("unused dependencies");
}

#[test]
fn sql_stands_only_in_the_store() {
    let marks = [
        "SELECT ",
        "INSERT INTO ",
        "DELETE FROM ",
        "CREATE TABLE ",
        "CREATE INDEX ",
        "ALTER TABLE ",
        "PRAGMA ",
        "BEGIN IMMEDIATE",
    ];
    let mut problems = Problems::default();
    for file in rust_files().into_iter().filter(|file| !allowed(&file.path, SQL_ALLOWED)) {
        for (number, line) in file.lines_of_code() {
            let update = line.contains("UPDATE ") && line.contains(" SET ");
            // A story may count rows; what it needs it arranges through the desk, so that it survives the next migration.
            let reads_in_a_test = file.path.contains("/tests/") && line.contains("SELECT ") && !update;
            if !reads_in_a_test && (update || marks.iter().any(|mark| line.contains(mark))) {
                problems.at(&file, number, "SQL belongs into crates/store, in the file of its noun");
            }
        }
    }
    problems.none("SQL outside the store");
}

#[test]
fn the_desk_knows_no_provider() {
    let mut problems = Problems::default();
    for file in rust_files().into_iter().filter(|file| file.path.starts_with("crates/desk/src")) {
        if allowed(&file.path, PROVIDERS_ALLOWED) {
            continue;
        }
        for (number, line) in file.lines_of_code() {
            let folded = line.to_lowercase();
            if let Some(name) = PROVIDERS.iter().find(|name| folded.contains(*name)) {
                problems.at(&file, number, &format!("names {name}: ask the channel's capabilities() instead"));
            }
        }
    }
    problems.none("provider names in the desk");
}

#[test]
fn steps_of_the_desk_never_call_forward() {
    let order: Vec<String> = std::fs::read_to_string(root().join("crates/desk/src/lib.rs"))
        .expect("the desk")
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned))
        .collect();
    assert!(order.len() > 5, "the list of steps in crates/desk/src/lib.rs was not understood: {order:?}");
    // What stands before the first step is the ground that all stand on; its modules may use each other.
    let first = order.iter().position(|step| step == "ingest").expect("the desk's first step is ingest");
    let mut problems = Problems::default();
    for file in rust_files() {
        let Some(inside) = file.path.strip_prefix("crates/desk/src/") else { continue };
        if allowed(&file.path, FORWARD_ALLOWED) {
            continue;
        }
        let step = inside.split(['/', '.']).next().unwrap_or_default();
        let Some(mine) = order.iter().position(|each| each == step) else { continue };
        // The steps' own unit tests may look at what comes of it.
        let shipped = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in shipped.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for later in &order[(mine + 1).max(first)..] {
                if line.contains(&format!("crate::{later}::")) {
                    problems.at(
                        &file,
                        number + 1,
                        &format!("{step} calls {later}, which comes after it: return a value and let a journey do the rest"),
                    );
                }
            }
        }
    }
    problems.none("order of the desk's steps");
}

#[test]
fn names_use_the_words_of_the_glossary() {
    let avoided = avoided_words();
    assert!(avoided.len() >= 8, "docs/GLOSSARY.md lost its column of words to avoid: {avoided:?}");
    let mut problems = Problems::default();
    for file in files().into_iter().filter(|file| file.has_extension(&["rs", "ts", "tsx", "sql"])) {
        let stem = Path::new(&file.path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let mut names = vec![(1, stem)];
        for (number, line) in file.text.lines().enumerate() {
            names.extend(declared(line, file.has_extension(&["sql"])).into_iter().map(|name| (number + 1, name)));
        }
        for (number, name) in names {
            let words = words_of(&name);
            for (at, word) in words.iter().enumerate() {
                let singular = word.strip_suffix('s').unwrap_or(word);
                let hit = avoided.get(word.as_str()).or_else(|| avoided.get(singular));
                // "login session" is the one session that we have.
                let login = matches!(singular, "session") && at > 0 && words[at - 1] == "login";
                if let Some(better) = hit
                    && !login
                    && !WORDS_ALLOWED.iter().any(|(place, word, _)| file.path.starts_with(place) && *word == singular)
                {
                    problems.at(&file, number, &format!("`{name}` holds \"{word}\": the glossary says {better}"));
                }
            }
        }
    }
    problems.none("words that the glossary avoids");
}

#[test]
fn no_file_grows_past_a_thousand_lines() {
    let mut problems = Problems::default();
    for file in files().into_iter().filter(|file| file.has_extension(&["rs", "ts", "tsx", "mjs", "css", "sql", "sh", "md"])) {
        let lines = file.text.lines().count();
        if lines > LINES_MAX {
            problems.add(&file.path, &format!("has {lines} lines: look for the noun or the event that wants out"));
        }
    }
    problems.none("long files");
}

#[test]
fn no_path_of_somebodys_machine() {
    // Put together here, so that this file does not find itself.
    let roots = [["/ro", "ot/"], ["/ho", "me/"], ["/Us", "ers/"], ["/wo", "rk/"], ["/tm", "p/"], ["C:\\", "Users"]];
    let mut problems = Problems::default();
    // Mails that others wrote, and what parsers read in them, name what they like.
    let ours = |file: &File| !["fixtures/mail/", "fixtures/expect/"].iter().any(|folder| file.path.contains(folder));
    for file in files().into_iter().filter(ours) {
        for (number, line) in file.text.lines().enumerate() {
            for root in roots.iter().map(|parts| parts.concat()) {
                if let Some(at) = line.find(&root)
                    && !line[..at].ends_with(|before: char| before.is_alphanumeric() || "._-/}*".contains(before))
                {
                    problems.at(&file, number + 1, &format!("{root} exists on one machine only: take a path from outside"));
                }
            }
        }
    }
    problems.none("machine paths");
}

#[test]
fn no_registry_is_named() {
    let hosts = [
        ["index.", "crates.io"],
        ["static.", "crates.io"],
        ["registry.", "npmjs.org"],
        ["registry.", "yarnpkg.com"],
        ["files.", "pythonhosted.org"],
        ["deb.", "debian.org"],
        ["artifact", "ory"],
    ];
    let mut problems = Problems::default();
    for file in files() {
        for (number, line) in file.text.lines().enumerate() {
            for host in hosts.iter().map(|parts| parts.concat()) {
                if line.contains(&host) {
                    problems.at(&file, number + 1, &format!("{host}: whoever builds chooses their own mirror"));
                }
            }
        }
    }
    problems.none("registry hosts");
}

#[test]
fn documents_point_at_things_that_exist() {
    let root = root();
    let mut problems = Problems::default();
    let documents: Vec<File> = files().into_iter().filter(|file| file.has_extension(&["md"])).collect();
    assert!(documents.len() >= 4, "the documents are gone");
    for file in &documents {
        let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
        let mut fenced = false;
        for (number, line) in file.text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            if fenced {
                continue;
            }
            for target in links(line) {
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                let (path, anchor) =
                    target.split_once('#').map_or((target.as_str(), None), |(path, anchor)| (path, Some(anchor)));
                let full = if path.is_empty() { root.join(&file.path) } else { root.join(folder).join(path) };
                if !full.exists() {
                    problems.at(file, number + 1, &format!("links to {path}, which does not exist"));
                } else if let Some(anchor) = anchor
                    && !headings(&full).contains(anchor)
                {
                    problems.at(file, number + 1, &format!("links to {target}, but there is no such heading"));
                }
            }
            for path in quoted_paths(line) {
                if !root.join(&path).exists() {
                    problems.at(file, number + 1, &format!("names `{path}`, which does not exist"));
                }
            }
        }
    }
    problems.none("dead links in documents");
}

// ---- the tree ----

struct File {
    path: String,
    text: String,
}

impl File {
    fn has_extension(&self, list: &[&str]) -> bool {
        list.contains(&extension(Path::new(&self.path)).as_str())
    }

    /// Lines with their numbers, without those that are only a comment.
    fn lines_of_code(&self) -> Vec<(usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(at, line)| (at + 1, line))
            .collect()
    }
}

fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("testkit lies in crates/");
    crates.parent().expect("crates/ lies in the root").to_path_buf()
}

fn extension(path: &Path) -> String {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_owned()
}

/// Every written text file of the tree. Lock files and the licence are other people's words.
fn files() -> Vec<File> {
    let mut found = Vec::new();
    walk(&root(), &root(), &mut found);
    assert!(found.len() > 50, "the tree was not found: {} files", found.len());
    found
}

fn rust_files() -> Vec<File> {
    files().into_iter().filter(|file| file.has_extension(&["rs"]) && file.path.starts_with("crates/")).collect()
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<File>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder of the tree can be read")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let link = path.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
        if link || SKIPPED_FOLDERS.contains(&name) || name.starts_with(".stamp-") {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, found);
        } else if TEXT.contains(&extension(&path).as_str()) && !["Cargo.lock", "package-lock.json", "LICENSE"].contains(&name) {
            // A file that another program removes while we walk is no finding.
            if let Ok(text) = std::fs::read_to_string(&path) {
                let path = path.strip_prefix(root).expect("found below the root").to_string_lossy().replace('\\', "/");
                found.push(File { path, text });
            }
        }
    }
}

fn allowed(path: &str, list: &[(&str, &str)]) -> bool {
    list.iter().any(|(prefix, _)| path.starts_with(prefix))
}

// ---- cargo ----

struct Package {
    /// Without the common prefix.
    name: String,
    folder: String,
    uses: Vec<Uses>,
    foreign: Vec<String>,
}

struct Uses {
    name: String,
    kind: String,
}

fn workspace_packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs: it started this test");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let ours = |name: &str| name.strip_prefix("continuo-").map(str::to_owned);
    let mut packages = Vec::new();
    for package in metadata["packages"].as_array().expect("a list of packages") {
        let name = package["name"].as_str().expect("packages have names");
        let mut found =
            Package { name: ours(name).unwrap_or(name.to_owned()), folder: String::new(), uses: Vec::new(), foreign: Vec::new() };
        found.folder = format!("crates/{}/", found.name);
        for dependency in package["dependencies"].as_array().expect("a list of dependencies") {
            let name = dependency["name"].as_str().expect("dependencies have names");
            let kind = dependency["kind"].as_str().unwrap_or("normal").to_owned();
            match ours(name) {
                Some(name) => found.uses.push(Uses { name, kind }),
                None => found.foreign.push(dependency["rename"].as_str().unwrap_or(name).to_owned()),
            }
        }
        packages.push(found);
    }
    packages
}

// ---- words ----

/// The last column of the glossary: words in backticks, with what to say instead.
fn avoided_words() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root().join("docs/GLOSSARY.md")).expect("docs/GLOSSARY.md");
    let mut avoided = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let [word, _, avoid] = cells[..] {
            for bad in avoid.split('`').skip(1).step_by(2) {
                avoided.insert(bad.to_owned(), format!("\"{word}\""));
            }
        }
    }
    avoided
}

/// Names that a line declares: types, functions, modules, fields are found by their keyword; SQL by table and column.
fn declared(line: &str, sql: bool) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    let tokens: Vec<&str> = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|token| !token.is_empty()).collect();
    if sql {
        let code = line.split("--").next().unwrap_or_default();
        return code
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|token| !token.is_empty() && token.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
            .map(str::to_owned)
            .collect();
    }
    let keywords = ["struct", "enum", "trait", "fn", "mod", "type", "interface", "class", "function"];
    tokens.windows(2).filter(|pair| keywords.contains(&pair[0])).map(|pair| pair[1].to_owned()).collect()
}

/// `LoginSession`, `login_session` and `login-session` are login + session.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before = '_';
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("starts with one").extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn has_word(text: &str, word: &str) -> bool {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word)
        .any(|(at, _)| !letter(text[..at].chars().next_back()) && !letter(text[at + word.len()..].chars().next()))
}

// ---- documents ----

/// Targets of `[text](target)`.
fn links(line: &str) -> Vec<String> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

/// Paths of the tree that stand in backticks: `crates/..`, `web/..`, `docs/..`, `scripts/..`, without patterns.
fn quoted_paths(line: &str) -> Vec<String> {
    line.split('`')
        .skip(1)
        .step_by(2)
        .filter(|token| ["crates/", "web/", "docs/", "scripts/"].iter().any(|start| token.starts_with(start)))
        .filter(|token| !token.contains(|c: char| "<>{}* ".contains(c)) && !token.contains(".."))
        .filter(|token| !token.contains("dist") && !token.contains("shots"))
        .map(|token| token.split(':').next().unwrap_or_default().to_owned())
        .collect()
}

/// Headings as GitHub turns them into anchors.
fn headings(path: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            title.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

// ---- findings ----

/// All findings of one rule, so that one run shows everything there is to do.
#[derive(Default)]
struct Problems(String);

impl Problems {
    fn add(&mut self, place: &str, what: &str) {
        writeln!(self.0, "  {place} {what}").expect("a String takes everything");
    }

    fn at(&mut self, file: &File, line: usize, what: &str) {
        self.add(&format!("{}:{line}", file.path), what);
    }

    #[track_caller]
    fn none(self, rule: &str) {
        assert!(self.0.is_empty(), "{rule}:\n{}", self.0);
    }
}
