//! What stands around the routes of every service, from the outside in: where the request comes from, whose pages may
//! ask, who is asking, whether they may and how often, and last what no route answers.

use crate::{
    access::{self, Identification, Keys},
    client_address::{self, TrustedProxies},
    cors::{self, AllowedOrigins, Cors},
    gate::{self, Access, Gate},
    http, indent,
    throttle::{Throttle, ThrottleSettings},
};
use axum::{Router, middleware};

/// What it goes by.
pub struct Front<'a> {
    /// Empty, or begins with a slash and does not end with one.
    pub base_path: &'a str,
    /// Whose forwarded addresses are believed.
    pub proxies: TrustedProxies,
    /// Other sites whose pages may ask.
    pub origins: AllowedOrigins,
    /// Check tokens and cookies.
    pub keys: Keys,
    /// Who may use the resources.
    pub access: Access,
    /// How often.
    pub throttle: &'a ThrottleSettings,
}

impl Front<'_> {
    /// Puts it around the routes.
    pub fn around(self, routes: Router) -> Router {
        let Front { base_path, proxies, origins, keys, access, throttle } = self;
        let gate = Gate::new(access, Throttle::new(throttle), base_path);
        let cors = Cors { origins: origins.clone(), base_path: base_path.to_owned() };
        http::finish(routes, base_path)
            .layer(middleware::from_fn_with_state(gate, gate::guard))
            .layer(middleware::from_fn_with_state(Identification { keys, origins }, access::identify))
            // outside of both: a page is to read why it was refused
            .layer(middleware::from_fn_with_state(cors, cors::answer))
            .layer(middleware::from_fn_with_state(proxies, client_address::resolve))
            .layer(middleware::from_fn(indent::answer))
    }
}
