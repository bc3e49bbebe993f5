//! The hundred companies of the demonstration and what happens to each.

use super::random::Random;

/// Companies in all.
pub const COMPANIES: u64 = 100;
/// Weeks that are told.
pub const WEEKS: u32 = 12;
/// The week, from 0, in which part of the events never arrived.
pub const GAP_WEEK: u32 = 6;

/// What happens to a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    /// Nothing out of the ordinary.
    Ordinary,
    /// Busy until week 8, then fewer and fewer people come.
    GoingQuiet,
    /// Everybody is there every day, and nobody likes it.
    FalseGreen,
    /// Asked every month, never answers.
    NeverAnswers,
    /// Began in week 10.
    New,
    /// Loves the product; its business is failing.
    Struggling,
}

/// How much a company uses the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Everybody, most days.
    Heavy,
    /// Most people, some days.
    Normal,
    /// Some people, now and then.
    Light,
    /// Hardly anybody.
    Rare,
}

/// A person at a company.
#[derive(Debug, Clone)]
pub struct Person {
    /// The product's id.
    pub id: String,
    /// First and last name.
    pub name: String,
    /// Address.
    pub email: String,
}

/// A company.
#[derive(Debug, Clone)]
pub struct Company {
    /// Its place in the cast.
    pub number: u64,
    /// The product's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its plan.
    pub plan: &'static str,
    /// The CSM who looks after it.
    pub owner: &'static str,
    /// Its people.
    pub people: Vec<Person>,
    /// What happens to it.
    pub story: Story,
    /// How much it uses the product.
    pub usage: Use,
    /// What its people would answer on average, 0 to 10.
    pub mood: u8,
    /// Whether its people are asked.
    pub asked: bool,
    /// The week, from 0, in which it began.
    pub begins: u32,
    /// Whether its events were lost in the gap.
    pub in_gap: bool,
    /// What a CSM says of its business: status and note.
    pub status: Option<(&'static str, &'static str)>,
}

const FIRST: [&str; 20] = [
    "Amber", "Birch", "Cobalt", "Delta", "Ember", "Fern", "Granite", "Harbor", "Indigo", "Juniper",
    "Kestrel", "Lumen", "Maple", "Nimbus", "Opal", "Pine", "Quill", "Raven", "Slate", "Tidal",
];
const SECOND: [&str; 10] =
    ["works", "labs", "freight", "health", "foods", "capital", "media", "robotics", "travel", "energy"];
const GIVEN: [&str; 16] = [
    "Ada", "Ben", "Chloé", "Deniz", "Elif", "Femi", "Grace", "Hugo", "Ines", "Jonas", "Kenji", "Lena",
    "Mira", "Noor", "Omar", "Priya",
];
const FAMILY: [&str; 12] = [
    "Abe",
    "Becker",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ito",
    "Jansen",
    "Kaya",
    "Lindqvist",
];
/// The CSM who is the workspace's admin.
pub const ADMIN: &str = "sam@csm.example";
/// The members beside the admin: address, name and role.
pub const MEMBERS: [(&str, &str, &str); 3] = [
    ("kim@csm.example", "Kim Novak", "csm"),
    ("ola@csm.example", "Ola Berg", "csm"),
    ("rae@board.example", "Rae Quist", "viewer"),
];
const OWNERS: [&str; 3] = [ADMIN, "kim@csm.example", "ola@csm.example"];

/// The cast that follows from a seed.
#[must_use]
pub fn cast(seed: u64) -> Vec<Company> {
    (0..COMPANIES).map(|number| company(seed, number)).collect()
}

fn company(seed: u64, number: u64) -> Company {
    let mut random = Random::of(seed, number);
    let at = |list: &[&'static str], index: u64| {
        usize::try_from(index).ok().and_then(|index| list.get(index)).copied().unwrap_or_default()
    };
    let stem = at(&FIRST, number % 20).to_lowercase();
    let id = format!("{stem}-{number:02}");
    let name = format!("{} {}", at(&FIRST, number % 20), at(&SECOND, (number / 20 * 2 + number % 2) % 10));
    let story = match number {
        7 => Story::GoingQuiet,
        21 => Story::FalseGreen,
        34 => Story::NeverAnswers,
        48 => Story::New,
        63 => Story::Struggling,
        _ => Story::Ordinary,
    };
    let usage = match (story, random.below(100)) {
        (Story::GoingQuiet | Story::FalseGreen, _) => Use::Heavy,
        (Story::NeverAnswers | Story::New, _) => Use::Normal,
        (_, 0..=24) => Use::Heavy,
        (_, 25..=64) => Use::Normal,
        (_, 65..=87) => Use::Light,
        _ => Use::Rare,
    };
    let mood = match story {
        Story::FalseGreen => 3,
        Story::Struggling => 9,
        _ => u8::try_from(random.between(4, 9)).unwrap_or(7),
    };
    let size = match story {
        Story::Ordinary => random.between(2, 14),
        _ => 10,
    };
    let people = (0..size)
        .map(|index| {
            let name = format!("{} {}", random.pick(&GIVEN), random.pick(&FAMILY));
            Person { id: format!("{id}-u{index}"), name, email: format!("u{index}@{id}.example") }
        })
        .collect();
    Company {
        number,
        name,
        plan: at(&["starter", "team", "team", "enterprise"], random.below(4)),
        owner: at(&OWNERS, number % 3),
        people,
        story,
        usage,
        mood,
        asked: story != Story::Ordinary || number.is_multiple_of(3),
        begins: if story == Story::New { 10 } else { 0 },
        in_gap: number % 3 == 1,
        status: status(story, number),
        id,
    }
}

fn status(story: Story, number: u64) -> Option<(&'static str, &'static str)> {
    match story {
        Story::FalseGreen => Some(("thriving", "Record quarter, budget for next year is approved.")),
        Story::Struggling => {
            Some(("struggling", "Lost their biggest client; two rounds of lay-offs since June."))
        }
        Story::GoingQuiet => Some(("healthy", "Quarterly call went well, no complaints.")),
        Story::New | Story::NeverAnswers => None,
        Story::Ordinary => match number % 7 {
            0 => Some(("thriving", "Hiring, opening a second office.")),
            2 | 4 => Some(("healthy", "Business as usual, growing slowly.")),
            5 => Some(("steady", "Flat year; watching costs.")),
            6 if number.is_multiple_of(2) => {
                Some(("struggling", "Their market shrinks; the owner looks for a buyer."))
            }
            _ => None,
        },
    }
}
