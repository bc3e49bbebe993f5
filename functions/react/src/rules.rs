//! Has the workspace's rules act on what happened at a company.

use barometer_cloud::{
    automation::{Automation, set_back},
    bus::DetailType,
    table::companies::Company,
};
use barometer_domain::{
    Percent, alert,
    automation::{Happened, Occurrence},
    band::Band,
    happiness::Level,
    status::Status,
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{BusEvent, Deps, Outcome, ReactError};

/// Which way a reading went.
#[derive(Deserialize)]
struct Moved<T> {
    from: Option<T>,
    to: T,
}

#[derive(Deserialize)]
struct Opened {
    rule: alert::Rule,
}

#[derive(Deserialize)]
struct Answered {
    value: Percent,
}

/// What an event says that happened; nothing for kinds that no rule is about.
fn happened(event: &BusEvent) -> Result<Option<Happened>, ReactError> {
    Ok(Some(match event.detail_type {
        DetailType::StatusChanged => {
            let Moved::<Status> { from, to } = read(event)?;
            Happened::Status { from, to }
        }
        DetailType::EngagementSettled => {
            let Moved::<Band> { from, to } = read(event)?;
            Happened::Engagement { from, to }
        }
        DetailType::HappinessSettled => {
            let Moved::<Level> { from, to } = read(event)?;
            Happened::Happiness { from, to }
        }
        DetailType::AlertOpened => Happened::Alert { rule: read::<Opened>(event)?.rule },
        DetailType::FeedbackReceived => Happened::Answer { value: read::<Answered>(event)?.value },
        _ => return Ok(None),
    }))
}

fn read<T: DeserializeOwned>(event: &BusEvent) -> Result<T, ReactError> {
    let change = serde_json::Value::Object(event.detail.change.clone());
    serde_json::from_value(change).map_err(ReactError::Unreadable)
}

/// What distinguishes a change from others of its kind: a week for a band, else the event itself.
fn period(event: &BusEvent) -> String {
    let week = event.detail.change.get("week").and_then(|week| week.as_str());
    week.filter(|_| event.detail_type == DetailType::EngagementSettled)
        .unwrap_or(&event.detail.event_id)
        .to_owned()
}

/// Undoes what a status that was set back had set in motion, and has the rules act. A change that was brought in silently,
/// with a bulk import, sets nothing in motion.
pub async fn act(event: &BusEvent, deps: &Deps) -> Result<Outcome, ReactError> {
    let (Some(happened), Some(company)) = (happened(event)?, &event.detail.company_id) else {
        // The workspace's own alerts are nobody's company's.
        return Ok(Outcome::default());
    };
    let workspace = &event.detail.workspace_id;
    let Some(company): Option<Company> = deps.table.company(workspace, company).await? else {
        return Ok(Outcome::default());
    };
    let automation = Automation { table: &deps.table, workspace, now: deps.clock.now() };
    if let Some(status) = company.status.as_ref().filter(|_| matches!(happened, Happened::Status { .. })) {
        // As it stands now: events of two changes may come in any order.
        set_back(&automation, &company, status.value).await?;
    }
    let silent = event.detail.change.get("silent").and_then(serde_json::Value::as_bool);
    if silent == Some(true) {
        return Ok(Outcome::default());
    }
    let occurrence = Occurrence { happened, period: period(event), at: event.detail.occurred_at };
    let events = automation.occurred(&company, &occurrence).await?;
    deps.table.publish_or_leave(&deps.bus, workspace, &events).await;
    Ok(Outcome::of(&events))
}
