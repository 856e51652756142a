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
    /// `/pixel.gif`.
    Pixel,
}

impl Target {
    /// The target of a path below the base path. The router knows these very forms and no other ones, so a path that
    /// has none is nowhere, or is not of the API.
    pub fn of(path: &str) -> Option<Self> {
        match path {
            "/batch/" => return Some(Self::Batch),
            "/pixel.gif" => return Some(Self::Pixel),
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
            Self::List(resource) | Self::Detail(resource) => Some(resource),
            Self::SessionEnd => Some(Resource::Sessions),
            // it records a page view
            Self::Pixel => Some(Resource::PageViews),
            Self::Batch => None,
        }
    }

    /// `Allow`: the methods that behind one address work here, in the contract's order (contract § 1).
    pub fn allow(self) -> &'static str {
        match self {
            Self::List(_) => "GET, POST, HEAD, OPTIONS",
            Self::Detail(_) | Self::Pixel => "GET, HEAD, OPTIONS",
            Self::SessionEnd | Self::Batch => "POST, OPTIONS",
        }
    }

    /// Whether the method works here, on whichever service.
    pub fn has(self, method: &Method) -> bool {
        self.allow().split(", ").any(|known| known == method.as_str())
    }

    /// [`Self::allow`] without a method that was just refused.
    pub fn allow_without(self, refused: &Method) -> &'static str {
        match (self, refused) {
            (Self::List(_), &Method::GET | &Method::HEAD) => "POST, OPTIONS",
            (Self::List(_), &Method::POST) => "GET, HEAD, OPTIONS",
            (Self::Detail(_) | Self::Pixel, &Method::GET | &Method::HEAD)
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
            Self::List(_) | Self::Batch | Self::Pixel => &[],
        }
    }

    /// Whether a request with this method adds something.
    pub fn is_write(self, method: &Method) -> bool {
        method == Method::POST || (self == Self::Pixel && matches!(*method, Method::GET | Method::HEAD))
    }
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
    #[case("/pixel.gif", Some(Target::Pixel))]
    #[case("/sessions", None)]
    #[case("/sessions//", None)]
    #[case("//sessions/", None)]
    #[case("/", None)]
    #[case("", None)]
    #[case("/report/", None)]
    fn a_path_has_its_target(#[case] path: &str, #[case] target: Option<Target>) {
        assert_eq!(Target::of(path), target);
    }
}
