//! The check of an inbox: signs in on both sides, and sends itself a mail that really goes out and is fetched back. On the way
//! it learns what no provider tells: whether plus-addresses arrive, under which name it vouches for senders, and whether it
//! files sent mail by itself. Each finding is a sentence that says what to do.

use crate::Headers;
use crate::fetch::{folder_of, read_settings};
use crate::imap::{CommandError, Folder, Imap};
use crate::settings::{MailSettings, SignInMethod};
use crate::submit::{Failure, MAIL_FROM, MESSAGE_ID, Phase, RCPT_TO};
use crate::wire::{Wire, pause};
use channel::{CheckResult, CheckState, CheckStep, FolderRole, InboxSettings, PullError, SendError, StepReport, WireRequest};
use serde_json::json;
use std::sync::Mutex;
use std::time::Duration;

/// Header of the check's own mail: an inbox that fetches it takes it for no message.
pub const PROBE: &str = "X-Continuo-Probe";

const LOOK_EVERY: Duration = Duration::from_millis(1_500);

impl Wire {
    /// All findings at once.
    pub async fn check(&self, inbox: &InboxSettings) -> Vec<CheckResult> {
        let results = Mutex::new(Vec::new());
        let keep = |step: CheckStep| {
            if let Ok(mut results) = results.lock() {
                results.push(step.result);
            }
        };
        self.check_steps(inbox, &keep).await;
        results.into_inner().unwrap_or_default()
    }

    /// Each finding as soon as it is known, with what it teaches the settings.
    pub async fn check_steps(&self, inbox: &InboxSettings, report: StepReport<'_>) {
        let mail = match read_settings(inbox) {
            Ok(mail) => mail,
            Err(error) => return tell(report, "sign_in", CheckState::Failed, error.to_string()),
        };
        let reads = if mail.pulls() { self.check_reading(inbox, &mail, report).await } else { self.no_reading(&mail, report) };
        let sends = self.check_sending(inbox, &mail, report).await;
        match (reads, sends) {
            (Some(folders), true) if mail.pulls() => self.check_probe(inbox, &mail, &folders, report).await,
            (Some(_), true) => tell(
                report,
                "probe",
                CheckState::Warn,
                format!(
                    "Mail of this inbox comes in through the mail server, so the check cannot fetch its own mail back. Send a mail to {} and see it arrive.",
                    mail.address
                ),
            ),
            _ => tell(report, "probe", CheckState::Failed, "Not tried: put right what failed above first.".to_owned()),
        }
    }

    fn no_reading(&self, mail: &MailSettings, report: StepReport<'_>) -> Option<Vec<Folder>> {
        let how = if mail.forwarding_only { "by forwarding" } else { "from your own mail server" };
        tell(report, "read", CheckState::Ok, format!("Nothing to sign in to: mail comes in {how}."));
        Some(vec![])
    }

    async fn check_reading(&self, inbox: &InboxSettings, mail: &MailSettings, report: StepReport<'_>) -> Option<Vec<Folder>> {
        let host = mail.imap.as_ref().map_or("", |server| server.host.as_str());
        let mut imap = match Imap::open(self, inbox, mail).await {
            Ok(imap) => imap,
            Err(error) => {
                tell(report, "sign_in", CheckState::Failed, sign_in_words(mail, host, &error));
                return None;
            }
        };
        tell(report, "sign_in", CheckState::Ok, format!("Signed in to {host}."));
        let listed = async {
            let all = imap.folders().await?;
            let watched = crate::fetch::watched(mail, &all);
            let Some(first) = watched.first() else { return Err(PullError::Settings("The mailbox has no INBOX.".to_owned())) };
            let numbers = imap.examine(first).await.map_err(CommandError::lost)?;
            Ok((watched, numbers.count))
        };
        match listed.await {
            Ok((folders, count)) => {
                let missing = missing_folders(mail, &folders);
                let names: Vec<&str> = folders.iter().map(|folder| folder.name.as_str()).collect();
                let text = format!("{count} mails lie in INBOX. Watched: {}.{missing}", names.join(", "));
                let state = if missing.is_empty() { CheckState::Ok } else { CheckState::Warn };
                tell(report, "read", state, text);
                imap.close().await;
                Some(folders)
            }
            Err(error) => {
                tell(report, "read", CheckState::Failed, error.to_string());
                None
            }
        }
    }

    async fn check_sending(&self, inbox: &InboxSettings, mail: &MailSettings, report: StepReport<'_>) -> bool {
        let Some(server) = &mail.smtp else {
            tell(report, "send", CheckState::Warn, "No server to send with is named, so this inbox can only receive.".to_owned());
            return false;
        };
        match crate::submit::Smtp::open(self, inbox, mail).await {
            Ok(mut smtp) => {
                smtp.quit().await;
                tell(report, "send", CheckState::Ok, format!("Signed in to {} for sending.", server.host));
                true
            }
            Err(failure) => {
                tell(report, "send", CheckState::Failed, send_words(mail, &server.host, &failure));
                false
            }
        }
    }

    async fn check_probe(&self, inbox: &InboxSettings, mail: &MailSettings, folders: &[Folder], report: StepReport<'_>) {
        let plus = plus_address(&mail.address, &self.mark());
        // With a plus-address first: when it arrives, both questions are answered by one mail.
        let first = match &plus {
            Some(plus) => self.probe(inbox, mail, folders, plus).await,
            None => Err(ProbeError::NotThere),
        };
        let (outcome, plus_works) = match first {
            Ok(found) => (Ok(found), true),
            Err(_) => (self.probe(inbox, mail, folders, &mail.address).await, false),
        };
        let found = match outcome {
            Ok(found) => found,
            Err(ProbeError::Send(text) | ProbeError::Read(text)) => return tell(report, "probe", CheckState::Failed, text),
            Err(ProbeError::NotThere) => {
                let text = format!(
                    "The check's mail to {} was taken for sending and did not arrive within {} s. Look whether it is held back by a filter, and whether this address leads to this mailbox.",
                    mail.address,
                    self.times().probe.as_secs()
                );
                return tell(report, "probe", CheckState::Failed, text);
            }
        };
        let mut learned = json!({"keeps_sent_copies": found.copied});
        if let Some(id) = &found.authserv_id {
            learned["authserv_id"] = json!(id);
        }
        let place = if found.folder.role == FolderRole::Junk {
            " It arrived in the spam folder: tell your provider that mail from this address is wanted."
        } else {
            ""
        };
        let state = if place.is_empty() { CheckState::Ok } else { CheckState::Warn };
        let text = format!("A mail to itself went out and came back.{place}");
        report(CheckStep { result: CheckResult { code: "probe".to_owned(), state, text }, learned: Some(learned) });
        let (state, text) = if plus_works {
            (CheckState::Ok, "Addresses such as name+mark@domain arrive: answers are matched by a signed address.".to_owned())
        } else {
            (
                CheckState::Warn,
                "Addresses such as name+mark@domain do not arrive: answers are matched by their headers, which is nearly as good."
                    .to_owned(),
            )
        };
        report(CheckStep {
            result: CheckResult { code: "plus_address".to_owned(), state, text },
            learned: Some(json!({"plus_addressing": plus_works})),
        });
    }

    async fn probe(&self, inbox: &InboxSettings, mail: &MailSettings, folders: &[Folder], to: &str) -> Result<Found, ProbeError> {
        let mark = self.mark();
        let id = format!("probe.{mark}@{}", mail.domain());
        let body = format!(
            "From: <{from}>\r\nTo: <{to}>\r\nSubject: Continuo checks this mailbox\r\nMessage-ID: <{id}>\r\nDate: {date}\r\n{PROBE}: {mark}\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThis mail checks that the mailbox can send and receive. It removes itself.\r\n",
            from = mail.address,
            date = crate::render::date(self.now()),
        );
        let request = WireRequest {
            parts: 1,
            method: "MAIL".to_owned(),
            headers: vec![
                (MAIL_FROM.to_owned(), mail.address.clone()),
                (RCPT_TO.to_owned(), to.to_owned()),
                (MESSAGE_ID.to_owned(), id.clone()),
            ],
            body: body.into_bytes(),
            ..WireRequest::default()
        };
        // The provider's own filing is to be seen, so no copy of ours may lie there.
        let bare = InboxSettings { settings: without_copies(inbox), ..inbox.clone() };
        self.submit(&bare, &request).await.map_err(|error| ProbeError::Send(refused_words(mail, to, &error)))?;
        let read = |error: PullError| ProbeError::Read(format!("The check's mail is sent, but it cannot be looked for: {error}"));
        let mut imap = Imap::open(self, inbox, mail).await.map_err(read)?;
        let found = tokio::time::timeout(self.times().probe, look_for(&mut imap, folders, &id)).await;
        let mut found = match found {
            Ok(found) => found.map_err(read)?,
            Err(_) => return Err(ProbeError::NotThere),
        };
        // The connection may have been in the middle of a command only when the time was over.
        let all = imap.folders().await.map_err(read)?;
        if let Some(sent) = folder_of(FolderRole::Sent, mail.folders.sent.as_deref(), &all) {
            found.copied = clean(&mut imap, &sent, &id).await.map_err(read)?;
        }
        clean(&mut imap, &found.folder, &id).await.map_err(read)?;
        imap.close().await;
        Ok(found)
    }
}

struct Found {
    folder: Folder,
    authserv_id: Option<String>,
    copied: bool,
}

enum ProbeError {
    Send(String),
    Read(String),
    NotThere,
}

fn tell(report: StepReport<'_>, code: &str, state: CheckState, text: String) {
    report(CheckStep { result: CheckResult { code: code.to_owned(), state, text }, learned: None });
}

fn without_copies(inbox: &InboxSettings) -> serde_json::Value {
    let mut settings = inbox.settings.clone();
    settings["keeps_sent_copies"] = json!(true);
    settings
}

async fn look_for(imap: &mut Imap, folders: &[Folder], id: &str) -> Result<Found, PullError> {
    loop {
        for folder in folders.iter().filter(|folder| folder.role != FolderRole::Sent) {
            match imap.examine(folder).await {
                Ok(_) => {}
                Err(CommandError::Refused(_)) => continue,
                Err(error) => return Err(error.lost()),
            }
            let uids = imap.search_message_id(id).await.map_err(CommandError::lost)?;
            if let Some(uid) = uids.last() {
                let head = imap.header(*uid).await.map_err(CommandError::lost)?.unwrap_or_default();
                let authserv_id = Headers::read(&head).first("authentication-results").and_then(authserv_id);
                return Ok(Found { folder: folder.clone(), authserv_id, copied: false });
            }
        }
        pause(LOOK_EVERY).await;
    }
}

/// Takes the check's mail out of a folder again. True: there was one.
async fn clean(imap: &mut Imap, folder: &Folder, id: &str) -> Result<bool, PullError> {
    match imap.select(folder).await {
        Ok(_) => {}
        Err(CommandError::Refused(_)) => return Ok(false),
        Err(error) => return Err(error.lost()),
    }
    let uids = imap.search_message_id(id).await.map_err(CommandError::lost)?;
    if !uids.is_empty() {
        match imap.remove(&uids).await {
            // A mailbox that may only be read keeps it; nobody is harmed.
            Ok(()) | Err(CommandError::Refused(_)) => {}
            Err(error) => return Err(error.lost()),
        }
    }
    Ok(!uids.is_empty())
}

/// The first word of an Authentication-Results field: who says it.
fn authserv_id(field: &str) -> Option<String> {
    let word = field.split([';', ' ', '\t', '\r', '\n']).find(|word| !word.is_empty())?;
    (word.contains('.') && !word.contains('=')).then(|| word.to_lowercase())
}

fn plus_address(address: &str, mark: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let local = local.split('+').next().unwrap_or(local);
    // 64 octets is the most that a local part may have.
    (local.len() + 1 + 14 <= 64).then(|| format!("{local}+probe{}@{domain}", &mark[..mark.len().min(8)]))
}

fn missing_folders(mail: &MailSettings, folders: &[Folder]) -> String {
    let has = |role| folders.iter().any(|folder| folder.role == role);
    let mut missing = Vec::new();
    if mail.folders.watch_sent && !has(FolderRole::Sent) {
        missing.push("Sent");
    }
    if mail.folders.watch_junk && !has(FolderRole::Junk) {
        missing.push("Junk");
    }
    if missing.is_empty() {
        String::new()
    } else {
        format!(" Not found: {}; name the folder in the settings.", missing.join(" and "))
    }
}

fn sign_in_words(mail: &MailSettings, host: &str, error: &PullError) -> String {
    match error {
        PullError::SignInAgain => credentials_words(mail, host),
        PullError::Lost(text) | PullError::Settings(text) => format!("{host} could not be used: {text}."),
    }
}

fn credentials_words(mail: &MailSettings, host: &str) -> String {
    match mail.sign_in {
        SignInMethod::Oauth(_) => format!("{host} does not accept the sign-in. Sign in again on the provider's page."),
        SignInMethod::Password => format!(
            "{host} does not accept name and password. Many providers want an app password here, not the account's usual one; some want IMAP and SMTP switched on in their own settings first."
        ),
    }
}

fn send_words(mail: &MailSettings, host: &str, failure: &Failure) -> String {
    match failure {
        Failure::SignInAgain | Failure::Said { phase: Phase::SignIn, code: 530..=538, .. } => credentials_words(mail, host),
        Failure::Said { code, text, .. } => format!("{host} said no: {code} {text}"),
        Failure::Silent { text, .. } | Failure::Settings(text) => format!("{host} could not be used for sending: {text}."),
    }
}

fn refused_words(mail: &MailSettings, to: &str, error: &SendError) -> String {
    let host = mail.smtp.as_ref().map_or("", |server| server.host.as_str());
    match error {
        SendError::Refused { code, text, .. } => {
            format!("{host} does not send a mail from {} to {to}: {code} {text}", mail.address)
        }
        SendError::SignInAgain => credentials_words(mail, host),
        SendError::RetryAt(_) => format!("{host} does not take a mail at the moment. Try again in a few minutes."),
        SendError::Uncertain => format!("{host} took the check's mail and then said nothing. Try again."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_voucher_is_read() {
        for (field, id) in [
            ("mx.google.com; dkim=pass", Some("mx.google.com")),
            (" MX.Shop.test 1; spf=pass", Some("mx.shop.test")),
            ("spf=pass smtp.mailfrom=x", None),
            ("", None),
        ] {
            assert_eq!(authserv_id(field).as_deref(), id, "{field}");
        }
    }

    #[test]
    fn a_plus_address_stays_within_64_octets() {
        assert_eq!(plus_address("support@shop.test", "0123456789ab").as_deref(), Some("support+probe01234567@shop.test"));
        assert_eq!(plus_address("support+x@shop.test", "01234567").as_deref(), Some("support+probe01234567@shop.test"));
        assert_eq!(plus_address(&format!("{}@shop.test", "a".repeat(60)), "01234567"), None);
    }
}
