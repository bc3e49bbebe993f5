//! Weeks as the scorer leaves them, which can be scored again under other settings.

use std::collections::BTreeMap;

use barometer_cloud::{
    Table,
    table::{
        companies::{Profile, Readings},
        snapshots::Published,
    },
};
use barometer_domain::{
    CompanyId, IsoWeek, Settings, UserId, WorkspaceId,
    activity::UserWeek,
    member::Member,
    telemetry::Telemetry,
    week::{CompanyWeek, History, score},
};

use crate::browser::now;

/// Publishes the week before this one of a company of eight users, of whom so many were active, for so many minutes
/// together; the first of them used features.
pub async fn company(
    table: &Table,
    workspace: &WorkspaceId,
    id: &str,
    name: &str,
    done: (u16, u16),
    uses: &[&str],
) {
    let (active, minutes) = done;
    let (company, settings) = (CompanyId::new(id).unwrap(), Settings::default());
    let profile = Profile { name: Some(name.to_owned()), ..Profile::default() };
    table.note_company(workspace, &company, &profile, now()).await.unwrap();
    let user = |number: u16| UserId::new(format!("u{number}")).unwrap();
    let seat = Member { first_seen: "2026-01-05".parse().unwrap(), left: None, excluded: false };
    let members = (0..8).map(|number| (user(number), seat.clone())).collect();
    let of_user = |number: u16| {
        // All minutes but a slot of each other user are the first one's.
        let slots = if number == 0 { minutes / 5 - (active - 1) } else { 1 };
        let uses = if number == 0 { uses } else { &[] };
        let uses = uses.iter().map(|name| format!("1{name}").parse().unwrap()).collect();
        (user(number), UserWeek { days: [1].into(), uses, slots: (0..slots).collect() })
    };
    let activity: BTreeMap<UserId, UserWeek> = (0..active).map(of_user).collect();
    let snapshot = score(&CompanyWeek {
        week: IsoWeek::at(now(), settings.time_zone).previous(),
        settings: &settings,
        settings_version: 1,
        started: "2026-01-05".parse().unwrap(),
        plan: None,
        members: &members,
        activity: &activity,
        answers: &[],
        history: &History { valid_weeks: 9, uses: Default::default() },
        telemetry: Telemetry::Normal,
    });
    let published = Published { revision: 1, published_at: now(), snapshot };
    table.publish_week(workspace, &company, &published, &Readings::default(), &[]).await.unwrap();
}
