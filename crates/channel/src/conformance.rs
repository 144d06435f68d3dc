//! The suite that every adapter passes. An adapter's test says how its provider behaves (`Subject`), runs the suite and
//! names the cases that do not apply to it; a case that silently stops applying fails that test.

use crate::{
    Blocked, Channel, DeliveryState, FetchError, InboundEvent, InboxSettings, MediaRef, Outbound, RawEvent, RawRequest,
    Reconciled, SendContext, SendError, SendIdempotency, WireRequest, state,
};
use model::Timestamp;
use model::words::BlockReason;
use std::collections::HashSet;

/// One case of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Case {
    /// The same event again, later, has the same key; another event has another.
    Duplicate,
    /// Parsing remembers nothing, so the order of events does not matter; reports merge to one state.
    Reorder,
    /// An unknown kind is reported, never an error and never dropped.
    UnknownKind,
    /// An unknown status means pending, never failed.
    UnknownStatus,
    /// Bytes that are nothing: kept under their hash, quarantined, no panic.
    Garbage,
    /// 429 with Retry-After is obeyed.
    RateLimited,
    /// 5xx: nothing was taken, try later.
    ServerError,
    /// Expired credentials open the circuit.
    ExpiredToken,
    /// A file that is too large is blocked before it goes, and not fetched when it comes.
    OversizeMedia,
    /// A text that is too long is blocked or split, never cut.
    OverlongText,
    /// Request sent, answer lost: uncertain. Asked later, the provider says that it took it.
    LostAnswer,
    /// A repeat with the same key is taken once.
    IdempotentRepeat,
    /// A wrong signature is refused.
    BadSignature,
    /// A replayed request is refused.
    OldTimestamp,
    /// Rendering is pure, and its parts are numbered and told apart.
    Rendering,
}

/// What a provider is asked to do at the next submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meets {
    /// 429, Retry-After 30 seconds.
    RateLimited,
    /// 503 without a time.
    ServerError,
    /// Expired credentials.
    ExpiredToken,
    /// It takes the message, and the connection dies before the answer.
    LostAnswer,
}

/// A request or an event that a subject is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// An event of a kind that nobody knows, well signed.
    UnknownKind,
    /// A report with a status that nobody knows, well signed.
    UnknownStatus,
    /// A body that cannot be read, well signed.
    Garbage,
    /// A message with a signature by another key, or none.
    BadSignature,
    /// A message signed long ago.
    OldTimestamp,
}

/// Something that came in: by HTTP, or as an event that was pulled or heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    /// A request for `Webhook`.
    Request(RawRequest),
    /// An event that `Pull` or `Listen` gave to its sink.
    Event(RawEvent),
}

impl From<RawRequest> for Came {
    fn from(request: RawRequest) -> Self {
        Self::Request(request)
    }
}
impl From<RawEvent> for Came {
    fn from(event: RawEvent) -> Self {
        Self::Event(event)
    }
}

/// What an adapter's test tells the suite about its provider.
pub trait Subject {
    /// The adapter.
    fn channel(&self) -> &dyn Channel;
    /// An inbox that works.
    fn inbox(&self) -> InboxSettings;
    /// The time of the adapter's clock.
    fn now(&self) -> Timestamp;
    /// The `n`-th message of one customer, as the provider sends it at a time; the same `n` is the same message.
    fn message(&self, n: u32, at: Timestamp) -> Came;
    /// Reports about one message of ours, in their natural order. Empty: the provider tells nothing.
    fn reports(&self) -> Vec<Came>;
    /// Something odd; `None`: this provider cannot send that.
    fn odd(&self, odd: Odd) -> Option<Came>;
    /// An entry of a plain text with what is needed to send it.
    fn outbound(&self, text: &str) -> (Outbound, SendContext);
    /// Makes the provider meet the next submit in this way; false: it has no such way.
    fn meets(&self, meets: Meets) -> bool;
    /// How many messages the provider has taken; `None`: nobody counts.
    fn taken(&self) -> Option<usize>;
    /// A file at the provider that is larger than this inbox takes.
    fn oversize_media(&self) -> Option<MediaRef>;
}

/// How the suite went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Cases that held.
    pub passed: Vec<Case>,
    /// Cases that this adapter has no way into.
    pub absent: Vec<Case>,
    /// Cases that did not hold, with what was seen.
    pub failed: Vec<(Case, String)>,
}

impl Report {
    /// Panics unless every case passed but exactly these, which do not apply.
    #[track_caller]
    pub fn assert_all_but(&self, absent: &[Case]) {
        let (have, want): (HashSet<_>, HashSet<_>) = (self.absent.iter().collect(), absent.iter().collect());
        assert!(self.failed.is_empty(), "the adapter does not conform: {:#?}", self.failed);
        assert!(have == want, "cases without a way in: {have:?}, but the adapter's test says {want:?}");
    }

    fn note(&mut self, case: Case, outcome: Outcome) {
        match outcome {
            Ok(true) => self.passed.push(case),
            Ok(false) => self.absent.push(case),
            Err(seen) => self.failed.push((case, seen)),
        }
    }
}

/// True: it held. False: it does not apply.
type Outcome = Result<bool, String>;

fn hold(holds: bool, seen: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(seen()) }
}

/// Runs every case.
pub async fn run(subject: &dyn Subject) -> Report {
    let mut report = Report::default();
    report.note(Case::Duplicate, duplicate(subject));
    report.note(Case::Reorder, reorder(subject));
    report.note(Case::UnknownKind, unknown_kind(subject));
    report.note(Case::UnknownStatus, unknown_status(subject));
    report.note(Case::Garbage, garbage(subject));
    report.note(Case::RateLimited, rate_limited(subject).await);
    report.note(Case::ServerError, server_error(subject).await);
    report.note(Case::ExpiredToken, expired_token(subject).await);
    report.note(Case::OversizeMedia, oversize_media(subject).await);
    report.note(Case::OverlongText, overlong_text(subject));
    report.note(Case::LostAnswer, lost_answer(subject).await);
    report.note(Case::IdempotentRepeat, idempotent_repeat(subject).await);
    report.note(Case::BadSignature, refused(subject, Odd::BadSignature));
    report.note(Case::OldTimestamp, refused(subject, Odd::OldTimestamp));
    report.note(Case::Rendering, rendering(subject));
    report
}

fn events_of(subject: &dyn Subject, came: &Came) -> Result<Vec<RawEvent>, String> {
    let request = match came {
        Came::Event(event) => return Ok(vec![event.clone()]),
        Came::Request(request) => request,
    };
    let webhook = subject.channel().webhook().ok_or("a request, but no webhook")?;
    let verified = webhook
        .verify(&subject.inbox(), request, request.received_at)
        .map_err(|error| format!("a good request was refused: {error}"))?;
    Ok(webhook.split(&verified))
}

fn parsed(subject: &dyn Subject, came: &Came) -> Result<Vec<InboundEvent>, String> {
    let mut all = vec![];
    for event in events_of(subject, came)? {
        all.extend(subject.channel().parse(&subject.inbox(), &event).map_err(|error| format!("quarantined: {error:?}"))?);
    }
    Ok(all)
}

fn duplicate(subject: &dyn Subject) -> Outcome {
    let now = subject.now();
    let keys = |n, at| {
        events_of(subject, &subject.message(n, at))
            .map(|events| events.into_iter().map(|e| (e.dedupe_key, e.lane)).collect::<Vec<_>>())
    };
    let (first, again, other) = (keys(1, now)?, keys(1, now.plus_seconds(60))?, keys(2, now)?);
    hold(!first.is_empty(), || "a message became no event".to_owned())?;
    hold(first == again, || format!("the same message has other keys when it comes again: {first:?} and {again:?}"))?;
    hold(first[0].0 != other[0].0, || format!("two messages have one key: {first:?}"))?;
    hold(first[0].1 == other[0].1, || format!("two messages of one customer have two lanes: {first:?} and {other:?}"))?;
    Ok(true)
}

fn reorder(subject: &dyn Subject) -> Outcome {
    let now = subject.now();
    let (one, two) = (subject.message(1, now), subject.message(2, now));
    let forth = (parsed(subject, &one)?, parsed(subject, &two)?);
    let back = (parsed(subject, &two)?, parsed(subject, &one)?);
    hold(forth.0 == back.1 && forth.1 == back.0, || "parsing depends on what was parsed before".to_owned())?;
    hold(forth.0 != forth.1, || "two messages are parsed to the same".to_owned())?;
    let mut states = vec![];
    for report in subject.reports() {
        for event in parsed(subject, &report)? {
            if let InboundEvent::Delivery { state, .. } = event {
                states.push(state);
            }
        }
    }
    let fold = |states: &[DeliveryState]| states.iter().fold(DeliveryState::Queued, |old, new| state::merge(old, *new));
    let forth = fold(&states);
    states.reverse();
    hold(fold(&states) == forth, || "reports in another order give another state".to_owned())?;
    Ok(true)
}

fn unknown_kind(subject: &dyn Subject) -> Outcome {
    let Some(request) = subject.odd(Odd::UnknownKind) else { return Ok(false) };
    let events = parsed(subject, &request)?;
    let reported = events.iter().any(|event| matches!(event, InboundEvent::Unsupported { .. }));
    hold(reported, || format!("an unknown kind became {events:?}"))?;
    Ok(true)
}

fn unknown_status(subject: &dyn Subject) -> Outcome {
    let Some(request) = subject.odd(Odd::UnknownStatus) else { return Ok(false) };
    let events = parsed(subject, &request)?;
    let pending = |event: &InboundEvent| match event {
        InboundEvent::Delivery { state, .. } => *state == DeliveryState::Queued,
        other => matches!(other, InboundEvent::Unsupported { .. }),
    };
    hold(!events.is_empty() && events.iter().all(pending), || format!("an unknown status became {events:?}"))?;
    Ok(true)
}

fn garbage(subject: &dyn Subject) -> Outcome {
    let Some(request) = subject.odd(Odd::Garbage) else { return Ok(false) };
    let events = events_of(subject, &request)?;
    hold(!events.is_empty() && events.iter().all(|event| !event.dedupe_key.is_empty()), || {
        "a body that cannot be read was lost".to_owned()
    })?;
    hold(events_of(subject, &request)? == events, || "a body that cannot be read has another key each time".to_owned())?;
    for event in &events {
        match subject.channel().parse(&subject.inbox(), event) {
            Err(quarantine) => hold(!quarantine.reason.is_empty() && !quarantine.detail.is_empty(), || {
                "quarantined without a reason".to_owned()
            })?,
            Ok(events) => {
                let shown = events.iter().any(|event| matches!(event, InboundEvent::Unsupported { .. }));
                hold(shown, || format!("garbage became {events:?}"))?;
            }
        }
    }
    Ok(true)
}

fn refused(subject: &dyn Subject, odd: Odd) -> Outcome {
    let request = match subject.odd(odd) {
        None => return Ok(false),
        Some(Came::Event(_)) => return Err("an event is past the door where signatures are checked; give a request".to_owned()),
        Some(Came::Request(request)) => request,
    };
    let webhook = subject.channel().webhook().ok_or("a request, but no webhook")?;
    match webhook.verify(&subject.inbox(), &request, subject.now()) {
        Err(_) => Ok(true),
        Ok(_) => Err(format!("{odd:?} was believed")),
    }
}

fn rendered(subject: &dyn Subject, text: &str) -> Result<Vec<WireRequest>, String> {
    let (outbound, context) = subject.outbound(text);
    subject.channel().render(&outbound, &context).map_err(|blocked| format!("a plain text is blocked: {blocked:?}"))
}

async fn submitted(subject: &dyn Subject, meets: Meets) -> Option<Result<SendError, String>> {
    if !subject.meets(meets) {
        return None;
    }
    let requests = match rendered(subject, "hello") {
        Ok(requests) => requests,
        Err(error) => return Some(Err(error)),
    };
    let inbox = subject.inbox();
    match subject.channel().submit(&inbox, &requests[0]).await {
        Err(error) => Some(Ok(error)),
        Ok(accepted) => Some(Err(format!("{meets:?} was told as {accepted:?}"))),
    }
}

async fn rate_limited(subject: &dyn Subject) -> Outcome {
    let Some(error) = submitted(subject, Meets::RateLimited).await else { return Ok(false) };
    let (error, until) = (error?, subject.now().plus_seconds(30));
    hold(error == SendError::RetryAt(until), || format!("Retry-After 30 was told as {error:?}, not as {until}"))?;
    Ok(true)
}

async fn server_error(subject: &dyn Subject) -> Outcome {
    let Some(error) = submitted(subject, Meets::ServerError).await else { return Ok(false) };
    let error = error?;
    let later = matches!(error, SendError::RetryAt(at) if at > subject.now());
    hold(later, || format!("a server error was told as {error:?}"))?;
    Ok(true)
}

async fn expired_token(subject: &dyn Subject) -> Outcome {
    let Some(error) = submitted(subject, Meets::ExpiredToken).await else { return Ok(false) };
    let error = error?;
    hold(error == SendError::SignInAgain, || format!("expired credentials were told as {error:?}"))?;
    Ok(true)
}

async fn lost_answer(subject: &dyn Subject) -> Outcome {
    let Some(error) = submitted(subject, Meets::LostAnswer).await else { return Ok(false) };
    let error = error?;
    hold(error == SendError::Uncertain, || format!("a lost answer was told as {error:?}"))?;
    if let Some(reconcile) = subject.channel().reconcile() {
        let inbox = subject.inbox();
        let found = reconcile.find(&inbox, &rendered(subject, "hello")?[0]).await;
        hold(!matches!(found, Some(Reconciled::NotTaken)), || {
            "what was taken is said not to be: it would be sent twice".to_owned()
        })?;
    }
    Ok(true)
}

async fn idempotent_repeat(subject: &dyn Subject) -> Outcome {
    let inbox = subject.inbox();
    let (SendIdempotency::Key(_), Some(before)) = (subject.channel().capabilities(&inbox).send_idempotency, subject.taken())
    else {
        return Ok(false);
    };
    let request = &rendered(subject, "only once")?[0];
    hold(request.idempotency_key.is_some(), || "the capabilities name a key, but the request has none".to_owned())?;
    let mut answers = vec![];
    for _ in 0..3 {
        answers.push(subject.channel().submit(&inbox, request).await.map_err(|error| format!("not taken: {error}"))?);
    }
    hold(answers.iter().all(|answer| answer.provider_id == answers[0].provider_id), || {
        format!("a repeat got another id: {answers:?}")
    })?;
    let taken = subject.taken().unwrap_or(0) - before;
    hold(taken <= 1, || format!("a repeat was taken {taken} times"))?;
    Ok(true)
}

async fn oversize_media(subject: &dyn Subject) -> Outcome {
    let inbox = subject.inbox();
    let limits = subject.channel().capabilities(&inbox).limits();
    let (mut outbound, context) = subject.outbound("with a file");
    outbound.files = vec![crate::OutboundFile {
        id: model::AttachmentId(1),
        name: "large.png".to_owned(),
        mime: "image/png".to_owned(),
        bytes: limits.attachment_bytes_max.saturating_add(1),
        url: None,
    }];
    match subject.channel().render(&outbound, &context) {
        Err(Blocked { reason: BlockReason::AttachmentType, .. }) => {}
        other => return Err(format!("a file beyond {} bytes gave {other:?}", limits.attachment_bytes_max)),
    }
    if let (Some(media), Some(reference)) = (subject.channel().media(), subject.oversize_media()) {
        let fetched = media.fetch(&inbox, &reference).await;
        hold(matches!(fetched, Err(FetchError::TooLarge { .. })), || {
            format!("a file that is too large was fetched: {fetched:?}")
        })?;
    }
    Ok(true)
}

fn overlong_text(subject: &dyn Subject) -> Outcome {
    let Some(max) = subject.channel().capabilities(&subject.inbox()).text_max.chars() else { return Ok(false) };
    let (outbound, context) = subject.outbound(&"ü".repeat(max as usize * 4 + 1));
    match subject.channel().render(&outbound, &context) {
        Err(Blocked { reason: BlockReason::TooLong, .. }) => Ok(true),
        Ok(requests) if requests.len() > 1 => Ok(true),
        other => Err(format!("a text beyond {max} characters gave {other:?}")),
    }
}

fn rendering(subject: &dyn Subject) -> Outcome {
    let requests = rendered(subject, "hello")?;
    hold(requests == rendered(subject, "hello")?, || "the same entry is rendered in two ways".to_owned())?;
    hold(!requests.is_empty(), || "an entry became nothing".to_owned())?;
    let numbered =
        requests.iter().enumerate().all(|(at, request)| request.part as usize == at && request.parts as usize == requests.len());
    hold(numbered, || "the parts are not numbered from 0".to_owned())?;
    let names: HashSet<&str> = requests.iter().map(|request| request.correlation.as_str()).collect();
    hold(names.len() == requests.len() && !names.contains(""), || "the parts cannot be told apart".to_owned())?;
    Ok(true)
}
