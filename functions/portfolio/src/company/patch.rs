//! `PATCH /v1/companies/{company_id}`: what a CSM changes of a company.

use std::collections::BTreeSet;

use axum::{extract::State, response::Response};
use barometer_cloud::{
    StoreError, asking,
    http::{Problem, body::Fields},
    table::{
        audit::{Action, Entry},
        companies::Patch,
    },
};
use barometer_domain::{CompanyId, Zone, automation::is_tag, language::Language};
use chrono::NaiveDate;
use http::Uri;

use super::get;
use crate::{
    Deps,
    caller::Writer,
    if_match::IfMatch,
    params::{CompanyPath, Params, no_company},
};

/// Longest name, owner and plan, in characters.
const LONGEST: usize = 200;

/// Most tags of a company.
const MAX_TAGS: usize = 50;

/// How often a change is tried when others change the company at the same time.
const TRIES: u32 = 5;

/// Changes the fields that are given and leaves the others. Another owner makes the business status stale until it is
/// set or confirmed again. `null` clears a field; a name that is cleared is
/// the id again. Errors: 412 when the fields aren't any more those that `If-Match` names.
pub async fn patch(
    State(deps): State<Deps>,
    Writer(caller): Writer,
    CompanyPath(id): CompanyPath,
    seen: IfMatch,
    uri: Uri,
    fields: Fields,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let (table, workspace, now) = (&deps.table, &caller.workspace, deps.clock.now());
    let (mut company, settings) = super::read(table, workspace, &id).await?;
    let patch = read(fields, &id)?;
    seen.check(get::version(&company)?)?;
    if patch.request_feedback == Some(true) {
        // Before the switch, so that a crash in between leaves no company that is switched on and never asked.
        asking::schedule_company(table, workspace, &id, &settings, now).await?;
    }
    for _ in 0..TRIES {
        seen.check(get::version(&company)?)?;
        let changed = patch.upon(&company, now);
        let entry = Entry::new(Action::CompanyChanged, id.as_str(), &caller.author, now)?;
        let entry = entry.of(Some(&id)).change(&company.fields(), &changed.fields())?;
        if entry.changes_nothing() {
            return get::answer(&company, &settings, now);
        }
        match table.recording(workspace, &entry).patch_company_upon(workspace, &company, &patch, now).await {
            Ok(()) => return get::answer(&changed, &settings, now),
            // Somebody changed it at the same time: look again.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        company = table.company(workspace, &id).await?.ok_or_else(no_company)?;
    }
    Err(StoreError::Conflict.into())
}

fn read(mut fields: Fields, id: &CompanyId) -> Result<Patch, Problem> {
    let patch = Patch {
        name: fields.nullable_text("name", LONGEST).map(|name| name.unwrap_or_else(|| id.to_string())),
        owner: fields.nullable_text("owner", LONGEST),
        plan: fields.nullable_text("plan", LONGEST),
        time_zone: fields.nullable::<Zone>("time_zone"),
        language: fields.nullable::<Language>("language"),
        renewal_on: fields.nullable::<NaiveDate>("renewal_on"),
        churned_on: fields.nullable::<NaiveDate>("churned_on"),
        notice_on: fields.nullable::<NaiveDate>("notice_on"),
        request_feedback: fields.value::<bool>("request_feedback"),
        tags: tags(&mut fields),
    };
    fields.finish()?;
    Ok(patch)
}

/// The tags, all of them; null for none. What is no tag is named by its place.
fn tags(fields: &mut Fields) -> Option<BTreeSet<String>> {
    let tags: Vec<String> = fields.nullable("tags")?.unwrap_or_default();
    for (index, _) in tags.iter().enumerate().filter(|(_, tag)| !is_tag(tag)) {
        fields.refuse(format!("/tags/{index}"), "a tag has 1 to 40 characters on one line");
    }
    let tags: BTreeSet<String> = tags.into_iter().collect();
    if tags.len() > MAX_TAGS {
        fields.refuse("/tags", format!("a company has at most {MAX_TAGS} tags"));
    }
    Some(tags)
}
