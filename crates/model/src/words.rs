//! The closed lists of words that stand in SQL columns, in JSON and in code alike.

/// Declares an enum whose values are words: the same text in SQL, JSON and the API.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }
        impl $name {
            /// Every value, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The word, as it stands in SQL and JSON.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
            /// Reads the word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.word()) }
        }
        // By hand: the derive does not see a name that a macro passed on, and would publish the Rust names.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some(Self::ALL.iter().map(|word| word.word())))
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {}
    )+};
}

words! {
    /// The kinds of ways to reach a customer (channels.md).
    Channel {
        /// Our own widget.
        Webchat = "webchat",
        /// Mail.
        Email = "email",
        /// Text messages.
        Sms = "sms",
        /// WhatsApp.
        Whatsapp = "whatsapp",
        /// Facebook Messenger.
        Messenger = "messenger",
        /// Instagram direct messages.
        Instagram = "instagram",
        /// Telegram bots.
        Telegram = "telegram",
        /// Viber bots.
        Viber = "viber",
        /// Telephone calls.
        Voice = "voice",
        /// The open channel over our own API; also what tests speak.
        Api = "api",
        /// Notes and events: nothing goes in or out.
        Internal = "internal",
    }
    /// Where a conversation stands (domain.md 13).
    Status {
        /// Somebody should answer.
        Open = "open",
        /// Waits for the customer.
        Pending = "pending",
        /// Waits for a third party.
        OnHold = "on_hold",
        /// Put away until a time or the customer's next entry.
        Snoozed = "snoozed",
        /// Done; a customer's entry within the reopen window opens it again.
        Resolved = "resolved",
        /// Done and locked; a new entry makes a follow-up.
        Closed = "closed",
    }
    /// How urgent a conversation is.
    Priority {
        /// Can wait.
        Low = "low",
        /// The usual.
        Normal = "normal",
        /// Before others.
        High = "high",
        /// Now.
        Urgent = "urgent",
    }
    /// What an entry is.
    EntryKind {
        /// Words and files between customer and business.
        Message = "message",
        /// A telephone call.
        Call = "call",
        /// Words for the team only.
        Note = "note",
        /// Something that happened.
        Event = "event",
    }
    /// Which way an entry went.
    Direction {
        /// From the customer.
        In = "in",
        /// To the customer.
        Out = "out",
        /// Inside the business.
        Internal = "internal",
    }
    /// Who wrote an entry.
    AuthorKind {
        /// The customer.
        Contact = "contact",
        /// A person of the business.
        Agent = "agent",
        /// An automatic answerer.
        Bot = "bot",
        /// A rule or the product itself.
        System = "system",
    }
    /// Who may see an entry.
    Audience {
        /// The customer too.
        Customer = "customer",
        /// The team only.
        Team = "team",
        /// A third party and the team, never the customer.
        Outside = "outside",
    }
    /// Delivery of an outgoing entry as screens show it (channels.md 6; words on screen in workspace.md 5.1).
    DeliveryState {
        /// Waits to be sent (or is held, or has a time set).
        Queued = "queued",
        /// May not go out now, with a reason.
        Blocked = "blocked",
        /// A worker has it.
        Leased = "leased",
        /// The provider took it.
        Accepted = "accepted",
        /// The provider passed it on.
        Sent = "sent",
        /// The provider or we gave up, with a class.
        Failed = "failed",
        /// It reached the device.
        Delivered = "delivered",
        /// It was read.
        Read = "read",
        /// Taken back before it went.
        Cancelled = "cancelled",
        /// Its time passed before it could go.
        Expired = "expired",
    }
    /// State of one outbox row before a provider has it all.
    OutboxState {
        /// Waits for its hold or its time to end.
        Held = "held",
        /// May be claimed.
        Queued = "queued",
        /// Refused by a rule, with a reason.
        Blocked = "blocked",
        /// A worker is at it.
        Sending = "sending",
        /// Every part has been given to the provider or has ended.
        Done = "done",
        /// Taken back.
        Cancelled = "cancelled",
        /// Too late to send.
        Expired = "expired",
    }
    /// How a stored raw event ended (channels.md 5.9).
    Outcome {
        /// It became (part of) an entry.
        Entry = "entry",
        /// It changed a state.
        State = "state",
        /// It was dropped by a named rule.
        Dropped = "dropped",
        /// It could not be understood or may not come in; an admin sees it.
        Quarantined = "quarantined",
    }
    /// What kind of address a contact point is.
    ContactPointKind {
        /// A telephone number in E.164.
        Phone = "phone",
        /// A mail address.
        Email = "email",
        /// An anonymous visitor of one webchat inbox.
        Visitor = "visitor",
        /// The business's own id of a signed-in customer.
        Account = "account",
        /// The business's id in its CRM.
        Crm = "crm",
        /// A WhatsApp id without phone number.
        Whatsapp = "whatsapp",
        /// A page-scoped Messenger id.
        Messenger = "messenger",
        /// An Instagram-scoped id.
        Instagram = "instagram",
        /// A Telegram chat.
        Telegram = "telegram",
        /// A Viber id of one bot.
        Viber = "viber",
        /// Any other id on the open API channel.
        Ext = "ext",
    }
    /// Health of a contact point.
    Health {
        /// Works as far as we know.
        Ok = "ok",
        /// Mail or messages came back.
        Bounced = "bounced",
        /// The customer blocked us.
        BlockedByCustomer = "blocked_by_customer",
        /// The customer said stop.
        OptedOut = "opted_out",
    }
    /// Rights of an agent (domain.md 13).
    Role {
        /// Answers customers.
        Agent = "agent",
        /// Leads agents.
        Supervisor = "supervisor",
        /// Sets the product up.
        Admin = "admin",
        /// Owns the workspace.
        Owner = "owner",
    }
    /// Whether an agent takes work.
    Availability {
        /// Takes work.
        Available = "available",
        /// Keeps work, gets no new.
        Busy = "busy",
        /// On a break.
        Away = "away",
        /// Not here.
        Offline = "offline",
    }
    /// How an inbox fares.
    InboxState {
        /// Works.
        Ok = "ok",
        /// The provider refuses our sign-in, or a secret cannot be opened.
        NeedsSignIn = "needs_sign_in",
        /// Switched off.
        Off = "off",
    }
    /// How the asking of an inbox that is pulled fares.
    PullHealth {
        /// Not connected yet.
        Starting = "starting",
        /// Connected.
        Ok = "ok",
        /// No connection; it is tried again for ever.
        Trouble = "trouble",
        /// The sign-in was refused again and again.
        NeedsSignIn = "needs_sign_in",
        /// The settings can never work.
        WrongSettings = "wrong_settings",
    }
    /// How far the import of what was there before is.
    ImportState {
        /// Asked for.
        Waiting = "waiting",
        /// At it.
        Running = "running",
        /// Everything is here.
        Done = "done",
        /// Stopped by an admin; it can go on.
        Stopped = "stopped",
        /// Given up after many tries; it can go on.
        Failed = "failed",
    }
    /// What happened to an inbox that is pulled.
    TroubleKind {
        /// No connection for a while.
        NoConnection = "no_connection",
        /// The sign-in was refused.
        SignIn = "sign_in",
        /// The server renumbered a folder.
        Renumbered = "renumbered",
        /// The ledger did not add up.
        Missing = "missing",
        /// Missing mail was fetched again.
        Refetched = "refetched",
    }
    /// What a draft will become.
    DraftMode {
        /// A message to the customer.
        Reply = "reply",
        /// Words for the team.
        Note = "note",
    }
    /// Role of a participant of a conversation (domain.md 7.2).
    ParticipantRole {
        /// The contact.
        Customer = "customer",
        /// In copy.
        Copied = "copied",
        /// A third party.
        Outside = "outside",
    }
    /// Why a way to reply is closed or doubtful: the closed list of workspace.md 10.
    BlockReason {
        /// The provider's window has ended.
        WindowClosed = "window_closed",
        /// The provider's window ends soon.
        WindowClosing = "window_closing",
        /// No consent on record.
        NoConsent = "no_consent",
        /// The customer said stop.
        OptedOut = "opted_out",
        /// We know no address on this channel.
        NoContactPoint = "no_contact_point",
        /// The address is not proven enough.
        UnverifiedContactPoint = "unverified_contact_point",
        /// It is night where the customer is.
        QuietHours = "quiet_hours",
        /// The inbox cannot send now.
        ChannelDown = "channel_down",
        /// A rate or quota is used up.
        OverQuota = "over_quota",
        /// Only templates may go.
        TemplateRequired = "template_required",
        /// A file does not fit the channel.
        AttachmentType = "attachment_type",
        /// The text does not fit the channel.
        TooLong = "too_long",
        /// This agent may not.
        AgentNotAllowed = "agent_not_allowed",
        /// The address bounced.
        Bounced = "bounced",
        /// The customer blocked us.
        BlockedByCustomer = "blocked_by_customer",
        /// The visitor has left the chat (a warning).
        CustomerAway = "customer_away",
    }
    /// What we may do with what a customer gave us (domain.md 12).
    Purpose {
        /// Answers and news about what they bought.
        Service = "service",
        /// Offers.
        Marketing = "marketing",
        /// Questions about how it went.
        Survey = "survey",
        /// Keeping the sound of calls.
        Recording = "recording",
    }
    /// What the customer said about a purpose, least strict first.
    ConsentState {
        /// They said yes.
        Granted = "granted",
        /// They said no.
        Refused = "refused",
        /// They said yes once and no later.
        Withdrawn = "withdrawn",
    }
    /// What a field of contacts holds.
    FieldKind {
        /// A line.
        Text = "text",
        /// A number.
        Number = "number",
        /// A day.
        Date = "date",
        /// Yes or no.
        YesNo = "yes_no",
        /// One of several words.
        Choice = "choice",
    }
    /// Why a provider refused.
    FailureClass {
        /// It will never work.
        Permanent = "permanent",
        /// The address is wrong.
        Address = "address",
        /// A rule of the provider.
        Policy = "policy",
        /// Too fast.
        Rate = "rate",
        /// Our sign-in there.
        Auth = "auth",
        /// The provider did not say.
        Unknown = "unknown",
    }
}

impl Channel {
    /// True when an address of this kind can be reached on this channel. The API channel declares whom it reaches, so it
    /// takes everything that is neither a browser nor a mere record.
    pub fn reaches(self, kind: ContactPointKind) -> bool {
        use ContactPointKind as Kind;
        match self {
            Self::Webchat => kind == Kind::Visitor,
            Self::Email => kind == Kind::Email,
            Self::Sms | Self::Voice => kind == Kind::Phone,
            Self::Whatsapp => matches!(kind, Kind::Whatsapp | Kind::Phone),
            Self::Messenger => kind == Kind::Messenger,
            Self::Instagram => kind == Kind::Instagram,
            Self::Telegram => kind == Kind::Telegram,
            Self::Viber => kind == Kind::Viber,
            Self::Api => !matches!(kind, Kind::Visitor | Kind::Account | Kind::Crm),
            Self::Internal => false,
        }
    }
}

impl Channel {
    /// Texts to and fro without subject, in one thread that never ends.
    pub fn is_messaging(self) -> bool {
        matches!(self, Self::Sms | Self::Whatsapp | Self::Instagram | Self::Messenger | Self::Telegram | Self::Viber)
    }
    /// Telephone numbers come as bare digits that begin with the country code.
    pub fn writes_international_digits(self) -> bool {
        self == Self::Whatsapp
    }
}

impl Status {
    /// "Open" in the sense of placement and `is:open`: everything but resolved and closed.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Resolved | Self::Closed)
    }
}

impl DeliveryState {
    /// Rank in the join-semilattice; `None` for the states that belong to the outbox row (channels.md 6).
    pub fn rank(self) -> Option<i64> {
        match self {
            Self::Queued => Some(0),
            Self::Accepted => Some(1),
            Self::Sent => Some(2),
            Self::Failed => Some(3),
            Self::Delivered => Some(4),
            Self::Read => Some(5),
            Self::Blocked | Self::Leased | Self::Cancelled | Self::Expired => None,
        }
    }
    /// The state of a rank; out of range gives `Queued`, since unknown means pending.
    pub fn of_rank(rank: i64) -> Self {
        match rank {
            1 => Self::Accepted,
            2 => Self::Sent,
            3 => Self::Failed,
            4 => Self::Delivered,
            5 => Self::Read,
            _ => Self::Queued,
        }
    }
}

impl Role {
    /// True when this role has at least the rights of `other`.
    pub fn at_least(self, other: Self) -> bool {
        self >= other
    }
}

/// Who did something: stands in the event log as `agent:agt_..`, `contact:ctc_..`, `bot`, `system`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Actor {
    /// A person of the business.
    Agent(crate::AgentId),
    /// The customer.
    Contact(crate::ContactId),
    /// An automatic answerer.
    Bot,
    /// The product itself.
    System,
}
impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Agent(id) => write!(f, "agent:{id}"),
            Self::Contact(id) => write!(f, "contact:{id}"),
            Self::Bot => f.write_str("bot"),
            Self::System => f.write_str("system"),
        }
    }
}
impl Actor {
    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("agent", id)) => crate::AgentId::parse(id).ok().map(Self::Agent),
            Some(("contact", id)) => crate::ContactId::parse(id).ok().map(Self::Contact),
            None if text == "bot" => Some(Self::Bot),
            None if text == "system" => Some(Self::System),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_round_trip_and_roles_are_ordered() {
        for state in DeliveryState::ALL {
            if let Some(rank) = state.rank() {
                assert_eq!(DeliveryState::of_rank(rank), *state);
            }
        }
        assert!(Role::Owner.at_least(Role::Admin) && !Role::Agent.at_least(Role::Supervisor));
        assert!(Status::Snoozed.is_open() && !Status::Closed.is_open());
    }

    #[test]
    fn the_published_schema_has_the_words_themselves() {
        let schema = serde_json::to_value(<Status as utoipa::PartialSchema>::schema()).unwrap();
        assert_eq!(schema["enum"], serde_json::json!(["open", "pending", "on_hold", "snoozed", "resolved", "closed"]));
    }

    #[test]
    fn actors_round_trip() {
        for actor in [Actor::Agent(crate::AgentId(7)), Actor::Contact(crate::ContactId(9)), Actor::Bot, Actor::System] {
            assert_eq!(Actor::parse(&actor.to_string()), Some(actor));
        }
        assert_eq!(Actor::parse("agent:ctc_0000000000001"), None);
    }
}
