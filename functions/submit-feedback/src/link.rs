//! What a link leads to. Its signature is verified before anything is read.

use axum::{
    extract::{Path, rejection::PathRejection},
    response::Response,
};
use barometer_cloud::{
    subscription::{Addressee, addressee},
    table::asks::Ask,
};
use barometer_domain::{
    SendId, Settings,
    language::Language,
    token::{self, Purpose},
};
use http::StatusCode;

use crate::{
    Deps,
    failure::{Failure, Reader},
    page::{Frame, notice},
    texts::{Texts, texts},
};

/// Answers a request by what `answer` says of the token in its path. The links of a test mail lead to a page that says
/// what they are, whatever is asked there: no other code sees them.
pub async fn follow(
    token: Result<Path<String>, PathRejection>,
    reader: Reader,
    answer: impl AsyncFnOnce(String) -> Result<Response, Failure>,
) -> Response {
    let Ok(Path(token)) = token else { return reader.refuse(Failure::NotFound) };
    if let Some(language) = token::test_language(&token) {
        return notice(StatusCode::OK, language, texts(language).test);
    }
    answer(token).await.unwrap_or_else(|failure| reader.refuse(failure))
}

/// An opened link.
#[derive(Debug)]
pub struct Link {
    /// The mail it stands in.
    pub send: SendId,
    /// Whom that went to.
    pub to: Addressee,
    /// Settings of the workspace.
    pub settings: Settings,
    /// The language of its pages: the user's, else the company's, else the browser's.
    pub language: Language,
}

impl Link {
    /// Opens a link to an answer page, with its ask. Errors: not ours, not for this purpose, expired, or the store.
    pub async fn to_answer(deps: &Deps, token: &str, browser: Language) -> Result<(Self, Ask), Failure> {
        let send = deps.link_keys.open(Purpose::Feedback, token, deps.clock.now())?;
        let ask = deps.table.ask(send).await?.ok_or(Failure::NotFound)?;
        Ok((Self::of(deps, send, Addressee::from(&ask), browser).await?, ask))
    }

    /// Opens a link to an unsubscribe page, in a mail that asks or one of a rule. Errors: not ours, not for this purpose, or
    /// the store.
    pub async fn to_preferences(deps: &Deps, token: &str, browser: Language) -> Result<Self, Failure> {
        let send = deps.link_keys.open(Purpose::Unsubscribe, token, deps.clock.now())?;
        let to = addressee(&deps.table, send).await?.ok_or(Failure::NotFound)?;
        Self::of(deps, send, to, browser).await
    }

    async fn of(deps: &Deps, send: SendId, to: Addressee, browser: Language) -> Result<Self, Failure> {
        let settings = deps.table.settings(&to.workspace_id).await?.ok_or(Failure::NotFound)?.settings;
        let member = deps.table.member(&to.workspace_id, &to.company_id, &to.user_id).await?;
        let mut spoken = member.and_then(|member| member.language);
        if spoken.is_none() {
            let user = deps.table.user(&to.workspace_id, &to.user_id).await?;
            spoken = user.and_then(|user| user.language);
        }
        let language = match spoken.as_deref().and_then(Language::of_tag) {
            Some(language) => language,
            None => {
                let company = deps.table.company(&to.workspace_id, &to.company_id).await?;
                // Mails to those who speak none of our languages are in the company's or the workspace's, and so is
                // the page.
                let unspoken = if spoken.is_some() { settings.mail.language } else { browser };
                company.and_then(|company| company.language).unwrap_or(unspoken)
            }
        };
        Ok(Self { send, to, settings, language })
    }

    /// The texts of its pages.
    pub fn texts(&self) -> &'static Texts {
        texts(self.language)
    }

    /// What surrounds its pages.
    pub fn frame(&self) -> Frame<'_> {
        Frame::new(self.language, self.settings.product(), self.settings.mail.accent())
    }

    /// A text about the product.
    pub fn named(&self, text: &str) -> String {
        text.replace("{product}", self.settings.product())
    }

    /// The token of the unsubscribe page of the same mail.
    pub fn unsubscribe(&self, deps: &Deps) -> String {
        deps.link_keys.sign(Purpose::Unsubscribe, self.send, None)
    }
}
