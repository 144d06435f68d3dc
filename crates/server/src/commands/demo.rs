//! `continuo demo`: fills a workspace with an invented business. Needs the data folder for itself: a running server would
//! not know of the ids that are made here, so the lock of the database refuses it.

use crate::settings::Settings;
use crate::{Failed, print, start_log, wiring};
use desk::demo::{CONVERSATION_COUNT_MAX, Progress, Wanted, fill};

const CONVERSATION_COUNT: u64 = 400;
const SEED: u64 = 1;
const USE: &str =
    "use it like this: continuo demo [--conversations N] [--seed N] [--email ADDRESS] [--password PASSWORD] [--force]";

/// Fills the workspace.
pub fn run(settings: &Settings, words: &[String]) -> Result<(), Failed> {
    let wanted = read(words)?;
    start_log(settings);
    let stores = wiring::open(settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let filled = runtime.block_on(async {
        let desk = wiring::desk(settings, &stores).await?;
        let began = desk.clock.now();
        let total = wanted.conversations;
        let mut show = |progress: Progress| tell(progress, total, desk.clock.now().since(began));
        fill(&desk, &wanted, &mut show).await.map_err(Failed::from)
    });
    stores.search.close();
    if filled.is_ok()
        && let Err(error) = stores.db.checkpoint()
    {
        tracing::info!(%error, "the write-ahead log stays until the next start");
    }
    stores.db.close();
    let filled = filled?;
    let mut text = format!("There are {} sample conversations now", filled.conversations);
    if filled.imported > 0 {
        text.push_str(&format!(", {} of them imported history", filled.imported));
    }
    text.push_str(".\n");
    match filled.owner {
        Some(login) => text.push_str(&format!(
            "Sign in as {} with the password {} (it is shown only this once).\n",
            login.email, login.password
        )),
        None => text.push_str("Sign in as you did before.\n"),
    }
    print(&text)
}

fn tell(progress: Progress, total: u64, ms: i64) {
    let seconds = (ms.max(1) as f64) / 1_000.0;
    match progress {
        Progress::Played(done) => eprintln!("{done} recent conversations played, {seconds:.1} s"),
        Progress::Imported(done) => {
            eprintln!("{done} of {total} conversations imported, {:.0} per second, {seconds:.1} s", done as f64 / seconds);
        }
        Progress::Indexed(upto, head) => eprintln!("the search index knows {upto} of {head} changes, {seconds:.1} s"),
    }
}

fn read(words: &[String]) -> Result<Wanted, Failed> {
    let mut wanted = Wanted { conversations: CONVERSATION_COUNT, seed: SEED, email: None, password: None, force: false };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (name, given) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let mut value =
            || given.clone().or_else(|| words.next().cloned()).ok_or_else(|| Failed(format!("{name} needs a value; {USE}")));
        let number = |text: String| text.replace(['_', ','], "").parse::<u64>();
        match name {
            "--conversations" => {
                let count = number(value()?).ok().filter(|n| (1..=CONVERSATION_COUNT_MAX).contains(n));
                wanted.conversations =
                    count.ok_or_else(|| Failed("--conversations takes a number from 1 to 1000000.".to_owned()))?;
            }
            "--seed" => wanted.seed = number(value()?).map_err(|_| Failed("--seed takes a number.".to_owned()))?,
            "--email" => wanted.email = Some(value()?),
            "--password" => wanted.password = Some(value()?),
            "--force" => wanted.force = true,
            other => return Err(Failed(format!("demo does not know {other}; {USE}"))),
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::read;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_are_read_or_refused_in_words() {
        let wanted = read(&words("--conversations 1,000,000 --seed=7 --email a@b.example --force")).unwrap();
        assert_eq!((wanted.conversations, wanted.seed, wanted.force), (1_000_000, 7, true));
        assert_eq!(wanted.email.as_deref(), Some("a@b.example"));
        for wrong in ["--conversations 0", "--conversations many", "--seed", "--colour red", "12"] {
            assert!(read(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
