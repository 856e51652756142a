//! The token of the forms of somebody who is signed in: signed by us, for this very sign-in. Another site's page can
//! send a form with the cookie, but does not know the token.

use crate::routes::QueryApi;
use chrono::Utc;
use service::access::{Identity, Purpose};
use uuid::Uuid;

/// A token for a form; each one is another.
pub(crate) fn form_token(api: &QueryApi, identity: &Identity) -> String {
    api.inner.keys.issue(Purpose::Form, &bound_to(identity), identity.role, Utc::now(), super::session::LIFETIME)
}

/// The id of a form that was given to this very sign-in, if its token says so.
pub(crate) fn of_form(api: &QueryApi, identity: &Identity, token: &str) -> Option<Uuid> {
    let claims = api.inner.keys.check(Purpose::Form, token, Utc::now()).ok()?;
    (claims.sub == bound_to(identity)).then_some(claims.jti)
}

/// No form of the sign-in page has such a name in its token: those are ids alone.
fn bound_to(identity: &Identity) -> String {
    match (identity.cookie, &identity.name) {
        (Some(cookie), _) => format!("cookie {}", cookie.id),
        (None, Some(name)) => format!("token {name}"),
        (None, None) => "nobody".to_owned(),
    }
}
