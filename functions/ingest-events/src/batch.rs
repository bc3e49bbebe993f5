//! What the events of one request add up to, before any of it is written.

use std::collections::{BTreeMap, BTreeSet};

use barometer_cloud::table::{
    answers::{Answer, Source},
    companies::Profile,
    members::Person,
};
use barometer_domain::{
    CompanyId, IsoWeek, Settings, UserId, Zone,
    activity::{self, UserWeek},
    answer::Rating,
};
use chrono::{DateTime, NaiveDate, Utc};

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
    /// Groups they named, with the earliest instant.
    pub groups: BTreeMap<CompanyId, DateTime<Utc>>,
    /// Anonymous ids that turned out to be them.
    pub aliases: BTreeSet<UserId>,
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
    /// The local day on which they left the company.
    pub left: Option<NaiveDate>,
    /// Events of this request.
    pub events: usize,
}

impl Visit {
    fn see(&mut self, at: DateTime<Utc>) {
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.events += 1;
    }

    /// Adds everything of another visit.
    pub fn merge(&mut self, other: Self) {
        self.first = self.first.into_iter().chain(other.first).min();
        for (week, done) in other.activity {
            self.activity.entry(week).or_default().merge(&done);
        }
        self.answers.extend(other.answers);
        self.left = self.left.max(other.left);
        self.events += other.events;
    }
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
    /// Events that name no company, by person: each has its own instant, which decides the company.
    pub homeless: BTreeMap<UserId, Vec<(DateTime<Utc>, Visit)>>,
    /// People that are named by an anonymous id only.
    pub anonymous: BTreeSet<UserId>,
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

    fn add(&mut self, event: &Event, settings: &Settings) {
        if let Some(company) = &event.company {
            self.note_company(company, event);
        }
        let Some(person) = event.person() else { return };
        if event.user.is_none() {
            self.anonymous.insert(person.clone());
        }
        match event.kind {
            Kind::Alias => {
                if let Some(previous) = event.previous.as_ref().filter(|previous| *previous != person) {
                    self.people.entry(person.clone()).or_default().aliases.insert(previous.clone());
                }
                return;
            }
            Kind::Identify => {
                let note = self.people.entry(person.clone()).or_default();
                if let Some(traits) = &event.user_traits {
                    describe(&mut note.person, traits);
                }
                if let (Some(user), Some(anonymous)) = (&event.user, &event.anonymous)
                    && user != anonymous
                {
                    note.aliases.insert(anonymous.clone());
                }
            }
            Kind::Group | Kind::Track | Kind::Page | Kind::Screen => {}
        }
        // A group call names the person's company; so does an identify with one.
        if let (Kind::Group | Kind::Identify, Some(company)) = (event.kind, &event.company) {
            let groups = &mut self.people.entry(person.clone()).or_default().groups;
            groups
                .entry(company.clone())
                .and_modify(|since| *since = event.at.min(*since))
                .or_insert(event.at);
        }
        let visit = visit(event, person, settings);
        match &event.company {
            Some(company) => self.visits.entry((person.clone(), company.clone())).or_default().merge(visit),
            None => self.homeless.entry(person.clone()).or_default().push((event.at, visit)),
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

fn visit(event: &Event, person: &UserId, settings: &Settings) -> Visit {
    let zone: Zone = settings.time_zone;
    let mut visit = Visit::default();
    visit.see(event.at);
    if event.kind == Kind::Track && event.name.as_deref() == Some(REMOVED) {
        // Said by the product, not done by the person.
        visit.left = Some(zone.date(event.at));
        return visit;
    }
    if event.is_activity() {
        for (week, done) in activity::of_event(event.at, event.duration(), &event.sightings(), zone) {
            visit.activity.entry(week).or_default().merge(&done);
        }
    }
    visit.answers.extend(answer(event, person, settings));
    visit
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
}

fn profile(profile: &mut Profile, traits: &CompanyTraits) {
    replace(&mut profile.name, &traits.name);
    replace(&mut profile.plan, &traits.plan);
    replace(&mut profile.time_zone, &traits.time_zone);
    replace(&mut profile.created_at, &traits.created_at);
}
