//! Plays a planned conversation through the functions of the product, in one transaction, each act at its own time.

use super::DemoError;
use super::business::Cast;
use super::plan::{Act, Fate, NamedFile, Scene};
use crate::conversation::add::{NewEntry, add_entry, add_event, refs};
use crate::conversation::{Locked, change};
use crate::outbox::{self, receipt};
use crate::settings::news;
use crate::{Desk, Who};
use model::parts::CallBody;
use model::{
    Actor, AttachmentId, Audience, BlockReason, Body, CallId, Channel, ConversationId, DeliveryId, DeliveryState, Direction,
    DraftId, DraftMode, EntryKind, FailureClass, InboxState, OutboxId, OutboxState, ParticipantRole, Priority, ProviderEventId,
    Status, TagId, Timestamp, WorkspaceId,
};
use serde_json::json;
use store::attachment::{self, Attachment};
use store::call::{self, Call};
use store::conversation::{self, Conversation, seen};
use store::draft::{self, Draft};
use store::entry::{self, Entry};
use store::outbox::{Delivery, Outbox};
use store::provider_event::{self, ProviderEvent};
use store::{Conn, Route, StoreError, contact};

/// Plays some scenes.
pub async fn scenes(desk: &Desk, cast: &Cast, scenes: Vec<Scene>) -> Result<(), DemoError> {
    let ids = desk.db.ids();
    let stages: Vec<(ConversationId, Stage, Scene)> =
        scenes.into_iter().map(|scene| (ConversationId(ids.next_id()), Stage::of(cast, &scene), scene)).collect();
    let play = move |tx: &mut dyn Conn| stages.iter().try_for_each(|(id, stage, scene)| stage.play(tx, *id, scene));
    desk.db.write(Route::Any, play).await?;
    Ok(())
}

/// What a scene needs of the business, so that its closure owns everything it touches.
struct Stage {
    workspace: WorkspaceId,
    agents: Vec<Who>,
    team: model::TeamId,
    inboxes: std::collections::BTreeMap<Channel, model::InboxId>,
    tags: std::collections::BTreeMap<String, TagId>,
}

impl Stage {
    fn of(cast: &Cast, scene: &Scene) -> Self {
        Self {
            workspace: cast.workspace,
            agents: cast.agents.iter().map(|a| a.who.clone()).collect(),
            team: cast.teams[scene.team],
            inboxes: cast.inboxes.clone(),
            tags: cast.tags.clone(),
        }
    }

    fn inbox(&self, channel: Channel) -> model::InboxId {
        self.inboxes.get(&channel).copied().unwrap_or(model::InboxId(0))
    }

    fn actor(&self, agent: usize) -> (Actor, &str) {
        (Actor::Agent(self.agents[agent].agent), &self.agents[agent].name)
    }

    fn play(&self, tx: &mut dyn Conn, id: ConversationId, scene: &Scene) -> Result<(), StoreError> {
        let Some((start, _)) = scene.acts.first() else { return Ok(()) };
        let mut locked = self.open(tx, id, scene, *start)?;
        let mut last = *start;
        for (number, (at, act)) in scene.acts.iter().enumerate() {
            locked = self.act(tx, locked, scene, number, *at, act)?;
            last = last.max(*at);
        }
        let contact = locked.row.contact_id;
        locked.save(tx)?;
        contact::seen(tx, self.workspace, contact, last)
    }

    fn open(&self, tx: &mut dyn Conn, id: ConversationId, scene: &Scene, start: Timestamp) -> Result<Locked, StoreError> {
        let contact = scene.person.on(scene.channel).map_or(scene.person.contact, |a| a.contact);
        let row = Conversation {
            id,
            number: scene.number,
            contact_id: contact,
            inbox_id: self.inbox(scene.channel),
            channel: scene.channel,
            first_channel: scene.channel,
            agent_id: None,
            team_id: Some(self.team),
            status: Status::Open,
            status_before_spam: None,
            spam: false,
            imported: false,
            priority: Priority::Normal,
            subject: None,
            snoozed_until: None,
            resolved_at: None,
            waiting_since: None,
            seq: 0,
            customer_seq: 0,
            public_seq: 0,
            unread_count: 0,
            preview: None,
            merged_into: None,
            follow_up_of: None,
            created_at: start,
            last_activity_at: start,
            customer_at: None,
            next_due_at: None,
            version: 1,
            channels: vec![],
            orders: vec![],
            related: vec![],
        };
        let mut locked = Locked::create(tx, self.workspace, row)?;
        let (inbox, number) = (self.inbox(scene.channel), scene.number);
        let payload = json!({"contact": contact, "inbox": inbox, "channel": scene.channel, "number": number, "follow_up_of": null, "started_by": "contact"});
        locked.log(tx, "conversation.created", start, Actor::Contact(contact), payload);
        Ok(locked)
    }

    fn act(
        &self,
        tx: &mut dyn Conn,
        mut locked: Locked,
        scene: &Scene,
        number: usize,
        at: Timestamp,
        act: &Act,
    ) -> Result<Locked, StoreError> {
        match act {
            Act::In { channel, text, file } => {
                self.customer_writes(tx, &mut locked, scene, number, at, *channel, text, file.as_ref())?
            }
            Act::Out { agent, channel, text, file, fate } => {
                return self.agent_writes(tx, locked, scene, number, at, (*agent, *channel, *fate), text, file.as_ref());
            }
            Act::Note { agent, text, mentions } => {
                let (actor, name) = self.actor(*agent);
                let body = Body { text: text.clone(), ..Body::default() };
                let note = NewEntry::note(locked.row.contact_id, actor, name.to_owned(), at, body);
                let added = add_entry(tx, &mut locked, note, at)?;
                for colleague in mentions {
                    seen::mention(tx, self.workspace, self.agents[*colleague].agent, locked.row.id, added.id, at)?;
                }
            }
            Act::Call { inbound, agent, wait_ms, talk_ms } => {
                self.call(tx, &mut locked, scene, at, *inbound, *agent, *wait_ms, *talk_ms)?
            }
            Act::Assign { by, agent } => {
                let (actor, name) = self.actor(*by);
                let team = locked.row.team_id;
                change::assign(tx, &mut locked, Some(self.agents[*agent].agent), team, actor, name, at)?;
            }
            Act::Tag { by, names } => {
                let (actor, name) = self.actor(*by);
                let tags: Vec<TagId> = names.iter().filter_map(|n| self.tags.get(*n).copied()).collect();
                change::set_tags(tx, &mut locked, &tags, actor, name, at)?;
            }
            Act::Priority { by, to } => {
                let (actor, name) = self.actor(*by);
                let args = json!({"from": locked.row.priority, "to": to});
                locked.row.priority = *to;
                add_event(tx, &mut locked, "conversation.priority_changed", "priority_changed", args, actor, name, at)?;
            }
            Act::Status { by, to, until } => {
                let (actor, name) = by.map_or((Actor::System, ""), |agent| self.actor(agent));
                change::set_status_as(tx, &mut locked, *to, *until, actor, name, at)?;
            }
            Act::Spam { by } => {
                let (actor, name) = self.actor(*by);
                change::set_spam(tx, &mut locked, true, actor, name, at)?;
            }
            Act::Seen { agent } => self.looks(tx, &mut locked, *agent)?,
            Act::Draft { agent, text } => {
                let unsent = Draft {
                    id: DraftId(0),
                    conversation_id: locked.row.id,
                    agent_id: self.agents[*agent].agent,
                    mode: DraftMode::Reply,
                    inbox_id: None,
                    text: (*text).to_owned(),
                    attachment_ids: vec![],
                    version: 0,
                    updated_at: at,
                    mail: None,
                };
                draft::put(tx, self.workspace, &unsent)?;
            }
        }
        Ok(locked)
    }

    /// An agent has the conversation before them: nothing in it is unread any more.
    fn looks(&self, tx: &mut dyn Conn, locked: &mut Locked, agent: usize) -> Result<(), StoreError> {
        locked.row.unread_count = 0;
        seen::mark(tx, self.workspace, self.agents[agent].agent, locked.row.id, locked.row.seq)?;
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one message and everything it is made of")]
    fn customer_writes(
        &self,
        tx: &mut dyn Conn,
        locked: &mut Locked,
        scene: &Scene,
        number: usize,
        at: Timestamp,
        channel: Channel,
        text: &str,
        file: Option<&NamedFile>,
    ) -> Result<(), StoreError> {
        self.meets(tx, locked, scene, channel, at)?;
        let address = scene.person.on(channel);
        let contact = address.map_or(scene.person.contact, |a| a.contact);
        let files = self.store_file(tx, locked, file, &Actor::Contact(contact).to_string(), at)?;
        let first = locked.row.preview.is_none();
        let subject = scene.subject.clone().filter(|_| channel == Channel::Email && first);
        let body = Body { text: text.to_owned(), subject, attachments: refs(&files), ..Body::default() };
        let new = NewEntry {
            contact_point_id: address.and_then(|a| a.point),
            proof_level: Some(if channel == Channel::Email { 1 } else { 2 }),
            external_key: Some(receipt::provider_key(&format!("demo {} {number}", scene.number))),
            ..NewEntry::inbound(contact, channel, self.inbox(channel), at, scene.person.name.clone(), body)
        };
        let added = add_entry(tx, locked, new, at)?;
        self.attach(tx, &files, &added)
    }

    /// A channel that is new to the conversation is told, and its address takes part.
    fn meets(
        &self,
        tx: &mut dyn Conn,
        locked: &mut Locked,
        scene: &Scene,
        channel: Channel,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(address) = scene.person.on(channel) else { return Ok(()) };
        let actor = Actor::Contact(address.contact);
        if locked.row.seq > 1 && locked.row.channel != channel {
            let args = json!({"from": locked.row.channel, "to": channel});
            add_event(tx, locked, "conversation.channel_switched", "channel_switched", args, actor, &scene.person.name, at)?;
        }
        if let Some(point) = address.point
            && conversation::join(tx, self.workspace, locked.row.id, address.contact, point, ParticipantRole::Customer, at)?
        {
            locked.log(tx, "conversation.participant_added", at, actor, json!({"contact_point": point, "role": "customer"}));
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one message and everything it is made of")]
    fn agent_writes(
        &self,
        tx: &mut dyn Conn,
        mut locked: Locked,
        scene: &Scene,
        number: usize,
        at: Timestamp,
        (agent, channel, fate): (usize, Channel, Fate),
        text: &str,
        file: Option<&NamedFile>,
    ) -> Result<Locked, StoreError> {
        let (actor, name) = self.actor(agent);
        let files = self.store_file(tx, &locked, file, &actor.to_string(), at)?;
        let body = Body { text: text.to_owned(), attachments: refs(&files), ..Body::default() };
        let point = scene.person.on(channel).and_then(|a| a.point);
        let new = NewEntry {
            kind: EntryKind::Message,
            channel,
            direction: Direction::Out,
            audience: Audience::Customer,
            inbox_id: Some(self.inbox(channel)),
            contact_point_id: point,
            delivery: Some(DeliveryState::Queued),
            ..NewEntry::note(locked.row.contact_id, actor, name.to_owned(), at, body)
        };
        let added = add_entry(tx, &mut locked, new, at)?;
        self.attach(tx, &files, &added)?;
        self.looks(tx, &mut locked, agent)?;
        let id = locked.row.id;
        locked.save(tx)?;
        self.goes_out(tx, scene, number, &added, point, fate)?;
        Locked::lock(tx, self.workspace, id)
    }

    /// The outbox row, its attempt, and the word on the entry, as the delivery would have left them.
    fn goes_out(
        &self,
        tx: &mut dyn Conn,
        scene: &Scene,
        number: usize,
        added: &Entry,
        point: Option<model::ContactPointId>,
        fate: Fate,
    ) -> Result<(), StoreError> {
        let inbox_id = added.inbox_id.ok_or(StoreError::NotFound)?;
        let way = outbox::enqueue::Way { inbox: inbox_id, contact_point: point, hold_until: None, send_at: None };
        if let Fate::Later(send_at) = fate {
            outbox::put(tx, self.workspace, added, outbox::enqueue::Way { send_at: Some(send_at), ..way }, added.at)?;
            return Ok(());
        }
        let blocked = fate == Fate::Blocked;
        let row = Outbox {
            id: OutboxId(tx.id()),
            entry_id: added.id,
            conversation_id: added.conversation_id,
            inbox_id,
            contact_point_id: point,
            state: if blocked { OutboxState::Blocked } else { OutboxState::Done },
            reason: blocked.then(|| BlockReason::WindowClosed.word().to_owned()),
            hold_until: None,
            send_at: None,
            round: 1,
            version: 1,
        };
        store::outbox::insert(tx, self.workspace, &row)?;
        if !blocked {
            self.attempt(tx, scene, number, &row, added, fate)?;
        }
        outbox::show(tx, self.workspace, &row, added.at.plus_ms(1_500))
    }

    fn attempt(
        &self,
        tx: &mut dyn Conn,
        scene: &Scene,
        number: usize,
        row: &Outbox,
        added: &Entry,
        fate: Fate,
    ) -> Result<(), StoreError> {
        let rank = match fate {
            Fate::Is(state) => state.rank().unwrap_or(1),
            Fate::Failed => DeliveryState::Failed.rank().unwrap_or(3),
            _ => 0,
        };
        let provider_id = (rank > 0).then(|| format!("demo-out {} {number}", scene.number));
        let mut delivery = Delivery {
            id: DeliveryId(tx.id()),
            outbox_id: row.id,
            inbox_id: row.inbox_id,
            round: 1,
            part: 0,
            attempt: 1,
            parts: 1,
            rank: 0,
            open: false,
            uncertain: fate == Fate::Uncertain,
            provider_key: provider_id.as_deref().map(receipt::provider_key),
            provider_id,
            class: None,
            code: None,
            reason: None,
            changed_at: added.at.plus_ms(1_500),
        };
        if fate == Fate::Failed {
            delivery.class = Some(FailureClass::Address);
            delivery.code = Some("550".to_owned());
            delivery.reason = Some("the address does not take messages (550)".to_owned());
        }
        store::outbox::insert_delivery(tx, self.workspace, &delivery)?;
        delivery.rank = rank;
        store::outbox::save_delivery(tx, self.workspace, &delivery)?;
        if let Some(key) = &delivery.provider_key {
            entry::set_external(tx, self.workspace, added.id, key)?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one call and everything it is made of")]
    fn call(
        &self,
        tx: &mut dyn Conn,
        locked: &mut Locked,
        scene: &Scene,
        at: Timestamp,
        inbound: bool,
        agent: Option<usize>,
        wait_ms: i64,
        talk_ms: i64,
    ) -> Result<(), StoreError> {
        let Some(address) = scene.person.on(Channel::Voice) else { return Ok(()) };
        if inbound {
            self.meets(tx, locked, scene, Channel::Voice, at)?;
        }
        let answered_at = agent.map(|_| at.plus_ms(wait_ms));
        let ended_at = at.plus_ms(wait_ms + talk_ms);
        let row = Call {
            id: CallId(tx.id()),
            conversation_id: locked.row.id,
            entry_id: None,
            contact_point_id: address.point,
            direction: if inbound { "in" } else { "out" }.to_owned(),
            state: if agent.is_some() { "ended" } else { "missed" }.to_owned(),
            external_id: None,
            started_at: at,
            answered_at,
            ended_at: Some(ended_at),
        };
        let shown = CallBody { id: row.id, state: row.state.clone(), duration_ms: row.duration_ms(), wait_ms: row.wait_ms() };
        let body = Body { call: Some(shown), ..Body::default() };
        let inbox = self.inbox(Channel::Voice);
        let mut new = NewEntry {
            kind: EntryKind::Call,
            contact_point_id: address.point,
            ..NewEntry::inbound(address.contact, Channel::Voice, inbox, at, scene.person.name.clone(), body)
        };
        if let (false, Some(agent)) = (inbound, agent) {
            let (actor, name) = self.actor(agent);
            (new.direction, new.author, new.author_name) = (Direction::Out, actor, name.to_owned());
        }
        let added = add_entry(tx, locked, new, at)?;
        call::insert(tx, self.workspace, &Call { entry_id: Some(added.id), ..row.clone() })?;
        if let (Some(agent), Some(answered_at)) = (agent, answered_at) {
            let (actor, _) = self.actor(agent);
            locked.log(tx, "call.answered", answered_at, actor, json!({"entry": added.id, "call": row.id, "state": "answered"}));
            locked.row.waiting_since = None;
        }
        locked.log(tx, "call.ended", ended_at, Actor::System, json!({"entry": added.id, "call": row.id, "state": row.state}));
        entry::set_body(tx, self.workspace, &Entry { seq: locked.row.seq, ..added })?;
        locked.row.public_seq = locked.row.seq;
        match agent {
            Some(agent) => self.looks(tx, locked, agent),
            None => Ok(()),
        }
    }

    fn store_file(
        &self,
        tx: &mut dyn Conn,
        locked: &Locked,
        file: Option<&NamedFile>,
        uploader: &str,
        at: Timestamp,
    ) -> Result<Vec<Attachment>, StoreError> {
        let Some((name, stored)) = file else { return Ok(vec![]) };
        let blob_id = attachment::put_blob(tx, self.workspace, &stored.sha256, stored.bytes, stored.mime, at)?;
        let row = Attachment {
            id: AttachmentId(tx.id()),
            entry_id: None,
            conversation_id: Some(locked.row.id),
            uploader: uploader.to_owned(),
            blob_id,
            sha256: stored.sha256.clone(),
            name: name.clone(),
            mime: stored.mime.to_owned(),
            bytes: stored.bytes,
        };
        attachment::insert(tx, self.workspace, &row, at)?;
        Ok(vec![row])
    }

    fn attach(&self, tx: &mut dyn Conn, files: &[Attachment], to: &Entry) -> Result<(), StoreError> {
        for file in files {
            attachment::attach(tx, self.workspace, file.id, to.id, to.conversation_id)?;
        }
        Ok(())
    }
}

/// What else a busy desk has lying about: raw events that nobody could read, and inboxes that were used a moment ago.
pub async fn leave_loose_ends(desk: &Desk, cast: &Cast, now: Timestamp) -> Result<(), DemoError> {
    const UNREAD: [(Channel, &str, &str, i64); 3] = [
        (Channel::Webchat, r#"{"kind":"message","text":"#, "bad_frame: the frame ends in the middle", 50),
        (Channel::Webchat, r#"{"kind":"poll","choices":["a","b"]}"#, "bad_frame: the kind poll is not known", 700),
        (Channel::Telegram, r#"{"update_id":91,"story":{}}"#, "no_inbox: this build has no adapter for this channel", 2_900),
    ];
    let (workspace, inboxes) = (cast.workspace, cast.inboxes.clone());
    desk.db
        .write(Route::Any, move |tx| -> Result<(), StoreError> {
            for (channel, raw, reason, minutes) in UNREAD {
                let at = now.plus_ms(-minutes * 60_000);
                let inbox_id = inboxes.get(&channel).copied().ok_or(StoreError::NotFound)?;
                let id = ProviderEventId(tx.id());
                let event = ProviderEvent {
                    id,
                    inbox_id,
                    dedupe_key: format!("demo {id}"),
                    content_key: channel::content_key(raw.as_bytes()),
                    raw: Some(raw.as_bytes().to_vec()),
                    blob_id: None,
                    headers: String::new(),
                    evidence: None,
                    lane: Some(id.0),
                    lane_name: "demo".to_owned(),
                    received_at: at,
                    processed_at: None,
                    outcome: None,
                    reason: None,
                    entry_id: None,
                    folder_id: None,
                    same_as: None,
                    summary: None,
                };
                provider_event::insert(tx, workspace, &event)?;
                provider_event::end(tx, workspace, id, model::Outcome::Quarantined, Some(reason), None, at)?;
                let payload = json!({"provider_event": id, "reason": reason});
                tx.log(news(workspace, "provider_event.quarantined", Actor::System, at, payload));
            }
            for inbox in inboxes.values() {
                store::inbox::touch_in(tx, workspace, *inbox, now)?;
                store::inbox::touch_out(tx, workspace, *inbox, now)?;
                store::inbox::set_state(tx, workspace, *inbox, InboxState::Ok)?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}
