//! How often is asked, and how mails look.

use barometer_cloud::table::credentials::Scope;
use http::StatusCode;

use super::{PAGE_BYTES, form, leads_to, scoped, stored};
use crate::{browser, store};

const PAGE: &str = "/settings/mail";
const FORM: &str = "/settings/mail/look";

#[tokio::test]
async fn the_look_of_mails_is_saved_and_the_preview_shows_it() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Initech").await;
    let page = browser.get(PAGE).await;
    assert!(page.body.len() < PAGE_BYTES);
    let typed = [
        ("/mail/product", "R&D <Rocket>"),
        ("/mail/accent", "#7a1f5c"),
        ("/mail/language", "de"),
        ("/mail/footer", "Initech Ltd\r\n1 Street"),
        ("/cadence_days", "90"),
        ("/feedback_events", "NPS Sent\r\n"),
        ("note", "New look."),
    ];
    leads_to(&browser.post(FORM, &form(&page, FORM, &typed)).await, "/settings/mail?saved=2");
    let saved = stored(&table, &made).await;
    assert_eq!((saved.note.as_str(), u16::from(saved.settings.cadence_days)), ("New look.", 90));
    assert_eq!(saved.settings.mail.footer, "Initech Ltd\n1 Street");
    assert_eq!((saved.settings.mail.reply_to, saved.settings.mail.logo_url), (None, None));
    assert_eq!(saved.settings.feedback_events, ["NPS Sent".to_owned()].into());
    let page = browser.get("/settings/mail?saved=2").await;
    assert!(
        page.body.contains("Saved as version 2.</p>")
            && page.body.contains("value=\"R&#38;D &#60;Rocket&#62;\"")
    );
    assert!(browser.get("/settings/mail/preview/de").await.body.contains("R&#38;D &#60;Rocket&#62;"));
    leads_to(&browser.post(FORM, &form(&page, FORM, &[])).await, "/settings/mail?saved=same");
}

#[tokio::test]
async fn what_is_refused_is_named_and_a_conflict_keeps_what_was_typed() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Initech").await;
    let page = browser.get(PAGE).await;
    let wrong = [("/mail/accent", "#ffee00"), ("/mail/reply_to", "nobody")];
    let answer = browser.post(FORM, &form(&page, FORM, &wrong)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in [
        "<p>Accent, #rrggbb: ",
        "<p>Replies go to: not an e-mail address.</p>",
        "value=\"#ffee00\" aria-invalid",
    ] {
        assert!(answer.body.contains(text), "{text} {}", answer.body);
    }
    leads_to(
        &browser.post(FORM, &form(&page, FORM, &[("/cadence_days", "60")])).await,
        "/settings/mail?saved=2",
    );
    let late = browser.post(FORM, &form(&page, FORM, &[("/mail/product", "Late")])).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("these changed: cadence days.") && late.body.contains("value=\"Late\""));
    assert_eq!(stored(&table, &made).await.version, 2);
}

#[tokio::test]
async fn who_is_no_admin_has_no_form_for_the_look() {
    let table = store::table().await;
    let (made, mut admin) = browser::workspace(&table, "Initech").await;
    let form = form(&admin.get(PAGE).await, FORM, &[("/cadence_days", "60")]);
    let mut csm = scoped(&table, &made, Scope::Write).await;
    assert!(!csm.get(PAGE).await.body.contains(FORM));
    let refused = csm.post(FORM, &form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("This credential may not do that."));
    assert_eq!(stored(&table, &made).await.version, 1);
}
