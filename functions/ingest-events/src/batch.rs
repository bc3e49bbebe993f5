//! What the events of one request add up to, before any of it is written.

use std::collections::BTreeMap;

use barometer_cloud::table::{
    answers::{Answer, Source},
    companies::Profile,
    members::Person,
};
use barometer_domain::{
    CompanyId, IsoWeek, Settings, UserId,
    activity::{self, UserWeek},
    answer::Rating,
    groups::Groups,
    loose::{self, Loose},
};
use chrono::{DateTime, Utc};

use crate::event::{CompanyTraits, Event, Kind, UserTraits};

/// The event that ends a membership.
const REMOVED: &str = "Account Removed User";

/// What a request says about one company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyNote {
    /// Its traits, of the latest event that has each.
    pub profile: Profile,
    /// The earliest event that names it.
    pub at: DateTime<Utc>,
}

/// What a request says about one person, apart from any company.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PersonNote {
    /// Traits, of the latest event that has each.
    pub person: Person,
    /// Companies they named and left.
    pub groups: Groups,
    /// Ids that turned out to be theirs, each with the earliest instant at which it was said.
    pub claims: BTreeMap<UserId, DateTime<Utc>>,
}

/// What a person did or said at one company in this request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Visit {
    /// The earliest event.
    pub first: Option<DateTime<Utc>>,
    /// Activity by week.
    pub activity: BTreeMap<IsoWeek, UserWeek>,
    /// Answers that came as events.
    pub answers: Vec<Answer>,
}

/// What a person did or said in this request without naming a company.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stray {
    /// Activity by week.
    pub activity: BTreeMap<IsoWeek, Loose>,
    /// Answers that came as events.
    pub answers: Vec<Answer>,
    /// The slot of every event.
    pub slots: Vec<i64>,
}

/// The sum of a request's events.
#[derive(Debug, Default)]
pub struct Batch {
    /// Companies that are named.
    pub companies: BTreeMap<CompanyId, CompanyNote>,
    /// People that are described.
    pub people: BTreeMap<UserId, PersonNote>,
    /// Who was where, where both are named.
    pub visits: BTreeMap<(UserId, CompanyId), Visit>,
    /// What names no company, by person.
    pub strays: BTreeMap<UserId, Stray>,
}

impl Batch {
    /// Sums up events, in any order.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>, settings: &Settings) -> Self {
        let mut batch = Self::default();
        // The latest trait wins; sorting makes that independent of the order in the request.
        let mut sorted: Vec<&Event> = events.into_iter().collect();
        sorted.sort_by_key(|event| event.at);
        for event in sorted {
            batch.add(event, settings);
        }
        batch
    }

    /// The earliest week with activity.
    pub fn first_week(&self) -> Option<IsoWeek> {
        let named = self.visits.values().filter_map(|visit| visit.activity.keys().next());
        let loose = self.strays.values().filter_map(|stray| stray.activity.keys().next());
        named.chain(loose).min().copied()
    }

    fn add(&mut self, event: &Event, settings: &Settings) {
        if let Some(company) = &event.company {
            self.note_company(company, event);
        }
        let Some(person) = event.person() else { return };
        self.note_person(person, event);
        if event.kind == Kind::Alias {
            return;
        }
        let zone = settings.time_zone;
        let answer = answer(event, person, settings);
        // Said by the product, not done by the person.
        let active = event.is_activity() && !removes(event);
        match &event.company {
            Some(company) => {
                let visit = self.visits.entry((person.clone(), company.clone())).or_default();
                visit.first = Some(visit.first.map_or(event.at, |first| first.min(event.at)));
                visit.answers.extend(answer);
                if active {
                    let added = activity::of_event(event.at, event.duration(), &event.sightings(), zone);
                    for (week, done) in added {
                        visit.activity.entry(week).or_default().merge(&done);
                    }
                }
            }
            None => {
                let stray = self.strays.entry(person.clone()).or_default();
                stray.slots.push(loose::slot(event.at));
                stray.answers.extend(answer);
                if active {
                    let added = loose::of_loose_event(event.at, event.duration(), &event.sightings(), zone);
                    for (week, Loose(entries)) in added {
                        stray.activity.entry(week).or_default().0.extend(entries);
                    }
                }
            }
        }
    }

    fn note_person(&mut self, person: &UserId, event: &Event) {
        let claimed = match event.kind {
            Kind::Alias => event.previous.as_ref(),
            Kind::Identify => event.anonymous.as_ref().filter(|_| event.user.is_some()),
            _ => None,
        };
        if let Some(claimed) = claimed.filter(|claimed| *claimed != person) {
            let claims = &mut self.people.entry(person.clone()).or_default().claims;
            claims.entry(claimed.clone()).and_modify(|at| *at = event.at.min(*at)).or_insert(event.at);
        }
        if let Some(traits) = &event.user_traits {
            describe(&mut self.people.entry(person.clone()).or_default().person, traits);
        }
        let slot = loose::slot(event.at);
        if removes(event) {
            self.people.entry(person.clone()).or_default().groups.leave(slot, event.company.clone());
        }
        // A group call names the person's company; so does an identify with one.
        if let (Kind::Group | Kind::Identify, Some(company)) = (event.kind, &event.company) {
            self.people.entry(person.clone()).or_default().groups.name(slot, company.clone());
        }
    }

    fn note_company(&mut self, company: &CompanyId, event: &Event) {
        let note = self
            .companies
            .entry(company.clone())
            .or_insert_with(|| CompanyNote { profile: Profile::default(), at: event.at });
        note.at = note.at.min(event.at);
        if let Some(traits) = &event.company_traits {
            profile(&mut note.profile, traits);
        }
    }
}

fn removes(event: &Event) -> bool {
    event.kind == Kind::Track && event.name.as_deref() == Some(REMOVED)
}

/// An event that is an answer: by its name, with a rating from 0 to 10.
fn answer(event: &Event, person: &UserId, settings: &Settings) -> Option<Answer> {
    let named = event.name.as_ref().is_some_and(|name| settings.feedback_events.contains(name));
    if event.kind != Kind::Track || !named {
        return None;
    }
    Some(Answer {
        user_id: person.clone(),
        rating: Rating::nps(event.rating?).ok()?,
        comment: event.comment.clone(),
        at: event.at,
        source: Source::Event,
        origin: event.id.clone().unwrap_or_else(|| event.at.to_rfc3339()),
        void: None,
    })
}

fn replace<T: Clone>(old: &mut Option<T>, new: &Option<T>) {
    if new.is_some() {
        old.clone_from(new);
    }
}

fn describe(person: &mut Person, traits: &UserTraits) {
    replace(&mut person.email, &traits.email);
    replace(&mut person.name, &traits.name);
    replace(&mut person.time_zone, &traits.time_zone);
    replace(&mut person.language, &traits.language);
    replace(&mut person.primary_contact, &traits.primary_contact);
}

fn profile(profile: &mut Profile, traits: &CompanyTraits) {
    replace(&mut profile.name, &traits.name);
    replace(&mut profile.plan, &traits.plan);
    replace(&mut profile.time_zone, &traits.time_zone);
    replace(&mut profile.language, &traits.language);
    replace(&mut profile.created_at, &traits.created_at);
    profile.traits.extend(traits.others.clone());
}
