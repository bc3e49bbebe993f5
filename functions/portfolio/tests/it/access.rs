//! Who may do what, and what there isn't.

use axum::body::Body;
use barometer_cloud::table::{
    credentials::{Kind, Scope},
    team::Role,
};
use http::{Method, StatusCode};

use crate::common::Home;

const READS: [&str; 8] = [
    "/v1/companies",
    "/v1/companies.csv",
    "/v1/companies/acme",
    "/v1/companies/acme/weeks",
    "/v1/companies/acme/months",
    "/v1/companies/acme/happiness",
    "/v1/companies/acme/users",
    "/v1/companies/acme/status-changes",
];

#[tokio::test]
async fn nothing_is_told_without_a_valid_credential() {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-06-01T00:00:00Z").await;
    let bearer = format!("Bearer {}", home.write_key);
    for path in READS.into_iter().chain([
        "/v1/companies/acme/why",
        "/v1/quadrant",
        "/v1/settings",
        "/v1/settings/versions",
        "/v1/api-tokens",
        "/v1/members",
        "/v1/sources",
        "/v1/webhooks",
        "/v1/rules/presets",
        "/v1/rules/struggling/runs",
        "/v1/actions",
    ]) {
        for headers in
            [[("cookie", "")], [("authorization", "Bearer nonsense")], [("authorization", &bearer)]]
        {
            let answer = home.request(Method::GET, path, &headers, Body::empty()).await;
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            answer.problem(401, None);
        }
    }
}

#[tokio::test]
async fn another_workspaces_company_is_not_there() {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-06-01T00:00:00Z").await;
    let other = home.neighbour().await;
    for path in READS.iter().skip(2) {
        assert_eq!(home.get(path).await.status, StatusCode::OK, "{path}");
        other.get(path).await.problem(404, None);
    }
    other.patch("acme", &serde_json::json!({"owner": "me"})).await.problem(404, None);
    assert_eq!(other.get("/v1/companies").await.ok()["items"], serde_json::json!([]));
    home.get("/v1/companies/nobody").await.problem(404, None);
    home.get("/v1/companies/%FF").await.problem(404, None);
    home.get("/v1/companies/%01").await.problem(404, None);
}

#[tokio::test]
async fn a_scope_includes_those_before_it_and_no_other() {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-06-01T00:00:00Z").await;
    let read = home.credential(Kind::ApiToken, Scope::Read, "reader").await;
    let write = home.credential(Kind::ApiToken, Scope::Write, "writer").await;
    let calls = [
        (Method::GET, "/v1/settings", "", [200, 200, 200]),
        (Method::PATCH, "/v1/companies/acme", r#"{"plan":"pro"}"#, [403, 200, 200]),
        (Method::PATCH, "/v1/companies/acme/users/x", r#"{"primary_contact":true}"#, [403, 404, 404]),
        (Method::PUT, "/v1/settings", "{}", [403, 403, 200]),
        (Method::POST, "/v1/settings/what-if", "{}", [200, 200, 200]),
        (Method::GET, "/v1/sources", "", [200, 200, 200]),
        (Method::POST, "/v1/sources", r#"{"name":"x"}"#, [403, 403, 201]),
        (Method::PATCH, "/v1/sources/nothing", "{}", [403, 403, 404]),
        (Method::POST, "/v1/sources/nothing/rotate", "", [403, 403, 404]),
        (Method::DELETE, "/v1/sources/nothing", "", [403, 403, 404]),
        (Method::GET, "/v1/webhooks", "", [403, 403, 200]),
        (Method::POST, "/v1/webhooks", r#"{"name":"x","url":"https://x.example/"}"#, [403, 403, 201]),
        (Method::GET, "/v1/webhooks/nothing", "", [403, 403, 404]),
        (Method::PATCH, "/v1/webhooks/nothing", "{}", [403, 403, 404]),
        (Method::POST, "/v1/webhooks/nothing/rotate", "", [403, 403, 404]),
        (Method::DELETE, "/v1/webhooks/nothing", "", [403, 403, 404]),
        (Method::GET, "/v1/rules/presets", "", [200, 200, 200]),
        (Method::GET, "/v1/rules/struggling/runs", "", [200, 200, 200]),
        (Method::POST, "/v1/rules/dry-run", r#"{"rule_id":"struggling"}"#, [200, 200, 200]),
        (Method::GET, "/v1/actions", "", [200, 200, 200]),
        (Method::PATCH, "/v1/actions/nothing", r#"{"state":"cancelled"}"#, [403, 404, 404]),
        (Method::GET, "/v1/members", "", [200, 200, 200]),
        (Method::POST, "/v1/members", r#"{"email":"x@x.example","role":"csm"}"#, [403, 403, 201]),
        (Method::PATCH, "/v1/members/nothing", "{}", [403, 403, 404]),
        (Method::DELETE, "/v1/members/nothing", "", [403, 403, 404]),
        (Method::GET, "/v1/api-tokens", "", [403, 403, 200]),
        (Method::POST, "/v1/api-tokens", r#"{"label":"x","scope":"read"}"#, [403, 403, 201]),
        (Method::DELETE, "/v1/api-tokens/nothing", "", [403, 403, 404]),
    ];
    for (method, path, body, statuses) in calls {
        for (token, status) in [&read, &write, &home.token].into_iter().zip(statuses) {
            let bearer = format!("Bearer {token}");
            let answer = home.request(method.clone(), path, &[("authorization", &bearer)], body).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text);
            assert_eq!(answer.headers["cache-control"], "no-store");
        }
    }
}

#[tokio::test]
async fn a_session_reads_anywhere_and_writes_only_from_our_own_pages() {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-06-01T00:00:00Z").await;
    let cookie = home.session(Role::Admin, "ana").await;
    let session = cookie.rsplit_once('=').unwrap().1;
    let cookie = ("cookie", cookie.as_str());
    let path = "/v1/companies/acme";
    home.request(Method::GET, path, &[cookie], Body::empty()).await.ok();
    for site in ["same-origin", "none"] {
        let headers = [cookie, ("sec-fetch-site", site)];
        home.request(Method::PATCH, path, &headers, r#"{"plan":"pro"}"#).await.ok();
    }
    home.request(Method::PATCH, path, &[cookie], r#"{"plan":"x"}"#).await.problem(403, None);
    for site in ["same-site", "cross-site"] {
        let headers = [cookie, ("sec-fetch-site", site)];
        home.request(Method::PATCH, path, &headers, r#"{"plan":"x"}"#).await.problem(403, None);
        home.request(Method::PUT, "/v1/settings", &headers, "{}").await.problem(403, None);
    }
    assert_eq!(home.get(path).await.ok()["plan"], "pro");
    // Browsers that don't know Sec-Fetch-Site say the origin.
    let own = [cookie, ("host", "app.example.com"), ("origin", "https://app.example.com")];
    home.request(Method::PATCH, path, &own, r#"{"plan":"pro"}"#).await.ok();
    let other = [cookie, ("host", "app.example.com"), ("origin", "https://evil.example")];
    home.request(Method::PATCH, path, &other, r#"{"plan":"x"}"#).await.problem(403, None);
    // The text of a session is no API token.
    let bearer = format!("Bearer {session}");
    home.request(Method::GET, path, &[("authorization", &bearer)], Body::empty()).await.problem(401, None);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let home = Home::new().await;
    home.get("/v1/nothing").await.problem(404, None);
    home.get("/v1/companies/acme/nothing").await.problem(404, None);
    for (method, path, allow) in [
        (Method::DELETE, "/v1/companies", "GET"),
        (Method::DELETE, "/v1/companies/acme", "PATCH"),
        (Method::POST, "/v1/settings", "PUT"),
        (Method::GET, "/v1/api-tokens/x", "DELETE"),
        (Method::GET, "/v1/sources/x/rotate", "POST"),
        (Method::PUT, "/v1/webhooks/x", "PATCH"),
    ] {
        let answer = home.request(method, path, &[], Body::empty()).await;
        assert!(answer.headers["allow"].to_str().unwrap().contains(allow));
        answer.problem(405, None);
    }
}

#[tokio::test]
async fn a_member_may_what_the_role_says_and_nothing_once_removed() {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-06-01T00:00:00Z").await;
    for (role, name, statuses) in [
        (Role::Viewer, "vic", [200, 403, 403]),
        (Role::Csm, "cem", [200, 200, 403]),
        (Role::Admin, "ada", [200, 200, 200]),
    ] {
        let cookie = home.session(role, name).await;
        let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
        let calls = [
            (Method::GET, "/v1/companies/acme", ""),
            (Method::PATCH, "/v1/companies/acme", r#"{"plan":"pro"}"#),
            (Method::GET, "/v1/api-tokens", ""),
        ];
        for ((method, path, body), status) in calls.into_iter().zip(statuses) {
            let answer = home.request(method.clone(), path, &headers, body).await;
            assert_eq!(answer.status.as_u16(), status, "{name}: {method} {path}: {}", answer.text);
        }
        let member = home.table.team_member(&home.workspace, &format!("mem_{name}")).await.unwrap().unwrap();
        home.table.remove_member(&member, None).await.unwrap();
        home.request(Method::GET, "/v1/companies", &headers, "").await.problem(401, None);
    }
}
