//! What the pages say, as pure functions of what is stored and the current time.

pub mod answer;
pub mod cases;
pub mod chrome;
pub mod company;
pub mod concern;
pub mod inbox;
pub mod mail;
pub mod marks;
pub mod names;
pub mod overview;
pub mod people;
pub mod portfolio;
pub mod quadrant;
pub mod query;
pub mod room;
pub mod row;
pub mod settings;
pub mod sources;
pub mod spark;
pub mod stack;
pub mod timeline;
pub mod today;
pub mod trend;
pub mod words;

use barometer_domain::{Settings, Zone};
use chrono::{DateTime, NaiveDate, Utc};

/// When and under which settings a page is built.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The workspace's settings.
    pub settings: &'a Settings,
    /// The current time.
    pub now: DateTime<Utc>,
}

impl Scene<'_> {
    /// The workspace's zone.
    pub fn zone(self) -> Zone {
        self.settings.time_zone
    }

    /// The workspace's current day.
    pub fn today(self) -> NaiveDate {
        self.zone().date(self.now)
    }

    /// The local day of an instant, as people write it.
    pub fn day(self, at: DateTime<Utc>) -> String {
        words::day(self.zone().date(at), self.today())
    }

    /// The local day and time of an instant.
    pub fn minute(self, at: DateTime<Utc>) -> String {
        format!("{}, {}", self.day(at), self.zone().local(at).format("%H:%M"))
    }

    /// How many local days ago an instant was.
    pub fn days_since(self, at: DateTime<Utc>) -> i64 {
        (self.today() - self.zone().date(at)).num_days()
    }
}

#[cfg(test)]
mod samples;
