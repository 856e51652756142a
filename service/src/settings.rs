//! Settings that more than one service has. Every one is a flag and an environment variable; units are in the names.

use crate::{
    access::Keys,
    client_address::{TrustedProxies, parse_network},
    cors::{AllowedOrigin, AllowedOrigins, parse_origin},
    database::Database,
    gate::Access,
    lifecycle::Shutdown,
};
use anyhow::{Context, bail};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where a service listens.
#[derive(Clone, Debug, clap::Args)]
pub struct ListenSettings {
    /// Address and port for clients
    #[arg(long, env = "FOOTFALL_LISTEN", default_value = "127.0.0.1:8080", value_parser = parse_listen)]
    pub listen: SocketAddr,
    /// Path that everything is below, for instance /user_behavior
    #[arg(long, env = "FOOTFALL_BASE_PATH", default_value = "", value_parser = parse_base_path)]
    pub base_path: String,
    /// Proxies whose X-Forwarded-For is believed: addresses and networks, separated by commas
    #[arg(long, env = "FOOTFALL_TRUSTED_PROXIES", value_delimiter = ',', value_parser = parse_network)]
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose pages may use the API, as scheme://host:port, separated by commas; * for every one, whose cookies
    /// then do not count
    #[arg(long, env = "FOOTFALL_ALLOWED_ORIGINS", value_delimiter = ',', value_parser = parse_origin)]
    pub allowed_origins: Vec<AllowedOrigin>,
}

impl ListenSettings {
    /// The proxies that are trusted.
    pub fn proxies(&self) -> TrustedProxies {
        TrustedProxies::new(self.trusted_proxies.iter().copied())
    }

    /// The origins that are allowed.
    pub fn origins(&self) -> AllowedOrigins {
        self.allowed_origins.iter().cloned().collect()
    }
}

/// How the process lives and ends.
#[derive(Clone, Debug, clap::Args)]
pub struct ProcessSettings {
    /// Address and port for the operator: /healthz, /readyz, /metrics
    #[arg(long, env = "FOOTFALL_OPS_LISTEN", default_value = "127.0.0.1:9090", value_parser = parse_listen)]
    pub ops_listen: SocketAddr,
    /// How long requests and batches that are under way may take after the signal to stop, in seconds
    #[arg(long, env = "FOOTFALL_DRAIN_SECONDS", default_value_t = 20)]
    pub drain_seconds: u64,
    /// How long /readyz says no after SIGTERM while requests are still answered, in seconds: as long as a proxy needs to
    /// send them elsewhere. Ctrl-C does not wait for it
    #[arg(long, env = "FOOTFALL_DRAIN_ANNOUNCE_SECONDS", default_value_t = 0)]
    pub drain_announce_seconds: u64,
}

impl ProcessSettings {
    /// The process's shutdown.
    pub fn shutdown(&self) -> Shutdown {
        let [budget, announce] = [self.drain_seconds, self.drain_announce_seconds].map(Duration::from_secs);
        Shutdown::announced(budget, announce)
    }
}

/// Which PostgreSQL server.
#[derive(Clone, Debug, clap::Args)]
pub struct DatabaseSettings {
    /// PostgreSQL to use, as postgres://user:password@host:port/database
    #[arg(long, env = "FOOTFALL_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<SecretString>,
    /// File that holds the password, where the address has none
    #[arg(long, env = "FOOTFALL_DATABASE_PASSWORD_FILE", requires = "database_url")]
    pub database_password_file: Option<PathBuf>,
}

impl DatabaseSettings {
    /// The database, if one is named.
    ///
    /// # Errors
    /// When the address or the file cannot be read.
    pub fn database(&self) -> anyhow::Result<Option<Database>> {
        let Some(url) = &self.database_url else { return Ok(None) };
        // the address itself is not repeated: it holds a password
        let wrong = |why: &str| {
            anyhow::anyhow!(
                "--database-url (FOOTFALL_DATABASE_URL) is not of the form postgres://user:password@host:port/database: {why}"
            )
        };
        let url = url.expose_secret();
        // sqlx takes any scheme
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(wrong("another scheme"));
        }
        let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| wrong(&error.to_string()))?;
        let file = self.database_password_file.as_deref();
        Ok(Some(Database::new(
            match read_secret(None, file, "--database-password-file (FOOTFALL_DATABASE_PASSWORD_FILE)")? {
                Some(password) => options.password(password.expose_secret()),
                None => options,
            },
        )))
    }

    /// The database.
    ///
    /// # Errors
    /// When none is named, or the address cannot be read.
    pub fn required(&self) -> anyhow::Result<Database> {
        self.database()?.context("name a PostgreSQL server with --database-url (FOOTFALL_DATABASE_URL)")
    }
}

const SECRET_KEY_FILE: &str = "--secret-key-file (FOOTFALL_SECRET_KEY_FILE)";
const SECRET_KEY_PREVIOUS_FILE: &str = "--secret-key-previous-file (FOOTFALL_SECRET_KEY_PREVIOUS_FILE)";

/// The keys that sign and check tokens and cookies.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct KeySettings {
    /// Secret that signs tokens and cookies, at least 32 bytes; the same for all services
    #[arg(long, env = "FOOTFALL_SECRET_KEY", hide_env_values = true)]
    pub secret_key: Option<SecretString>,
    /// File that holds the secret instead
    #[arg(long, env = "FOOTFALL_SECRET_KEY_FILE", conflicts_with = "secret_key")]
    pub secret_key_file: Option<PathBuf>,
    /// Secret before the present one: what it has signed is good until this setting is taken away
    #[arg(long, env = "FOOTFALL_SECRET_KEY_PREVIOUS", hide_env_values = true)]
    pub secret_key_previous: Option<SecretString>,
    /// File that holds the secret before the present one instead
    #[arg(long, env = "FOOTFALL_SECRET_KEY_PREVIOUS_FILE", conflicts_with = "secret_key_previous")]
    pub secret_key_previous_file: Option<PathBuf>,
}

impl KeySettings {
    /// The keys, if a secret is given.
    ///
    /// # Errors
    /// When a file cannot be read or a secret is too short.
    pub fn keys(&self) -> anyhow::Result<Option<Keys>> {
        let file = self.secret_key_file.as_deref();
        let secret = read_secret(self.secret_key.as_ref(), file, SECRET_KEY_FILE)?;
        let setting = if file.is_some() { SECRET_KEY_FILE } else { "--secret-key (FOOTFALL_SECRET_KEY)" };
        secret.map(|secret| self.keys_with(secret.expose_secret().as_bytes(), setting)).transpose()
    }

    /// The keys with a secret that comes `from` elsewhere, and the previous one of the settings.
    ///
    /// # Errors
    /// As [`keys`](Self::keys).
    pub fn keys_with(&self, secret: &[u8], from: &str) -> anyhow::Result<Keys> {
        let keys = Keys::new(secret).with_context(|| from.to_owned())?;
        let file = self.secret_key_previous_file.as_deref();
        let previous = read_secret(self.secret_key_previous.as_ref(), file, SECRET_KEY_PREVIOUS_FILE)?;
        let setting = match file {
            Some(_) => SECRET_KEY_PREVIOUS_FILE,
            None => "--secret-key-previous (FOOTFALL_SECRET_KEY_PREVIOUS)",
        };
        match previous {
            None => Ok(keys),
            Some(previous) => Keys::rotated(secret, previous.expose_secret().as_bytes()).context(setting),
        }
    }

    /// The keys.
    ///
    /// # Errors
    /// When there is no secret, or as [`keys`](Self::keys).
    pub fn required(&self) -> anyhow::Result<Keys> {
        self.keys()?.context("give the services one secret with --secret-key-file (FOOTFALL_SECRET_KEY_FILE)")
    }
}

/// A secret that is given, else one that lies in a file; blanks around it do not count.
///
/// # Errors
/// When the file of the `setting` cannot be read.
pub fn read_secret(
    given: Option<&SecretString>,
    file: Option<&Path>,
    setting: &str,
) -> anyhow::Result<Option<SecretString>> {
    match (given, file) {
        (Some(secret), _) => Ok(Some(secret.clone())),
        (None, Some(file)) => {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("{setting}: cannot read {}", file.display()))?;
            Ok(Some(text.trim().into()))
        }
        (None, None) => Ok(None),
    }
}

/// The zone whose calendar days count.
#[derive(Clone, Debug, clap::Args)]
pub struct ZoneSettings {
    /// Zone of times without one, of calendar days and of the report, by its name in the IANA database
    #[arg(long, env = "FOOTFALL_TIME_ZONE", default_value = "UTC", value_parser = parse_zone)]
    pub time_zone: chrono_tz::Tz,
}

fn parse_zone(text: &str) -> Result<chrono_tz::Tz, String> {
    text.parse().map_err(|_| format!("{text:?} is no zone; for example UTC or Europe/Berlin"))
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is no address with a port; for example 127.0.0.1:8080 or 0.0.0.0:8080"))
}

fn parse_base_path(text: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    if path.is_empty() || (path.starts_with('/') && !path.contains("//") && path.bytes().all(plain)) {
        Ok(path.to_owned())
    } else {
        Err(format!("{text:?} is no path; for example /user_behavior"))
    }
}

/// Warns when a service can be reached from elsewhere and lets everybody in: says what everybody may do.
pub fn warn_if_open(listen: SocketAddr, access: Access) {
    if let Some(what) = access.open_to_everybody().filter(|_| !listen.ip().is_loopback()) {
        tracing::warn!(
            %listen,
            "{what} is open to everybody who can reach this address; --read-access and --write-access (FOOTFALL_READ_ACCESS, FOOTFALL_WRITE_ACCESS) close it"
        );
    }
}

/// A list of `name=value`, separated by commas; a comma of a value is written `\,`.
///
/// # Errors
/// When a part has no `=`. It is told by its place: it may be the second half of a password.
pub fn parse_properties(text: &str) -> anyhow::Result<Vec<(String, String)>> {
    // no text that a process was given holds a NUL
    let parts: Vec<String> = text.replace("\\,", "\0").split(',').map(|part| part.replace('\0', ",")).collect();
    pairs(parts.iter().map(String::as_str)).context("--kafka-properties (FOOTFALL_KAFKA_PROPERTIES)")
}

/// A file with a `name=value` on each line; lines that begin with `#` are remarks.
///
/// # Errors
/// When it cannot be read, or a line has no `=`.
pub fn read_properties(file: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let read = || -> anyhow::Result<_> { pairs(std::fs::read_to_string(file)?.lines()) };
    read().with_context(|| format!("--kafka-properties-file (FOOTFALL_KAFKA_PROPERTIES_FILE): {}", file.display()))
}

fn pairs<'a>(parts: impl Iterator<Item = &'a str>) -> anyhow::Result<Vec<(String, String)>> {
    let parts = parts.map(str::trim).enumerate().filter(|(_, part)| !part.is_empty() && !part.starts_with('#'));
    let pair = |(place, part): (usize, &str)| match part.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => bail!("part {} is not of the form name=value; a comma within a value is written \\,", place + 1),
    };
    parts.map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_begins_with_a_slash_and_ends_without() {
        assert_eq!(parse_base_path("/user_behavior/").unwrap(), "/user_behavior");
        assert_eq!(parse_base_path("/").unwrap(), "");
        for wrong in ["behavior", "//x", "/a b", "/{id}", "/*x"] {
            assert!(parse_base_path(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_property_may_hold_a_comma_and_an_error_never_tells_a_value() {
        let parsed = parse_properties(r" sasl.username=ann, sasl.password=hunter\,2=3,").unwrap();
        let expected = [("sasl.username", "ann"), ("sasl.password", "hunter,2=3")];
        assert_eq!(parsed, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let error = format!("{:#}", parse_properties("sasl.password=abc,hunter2").unwrap_err());
        assert!(error.contains("part 2") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn an_error_names_the_setting_and_never_the_password() {
        let settings =
            DatabaseSettings { database_url: Some("postgres://ann:hunter2@[".into()), database_password_file: None };
        let error = format!("{:#}", settings.database().unwrap_err());
        assert!(error.contains("FOOTFALL_DATABASE_URL") && !error.contains("hunter2"), "{error}");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn what_the_previous_secret_signed_is_good_while_it_is_given() {
        use crate::access::{Purpose, Role};
        let secret = |byte: char| Some(byte.to_string().repeat(32).into());
        let old = KeySettings { secret_key: secret('a'), ..KeySettings::default() };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("previous");
        std::fs::write(&file, format!("{}\n", "a".repeat(32))).unwrap();
        let new = KeySettings { secret_key: secret('b'), ..KeySettings::default() };
        let both = KeySettings { secret_key_previous_file: Some(file), ..new.clone() };
        let now = chrono::Utc::now();
        let token = old.required().unwrap().issue(Purpose::Api, "ann", Role::User, now, chrono::TimeDelta::hours(1));
        let good = |settings: &KeySettings| settings.required().unwrap().check(Purpose::Api, &token, now).is_ok();
        assert!(good(&both) && !good(&new));
        let short = KeySettings { secret_key_previous: Some("short".into()), ..new };
        let error = format!("{:#}", short.required().unwrap_err());
        assert!(error.contains("FOOTFALL_SECRET_KEY_PREVIOUS)"), "{error}");
    }

    #[test]
    fn a_secret_that_is_too_short_is_told_with_the_setting_that_it_comes_from() {
        let folder = tempfile::tempdir().unwrap();
        let [short, good] = ["short", "good"].map(|name| folder.path().join(name));
        std::fs::write(&short, "short").unwrap();
        std::fs::write(&good, "a".repeat(32)).unwrap();
        let file = |file: &Path| KeySettings { secret_key_file: Some(file.to_owned()), ..KeySettings::default() };
        let previous = KeySettings { secret_key_previous_file: Some(short.clone()), ..file(&good) };
        let flag = KeySettings { secret_key: Some("short".into()), ..KeySettings::default() };
        for (settings, setting) in [
            (flag, "(FOOTFALL_SECRET_KEY)"),
            (file(&short), "(FOOTFALL_SECRET_KEY_FILE)"),
            (previous, "(FOOTFALL_SECRET_KEY_PREVIOUS_FILE)"),
        ] {
            let error = format!("{:#}", settings.required().unwrap_err());
            assert!(error.contains(setting), "{error}");
        }
    }

    #[test]
    fn properties_are_pairs() {
        let pairs = parse_properties("a=1, b.c=x=y ,").unwrap();
        assert_eq!(pairs, [("a".into(), "1".into()), ("b.c".into(), "x=y".into())]);
        assert!(parse_properties("a").is_err());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kafka.properties");
        std::fs::write(&file, "# ours\n\nsasl.password = a,b=c\n").unwrap();
        assert_eq!(read_properties(&file).unwrap(), [("sasl.password".into(), "a,b=c".into())]);
        std::fs::write(&file, "ssl.ca.location=x\nhunter2\n").unwrap();
        let error = format!("{:#}", read_properties(&file).unwrap_err());
        assert!(error.contains("part 2") && error.contains("FOOTFALL_KAFKA_PROPERTIES_FILE"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
