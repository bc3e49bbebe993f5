//! `PATCH /v1/companies/{company_id}/users/{user_id}`: who is mailed first.

use axum::extract::{Path, State};
use barometer_cloud::{
    http::{Json, Problem, body::Fields},
    table::audit::{Action, Entry},
};
use barometer_domain::{CompanyId, UserId};
use http::Uri;

use super::users::{UserView, views};
use crate::{
    Deps,
    caller::Writer,
    params::{Params, no_company},
};

/// Sets `primary_contact`: true or false, whatever the product says, or null for what the product says.
pub async fn patch(
    State(deps): State<Deps>,
    Writer(caller): Writer,
    Path((company, user)): Path<(String, String)>,
    uri: Uri,
    mut fields: Fields,
) -> Result<Json<UserView>, Problem> {
    Params::read(&uri, &[])?;
    let (table, workspace, now) = (&deps.table, &caller.workspace, deps.clock.now());
    let id = CompanyId::new(company).map_err(|_| no_company())?;
    let user = UserId::new(user).map_err(|_| no_user())?;
    let (company, settings) = super::read(table, workspace, &id).await?;
    if !fields.has("primary_contact") {
        fields.refuse(
            "/primary_contact",
            "says whether they are one: true, false, or null for the product's word",
        );
    }
    let contact = fields.nullable::<bool>("primary_contact").flatten();
    fields.finish()?;
    let before = table.member(workspace, &id, &user).await?.ok_or_else(no_user)?;
    let member = if before.contact == contact {
        before
    } else {
        let said = |contact| serde_json::json!({ "primary_contact": contact });
        let entry = Entry::new(Action::ContactChanged, user.as_str(), &caller.author, now)?.of(Some(&id));
        let entry = entry.change(&said(before.contact), &said(contact))?;
        let table = table.recording(workspace, &entry);
        table.set_primary_contact(workspace, &id, &user, contact).await?.ok_or_else(no_user)?
    };
    let shown = views(table, workspace, vec![member], &company, &settings, now).await?;
    shown.into_iter().next().map(Json).ok_or_else(Problem::internal)
}

/// 404 for somebody who isn't at the company.
pub fn no_user() -> Problem {
    Problem::not_found("there is no such user at this company")
}
