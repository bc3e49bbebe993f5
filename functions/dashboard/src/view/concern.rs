//! Why a company needs somebody, in a few words.

use barometer_cloud::views::{CompanyView, StatusView};
use barometer_domain::{
    band::Standing,
    happiness::Level,
    status::{Stale, Status},
};

use super::{Scene, words};

/// From this many points down within a week on, a drop is told even where the band still looks fine.
const DROP: i16 = -15;
/// A renewal this many days ahead is told beside another reason.
const RENEWAL_DAYS: i64 = 60;
/// Reasons below this weight only say where a company stands, and are left out where companies are compared.
pub const TELLING: u16 = 12;
/// Reasons below this weight say where a company stands and don't call for anybody.
pub const CALLING: u16 = 15;

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// How much it matters, for the order of reasons and of companies that need the same attention.
    pub weight: u16,
    /// The reason.
    pub text: String,
}

/// The reasons to look at a company, the gravest first. A lost company has none.
pub fn concerns(company: &CompanyView, scene: Scene<'_>) -> Vec<Concern> {
    let mut found = Vec::new();
    let mut add = |weight, text: String| found.push(Concern { weight, text });
    if company.churned_on.is_some() {
        return found;
    }
    if let Some(on) = company.notice_on {
        add(60, format!("gave notice {}", words::day(on, scene.today())));
    }
    of_status(company, scene, &mut add);
    of_engagement(company, &mut add);
    of_happiness(company, &mut add);
    if company.disagreement
        && let (Some(status), Some(engagement)) = (&company.business_status, &company.engagement)
    {
        let (by_hand, by_use) = (status.status.value.label(), engagement.band.label());
        add(30, format!("status {by_hand}, yet engagement {by_use}"));
    }
    if company.open_alerts > 0 {
        add(28, words::count(company.open_alerts, "open alert"));
    }
    if company.open_tasks > 0 {
        add(20, words::count(company.open_tasks, "open task"));
    }
    if let Some(on) = company.renewal_on {
        let days = (on - scene.today()).num_days();
        if (0..=RENEWAL_DAYS).contains(&days) {
            add(12, format!("renews {}", words::day(on, scene.today())));
        }
    }
    found.sort_by_key(|concern| std::cmp::Reverse(concern.weight));
    found
}

fn of_status(company: &CompanyView, scene: Scene<'_>, add: &mut impl FnMut(u16, String)) {
    let Some(status) = &company.business_status else { return };
    if let Some(why) = to_be_reviewed(status, scene) {
        add(20, why);
        return;
    }
    match status.status.value {
        Status::Struggling => add(50, format!("Struggling since {}", scene.day(status.status.set_at))),
        Status::Steady => add(4, "status Steady".to_owned()),
        Status::Healthy | Status::Thriving => {}
    }
}

/// Why a status is to be set or confirmed again; nothing while it is fresh.
pub fn to_be_reviewed(status: &StatusView, scene: Scene<'_>) -> Option<String> {
    let text = match (status.stale_because?, status.handed_over_at) {
        (Stale::HandedOver, Some(at)) => {
            format!("status to be confirmed since the handover of {}", scene.day(at))
        }
        _ => format!("review overdue since {}", scene.day(status.status.review_by)),
    };
    Some(text)
}

fn of_engagement(company: &CompanyView, add: &mut impl FnMut(u16, String)) {
    let Some(engagement) = &company.engagement else { return };
    let Some(shown) = engagement.shown else { return };
    let change = engagement.change();
    let fell = change.filter(|change| *change <= DROP);
    let moved = change.filter(|change| *change != 0);
    match engagement.band {
        Standing::AtRisk => {
            let moved = moved.map(|change| format!(" ({})", words::signed(change))).unwrap_or_default();
            add(if fell.is_some() { 55 } else { 48 }, format!("At Risk {shown}{moved}"));
        }
        Standing::Steady | Standing::Healthy | Standing::Thriving => match fell {
            Some(change) => add(35, format!("{} to {shown} in a week", words::signed(change))),
            None if engagement.band == Standing::Steady => add(5, format!("engagement Steady {shown}")),
            None => {}
        },
        Standing::Onboarding | Standing::Insufficient => {}
    }
}

fn of_happiness(company: &CompanyView, add: &mut impl FnMut(u16, String)) {
    let happiness = &company.happiness;
    let answers = words::count(happiness.answers, "answer");
    match happiness.level {
        Level::NotHappy => add(if happiness.provisional { 40 } else { 46 }, format!("Not Happy · {answers}")),
        Level::Neutral => add(6, format!("Neutral · {answers}")),
        Level::NoData if happiness.silent => add(15, "asked, nobody answers".to_owned()),
        Level::NoData | Level::Happy | Level::VeryHappy => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn texts(company: &CompanyView) -> Vec<String> {
        let settings = samples::settings();
        concerns(company, samples::scene(&settings)).into_iter().map(|concern| concern.text).collect()
    }

    #[test]
    fn the_gravest_reason_comes_first() {
        let mut company = samples::view("acme");
        samples::engage(&mut company, &[40, 18]);
        samples::feel(&mut company, 30, 3);
        assert_eq!(texts(&company), ["At Risk 18 (−22)", "Not Happy · 3 answers"]);
    }

    #[test]
    fn open_alerts_are_told() {
        let mut company = samples::view("acme");
        company.open_alerts = 2;
        assert_eq!(texts(&company), ["2 open alerts"]);
    }

    #[test]
    fn a_status_speaks_while_it_is_fresh() {
        let mut company = samples::view("acme");
        samples::judge(&mut company, Status::Struggling, 5);
        assert_eq!(texts(&company), ["Struggling since 3 Sep"]);
        samples::judge(&mut company, Status::Struggling, 40);
        assert_eq!(texts(&company), ["review overdue since 29 Aug"]);
    }

    #[test]
    fn a_false_green_is_named_by_both_readings() {
        let mut company = samples::view("acme");
        samples::judge(&mut company, Status::Thriving, 5);
        samples::engage(&mut company, &[20, 20]);
        assert_eq!(texts(&company), ["At Risk 20", "status Thriving, yet engagement At Risk"]);
    }

    #[test]
    fn a_fall_is_told_before_the_band_looks_bad() {
        let mut company = samples::view("acme");
        samples::engage(&mut company, &[90, 60]);
        assert_eq!(texts(&company), ["−30 to 60 in a week"]);
        samples::engage(&mut company, &[61, 60]);
        assert_eq!(texts(&company), Vec::<String>::new());
    }

    #[test]
    fn a_new_or_a_lost_company_gives_no_reason() {
        let mut company = samples::view("acme");
        samples::engage(&mut company, &[90, 3]);
        if let Some(engagement) = &mut company.engagement {
            engagement.band = Standing::Onboarding;
        }
        assert_eq!(texts(&company), Vec::<String>::new());
        samples::engage(&mut company, &[90, 3]);
        company.churned_on = Some(samples::now().date_naive());
        assert_eq!(texts(&company), Vec::<String>::new());
    }
}
