//! The server: first start, restart, and everything that keeps it from starting.

use crate::{Server, continuo, refusal, run};
use std::net::TcpListener;

fn owner(code: &str) -> String {
    format!(r#"{{"code":"{code}","name":"Ada","email":"ada@example.com","password":"correct horse"}}"#)
}

#[test]
fn from_the_first_start_to_a_clean_stop_and_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new").join("data");
    let server = Server::start(&data);
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    let code = server.code.clone().expect("nothing is set up yet");
    assert_eq!(code.len(), 6);
    assert!(server.ask("POST", "/api/v1/setup/owner", &owner("wrong!")).contains("\"wrong_code\""));
    let made = server.ask("POST", "/api/v1/setup/owner", &owner(&code));
    assert!(made.starts_with("HTTP/1.1 200") && made.contains("continuo_login="), "{made}");
    assert_eq!(server.stop(), Some(0));

    let server = Server::start(&data);
    assert_eq!(server.code, None, "the owner is still there");
    let pair = r#"{"email":"ada@example.com","password":"correct horse"}"#;
    assert!(server.ask("POST", "/api/v1/login_sessions", pair).starts_with("HTTP/1.1 200"));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn each_start_prints_another_code() {
    let folder = tempfile::tempdir().unwrap();
    let codes: Vec<String> = (0..3)
        .map(|_| {
            let server = Server::start(folder.path());
            let code = server.code.clone().expect("nothing is set up yet");
            assert_eq!(server.stop(), Some(0));
            code
        })
        .collect();
    assert!(codes.windows(2).any(|pair| pair[0] != pair[1]), "{codes:?}");
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let text = refusal(&run(continuo(folder.path()).args(["serve", "--listen", "127.0.0.1:0"])));
    assert!(text.contains("already uses this database") && text.contains(&folder.path().display().to_string()), "{text}");
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"), "the first one does not notice");
}

#[test]
fn a_port_in_use_is_told_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = refusal(&run(continuo(&data).args(["--listen", &address])));
    assert!(text.contains(&address) && text.contains("in use") && text.contains("--listen"), "{text}");
    assert!(!data.exists());
}

#[test]
fn a_data_folder_that_cannot_be_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for data in [file.clone(), file.join("below")] {
        let text = refusal(&run(continuo(&data).args(["serve", "--listen", "127.0.0.1:0"])));
        assert!(text.contains(&data.display().to_string()) && text.contains("--data"), "{text}");
    }
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("continuo.db");
    let garbage: Vec<u8> = (0..50_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(&database, &garbage).unwrap();
    let text = refusal(&run(continuo(folder.path()).args(["serve", "--listen", "127.0.0.1:0"])));
    assert!(text.contains("continuo.db"), "{text}");
    assert_eq!(std::fs::read(&database).unwrap(), garbage);
}

#[test]
fn a_key_file_that_is_none_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("continuo.key");
    std::fs::write(&key, "short").unwrap();
    let text = refusal(&run(continuo(folder.path()).args(["serve", "--listen", "127.0.0.1:0"])));
    assert!(text.contains("continuo.key") && text.contains("is not a key file"), "{text}");
    assert_eq!(std::fs::read(&key).unwrap(), b"short");
}

#[test]
fn wrong_settings_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("continuo.toml"), "lisen = \"127.0.0.1:0\"\n").unwrap();
    let text = refusal(&run(&mut continuo(folder.path())));
    assert!(text.contains("continuo.toml") && text.contains("line 1") && text.contains("lisen"), "{text}");
    std::fs::remove_file(folder.path().join("continuo.toml")).unwrap();
    let text = refusal(&run(continuo(folder.path()).env("CONTINUO_DATABASE_URL", "mysql://root:secret@db/x")));
    assert!(text.contains("sqlite:") && text.contains("postgres://") && !text.contains("secret"), "{text}");
    for words in [["serve", "--frob"], ["frobnicate", ""], ["--listen", "nowhere"]] {
        let text = refusal(&run(continuo(folder.path()).args(words.iter().filter(|word| !word.is_empty()))));
        assert!(text.contains(words[1].trim()) || text.contains(words[0]), "{text}");
    }
}
