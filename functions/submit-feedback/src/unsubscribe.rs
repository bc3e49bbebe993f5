//! `/u/{token}`: one click unsubscribes (RFC 8058), and the same page takes it back. What the body of a POST says doesn't
//! matter, the link does: subscribing again has a path of its own, which no mail program calls.

use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
};
use barometer_cloud::subscription::{self, Resubscribed};
use http::StatusCode;

use crate::{
    Deps,
    failure::{Failure, Reader},
    link::{self, Link},
    page::{PreferencesPage, page},
};

/// How things stand, and by which button they change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Mails come; the button ends them.
    Subscribed,
    /// No mails come; the button brings them back.
    Unsubscribed,
    /// Mails come again, as of this request.
    Resubscribed,
}

/// GET and HEAD: how things stand, with a button. Writes nothing.
pub async fn show(
    State(deps): State<Deps>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let reader = Reader::of(request.method(), request.headers());
    link::follow(token, reader, async |token| {
        let link = open(&deps, reader, &token).await?;
        let user = deps.table.user(&link.to.workspace_id, &link.to.user_id).await?;
        let ended = user.is_some_and(|user| user.unsubscribed_at.is_some());
        Ok(stands(&link, &token, if ended { Standing::Unsubscribed } else { Standing::Subscribed }))
    })
    .await
}

/// POST: unsubscribes; doing it again changes nothing.
pub async fn unsubscribe(
    State(deps): State<Deps>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let reader = Reader::of(request.method(), request.headers());
    link::follow(token, reader, async |token| {
        let link = open(&deps, reader, &token).await?;
        subscription::unsubscribe(&deps.table, &link.to, deps.clock.now()).await?;
        Ok(stands(&link, &token, Standing::Unsubscribed))
    })
    .await
}

/// POST: takes it back; at most once a minute.
pub async fn resubscribe(
    State(deps): State<Deps>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let reader = Reader::of(request.method(), request.headers());
    link::follow(token, reader, async |token| {
        let link = open(&deps, reader, &token).await?;
        match subscription::resubscribe(&deps.table, &link.to, deps.clock.now()).await? {
            Resubscribed::Done => Ok(stands(&link, &token, Standing::Resubscribed)),
            Resubscribed::TooSoon => {
                Ok(Reader { language: link.language, ..reader }.refuse(Failure::TooSoon))
            }
        }
    })
    .await
}

async fn open(deps: &Deps, reader: Reader, token: &str) -> Result<Link, Failure> {
    Link::to_preferences(deps, token, reader.language).await
}

fn stands(link: &Link, token: &str, standing: Standing) -> Response {
    let texts = link.texts();
    let (title, detail) = match standing {
        Standing::Subscribed => (texts.unsubscribe_title, texts.unsubscribe_question),
        Standing::Unsubscribed => (texts.unsubscribed, texts.unsubscribed_detail),
        Standing::Resubscribed => (texts.resubscribed, texts.resubscribed_detail),
    };
    let frame = link.frame();
    page(
        StatusCode::OK,
        &frame,
        &PreferencesPage { frame: &frame, texts, title, detail: &link.named(detail), token, standing },
    )
}
