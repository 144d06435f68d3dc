//! What merging two customers does, and what taking it back does.

use crate::types::contact::ContactRow;
use desk::contacts::Separation;
use desk::identity::MergePreview as Merge;
use model::{Channel, ConsentState, ContactId, ContactMergeId, ContactPointId, ConversationId, EntryId, Purpose, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One field of two customers side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldPair {
    /// Its name (`name`, `company`, `locale`, `time_zone`, `notes`) or the id of a field that the business made.
    pub field: String,
    /// What people call it.
    pub title: String,
    /// Of the customer that stays.
    pub keep: Option<String>,
    /// Of the other.
    pub other: Option<String>,
    /// What it becomes.
    pub result: Option<String>,
}

/// What two customers say about one purpose, and what holds for both: the stricter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsentPair {
    /// About what.
    pub purpose: Purpose,
    /// On which channel; null: on every one.
    pub channel: Option<Channel>,
    /// At which address; null: at every one.
    pub contact_point_id: Option<ContactPointId>,
    /// What the one that stays says.
    pub keep: Option<ConsentState>,
    /// What the other says.
    pub other: Option<ConsentState>,
    /// What holds.
    pub result: Option<ConsentState>,
}

/// An open conversation of one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenConversation {
    /// Which.
    pub id: ConversationId,
    /// Its number.
    pub number: i64,
}

/// A conversation that holds entries of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartedConversation {
    /// Which.
    pub id: ConversationId,
    /// Its number.
    pub number: i64,
    /// How many entries leave it.
    pub entries: i64,
    /// Where they go; null in a preview: a new conversation. The conversation itself: it changes hands as a whole.
    pub to: Option<ConversationId>,
    /// Whose they are.
    pub contact_id: ContactId,
}

/// An entry that was written since the merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntrySince {
    /// Which.
    pub entry_id: EntryId,
    /// Whose it will be.
    pub contact_id: ContactId,
}

/// What a merge (or its undo) does, or would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MergePreview {
    /// The recorded merge.
    pub merge_id: Option<ContactMergeId>,
    /// The contact that stays.
    pub keep: ContactRow,
    /// The other one.
    pub other: ContactRow,
    /// Conversations of the other.
    pub conversations: i64,
    /// Entries of the other.
    pub entries: i64,
    /// Conversations of the one that stays.
    pub keep_conversations: i64,
    /// Entries of the one that stays, counted up to 10,000.
    pub keep_entries: i64,
    /// What an agent should look at: `two_accounts`, `one_is_blocked`, `different_names`, `consent_differs`.
    pub conflicts: Vec<String>,
    /// Merge: every field that one of them has.
    pub fields: Vec<FieldPair>,
    /// Merge: what both said about what we may do.
    pub consents: Vec<ConsentPair>,
    /// Merge: open conversations of both, when both have some.
    pub open: Vec<OpenConversation>,
    /// Undo: when the merge was made.
    pub merged_at: Option<Timestamp>,
    /// Undo: what was written since, at most 200.
    pub since: Vec<EntrySince>,
    /// Undo: conversations that hold entries of both.
    pub parted: Vec<PartedConversation>,
    /// Undo: fields that go back to what they were.
    pub returned: Vec<String>,
    /// Undo: fields that were edited since and stay.
    pub edited: Vec<String>,
    /// Undo: more than 30 days old, so it has to be confirmed.
    pub needs_confirming: bool,
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl MergePreview {
    /// Of a merge, with the rows of both.
    pub fn of(merge: &Merge, keep: ContactRow, other: ContactRow) -> Self {
        let fields = merge.fields.iter().map(|f| FieldPair {
            field: f.field.clone(),
            title: f.title.clone(),
            keep: f.keep.clone(),
            other: f.other.clone(),
            result: f.result.clone(),
        });
        let consents = merge.consents.iter().map(|c| ConsentPair {
            purpose: c.purpose,
            channel: c.channel,
            contact_point_id: c.contact_point_id,
            keep: c.keep,
            other: c.other,
            result: c.result,
        });
        Self {
            merge_id: merge.merge_id,
            keep,
            other,
            conversations: count(merge.conversations),
            entries: count(merge.entries),
            keep_conversations: count(merge.keep_conversations),
            keep_entries: count(merge.keep_entries),
            conflicts: merge.conflicts.iter().map(|word| (*word).to_owned()).collect(),
            fields: fields.collect(),
            consents: consents.collect(),
            open: merge.open.iter().map(|(id, number)| OpenConversation { id: *id, number: *number }).collect(),
            merged_at: None,
            since: vec![],
            parted: vec![],
            returned: vec![],
            edited: vec![],
            needs_confirming: false,
        }
    }

    /// Of its undo.
    pub fn of_separation(parted: &Separation, keep: ContactRow, other: ContactRow) -> Self {
        let since = parted.since.iter().take(200).map(|(entry, contact)| EntrySince { entry_id: *entry, contact_id: *contact });
        let conversations = parted.parted.iter().map(|p| PartedConversation {
            id: p.id,
            number: p.number,
            entries: count(p.entries),
            to: p.to,
            contact_id: p.contact_id,
        });
        Self {
            merge_id: Some(parted.merge_id),
            keep,
            other,
            conversations: count(parted.conversations),
            entries: count(parted.entries),
            keep_conversations: count(parted.keep_conversations),
            keep_entries: count(parted.keep_entries),
            conflicts: vec![],
            fields: vec![],
            consents: vec![],
            open: vec![],
            merged_at: Some(parted.merged_at),
            since: since.collect(),
            parted: conversations.collect(),
            returned: parted.returned.clone(),
            edited: parted.edited.clone(),
            needs_confirming: parted.needs_confirming,
        }
    }
}
