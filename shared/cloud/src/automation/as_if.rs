//! What would have happened at a company, told from where it stands.

use std::collections::BTreeSet;

use barometer_domain::{
    Zone,
    automation::{Happened, Occurrence, Trigger},
};
use chrono::{DateTime, Days, Utc};

use crate::table::companies::Company;

/// What nothing but time has brought about at a company that a trigger is about: a review that is overdue, a renewal that
/// came near.
pub fn brought_about(
    trigger: &Trigger,
    company: &Company,
    zone: Zone,
    now: DateTime<Utc>,
) -> Option<Occurrence> {
    match trigger {
        Trigger::ReviewOverdue {} => {
            let at = company.status.as_ref().map(|status| status.review_by).filter(|by| *by < now)?;
            Some(Occurrence { happened: Happened::ReviewOverdue, period: at.to_rfc3339(), at })
        }
        Trigger::Renewal { days } => {
            let renewal = company.renewal_on.filter(|renewal| *renewal >= zone.date(now))?;
            let at = zone.start_of(renewal.checked_sub_days(Days::new(u64::from(*days)))?);
            let happened = Happened::Renewal { days: *days };
            (at <= now).then(|| Occurrence { happened, period: renewal.to_string(), at })
        }
        _ => None,
    }
}

/// What led a company to where it stands now, if a trigger is about that. A reading comes from where it was, where that is
/// known and fits, else from a value that the trigger names. Nothing for alerts and answers: they leave no state on the
/// company's row.
pub fn as_if(trigger: &Trigger, company: &Company, zone: Zone, now: DateTime<Utc>) -> Option<Happened> {
    let happened = match trigger {
        Trigger::Status { from, .. } => {
            let to = company.status.as_ref()?.value;
            Happened::Status { from: before(from, None, to)?, to }
        }
        Trigger::Engagement { from, .. } => {
            let settled = company.settled_band?;
            let to = settled.now?;
            Happened::Engagement { from: before(from, settled.before, to)?, to }
        }
        Trigger::Happiness { from, .. } => {
            let to = company.settled_level?;
            Happened::Happiness { from: before(from, None, to)?, to }
        }
        Trigger::ReviewOverdue {} | Trigger::Renewal { .. } => {
            brought_about(trigger, company, zone, now)?.happened
        }
        Trigger::Alert { .. } | Trigger::Answer { .. } => return None,
    };
    trigger.is_about(&happened).then_some(happened)
}

/// Where a reading that is `to` came from. Nothing when it can't have come from anywhere that is wanted.
fn before<T: Copy + Ord>(wanted: &BTreeSet<T>, was: Option<T>, to: T) -> Option<Option<T>> {
    let was = was.filter(|was| *was != to);
    if wanted.is_empty() {
        return Some(was);
    }
    let known = was.filter(|was| wanted.contains(was));
    known.or_else(|| wanted.iter().copied().find(|from| *from != to)).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_comes_from_where_it_was_else_from_what_is_wanted() {
        let any = BTreeSet::new();
        assert_eq!(before(&any, None, 3), Some(None));
        assert_eq!(before(&any, Some(2), 3), Some(Some(2)));
        assert_eq!(before(&any, Some(3), 3), Some(None), "nothing comes from itself");
        let wanted = BTreeSet::from([1, 2, 3]);
        assert_eq!(before(&wanted, Some(2), 3), Some(Some(2)));
        assert_eq!(before(&wanted, Some(4), 3), Some(Some(1)));
        assert_eq!(before(&wanted, None, 1), Some(Some(2)));
        assert_eq!(before(&BTreeSet::from([3]), Some(2), 3), None);
    }
}
