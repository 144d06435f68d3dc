//! All that is kept of one person, for that person; and lists of people as a table for a spreadsheet.

use crate::consent;
use crate::contacts::segment;
use crate::contacts::table::export_line;
use crate::context::{Desk, Who};
use crate::identity::display_name;
use crate::settings::news;
use model::{Actor, Audience, ContactId, ContactPointKind, EntryKind};
use serde_json::{Value as Json, json};
use store::{Route, StoreError, contact, contact_field, contact_merge, contact_point, conversation, entry};

/// The most people of one list.
pub const LIST_COUNT_MAX: usize = 100_000;
const ENTRY_COUNT_MAX: i64 = 100_000;

/// Everything kept of one person, as a document that machines read. What a third party wrote to us, and our notes, are the
/// business's own and are left out; files are named with their ids, under which they are downloaded.
pub async fn export_one(desk: &Desk, who: &Who, id: ContactId) -> Result<Json, StoreError> {
    let (workspace, agent, now) = (who.workspace, who.agent, desk.now());
    let document = desk
        .db
        .read(move |tx| -> Result<Json, StoreError> {
            let live = contact::get_live(tx, workspace, id)?;
            let set = contact::merged_set(tx, workspace, live.id)?;
            let owners = contact_point::owned_by(tx, workspace, live.id)?;
            let ids: Vec<_> = owners.iter().map(|o| o.contact_point_id).collect();
            let points = contact_point::list(tx, workspace, &ids)?;
            let addresses: Vec<Json> = owners
                .iter()
                .filter_map(|o| points.iter().find(|p| p.id == o.contact_point_id).map(|p| (o, p)))
                .map(|(o, p)| {
                    json!({
                        "kind": p.key.kind, "address": p.raw, "proof_level": o.proof_level, "source": o.source,
                        "first_seen_at": o.first_seen_at, "last_seen_at": o.last_seen_at, "health": p.health
                    })
                })
                .collect();
            let fields = contact_field::list(tx, workspace)?;
            let values = crate::identity::merge::own_values(tx, workspace, live.id, &set)?;
            let own: Vec<Json> = values
                .iter()
                .filter_map(|(id, value)| fields.iter().find(|f| f.id == *id).map(|f| json!({"name": f.name, "value": value})))
                .collect();
            let consents: Vec<Json> = store::consent::of_contacts(tx, workspace, &set)?
                .iter()
                .map(|c| {
                    json!({
                        "purpose": c.purpose, "channel": c.channel, "state": c.state, "source": c.source, "evidence": c.evidence,
                        "at": c.at, "recorded_at": c.recorded_at
                    })
                })
                .collect();
            let conversations = conversation::of_contacts(tx, workspace, &set, 10_000)?;
            let labels: Vec<Json> = conversations
                .iter()
                .map(|c| json!({"id": c.id, "number": c.number, "status": c.status, "subject": c.subject, "created_at": c.created_at}))
                .collect();
            let entries: Vec<Json> = entry::timeline_before(tx, workspace, &set, (i64::MAX, i64::MAX), ENTRY_COUNT_MAX)?
                .iter()
                .filter(|e| e.kind != EntryKind::Event && e.audience == Audience::Customer)
                .map(|e| {
                    json!({
                        "id": e.id, "conversation": e.conversation_id, "at": e.at, "kind": e.kind, "channel": e.channel,
                        "direction": e.direction, "author": e.author_name, "subject": e.body.subject, "text": e.body.text,
                        "files": e.body.attachments
                    })
                })
                .collect();
            let mut merged = Vec::new();
            for other in set.iter().filter(|other| **other != live.id) {
                let standing = contact_merge::standing_of(tx, workspace, *other)?;
                merged.push(json!({"contact": other, "merged_at": standing.map(|m| m.merged_at)}));
            }
            Ok(json!({
                "format": "continuo.contact/1", "exported_at": now, "contact": {
                    "id": live.id, "name": live.name, "company": live.company, "locale": live.locale, "time_zone": live.time_zone,
                    "notes": live.notes, "said_by_pages": live.claimed, "first_seen_at": live.first_seen_at,
                    "last_seen_at": live.last_seen_at, "blocked_at": live.blocked_at
                },
                "contact_points": addresses, "fields": own, "consents": consents, "conversations": labels, "entries": entries,
                "merged": merged
            }))
        })
        .await?;
    log(desk, who, "contact.exported", json!({"contact": id, "agent": agent})).await?;
    Ok(document)
}

async fn log(desk: &Desk, who: &Who, kind: &'static str, payload: Json) -> Result<(), StoreError> {
    let (workspace, agent, now) = (who.workspace, who.agent, desk.now());
    desk.db
        .write(Route::Any, move |tx| -> Result<(), StoreError> {
            tx.log(news(workspace, kind, Actor::Agent(agent), now, payload.clone()));
            Ok(())
        })
        .await
}

/// A list of people that a filter names, as a table that a spreadsheet opens and an import takes.
pub async fn export_list(desk: &Desk, who: &Who, query: &str) -> Result<String, StoreError> {
    let fields = {
        let workspace = who.workspace;
        desk.db.read(move |tx| contact_field::list(tx, workspace)).await?
    };
    let fields: Vec<_> = fields.into_iter().filter(|f| f.archived_at.is_none()).collect();
    let head = ["id", "name", "company", "email", "email 2", "phone", "phone 2", "crm_id", "language", "time zone"];
    let said = ["marketing", "consent date", "consent source"];
    let mut out = String::from("\u{FEFF}");
    out.push_str(&export_line(head.into_iter().chain(said).chain(fields.iter().map(|f| f.name.as_str()))));
    let (mut below, mut count) = (None, 0_usize);
    loop {
        let (who2, query2, fields2, now) = (who.clone(), query.to_owned(), fields.clone(), desk.now());
        let (lines, next) = desk
            .db
            .read(move |tx| -> Result<_, StoreError> {
                let page = segment::page(tx, &who2, &query2, below, 100, now)?;
                let mut lines = Vec::new();
                for row in &page.rows {
                    lines.push(line(tx, who2.workspace, row.id, &fields2)?);
                }
                Ok((lines, page.next))
            })
            .await?;
        count += lines.len();
        out.extend(lines);
        below = next;
        if below.is_none() || count >= LIST_COUNT_MAX {
            break;
        }
    }
    log(desk, who, "contact.list_exported", json!({"query": query, "count": count})).await?;
    Ok(out)
}

fn line(
    tx: &mut dyn store::Conn,
    workspace: model::WorkspaceId,
    id: ContactId,
    fields: &[contact_field::ContactField],
) -> Result<String, StoreError> {
    let live = contact::get_live(tx, workspace, id)?;
    let set = contact::merged_set(tx, workspace, live.id)?;
    let ids: Vec<_> = contact_point::owned_by(tx, workspace, live.id)?.iter().map(|o| o.contact_point_id).collect();
    let points = contact_point::list(tx, workspace, &ids)?;
    let of = |kind: ContactPointKind| {
        let mut all: Vec<String> = points.iter().filter(|p| p.key.kind == kind).map(|p| p.raw.clone()).collect();
        all.sort();
        all.dedup();
        all.resize(2.max(all.len()), String::new());
        all
    };
    let (mails, phones, crm) = (of(ContactPointKind::Email), of(ContactPointKind::Phone), of(ContactPointKind::Crm));
    let holding = consent::holding(&store::consent::of_contacts(tx, workspace, &set)?);
    let marketing = holding
        .iter()
        .filter(|((purpose, ..), _)| *purpose == model::Purpose::Marketing)
        .map(|(_, holds)| &holds.consent)
        .max_by_key(|said| (said.state, said.at));
    let day = marketing.map(|said| said.at.to_string().chars().take(10).collect::<String>()).unwrap_or_default();
    let values = crate::identity::merge::own_values(tx, workspace, live.id, &set)?;
    let name = live.name.clone().unwrap_or_else(|| display_name(&live));
    let (company, locale, zone) =
        (live.company.unwrap_or_default(), live.locale.unwrap_or_default(), live.time_zone.unwrap_or_default());
    let id = live.id.to_string();
    let mut cells: Vec<&str> = vec![&id, &name, &company, &mails[0], &mails[1], &phones[0], &phones[1], &crm[0], &locale, &zone];
    cells.extend([marketing.map_or("", |said| said.state.word()), &day, marketing.map_or("", |said| said.source.as_str())]);
    let empty = String::new();
    cells.extend(fields.iter().map(|f| values.get(&f.id).unwrap_or(&empty).as_str()));
    Ok(export_line(cells.into_iter()))
}
