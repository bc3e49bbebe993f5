//! Companies as the scorer would have left them. Also behind `examples/preview.rs`.

use barometer_cloud::{
    Table,
    table::{
        answers::{Answer, Source},
        companies::{Engagement, MonthScore, Patch, Profile, Readings, TrendPoint},
        members::Person,
        settings::SettingsVersion,
        snapshots::Published,
        statuses::StatusChange,
    },
    views,
};
use barometer_domain::{
    CompanyId, IsoWeek, Month, Percent, Settings, UserId, WorkspaceId,
    answer::{Nps, Rating},
    band::Standing,
    component::{self, AdoptionCounts, FeedbackCounts, LoginCounts, Missing, Reading, Weighed},
    happiness::Happiness,
    month::roll_up,
    settings::MissingPolicy,
    status::{BusinessStatus, ChangeKind, Status},
    tally::Scored,
    telemetry::Telemetry,
    week::{Confidence, WeekSnapshot},
};
use chrono::{DateTime, TimeDelta, Utc};

/// A small deterministic source of variety.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What is invented about a company.
#[derive(Default, Clone)]
pub struct Story {
    pub name: String,
    pub plan: Option<&'static str>,
    pub owner: Option<&'static str>,
    /// Scores of the weeks up to the last, nothing for a week without one.
    pub scores: Vec<Option<u8>>,
    pub onboarding: bool,
    pub happiness: Option<(u8, u32)>,
    pub silent: bool,
    /// Status and how many days ago it was set.
    pub status: Option<(Status, i64)>,
    pub feedback_missing: bool,
}

pub fn last_week(now: DateTime<Utc>) -> IsoWeek {
    IsoWeek::at(now, Settings::default().time_zone).previous()
}

fn weighed(story: &Story, score: Option<u8>) -> Weighed {
    let users = 8;
    let value = score.map(Percent::whole).ok_or(Missing::WorkspaceSilent);
    let active = u32::from(score.unwrap_or_default()) * users / 100;
    let feedback = if story.feedback_missing { Err(Missing::NoAnswers) } else { value };
    component::weigh(
        &Settings::default(),
        Reading { value, counts: LoginCounts { users, active_users: active, active_days: active } },
        Reading {
            value,
            counts: AdoptionCounts {
                features_used: Some(active),
                features_entitled: Some(12),
                minutes: active * 53,
            },
        },
        Reading {
            value: feedback,
            counts: FeedbackCounts { answers: if story.feedback_missing { 0 } else { 5 } },
        },
    )
}

fn standing(story: &Story, weighed: &Weighed) -> Standing {
    match weighed.score {
        None => Standing::Insufficient,
        Some(_) if story.onboarding => Standing::Onboarding,
        Some(score) => Settings::default().bands.band(score).into(),
    }
}

fn snapshots(story: &Story, last: IsoWeek) -> Vec<WeekSnapshot> {
    (0_i64..)
        .zip(story.scores.iter().rev())
        .map(|(back, score)| {
            let weighed = weighed(story, *score);
            let week = last.plus(-back);
            WeekSnapshot {
                period: week,
                settings_version: if back > 5 { 1 } else { 2 },
                missing_policy: MissingPolicy::Redistribute,
                components: weighed.components,
                coverage: weighed.coverage,
                score: weighed.score,
                shown: weighed.score.map(Percent::shown),
                band: standing(story, &weighed),
                confidence: Confidence::of(8, weighed.coverage, 9, 5),
                telemetry: Telemetry::Normal,
                heard: true,
                valid_weeks: 9,
                uses: Default::default(),
                basis: Default::default(),
            }
        })
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect()
}

/// Writes a company's row.
pub async fn company(table: &Table, workspace: &WorkspaceId, id: &str, story: &Story, now: DateTime<Utc>) {
    let company = CompanyId::new(id).unwrap();
    let profile = Profile {
        name: Some(story.name.clone()),
        plan: story.plan.map(str::to_owned),
        created_at: Some(now - TimeDelta::days(240)),
        ..Profile::default()
    };
    table.note_company(workspace, &company, &profile, now).await.unwrap();
    if let Some(owner) = story.owner {
        let patch = Patch { owner: Some(Some(owner.to_owned())), ..Patch::default() };
        table.patch_company(workspace, &company, &patch).await.unwrap();
    }
    let snapshots = snapshots(story, last_week(now));
    let previous = snapshots.iter().rev().nth(1);
    let engagement = snapshots.last().map(|snapshot| Engagement {
        previous: previous.map(|snapshot| Scored { band: snapshot.band, score: snapshot.score }),
        week: snapshot.period,
        revision: 1,
        score: snapshot.score,
        shown: snapshot.shown,
        band: snapshot.band,
        coverage: snapshot.coverage,
        confidence: snapshot.confidence,
        heard: Vec::new(),
        components: snapshot.components,
        trend: snapshots
            .iter()
            .rev()
            .take(12)
            .rev()
            .map(|snapshot| TrendPoint { week: snapshot.period, score: snapshot.score })
            .collect(),
    });
    let happiness = Happiness { silent: story.silent, ..views::no_happiness() };
    let happiness = story.happiness.map_or(happiness.clone(), |(score, answers)| Happiness {
        score: Some(Percent::whole(score)),
        level: Settings::default().happiness_levels.level(Percent::whole(score)),
        answers,
        response_rate: Some(Percent::whole(43)),
        provisional: answers < 3,
        oldest_answer_at: Some(now - TimeDelta::days(61)),
        nps: Nps::of((0..answers).map(|_| Rating::nps(score / 10).unwrap())),
        ..happiness
    });
    let last_seen_at = engagement.is_some().then(|| now - TimeDelta::days(3));
    let readings = Readings { engagement, happiness: Some(happiness), last_seen_at, ..Readings::default() };
    table.write_readings(workspace, &company, &readings).await.unwrap();
    if let Some((value, days)) = story.status {
        set_status(table, workspace, &company, 0, None, value, now - TimeDelta::days(days)).await;
    }
}

async fn set_status(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    expected: u32,
    from: Option<Status>,
    value: Status,
    set_at: DateTime<Utc>,
) {
    let review_by = Settings::default().review_days.review_by(value, set_at);
    let note = "Quarterly review: two projects are on hold until their budget is settled.".to_owned();
    let author = "anna@example.com".to_owned();
    let change = StatusChange {
        id: format!("change{expected}"),
        kind: ChangeKind::of(from, value),
        from,
        status: BusinessStatus { value, note, author, set_at, review_by },
    };
    table.set_status(workspace, company, expected, &change, &[]).await.unwrap();
}

/// Saves the second version of the settings, under which the latest weeks are scored, unless it is there.
async fn settings(table: &Table, workspace: &WorkspaceId, now: DateTime<Utc>) {
    let first = table.settings_version(workspace, 1).await.unwrap().unwrap();
    let second = SettingsVersion { version: 2, saved_at: now, ..first };
    if table.settings_version(workspace, 2).await.unwrap().is_none() {
        table.save_settings(workspace, &second).await.unwrap();
    }
}

/// Writes what lies behind a company's row, too: weeks, months, users, answers, status changes.
pub async fn history(table: &Table, workspace: &WorkspaceId, id: &str, story: &Story, now: DateTime<Utc>) {
    let company = CompanyId::new(id).unwrap();
    settings(table, workspace, now).await;
    let weeks = snapshots(story, last_week(now));
    for snapshot in &weeks {
        let published = Published { revision: 1, published_at: now, snapshot: snapshot.clone() };
        table.publish_week(workspace, &company, &published, &Readings::default(), &[]).await.unwrap();
    }
    let mut months: Vec<Month> = weeks.iter().map(|week| week.period.month()).collect();
    months.dedup();
    for month in months {
        let of_month: Vec<_> = weeks.iter().map(|week| (1, week.clone())).collect();
        let snapshot = roll_up(month, &Settings::default(), 2, &of_month);
        let month = MonthScore {
            previous: None,
            month,
            revision: 1,
            score: snapshot.score,
            shown: snapshot.shown,
            band: snapshot.band,
        };
        let readings = Readings { month: Some(month), ..Readings::default() };
        let published = Published { revision: 1, published_at: now, snapshot };
        table.publish_month(workspace, &company, &published, &readings, &[]).await.unwrap();
    }
    people(table, workspace, &company, now).await;
    if let Some((value, days)) = story.status {
        let before = now - TimeDelta::days(days - 2);
        set_status(table, workspace, &company, 1, Some(value), Status::Struggling, before).await;
    }
}

async fn people(table: &Table, workspace: &WorkspaceId, company: &CompanyId, now: DateTime<Utc>) {
    let names = ["Mara Lindqvist", "Tom Abara", "Ines Duarte", "Jon Aske"];
    let comments = [
        Some("The new report saves us an hour a day, thank you."),
        None,
        Some(
            "Exports time out since the last release. We had to go back to spreadsheets for the month's close, and two colleagues have stopped using it.",
        ),
        Some(""),
    ];
    for (number, (name, comment)) in (0_i64..).zip(names.into_iter().zip(comments)) {
        let user = UserId::new(format!("u-{number}")).unwrap();
        let seen = now - TimeDelta::days(200 - number * 40);
        table.note_member(workspace, company, &user, seen, seen.date_naive()).await.unwrap();
        let email = (number != 3).then(|| format!("user{number}@example.com"));
        let person = Person { name: Some(name.to_owned()), email, ..Person::default() };
        table.describe_member(workspace, company, &user, &person).await.unwrap();
        if number < 2 {
            let asked = now - TimeDelta::days(20);
            let next = now + TimeDelta::days(70);
            table.record_ask(workspace, company, &user, asked, 1, next).await.unwrap();
        }
        if number == 0 {
            table.record_answered(workspace, company, &user).await.unwrap();
        }
        let answer = Answer {
            user_id: user,
            rating: Rating::nps(u8::try_from(9 - number * 2).unwrap()).unwrap(),
            comment: comment.map(str::to_owned),
            at: now - TimeDelta::days(5 + number * 9),
            source: if number == 1 { Source::Event } else { Source::Mail },
            origin: format!("ask-{number}"),
            void: None,
        };
        table.record_answer(workspace, company, &answer, &Readings::default(), &[]).await.unwrap();
    }
}

/// A hundred companies of every kind.
pub fn stories(count: u64) -> Vec<(String, Story)> {
    let mut dice = Dice(7);
    let first = [
        "Northwind",
        "Halden",
        "Bluefin",
        "Castor",
        "Ostrava",
        "Kestrel",
        "Marlow",
        "Pinewood",
        "Solace",
        "Tern",
    ];
    let second = [
        "Logistics",
        "Foods",
        "Health",
        "Robotics",
        "Energy",
        "Studios",
        "Insurance",
        "Motors",
        "Labs",
        "Retail",
    ];
    let name = |number: u64| {
        let pick = |list: [&'static str; 10], at: u64| list[usize::try_from(at % 10).unwrap()];
        format!("{} {}", pick(first, number), pick(second, number / 10))
    };
    (0..count).map(|number| (format!("c-{:03}", number + 1), story(&mut dice, name(number)))).collect()
}

fn story(dice: &mut Dice, name: String) -> Story {
    let mut score = 34 + i64::try_from(dice.roll(62)).unwrap();
    let kind = dice.roll(20);
    let weeks = if kind == 0 { 3 } else { 18 };
    let mut scores: Vec<Option<u8>> = (0..weeks)
        .map(|week| {
            let step = i64::try_from(dice.roll(13)).unwrap() - 6;
            let quiet = kind == 1 && week > 13;
            score = (score + step - if quiet { 17 } else { 0 }).clamp(2, 98);
            Some(u8::try_from(score).unwrap())
        })
        .collect();
    if kind == 2 {
        scores[12] = None;
    }
    if kind == 3 {
        *scores.last_mut().unwrap() = None;
    }
    if kind == 4 {
        scores.clear();
    }
    let statuses = [
        Status::Thriving,
        Status::Healthy,
        Status::Steady,
        Status::Struggling,
        Status::Healthy,
        Status::Healthy,
        Status::Steady,
        Status::Healthy,
    ];
    let status = (dice.roll(5) > 0).then(|| statuses[usize::try_from(dice.roll(8)).unwrap()]);
    let answers = u32::try_from(dice.roll(9)).unwrap();
    let feeling = (score + i64::try_from(dice.roll(40)).unwrap() - 6).clamp(5, 100);
    Story {
        name,
        plan: Some(["Starter", "Team", "Enterprise"][usize::try_from(dice.roll(3)).unwrap()]),
        owner: Some(
            ["anna@example.com", "ben@example.com", "chiara@example.com"]
                [usize::try_from(dice.roll(3)).unwrap()],
        ),
        scores,
        onboarding: kind == 0,
        happiness: (answers > 0).then(|| (u8::try_from(feeling).unwrap(), answers)),
        silent: answers == 0 && dice.roll(3) == 0,
        status: status.map(|status| (status, 2 + i64::try_from(dice.roll(38)).unwrap())),
        feedback_missing: answers == 0,
    }
}
