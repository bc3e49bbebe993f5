//! A small OpenID Connect issuer in this process: it checks what a client must say and signs what a test wants signed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use barometer_cloud::config::OidcSettings;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
        RsaPublicKeyComponents,
    },
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub const CLIENT: &str = "barometer & friends";
pub const SECRET: &str = "s:e%c r&t";

/// How a token is signed, and with what it is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    Rs256,
    Es256,
    /// RS256 by a key that isn't published under this id.
    Forged,
    /// `alg: none` and no signature.
    Unsigned,
    /// HMAC with the published key's modulus as its secret.
    Symmetric,
    /// A good signature of other claims.
    Swapped,
    /// RS256 with an id that no key has.
    UnknownKey,
}

/// A code that was given out.
struct Given {
    challenge: String,
    redirect: String,
    claims: Value,
    signing: Signing,
}

struct Inner {
    url: String,
    codes: HashMap<String, Given>,
    ec: EcdsaKeyPair,
    auth_methods: Value,
    /// What the description says its issuer is.
    named: Option<String>,
    /// Paths that were asked for.
    calls: Vec<String>,
}

#[derive(Clone)]
pub struct Issuer(Arc<Mutex<Inner>>);

/// An RSA key that is for these tests only.
fn rsa_key() -> RsaKeyPair {
    let text: String = include_str!("issuer.key").split_whitespace().collect();
    RsaKeyPair::from_der(&STANDARD.decode(text).unwrap()).unwrap()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Issuer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let ec =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        let issuer = Self(Arc::new(Mutex::new(Inner {
            url: format!("http://{}", listener.local_addr().unwrap()),
            codes: HashMap::new(),
            ec,
            auth_methods: json!(["client_secret_basic", "client_secret_post"]),
            named: None,
            calls: Vec::new(),
        })));
        let serving = issuer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let issuer = serving.clone();
                tokio::spawn(async move { issuer.answer(stream).await });
            }
        });
        issuer
    }

    pub fn url(&self) -> String {
        self.0.lock().unwrap().url.clone()
    }

    pub fn settings(&self) -> OidcSettings {
        OidcSettings { issuer: self.url(), client_id: CLIENT.to_owned(), client_secret: SECRET.to_owned() }
    }

    /// From now on it takes the client's secret in the body only.
    pub fn take_post_only(&self) {
        self.0.lock().unwrap().auth_methods = json!(["client_secret_post"]);
    }

    /// From now on its description is another issuer's.
    pub fn call_itself(&self, name: &str) {
        self.0.lock().unwrap().named = Some(name.to_owned());
    }

    pub fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().calls.clone()
    }

    /// Somebody signed in: gives a code out for what the client asked for, and claims that say so.
    pub fn give(&self, asked: &HashMap<String, String>, claims: Value, signing: Signing) -> String {
        assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", CLIENT));
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        let code = format!("code/{}", asked["state"]);
        let given = Given {
            challenge: asked["code_challenge"].clone(),
            redirect: asked["redirect_uri"].clone(),
            claims,
            signing,
        };
        self.0.lock().unwrap().codes.insert(code.clone(), given);
        code
    }

    async fn answer(&self, mut stream: TcpStream) {
        let mut read = Vec::new();
        let (head, mut body) = loop {
            let mut some = [0; 4_096];
            let count = stream.read(&mut some).await.unwrap();
            read.extend_from_slice(&some[..count]);
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8(read[..end].to_vec()).unwrap();
                break (head, read[end + 4..].to_vec());
            }
        };
        let header = |name: &str| {
            head.lines().find_map(|line| {
                let (found, value) = line.split_once(": ")?;
                found.eq_ignore_ascii_case(name).then(|| value.to_owned())
            })
        };
        let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
        while body.len() < length {
            let mut some = [0; 4_096];
            let count = stream.read(&mut some).await.unwrap();
            body.extend_from_slice(&some[..count]);
        }
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let (status, said) = match path.as_str() {
            "/.well-known/openid-configuration" => (200, self.description()),
            "/jwks" => (200, self.keys()),
            "/token" => self.token(header("authorization"), &body),
            _ => (404, json!({})),
        };
        self.0.lock().unwrap().calls.push(path);
        let said = said.to_string();
        let answer = format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{said}",
            said.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    }

    fn description(&self) -> Value {
        let inner = self.0.lock().unwrap();
        let url = &inner.url;
        json!({
            "issuer": inner.named.as_ref().unwrap_or(url),
            "authorization_endpoint": format!("{url}/authorize?tenant=1"),
            "token_endpoint": format!("{url}/token"),
            "jwks_uri": format!("{url}/jwks"),
            "token_endpoint_auth_methods_supported": inner.auth_methods,
        })
    }

    fn keys(&self) -> Value {
        let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(rsa_key().public());
        let inner = self.0.lock().unwrap();
        let point = inner.ec.public_key().as_ref();
        json!({ "keys": [
            { "kty": "OKP", "crv": "Ed25519", "kid": "unknown kind", "x": "AA" },
            { "kty": "RSA", "kid": "encrypts", "use": "enc", "n": encode(&n), "e": encode(&e) },
            { "kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256", "n": encode(n), "e": encode(e) },
            { "kty": "EC", "kid": "ec", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]) },
        ] })
    }

    fn token(&self, authorization: Option<String>, body: &[u8]) -> (u16, Value) {
        let form: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let client = match authorization {
            Some(basic) => {
                let pair = STANDARD.decode(basic.strip_prefix("Basic ").unwrap()).unwrap();
                let pair = String::from_utf8(pair).unwrap();
                let (id, secret) = pair.split_once(':').unwrap();
                let plain = |text: &str| {
                    form_urlencoded::parse(format!("x={text}").as_bytes()).next().unwrap().1.into_owned()
                };
                (plain(id), plain(secret))
            }
            None => (form["client_id"].clone(), form["client_secret"].clone()),
        };
        assert_eq!(client, (CLIENT.to_owned(), SECRET.to_owned()));
        let mut inner = self.0.lock().unwrap();
        let Some(given) = inner.codes.remove(&form["code"]) else {
            return (400, json!({ "error": "invalid_grant" }));
        };
        let challenge = encode(Sha256::digest(&form["code_verifier"]));
        if form["grant_type"] != "authorization_code"
            || form["redirect_uri"] != given.redirect
            || challenge != given.challenge
        {
            return (400, json!({ "error": "invalid_grant" }));
        }
        let token = inner.sign(&given.claims, given.signing);
        (200, json!({ "access_token": "a", "token_type": "Bearer", "id_token": token }))
    }
}

impl Inner {
    fn sign(&self, claims: &Value, signing: Signing) -> String {
        let (alg, kid) = match signing {
            Signing::Es256 => ("ES256", "ec"),
            Signing::Unsigned => ("none", "rsa"),
            Signing::Symmetric => ("HS256", "rsa"),
            Signing::UnknownKey => ("RS256", "another"),
            Signing::Forged => ("RS256", "encrypts"),
            Signing::Rs256 | Signing::Swapped => ("RS256", "rsa"),
        };
        let header = encode(json!({ "alg": alg, "kid": kid, "typ": "JWT" }).to_string());
        let signed = format!("{header}.{}", encode(claims.to_string()));
        let random = SystemRandom::new();
        let rsa = |text: &str| {
            let key: RsaKeyPair = rsa_key();
            let mut signature = vec![0; key.public().modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap();
            signature
        };
        let signature = match signing {
            Signing::Es256 => self.ec.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            Signing::Unsigned => Vec::new(),
            Signing::Symmetric => {
                let n = rsa::PublicKeyComponents::<Vec<u8>>::from(rsa_key().public()).n;
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &n);
                ring::hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            Signing::Swapped => rsa(&format!("{header}.{}", encode("{}"))),
            Signing::Rs256 | Signing::Forged | Signing::UnknownKey => rsa(&signed),
        };
        format!("{signed}.{}", encode(signature))
    }
}
