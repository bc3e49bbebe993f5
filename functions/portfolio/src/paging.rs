//! Lists in pages. A cursor holds where a page ended rather than a number, so that what is added or removed in
//! between shifts nothing.

use barometer_cloud::{StoreError, http::Problem};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::params::{Params, wrong};

/// Most items of a page.
pub const MAX_LIMIT: usize = 200;

/// A page of a list.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; null at the end.
    pub next_cursor: Option<String>,
}

/// Where a page ended, and of which order: a cursor means nothing in another.
#[derive(Serialize, Deserialize)]
struct Cursor<K> {
    order: String,
    last: K,
}

/// The parameter `limit`, `default` when absent. Errors: 400 unless it is 1 to [`MAX_LIMIT`].
pub fn limit(params: &Params, default: usize) -> Result<usize, Problem> {
    let Some(text) = params.text("limit") else { return Ok(default) };
    match text.parse() {
        Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        _ => Err(wrong("limit", format!("a whole number from 1 to {MAX_LIMIT}"))),
    }
}

/// The position in the parameter `cursor`. Errors: 400 for what isn't a cursor of this order.
pub fn position<K: DeserializeOwned>(params: &Params, order: &str) -> Result<Option<K>, Problem> {
    let Some(text) = params.text("cursor") else { return Ok(None) };
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let cursor: Cursor<K> = serde_json::from_slice(&bytes).ok()?;
        (cursor.order == order).then_some(cursor.last)
    };
    match read() {
        Some(last) => Ok(Some(last)),
        None => Err(wrong("cursor", "not a cursor of this list in this order; begin without one".to_owned())),
    }
}

/// Cuts `rest`, what comes after the position, to a page. `key` gives the position after an item.
pub fn page<T, K: Serialize>(
    mut rest: Vec<T>,
    limit: usize,
    order: &str,
    key: impl Fn(&T) -> K,
) -> Result<Page<T>, Problem> {
    let more = rest.len() > limit;
    rest.truncate(limit);
    let next_cursor = match rest.last() {
        Some(last) if more => Some(cursor(order, key(last))?),
        _ => None,
    };
    Ok(Page { items: rest, next_cursor })
}

/// Items that [`sift`] reads at a time.
pub const STEP: i32 = 100;

/// Items that [`sift`] looks at in one request, however few of them fit: the page then ends early, with a cursor.
const LOOKED_AT: usize = 1_000;

/// Whether an item belongs into a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It does.
    Yes,
    /// It doesn't.
    No,
    /// It doesn't, and nothing behind it does.
    End,
}

/// A page of those that fit, out of a list that is read from where the last page ended. `read` answers the items behind a
/// place, up to [`STEP`], each with its own place.
pub async fn sift<T, R: Future<Output = Result<Vec<(String, T)>, StoreError>>>(
    mut after: Option<String>,
    limit: usize,
    order: &str,
    read: impl Fn(Option<String>) -> R,
    fits: impl Fn(&T) -> Fit,
) -> Result<Page<T>, Problem> {
    let (mut items, mut looked_at) = (Vec::new(), 0);
    while looked_at < LOOKED_AT {
        let found = read(after.clone()).await?;
        if found.is_empty() {
            return Ok(Page { items, next_cursor: None });
        }
        for (place, item) in found {
            looked_at += 1;
            match fits(&item) {
                Fit::End => return Ok(Page { items, next_cursor: None }),
                Fit::No => {}
                // One more than the page tells that there is another.
                Fit::Yes if items.len() == limit => {
                    return Ok(Page { items, next_cursor: Some(cursor(order, after)?) });
                }
                Fit::Yes => items.push(item),
            }
            after = Some(place);
        }
    }
    Ok(Page { items, next_cursor: Some(cursor(order, after)?) })
}

/// The cursor of a page that ended at `last`.
pub fn cursor<K: Serialize>(order: &str, last: K) -> Result<String, Problem> {
    let bytes = serde_json::to_vec(&Cursor { order: order.to_owned(), last }).map_err(|error| {
        tracing::error!(%error, "a cursor can't be written");
        Problem::internal()
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A page of a list whose items lie in the order of their keys, upwards or downwards.
pub fn by_key<T>(
    items: Vec<T>,
    params: &Params,
    order: &str,
    downwards: bool,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, Problem> {
    let limit = limit(params, MAX_LIMIT)?;
    let last: Option<String> = position(params, order)?;
    let after = |item: &T| {
        last.as_ref().is_none_or(|last| if downwards { key(item) < *last } else { key(item) > *last })
    };
    let rest = items.into_iter().filter(after).collect();
    page(rest, limit, order, key)
}
