//! What a function reads from its environment, once, at start. Everything that is missing is named at once.

use aws_credential_types::Credentials;
use barometer_domain::token::{Key, Keys};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    Bus, Mailer, Table,
    clients::{self, Aws, Roots},
};

/// The environment is incomplete or wrong.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("configuration: {}", .0.join("; "))]
pub struct ConfigError(pub Vec<String>);

/// An OpenID Connect issuer, and who we are to it.
#[derive(Clone, PartialEq, Eq)]
pub struct OidcSettings {
    /// Its address, exactly as it writes it.
    pub issuer: String,
    /// Our id.
    pub client_id: String,
    /// Our secret.
    pub client_secret: String,
}

impl std::fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OidcSettings").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Reads the environment and collects everything that is missing or wrong.
pub struct Environment<'a> {
    read: &'a dyn Fn(&str) -> Option<String>,
    errors: Vec<String>,
}

impl<'a> Environment<'a> {
    /// An environment behind `read`.
    pub fn new(read: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { read, errors: Vec::new() }
    }

    fn optional(&self, name: &str) -> Option<String> {
        (self.read)(name).filter(|value| !value.is_empty())
    }

    /// A variable that must be there; its absence is noted and reported by [`Environment::finish`].
    pub fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.errors.push(format!("{name} is missing"));
            String::new()
        })
    }

    /// What SDK clients are built from: region and credentials, as the Lambda service sets them.
    pub fn aws(&mut self) -> Aws {
        let (region, endpoint_url) = (self.required("AWS_REGION"), self.optional("AWS_ENDPOINT_URL"));
        let own_certificates = self.optional("SSL_CERT_FILE").is_some();
        let roots = Roots::of(&region, endpoint_url.as_deref(), own_certificates);
        Aws {
            region,
            credentials: Credentials::new(
                self.required("AWS_ACCESS_KEY_ID"),
                self.required("AWS_SECRET_ACCESS_KEY"),
                self.optional("AWS_SESSION_TOKEN"),
                None,
                "environment",
            ),
            http_client: clients::https_client(roots),
            endpoint_url,
        }
    }

    /// The table named by `BAROMETER_TABLE`.
    pub fn table(&mut self, aws: &Aws) -> Table {
        Table::new(clients::dynamodb(aws), self.required("BAROMETER_TABLE"))
    }

    /// The bus named by `BAROMETER_BUS`.
    pub fn bus(&mut self, aws: &Aws) -> Bus {
        Bus::new(clients::eventbridge(aws), self.required("BAROMETER_BUS"))
    }

    /// The mailer that sends from `BAROMETER_MAIL_FROM`.
    pub fn mailer(&mut self, aws: &Aws) -> Mailer {
        let from = self.required("BAROMETER_MAIL_FROM");
        Mailer::new(clients::sesv2(aws), from, self.optional("BAROMETER_CONFIGURATION_SET"))
    }

    /// The public address of the HTTP API, `BAROMETER_ORIGIN`, without a slash at the end.
    pub fn origin(&mut self) -> String {
        self.required("BAROMETER_ORIGIN").trim_end_matches('/').to_owned()
    }

    /// The same where it may be absent: a function behind the API can't be told the API's own address.
    pub fn optional_origin(&self) -> Option<String> {
        self.optional("BAROMETER_ORIGIN").map(|origin| origin.trim_end_matches('/').to_owned())
    }

    /// The OpenID Connect issuer that members may sign in with: `BAROMETER_OIDC_ISSUER`, `BAROMETER_OIDC_CLIENT_ID` and
    /// `BAROMETER_OIDC_CLIENT_SECRET`, all of them or none.
    pub fn oidc(&mut self) -> Option<OidcSettings> {
        const NAMES: [&str; 3] =
            ["BAROMETER_OIDC_ISSUER", "BAROMETER_OIDC_CLIENT_ID", "BAROMETER_OIDC_CLIENT_SECRET"];
        if NAMES.iter().all(|name| self.optional(name).is_none()) {
            return None;
        }
        let [issuer, client_id, client_secret] = NAMES.map(|name| self.required(name));
        Some(OidcSettings { issuer, client_id, client_secret })
    }

    /// The keys that sign links, `BAROMETER_LINK_KEYS`: `id:base64` pairs separated by commas, the first signs.
    pub fn link_keys(&mut self) -> Keys {
        let text = self.required("BAROMETER_LINK_KEYS");
        match link_keys(&text) {
            Some(keys) => keys,
            None => {
                if !text.is_empty() {
                    self.errors.push(
                        "BAROMETER_LINK_KEYS must be like 1:BASE64[,2:BASE64], each of 32 bytes or more"
                            .to_owned(),
                    );
                }
                Keys::new(Key { id: 0, secret: Vec::new() }, Vec::new())
            }
        }
    }

    /// Whether cookies may only travel over HTTPS: always, except where `BAROMETER_ORIGIN` is there and plain HTTP.
    pub fn secure_cookies(&self) -> bool {
        !self.optional("BAROMETER_ORIGIN").is_some_and(|origin| origin.starts_with("http://"))
    }

    /// Ends the reading. Errors: all that was missing or wrong.
    pub fn finish<T>(self, deps: T) -> Result<T, ConfigError> {
        if self.errors.is_empty() { Ok(deps) } else { Err(ConfigError(self.errors)) }
    }
}

/// Reads the process's environment with `build`. Errors: everything that is missing or wrong.
pub fn from_env<T>(build: impl FnOnce(&mut Environment<'_>) -> T) -> Result<T, ConfigError> {
    let read = |name: &str| std::env::var(name).ok();
    let mut environment = Environment::new(&read);
    let deps = build(&mut environment);
    environment.finish(deps)
}

fn link_keys(text: &str) -> Option<Keys> {
    let mut keys = text.split(',').map(|pair| {
        let (id, secret) = pair.trim().split_once(':')?;
        let secret = STANDARD.decode(secret).ok()?;
        (secret.len() >= 32).then_some(Key { id: id.parse().ok()?, secret })
    });
    let current = keys.next()??;
    Some(Keys::new(current, keys.collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_everything_that_is_missing() {
        let read = |name: &str| (name == "AWS_REGION").then(|| "eu-central-1".to_owned());
        let mut environment = Environment::new(&read);
        let aws = environment.aws();
        environment.table(&aws);
        environment.link_keys();
        let ConfigError(missing) = environment.finish(()).unwrap_err();
        assert_eq!(
            missing,
            [
                "AWS_ACCESS_KEY_ID is missing",
                "AWS_SECRET_ACCESS_KEY is missing",
                "BAROMETER_TABLE is missing",
                "BAROMETER_LINK_KEYS is missing"
            ]
        );
    }

    #[test]
    fn cookies_are_secure_unless_the_origin_is_plain_http() {
        for (origin, secure) in
            [(None, true), (Some("https://x.example"), true), (Some("http://localhost"), false)]
        {
            let read = |name: &str| origin.filter(|_| name == "BAROMETER_ORIGIN").map(str::to_owned);
            let environment = Environment::new(&read);
            assert_eq!(environment.secure_cookies(), secure, "{origin:?}");
            assert!(environment.finish(()).is_ok());
        }
    }

    #[test]
    fn an_issuer_is_there_whole_or_not_at_all() {
        let of = |given: &[&str]| {
            let read = |name: &str| given.contains(&name).then(|| "x".to_owned());
            let mut environment = Environment::new(&read);
            let oidc = environment.oidc();
            environment.finish(oidc.is_some())
        };
        let all = ["BAROMETER_OIDC_ISSUER", "BAROMETER_OIDC_CLIENT_ID", "BAROMETER_OIDC_CLIENT_SECRET"];
        assert_eq!(of(&[]), Ok(false));
        assert_eq!(of(&all), Ok(true));
        let missing = of(&["BAROMETER_OIDC_ISSUER"]).unwrap_err();
        assert_eq!(
            missing.0,
            ["BAROMETER_OIDC_CLIENT_ID is missing", "BAROMETER_OIDC_CLIENT_SECRET is missing"]
        );
    }

    #[test]
    fn reads_two_link_keys() {
        let secret = STANDARD.encode([7; 32]);
        assert!(link_keys(&format!("1:{secret}, 2:{secret}")).is_some());
        assert!(link_keys(&format!("1:{}", STANDARD.encode([7; 31]))).is_none());
        assert!(link_keys("1:not base64").is_none());
    }
}
