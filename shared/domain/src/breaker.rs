//! When mailing stops by itself: receivers punish a sender whose mails bounce or are complained about, and Amazon reviews
//! an account from 5 % of bounces or 0.1 % of complaints. What was planned is kept.

use serde::{Deserialize, Serialize};

use crate::{Percent, text};

/// The share of mails that may bounce: 4 %, in basis points.
pub const BOUNCES: u16 = 400;
/// Mails from which bounces are judged: one bounce of ten says nothing.
pub const BOUNCES_FROM: u64 = 50;
/// The share of mails that may be complained about: 0.08 %, in basis points.
pub const COMPLAINTS: u16 = 8;

/// What happened to a workspace's mails in the last 24 hours. Count from when an admin let mailing go on, where that is
/// later: else the same bounces stop it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Counts {
    /// Mails that the mail service took.
    pub sent: u64,
    /// Mails that bounced for good.
    pub bounced: u64,
    /// Mails that somebody reported as spam.
    pub complained: u64,
}

/// Why a workspace's mailing stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Stop {
    /// Too many mails bounced.
    Bounces {
        /// Mails that bounced.
        bounced: u64,
        /// Of so many.
        sent: u64,
    },
    /// Too many people reported a mail as spam.
    Complaints {
        /// Mails reported.
        complained: u64,
        /// Of so many.
        sent: u64,
    },
    /// The mail service takes no more mails today.
    Quota,
    /// The mail service has paused or suspended the account.
    Paused,
}

impl Counts {
    /// Rule: breaker: bounces of more than 4 % of at least 50 mails, or complaints of more than 0.08 %. Complaints, the
    /// worse of the two, are told when both are too many.
    ///
    /// For complaints there is no least number of mails: one complaint in fewer than 1,250 mails stops, and so does one
    /// about the mails of an earlier day when none was sent since.
    pub fn stop(self) -> Option<Stop> {
        let Self { sent, bounced, complained } = self;
        let exceeds = |bad: u64, most: u16| u128::from(bad) * 10_000 > u128::from(sent) * u128::from(most);
        if exceeds(complained, COMPLAINTS) {
            Some(Stop::Complaints { complained, sent })
        } else if sent >= BOUNCES_FROM && exceeds(bounced, BOUNCES) {
            Some(Stop::Bounces { bounced, sent })
        } else {
            None
        }
    }
}

impl Stop {
    /// How bad it is: the share of mails that bounced or were complained about; 100 % where mails aren't taken at all.
    pub fn severity(self) -> Percent {
        let (bad, sent) = match self {
            Self::Bounces { bounced, sent } => (bounced, sent),
            Self::Complaints { complained, sent } => (complained, sent),
            Self::Quota | Self::Paused => return Percent::FULL,
        };
        Percent::ratio(bad.into(), sent.into()).unwrap_or(Percent::FULL)
    }

    /// Why mailing stopped, for people.
    pub fn sentence(self) -> String {
        let rate = |most| {
            let most = Percent::from_basis_points(most).unwrap_or_default();
            format!("{}, at most {most}", self.severity())
        };
        match self {
            Self::Bounces { bounced, sent } => format!(
                "Mailing stopped: {bounced} of {} in 24 hours bounced ({})",
                text::count(sent, "mail"),
                rate(BOUNCES)
            ),
            Self::Complaints { complained, sent } => format!(
                "Mailing stopped: {} about {} in 24 hours ({})",
                text::count(complained, "complaint"),
                text::count(sent, "mail"),
                rate(COMPLAINTS)
            ),
            Self::Quota => "Mailing stopped: the mail service takes no more mails today".to_owned(),
            Self::Paused => "Mailing stopped: the mail service has paused the account".to_owned(),
        }
    }
}
