//! What the product tells without being asked: findings, the alerts kept of them, and when one is opened.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Percent, Zone, breaker::Stop, calendar::IsoWeek, drop::Baseline, happiness::Happiness, telemetry::Census,
};

/// After an alert is closed, its rule is quiet this long at the company, unless it worsens.
pub const COOL_DOWN: TimeDelta = TimeDelta::days(14);
/// What stops mailing is counted over this long: later nothing of what was told is counted any more.
pub const MAIL_WINDOW: TimeDelta = TimeDelta::hours(24);
/// A finding is worse than an alert when its severity is at least this much higher: 5 points, in basis
/// points.
pub const WORSE_BY: u16 = 500;

/// What raises alerts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(rename = "AlertRule")]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Engagement 25 points or more below the usual in one week.
    EngagementSuddenDrop,
    /// Engagement 15 points or more below the usual in two weeks in a row.
    EngagementSustainedDrop,
    /// The same people rate lower than before, or the company's mean fell by 10 points or more.
    HappinessSuddenDrop,
    /// Nobody logged in within a company's first 7 days.
    #[serde(rename = "no_login_first_7_days")]
    NoLoginFirst7Days,
    /// Asked at least twice, and nobody answered in 90 days.
    Silent,
    /// Many companies that normally send activity sent none in the same week.
    DataGap,
    /// Mailing stopped by itself: bounces, complaints, or the mail service takes nothing.
    MailStopped,
}

impl Rule {
    /// The name as people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::EngagementSuddenDrop => "Sudden engagement drop",
            Self::EngagementSustainedDrop => "Sustained engagement drop",
            Self::HappinessSuddenDrop => "Sudden happiness drop",
            Self::NoLoginFirst7Days => "No login in the first 7 days",
            Self::Silent => "Silent",
            Self::DataGap => "Data gap",
            Self::MailStopped => "Mailing stopped",
        }
    }

    /// Whether the alert is of the workspace and goes to its admins only. The others are of a company and go
    /// to its CSM.
    pub fn for_admins(self) -> bool {
        matches!(self, Self::DataGap | Self::MailStopped)
    }
}

/// What a rule found. The same data give the same finding, whenever it is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The week it is about. A rule finds at most one thing a company and week; [`Rule::MailStopped`] may find more.
    pub period: IsoWeek,
    /// The instant from which it could be known, such as the week's end: never when somebody looked.
    pub at: DateTime<Utc>,
    /// How bad it is: the points of a drop; the share of companies silent in a data gap, of mails that
    /// bounced or were complained about; else 100.
    pub severity: Percent,
    /// What an engagement drop is measured against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// A plain sentence with the figures.
    pub sentence: String,
}

/// Rule: a company asked at least twice with no answer from anyone in 90 days is silent.
///
/// `since` is when it became so: the second ask, or the end of the last answer's age when that is later. It
/// makes one silence one finding, however long it lasts.
pub fn silent(happiness: &Happiness, since: DateTime<Utc>, zone: Zone) -> Option<Finding> {
    happiness.silent.then(|| Finding {
        rule: Rule::Silent,
        period: IsoWeek::at(since, zone),
        at: since,
        severity: Percent::FULL,
        baseline: None,
        sentence: format!("Asked at least twice, nobody answered in 90 days up to {}", zone.date(since)),
    })
}

/// Rule: data gap, for the workspace's admins.
pub fn data_gap(week: IsoWeek, census: Census, zone: Zone) -> Option<Finding> {
    let Census { regular, silent, .. } = census;
    census.is_data_gap().then(|| Finding {
        rule: Rule::DataGap,
        period: week,
        at: week.end(zone),
        severity: Percent::ratio(u128::from(silent), u128::from(regular)).unwrap_or(Percent::FULL),
        baseline: None,
        sentence: format!(
            "{silent} of {regular} companies that normally send activity sent none in {week}; \
             the week is excluded for all"
        ),
    })
}

/// Rule: breaker, for the workspace's admins. `at` is the logical time at which mailing stopped.
pub fn mail_stopped(stop: Stop, at: DateTime<Utc>, zone: Zone) -> Finding {
    Finding {
        rule: Rule::MailStopped,
        period: IsoWeek::at(at, zone),
        at,
        severity: stop.severity(),
        baseline: None,
        sentence: stop.sentence(),
    }
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "AlertState")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has looked at it.
    Open,
    /// Somebody looks after it.
    Acknowledged,
    /// Closed, with a note.
    Resolved,
}

/// An alert as it is kept: one per company and rule that isn't closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Alert {
    /// What opened it; the worst since, when it worsened.
    pub finding: Finding,
    /// Where it stands.
    pub state: State,
    /// From when it could be known.
    pub opened_at: DateTime<Utc>,
    /// When the state last changed.
    pub changed_at: DateTime<Utc>,
    /// Who changed it; null when the product itself did.
    pub changed_by: Option<String>,
    /// What was done, in the words of the person who closed it; how it recovered, when it closed by itself.
    pub note: String,
}

/// Why an alert doesn't change as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AlertError {
    /// It is closed already.
    #[error("the alert is resolved already")]
    Resolved,
    /// Closing needs a note.
    #[error("a note says what was done about the alert")]
    NoNote,
}

impl Alert {
    /// A new alert.
    pub fn open(finding: Finding) -> Self {
        Self {
            state: State::Open,
            opened_at: finding.at,
            changed_at: finding.at,
            changed_by: None,
            note: String::new(),
            finding,
        }
    }

    /// Open or acknowledged.
    pub fn is_live(&self) -> bool {
        self.state != State::Resolved
    }

    /// Takes in a worse finding. What was acknowledged was less, so the alert is open again.
    pub fn worsen(&mut self, finding: Finding) {
        self.state = State::Open;
        (self.changed_at, self.changed_by) = (self.changed_at.max(finding.at), None);
        self.finding = finding;
    }

    /// Somebody looks after it. Errors: it is closed.
    pub fn acknowledge(&mut self, by: &str, at: DateTime<Utc>) -> Result<(), AlertError> {
        self.change(State::Acknowledged, Some(by), at)
    }

    /// Closes it. Errors: it is closed already, or the note is blank.
    pub fn resolve(&mut self, by: &str, note: &str, at: DateTime<Utc>) -> Result<(), AlertError> {
        let note = note.trim();
        if note.is_empty() {
            return Err(AlertError::NoNote);
        }
        self.change(State::Resolved, Some(by), at)?;
        note.clone_into(&mut self.note);
        Ok(())
    }

    /// Closes it without anybody: `how` is the sentence of [`crate::drop::recovery`]. Errors: it is closed
    /// already.
    pub fn recover(&mut self, how: String, at: DateTime<Utc>) -> Result<(), AlertError> {
        self.change(State::Resolved, None, at)?;
        self.note = how;
        Ok(())
    }

    fn change(&mut self, state: State, by: Option<&str>, at: DateTime<Utc>) -> Result<(), AlertError> {
        if !self.is_live() {
            return Err(AlertError::Resolved);
        }
        (self.state, self.changed_at, self.changed_by) = (state, at, by.map(str::to_owned));
        Ok(())
    }
}

/// What a finding does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Opens a new alert.
    Open,
    /// Makes the live alert worse.
    Worsen,
    /// Nothing: it is known, too soon after the last alert, or older than that.
    Nothing,
}

/// Rule: one open alert per company and rule; 14 days of cool-down unless it worsens, by 5 points or more.
///
/// `existing` is the company's latest alert of the finding's rule. The cool-down is measured from its closing
/// to [`Finding::at`], so a re-run decides as the first run did. A finding that isn't about a later week
/// never opens a second alert.
///
/// Mailing that stops again is told after 24 hours, and not before the last alert is closed: then other mails have
/// stopped it, and a workspace that mails nobody can't wait for two weeks.
pub fn decide(existing: Option<&Alert>, finding: &Finding) -> Decision {
    let Some(alert) = existing else { return Decision::Open };
    let known = &alert.finding;
    let worse = finding.severity.basis_points() >= known.severity.basis_points().saturating_add(WORSE_BY);
    if alert.is_live() {
        // The same week may be worse when it is scored again.
        return if worse && finding.period >= known.period { Decision::Worsen } else { Decision::Nothing };
    }
    let (later, quiet) = match finding.rule {
        Rule::MailStopped => (finding.at > alert.changed_at, finding.at < known.at + MAIL_WINDOW),
        _ => (finding.period > known.period, finding.at < alert.changed_at + COOL_DOWN),
    };
    if later && (worse || !quiet) { Decision::Open } else { Decision::Nothing }
}
