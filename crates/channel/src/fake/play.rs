//! The provider's side of FakeChannel: what it was told to answer, and what it remembers.

use super::FakeEvent;
use crate::{Accepted, Blob, Capabilities, DeliveryState, FailureClass, Reconciled, SendError, Signal, Template, WireRequest};
use model::{InboxId, Timestamp};
use std::collections::{HashMap, VecDeque};

/// What one submit meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FakeAnswer {
    /// Taken, with an id.
    Accept,
    /// Taken, and told how far it is.
    AcceptAs(DeliveryState),
    /// Not taken: 429 with Retry-After, or 5xx. Come back after so many milliseconds.
    RetryInMs(i64),
    /// Not taken, ever.
    Refuse {
        /// What kind of refusal.
        class: FailureClass,
        /// The provider's code.
        code: String,
    },
    /// Not taken: the credentials have expired.
    SignInAgain,
    /// Not taken, and no answer.
    Uncertain,
    /// Taken, and the answer was lost.
    AnswerLost,
    /// Taken, and the call never returns: for tests of leases and of a process that dies.
    Hang,
}

impl FakeAnswer {
    /// A refusal of a class.
    pub fn refuse(class: FailureClass) -> Self {
        Self::Refuse { class, code: format!("fake_{class}") }
    }
    fn takes(&self) -> bool {
        matches!(self, Self::Accept | Self::AcceptAs(_) | Self::AnswerLost | Self::Hang)
    }
}

/// Which calls to the provider fail, counted from 1 since the plan was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultPlan {
    /// The call that fails first.
    pub nth: u64,
    /// How many fail from there on.
    pub count: u64,
    /// What a submit meets. `find` then cannot tell, `fetch`, `list` and `signal` are asked to come back, `pull` loses
    /// its connection.
    pub answer: FakeAnswer,
}

/// How an entry becomes parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FakeParts {
    /// The text is cut into pieces of so many characters.
    pub text_chars: Option<u32>,
    /// Each file is a part of its own.
    pub files_apart: bool,
}

/// Which optional traits FakeChannel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the traits")]
pub struct FakeTraits {
    pub pull: bool,
    pub evidence: bool,
    pub reconcile: bool,
    pub media: bool,
    pub templates: bool,
    pub signals: bool,
}

impl Default for FakeTraits {
    /// All but `evidence`, which few channels have.
    fn default() -> Self {
        Self { pull: true, evidence: false, reconcile: true, media: true, templates: true, signals: true }
    }
}

/// One call of `submit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// For which inbox.
    pub inbox: InboxId,
    /// What.
    pub request: WireRequest,
    /// When.
    pub at: Timestamp,
    /// What the caller was told; `None` = nothing, the call hangs.
    pub answer: Option<Result<Accepted, SendError>>,
}

/// One request that the provider took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// For which inbox.
    pub inbox: InboxId,
    /// What.
    pub request: WireRequest,
    /// When.
    pub at: Timestamp,
    /// The provider's id: what a delivery report names.
    pub provider_id: String,
    state: DeliveryState,
}

impl Taken {
    /// A field of the JSON that FakeChannel's `render` makes: `text`, `to`, `subject`, ..
    pub fn field(&self, name: &str) -> Option<String> {
        let body: serde_json::Value = serde_json::from_slice(&self.request.body).ok()?;
        body.get(name)?.as_str().map(str::to_owned)
    }
    /// The text of this part.
    pub fn text(&self) -> String {
        self.field("text").unwrap_or_default()
    }
    fn accepted(&self) -> Accepted {
        Accepted { provider_id: Some(self.provider_id.clone()), state: self.state, cost: None }
    }
}

#[derive(Default)]
pub(super) struct Play {
    pub script: VecDeque<FakeAnswer>,
    pub capabilities: Capabilities,
    pub parts: FakeParts,
    pub traits: FakeTraits,
    pub submitted: Vec<Submitted>,
    pub taken: Vec<Taken>,
    pub signals: Vec<Signal>,
    pub media: HashMap<String, Blob>,
    pub templates: Vec<Template>,
    pub pulled: Vec<FakeEvent>,
    pub before_start: usize,
    pub generation: String,
    pub fault_calls: u64,
    pub fault: Option<FaultPlan>,
    pub ids: u64,
}

impl Play {
    pub fn set_fault(&mut self, plan: Option<FaultPlan>) {
        self.fault_calls = 0;
        self.fault = plan;
    }

    pub fn forget(&mut self) {
        self.script.clear();
        self.submitted.clear();
        self.taken.clear();
        self.signals.clear();
    }

    /// Counts a call to the provider; the fault that it meets, if it has one.
    pub fn next_fault(&mut self) -> Option<FakeAnswer> {
        let plan = self.fault.as_ref()?;
        self.fault_calls += 1;
        let hit = self.fault_calls >= plan.nth && self.fault_calls - plan.nth < plan.count;
        hit.then(|| plan.answer.clone())
    }

    /// One submit. `None`: it never returns.
    pub fn submit(&mut self, inbox: InboxId, request: &WireRequest, now: Timestamp) -> Option<Result<Accepted, SendError>> {
        let fault = self.next_fault();
        let answer = match fault {
            Some(fault) => fault,
            None => self.script.pop_front().unwrap_or(FakeAnswer::Accept),
        };
        let taken = answer.takes().then(|| self.take(inbox, request, now, &answer));
        let told = match answer {
            FakeAnswer::Accept | FakeAnswer::AcceptAs(_) => taken.map(Ok),
            FakeAnswer::RetryInMs(ms) => Some(Err(SendError::RetryAt(now.plus_ms(ms)))),
            FakeAnswer::Refuse { class, code } => {
                Some(Err(SendError::Refused { class, code, text: format!("The provider refused this ({class}).") }))
            }
            FakeAnswer::SignInAgain => Some(Err(SendError::SignInAgain)),
            FakeAnswer::Uncertain | FakeAnswer::AnswerLost => Some(Err(SendError::Uncertain)),
            FakeAnswer::Hang => None,
        };
        self.submitted.push(Submitted { inbox, request: request.clone(), at: now, answer: told.clone() });
        told
    }

    fn take(&mut self, inbox: InboxId, request: &WireRequest, now: Timestamp, answer: &FakeAnswer) -> Accepted {
        // A provider with idempotency keys takes the same key once and answers as it did the first time.
        let again = self.taken.iter().find(|taken| {
            taken.inbox == inbox && request.idempotency_key.is_some() && taken.request.idempotency_key == request.idempotency_key
        });
        if let Some(taken) = again {
            return taken.accepted();
        }
        self.ids += 1;
        let state = match answer {
            FakeAnswer::AcceptAs(state) => *state,
            _ => DeliveryState::Accepted,
        };
        let taken = Taken { inbox, request: request.clone(), at: now, provider_id: format!("fake-{}", self.ids), state };
        let accepted = taken.accepted();
        self.taken.push(taken);
        accepted
    }

    pub fn find(&mut self, inbox: InboxId, request: &WireRequest) -> Option<Reconciled> {
        if self.next_fault().is_some() {
            return None;
        }
        let found = self.taken.iter().find(|taken| taken.inbox == inbox && taken.request.correlation == request.correlation);
        Some(found.map_or(Reconciled::NotTaken, |taken| Reconciled::Taken(taken.accepted())))
    }
}
