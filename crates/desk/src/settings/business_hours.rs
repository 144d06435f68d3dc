//! Opening hours by name.

use super::news;
use crate::people::rights::may_set_up_workspace;
use crate::people::{ChangeError, Invalid, check};
use crate::{Desk, Who};
use model::hours::Hours;
use model::{Actor, BusinessHoursId};
use serde_json::json;
use store::business_hours::BusinessHours;
use store::{Route, StoreError, business_hours};

const HOLIDAYS_COUNT_MAX: usize = 400;
const SPANS_COUNT_MAX: usize = 24;

/// All opening hours, oldest first.
pub async fn list(desk: &Desk, who: &Who) -> Result<Vec<BusinessHours>, StoreError> {
    let workspace = who.workspace;
    desk.db.read(move |tx| business_hours::list(tx, workspace)).await
}

/// Adds opening hours.
pub async fn add(desk: &Desk, who: &Who, name: &str, hours: Hours) -> Result<BusinessHours, ChangeError> {
    let (name, hours) = checked(who, name, hours)?;
    let (now, who) = (desk.now(), who.clone());
    Ok(desk
        .db
        .write(Route::Any, move |tx| {
            let id = business_hours::add(tx, who.workspace, &name, &hours)?;
            let payload = json!({ "business_hours_id": id });
            tx.log(news(who.workspace, "business_hours.added", Actor::Agent(who.agent), now, payload));
            business_hours::find(tx, who.workspace, id)?.ok_or(StoreError::NotFound)
        })
        .await?)
}

/// Replaces opening hours.
pub async fn change(desk: &Desk, who: &Who, id: BusinessHoursId, name: &str, hours: Hours) -> Result<BusinessHours, ChangeError> {
    let (name, hours) = checked(who, name, hours)?;
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            let Some(mut row) = business_hours::find(tx, who.workspace, id)? else {
                return Ok::<_, StoreError>(Err(ChangeError::NotFound));
            };
            row.name.clone_from(&name);
            let before = std::mem::replace(&mut row.hours, hours.clone());
            business_hours::change(tx, who.workspace, &row)?;
            // Clocks that were cut by the old hours need both.
            let payload = json!({ "business_hours_id": id, "from": before, "to": row.hours });
            tx.log(news(who.workspace, "business_hours.changed", Actor::Agent(who.agent), now, payload));
            business_hours::find(tx, who.workspace, id)?.ok_or(StoreError::NotFound).map(Ok)
        })
        .await?
}

fn checked(who: &Who, name: &str, mut hours: Hours) -> Result<(String, Hours), ChangeError> {
    if !may_set_up_workspace(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let name = check::name("name", name)?;
    if hours.holidays.len() > HOLIDAYS_COUNT_MAX || hours.week.iter().any(|day| day.len() > SPANS_COUNT_MAX) {
        return Err(Invalid::new("hours", "fewer spans and holidays").into());
    }
    for holiday in &mut hours.holidays {
        holiday.name = check::name("hours.holidays", &holiday.name)?;
    }
    hours.check().map_err(|error| Invalid::new("hours", error.to_string()))?;
    Ok((name, hours))
}
