//! Reads a mailbox for ever: by UID, never by flags or dates; every mail goes to the sink with the cursor that it moves, and the
//! cursor moves only over what was handed over or is left out by a named rule. IDLE tells of news; a poll on a connection of
//! its own finds an IDLE that died without a word.

use crate::imap::{CommandError, Folder, Imap, Line, usual_names};
use crate::settings::MailSettings;
use crate::wire::{Suspect, Wire, pause};
use channel::{
    Cursor, FOLDER, FOLDER_ROLE, FolderRole, Fut, HISTORY, InboxSettings, Pull, PullError, RawEvent, RawSink, SinkError,
    SourceNews, Stock, StockFolder, StockItem,
};
use model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Header of a pulled mail that is too large to be fetched: its size. The body of the event is the header block.
pub const TOO_LARGE: &str = "continuo-too-large";
/// Header of a mail that the server itself cannot give: what it said. The body of the event is empty.
pub const UNREADABLE: &str = "continuo-unreadable";
/// Header of a pulled mail: when the server got it.
pub const INTERNAL_DATE: &str = "continuo-internal-date";

const BATCH_MAILS: usize = 32;
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
// Two polls that fail in a row mean that the server is away, whatever IDLE believes.
const POLL_FAILURES_MAX: u32 = 2;
// A server that closes the connection so often over one mail will always do so.
const CLOSED_MAX: u32 = 3;

/// Where each folder goes on. `known`: the folders that were there when the inbox was connected; a watched folder that came
/// later is read from its beginning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Places {
    v: u32,
    known: Vec<String>,
    folders: BTreeMap<String, Place>,
}

/// Where one folder goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Place {
    uidvalidity: u32,
    last_uid: u32,
    /// Mail below was there before the inbox.
    start_uid: u32,
    /// The server's date of the newest mail that was there before: after a renumbering the UIDs no longer tell.
    start_date: Option<i64>,
    /// UIDs below were there when the folder was renumbered, so that the date decides about them.
    renumbered_to: u32,
}

impl Place {
    fn before_start(&self, line: &Line) -> bool {
        let old = || line.at.zip(self.start_date).is_some_and(|(at, start)| at <= start);
        line.uid < self.start_uid || (line.uid < self.renumbered_to && old())
    }
}

impl Places {
    fn read(cursor: &Cursor) -> Result<Self, PullError> {
        if cursor.0.is_empty() {
            return Ok(Self::default());
        }
        let places: Self = serde_json::from_str(&cursor.0)
            .map_err(|error| PullError::Settings(format!("the stored place in the mailbox cannot be read: {error}")))?;
        Ok(places)
    }
    fn write(&self) -> Cursor {
        Cursor(serde_json::to_string(self).unwrap_or_default())
    }
}

impl Pull for Wire {
    fn is_wanted(&self, inbox: &InboxSettings) -> bool {
        // Settings that do not read are told by the pull itself.
        read_settings(inbox).map_or(true, |mail| mail.pulls())
    }
    fn pull<'a>(&'a self, inbox: &'a InboxSettings, from: Cursor, sink: &'a dyn RawSink) -> Fut<'a, Result<Cursor, PullError>> {
        Box::pin(async move {
            let mail = read_settings(inbox)?;
            if !mail.pulls() {
                return Err(PullError::Settings("this inbox has no mailbox to fetch from".to_owned()));
            }
            let mut reader = Reader { wire: self, inbox, mail, sink, places: Places::read(&from)? };
            loop {
                reader.round().await?;
            }
        })
    }
}

pub(crate) fn read_settings(inbox: &InboxSettings) -> Result<MailSettings, PullError> {
    MailSettings::of(inbox).map_err(|refused| PullError::Settings(refused.to_string()))
}

/// The folders that are watched, INBOX first.
pub(crate) fn watched(mail: &MailSettings, all: &[Folder]) -> Vec<Folder> {
    let mut watched: Vec<Folder> = all.iter().filter(|folder| folder.role == FolderRole::Inbox).take(1).cloned().collect();
    let mut add = |folder: Option<Folder>| {
        if let Some(folder) = folder
            && watched.iter().all(|have| have.wire_name != folder.wire_name)
        {
            watched.push(folder);
        }
    };
    if mail.folders.watch_sent {
        add(folder_of(FolderRole::Sent, mail.folders.sent.as_deref(), all));
    }
    if mail.folders.watch_junk {
        add(folder_of(FolderRole::Junk, mail.folders.junk.as_deref(), all));
    }
    for name in &mail.folders.others {
        add(all.iter().find(|folder| folder.name == *name || folder.wire_name == *name).cloned());
    }
    watched
}

/// The folder of a role: by its configured name, else by the server's mark, else by its usual names.
pub(crate) fn folder_of(role: FolderRole, configured: Option<&str>, all: &[Folder]) -> Option<Folder> {
    let by_name = |folder: &&Folder| {
        let name = folder.name.to_lowercase();
        let last = name.rsplit(['/', '.']).next().unwrap_or(&name);
        usual_names(role).contains(&last)
    };
    let found = match configured {
        Some(name) => all.iter().find(|folder| folder.name == name || folder.wire_name == name),
        None => all.iter().find(|folder| folder.role == role).or_else(|| all.iter().find(by_name)),
    };
    found.filter(|folder| folder.role != FolderRole::Inbox).map(|folder| Folder { role, ..folder.clone() })
}

struct Reader<'a> {
    wire: &'a Wire,
    inbox: &'a InboxSettings,
    mail: MailSettings,
    sink: &'a dyn RawSink,
    places: Places,
}

impl Reader<'_> {
    /// One connection's life: read everything new, then listen until something calls for a new connection.
    async fn round(&mut self) -> Result<(), PullError> {
        let mut imap = Imap::open(self.wire, self.inbox, &self.mail).await?;
        let folders = self.catch_up_all(&mut imap).await?;
        let push = imap.can("IDLE");
        self.sink.news(SourceNews::Alive { push });
        let Some(first) = folders.first().cloned() else {
            return Err(PullError::Lost("the mailbox has no INBOX".to_owned()));
        };
        if !push {
            imap.close().await;
            return self.only_polls().await;
        }
        // The folder that IDLE listens to stays open from here on.
        imap.examine(&first).await.map_err(CommandError::lost)?;
        loop {
            // Mail that came between reading and listening is told by no server for sure.
            self.catch_up(&mut imap, &first).await?;
            match self.listen(imap).await? {
                Some(back) => imap = back,
                None => return Ok(()),
            }
        }
    }

    async fn only_polls(&mut self) -> Result<(), PullError> {
        loop {
            pause(self.wire.times().poll.min(Duration::from_secs(60))).await;
            let mut imap = Imap::open(self.wire, self.inbox, &self.mail).await?;
            self.catch_up_all(&mut imap).await?;
            self.sink.news(SourceNews::Alive { push: false });
            imap.close().await;
        }
    }

    /// Listens, with the safety poll beside it. `None`: the poll found mail that IDLE kept quiet about, so the connection is not
    /// to be trusted.
    async fn listen(&mut self, imap: Imap) -> Result<Option<Imap>, PullError> {
        let times = self.wire.times();
        let idle = imap.idle(times.idle);
        tokio::pin!(idle);
        let mut failures = 0;
        loop {
            let polled = async {
                pause(times.poll).await;
                self.poll().await
            };
            tokio::select! {
                back = &mut idle => return back.map(|(imap, _)| Some(imap)),
                found = polled => match found {
                    Ok(inbox_had_news) => {
                        failures = 0;
                        self.sink.news(SourceNews::Alive { push: true });
                        if inbox_had_news {
                            tracing::info!(inbox.id = %self.inbox.id, "the safety poll found mail that IDLE did not tell of; connecting again");
                            return Ok(None);
                        }
                    }
                    Err(PullError::Lost(text)) => {
                        failures += 1;
                        if failures >= POLL_FAILURES_MAX {
                            return Err(PullError::Lost(text));
                        }
                    }
                    Err(other) => return Err(other),
                },
            }
        }
    }

    /// Looks at all watched folders over a short connection and reads what is new. True: INBOX had something.
    async fn poll(&mut self) -> Result<bool, PullError> {
        let mut imap = Imap::open(self.wire, self.inbox, &self.mail).await?;
        let folders = watched(&self.mail, &imap.folders().await?);
        let mut inbox_had_news = false;
        for folder in &folders {
            let numbers = match imap.status(folder).await {
                Ok(numbers) => numbers,
                Err(CommandError::Refused(_)) if folder.role != FolderRole::Inbox => continue,
                Err(error) => return Err(error.lost()),
            };
            let quiet = self.places.folders.get(&folder.name).is_some_and(|place| {
                place.uidvalidity == numbers.uidvalidity
                    && numbers.uid_next.is_some_and(|next| next <= place.last_uid.saturating_add(1))
            });
            if !quiet {
                let fresh = self.catch_up(&mut imap, folder).await?;
                inbox_had_news |= fresh && folder.role == FolderRole::Inbox;
            }
        }
        imap.close().await;
        Ok(inbox_had_news)
    }

    async fn catch_up_all(&mut self, imap: &mut Imap) -> Result<Vec<Folder>, PullError> {
        let all = imap.folders().await?;
        let folders = watched(&self.mail, &all);
        if self.places.v == 0 {
            self.begin(imap, &all, &folders).await?;
        }
        for folder in &folders {
            self.catch_up(imap, folder).await?;
        }
        Ok(folders)
    }

    /// First contact: everything that is there now is older than the inbox.
    async fn begin(&mut self, imap: &mut Imap, all: &[Folder], folders: &[Folder]) -> Result<(), PullError> {
        let mut places = Places { v: 1, known: all.iter().map(|folder| folder.name.clone()).collect(), folders: BTreeMap::new() };
        for folder in folders {
            match place_now(imap, folder).await {
                Ok(place) => {
                    places.folders.insert(folder.name.clone(), place);
                }
                Err(CommandError::Refused(_)) if folder.role != FolderRole::Inbox => {}
                Err(error) => return Err(error.lost()),
            }
        }
        self.commit(vec![], places).await
    }

    /// Reads what is new in a folder. True: there was something.
    async fn catch_up(&mut self, imap: &mut Imap, folder: &Folder) -> Result<bool, PullError> {
        let numbers = match imap.examine(folder).await {
            Ok(numbers) => numbers,
            // A folder may be renamed or removed while we look; the next round sees the new list.
            Err(CommandError::Refused(_)) if folder.role != FolderRole::Inbox => return Ok(false),
            Err(error) => return Err(error.lost()),
        };
        let mut place = match self.places.folders.get(&folder.name) {
            Some(place) => place.clone(),
            None if self.places.known.contains(&folder.name) => {
                // It was there before and is watched only now: new mail only.
                let place = place_now(imap, folder).await.map_err(CommandError::lost)?;
                self.give(vec![], folder, place.clone()).await?;
                place
            }
            None => Place { uidvalidity: numbers.uidvalidity, ..Place::default() },
        };
        if place.uidvalidity != numbers.uidvalidity {
            self.sink.news(SourceNews::Renumbered { folder: folder.name.clone(), count: u64::from(numbers.count) });
            place = Place {
                uidvalidity: numbers.uidvalidity,
                last_uid: 0,
                start_uid: 0,
                start_date: place.start_date,
                renumbered_to: numbers.uid_next.unwrap_or(u32::MAX),
            };
        }
        if numbers.count == 0 || numbers.uid_next.is_some_and(|next| next <= place.last_uid.saturating_add(1)) {
            if self.places.folders.get(&folder.name) != Some(&place) {
                self.give(vec![], folder, place).await?;
            }
            return Ok(false);
        }
        let Some(first) = place.last_uid.checked_add(1) else { return Ok(false) };
        let lines = imap.list_from(first).await.map_err(CommandError::lost)?;
        let fresh = !lines.is_empty();
        let mut waiting = Batch::default();
        for line in lines {
            let left_out = line.deleted || place.before_start(&line);
            place.last_uid = line.uid;
            if left_out {
                continue;
            }
            if line.bytes > self.mail.fetch_bytes_max {
                self.deliver(imap, folder, &mut waiting, &place).await?;
                let event = too_large(imap, folder, place.uidvalidity, &line, self.wire.now()).await?;
                self.give(event.into_iter().collect(), folder, place.clone()).await?;
                continue;
            }
            if waiting.is_full_with(&line) {
                self.deliver(imap, folder, &mut waiting, &place).await?;
            }
            waiting.push(line);
        }
        self.deliver(imap, folder, &mut waiting, &place).await?;
        // Also when everything was left out, so that it is not listed again.
        if self.places.folders.get(&folder.name) != Some(&place) {
            self.give(vec![], folder, place).await?;
        }
        Ok(fresh)
    }

    /// Fetches a batch and hands it over with the place behind its last mail.
    async fn deliver(&mut self, imap: &mut Imap, folder: &Folder, batch: &mut Batch, place: &Place) -> Result<(), PullError> {
        let lines = std::mem::take(batch).lines;
        let Some(last) = lines.last().map(|line| line.uid) else { return Ok(()) };
        let taking = Taking {
            wire: self.wire,
            inbox: self.inbox.id,
            folder,
            uidvalidity: place.uidvalidity,
            bytes_max: self.mail.fetch_bytes_max,
        };
        let events = taking.events(imap, &lines).await.map_err(CommandError::lost)?;
        self.give(events, folder, Place { last_uid: last, ..place.clone() }).await
    }

    /// One commit: these events and the place behind them. Our own memory moves only after the commit, since a poll may be
    /// dropped at any point of its way.
    async fn give(&mut self, events: Vec<RawEvent>, folder: &Folder, place: Place) -> Result<(), PullError> {
        let mut next = self.places.clone();
        next.folders.insert(folder.name.clone(), place);
        self.commit(events, next).await
    }

    async fn commit(&mut self, events: Vec<RawEvent>, next: Places) -> Result<(), PullError> {
        hand_over(self.sink, events, Some(next.write())).await?;
        self.places = next;
        Ok(())
    }
}

#[derive(Default)]
struct Batch {
    lines: Vec<Line>,
    bytes: u64,
}

impl Batch {
    fn is_full_with(&self, line: &Line) -> bool {
        !self.lines.is_empty() && (self.lines.len() >= BATCH_MAILS || self.bytes + line.bytes > BATCH_BYTES)
    }
    fn push(&mut self, line: Line) {
        self.bytes += line.bytes;
        self.lines.push(line);
    }
}

async fn hand_over(sink: &dyn RawSink, events: Vec<RawEvent>, cursor: Option<Cursor>) -> Result<(), PullError> {
    let closed = |text| PullError::Lost(format!("nothing can be stored now: {text}"));
    // What is heavy is not held twice: when the store is busy, it is fetched again.
    if events.iter().map(|event| event.body.len() as u64).sum::<u64>() > BATCH_BYTES {
        return sink.accept(events, cursor).await.map_err(|error| match error {
            SinkError::Busy => PullError::Lost("the store is busy; a large mail is fetched again".to_owned()),
            SinkError::Closed(text) => closed(text),
        });
    }
    loop {
        match sink.accept(events.clone(), cursor.clone()).await {
            Ok(()) => return Ok(()),
            Err(SinkError::Busy) => pause(Duration::from_millis(500)).await,
            Err(SinkError::Closed(text)) => return Err(closed(text)),
        }
    }
}

async fn place_now(imap: &mut Imap, folder: &Folder) -> Result<Place, CommandError> {
    let numbers = imap.examine(folder).await?;
    let last = if numbers.count > 0 { imap.last().await? } else { None };
    let last_uid = match (numbers.uid_next, &last) {
        (Some(next), _) => next.saturating_sub(1),
        (None, Some(last)) => last.uid,
        (None, None) => 0,
    };
    let mut start_date = last.and_then(|line| line.at);
    if numbers.count > 0 && start_date.is_none() {
        start_date = Some(i64::MIN);
    }
    Ok(Place { uidvalidity: numbers.uidvalidity, last_uid, start_uid: last_uid.saturating_add(1), start_date, renumbered_to: 0 })
}

/// Takes mails out of one folder.
struct Taking<'a> {
    wire: &'a Wire,
    inbox: model::InboxId,
    folder: &'a Folder,
    uidvalidity: u32,
    bytes_max: u64,
}

impl Taking<'_> {
    /// The mails of these lines as events, in order. What vanished meanwhile is left out; what the server itself cannot give
    /// comes as an event that says so, and never holds up the next.
    ///
    /// A server may close the connection over one broken mail, so the mails of a lost connection are fetched one by one the next
    /// time, and one over which it closed it again and again is given up. A line that is merely cut never counts.
    async fn events(&self, imap: &mut Imap, lines: &[Line]) -> Result<Vec<RawEvent>, CommandError> {
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return Ok(vec![]) };
        let suspect = self.suspect().filter(|suspect| suspect.first <= last.uid && first.uid <= suspect.last);
        let Some(suspect) = suspect else {
            return match self.together(imap, lines).await {
                Ok(events) => Ok(events),
                Err(error) => {
                    self.note(first.uid, last.uid, &error);
                    Err(error)
                }
            };
        };
        let mut events = Vec::with_capacity(lines.len());
        for line in lines {
            if suspect.first == line.uid && suspect.last == line.uid && suspect.closed >= CLOSED_MAX {
                events.push(self.unreadable(line, &suspect.said));
                continue;
            }
            match self.together(imap, std::slice::from_ref(line)).await {
                Ok(more) => events.extend(more),
                Err(error) => {
                    self.note(line.uid, line.uid, &error);
                    return Err(error);
                }
            }
        }
        self.wire.set_suspect(self.inbox, None);
        Ok(events)
    }

    fn suspect(&self) -> Option<Suspect> {
        self.wire
            .suspect(self.inbox)
            .filter(|suspect| suspect.folder == self.folder.name && suspect.uidvalidity == self.uidvalidity)
    }

    fn note(&self, first: u32, last: u32, error: &CommandError) {
        let before =
            self.suspect().filter(|suspect| suspect.first == first && suspect.last == last).map_or(0, |suspect| suspect.closed);
        let (closed, said) = match error {
            CommandError::Closed(said) if first == last => (before + 1, said.clone()),
            _ => (before, String::new()),
        };
        let folder = self.folder.name.clone();
        let suspect = Suspect { folder, uidvalidity: self.uidvalidity, first, last, closed, said };
        self.wire.set_suspect(self.inbox, Some(suspect));
    }

    fn unreadable(&self, line: &Line, said: &str) -> RawEvent {
        tracing::warn!(folder = %self.folder.name, uid = line.uid, said, "the mail server cannot give one mail");
        let mut event = event_of(self.folder, self.uidvalidity, line, vec![], self.wire.now());
        event.headers.push((UNREADABLE.to_owned(), said.to_owned()));
        event
    }

    async fn together(&self, imap: &mut Imap, lines: &[Line]) -> Result<Vec<RawEvent>, CommandError> {
        let uids: Vec<u32> = lines.iter().map(|line| line.uid).collect();
        let mut bodies: BTreeMap<u32, Vec<u8>> = match imap.bodies(&uids).await {
            Ok(found) => found.into_iter().collect(),
            // One mail that the server cannot read makes it refuse them all: one by one below.
            Err(CommandError::Refused(_)) => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        let mut events = Vec::with_capacity(lines.len());
        for line in lines {
            let body = match bodies.remove(&line.uid) {
                Some(body) => Ok(body),
                None => match imap.bodies(&[line.uid]).await {
                    Ok(mut found) => match found.pop() {
                        Some((_, body)) => Ok(body),
                        None if imap.lines_of(&[line.uid]).await?.is_empty() => continue,
                        None => Err("the server lists this mail and gives no content".to_owned()),
                    },
                    Err(CommandError::Refused(said)) => Err(said),
                    Err(error) => return Err(error),
                },
            };
            match body {
                // RFC822.SIZE is a promise that some servers break.
                Ok(body) if body.len() as u64 > self.bytes_max.saturating_mul(2) => {
                    let line = Line { bytes: body.len() as u64, ..line.clone() };
                    let large = too_large(imap, self.folder, self.uidvalidity, &line, self.wire.now()).await;
                    events.extend(large.map_err(CommandError::Lost)?);
                }
                Ok(body) => events.push(event_of(self.folder, self.uidvalidity, line, body, self.wire.now())),
                Err(said) => events.push(self.unreadable(line, &said)),
            }
        }
        Ok(events)
    }
}

async fn too_large(
    imap: &mut Imap,
    folder: &Folder,
    uidvalidity: u32,
    line: &Line,
    now: Timestamp,
) -> Result<Option<RawEvent>, PullError> {
    let head = match imap.header(line.uid).await {
        Ok(Some(head)) => head,
        Ok(None) => return Ok(None),
        Err(CommandError::Refused(_)) => vec![],
        Err(error) => return Err(error.lost()),
    };
    let mut event = event_of(folder, uidvalidity, line, head, now);
    event.headers.push((TOO_LARGE.to_owned(), line.bytes.to_string()));
    Ok(Some(event))
}

fn key_of(folder: &str, uidvalidity: u32, uid: u32) -> String {
    format!("{folder}/{uidvalidity}/{uid}")
}

/// Takes a key apart; folder names may hold slashes.
fn read_key(key: &str) -> Option<(&str, u32, u32)> {
    let mut parts = key.rsplitn(3, '/');
    let uid = parts.next()?.parse().ok()?;
    let uidvalidity = parts.next()?.parse().ok()?;
    Some((parts.next()?, uidvalidity, uid))
}

fn event_of(folder: &Folder, uidvalidity: u32, line: &Line, body: Vec<u8>, now: Timestamp) -> RawEvent {
    let mut headers = vec![(FOLDER.to_owned(), folder.name.clone()), (FOLDER_ROLE.to_owned(), folder.role.word().to_owned())];
    if let Some(at) = line.at {
        headers.push((INTERNAL_DATE.to_owned(), Timestamp(at).to_string()));
    }
    RawEvent {
        dedupe_key: key_of(&folder.name, uidvalidity, line.uid),
        lane: lane_of(&body),
        body,
        headers,
        received_at: now,
        evidence: None,
    }
}

/// The first From address in lower case: mails of one sender are understood in order.
pub(crate) fn lane_of(mail: &[u8]) -> String {
    let headers = crate::Headers::read(mail);
    let people = crate::address::people(&headers, "from");
    people.into_iter().find_map(|person| person.address).unwrap_or_default().to_lowercase()
}

impl Stock for Wire {
    fn list<'a>(&'a self, inbox: &'a InboxSettings, cursor: &'a Cursor) -> Fut<'a, Result<Vec<StockFolder>, PullError>> {
        Box::pin(async move {
            let mail = read_settings(inbox)?;
            let places = Places::read(cursor)?;
            let mut imap = Imap::open(self, inbox, &mail).await?;
            let mut folders = Vec::new();
            for folder in watched(&mail, &imap.folders().await?) {
                let numbers = match imap.examine(&folder).await {
                    Ok(numbers) => numbers,
                    Err(CommandError::Refused(_)) if folder.role != FolderRole::Inbox => continue,
                    Err(error) => return Err(error.lost()),
                };
                let lines = if numbers.count == 0 { vec![] } else { imap.list_from(1).await.map_err(CommandError::lost)? };
                let place = place_for(&places, &folder, numbers.uidvalidity);
                let item = |line: Line| StockItem {
                    key: key_of(&folder.name, numbers.uidvalidity, line.uid),
                    at: line.at.map(Timestamp),
                    bytes: line.bytes,
                    deleted: line.deleted,
                    before_start: place.as_ref().is_none_or(|place| place.before_start(&line)),
                    ahead: place.as_ref().is_some_and(|place| line.uid > place.last_uid),
                };
                let items = lines.into_iter().map(item).collect();
                folders.push(StockFolder {
                    name: folder.name.clone(),
                    role: folder.role,
                    generation: numbers.uidvalidity.to_string(),
                    items,
                });
            }
            imap.close().await;
            Ok(folders)
        })
    }

    fn fetch<'a>(
        &'a self,
        inbox: &'a InboxSettings,
        keys: &'a [String],
        history: bool,
        sink: &'a dyn RawSink,
    ) -> Fut<'a, Result<(), PullError>> {
        Box::pin(async move {
            let mail = read_settings(inbox)?;
            let mut imap = Imap::open(self, inbox, &mail).await?;
            let folders = watched(&mail, &imap.folders().await?);
            // The order given is kept; runs of one folder are fetched together.
            let wanted: Vec<(&str, u32, u32)> = keys.iter().filter_map(|key| read_key(key)).collect();
            let mut rest = wanted.as_slice();
            while let Some((name, uidvalidity, _)) = rest.first().copied() {
                let run = rest.iter().take_while(|(n, v, _)| *n == name && *v == uidvalidity).count();
                let (now, after) = rest.split_at(run);
                rest = after;
                let Some(folder) = folders.iter().find(|folder| folder.name == name) else { continue };
                match imap.examine(folder).await {
                    Ok(numbers) if numbers.uidvalidity == uidvalidity => {}
                    Ok(_) | Err(CommandError::Refused(_)) => continue,
                    Err(error) => return Err(error.lost()),
                }
                let uids: Vec<u32> = now.iter().map(|(_, _, uid)| *uid).collect();
                self.fetch_run(&mut imap, inbox.id, &mail, folder, uidvalidity, &uids, history, sink).await?;
            }
            imap.close().await;
            Ok(())
        })
    }
}

impl Wire {
    #[expect(clippy::too_many_arguments, reason = "one inner loop of fetch, called once")]
    async fn fetch_run(
        &self,
        imap: &mut Imap,
        inbox: model::InboxId,
        mail: &MailSettings,
        folder: &Folder,
        uidvalidity: u32,
        uids: &[u32],
        history: bool,
        sink: &dyn RawSink,
    ) -> Result<(), PullError> {
        let taking = Taking { wire: self, inbox, folder, uidvalidity, bytes_max: mail.fetch_bytes_max };
        for some in uids.chunks(200) {
            let lines = imap.lines_of(some).await.map_err(CommandError::lost)?;
            let mut batch = Batch::default();
            let mut batches = Vec::new();
            for uid in some {
                let Some(line) = lines.iter().find(|line| line.uid == *uid) else { continue };
                if batch.is_full_with(line) {
                    batches.push(std::mem::take(&mut batch));
                }
                batch.push(line.clone());
            }
            batches.push(batch);
            for batch in batches {
                let mut events = Vec::new();
                let (small, large): (Vec<Line>, Vec<Line>) =
                    batch.lines.into_iter().partition(|line| line.bytes <= mail.fetch_bytes_max);
                events.extend(taking.events(imap, &small).await.map_err(CommandError::lost)?);
                for line in &large {
                    events.extend(too_large(imap, folder, uidvalidity, line, self.now()).await?);
                }
                if history {
                    for event in &mut events {
                        event.headers.push((HISTORY.to_owned(), "1".to_owned()));
                    }
                }
                if !events.is_empty() {
                    hand_over(sink, events, None).await?;
                }
            }
        }
        Ok(())
    }
}

/// The place that decides what is older than the inbox. `None`: the folder is not read yet and was there before.
fn place_for(places: &Places, folder: &Folder, uidvalidity: u32) -> Option<Place> {
    match places.folders.get(&folder.name) {
        Some(place) if place.uidvalidity == uidvalidity => Some(place.clone()),
        Some(place) => Some(Place { last_uid: 0, start_uid: 0, renumbered_to: u32::MAX, ..place.clone() }),
        None if places.v == 0 || places.known.contains(&folder.name) => None,
        None => Some(Place::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, role: FolderRole) -> Folder {
        Folder { wire_name: name.to_owned(), name: name.to_owned(), role }
    }

    #[test]
    fn keys_are_read_from_behind() {
        assert_eq!(read_key("INBOX/7/12"), Some(("INBOX", 7, 12)));
        assert_eq!(read_key("[Gmail]/Gesendet/7/12"), Some(("[Gmail]/Gesendet", 7, 12)));
        for broken in ["", "INBOX/7", "INBOX/x/1", "lmtp/abc"] {
            assert_eq!(read_key(broken), None, "{broken}");
        }
    }

    #[test]
    fn watched_folders_are_found_by_mark_then_by_name() {
        let marked = [folder("INBOX", FolderRole::Inbox), folder("Raus", FolderRole::Sent), folder("Sent", FolderRole::Other)];
        let names = |mail: &MailSettings, all: &[Folder]| {
            watched(mail, all).into_iter().map(|folder| (folder.name, folder.role)).collect::<Vec<_>>()
        };
        let mail = MailSettings::default();
        assert_eq!(names(&mail, &marked), [("INBOX".to_owned(), FolderRole::Inbox), ("Raus".to_owned(), FolderRole::Sent)]);
        let plain = [
            folder("INBOX", FolderRole::Inbox),
            folder("INBOX.Gesendete Elemente", FolderRole::Other),
            folder("Spam", FolderRole::Other),
        ];
        let found = names(&mail, &plain);
        assert_eq!(found[1], ("INBOX.Gesendete Elemente".to_owned(), FolderRole::Sent));
        assert_eq!(found[2], ("Spam".to_owned(), FolderRole::Junk));
        let mut chosen = mail;
        chosen.folders.sent = Some("Sent".to_owned());
        chosen.folders.watch_junk = false;
        chosen.folders.others = vec!["Raus".to_owned(), "gone".to_owned()];
        assert_eq!(
            names(&chosen, &marked),
            [
                ("INBOX".to_owned(), FolderRole::Inbox),
                ("Sent".to_owned(), FolderRole::Sent),
                ("Raus".to_owned(), FolderRole::Sent)
            ]
        );
    }

    #[test]
    fn what_was_there_before_stays_out_also_after_a_renumbering() {
        let line = |uid, at| Line { uid, at: Some(at), ..Line::default() };
        let place = Place { uidvalidity: 1, last_uid: 9, start_uid: 8, start_date: Some(100), renumbered_to: 0 };
        assert!(place.before_start(&line(7, 500)));
        assert!(!place.before_start(&line(8, 50)), "an old date alone says nothing: mail may be moved in");
        let renumbered = Place { start_uid: 0, renumbered_to: 20, ..place };
        assert!(renumbered.before_start(&line(3, 100)));
        assert!(!renumbered.before_start(&line(4, 101)));
        assert!(!renumbered.before_start(&line(20, 5)), "came after the renumbering");
    }

    #[test]
    fn a_broken_place_is_an_error_and_not_a_fresh_start() {
        assert!(Places::read(&Cursor("{oops".to_owned())).is_err());
        let places = Places { v: 1, known: vec!["INBOX".to_owned()], folders: BTreeMap::new() };
        assert_eq!(Places::read(&places.write()).unwrap(), places);
    }

    #[test]
    fn the_lane_is_the_sender() {
        assert_eq!(lane_of(b"From: \"A, B\" <Ann@Cust.TEST>\r\nTo: x@y.test\r\n\r\nhi"), "ann@cust.test");
        assert_eq!(lane_of(b"Subject: none\r\n\r\nhi"), "");
        assert_eq!(lane_of(b""), "");
    }
}
