//! Who is asking, and what they may do.

mod token;

pub use token::{Claims, InvalidToken, Keys, Purpose, WeakKey};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

use crate::{cors::AllowedOrigins, http::Problem, site::Site};

/// The cookie of somebody who has signed in.
pub const SESSION_COOKIE: &str = "footfall_session";

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
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
    /// The cookie's token, when a cookie said it; query-api looks whether it is still good.
    pub cookie: Option<SessionCookie>,
}

/// What is known of a cookie's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionCookie {
    /// Its id; the same from sign-in to sign-out.
    pub id: Uuid,
    /// Until when it is good.
    pub expires: DateTime<Utc>,
}

impl SessionCookie {
    /// When its bearer signed in, in milliseconds; 1970 for one that does not tell.
    pub fn signed_in_at(&self) -> DateTime<Utc> {
        let time = self.id.get_timestamp().map(|time| time.to_unix()).unwrap_or_default();
        i64::try_from(time.0).ok().and_then(|seconds| DateTime::from_timestamp(seconds, time.1)).unwrap_or_default()
    }
}

/// What [`identify`] goes by.
#[derive(Clone, Debug)]
pub struct Identification {
    /// Check tokens and cookies.
    pub keys: Keys,
    /// Other sites whose pages may use a cookie.
    pub origins: AllowedOrigins,
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
/// cookie that is wrong is nobody's. Comes after [`client_address::resolve`](crate::client_address::resolve).
pub async fn identify(State(by): State<Identification>, mut request: Request, next: Next) -> Response {
    let identity = who(&by, request.headers(), request.extensions().get::<Site>(), Utc::now());
    let Ok(identity) = identity else {
        let problem = Problem::detail(StatusCode::UNAUTHORIZED, "Invalid token.");
        let challenge = header::HeaderValue::from_static("Bearer error=\"invalid_token\"");
        return problem.with(header::WWW_AUTHENTICATE, challenge).into_response();
    };
    request.extensions_mut().insert(identity);
    next.run(request).await
}

fn who(
    by: &Identification,
    headers: &HeaderMap,
    site: Option<&Site>,
    now: DateTime<Utc>,
) -> Result<Identity, InvalidToken> {
    if headers.get_all(header::AUTHORIZATION).iter().nth(1).is_some() {
        // which of them counts is a guess, and another one along the way may guess otherwise
        return Err(InvalidToken);
    }
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = String::from_utf8_lossy(value.as_bytes());
        // what is no token at all is a wrong one
        let (scheme, token) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
        // other schemes are for a proxy in front, not for us
        if scheme.eq_ignore_ascii_case("bearer") {
            let claims = by.keys.check(Purpose::Api, token.trim(), now)?;
            return Ok(Identity { role: claims.role, name: Some(claims.sub), cookie: None });
        }
    }
    let cookie = cookie(headers, SESSION_COOKIE).and_then(|token| by.keys.check(Purpose::Cookie, token, now).ok());
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let is_named = matches!((origins.next(), origins.next()), (Some(origin), None) if by.origins.is_named(origin));
    let counts = |_: &Claims| is_from_own_page(headers, site) || is_named;
    Ok(cookie.filter(counts).map_or_else(Identity::default, |claims| {
        let expires = DateTime::from_timestamp(claims.exp, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let cookie = SessionCookie { id: claims.jti, expires };
        Identity { role: claims.role, name: Some(claims.sub), cookie: Some(cookie) }
    }))
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Whether a browser says that the request comes from a page of this very site, or says nothing about it.
pub fn is_from_own_page(headers: &HeaderMap, site: Option<&Site>) -> bool {
    // one that is not ours is enough
    headers
        .get_all(header::ORIGIN)
        .iter()
        .all(|origin| matches!((origin.to_str(), site), (Ok(origin), Some(site)) if site.is_own(origin)))
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
    use crate::cors::parse_origin;
    use chrono::TimeDelta;

    fn by() -> Identification {
        let origins = [parse_origin("https://shop.example").unwrap(), parse_origin("*").unwrap()];
        Identification { keys: Keys::new(&[7; 32]).unwrap(), origins: origins.into_iter().collect() }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_cookie_counts_only_from_a_page_of_this_site_or_of_one_that_is_named() {
        let token = by().keys.issue(Purpose::Cookie, "ann", Role::Staff, at(0), TimeDelta::hours(12));
        let site = Site { https: false, host: Some("footfall.example".into()) };
        let role = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert("cookie", format!("a=b; {SESSION_COOKIE}={token}").parse().unwrap());
            if let Some(origin) = origin {
                headers.insert("origin", origin.parse().unwrap());
            }
            who(&by(), &headers, Some(&site), at(1)).unwrap().role
        };
        assert_eq!(role(None), Role::Staff);
        assert_eq!(role(Some("https://footfall.example")), Role::Staff);
        assert_eq!(role(Some("https://shop.example")), Role::Staff);
        // `*` lets every page ask, as nobody
        assert_eq!(role(Some("https://evil.example")), Role::Anonymous);
        assert_eq!(role(Some("null")), Role::Anonymous);
    }

    #[test]
    fn a_wrong_bearer_token_is_an_error_and_a_wrong_cookie_is_nobodys() {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", format!("{SESSION_COOKIE}=x").parse().unwrap());
        assert_eq!(who(&by(), &headers, None, at(1)), Ok(Identity::default()));
        for wrong in [&b"Bearer x"[..], b"bearer", b"Bearer ", b"Bearer\tx", b"Bearer \xff"] {
            headers.insert("authorization", axum::http::HeaderValue::from_bytes(wrong).unwrap());
            assert_eq!(who(&by(), &headers, None, at(1)), Err(InvalidToken), "{wrong:?}");
        }
    }

    #[test]
    fn a_level_asks_for_its_role() {
        let (nobody, user) = (Identity::default(), Identity { role: Role::User, ..Identity::default() });
        assert!(AccessLevel::Anyone.check(&nobody).is_ok() && AccessLevel::User.check(&user).is_ok());
        assert_eq!(AccessLevel::Staff.check(&nobody).unwrap_err().status, 401);
        assert_eq!(AccessLevel::Staff.check(&user).unwrap_err().status, 403);
    }
}
