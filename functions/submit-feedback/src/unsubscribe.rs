//! `/u/{token}`: one click unsubscribes (RFC 8058). What the body of the POST says doesn't matter, the link does.

use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
};
use barometer_domain::token::Purpose;
use http::{Method, StatusCode};

use crate::{
    Deps,
    failure::{Failure, Reader},
    link::Link,
    page::{STYLE, UnsubscribePage, page},
};

/// GET and HEAD: a page with a button. POST: does it; doing it again changes nothing.
pub async fn unsubscribe(
    State(deps): State<Deps>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let reader = Reader::of(request.method(), request.headers());
    let confirmed = request.method() == Method::POST;
    match token {
        Ok(Path(token)) => {
            answer(&deps, reader, &token, confirmed).await.unwrap_or_else(|failure| reader.refuse(failure))
        }
        Err(_) => reader.refuse(Failure::NotFound),
    }
}

async fn answer(deps: &Deps, reader: Reader, token: &str, confirmed: bool) -> Result<Response, Failure> {
    let link = Link::open(deps, Purpose::Unsubscribe, token, reader.language).await?;
    let (workspace, user) = (&link.ask.workspace_id, &link.ask.user_id);
    if confirmed {
        deps.table.unsubscribe(workspace, user, deps.clock.now()).await?;
    }
    let done = confirmed
        || deps.table.user(workspace, user).await?.is_some_and(|user| user.unsubscribed_at.is_some());
    let texts = link.texts();
    let (title, detail) = if done {
        (texts.unsubscribed, texts.unsubscribed_detail)
    } else {
        (texts.unsubscribe_title, texts.unsubscribe_question)
    };
    Ok(page(
        StatusCode::OK,
        &UnsubscribePage {
            language: link.language,
            texts,
            style: STYLE,
            title,
            detail: &link.named(detail),
            token,
            done,
        },
    ))
}
