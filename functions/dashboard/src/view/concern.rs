//! Why a company needs somebody, in a few words. What weighs how much is the list's rule.

use barometer_cloud::{
    listing::{Concern, Review},
    views::{CompanyView, StatusView},
};

use super::{Scene, words};

/// The reasons to look at a company in words, the gravest first. A lost company has none.
pub fn reasons(company: &CompanyView, scene: Scene<'_>) -> Vec<String> {
    barometer_cloud::listing::concerns(company, scene.today())
        .iter()
        .map(|concern| reason(concern, scene))
        .collect()
}

/// One reason in words.
pub fn reason(concern: &Concern, scene: Scene<'_>) -> String {
    match concern {
        Concern::GaveNotice(on) => format!("gave notice {}", words::day(*on, scene.today())),
        Concern::Review(review) => review_of(*review, scene),
        Concern::Struggling(since) => format!("Struggling since {}", scene.day(*since)),
        Concern::StatusSteady => "status Steady".to_owned(),
        Concern::AtRisk(shown, Some(change)) => format!("At Risk {shown} ({})", words::signed(*change)),
        Concern::AtRisk(shown, None) => format!("At Risk {shown}"),
        Concern::Fell(change, shown) => format!("{} to {shown} in a week", words::signed(*change)),
        Concern::EngagementSteady(shown) => format!("engagement Steady {shown}"),
        Concern::NotHappy { answers, .. } => format!("Not Happy · {}", words::count(*answers, "answer")),
        Concern::Neutral(answers) => format!("Neutral · {}", words::count(*answers, "answer")),
        Concern::NobodyAnswers => "asked, nobody answers".to_owned(),
        Concern::Disagreement(by_hand, by_use) => {
            format!("status {}, yet engagement {}", by_hand.label(), by_use.label())
        }
        Concern::Alerts(count) => words::count(*count, "open alert"),
        Concern::Tasks(count) => words::count(*count, "open task"),
        Concern::Renews(on) => format!("renews {}", words::day(*on, scene.today())),
    }
}

/// Why a status is to be set or confirmed again; nothing while it is fresh.
pub fn to_be_reviewed(status: &StatusView, scene: Scene<'_>) -> Option<String> {
    Some(review_of(Review::of(status)?, scene))
}

fn review_of(review: Review, scene: Scene<'_>) -> String {
    match review {
        Review::HandedOver(at) => {
            format!("status to be confirmed since the handover of {}", scene.day(at))
        }
        Review::Overdue(since) => format!("review overdue since {}", scene.day(since)),
    }
}

#[cfg(test)]
mod tests {
    use barometer_domain::{band::Standing, status::Status};

    use super::super::samples;
    use super::*;

    fn texts(company: &CompanyView) -> Vec<String> {
        let settings = samples::settings();
        reasons(company, samples::scene(&settings))
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
