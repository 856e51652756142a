//! Which resource a path belongs to: what access, throttle and CORS go by, alike in every service.

use crate::resource::Resource;
use axum::http::Method;

/// What a request is for, where it is for the public API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `/sessions/` and the other two.
    List(Resource),
    /// `/sessions/{id}/` and the other two.
    Detail(Resource),
    /// `/sessions/{session_id}/end/`.
    SessionEnd,
    /// `/batch/`.
    Batch,
    /// `/pixel.gif`, which records what its parameters say.
    Pixel(Resource),
}

impl Target {
    /// The target of an address below the base path; `path` is what is left of it there. The router knows these very forms and no other ones, so a path that
    /// has none is nowhere, or is not of the API.
    pub fn of(path: &str, query: Option<&str>) -> Option<Self> {
        match path {
            "/batch/" => return Some(Self::Batch),
            "/pixel.gif" => return Some(Self::Pixel(pixel_resource(query.unwrap_or_default()))),
            _ => {}
        }
        let (first, rest) = path.strip_prefix('/')?.split_once('/')?;
        let resource = Resource::ALL.into_iter().find(|resource| resource.path() == first)?;
        match rest.split_once('/') {
            None if rest.is_empty() => Some(Self::List(resource)),
            Some((id, "")) if !id.is_empty() => Some(Self::Detail(resource)),
            Some((id, "end/")) if !id.is_empty() && resource == Resource::Sessions => Some(Self::SessionEnd),
            _ => None,
        }
    }

    /// The resource; a batch may be for all of them.
    pub fn resource(self) -> Option<Resource> {
        match self {
            Self::List(resource) | Self::Detail(resource) | Self::Pixel(resource) => Some(resource),
            Self::SessionEnd => Some(Resource::Sessions),
            Self::Batch => None,
        }
    }

    /// `Allow`: the methods that behind one address work here, in the contract's order (contract § 1).
    pub fn allow(self) -> &'static str {
        match self {
            Self::List(_) => "GET, POST, HEAD, OPTIONS",
            Self::Detail(_) | Self::Pixel(_) => "GET, HEAD, OPTIONS",
            Self::SessionEnd | Self::Batch => "POST, OPTIONS",
        }
    }

    /// Whether the method works here, on whichever service.
    pub fn has(self, method: &Method) -> bool {
        self.allow().split(", ").any(|known| known == method.as_str())
    }

    /// [`Self::allow`] without a method that another service answers.
    pub fn allow_without(self, refused: &Method) -> &'static str {
        match (self, refused) {
            (Self::List(_), &Method::GET | &Method::HEAD) => "POST, OPTIONS",
            (Self::List(_), &Method::POST) => "GET, HEAD, OPTIONS",
            (Self::Detail(_) | Self::Pixel(_), &Method::GET | &Method::HEAD)
            | (Self::SessionEnd | Self::Batch, &Method::POST) => "OPTIONS",
            // none of ours
            _ => self.allow(),
        }
    }

    /// The names of what stands in its path.
    pub fn path_parameters(self) -> &'static [&'static str] {
        match self {
            Self::Detail(_) => &["id"],
            Self::SessionEnd => &["session_id"],
            Self::List(_) | Self::Batch | Self::Pixel(_) => &[],
        }
    }

    /// Whether a request with this method adds something.
    pub fn is_write(self, method: &Method) -> bool {
        method == Method::POST || (matches!(self, Self::Pixel(_)) && matches!(*method, Method::GET | Method::HEAD))
    }
}

/// What a request for the pixel records: an interaction when its parameters have an `event_type` or an `element`, a page
/// view otherwise.
pub fn pixel_resource(query: &str) -> Resource {
    let mut names = url::form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    let is_interaction = names.any(|name| name == "event_type" || name == "element");
    if is_interaction { Resource::Interactions } else { Resource::PageViews }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/sessions/", Some(Target::List(Resource::Sessions)))]
    #[case("/pageviews/7/", Some(Target::Detail(Resource::PageViews)))]
    #[case("/interactions/x/", Some(Target::Detail(Resource::Interactions)))]
    #[case("/sessions/s-1/end/", Some(Target::SessionEnd))]
    #[case("/sessions/end/", Some(Target::Detail(Resource::Sessions)))]
    #[case("/pageviews/s-1/end/", None)]
    #[case("/batch/", Some(Target::Batch))]
    #[case("/pixel.gif", Some(Target::Pixel(Resource::PageViews)))]
    #[case("/pixel.gif?session_id=s&url=x", Some(Target::Pixel(Resource::PageViews)))]
    #[case("/pixel.gif?element=x", Some(Target::Pixel(Resource::Interactions)))]
    #[case("/pixel.gif?a=1&%65vent_type=click", Some(Target::Pixel(Resource::Interactions)))]
    #[case("/sessions", None)]
    #[case("/sessions//", None)]
    #[case("//sessions/", None)]
    #[case("/", None)]
    #[case("", None)]
    #[case("/report/", None)]
    fn an_address_has_its_target(#[case] address: &str, #[case] target: Option<Target>) {
        let (path, query) = address.split_once('?').map_or((address, None), |(path, query)| (path, Some(query)));
        assert_eq!(Target::of(path, query), target);
    }
}
