//! The cookie of somebody who has signed in: given, renewed while it is used, taken away.

use super::{Errand, Visitor, page::again};
use crate::routes::QueryApi;
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use service::{
    access::{Identity, Keys, Role, SESSION_COOKIE},
    site::Site,
};

/// How long somebody stays signed in who does nothing.
pub(super) const LIFETIME: TimeDelta = TimeDelta::hours(12);

/// Signed in, and back to where they wanted to go.
pub(super) fn enter(api: &QueryApi, visitor: &Visitor, name: &str, role: Role, errand: Errand<'_>) -> Response {
    let token = api.inner.keys.issue(service::access::Purpose::Cookie, name, role, Utc::now(), LIFETIME);
    let mut response = if !is_local(errand.next) {
        Redirect::to(&format!("{}/report/", api.inner.base_path)).into_response()
    } else if errand.kept.is_empty() {
        Redirect::to(errand.next).into_response()
    } else {
        again(api, errand)
    };
    set_cookie(&mut response, SESSION_COOKIE, &token, LIFETIME.num_seconds(), visitor.is_secure());
    response
}

/// Signed out.
pub(super) fn leave(response: &mut Response, visitor: &Visitor) {
    set_cookie(response, SESSION_COOKIE, "", 0, visitor.is_secure());
}

/// An answer to somebody whose cookie is past half its life: with a new one, under the same id, so that a sign-out ends
/// both. `identity` is as the accounts have it now.
pub(crate) fn renewed(
    mut response: Response,
    keys: &Keys,
    identity: &Identity,
    site: Option<&Site>,
    now: DateTime<Utc>,
) -> Response {
    let (Some(name), Some(cookie)) = (&identity.name, identity.cookie) else { return response };
    // signing in and out say themselves what becomes of the cookie
    if cookie.expires - now >= LIFETIME / 2 || response.headers().contains_key(header::SET_COOKIE) {
        return response;
    }
    let token = keys.renew_cookie(cookie.id, name, identity.role, now, LIFETIME);
    set_cookie(&mut response, SESSION_COOKIE, &token, LIFETIME.num_seconds(), site.is_some_and(|site| site.https));
    // nobody in between may keep an answer that has a cookie
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A path of this very site: no other host, however it is written, and nothing that a header cannot hold.
pub(super) fn is_local(next: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    next.starts_with('/') && !next.starts_with("//") && next.bytes().all(plain)
}

/// A cookie that scripts cannot read and other sites' forms do not send; over TLS alone where the client came by TLS.
pub(super) fn set_cookie(response: &mut Response, name: &str, value: &str, seconds: i64, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use service::access::{Purpose, SessionCookie};
    use uuid::Uuid;

    #[rstest]
    #[case("/report/?days=7", true)]
    #[case("", false)]
    #[case("//evil.example", false)]
    #[case("/\\evil.example", false)]
    #[case("https://evil.example", false)]
    #[case("/\t/evil.example", false)]
    #[case("/\u{1}", false)]
    #[case("/gr\u{fc}n", false)]
    #[case("/gr%C3%BCn", true)]
    fn one_comes_back_to_this_site_alone(#[case] next: &str, #[case] local: bool) {
        assert_eq!(is_local(next), local);
    }

    #[rstest]
    #[case::fresh(TimeDelta::hours(11), None)]
    #[case::half(TimeDelta::hours(6), None)]
    #[case::past_half(TimeDelta::hours(6) - TimeDelta::seconds(1), Some(true))]
    #[case::about_to_end(TimeDelta::seconds(1), Some(true))]
    fn a_cookie_is_renewed_past_half_its_life(#[case] left: TimeDelta, #[case] expected: Option<bool>) {
        let (keys, now, id) = (Keys::new(&[7; 32]).unwrap(), Utc::now(), Uuid::new_v4());
        let cookie = Some(SessionCookie { id, expires: now + left });
        let identity = Identity { role: Role::Staff, name: Some("ann".into()), cookie };
        let site = Site { https: true, host: None };
        let answer = renewed(().into_response(), &keys, &identity, Some(&site), now);
        let renewed = answer.headers().get("set-cookie").map(|cookie| {
            let cookie = cookie.to_str().unwrap();
            let token = cookie.split(['=', ';']).nth(1).unwrap();
            let claims = keys.check(Purpose::Cookie, token, now + TimeDelta::hours(11)).unwrap();
            assert_eq!((claims.jti, claims.sub.as_str()), (id, "ann"));
            assert_eq!(answer.headers()["cache-control"], "no-store");
            cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=43200; Secure")
        });
        assert_eq!(renewed, expected);
    }
}
