//! Checks an ID token: OpenID Connect Core 1.0, 3.1.3.7, for tokens that come straight from the issuer's token endpoint.
//!
//! Two algorithms are known, RS256 and ES256, and nothing a token says can bring in another: a key of the issuer's has its
//! own, and a token that names a different one, or `none`, is refused before anything in it is read. The signatures are
//! ring's, the library that TLS stands on here; a JWT library would bring a second one along.

use barometer_domain::email::EmailAddress;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// How far two clocks may be apart, in seconds.
const LEEWAY: i64 = 60;

/// Why a token isn't believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It isn't three parts of base64url with JSON in them.
    #[error("not a token")]
    Malformed,
    /// It names an algorithm other than RS256 and ES256.
    #[error("signed with an algorithm that isn't taken")]
    Algorithm,
    /// The issuer publishes no key that could have signed it.
    #[error("signed with an unknown key")]
    UnknownKey,
    /// The signature isn't that of the key.
    #[error("the signature is wrong")]
    Signature,
    /// Another issuer's.
    #[error("of another issuer")]
    Issuer,
    /// For another client.
    #[error("for another client")]
    Audience,
    /// It has ended.
    #[error("expired")]
    Expired,
    /// It says that it begins later.
    #[error("not yet valid")]
    Early,
    /// For another attempt to sign in.
    #[error("for another attempt")]
    Nonce,
    /// The issuer doesn't know that the address is theirs.
    #[error("the e-mail address isn't verified")]
    Unverified,
    /// It names no address.
    #[error("no e-mail address")]
    NoAddress,
}

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// Our id at the issuer.
    pub client_id: &'a str,
    /// What was sent along when this attempt began.
    pub nonce: &'a str,
}

/// The issuer's keys: a JSON Web Key Set (RFC 7517).
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Keys {
    keys: Vec<Value>,
}

/// A key that signs, with what makes it one.
#[derive(Deserialize)]
#[serde(tag = "kty")]
enum Key {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "EC")]
    Ec { crv: String, x: String, y: String },
}

/// What every key may say.
#[derive(Default, Deserialize)]
struct About {
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    alg: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Extensions that must be understood; we understand none.
    #[serde(default)]
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_verified: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The two algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Es256,
}

/// The verified address that a token names. Errors: [`Refusal`].
pub fn verify(
    token: &str,
    keys: &Keys,
    expected: Expected<'_>,
    now: DateTime<Utc>,
) -> Result<EmailAddress, Refusal> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refusal::Malformed)?;
    let header: Header = read(header)?;
    let algorithm = match header.alg.as_str() {
        "RS256" => Algorithm::Rs256,
        "ES256" => Algorithm::Es256,
        _ => return Err(Refusal::Algorithm),
    };
    if header.crit.is_some() {
        return Err(Refusal::Malformed);
    }
    keys.check(algorithm, header.kid.as_deref(), signed.as_bytes(), &signature)?;
    read::<Claims>(claims)?.check(expected, now.timestamp())
}

fn read<T: DeserializeOwned>(part: &str) -> Result<T, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::Malformed)
}

impl Keys {
    /// That one of the keys that a token may mean has signed it.
    fn check(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), Refusal> {
        let mut refusal = Refusal::UnknownKey;
        for value in &self.keys {
            let about = About::deserialize(value).unwrap_or_default();
            let named = kid.is_none_or(|kid| about.kid.as_deref() == Some(kid));
            let signs = about.purpose.is_none_or(|purpose| purpose == "sig");
            // A kind of key that we don't know is another program's.
            let Ok(key) = Key::deserialize(value) else { continue };
            let fits = about.alg.is_none_or(|alg| alg == algorithm.name()) && key.is_for(algorithm);
            if !(named && signs && fits) {
                continue;
            }
            match key.has_signed(signed, signature) {
                Some(true) => return Ok(()),
                Some(false) => refusal = Refusal::Signature,
                None => {}
            }
        }
        Err(refusal)
    }
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

impl Key {
    fn is_for(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa { .. } => algorithm == Algorithm::Rs256,
            Self::Ec { crv, .. } => algorithm == Algorithm::Es256 && crv == "P-256",
        }
    }

    /// Whether it has; nothing when the key can't be read.
    fn has_signed(&self, signed: &[u8], signature: &[u8]) -> Option<bool> {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        match self {
            Self::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n: decode(n)?, e: decode(e)? };
                Some(key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok())
            }
            Self::Ec { x, y, .. } => {
                let (x, y) = (decode(x)?, decode(y)?);
                // An uncompressed point (SEC 1, 2.3.3).
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                Some(
                    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature).is_ok(),
                )
            }
        }
    }
}

impl Claims {
    fn check(self, expected: Expected<'_>, now: i64) -> Result<EmailAddress, Refusal> {
        if self.iss != expected.issuer {
            return Err(Refusal::Issuer);
        }
        let (ours, several) = match &self.aud {
            Audience::One(one) => (one == expected.client_id, false),
            Audience::Several(all) => (all.iter().any(|one| one == expected.client_id), all.len() > 1),
        };
        let authorized = match &self.azp {
            Some(azp) => azp == expected.client_id,
            None => !several,
        };
        if !ours || !authorized {
            return Err(Refusal::Audience);
        }
        if now - LEEWAY >= self.exp {
            return Err(Refusal::Expired);
        }
        if self.iat > now + LEEWAY || self.nbf.is_some_and(|nbf| nbf > now + LEEWAY) {
            return Err(Refusal::Early);
        }
        if self.nonce.as_deref() != Some(expected.nonce) {
            return Err(Refusal::Nonce);
        }
        let email = self.email.ok_or(Refusal::NoAddress)?;
        // Some issuers write it as text.
        if self.email_verified != true && self.email_verified != "true" {
            return Err(Refusal::Unverified);
        }
        EmailAddress::new(&email).map_err(|_| Refusal::NoAddress)
    }
}
