//! Which function answers a request: the route selection of an API Gateway HTTP API.
//!
//! An exact path wins over one with `{parameters}`, that over a greedy `{proxy+}`, and `$default` takes
//! what is left. Methods must match (`ANY` takes all); HEAD is not turned into GET.

use http::Method;

use crate::template::{Route, Template};

/// All routes of the template.
#[derive(Debug, Clone)]
pub struct Routes {
    entries: Vec<Entry>,
    default: Option<String>,
}

#[derive(Debug, Clone)]
struct Entry {
    method: Option<Method>,
    segments: Vec<Segment>,
    function: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Exact(String),
    Parameter,
    Greedy,
}

/// How closely a route fits: segment by segment from the left, then by method. Smaller is closer.
type Fit = (Vec<u8>, u8);

impl Routes {
    /// Collects the routes of every function.
    #[must_use]
    pub fn new(template: &Template) -> Self {
        let mut routes = Self { entries: Vec::new(), default: None };
        for function in &template.functions {
            for route in &function.routes {
                routes.add(route, &function.name);
            }
        }
        routes
    }

    fn add(&mut self, route: &Route, function: &str) {
        if route.path == "$default" {
            self.default = Some(function.to_owned());
            return;
        }
        self.entries.push(Entry {
            method: route.method.clone(),
            segments: split(&route.path).map(segment).collect(),
            function: function.to_owned(),
        });
    }

    /// The name of the function that answers, if any does.
    #[must_use]
    pub fn select(&self, method: &Method, path: &str) -> Option<&str> {
        let parts: Vec<&str> = split(path).collect();
        self.entries
            .iter()
            .filter_map(|entry| Some((entry.fit(method, &parts)?, entry)))
            .min_by(|(a, _), (b, _)| a.cmp(b))
            .map(|(_, entry)| entry.function.as_str())
            .or(self.default.as_deref())
    }
}

impl Entry {
    fn fit(&self, method: &Method, parts: &[&str]) -> Option<Fit> {
        let by_method = match &self.method {
            Some(own) if own == method => 0,
            Some(_) => return None,
            None => 1,
        };
        let mut fit = Vec::with_capacity(self.segments.len());
        let mut parts = parts.iter();
        for segment in &self.segments {
            match (segment, parts.next()) {
                (Segment::Exact(own), Some(part)) if own == part => fit.push(0),
                (Segment::Parameter, Some(part)) if !part.is_empty() => fit.push(1),
                (Segment::Greedy, Some(_)) => {
                    fit.push(2);
                    return Some((fit, by_method));
                }
                _ => return None,
            }
        }
        parts.next().is_none().then_some((fit, by_method))
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

fn segment(text: &str) -> Segment {
    match text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
        Some(name) if name.ends_with('+') => Segment::Greedy,
        Some(_) => Segment::Parameter,
        None => Segment::Exact(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(list: &[(&str, &str, &str)]) -> Routes {
        let mut routes = Routes { entries: Vec::new(), default: None };
        for (method, path, function) in list {
            let method = (*method != "ANY").then(|| method.parse().unwrap());
            routes.add(&Route { method, path: (*path).to_owned() }, function);
        }
        routes
    }

    #[test]
    fn the_closest_route_wins() {
        let routes = routes(&[
            ("ANY", "$default", "default"),
            ("GET", "/", "root"),
            ("GET", "/v1/companies/{company_id}", "company"),
            ("GET", "/v1/companies/{proxy+}", "greedy"),
            ("GET", "/v1/companies/export", "export"),
            ("ANY", "/v1/companies/any", "any"),
        ]);
        let get = |path| routes.select(&Method::GET, path).unwrap();
        assert_eq!(get("/"), "root");
        assert_eq!(get("/v1/companies/export"), "export");
        assert_eq!(get("/v1/companies/any"), "any");
        assert_eq!(get("/v1/companies/acme"), "company");
        assert_eq!(get("/v1/companies/acme/weeks"), "greedy");
        assert_eq!(get("/v1/companies/acme%2Fx"), "company");
        assert_eq!(get("/v1/companies"), "default");
        assert_eq!(get("/v1/companies/acme/"), "greedy");
        assert_eq!(get("/v1/batch"), "default");
    }

    #[test]
    fn the_method_must_match() {
        let routes = routes(&[("ANY", "$default", "default"), ("GET", "/f/{token}", "form")]);
        assert_eq!(routes.select(&Method::GET, "/f/x"), Some("form"));
        assert_eq!(routes.select(&Method::HEAD, "/f/x"), Some("default"));
        assert_eq!(routes.select(&Method::POST, "/f/x"), Some("default"));
    }

    #[test]
    fn without_a_default_the_rest_has_no_function() {
        assert_eq!(routes(&[("GET", "/a", "a")]).select(&Method::GET, "/b"), None);
        assert_eq!(routes(&[("GET", "/a/{b}", "a")]).select(&Method::GET, "/a/"), None);
    }
}
