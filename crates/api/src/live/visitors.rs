//! News for visitors: only of their own conversation, only what was meant for them, numbered by the conversation alone, so
//! that a stranger learns nothing about how busy the business is.

use super::feed::{Batch, Wrote};
use super::{FRAME_BYTES, Live, json_text, text};
use crate::types::file::Files;
use crate::widget::items::{Viewer, items_of};
use axum::extract::ws::Utf8Bytes;
use channel_webchat::{ServerFrame, WidgetItem};
use model::{AgentId, ConversationId, WorkspaceId};
use store::StoreError;
use store::conversation::Conversation;
use store::entry::Entry;

impl Live {
    pub(super) fn hand_out_to_visitors(&self, workspace: WorkspaceId, batch: &Batch) {
        let mut met = Vec::new();
        {
            let mut hub = self.hub();
            let Some(visitors) = hub.visitors.get_mut(&workspace) else { return };
            for Wrote { inbox, who, conversation } in &batch.visitors {
                let Some(row) = batch.conversation(*conversation).filter(|row| row.merged_into.is_none()) else { continue };
                for number in visitors.of(*inbox, who) {
                    if visitors.get(number).is_none_or(|socket| socket.chat == Some(*conversation)) {
                        continue;
                    }
                    visitors.set_chat(number, Some(*conversation));
                    met.push(row.contact_id);
                    let Some(socket) = visitors.get(number) else { continue };
                    socket.queue.push(text(&ServerFrame::Conversation { id: *conversation, seq: 0 }));
                    // What stood there before this socket knew of it: the client asks for everything.
                    if first_of(batch, *conversation).is_none_or(|first| first > 1) {
                        socket.queue.push(text(&ServerFrame::Resync));
                    }
                }
            }
            let files = Files::new(self.desk(), workspace);
            for row in &batch.conversations {
                let resync = row.merged_into.is_some() || batch.cut.contains(&row.id);
                let Some(first) = first_of(batch, row.id) else { continue };
                let mut frames: [Option<Vec<Utf8Bytes>>; 2] = [None, None];
                for socket in visitors.in_chat(row.id) {
                    if resync {
                        socket.queue.push(text(&ServerFrame::Resync));
                        continue;
                    }
                    let viewer = Viewer { names: socket.names };
                    let written = frames[usize::from(socket.names)].get_or_insert_with(|| {
                        let mut entries: Vec<_> = batch.shown_to_visitor(row.id).cloned().collect();
                        entries.extend(batch.read_marks.iter().filter(|entry| entry.conversation_id == row.id).cloned());
                        frames_of(row, first - 1, &entries, items_of(&entries, row, &files, viewer))
                    });
                    written.iter().for_each(|frame| socket.queue.push(frame.clone()));
                }
            }
        }
        for (workspace, row) in
            batch.visitors.iter().filter_map(|wrote| Some((workspace, batch.conversation(wrote.conversation)?)))
        {
            if met.contains(&row.contact_id) {
                self.customer(workspace, row, bus::Doing::Viewing);
            }
        }
    }

    /// The customer of a conversation opened the widget, writes, stopped, or closed it.
    pub(crate) fn customer(&self, workspace: WorkspaceId, conversation: &Conversation, doing: bus::Doing) {
        let news = bus::Presence {
            workspace,
            conversation: Some(conversation.id),
            who: bus::Who::Contact(conversation.contact_id),
            doing,
        };
        self.desk().bus.gossip(news);
    }

    /// Tells the visitor who is writing to them, when that changed.
    pub(super) async fn tell_typing(&self, workspace: WorkspaceId, id: ConversationId) {
        let place = (workspace, id);
        let writer = self.presences().writer(place);
        {
            let mut hub = self.hub();
            if !hub.shows(workspace, id) || hub.told_typing(place) == writer {
                return;
            }
            hub.set_told_typing(place, writer);
        }
        let name = match writer {
            Some(agent) => self.name_of(workspace, agent).await.ok().flatten(),
            None => None,
        };
        let hub = self.hub();
        for socket in hub.visitors.get(&workspace).into_iter().flat_map(|visitors| visitors.in_chat(id)) {
            let name = name.clone().filter(|_| socket.names);
            socket.queue.push(text(&ServerFrame::Typing { name, on: writer.is_some() }));
        }
    }

    async fn name_of(&self, workspace: WorkspaceId, agent: AgentId) -> Result<Option<String>, StoreError> {
        let found = self.desk().db.read(move |tx| store::agent::find(tx, workspace, agent)).await?;
        Ok(found.map(|agent| agent.name))
    }

    /// Tells visitors whether somebody is there, when that changed.
    pub(super) async fn tell_availability(&self) {
        let now = self.desk().now();
        let due: Vec<_> = {
            let mut hub = self.hub();
            let super::hub::Hub { visitors, feeds, .. } = &mut *hub;
            visitors
                .iter()
                .flat_map(|(workspace, all)| {
                    let changed = feeds.get_mut(workspace).is_some_and(|feed| std::mem::take(&mut feed.availability_due));
                    let inboxes: std::collections::HashSet<_> = all.all().map(|socket| socket.inbox).collect();
                    inboxes
                        .into_iter()
                        .filter(|inbox| self.doors().availability_is_due(*inbox, changed, now))
                        .map(|inbox| (*workspace, inbox))
                        .collect::<Vec<_>>()
                })
                .collect()
        };
        for (workspace, inbox) in due {
            let Ok(open) = self.desk().directory.open(self.desk(), workspace, inbox).await else { continue };
            let Ok(settings) = channel_webchat::WebchatSettings::of(&open.settings) else { continue };
            let Ok(now_there) = crate::widget::availability::of(self, workspace, inbox, &settings).await else { continue };
            let frame = text(&now_there.frame());
            if !self.doors().availability_changed(inbox, &frame, now) {
                continue;
            }
            let hub = self.hub();
            let sockets = hub.visitors.get(&workspace).into_iter().flat_map(|visitors| visitors.all());
            sockets.filter(|socket| socket.inbox == inbox).for_each(|socket| socket.queue.push(frame.clone()));
        }
    }
}

fn first_of(batch: &Batch, id: ConversationId) -> Option<i64> {
    batch.touched.conversations.get(&id).copied().flatten()
}

/// Items as frames, in order of the numbers of their entries. Each frame moves the position, so they are cut only between
/// two numbers; the last frame goes up to the conversation's own number, also when there is nothing to show.
pub fn frames_of(row: &Conversation, prev: i64, entries: &[Entry], items: Vec<WidgetItem>) -> Vec<Utf8Bytes> {
    let mut numbered: Vec<(i64, WidgetItem)> = entries.iter().map(|entry| entry.seq).zip(items).collect();
    numbered.sort_by_key(|(seq, item)| (*seq, item.id));
    let (mut frames, mut written, mut prev, mut last) = (Vec::new(), String::new(), prev, prev);
    for (seq, item) in numbered {
        let json = json_text(&item);
        if !written.is_empty() && written.len() + json.len() > FRAME_BYTES && seq > last && last > prev {
            frames.push(frame(row.id, prev, last, &written));
            prev = last;
            written.clear();
        }
        if !written.is_empty() {
            written.push(',');
        }
        written.push_str(&json);
        last = last.max(seq);
    }
    if row.seq > prev {
        frames.push(frame(row.id, prev, row.seq, &written));
    }
    frames
}

fn frame(conversation: ConversationId, prev: i64, upto: i64, items: &str) -> Utf8Bytes {
    Utf8Bytes::from(format!(
        "{{\"kind\":\"frame\",\"conversation\":\"{conversation}\",\"prev\":{prev},\"upto\":{upto},\"items\":[{items}]}}"
    ))
}
