//! Which column of a file says what.

use std::collections::BTreeMap;

use super::shape::Shape;

/// What is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Customers.
    Companies,
    /// People at customers.
    Users,
    /// What people did.
    Events,
    /// What people said.
    Feedback,
    /// How the business of customers is doing, as CSMs judged it.
    Statuses,
}

impl Kind {
    /// As it is written on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Companies => "companies",
            Self::Users => "users",
            Self::Events => "events",
            Self::Feedback => "feedback",
            Self::Statuses => "statuses",
        }
    }

    /// Our names for its columns, the same ones with every synonym. In the order in which a file's columns are
    /// searched for them, so that of `id` and `user_id` the better one is taken.
    fn fields(self) -> &'static [(&'static str, &'static [&'static str])] {
        const COMPANY_ID: &[&str] = &[
            "account_id",
            "group_id",
            "organization_id",
            "organisation_id",
            "org_id",
            "customer_id",
            "tenant_id",
            "team_id",
        ];
        const LANGUAGE: &[&str] = &["locale", "lang"];
        const ZONE: &[&str] = &["timezone", "tz"];
        const CREATED: &[&str] =
            &["created", "created_on", "signed_up_at", "signup_date", "customer_since", "joined_at"];
        match self {
            Self::Companies => &[
                ("company_id", COMPANY_ID),
                ("company_id", &["id"]),
                ("name", &["company_name", "account_name", "company", "account", "organization"]),
                ("plan", &["plan_name", "tier", "subscription"]),
                ("created_at", CREATED),
                ("time_zone", ZONE),
                ("language", LANGUAGE),
                ("owner", &["owner_email", "account_owner", "csm", "csm_email"]),
                ("renewal_on", &["renewal_date", "renewal", "renews_on", "renews_at"]),
                ("request_feedback", &["ask_feedback"]),
                ("churned_on", &["churned_at", "churn_date"]),
                ("notice_on", &["notice_date"]),
            ],
            Self::Users => &[
                ("user_id", &["uid", "distinct_id"]),
                ("user_id", &["id"]),
                ("anonymous_id", &[]),
                ("email", &["email_address", "e_mail", "mail"]),
                ("name", &["full_name", "user_name", "username"]),
                ("first_name", &["given_name"]),
                ("last_name", &["family_name", "surname"]),
                ("company_id", COMPANY_ID),
                ("company_name", &["company", "account_name"]),
                ("created_at", CREATED),
                ("language", LANGUAGE),
                ("time_zone", ZONE),
                ("plan", &[]),
                ("role", &["title", "job_title"]),
            ],
            Self::Events => &[
                ("event", &["event_name", "event_type", "action"]),
                ("event", &["name"]),
                ("user_id", &["uid", "$user_id"]),
                ("distinct_id", &[]),
                ("anonymous_id", &["device_id", "$device_id", "visitor_id"]),
                ("company_id", COMPANY_ID),
                ("timestamp", &["time", "event_time", "occurred_at", "datetime"]),
                ("timestamp", &["created_at", "date"]),
                ("message_id", &["$insert_id", "insert_id", "uuid", "event_id"]),
                ("message_id", &["id"]),
                ("type", &[]),
                ("feature", &["feature_name", "feature_key"]),
                ("duration", &["duration_seconds", "time_spent"]),
                ("duration_ms", &["duration_milliseconds"]),
                ("session_id", &[]),
                ("properties", &["event_properties"]),
                ("groups", &["$groups"]),
            ],
            Self::Feedback => &[
                ("user_id", &["uid", "distinct_id"]),
                ("anonymous_id", &[]),
                ("company_id", COMPANY_ID),
                ("score", &["rating", "nps", "nps_score"]),
                ("comment", &["comments", "feedback", "verbatim", "reason", "text"]),
                ("timestamp", &["time", "submitted_at", "answered_at", "responded_at", "created_at", "date"]),
                ("message_id", &["response_id", "answer_id", "event_id", "uuid"]),
                ("message_id", &["id"]),
            ],
            Self::Statuses => &[
                ("company_id", COMPANY_ID),
                ("company_id", &["id"]),
                ("status", &["business_status", "health_status", "health"]),
                ("note", &["notes", "comment", "comments", "reason"]),
                ("set_at", &["set_on", "changed_at", "updated_at", "timestamp", "date"]),
            ],
        }
    }

    /// The columns without which no row can be imported: one of each list.
    fn needed(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Companies => &[&["company_id"]],
            Self::Users => &[&["user_id"]],
            Self::Events => &[&["event"], &["user_id", "anonymous_id", "distinct_id"], &["timestamp"]],
            Self::Feedback => &[&["user_id", "anonymous_id"], &["score"], &["timestamp"]],
            Self::Statuses => &[&["company_id"], &["status"], &["note"]],
        }
    }
}

/// A file's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// By our name: the places of the columns, the best first.
    places: BTreeMap<&'static str, Vec<usize>>,
    /// Properties of events with columns of their own: name and place.
    pub properties: Vec<(String, usize)>,
    /// The names of the columns that say nothing to us.
    pub unknown: Vec<String>,
    /// The header as it stands in the file.
    pub header: Vec<String>,
}

/// The header doesn't do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// A column is missing.
    #[error("no column for {wanted} among: {found}. Say which it is with --map THEIRS={first}")]
    Missing {
        /// What it is needed for.
        wanted: String,
        /// The first of our names that would do.
        first: &'static str,
        /// The header.
        found: String,
    },
    /// `--map` names a column that the file doesn't have.
    #[error("--map {0}: the file has no such column")]
    NoColumn(String),
    /// `--map` names something that isn't ours.
    #[error("--map …={name}: not one of {known}")]
    NoField {
        /// The unknown name.
        name: String,
        /// The known ones.
        known: String,
    },
}

/// A name without case, blanks and the signs between words: `Company ID` is `company_id`.
pub(super) fn normal(name: &str) -> String {
    let name = name.trim().trim_start_matches('\u{feff}');
    // PostHog writes `*.event` for the columns of an event.
    let name = name.strip_prefix("*.").unwrap_or(name);
    name.chars().filter(|char| !matches!(char, '_' | ' ' | '-')).flat_map(char::to_lowercase).collect()
}

/// The name of a property with a column of its own.
fn property(name: &str) -> Option<&str> {
    let name = name.strip_prefix("*.").unwrap_or(name);
    ["properties.", "event_properties.", "eventProperties."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .filter(|name| !name.is_empty())
}

/// Columns that an error file adds: so that a corrected error file can be imported.
const OURS: [&str; 3] = ["row", "code", "message"];

/// Whether a column was added by an error file.
pub(super) fn is_ours(name: &str) -> bool {
    OURS.contains(&name.trim())
}

impl Columns {
    /// Finds out what the columns of `header` are. `map` holds `theirs=ours`. Errors: [`ColumnError`].
    pub fn find(
        kind: Kind,
        shape: Shape,
        header: &[String],
        map: &[(String, String)],
    ) -> Result<Self, ColumnError> {
        let mut places = BTreeMap::new();
        let mut properties = Vec::new();
        let mut taken = vec![false; header.len()];
        for (theirs, ours) in map {
            let place = header
                .iter()
                .position(|name| name.trim() == theirs.trim())
                .or_else(|| header.iter().position(|name| normal(name) == normal(theirs)))
                .ok_or_else(|| ColumnError::NoColumn(theirs.clone()))?;
            if let Some(name) = property(ours).filter(|_| kind == Kind::Events) {
                properties.push((name.to_owned(), place));
            } else {
                let field = kind.fields().iter().find(|(name, _)| normal(name) == normal(ours));
                let (field, _) = field.ok_or_else(|| {
                    let mut known: Vec<_> = kind.fields().iter().map(|(name, _)| *name).collect();
                    known.dedup();
                    ColumnError::NoField { name: ours.clone(), known: known.join(", ") }
                })?;
                places.insert(*field, vec![place]);
            }
            mark(&mut taken, place);
        }
        for (field, synonyms) in kind.fields() {
            if places.contains_key(field) {
                continue;
            }
            // What others call a property is still the field that it names.
            let named = std::iter::once(field).chain(synonyms.iter()).filter_map(|name| {
                let is = |column: &str| normal(column) == normal(name);
                header.iter().zip(&taken).position(|(column, taken)| {
                    !taken && (is(column) || (kind == Kind::Events && property(column).is_some_and(is)))
                })
            });
            // Any of a row's own ids will do where one is empty; two columns of anything else are two things.
            let most = if *field == "message_id" { usize::MAX } else { 1 };
            let found: Vec<usize> = named.take(most).collect();
            for place in &found {
                mark(&mut taken, *place);
            }
            if !found.is_empty() {
                places.insert(*field, found);
            }
        }
        let mut unknown = Vec::new();
        for (place, (name, _)) in header.iter().zip(&taken).enumerate().filter(|(_, (_, taken))| !**taken) {
            match property(name).or((shape == Shape::Mixpanel).then_some(name)) {
                Some(name) if kind == Kind::Events => properties.push((name.to_owned(), place)),
                _ if is_ours(name) => {}
                _ => unknown.push(name.clone()),
            }
        }
        let columns = Self { places, properties, unknown, header: header.to_vec() };
        columns.check(kind, shape)?;
        Ok(columns)
    }

    fn check(&self, kind: Kind, shape: Shape) -> Result<(), ColumnError> {
        for wanted in kind.needed() {
            // Mixpanel's own JSON lines keep everything but the name among the properties.
            let inside = shape == Shape::Mixpanel && self.places.contains_key("properties");
            if !inside && !wanted.iter().any(|name| self.places.contains_key(name)) {
                return Err(ColumnError::Missing {
                    wanted: wanted.join(" or "),
                    first: wanted.first().copied().unwrap_or_default(),
                    found: self.header.join(", "),
                });
            }
        }
        Ok(())
    }

    /// The place of a field's column.
    #[must_use]
    pub fn place(&self, field: &str) -> Option<usize> {
        self.places(field).first().copied()
    }

    /// The places of all columns of a field, the best first.
    #[must_use]
    pub fn places(&self, field: &str) -> &[usize] {
        self.places.get(field).map_or(&[], Vec::as_slice)
    }

    /// What was understood: `company_id ← Account ID`.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let name = |place: &usize| self.header.get(*place).map_or("", |name| name.trim());
        let fields = self.places.iter().map(|(field, places)| {
            let names: Vec<_> = places.iter().map(name).collect();
            format!("{field} ← {}", names.join(" or "))
        });
        let own = self.properties.iter().map(|(own, place)| format!("properties.{own} ← {}", name(place)));
        fields.chain(own).collect()
    }
}

fn mark(taken: &mut [bool], place: usize) {
    if let Some(taken) = taken.get_mut(place) {
        *taken = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn find(kind: Kind, names: &[&str], map: &[(&str, &str)]) -> Result<Columns, ColumnError> {
        let map: Vec<_> =
            map.iter().map(|(theirs, ours)| ((*theirs).to_owned(), (*ours).to_owned())).collect();
        Columns::find(kind, Shape::Plain, &header(names), &map)
    }

    #[test]
    fn case_blanks_and_common_synonyms_dont_matter() {
        let columns =
            find(Kind::Companies, &["\u{feff}Account ID", "COMPANY NAME", "Time-Zone", "Colour"], &[])
                .unwrap();
        assert_eq!(
            (columns.place("company_id"), columns.place("name"), columns.place("time_zone")),
            (Some(0), Some(1), Some(2))
        );
        assert_eq!(columns.unknown, ["Colour"]);
    }

    #[test]
    fn the_better_of_two_names_is_taken() {
        let columns = find(Kind::Users, &["id", "user_id", "email"], &[]).unwrap();
        assert_eq!(columns.place("user_id"), Some(1));
        let columns = find(Kind::Users, &["id", "email"], &[]).unwrap();
        assert_eq!(columns.place("user_id"), Some(0));
    }

    #[test]
    fn a_map_comes_first() {
        let columns = find(
            Kind::Events,
            &["what", "event", "who", "when"],
            &[("what", "event"), ("who", "user_id"), ("when", "timestamp"), ("event", "properties.kind")],
        )
        .unwrap();
        assert_eq!(columns.place("event"), Some(0));
        assert_eq!(columns.properties, [("kind".to_owned(), 1)]);
        assert!(matches!(find(Kind::Users, &["user_id"], &[("x", "email")]), Err(ColumnError::NoColumn(_))));
        assert!(matches!(
            find(Kind::Users, &["user_id"], &[("user_id", "shoe_size")]),
            Err(ColumnError::NoField { .. })
        ));
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = find(Kind::Feedback, &["user_id", "date"], &[]).unwrap_err().to_string();
        assert!(error.contains("no column for score among: user_id, date"), "{error}");
    }
}
