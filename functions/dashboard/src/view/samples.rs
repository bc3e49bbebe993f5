//! Companies for unit tests.

use barometer_cloud::{
    table::companies::{Company, Engagement, TrendPoint},
    views::{self, CompanyView},
};
use barometer_domain::{
    CompanyId, IsoWeek, Percent, Settings,
    component::{AdoptionCounts, FeedbackCounts, LoginCounts, Reading, weigh},
    happiness::Happiness,
    status::{BusinessStatus, Status},
    week::Confidence,
};
use chrono::{DateTime, TimeDelta, TimeZone, Utc};

use super::{Scene, chrome::Chrome};

/// Tuesday of 2026-W37, in the grace of W36.
pub fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 9, 8, 10, 0, 0).unwrap()
}

pub fn settings() -> Settings {
    Settings { name: "Acme Cloud".to_owned(), ..Settings::default() }
}

pub fn chrome(settings: &Settings) -> Chrome {
    Chrome { workspace: settings.name.clone(), author: "anna".to_owned(), writes: true, admin: true }
}

pub fn scene(settings: &Settings) -> Scene<'_> {
    Scene { settings, now: now() }
}

pub fn stored(id: &str) -> Company {
    Company {
        traits: Default::default(),
        open_alerts: 0,
        open_disagreements: 0,
        open_tasks: 0,
        company_id: CompanyId::new(id).unwrap(),
        name: id.to_owned(),
        owner: None,
        plan: None,
        time_zone: None,
        language: None,
        created_at: now() - TimeDelta::days(200),
        renewal_on: None,
        churned_on: None,
        notice_on: None,
        request_feedback: false,
        status: None,
        status_version: 0,
        handed_over_at: None,
        engagement: None,
        settled_band: None,
        settled_level: None,
        tags: Default::default(),
        month: None,
        happiness: None,
        last_seen_at: None,
    }
}

/// The reading of the weeks up to W36 with these scores.
pub fn engagement(scores: &[u8]) -> Engagement {
    let last: IsoWeek = "2026-W36".parse().unwrap();
    let value = Percent::whole(*scores.last().unwrap());
    let weighed = weigh(
        &settings(),
        Reading { value: Ok(value), counts: LoginCounts { users: 8, active_users: 3, active_days: 3 } },
        Reading { value: Ok(value), counts: AdoptionCounts { minutes: 212, ..AdoptionCounts::default() } },
        Reading { value: Ok(value), counts: FeedbackCounts { answers: 5 } },
    );
    let score = weighed.score.unwrap();
    Engagement {
        previous: None,
        week: last,
        revision: 1,
        score: Some(score),
        shown: Some(score.shown()),
        band: settings().bands.band(score).into(),
        coverage: weighed.coverage,
        confidence: Confidence::Medium,
        heard: Vec::new(),
        components: weighed.components,
        trend: (0_i64..)
            .zip(scores.iter().rev())
            .map(|(back, score)| TrendPoint { week: last.plus(-back), score: Some(Percent::whole(*score)) })
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect(),
    }
}

pub fn happiness(score: u8, answers: u32) -> Happiness {
    let score = Percent::whole(score);
    Happiness {
        score: Some(score),
        level: settings().happiness_levels.level(score),
        answers,
        provisional: answers < 3,
        ..views::no_happiness()
    }
}

pub fn business_status(value: Status, days_ago: i64) -> BusinessStatus {
    let set_at = now() - TimeDelta::days(days_ago);
    BusinessStatus {
        value,
        note: "said so".to_owned(),
        author: "anna".to_owned(),
        set_at,
        review_by: settings().review_days.review_by(value, set_at),
    }
}

pub fn view(id: &str) -> CompanyView {
    views::company(&stored(id), &settings(), now())
}

fn again(view: &mut CompanyView, change: impl FnOnce(&mut Company)) {
    let mut company = stored(view.company_id.as_str());
    company.engagement = view.engagement.as_ref().map(|engagement| Engagement {
        previous: None,
        week: engagement.week,
        revision: 1,
        score: engagement.score,
        shown: engagement.shown,
        band: engagement.band,
        coverage: engagement.coverage,
        confidence: engagement.confidence,
        components: engagement.components,
        trend: engagement.trend.clone(),
        heard: Vec::new(),
    });
    company.happiness = Some(view.happiness.clone());
    company.status = view.business_status.as_ref().map(|status| status.status.clone());
    change(&mut company);
    *view = views::company(&company, &settings(), now());
}

pub fn engage(view: &mut CompanyView, scores: &[u8]) {
    again(view, |company| company.engagement = Some(engagement(scores)));
}

pub fn feel(view: &mut CompanyView, score: u8, answers: u32) {
    again(view, |company| company.happiness = Some(happiness(score, answers)));
}

pub fn judge(view: &mut CompanyView, status: Status, days_ago: i64) {
    again(view, |company| company.status = Some(business_status(status, days_ago)));
}
