use crate::{settings::LoadSettings, traffic::Kind};
use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT},
};
use url::Url;

/// Where requests go, and everything of a request that is the same in all of them.
pub(crate) struct Target {
    /// `host:port` to connect to.
    pub address: String,
    headers: HeaderMap,
    sessions: Uri,
    page_views: Uri,
    interactions: Uri,
    batch: Uri,
}

impl Target {
    /// What the settings name.
    pub fn new(settings: &LoadSettings) -> anyhow::Result<Self> {
        let text = &settings.url;
        let url = Url::parse(text).with_context(|| format!("--url (FOOTFALL_URL): {text:?} is no URL"))?;
        if url.scheme() != "http" || !url.username().is_empty() || url.query().is_some() {
            bail!(
                "--url (FOOTFALL_URL): {text:?} is not of the form http://host:port/base-path, and nothing else works"
            );
        }
        let host = url.host_str().expect("a http URL has a host");
        let address = format!("{host}:{}", url.port_or_known_default().expect("http has a default port"));
        let base = url.path().trim_end_matches('/');
        let uri = |path: &str| Uri::try_from(format!("{base}{path}")).context("--url (FOOTFALL_URL)");
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(HOST, HeaderValue::try_from(&address).context("--url (FOOTFALL_URL)")?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("footfall-load/", env!("CARGO_PKG_VERSION"))));
        if let Some(authorization) = settings.authorization()? {
            headers.insert(AUTHORIZATION, authorization);
        }
        Ok(Self {
            sessions: uri("/sessions/")?,
            page_views: uri("/pageviews/")?,
            interactions: uri("/interactions/")?,
            batch: uri("/batch/")?,
            headers,
            address,
        })
    }

    /// The request that sends one event, as its session's browser would.
    pub fn single(&self, kind: Kind, user_agent: &'static str, body: Bytes) -> Request<Full<Bytes>> {
        let uri = match kind {
            Kind::Session | Kind::SessionEnd => &self.sessions,
            Kind::PageView => &self.page_views,
            Kind::Interaction => &self.interactions,
        };
        let mut request = self.request(uri, body);
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(user_agent));
        request
    }

    /// The request that sends a batch.
    pub fn batch(&self, body: Bytes) -> Request<Full<Bytes>> {
        self.request(&self.batch, body)
    }

    fn request(&self, uri: &Uri, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        load: LoadSettings,
    }

    fn target(url: &str) -> anyhow::Result<Target> {
        Target::new(&Command::parse_from(["load", "--url", url]).load)
    }

    #[test]
    fn requests_go_below_the_base_path() {
        for (url, address, path) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080", "/pageviews/"),
            ("http://[::1]:8080/", "[::1]:8080", "/pageviews/"),
            ("http://example.com/user_behavior/", "example.com:80", "/user_behavior/pageviews/"),
        ] {
            let target = target(url).unwrap();
            let request = target.single(Kind::PageView, "curl/8", Bytes::new());
            assert_eq!((target.address.as_str(), request.uri().path()), (address, path));
            assert_eq!(
                (&request.headers()[HOST], &request.headers()[USER_AGENT]),
                (&address.parse().unwrap(), &"curl/8".parse().unwrap())
            );
        }
    }

    #[test]
    fn what_cannot_be_sent_to_is_refused_by_name() {
        for url in
            ["https://example.com", "127.0.0.1:8080", "http://", "http://ann@example.com", "http://example.com/?a"]
        {
            let error = format!("{:#}", target(url).err().unwrap());
            assert!(error.contains("FOOTFALL_URL"), "{url}: {error}");
        }
    }
}
