//! The other commands, also beside a running server.

use crate::{Server, continuo, refusal, run};

fn stdout(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn doctor_backup_and_reset_work_beside_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let code = server.code.clone().unwrap();
    let owner = format!(r#"{{"code":"{code}","name":"Ada","email":"ada@example.com","password":"correct horse"}}"#);
    assert!(server.ask("POST", "/api/v1/setup/owner", &owner).starts_with("HTTP/1.1 200"));

    let report = stdout(&run(continuo(&data).arg("doctor")));
    assert!(report.contains("1 agents, 0 inboxes") && report.contains("Everything is in order."), "{report}");

    let copy = folder.path().join("copy.db");
    let copied = stdout(&run(continuo(&data).args(["backup", &copy.display().to_string()])));
    assert!(copied.contains("continuo.key"), "it says what is not in the copy: {copied}");
    let text = refusal(&run(continuo(&data).args(["backup", &copy.display().to_string()])));
    assert!(text.contains("already there"), "{text}");

    let link =
        stdout(&run(continuo(&data).args(["reset-password", "ADA@example.com", "--public-url", "https://desk.example.com"])));
    let token = link.trim().rsplit('/').next().unwrap();
    assert!(link.contains("https://desk.example.com/reset/"), "{link}");
    assert!(server.get(&format!("/reset/{token}")).contains("ada@example.com"));
    let text = refusal(&run(continuo(&data).args(["reset-password", "nobody@example.com"])));
    assert!(text.contains("nobody@example.com"), "{text}");
    assert_eq!(server.stop(), Some(0));

    // The copy is a whole database: a server runs on it.
    let restored = folder.path().join("restored");
    std::fs::create_dir(&restored).unwrap();
    std::fs::copy(&copy, restored.join("continuo.db")).unwrap();
    std::fs::copy(data.join("continuo.key"), restored.join("continuo.key")).unwrap();
    let server = Server::start(&restored);
    assert_eq!(server.code, None);
    let pair = r#"{"email":"ada@example.com","password":"correct horse"}"#;
    assert!(server.ask("POST", "/api/v1/login_sessions", pair).starts_with("HTTP/1.1 200"));
}

#[test]
fn migrate_makes_a_database_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(stdout(&run(continuo(folder.path()).arg("migrate"))), "The database is up to date.\n");
    assert!(folder.path().join("continuo.db").exists());
    let report = stdout(&run(continuo(folder.path()).arg("doctor")));
    assert!(report.contains("nothing is set up yet"), "{report}");
}

#[test]
fn doctor_says_what_is_missing_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("nowhere");
    let output = run(continuo(&data).arg("doctor"));
    let text = refusal(&output);
    assert!(text.contains("need attention"), "{text}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("WRONG"));
    assert!(!data.exists());
}

#[test]
fn help_tells_every_setting_and_so_does_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let help = stdout(&run(continuo(folder.path()).arg("--help")));
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CONFIGURATION.md")).unwrap();
    let flags: Vec<&str> = help.split_whitespace().filter(|word| word.starts_with("--")).collect();
    assert!(flags.len() >= 10, "{help}");
    for flag in flags {
        assert!(document.contains(&format!("`{flag}`")), "{flag} is not in docs/CONFIGURATION.md");
        let variable = format!("CONTINUO_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase());
        assert!(document.contains(&variable), "{variable} is not in docs/CONFIGURATION.md");
    }
    assert!(stdout(&run(continuo(folder.path()).arg("--version"))).starts_with("continuo "));
}

#[test]
fn openapi_prints_the_committed_document() {
    let folder = tempfile::tempdir().unwrap();
    let printed = stdout(&run(continuo(folder.path()).arg("openapi")));
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json")).unwrap();
    assert!(printed == committed, "openapi.json is stale: run `make api` and commit what it writes");
}
