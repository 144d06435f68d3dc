//! `continuo mail explain FILE`: what the product makes of a raw mail, without server, database or network.

use crate::{Failed, print};
use channel_email::explain::{self, Explained};
use channel_email::parse::MAIL_BYTES_MAX;
use std::io::Read;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

const USAGE: &str = "use it like this: continuo mail explain [--body] [--json] FILE (a raw mail; - reads the standard input; \
    with --body FILE is a bare plain text)";

/// The server gives a mail this long, too (email.md 7.7).
const TIME_MAX: Duration = Duration::from_secs(2);

#[derive(Debug, PartialEq)]
struct Wanted {
    file: String,
    body: bool,
    json: bool,
}

/// Runs the command with the words after `mail`.
pub fn run(rest: &[String]) -> Result<(), Failed> {
    let wanted = read(rest)?;
    let bytes = match wanted.file.as_str() {
        "-" => bounded(std::io::stdin().lock(), "the standard input")?,
        file => contents(Path::new(file))?,
    };
    let explained = explain_in_time(bytes, wanted.body);
    match wanted.json {
        true => print(&format!("{}\n", serde_json::to_string_pretty(&explained)?)),
        false => print(&explained.in_words(!wanted.body)),
    }
}

fn read(rest: &[String]) -> Result<Wanted, Failed> {
    let mut words = rest.iter().map(String::as_str);
    match words.next() {
        Some("explain") => {}
        Some(other) => return Err(Failed(format!("there is no command mail {other}; {USAGE}"))),
        None => return Err(Failed(USAGE.to_owned())),
    }
    let (mut file, mut body, mut json, mut only_files) = (None, false, false, false);
    for word in words {
        match word {
            "--" if !only_files => only_files = true,
            "--body" if !only_files => body = true,
            "--json" if !only_files => json = true,
            option if option.starts_with('-') && option != "-" && !only_files => {
                return Err(Failed(format!("mail explain has no option {option}; {USAGE}")));
            }
            name if file.is_none() => file = Some(name.to_owned()),
            _ => return Err(Failed(format!("one file at a time; {USAGE}"))),
        }
    }
    let file = file.ok_or_else(|| Failed(format!("no file is named; {USAGE}")))?;
    Ok(Wanted { file, body, json })
}

fn contents(path: &Path) -> Result<Vec<u8>, Failed> {
    let shown = path.display();
    let about = std::fs::metadata(path).map_err(|error| Failed(format!("{shown} cannot be read: {error}")))?;
    if about.is_dir() {
        return Err(Failed(format!("{shown} is a folder; name one mail in it")));
    }
    let file = std::fs::File::open(path).map_err(|error| Failed(format!("{shown} cannot be read: {error}")))?;
    bounded(file, &shown.to_string())
}

fn bounded(from: impl Read, name: &str) -> Result<Vec<u8>, Failed> {
    let mut bytes = Vec::new();
    let most = MAIL_BYTES_MAX as u64 + 1;
    from.take(most).read_to_end(&mut bytes).map_err(|error| Failed(format!("{name} cannot be read: {error}")))?;
    if bytes.len() > MAIL_BYTES_MAX {
        return Err(Failed(format!("{name} has more than {} MB; a mail of that size is not read", MAIL_BYTES_MAX >> 20)));
    }
    Ok(bytes)
}

/// As the server does it: a mail that crashes the parser or takes too long is put aside.
fn explain_in_time(bytes: Vec<u8>, body: bool) -> Explained {
    let (answer, wait) = mpsc::channel();
    std::thread::spawn(move || {
        let explained = std::panic::catch_unwind(|| if body { explain::body(&bytes) } else { explain::mail(&bytes) });
        // Nobody waits any more when the time was up.
        let _ = answer.send(explained);
    });
    match wait.recv_timeout(TIME_MAX) {
        Ok(Ok(explained)) => explained,
        Err(mpsc::RecvTimeoutError::Timeout) => explain::put_aside("takes_too_long", "it takes longer than 2 s to read"),
        Ok(Err(_)) | Err(mpsc::RecvTimeoutError::Disconnected) => {
            explain::put_aside("parser_crashed", "reading it crashed the parser; this is a bug of ours")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn words_are_read_or_explained() {
        let wanted = |file: &str, body, json| Wanted { file: file.to_owned(), body, json };
        assert_eq!(read(&words("explain a.eml")).unwrap(), wanted("a.eml", false, false));
        assert_eq!(read(&words("explain --json - --body")).unwrap(), wanted("-", true, true));
        assert_eq!(read(&words("explain -- --json")).unwrap(), wanted("--json", false, false));
        for (bad, says) in [
            ("", "use it like this"),
            ("explain", "no file is named"),
            ("explain a b", "one file at a time"),
            ("explain --jsn a", "no option --jsn"),
            ("send a", "no command mail send"),
        ] {
            let said = read(&words(bad)).unwrap_err().0;
            assert!(said.contains(says), "{bad}: {said}");
        }
    }

    #[test]
    fn what_is_no_file_is_said_clearly() {
        let folder = tempfile::tempdir().unwrap();
        assert!(contents(folder.path()).unwrap_err().0.contains("is a folder"));
        assert!(contents(&folder.path().join("gone.eml")).unwrap_err().0.contains("cannot be read"));
        let huge = folder.path().join("huge.eml");
        std::fs::File::create(&huge).unwrap().set_len(MAIL_BYTES_MAX as u64 + 1).unwrap();
        assert!(contents(&huge).unwrap_err().0.contains("more than 100 MB"));
        let small = folder.path().join("small.eml");
        std::fs::write(&small, "From: a@b.test\n\nhi").unwrap();
        let explained = explain_in_time(contents(&small).unwrap(), false);
        assert_eq!((explained.reply.as_str(), explained.quarantine.is_none()), ("hi", true));
    }
}
