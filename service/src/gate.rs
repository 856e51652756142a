//! The gate before the resources: who may, how often, with which method (contract § 4: authentication → access →
//! throttle → method). It stands before the router, so that a method that nobody answers is counted as well.
//!
//! It goes by what tokens and cookies say. query-api's handlers ask for access once more, after they have looked
//! whether the cookie was signed out: that is their own check, and this one does not replace it.

use crate::{
    access::{AccessLevel, Identity},
    client_address::ClientAddress,
    http::{self, Problem},
    negotiation,
    resource::Resource,
    target::Target,
    throttle::Throttle,
};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

/// Requests that the gate refused, by `status`.
pub const REFUSED: &str = "footfall_http_gate_refused_total";

/// Who may use the resources, in the order of [`Resource::ALL`]; where a service does not read or write, nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Access {
    /// Who may read.
    pub read: Option<[AccessLevel; 3]>,
    /// Who may write.
    pub write: Option<[AccessLevel; 3]>,
}

impl Access {
    /// The level that a request needs. A batch needs the lowest of its resources: who takes it asks for each event.
    fn level(self, target: Target, method: &Method) -> AccessLevel {
        let levels = if target.is_write(method) { self.write } else { self.read };
        let Some(levels) = levels else { return AccessLevel::Anyone };
        match target.resource() {
            Some(resource) => levels[resource as usize],
            None => levels.into_iter().min().unwrap_or(AccessLevel::Anyone),
        }
    }

    /// Whether requests with this method are this service's. One that a setting has switched off is.
    fn is_answered_here(self, target: Target, method: &Method) -> bool {
        if target.is_write(method) { self.write.is_some() } else { self.read.is_some() }
    }

    /// What everybody may do, in words; nothing when that is nothing.
    pub fn open_to_everybody(self) -> Option<String> {
        let open = |what: &str, levels: Option<[AccessLevel; 3]>| {
            let levels = levels?;
            let names: Vec<&str> = Resource::ALL
                .into_iter()
                .filter(|resource| levels[*resource as usize] == AccessLevel::Anyone)
                .map(Resource::path)
                .collect();
            match names.len() {
                0 => None,
                3 => Some(what.to_owned()),
                _ => Some(format!("{what} of {}", names.join(" and "))),
            }
        };
        let open: Vec<String> =
            [open("reading", self.read), open("writing", self.write)].into_iter().flatten().collect();
        (!open.is_empty()).then(|| open.join(" and "))
    }
}

/// What the gate goes by. Clones share the budgets.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    access: Access,
    throttle: Throttle,
    base_path: String,
}

impl Gate {
    /// `base_path` is empty, or begins with a slash and does not end with one.
    pub fn new(access: Access, throttle: Throttle, base_path: &str) -> Self {
        Self(Arc::new(Inner { access, throttle, base_path: base_path.to_owned() }))
    }
}

/// Middleware: lets requests for the resources pass that may, and tells what is left of their client's budget.
pub async fn guard(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let Inner { access, throttle, base_path } = &*gate.0;
    let path = request.uri().path().strip_prefix(base_path.as_str()).unwrap_or_default();
    let Some(target) = Target::of(path, request.uri().query()) else {
        return next.run(request).await;
    };
    let nobody = Identity::default();
    let identity = request.extensions().get::<Identity>().unwrap_or(&nobody);
    let address = request.extensions().get::<ClientAddress>().map_or(Ipv4Addr::UNSPECIFIED.into(), |client| client.0);
    let admitted = negotiation::answers_json(target, path, &request)
        .and_then(|()| admit(*access, throttle, target, request.method(), identity, address));
    match admitted {
        Err(problem) => {
            metrics::counter!(REFUSED, "status" => problem.status.as_u16().to_string()).increment(1);
            let mut response = problem.into_response();
            allow(&mut response, target.allow());
            response
        }
        Ok(headers) => {
            let method = request.method().clone();
            // services that run apart answer alike: each knows the methods of the other
            let mut response = match method {
                Method::OPTIONS => StatusCode::OK.into_response(),
                ref other if !target.has(other) => http::method_not_allowed(other),
                _ => next.run(request).await,
            };
            response.headers_mut().extend(headers);
            let refused = response.status() == StatusCode::METHOD_NOT_ALLOWED;
            let elsewhere = refused && !access.is_answered_here(target, &method);
            allow(&mut response, if elsewhere { target.allow_without(&method) } else { target.allow() });
            response
        }
    }
}

fn admit(
    access: Access,
    throttle: &Throttle,
    target: Target,
    method: &Method,
    identity: &Identity,
    address: IpAddr,
) -> Result<axum::http::HeaderMap, Problem> {
    // which methods there are is no secret
    if method != Method::OPTIONS {
        access.level(target, method).check(identity)?;
    }
    throttle.spend(target, identity, address)
}

/// Every answer tells the methods, as the original's do.
fn allow(response: &mut Response, methods: &'static str) {
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_named_and_nothing_else() {
        let (anyone, user) = (AccessLevel::Anyone, AccessLevel::User);
        let said = |read, write| Access { read, write }.open_to_everybody();
        assert_eq!(said(Some([anyone; 3]), Some([anyone; 3])).as_deref(), Some("reading and writing"));
        assert_eq!(said(Some([user; 3]), Some([anyone; 3])).as_deref(), Some("writing"));
        assert_eq!(said(Some([anyone, user, anyone]), None).as_deref(), Some("reading of sessions and interactions"));
        assert_eq!(said(Some([user; 3]), None), None);
    }

    #[test]
    fn a_batch_needs_the_lowest_level_and_a_pixel_is_a_page_view() {
        let (anyone, user, staff) = (AccessLevel::Anyone, AccessLevel::User, AccessLevel::Staff);
        let access = Access { read: Some([anyone, user, staff]), write: Some([user, staff, staff]) };
        assert_eq!(access.level(Target::Batch, &Method::POST), user);
        assert_eq!(access.level(Target::Pixel(Resource::PageViews), &Method::GET), staff);
        assert_eq!(access.level(Target::SessionEnd, &Method::POST), user);
        assert_eq!(access.level(Target::List(Resource::Interactions), &Method::GET), staff);
        assert_eq!(access.level(Target::List(Resource::Sessions), &Method::PUT), anyone);
    }
}
