//! Mails look as the workspace's settings say.

use barometer_cloud::table::{companies::Patch, members::Person};
use barometer_domain::language::Language;
use mailparse::MailHeaderMap;

use crate::support::World;

#[tokio::test]
async fn a_mail_wears_the_workspace_s_look_and_speaks_its_language_to_who_has_none() {
    let world = World::new().await;
    let mut version = world.table.settings(&world.workspace).await.unwrap().unwrap();
    version.version += 1;
    let mail = &mut version.settings.mail;
    mail.sender_name = "Ada of Rocket".to_owned();
    mail.accent = Some("#7a1f5c".to_owned());
    mail.language = Language::German;
    world.table.save_settings(&world.workspace, &version).await.unwrap();
    for (id, language, greeting) in
        [("ann", None, "Guten Tag"), ("bea", Some("en-GB"), "Hello"), ("cem", Some("tr"), "Guten Tag")]
    {
        let user = world.add(id).await;
        let person = Person { language: language.map(str::to_owned), ..Person::default() };
        world.table.describe_member(&world.workspace, &world.company, &user, &person).await.unwrap();
        let before = world.ses.mails().len();
        world.sweep(world.slot(&user).await).await;
        let (_, mail) = world.ses.mails().split_off(before).remove(0);
        let parsed = mailparse::parse_mail(mail.as_bytes()).unwrap();
        assert!(parsed.headers.get_first_value("From").unwrap().contains("Ada of Rocket"));
        assert!(parsed.subparts[0].get_body().unwrap().starts_with(greeting), "{id}");
        assert!(parsed.subparts[1].get_body().unwrap().contains("#7a1f5c"));
    }
}

#[tokio::test]
async fn a_company_s_language_counts_where_the_user_has_none_of_ours() {
    let world = World::new().await;
    let german = Patch { language: Some(Some(Language::German)), ..Patch::default() };
    world.table.patch_company(&world.workspace, &world.company, &german).await.unwrap();
    for (id, language, greeting) in
        [("ann", None, "Guten Tag"), ("bea", Some("en-GB"), "Hello"), ("cem", Some("tr"), "Guten Tag")]
    {
        let user = world.add(id).await;
        let person = Person { language: language.map(str::to_owned), ..Person::default() };
        world.table.describe_member(&world.workspace, &world.company, &user, &person).await.unwrap();
        let before = world.ses.mails().len();
        world.sweep(world.slot(&user).await).await;
        let (_, mail) = world.ses.mails().split_off(before).remove(0);
        let parsed = mailparse::parse_mail(mail.as_bytes()).unwrap();
        assert!(parsed.subparts[0].get_body().unwrap().starts_with(greeting), "{id}");
    }
}
