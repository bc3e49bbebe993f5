//! What kind of answer a client asks for.

use http::{HeaderMap, header};

/// Whether `Accept` names a type and likes it more than `application/json`. A wildcard names nothing.
pub fn prefers(headers: &HeaderMap, kind: &str) -> bool {
    let quality = |wanted: &str| {
        headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|accept| accept.to_str().ok())
            .flat_map(|accept| accept.split(','))
            .filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let named = parts.next()?.eq_ignore_ascii_case(wanted);
                let given = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
                named.then(|| given.unwrap_or(1.0))
            })
            .fold(0.0_f32, f32::max)
    };
    quality(kind) > quality("application/json")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn csv_is_for_those_who_name_it_and_like_it_more() {
        for (accept, csv) in [
            ("text/csv", true),
            ("text/csv, */*", true),
            ("text/csv;q=0.9, application/json;q=0.5", true),
            ("application/json, text/csv", false),
            ("application/json, text/csv;q=0.1", false),
            ("text/csv;q=0", false),
            ("*/*", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(prefers(&headers, "text/csv"), csv, "{accept}");
        }
    }
}
