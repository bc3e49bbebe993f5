//! How scores come about: weights, bands, targets, and who counts.

use askama::Template;
use serde_json::Value;

use super::{
    fields::{self, Field, Group, GroupView, Kind},
    what_if::Preview,
};
use crate::{
    api::WrongField,
    notice::Notice,
    settings::Typed,
    view::{chrome::Chrome, words},
};
use barometer_domain::Percent;

/// The weights' fields.
pub const WEIGHTS: [&str; 3] = ["/weights/login", "/weights/adoption", "/weights/feedback"];
/// Thirds whose sum is 100 %.
pub const EVEN: [&str; 3] = ["33.33", "33.33", "33.34"];

const DAYS: Kind = Kind::Whole(1, 65_535);

const fn field(path: &'static str, label: &'static str, kind: Kind) -> Field {
    Field { path, label, kind }
}

/// Everything on the page.
pub const GROUPS: [Group; 7] = [
    Group {
        id: "weights",
        title: "Weights",
        about: "What each part counts, in percent. They must sum to 100 %; 0 switches a part off.",
        fields: &[
            field("/weights/login", "Login activity", Kind::Percent),
            field("/weights/adoption", "Product adoption", Kind::Percent),
            field("/weights/feedback", "Feedback", Kind::Percent),
        ],
    },
    Group {
        id: "bands",
        title: "Where bands begin",
        about: "Lowest score of each band, in whole percents. What is below Steady is At Risk.",
        fields: &[
            field("/bands/thriving", "Thriving from", Kind::Whole(1, 100)),
            field("/bands/healthy", "Healthy from", Kind::Whole(1, 100)),
            field("/bands/steady", "Steady from", Kind::Whole(1, 100)),
        ],
    },
    Group {
        id: "targets",
        title: "Targets",
        about: "What counts as full use. Adoption is breadth (features used) and depth (time), which sum to 100.",
        fields: &[
            field("/login_days", "Login days a week", Kind::Whole(1, 7)),
            field("/minutes_per_user_week", "Minutes per user and week", DAYS),
            field("/feature_days", "Days of use in 4 weeks until a feature counts", Kind::Whole(1, 28)),
            field("/adoption_split/breadth", "Breadth, %", Kind::Whole(0, 100)),
            field("/adoption_split/depth", "Depth, %", Kind::Whole(0, 100)),
        ],
    },
    Group {
        id: "answers",
        title: "Answers and what is missing",
        about: "",
        fields: &[
            field(
                "/missing_policy",
                "A part that is missing",
                Kind::Choice(&[
                    ("redistribute", "gives its weight to the others"),
                    ("zero", "counts as 0"),
                    ("neutral", "counts as 50"),
                ]),
            ),
            field(
                "/feedback_method",
                "Feedback is",
                Kind::Choice(&[("mean", "the mean rating"), ("nps", "(NPS + 100) / 2")]),
            ),
            field("/answer_age_days", "Answers count for, days", DAYS),
            field("/happiness_levels/very_happy", "Very Happy from", Kind::Percent),
            field("/happiness_levels/happy", "Happy from", Kind::Percent),
            field("/happiness_levels/neutral", "Neutral from", Kind::Percent),
        ],
    },
    Group {
        id: "reviews",
        title: "Reviews",
        about: "After how many days a business status is to be looked at again.",
        fields: &[
            field("/review_days/thriving", "Thriving", Kind::Whole(0, 65_535)),
            field("/review_days/healthy", "Healthy", Kind::Whole(0, 65_535)),
            field("/review_days/steady", "Steady", Kind::Whole(0, 65_535)),
            field("/review_days/struggling", "Struggling", Kind::Whole(0, 65_535)),
        ],
    },
    Group {
        id: "workspace",
        title: "Workspace",
        about: "Weeks and days begin at midnight of the time zone, such as Europe/Berlin.",
        fields: &[field("/name", "Name", Kind::Line), field("/time_zone", "Time zone", Kind::Line)],
    },
    Group {
        id: "exclusions",
        title: "Who never counts",
        about: "Your own people, agencies, test users: one a line.",
        fields: &[
            field("/exclusions/user_ids", "User ids", Kind::Lines),
            field("/exclusions/email_domains", "Domains of e-mail addresses", Kind::Lines),
        ],
    },
];

/// What the page is built from.
pub struct Built<'a> {
    /// The version that the visitor sees.
    pub version: u32,
    /// The settings.
    pub settings: &'a Value,
    /// What was typed, if a form was sent.
    pub typed: Option<&'a Typed>,
    /// What was wrong with it.
    pub wrong: &'a [WrongField],
    /// What it would change.
    pub preview: Option<Preview>,
}

/// The page.
#[derive(Debug, Clone, Template)]
#[template(path = "settings/score.html")]
pub struct ScorePage {
    chrome: Chrome,
    notice: Option<Notice>,
    version: u32,
    groups: Vec<GroupView>,
    note: String,
    preview: Option<Preview>,
}

impl ScorePage {
    /// The page of the settings as they stand, or of what was typed.
    pub fn build(chrome: Chrome, notice: Option<Notice>, built: Built<'_>) -> Self {
        let mut groups = fields::views(&GROUPS, built.settings, built.typed, built.wrong);
        let weights = sum(&groups);
        if let Some(group) = groups.iter_mut().find(|group| group.id == "weights") {
            group.sum = Some(weights);
        }
        Self {
            groups,
            version: built.version,
            note: built.typed.map(|typed| typed.text("note").to_owned()).unwrap_or_default(),
            preview: built.preview,
            chrome,
            notice,
        }
    }
}

/// The sum of the weights as far as they are numbers: `95`.
fn sum(groups: &[GroupView]) -> String {
    let weights = groups.iter().flat_map(|group| &group.fields).filter(|field| WEIGHTS.contains(&field.name));
    let numbers = weights.filter_map(|field| field.value.trim().replace(',', ".").parse::<f64>().ok());
    let points: u32 = numbers
        .filter_map(|number| Percent::from_number(number).ok())
        .map(|percent| u32::from(percent.basis_points()))
        .sum();
    match u16::try_from(points).ok().and_then(|points| Percent::from_basis_points(points).ok()) {
        Some(percent) => words::number(percent),
        None => format!("{}.{:02}", points / 100, points % 100),
    }
}
