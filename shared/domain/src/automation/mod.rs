//! Automations: a rule says what happens by itself when a reading changes, an alert opens, somebody answers, a review is
//! overdue or a renewal comes near.
//!
//! A rule has a [`Trigger`], [`Conditions`] and actions ([`Action`]). [`plan`] turns what happened into what is to be done;
//! who stores and does it is another matter. Rules can't set one another off: what they do (mails, tasks, webhooks, chat
//! notes, tags) is nothing that a trigger listens to.

mod defaults;
mod occurrence;
mod plan;
mod rule;
mod settle;
mod template;

pub use defaults::{defaults, presets};
pub use occurrence::{Facts, Happened, Occurrence};
pub use plan::{Contact, Planned, Subject, Wanted, csm_name, plan};
pub use rule::{Action, AutomationRule, Conditions, MAX_RULES, MailText, RuleId, Trigger, check, is_tag};
pub use settle::{Scale, Settled, settle};
pub use template::{Placeholder, Values, fill};
