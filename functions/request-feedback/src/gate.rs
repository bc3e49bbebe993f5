//! Whether a user may be asked now: every gate, decided from fresh reads.

use barometer_cloud::{
    asking,
    table::{companies::Company, members::Member, users::User},
};
use barometer_domain::{Settings, UserId, Zone, ask, language::Language};
use chrono::{DateTime, Utc};

/// Why somebody isn't asked until something changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The company is gone.
    NoCompany,
    /// The company was lost.
    Churned,
    /// The CSM doesn't ask this company's users.
    SwitchedOff,
    /// The user left the company.
    Left,
    /// The settings exclude the user.
    Excluded,
    /// No address is known.
    NoAddress,
    /// Mails to the only address that is known come back for good.
    Unreachable,
    /// The user wants no mails.
    Unsubscribed,
}

impl Closed {
    /// As it stands in the ask and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCompany => "no_company",
            Self::Churned => "churned",
            Self::SwitchedOff => "switched_off",
            Self::Left => "left",
            Self::Excluded => "excluded",
            Self::NoAddress => "no_address",
            Self::Unreachable => "unreachable",
            Self::Unsubscribed => "unsubscribed",
        }
    }
}

/// What the gates say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Ask now, at this address.
    Ask(String),
    /// Look again then.
    At(DateTime<Utc>),
    /// Off the list until something changes.
    Off(Closed),
}

/// What is known of a user whose turn it is.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    /// The company, if there is one.
    pub company: Option<Company>,
    /// The membership.
    pub member: Member,
    /// The person.
    pub user: User,
    /// The workspace's settings.
    pub settings: &'a Settings,
}

impl Known<'_> {
    /// The zone in which mails are timed.
    pub fn zone(&self) -> Zone {
        match &self.company {
            Some(company) => asking::zone(&self.member, &self.user, company, self.settings),
            None => self.settings.time_zone,
        }
    }

    /// The language of the mail.
    pub fn language(&self) -> Language {
        match &self.company {
            Some(company) => asking::language(&self.member, &self.user, company, self.settings),
            None => self.settings.mail.language,
        }
    }

    fn id(&self) -> &UserId {
        &self.member.user_id
    }

    /// Rule: who may be asked, and when.
    pub fn decide(&self, now: DateTime<Utc>) -> Decision {
        let today = self.settings.time_zone.date(now);
        let Some(company) = &self.company else { return Decision::Off(Closed::NoCompany) };
        if company.churned_on.is_some_and(|churned| churned <= today) {
            return Decision::Off(Closed::Churned);
        }
        if !company.request_feedback {
            return Decision::Off(Closed::SwitchedOff);
        }
        if self.member.left.is_some_and(|left| left <= today) {
            return Decision::Off(Closed::Left);
        }
        if self.user.unsubscribed_at.is_some() {
            return Decision::Off(Closed::Unsubscribed);
        }
        let email = self.member.email.as_deref().or(self.user.email.as_deref());
        if asking::is_excluded(self.settings, self.id(), email) {
            return Decision::Off(Closed::Excluded);
        }
        let Some(email) = email.filter(|email| !email.trim().is_empty()) else {
            return Decision::Off(Closed::NoAddress);
        };
        if self.user.is_unreachable_at(email) {
            return Decision::Off(Closed::Unreachable);
        }
        let zone = self.zone();
        let due = asking::due(&self.member, &self.user, self.settings);
        // A sweep that comes late still asks, as long as the window is open.
        if asking::slot(due, self.id(), zone) <= now && ask::in_window(now, zone) {
            Decision::Ask(email.trim().to_owned())
        } else {
            Decision::At(asking::slot(due.max(now), self.id(), zone))
        }
    }
}
