//! What a scored week tells without being asked: alerts and disagreements of a company.

use std::collections::BTreeSet;

use barometer_cloud::{StoreError, bus::Event, happiness, table::companies::Company, watch::Watch};
use barometer_domain::{
    CompanyId, IsoWeek, Percent,
    alert::{self, Finding},
    disagreement::Readings,
    drop::{self, engagement_drops},
    first_week::{FIRST_DAYS, no_login},
    happiness::Happiness,
    week::WeekSnapshot,
};
use chrono::NaiveDate;

use crate::shard::{Context, Read};

/// Opens, worsens and closes what the week of a company gives cause for. Returns the events that tell of it.
pub async fn company(
    context: &Context<'_>,
    company: &Company,
    snapshot: &WeekSnapshot,
    read: &Read,
    happiness: &Happiness,
) -> Result<Vec<Event>, StoreError> {
    let watch = Watch {
        table: context.table,
        workspace: context.workspace,
        company: Some(&company.company_id),
        now: context.now,
    };
    if company.open_alerts > 0 {
        watch.recover(snapshot).await?;
    }
    let mut findings = drops(context, company, snapshot).await?;
    findings.extend(less_happy(context, read));
    findings.extend(silent(context, read, happiness));
    findings.extend(nobody_came(context, company).await?);
    let mut events = Vec::new();
    for finding in findings {
        events.extend(watch.found(finding).await?);
    }
    let latest = company.engagement.as_ref().filter(|engagement| engagement.week > snapshot.period);
    let band = latest.map_or(snapshot.band, |engagement| engagement.band);
    let readings = Readings::of(company.fresh_status(context.now), Some(band));
    if company.open_disagreements > 0 || readings.is_some_and(Readings::disagree) {
        watch.compare(readings).await?;
    }
    Ok(events)
}

/// Engagement drops. The weeks before are read only when the trend says that there can be one.
async fn drops(
    context: &Context<'_>,
    company: &Company,
    snapshot: &WeekSnapshot,
) -> Result<Vec<Finding>, StoreError> {
    let Some(score) = snapshot.score.filter(|_| snapshot.band.band().is_some()) else {
        return Ok(Vec::new());
    };
    let trend = company.engagement.iter().flat_map(|engagement| &engagement.trend);
    let highest = trend.filter_map(|point| point.score).max().unwrap_or(Percent::ZERO);
    if highest.basis_points() < score.basis_points() + drop::SUSTAINED_DROP {
        return Ok(Vec::new());
    }
    let weeks = context
        .table
        .weeks(context.workspace, &company.company_id, context.week.plus(-drop::REACH), context.week)
        .await?;
    let weeks: Vec<WeekSnapshot> = weeks.into_iter().map(|published| published.snapshot).collect();
    Ok(engagement_drops(&weeks, context.week, context.settings.time_zone))
}

/// A sudden drop of happiness.
fn less_happy(context: &Context<'_>, read: &Read) -> Option<Finding> {
    happiness::dropped(&read.answers, &read.members, context.settings, context.now)
}

fn silent(context: &Context<'_>, read: &Read, happiness: &Happiness) -> Option<Finding> {
    let since = happiness::silent_since(&read.answers, &read.asks, context.settings)?;
    alert::silent(happiness, since, context.settings.time_zone)
}

/// Nobody logged in within the first days. Only young companies are looked at.
async fn nobody_came(context: &Context<'_>, company: &Company) -> Result<Option<Finding>, StoreError> {
    let zone = context.settings.time_zone;
    let (started, today) = (zone.date(company.created_at), zone.date(context.now));
    let found = no_login(started, today, false, context.telemetry, zone);
    if found.is_some() && came(context, &company.company_id, started).await? {
        return Ok(None);
    }
    Ok(found)
}

/// Whether anybody was active within the first days.
async fn came(context: &Context<'_>, company: &CompanyId, started: NaiveDate) -> Result<bool, StoreError> {
    let days: Vec<NaiveDate> = started.iter_days().take(FIRST_DAYS as usize).collect();
    let weeks: BTreeSet<IsoWeek> = days.iter().map(|day| IsoWeek::of(*day)).collect();
    for week in weeks {
        let activity = context.table.activity_of_week(context.workspace, company, week).await?;
        let mut active = activity.values().flat_map(|done| &done.days).filter_map(|day| week.date_of(*day));
        if active.any(|day| days.contains(&day)) {
            return Ok(true);
        }
    }
    Ok(false)
}
