//! Customers that may be one person, for an agent to judge.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path, Query};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::contact::ContactRow;
use crate::types::cursor;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use desk::contacts::duplicates::{self, PairView};
use desk::people::rights;
use desk::view::contact;
use model::{ContactId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(list, of_contact, not_same, scan),
    components(schemas(
        DuplicatePair,
        DuplicatePage,
        DuplicateList,
        DuplicateEvidence,
        NotSame,
        TwoContacts,
        Judged,
        ScanReport
    ))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/duplicates", get(list))
        .route("/duplicates/not_same", post(not_same))
        .route("/duplicates/scan", post(scan))
        .route("/contacts/{id}/duplicates", get(of_contact))
}

/// What one field says about a pair.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DuplicateEvidence {
    /// The field.
    pub field: String,
    /// In words.
    pub words: String,
    /// What it adds, or takes when negative, in bits.
    pub bits: f64,
}

/// Two customers that may be one person.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DuplicatePair {
    /// One of the two.
    pub a: ContactRow,
    /// The other.
    pub b: ContactRow,
    /// Weight in bits; null: it was suggested by an event and not weighed.
    pub bits: Option<f64>,
    /// A strong match.
    pub strong: bool,
    /// What speaks for and against, strongest first.
    pub evidence: Vec<DuplicateEvidence>,
    /// Strongest proof behind the evidence, 0 to 3.
    pub level: i64,
    /// Judged "not the same" at this time; the evidence is new since.
    pub new_since: Option<Timestamp>,
    /// When it was found.
    pub made_at: Timestamp,
}

/// A page of pairs.
#[derive(Serialize, ToSchema)]
pub struct DuplicatePage {
    /// Best first.
    pub items: Vec<DuplicatePair>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

/// The pairs of one customer.
#[derive(Serialize, ToSchema)]
pub struct DuplicateList {
    /// Best first.
    pub items: Vec<DuplicatePair>,
}

fn shown(tx: &mut dyn store::Conn, who: &desk::Who, pairs: Vec<PairView>) -> Result<Vec<DuplicatePair>, store::StoreError> {
    let ids: Vec<ContactId> = pairs.iter().flat_map(|p| [p.a, p.b]).collect();
    let rows: HashMap<ContactId, ContactRow> =
        contact::rows(tx, who.workspace, &ids)?.into_iter().map(|row| (row.id, row.into())).collect();
    Ok(pairs
        .into_iter()
        .filter_map(|p| {
            let evidence = p.evidence.into_iter().map(|e| DuplicateEvidence { field: e.field, words: e.words, bits: e.bits });
            Some(DuplicatePair {
                a: rows.get(&p.a)?.clone(),
                b: rows.get(&p.b)?.clone(),
                bits: p.bits,
                strong: p.strong,
                evidence: evidence.collect(),
                level: p.level,
                new_since: p.new_since,
                made_at: p.made_at,
            })
        })
        .collect())
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    limit: Option<i64>,
}

/// Pairs to review, best first.
#[utoipa::path(get, path = "/duplicates", tag = "duplicate",
    params(("cursor" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = DuplicatePage), (status = 422, body = ProblemDocument)))]
async fn list(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(query): Query<ListQuery>,
) -> Result<Json<DuplicatePage>, Problem> {
    let below = cursor::of_query(query.cursor.as_deref())?;
    let limit = cursor::limit(query.limit)?;
    let (items, next) = front
        .desk
        .db
        .read(move |tx| -> Result<_, store::StoreError> {
            let (pairs, next) = duplicates::page(tx, who.workspace, below, limit)?;
            Ok((shown(tx, &who, pairs)?, next))
        })
        .await?;
    Ok(Json(DuplicatePage { items, next_cursor: next.map(cursor::write) }))
}

/// Pairs of one customer, best first.
#[utoipa::path(get, path = "/contacts/{id}/duplicates", tag = "duplicate", params(("id" = ContactId, Path)),
    responses((status = 200, body = DuplicateList), (status = 404, body = ProblemDocument)))]
async fn of_contact(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactId>,
) -> Result<Json<DuplicateList>, Problem> {
    let items = front
        .desk
        .db
        .read(move |tx| -> Result<_, store::StoreError> {
            let live = store::contact::get_live(tx, who.workspace, id)?;
            let pairs = duplicates::of_contact(tx, who.workspace, live.id)?;
            shown(tx, &who, pairs)
        })
        .await?;
    Ok(Json(DuplicateList { items }))
}

/// Two customers.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TwoContacts {
    /// One.
    pub a: ContactId,
    /// The other.
    pub b: ContactId,
}

/// Pairs that are two people each.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotSame {
    /// Which, at most 200.
    pub pairs: Vec<TwoContacts>,
}

/// How many pairs were judged.
#[derive(Serialize, ToSchema)]
pub struct Judged {
    /// How many.
    pub judged: i64,
}

/// Remembers that pairs are two people each. A pair comes back only with a new address that both hold confirmed.
#[utoipa::path(post, path = "/duplicates/not_same", tag = "duplicate", request_body = NotSame,
    responses((status = 200, body = Judged), (status = 422, body = ProblemDocument)))]
async fn not_same(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(body): JsonBody<NotSame>,
) -> Result<Json<Judged>, Problem> {
    if !rights::may_edit_contacts(who.role) {
        return Err(Problem::not_allowed());
    }
    if body.pairs.len() > 200 {
        return Err(Problem::invalid("pairs", "at most 200"));
    }
    let judged = duplicates::not_same(&front.desk, &who, body.pairs.iter().map(|p| (p.a, p.b)).collect()).await?;
    Ok(Json(Judged { judged: i64::try_from(judged).unwrap_or(0) }))
}

/// What comparing everybody found.
#[derive(Serialize, ToSchema)]
pub struct ScanReport {
    /// Customers compared.
    pub contacts: i64,
    /// Pairs that share something.
    pub compared: i64,
    /// Pairs to review because of it.
    pub suggested: i64,
    /// Whether these customers taught the weights, or were too few.
    pub learned: bool,
}

/// Compares all customers anew and learns the weights from them; for admins. Takes seconds to minutes.
#[utoipa::path(post, path = "/duplicates/scan", tag = "duplicate",
    responses((status = 200, body = ScanReport), (status = 403, body = ProblemDocument)))]
async fn scan(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<ScanReport>, Problem> {
    if !rights::may_set_up_contacts(who.role) {
        return Err(Problem::not_allowed());
    }
    let pass = duplicates::full_pass(&front.desk, who.workspace).await?;
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    Ok(Json(ScanReport {
        contacts: count(pass.contacts),
        compared: count(pass.compared),
        suggested: count(pass.suggested),
        learned: pass.learned,
    }))
}
