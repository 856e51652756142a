//! Signed tokens.
//!
//! Everything that proves who somebody is is a JSON web token signed with the installation's secret key, so that any
//! service can check it without a database. What it is for stands in its audience: an API token is no cookie.

use super::Role;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, fmt, sync::Arc};
use uuid::{NoContext, Timestamp, Uuid};

/// Shortest secret key, in bytes.
const MIN_KEY_BYTES: usize = 32;

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
    /// Its own id; a cookie's tells when its bearer has signed in.
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
pub struct Keys(Arc<Inner>);

struct Inner {
    sign: EncodingKey,
    /// The key that signs, and before a rotation is over the one before.
    check: Vec<DecodingKey>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// From the installation's secret.
    pub fn new(secret: &[u8]) -> Result<Self, WeakKey> {
        Self::of(secret, None)
    }

    /// The first one signs; what the previous one has signed is still good, until it is left out.
    pub fn rotated(secret: &[u8], previous: &[u8]) -> Result<Self, WeakKey> {
        Self::of(secret, Some(previous))
    }

    fn of(secret: &[u8], previous: Option<&[u8]>) -> Result<Self, WeakKey> {
        let secrets = || std::iter::once(secret).chain(previous);
        if let Some(short) = secrets().find(|secret| secret.len() < MIN_KEY_BYTES) {
            return Err(WeakKey(short.len()));
        }
        let check = secrets().map(DecodingKey::from_secret).collect();
        Ok(Self(Arc::new(Inner { sign: EncodingKey::from_secret(secret), check })))
    }

    /// A token for somebody, good until `now + lifetime`.
    pub fn issue(&self, purpose: Purpose, name: &str, role: Role, now: DateTime<Utc>, lifetime: TimeDelta) -> String {
        let exp = expiry(now, lifetime);
        let jti = if purpose == Purpose::Cookie { id_of(now) } else { Uuid::new_v4() };
        self.sign(&Claims { sub: name.to_owned(), role, aud: purpose, jti, exp })
    }

    /// The cookie with this id again, good until `now + lifetime`: a sign-out ends all that have the id.
    pub fn renew_cookie(&self, id: Uuid, name: &str, role: Role, now: DateTime<Utc>, lifetime: TimeDelta) -> String {
        let exp = expiry(now, lifetime);
        self.sign(&Claims { sub: name.to_owned(), role, aud: Purpose::Cookie, jti: id, exp })
    }

    fn sign(&self, claims: &Claims) -> String {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.0.sign)
            .expect("signing strings and numbers with a symmetric key does not fail")
    }

    /// What a token says, if it is ours, for this purpose, and not expired at `now`.
    pub fn check(&self, purpose: Purpose, token: &str, now: DateTime<Utc>) -> Result<Claims, InvalidToken> {
        let mut validation = Validation::new(Algorithm::HS256);
        // both are looked at below, with the clock and the type that were given
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims = HashSet::new();
        let read = |key| jsonwebtoken::decode::<Claims>(token, key, &validation).ok();
        let claims = self.0.check.iter().find_map(read).ok_or(InvalidToken)?.claims;
        if claims.aud == purpose && claims.exp > now.timestamp() { Ok(claims) } else { Err(InvalidToken) }
    }

    /// A signature over something that is no token. `what` says which kind of thing it is, so that one kind is never
    /// taken for another; nor for a token, because what is signed of those holds no NUL.
    pub fn sign_text(&self, what: &str, message: &[u8]) -> String {
        jsonwebtoken::crypto::sign(&labelled(what, message), &self.0.sign, Algorithm::HS256)
            .expect("signing bytes with a symmetric key does not fail")
    }

    /// Whether [`sign_text`](Self::sign_text) gave this signature for it.
    pub fn is_signed(&self, what: &str, message: &[u8], signature: &str) -> bool {
        let message = labelled(what, message);
        let fits = |key| jsonwebtoken::crypto::verify(signature, &message, key, Algorithm::HS256).unwrap_or(false);
        self.0.check.iter().any(fits)
    }
}

fn labelled(what: &str, message: &[u8]) -> Vec<u8> {
    [what.as_bytes(), b"\0", message].concat()
}

/// An id that holds the time, in milliseconds.
fn id_of(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}

fn expiry(now: DateTime<Utc>, lifetime: TimeDelta) -> i64 {
    now.checked_add_signed(lifetime).unwrap_or(DateTime::<Utc>::MAX_UTC).timestamp()
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
    fn a_signature_holds_for_its_kind_its_message_and_its_key() {
        let signature = keys().sign_text("cursor", b"message");
        assert!(keys().is_signed("cursor", b"message", &signature));
        assert!(!keys().is_signed("cursor", b"another", &signature));
        assert!(!keys().is_signed("token", b"message", &signature));
        let other = [8; 32];
        assert!(!Keys::new(&other).unwrap().is_signed("cursor", b"message", &signature));
        assert!(Keys::rotated(&other, &[7; 32]).unwrap().is_signed("cursor", b"message", &signature));
        for rubbish in ["", "!", "AAAA"] {
            assert!(!keys().is_signed("cursor", b"message", rubbish), "{rubbish}");
        }
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
    fn a_weak_key_is_refused() {
        assert_eq!(Keys::new(b"short").unwrap_err(), WeakKey(5));
    }

    #[test]
    fn two_keys_are_good_at_once_and_the_first_one_signs() {
        let token = |keys: &Keys| keys.issue(Purpose::Api, "ann", Role::User, at(0), TimeDelta::seconds(10));
        let good = |keys: &Keys, token: &str| keys.check(Purpose::Api, token, at(1)).is_ok();
        let (old, new) = (keys(), Keys::new(&[8; 32]).unwrap());
        let both = Keys::rotated(&[8; 32], &[7; 32]).unwrap();
        assert!(good(&both, &token(&old)) && good(&both, &token(&new)));
        assert!(good(&new, &token(&both)) && !good(&old, &token(&both)));
        assert!(!good(&new, &token(&old)), "without the previous key what it signed is revoked");
        assert_eq!(Keys::rotated(&[8; 32], b"short").unwrap_err(), WeakKey(5));
    }

    #[test]
    fn a_renewed_cookie_keeps_its_id() {
        let token = keys().issue(Purpose::Cookie, "ann", Role::Staff, at(0), TimeDelta::seconds(10));
        let claims = keys().check(Purpose::Cookie, &token, at(9)).unwrap();
        let renewed = keys().renew_cookie(claims.jti, &claims.sub, claims.role, at(9), TimeDelta::seconds(10));
        assert_eq!(keys().check(Purpose::Cookie, &renewed, at(18)), Ok(Claims { exp: 19, ..claims }));
    }
}
