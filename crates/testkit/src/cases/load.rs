//! Puts the state of a case into a workspace of its own, and keeps which symbol is which row.

use super::format::{Case, Config, Conversation as ConversationRow, Event, Key, Seen, Token};
use crate::db::TestDb;
use crate::desk::TestDesk;
use channel::fake::{FakeChannel, FakeEvent};
use channel::{ClaimSource, ContactPointClaim, InboundEvent};
use desk::conversation::Locked;
use desk::conversation::add::{NewEntry, add_entry};
use desk::identity::normal::{Spelling, key_of};
use desk::outbox::receipt::provider_key;
use desk::placement::topic::{TopicQuestion, Topics};
use desk::placement::{order_key, token, way};
use model::{
    Actor, Body, Channel, ContactId, ContactPointKind, ConversationId, Direction, InboxId, ParticipantRole, Priority,
    ProviderEventId, Status, Timestamp,
};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use store::contact::{self, Contact};
use store::conversation::{self, Conversation};
use store::handoff_token::{self, HandoffToken};
use store::{Conn, Engine, Route, StoreError, contact_point};

/// What the case says about topics, by event and conversation.
#[derive(Default)]
pub struct Said(Mutex<HashMap<(String, ConversationId), f64>>);

impl Said {
    fn put(&self, event: &str, conversation: ConversationId, share: f64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((event.to_owned(), conversation), share);
    }
}

impl Topics for Said {
    fn can_tell(&self, _text: &str) -> bool {
        true
    }
    fn similarity(&self, asked: &TopicQuestion<'_>) -> Option<f64> {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.get(&(asked.message.to_owned(), asked.conversation)).copied()
    }
}

/// A case in its workspace.
pub struct Loaded {
    pub t: TestDesk,
    pub said: Arc<Said>,
    pub contacts: BTreeMap<String, ContactId>,
    pub conversations: BTreeMap<String, ConversationId>,
    pub inboxes: BTreeMap<String, InboxId>,
    pub tokens: BTreeMap<String, String>,
    pub references: BTreeMap<String, String>,
    pub region: String,
}

pub type Loading<T> = Result<T, String>;

pub fn time(text: &str) -> Loading<Timestamp> {
    Timestamp::parse(text).ok_or_else(|| format!("{text} is no time such as 2026-05-12T10:00:00Z"))
}

pub fn channel_of(word: &str) -> Loading<Channel> {
    Channel::parse(word).ok_or_else(|| format!("{word} is no channel"))
}

pub fn kind_of(word: &str) -> Loading<ContactPointKind> {
    Ok(match word {
        "email" => ContactPointKind::Email,
        "phone" => ContactPointKind::Phone,
        "user" => ContactPointKind::Account,
        "crm" => ContactPointKind::Crm,
        "visitor" => ContactPointKind::Visitor,
        "fb" => ContactPointKind::Messenger,
        "ig" => ContactPointKind::Instagram,
        "tg" => ContactPointKind::Telegram,
        "viber" => ContactPointKind::Viber,
        other => return Err(format!("{other} is no kind of id")),
    })
}

pub fn claim_of(key: &Key, level: u8, source: ClaimSource) -> Loading<ContactPointClaim> {
    let (scope, value) = (key.scope.clone().unwrap_or_default(), key.value.clone().unwrap_or_default());
    Ok(ContactPointClaim::new(kind_of(&key.kind)?, scope, value, level, source))
}

fn merged(defaults: &Config, own: &Config) -> Loading<(Json, String)> {
    let pick = |own: Option<i64>, default: Option<i64>| own.or(default);
    let share = |own: Option<f64>, default: Option<f64>| own.or(default);
    let region = own.default_region.clone().or_else(|| defaults.default_region.clone()).unwrap_or_default();
    let channels = own.messaging_channels.as_ref().or(defaults.messaging_channels.as_ref());
    let channels = channels.map(|all| all.iter().map(|c| channel_of(c)).collect::<Loading<Vec<_>>>()).transpose()?;
    let mut rules = json!({
        "cross_channel_hours": pick(own.cross_channel_h, defaults.cross_channel_h),
        "reopen_hours": pick(own.reopen_h, defaults.reopen_h),
        "subject_hours": pick(own.subject_h, defaults.subject_h),
        "stale_days": pick(own.stale_days, defaults.stale_days),
        "topic_min": share(own.topic_min, defaults.topic_min),
        "topic_margin": share(own.topic_margin, defaults.topic_margin),
        "topic_veto": share(own.topic_veto, defaults.topic_veto),
        "messaging_channels": channels,
    });
    if !region.is_empty() {
        rules["country"] = json!(region);
    }
    Ok((rules, region))
}

/// Loads a case.
pub async fn load(engine: Engine, defaults: &Config, case: &Case, events: &[Event]) -> Loading<Loaded> {
    let db = TestDb::open(engine).ok_or("the engine is not there")?;
    let (fake, said) = (Arc::new(FakeChannel::new(db.clock.clone())), Arc::new(Said::default()));
    let kinds = Channel::ALL.iter().filter(|c| **c != Channel::Internal);
    let channels = channel::Registry::new(kinds.map(|kind| (*kind, Arc::clone(&fake) as Arc<dyn channel::Channel>)));
    let t = TestDesk::with_topics(db, fake, channels, Arc::clone(&said) as Arc<dyn Topics>).await.ok_or("no desk")?;
    let first = events.iter().map(|e| time(&e.at)).collect::<Loading<Vec<_>>>()?.into_iter().min().ok_or("no event")?;
    t.clock.set(first);
    let (rules, region) = merged(defaults, &case.config)?;
    desk::settings::rules::change(&t.desk, &t.owner, rules).await.map_err(|e| e.to_string())?;
    let mut loaded = Loaded {
        t,
        said,
        contacts: BTreeMap::new(),
        conversations: BTreeMap::new(),
        inboxes: BTreeMap::new(),
        tokens: BTreeMap::new(),
        references: BTreeMap::new(),
        region,
    };
    loaded.inboxes(case, events).await?;
    loaded.contacts(case, first).await?;
    loaded.conversations(case, events, first).await?;
    loaded.tokens(case, first).await?;
    loaded.seen(&case.state.seen_event_ids).await?;
    for event in events {
        for (symbol, share) in event.topic_sim.iter().flatten() {
            let id = *loaded.conversations.get(symbol).ok_or_else(|| format!("{symbol} is no conversation of the state"))?;
            loaded.said.put(message_id(event), id, *share);
        }
    }
    Ok(loaded)
}

/// Message-IDs are kept without angle brackets.
pub fn message_id(event: &Event) -> &str {
    event.id.trim_start_matches('<').trim_end_matches('>')
}

impl Loaded {
    fn spelling(&self) -> Spelling {
        Spelling::of_country(&self.region)
    }

    async fn write<T: Send + 'static>(
        &self,
        f: impl FnMut(&mut dyn Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Loading<T> {
        self.t.desk.db.write(Route::Any, f).await.map_err(|error| error.to_string())
    }

    async fn inbox(&mut self, name: &str, channel: Channel, settings: Json) -> Loading<InboxId> {
        if let Some(known) = self.inboxes.get(name) {
            return Ok(*known);
        }
        let (workspace, now, title) = (self.t.workspace, self.t.desk.now(), name.to_owned());
        let id = self
            .write(move |tx| {
                let new = store::inbox::NewInbox { channel, name: &title, site: None, settings: &settings };
                store::inbox::add(tx, workspace, &new, now)
            })
            .await?;
        self.inboxes.insert(name.to_owned(), id);
        Ok(id)
    }

    async fn inboxes(&mut self, case: &Case, events: &[Event]) -> Loading<()> {
        for event in events {
            self.inbox(&event.inbox, channel_of(&event.channel)?, json!({})).await?;
        }
        for seen in &case.state.seen_event_ids {
            self.inbox(&seen.inbox, Channel::Api, json!({})).await?;
        }
        for (n, address) in case.state.own_addresses.iter().enumerate() {
            self.inbox(&format!("own address {n}"), Channel::Email, json!({"address": address})).await?;
        }
        self.t.desk.directory.forget();
        Ok(())
    }

    async fn contacts(&mut self, case: &Case, now: Timestamp) -> Loading<()> {
        let (workspace, spelling) = (self.t.workspace, self.spelling());
        for one in &case.state.contacts {
            let mut keys = Vec::new();
            for key in &one.ids {
                let claim = claim_of(key, 0, ClaimSource::Sender)?;
                let point = key_of(&claim, spelling).ok_or_else(|| format!("{:?} of {} is no key", key.value, one.id))?;
                let seen = key.last_seen.as_deref().map(time).transpose()?.unwrap_or(now);
                keys.push((point, claim.value, key.trust.unwrap_or(1), key.shared, seen));
            }
            if one.anon && (one.name.is_some() || one.ids.iter().any(|k| k.kind != "visitor")) {
                return Err(format!("{} is anonymous, so it has no name and no key but visitor cookies", one.id));
            }
            let (name, blocked) = (one.name.clone(), one.blocked);
            let id = self
                .write(move |tx| {
                    let id = ContactId(tx.id());
                    let mut row = contact_row(id, name.clone(), now);
                    contact::insert(tx, workspace, &row)?;
                    if blocked {
                        row.blocked_at = Some(now);
                    }
                    let version = contact::save(tx, workspace, &row)?;
                    for (version, kind) in [(1, "contact.created"), (version, "contact.changed")] {
                        let (stream_id, seq) = (Some(id.0), Some(version));
                        let (at, actor, payload) = (now, Actor::System, json!({"contact": id}));
                        tx.log(store::Event { workspace, stream_id, seq, kind, at, actor, cause_id: None, payload });
                    }
                    for (key, raw, level, shared, seen) in &keys {
                        let point = contact_point::upsert(tx, workspace, key, raw, *seen)?;
                        contact_point::own(tx, workspace, point.id, id, *level, "sender", "sender", *seen)?;
                        if *shared {
                            contact_point::set_shared(tx, workspace, point.id, true)?;
                        }
                    }
                    Ok(id)
                })
                .await?;
            self.contacts.insert(one.id.clone(), id);
        }
        let into: BTreeMap<ContactId, ContactId> = case
            .state
            .contacts
            .iter()
            .filter_map(|c| c.merged_into.as_ref().map(|into| Ok((self.contact(&c.id)?, self.contact(into)?))))
            .collect::<Loading<_>>()?;
        self.write(move |tx| {
            for (from, to) in &into {
                let mut live = *to;
                while let Some(next) = into.get(&live) {
                    live = *next;
                }
                let version = contact::point_to(tx, workspace, *from, Some(*to))?;
                contact::set_live(tx, workspace, *from, live)?;
                let (at, actor, payload) = (now, Actor::System, json!({"contact": from}));
                let (stream_id, seq, kind) = (Some(from.0), Some(version), "contact.merged");
                tx.log(store::Event { workspace, stream_id, seq, kind, at, actor, cause_id: None, payload });
            }
            Ok(())
        })
        .await
    }

    pub fn contact(&self, symbol: &str) -> Loading<ContactId> {
        self.contacts.get(symbol).copied().ok_or_else(|| format!("{symbol} is no contact of the state"))
    }

    /// The inbox through which a conversation of the state has gone.
    async fn inbox_of(&mut self, channel: Channel, events: &[Event]) -> Loading<InboxId> {
        for event in events {
            if channel_of(&event.channel)? == channel {
                return self.inbox(&event.inbox, channel, json!({})).await;
            }
        }
        self.inbox(&format!("state {channel}"), channel, json!({})).await
    }

    async fn conversations(&mut self, case: &Case, events: &[Event], now: Timestamp) -> Loading<()> {
        let mut free = 900_000_i64;
        for one in &case.state.conversations {
            let first = channel_of(&one.channel)?;
            let inbox = self.inbox_of(first, events).await?;
            let number = match one.reference.as_deref().map(str::parse::<i64>) {
                Some(Ok(number)) => number,
                _ => {
                    free += 1;
                    free
                }
            };
            if let Some(reference) = &one.reference {
                self.references.insert(reference.clone(), number.to_string());
            }
            let row = self.conversation_row(one, first, inbox, number)?;
            let ids: Vec<String> = one.message_ids.iter().map(|id| id.trim_matches(['<', '>']).to_owned()).collect();
            let others = one.participants.iter().map(|p| Ok((p.clone(), self.contact(p)?))).collect::<Loading<Vec<_>>>()?;
            let workspace = self.t.workspace;
            let id = self
                .write(move |tx| {
                    let id = ConversationId(tx.id());
                    let row = Conversation { id, ..row.clone() };
                    let mut locked = Locked::create(tx, workspace, row.clone())?;
                    locked.log(tx, "conversation.created", now, Actor::System, json!({}));
                    for external in &ids {
                        let new = NewEntry {
                            direction: Direction::Out,
                            author: Actor::System,
                            silent: true,
                            external_key: Some(provider_key(external)),
                            ..NewEntry::inbound(row.contact_id, first, inbox, row.last_activity_at, "us".into(), Body::default())
                        };
                        add_entry(tx, &mut locked, new, now)?;
                    }
                    for (symbol, other) in &others {
                        let owned = contact_point::owned_by(tx, workspace, *other)?;
                        let point = match owned.iter().find(|o| o.contact_id == *other) {
                            Some(owner) => owner.contact_point_id,
                            None => {
                                let (kind, scope) = (ContactPointKind::Ext, String::new());
                                let key = contact_point::PointKey { kind, scope, match_key: symbol.clone() };
                                contact_point::upsert(tx, workspace, &key, symbol, now)?.id
                            }
                        };
                        conversation::join(tx, workspace, id, *other, point, ParticipantRole::Copied, now)?;
                    }
                    locked.row.channels.clone_from(&row.channels);
                    locked.save(tx)?;
                    Ok(id)
                })
                .await?;
            self.conversations.insert(one.id.clone(), id);
        }
        Ok(())
    }

    fn conversation_row(&self, one: &ConversationRow, first: Channel, inbox: InboxId, number: i64) -> Loading<Conversation> {
        let channels = one.channels.clone().unwrap_or_else(|| vec![one.channel.clone()]);
        let ways = channels.iter().map(|c| Ok(way(channel_of(c)?, Some(inbox)))).collect::<Loading<Vec<_>>>()?;
        let active = time(&one.last_activity)?;
        Ok(Conversation {
            id: ConversationId(0),
            number,
            contact_id: self.contact(&one.contact)?,
            inbox_id: inbox,
            channel: first,
            first_channel: first,
            agent_id: None,
            team_id: None,
            status: Status::parse(&one.status).ok_or_else(|| format!("{} is no status", one.status))?,
            status_before_spam: None,
            spam: false,
            imported: false,
            priority: Priority::Normal,
            subject: one.subject.clone(),
            snoozed_until: None,
            resolved_at: one.resolved_at.as_deref().map(time).transpose()?,
            waiting_since: None,
            seq: 0,
            customer_seq: 0,
            public_seq: 0,
            unread_count: 0,
            preview: None,
            merged_into: None,
            follow_up_of: None,
            created_at: active,
            last_activity_at: active,
            customer_at: None,
            next_due_at: None,
            version: 1,
            channels: ways,
            orders: one.orders.iter().filter_map(|o| order_key(o)).collect(),
            related: vec![],
        })
    }

    async fn tokens(&mut self, case: &Case, now: Timestamp) -> Loading<()> {
        for (text, one) in &case.state.tokens {
            let id = *self.conversations.get(&one.conv).ok_or_else(|| format!("{} is no conversation of the state", one.conv))?;
            let (keys, workspace) = (Arc::clone(&self.t.desk.keys), self.t.workspace);
            let real = match one.kind.as_str() {
                "handoff" => self.handoff(text, id, one, now).await?,
                _ if one.expires.is_some() || one.used_at.is_some() => {
                    return Err(format!("token {text}: only hand-off tokens expire or are used up"));
                }
                "reply" => token::reply_token(&keys, workspace, id),
                "widget" => token::widget_token(&keys, workspace, id),
                other => return Err(format!("{other} is no kind of token")),
            };
            self.tokens.insert(text.clone(), real);
        }
        Ok(())
    }

    async fn handoff(&self, text: &str, id: ConversationId, one: &Token, now: Timestamp) -> Loading<String> {
        let (workspace, spelling) = (self.t.workspace, self.spelling());
        let delivered = one.delivered_to.as_deref().map(|to| {
            let kind = if to.contains('@') { ContactPointKind::Email } else { ContactPointKind::Phone };
            ContactPointClaim::new(kind, "", to, 0, ClaimSource::Receiver)
        });
        let expires_at = one.expires.as_deref().map(time).transpose()?.unwrap_or(Timestamp(i64::MAX));
        let used_at = one.used_at.as_deref().map(time).transpose()?;
        let token_hash = desk::journeys::arrival::hex(&keys::token_hash(text));
        self.write(move |tx| {
            let point = match delivered.as_ref().and_then(|claim| key_of(claim, spelling).map(|key| (claim, key))) {
                Some((claim, key)) => Some(contact_point::upsert(tx, workspace, &key, &claim.value, now)?.id),
                None => None,
            };
            let row = conversation::find(tx, workspace, id)?.ok_or(StoreError::NotFound)?;
            let token = HandoffToken {
                id: 0,
                token_hash: token_hash.clone(),
                mode: "link".to_owned(),
                conversation_id: id,
                contact_id: row.contact_id,
                delivered_point_id: point,
                level: 2,
                target_channel: None,
                target_inbox_id: None,
                entry_id: None,
                made_by: Actor::System.to_string(),
                created_at: now,
                expires_at,
                used_at,
                used_by: None,
                used_point_id: None,
                attempts: 0,
            };
            handoff_token::insert(tx, workspace, &token)
        })
        .await?;
        Ok(text.to_owned())
    }

    async fn seen(&self, seen: &[Seen]) -> Loading<()> {
        for one in seen {
            let inbox = *self.inboxes.get(&one.inbox).ok_or("an inbox of a seen event")?;
            // Something without consequence: what counts is that its id was taken in.
            let nothing = InboundEvent::Typing { external_conversation: "seen".to_owned(), on: true };
            self.take(inbox, FakeEvent::new(one.id.clone(), "seen", &nothing)).await?;
        }
        self.t.run_jobs().await;
        Ok(())
    }

    /// Gives an event to the product as a channel does; `None` = it was there before.
    pub async fn take(&self, inbox: InboxId, event: FakeEvent) -> Loading<Option<ProviderEventId>> {
        let desk = &self.t.desk;
        let open = desk.directory.open(desk, self.t.workspace, inbox).await.map_err(|e| e.to_string())?;
        let raw = vec![event.raw_event(desk.now())];
        let stored = desk::ingest::accept(desk, self.t.workspace, &open, raw).await.map_err(|e| e.to_string())?;
        Ok(stored.first().filter(|s| s.fresh).map(|s| s.id))
    }
}

fn contact_row(id: ContactId, name: Option<String>, now: Timestamp) -> Contact {
    Contact {
        id,
        merged_into: None,
        live_id: id,
        name,
        company: None,
        locale: None,
        time_zone: None,
        notes: None,
        claimed: serde_json::Map::new(),
        blocked_at: None,
        first_seen_at: now,
        last_seen_at: now,
        version: 1,
    }
}
