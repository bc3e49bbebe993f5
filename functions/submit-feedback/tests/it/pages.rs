//! Links that don't open, languages, headers and what programs get.

use axum::body::Body;
use barometer_cloud::table::{companies::Patch, members::Person};
use barometer_domain::language::Language;
use barometer_domain::token::{Key, Keys, Purpose};
use chrono::TimeDelta;
use http::{Request, StatusCode};

use crate::support::World;

#[tokio::test]
async fn links_that_are_not_ours_open_nothing_and_read_nothing() {
    let world = World::new().await;
    let feedback = world.token(Purpose::Feedback);
    let unsubscribe = world.token(Purpose::Unsubscribe);
    let strange = Keys::new(Key { id: 1, secret: vec![8; 32] }, Vec::new());
    let forged = strange.sign(Purpose::Feedback, world.ask.send_id, Some(world.ask.expires));
    let middle = feedback.len() / 2;
    let swapped = if &feedback[middle..=middle] == "A" { "B" } else { "A" };
    let tampered = format!("{}{swapped}{}", &feedback[..middle], &feedback[middle + 1..]);
    for path in [
        format!("/f/{unsubscribe}"),
        format!("/u/{feedback}"),
        format!("/f/{forged}"),
        format!("/f/{tampered}"),
        format!("/f/{}", &feedback[1..]),
        "/f/x".to_owned(),
        "/f/%FF".to_owned(),
        "/u/EXAMPLE-UNSUBSCRIBE-TOKEN".to_owned(),
        "/elsewhere".to_owned(),
    ] {
        for seen in [world.get(&path).await, world.post(&path, "rating=8").await] {
            assert_eq!(seen.status, StatusCode::NOT_FOUND, "{path}");
            assert!(seen.body.contains("This link isn&#39;t valid"), "{path} {}", seen.body);
            assert_eq!(seen.header("content-type"), "text/html; charset=utf-8");
        }
    }
    assert_eq!(world.calls(), 0, "nothing is read for a link that isn't ours");
    let user = world.table.user(&world.workspace, &world.user).await.unwrap().unwrap();
    assert_eq!(user.unsubscribed_at, None);
}

#[tokio::test]
async fn an_expired_question_is_closed_in_a_friendly_way() {
    let mut world = World::new().await;
    world.answer("rating=9").await;
    world.later(TimeDelta::days(30));
    let before = world.calls();
    let path = format!("/f/{}", world.token(Purpose::Feedback));
    for seen in [world.get(&path).await, world.post(&path, "rating=1").await] {
        assert_eq!(seen.status, StatusCode::GONE);
        assert!(seen.body.contains("This question is closed"));
    }
    assert_eq!((world.calls(), world.answers().await.len()), (before, 1));
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let world = World::new().await;
    let feedback = format!("/f/{}", world.token(Purpose::Feedback));
    let unsubscribe = format!("/u/{}", world.token(Purpose::Unsubscribe));
    let put = Request::put(&feedback).body(Body::empty()).unwrap();
    let not_a_form =
        Request::post(&feedback).header("content-type", "text/plain").body(Body::from("x")).unwrap();
    let all = [
        world.get(&feedback).await,
        world.get(&unsubscribe).await,
        world.post(&feedback, "rating=8").await,
        world.post(&feedback, "").await,
        world.post(&feedback, "x".repeat(100_000)).await,
        world.post(&unsubscribe, "").await,
        world.get("/f/x").await,
        world.send(put).await,
        world.send(not_a_form).await,
    ];
    let statuses: Vec<u16> = all.iter().map(|seen| seen.status.as_u16()).collect();
    assert_eq!(statuses, [200, 200, 200, 422, 413, 200, 404, 405, 415]);
    for seen in all {
        assert_eq!(seen.header("cache-control"), "no-store");
        assert_eq!(seen.header("referrer-policy"), "no-referrer");
        assert_eq!(seen.header("x-robots-tag"), "noindex");
        assert_eq!(seen.header("x-content-type-options"), "nosniff");
        let policy = seen.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'sha256-",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert!(seen.headers.get("set-cookie").is_none());
        assert!(!seen.body.contains("<script") && !seen.body.contains("style="), "the policy would stop it");
        assert!(!seen.body.contains("http://") && !seen.body.contains("https://"), "nothing from elsewhere");
        assert!(seen.body.contains("<html lang=\"en\">") && seen.body.contains("<title>"), "{}", seen.body);
    }
}

#[tokio::test]
async fn pages_speak_the_users_language_else_the_companys_else_the_browsers() {
    let world = World::new().await;
    let path = format!("/f/{}", world.token(Purpose::Feedback));
    let german = |path: &str| {
        Request::get(path).header("accept-language", "de-DE,de;q=0.9").body(Body::empty()).unwrap()
    };
    let seen = world.send(german(&path)).await;
    assert!(seen.body.contains("<html lang=\"de\">") && seen.body.contains("Antwort senden"));
    assert!(world.send(german("/f/x")).await.body.contains("Dieser Link ist ungültig"));

    let english = Patch { language: Some(Some(Language::English)), ..Patch::default() };
    world.table.patch_company(&world.workspace, &world.company, &english).await.unwrap();
    assert!(world.send(german(&path)).await.body.contains("Send answer"), "the company's");
    let cleared = Patch { language: Some(None), ..Patch::default() };
    world.table.patch_company(&world.workspace, &world.company, &cleared).await.unwrap();

    let person = Person { language: Some("en-GB".to_owned()), ..Person::default() };
    world.table.describe_member(&world.workspace, &world.company, &world.user, &person).await.unwrap();
    assert!(world.send(german(&path)).await.body.contains("Send answer"));
    let person = Person { language: Some("de".to_owned()), ..Person::default() };
    world.table.describe_member(&world.workspace, &world.company, &world.user, &person).await.unwrap();
    let seen = world.post(&path, "").await;
    assert!(seen.body.contains("Bitte wählen Sie eine ganze Zahl von 0 bis 10."));
}

#[tokio::test]
async fn pages_wear_the_workspace_s_accent_and_name_and_the_scale_does_not() {
    let world = World::new().await;
    let mut version = world.table.settings(&world.workspace).await.unwrap().unwrap();
    version.version += 1;
    version.settings.mail.product = "R&D <Rocket>".to_owned();
    version.settings.mail.accent = Some("#7a1f5c".to_owned());
    version.settings.mail.logo_url = Some("https://cdn.example.com/logo.png".to_owned());
    world.table.save_settings(&world.workspace, &version).await.unwrap();
    let plain = World::new().await;
    let others = plain.get(&format!("/f/{}", plain.token(Purpose::Feedback))).await;
    for path in [
        format!("/f/{}", world.token(Purpose::Feedback)),
        format!("/u/{}", world.token(Purpose::Unsubscribe)),
    ] {
        let seen = world.get(&path).await;
        assert!(seen.body.contains("<header>R&#38;D &#60;Rocket&#62;</header>"), "{}", seen.body);
        assert!(seen.body.contains("--accent: #7a1f5c;"));
        assert!(!seen.body.contains("cdn.example.com"), "nothing comes from elsewhere");
        let (policy, other) =
            (seen.header("content-security-policy"), others.header("content-security-policy"));
        assert_ne!(policy, other, "the policy allows this very style");
    }
    let style = include_str!("../../templates/style.css");
    for rule in style.lines().filter(|rule| rule.contains("rating") || rule.contains("radio")) {
        assert!(!rule.contains("--accent)"), "{rule}");
    }
}

#[tokio::test]
async fn programs_get_problem_documents() {
    let world = World::new().await;
    let path = format!("/f/{}", world.token(Purpose::Feedback));
    for (path, body, status) in
        [(path.as_str(), "rating=12", 422), (path.as_str(), "", 422), ("/f/x", "rating=1", 404)]
    {
        let request = Request::post(path)
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let seen = world.send(request).await;
        assert_eq!(seen.status.as_u16(), status);
        assert_eq!(seen.header("content-type"), "application/problem+json");
        let problem: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        assert_eq!(problem["status"], status);
        if status == 422 {
            assert_eq!(problem["errors"][0]["pointer"], "/rating");
        }
    }
}

#[tokio::test]
async fn the_form_can_be_used_by_everybody() {
    let world = World::new().await;
    let seen = world.get(&format!("/f/{}?s=3", world.token(Purpose::Feedback))).await;
    let body = &seen.body;
    for rating in 0..=10 {
        assert!(body.contains(&format!("> {rating}</label>")), "each number has its label");
    }
    assert_eq!(body.matches(r#"type="radio""#).count(), 11);
    assert_eq!(body.matches(" checked").count(), 1);
    assert!(body.contains(
        "<legend><h1>How likely are you to recommend Initech to a friend or colleague?</h1></legend>"
    ));
    assert!(body.contains(r#"<label class="comment" for="comment">"#));
    assert!(body.contains(r#"name="viewport""#));
    assert!(body.contains(r#"?h=1" rel="nofollow" tabindex="-1" aria-hidden="true">"#));
    let wrong = world.answer("rating=").await;
    assert!(
        wrong.body.contains(r#"role="alert""#) && wrong.body.contains(r#"aria-describedby="scale mistake""#)
    );
}
