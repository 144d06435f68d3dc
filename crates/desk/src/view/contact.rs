//! Customers as screens show them: one row in lists, and everything known about one of them.

use crate::context::Who;
use crate::identity::display_name;
use model::{ContactId, ContactMergeId, Timestamp, WorkspaceId};
use std::collections::HashMap;
use store::contact::Contact;
use store::contact_point::{ContactPoint, Owner};
use store::{Conn, StoreError};

/// Conversations looked at to count the open ones of a contact.
const CONVERSATIONS_MAX: i64 = 500;

/// A customer in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactRow {
    /// The live contact.
    pub id: ContactId,
    /// As shown.
    pub name: String,
    /// Addresses, latest used first, at most four.
    pub points: Vec<String>,
    /// Latest contact.
    pub last_seen_at: Timestamp,
    /// Conversations that are not done.
    pub open_conversations: i64,
}

/// One address of a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct PointView {
    /// The address.
    pub point: ContactPoint,
    /// How it is known to be theirs.
    pub owner: Owner,
}

/// A contact that was merged into this one.
#[derive(Clone, Debug, PartialEq)]
pub struct MergedView {
    /// The contact.
    pub contact_id: ContactId,
    /// Its own name.
    pub name: String,
    /// The merge that can be taken back.
    pub merge_id: ContactMergeId,
    /// When.
    pub at: Timestamp,
    /// Actor text.
    pub by: String,
}

/// Everything known about a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactView {
    /// The live contact.
    pub contact: Contact,
    /// As shown.
    pub name: String,
    /// Addresses, latest used first.
    pub points: Vec<PointView>,
    /// What was merged into it.
    pub merged: Vec<MergedView>,
}

/// One customer; an id that was merged away gives the contact that took it.
pub fn get(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId) -> Result<ContactView, StoreError> {
    let contact = store::contact::get_live(tx, workspace, id)?;
    let owners = store::contact_point::owned_by(tx, workspace, contact.id)?;
    let ids: Vec<_> = crate::view::rows::unique(owners.iter().map(|owner| owner.contact_point_id));
    let mut known: HashMap<_, ContactPoint> =
        store::contact_point::list(tx, workspace, &ids)?.into_iter().map(|point| (point.id, point)).collect();
    let mut points = Vec::new();
    for owner in owners {
        // Two merged contacts may hold one address: the better proof stands first because it is raised at each use.
        if let Some(point) = known.remove(&owner.contact_point_id) {
            points.push(PointView { point, owner });
        }
    }
    let name = display_name(&contact);
    let merged = merged_of(tx, workspace, &contact)?;
    Ok(ContactView { contact, name, points, merged })
}

fn merged_of(tx: &mut dyn Conn, workspace: WorkspaceId, live: &Contact) -> Result<Vec<MergedView>, StoreError> {
    let others: Vec<ContactId> =
        store::contact::merged_set(tx, workspace, live.id)?.into_iter().filter(|id| *id != live.id).take(50).collect();
    let mut merged = Vec::new();
    for contact in store::contact::list(tx, workspace, &others)? {
        if let Some(merge) = store::contact_merge::standing_of(tx, workspace, contact.id)? {
            merged.push(MergedView {
                contact_id: contact.id,
                name: display_name(&contact),
                merge_id: merge.id,
                at: merge.merged_at,
                by: merge.merged_by,
            });
        }
    }
    merged.sort_by_key(|one| std::cmp::Reverse(one.at));
    Ok(merged)
}

/// One row of a list.
pub fn row(tx: &mut dyn Conn, workspace: WorkspaceId, contact: &Contact) -> Result<ContactRow, StoreError> {
    let owners = store::contact_point::owned_by(tx, workspace, contact.id)?;
    let ids: Vec<_> = crate::view::rows::unique(owners.iter().map(|owner| owner.contact_point_id)).into_iter().take(20).collect();
    let mut points = store::contact_point::list(tx, workspace, &ids)?;
    points.retain(|point| point.key.kind != model::ContactPointKind::Visitor);
    points.sort_by_key(|point| std::cmp::Reverse(point.seen_at));
    let set = store::contact::merged_set(tx, workspace, contact.id)?;
    let conversations = store::conversation::of_contacts(tx, workspace, &set, CONVERSATIONS_MAX)?;
    let open = conversations.iter().filter(|c| c.status.is_open() && !c.spam && c.merged_into.is_none()).count();
    Ok(ContactRow {
        id: contact.id,
        name: display_name(contact),
        points: points.into_iter().take(4).map(|point| point.raw).collect(),
        last_seen_at: contact.last_seen_at,
        open_conversations: i64::try_from(open).unwrap_or(i64::MAX),
    })
}

/// Rows of these live contacts, in this order.
pub fn rows(tx: &mut dyn Conn, workspace: WorkspaceId, ids: &[ContactId]) -> Result<Vec<ContactRow>, StoreError> {
    let mut known: HashMap<ContactId, Contact> =
        store::contact::list(tx, workspace, ids)?.into_iter().map(|c| (c.id, c)).collect();
    let mut rows = Vec::new();
    for id in ids {
        if let Some(contact) = known.remove(id) {
            rows.push(row(tx, workspace, &contact)?);
        }
    }
    Ok(rows)
}

/// A place in the list of customers: `(last_seen_at, id)`.
pub type Place = (i64, i64);

/// A page of customers, latest seen first; with a text: those whose name or address begins so, on one page.
pub fn page(
    tx: &mut dyn Conn,
    who: &Who,
    text: &str,
    below: Option<Place>,
    limit: i64,
) -> Result<(Vec<ContactRow>, Option<Place>), StoreError> {
    if !text.trim().is_empty() {
        let ids = crate::view::filter::contacts_of(tx, who, text, limit)?;
        return Ok((rows(tx, who.workspace, &ids)?, None));
    }
    let below = below.unwrap_or((i64::MAX, i64::MAX));
    let found = store::contact::page(tx, who.workspace, below, limit)?;
    let next = if found.len() as i64 == limit { found.last().map(|c| (c.last_seen_at.0, c.id.0)) } else { None };
    let mut rows = Vec::with_capacity(found.len());
    for contact in &found {
        rows.push(row(tx, who.workspace, contact)?);
    }
    Ok((rows, next))
}
