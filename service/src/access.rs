//! Who is asking: signed tokens, and the roles they carry.
//!
//! Everything that proves who somebody is is a JSON web token signed with the installation's secret key, so that any
//! service can check it without a database. What it is for stands in its audience: an API token is no cookie.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, fmt, str::FromStr, sync::Arc};
use uuid::Uuid;

use crate::http::Problem;

/// The cookie of somebody who has signed in.
pub const SESSION_COOKIE: &str = "footfall_session";

/// Shortest secret key, in bytes.
const MIN_KEY_BYTES: usize = 32;

/// What somebody may do; a higher role includes the lower ones.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Nobody in particular.
    #[default]
    #[value(skip)]
    Anonymous,
    /// Has a token or an account.
    User,
    /// Sees the report and the admin.
    Staff,
}

/// Who may use something: the least role that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AccessLevel {
    /// Everybody.
    Anyone,
    /// Whoever has a token or an account.
    User,
    /// Staff alone.
    Staff,
}

/// Who is asking. A request extension, put there by [`identify`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// What they may do.
    pub role: Role,
    /// The account's or the token's name.
    pub name: Option<String>,
    /// The id of the cookie's token, when a cookie said it; query-api looks whether it is still good.
    pub cookie: Option<Uuid>,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// `Authorization: Bearer …` of a program.
    Api,
    /// The cookie of a person.
    Cookie,
    /// The one-time link that `up` prints.
    SignInLink,
    /// A form of ours.
    Form,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Whose it is.
    pub sub: String,
    /// What they may do.
    pub role: Role,
    /// What it is for.
    pub aud: Purpose,
    /// Its own id.
    pub jti: Uuid,
    /// Until when it is good, in seconds since 1970.
    pub exp: i64,
}

/// The token is not one of ours, is for something else, or has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid token")]
pub struct InvalidToken;

/// The key is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret key has {0} bytes and needs at least 32; `head -c 32 /dev/urandom | base64` makes one")]
pub struct WeakKey(usize);

/// Signs and checks tokens.
#[derive(Clone)]
pub struct Keys(Arc<Pair>);

struct Pair {
    sign: EncodingKey,
    check: DecodingKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// From the installation's secret.
    pub fn new(secret: &[u8]) -> Result<Self, WeakKey> {
        if secret.len() < MIN_KEY_BYTES {
            return Err(WeakKey(secret.len()));
        }
        Ok(Self(Arc::new(Pair { sign: EncodingKey::from_secret(secret), check: DecodingKey::from_secret(secret) })))
    }

    /// A token for somebody, good until `now + lifetime`.
    pub fn issue(&self, purpose: Purpose, name: &str, role: Role, now: DateTime<Utc>, lifetime: TimeDelta) -> String {
        let exp = now.checked_add_signed(lifetime).unwrap_or(DateTime::<Utc>::MAX_UTC).timestamp();
        let claims = Claims { sub: name.to_owned(), role, aud: purpose, jti: Uuid::new_v4(), exp };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.0.sign)
            .expect("signing strings and numbers with a symmetric key does not fail")
    }

    /// What a token says, if it is ours, for this purpose, and not expired at `now`.
    pub fn check(&self, purpose: Purpose, token: &str, now: DateTime<Utc>) -> Result<Claims, InvalidToken> {
        let mut validation = Validation::new(Algorithm::HS256);
        // both are looked at below, with the clock and the type that were given
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims = HashSet::new();
        let claims =
            jsonwebtoken::decode::<Claims>(token, &self.0.check, &validation).map_err(|_| InvalidToken)?.claims;
        if claims.aud == purpose && claims.exp > now.timestamp() { Ok(claims) } else { Err(InvalidToken) }
    }

    /// A signature over something that is no token. `what` says which kind of thing it is, so that one kind is never
    /// taken for another; nor for a token, because what is signed of those holds no NUL.
    pub fn sign(&self, what: &str, message: &[u8]) -> String {
        jsonwebtoken::crypto::sign(&labelled(what, message), &self.0.sign, Algorithm::HS256)
            .expect("signing bytes with a symmetric key does not fail")
    }

    /// Whether [`sign`](Self::sign) gave this signature for it.
    pub fn is_signed(&self, what: &str, message: &[u8], signature: &str) -> bool {
        jsonwebtoken::crypto::verify(signature, &labelled(what, message), &self.0.check, Algorithm::HS256)
            .unwrap_or(false)
    }
}

fn labelled(what: &str, message: &[u8]) -> Vec<u8> {
    [what.as_bytes(), b"\0", message].concat()
}

impl AccessLevel {
    /// Whether somebody may; 401 for those who have not signed in, 403 for those who have (contract § 4).
    pub fn check(self, identity: &Identity) -> Result<(), Problem> {
        let least = match self {
            Self::Anyone => Role::Anonymous,
            Self::User => Role::User,
            Self::Staff => Role::Staff,
        };
        if identity.role >= least {
            Ok(())
        } else if identity.role == Role::Anonymous {
            let problem = Problem::detail(StatusCode::UNAUTHORIZED, "Authentication credentials were not provided.");
            Err(problem.with(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer")))
        } else {
            Err(Problem::detail(StatusCode::FORBIDDEN, "You do not have permission to perform this action."))
        }
    }
}

/// Middleware: puts [`Identity`] into the request. A Bearer token that is wrong or expired is 401 on any path; a
/// cookie that is wrong is nobody's.
pub async fn identify(State(keys): State<Keys>, mut request: Request, next: Next) -> Response {
    let Ok(identity) = who(&keys, request.headers(), Utc::now()) else {
        let problem = Problem::detail(StatusCode::UNAUTHORIZED, "Invalid token.");
        let challenge = header::HeaderValue::from_static("Bearer error=\"invalid_token\"");
        return problem.with(header::WWW_AUTHENTICATE, challenge).into_response();
    };
    request.extensions_mut().insert(identity);
    next.run(request).await
}

fn who(keys: &Keys, headers: &HeaderMap, now: DateTime<Utc>) -> Result<Identity, InvalidToken> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
        // other schemes are for a proxy in front, not for us
        if scheme.eq_ignore_ascii_case("bearer") {
            let claims = keys.check(Purpose::Api, token.trim(), now)?;
            return Ok(Identity { role: claims.role, name: Some(claims.sub), cookie: None });
        }
    }
    let cookie = cookie(headers, SESSION_COOKIE).and_then(|token| keys.check(Purpose::Cookie, token, now).ok());
    Ok(match cookie.filter(|_| same_origin(headers)) {
        Some(claims) => Identity { role: claims.role, name: Some(claims.sub), cookie: Some(claims.jti) },
        None => Identity::default(),
    })
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Whether a browser says that the request comes from a page of this very address, or says nothing about it.
pub fn same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    matches!((origin, host), (Some((_, origin)), Some(host)) if origin.eq_ignore_ascii_case(host))
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "user" => Ok(Self::User),
            "staff" => Ok(Self::Staff),
            _ => Err(format!("{text:?} is no role; there are user and staff")),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "anonymous",
            Self::User => "user",
            Self::Staff => "staff",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::new(&[7; 32]).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_token_is_good_for_its_purpose_until_it_expires() {
        let token = keys().issue(Purpose::Api, "ann", Role::Staff, at(0), TimeDelta::seconds(10));
        let claims = keys().check(Purpose::Api, &token, at(9)).unwrap();
        assert_eq!((claims.sub.as_str(), claims.role), ("ann", Role::Staff));
        assert_eq!(keys().check(Purpose::Api, &token, at(10)), Err(InvalidToken));
        assert_eq!(keys().check(Purpose::Cookie, &token, at(9)), Err(InvalidToken));
        assert_eq!(Keys::new(&[8; 32]).unwrap().check(Purpose::Api, &token, at(9)), Err(InvalidToken));
    }

    #[test]
    fn a_token_without_a_signature_is_refused() {
        // {"alg":"none"}.{"sub":"x","role":"staff","aud":"api",…}.
        let claims = "eyJzdWIiOiJ4Iiwicm9sZSI6InN0YWZmIiwiYXVkIjoiYXBpIiwianRpIjoiMDE4OTBhNWQtYWM5Ni03NzRiLWJjY2UtYjMwMjA5OWE4MDU3IiwiZXhwIjo5OTk5OTk5OTk5fQ";
        assert_eq!(keys().check(Purpose::Api, &format!("eyJhbGciOiJub25lIn0.{claims}."), at(0)), Err(InvalidToken));
        assert_eq!(keys().check(Purpose::Api, "", at(0)), Err(InvalidToken));
    }

    #[test]
    fn a_signature_holds_for_its_kind_its_message_and_its_key() {
        let signature = keys().sign("cursor", b"message");
        assert!(keys().is_signed("cursor", b"message", &signature));
        assert!(!keys().is_signed("cursor", b"another", &signature));
        assert!(!keys().is_signed("token", b"message", &signature));
        assert!(!Keys::new(&[8; 32]).unwrap().is_signed("cursor", b"message", &signature));
        for rubbish in ["", "!", "AAAA"] {
            assert!(!keys().is_signed("cursor", b"message", rubbish), "{rubbish}");
        }
    }

    #[test]
    fn a_weak_key_is_refused() {
        assert_eq!(Keys::new(b"short").unwrap_err(), WeakKey(5));
    }

    #[test]
    fn a_cookie_counts_only_from_a_page_of_the_same_address() {
        let token = keys().issue(Purpose::Cookie, "ann", Role::Staff, at(0), TimeDelta::hours(12));
        let mut headers = HeaderMap::new();
        headers.insert("cookie", format!("a=b; {SESSION_COOKIE}={token}").parse().unwrap());
        headers.insert("host", "footfall.example".parse().unwrap());
        assert_eq!(who(&keys(), &headers, at(1)).unwrap().role, Role::Staff);
        headers.insert("origin", "https://footfall.example".parse().unwrap());
        assert_eq!(who(&keys(), &headers, at(1)).unwrap().role, Role::Staff);
        headers.insert("origin", "https://evil.example".parse().unwrap());
        assert_eq!(who(&keys(), &headers, at(1)).unwrap(), Identity::default());
    }

    #[test]
    fn a_wrong_bearer_token_is_an_error_and_a_wrong_cookie_is_nobodys() {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", format!("{SESSION_COOKIE}=x").parse().unwrap());
        assert_eq!(who(&keys(), &headers, at(1)), Ok(Identity::default()));
        headers.insert("authorization", "Bearer x".parse().unwrap());
        assert_eq!(who(&keys(), &headers, at(1)), Err(InvalidToken));
    }

    #[test]
    fn a_level_asks_for_its_role() {
        let (nobody, user) = (Identity::default(), Identity { role: Role::User, ..Identity::default() });
        assert!(AccessLevel::Anyone.check(&nobody).is_ok() && AccessLevel::User.check(&user).is_ok());
        assert_eq!(AccessLevel::Staff.check(&nobody).unwrap_err().status, 401);
        assert_eq!(AccessLevel::Staff.check(&user).unwrap_err().status, 403);
    }
}
