//! TLS and SASL to servers of somebody else, with certificates made here and now: what is right works, and what is wrong
//! is refused in words.

use super::{
    stack::Stack,
    traffic::{Traffic, a_while},
};
use anyhow::{Context, ensure};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// What stands beside `docker-compose.yml`: the overlay that operators use, and servers that stand in for theirs.
const FILES: [&str; 3] = ["docker-compose.yml", "compose/external.yml", "compose/tests/external-servers.yml"];
const PROJECT: &str = "footfall-xtask-tls";
const ADDRESS: &str = "127.0.0.1:18087";
const PASSWORD: &str = "a password, with = and a comma";

#[derive(Clone, Copy)]
pub(super) enum Case {
    /// The whole stack with SASL_SSL and verified TLS, and an event on its way through it.
    Right(&'static str),
    /// `migrate` with one thing wrong, and a word that its refusal has to contain.
    Wrong { what: Wrong, said: &'static str },
}

#[derive(Clone, Copy)]
pub(super) enum Wrong {
    KafkaCertificate,
    KafkaPassword,
    PostgresCertificate,
    PostgresName,
}

pub(super) const STEPS: &[(&str, Case)] = &[
    ("TLS: SASL PLAIN, and an event through it", Case::Right("PLAIN")),
    ("TLS: SASL SCRAM-SHA-512, and an event through it", Case::Right("SCRAM-SHA-512")),
    (
        "TLS: Kafka's certificate is another authority's",
        Case::Wrong { what: Wrong::KafkaCertificate, said: "certificate" },
    ),
    ("TLS: a wrong password for Kafka", Case::Wrong { what: Wrong::KafkaPassword, said: "uthentication" }),
    (
        "TLS: PostgreSQL's certificate is another authority's",
        Case::Wrong { what: Wrong::PostgresCertificate, said: "certificate" },
    ),
    ("TLS: PostgreSQL's certificate is another host's", Case::Wrong { what: Wrong::PostgresName, said: "certificate" }),
];

/// One of them, on servers of its own.
pub(super) async fn run(main: &Stack, case: Case) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("footfall-tls-").tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    certificates(main, folder.path()).await?;
    let mechanism = if let Case::Right(mechanism) = case { mechanism } else { "PLAIN" };
    let [mut ca, mut password, mut host] = ["ca.pem", PASSWORD, "their-postgres"];
    let mut postgres_ca = "ca.pem";
    if let Case::Wrong { what, .. } = case {
        match what {
            Wrong::KafkaCertificate => ca = "other-ca.pem",
            Wrong::KafkaPassword => password = "wrong",
            Wrong::PostgresCertificate => postgres_ca = "other-ca.pem",
            Wrong::PostgresName => host = "another-name",
        }
    }
    let properties = format!(
        "security.protocol=SASL_SSL\nssl.ca.location=/external/{ca}\nsasl.mechanism={mechanism}\nsasl.username=footfall\nsasl.password={password}\n"
    );
    fs::write(folder.path().join("kafka.properties"), properties)?;
    fs::write(folder.path().join("owner-password"), PASSWORD)?;

    let path = folder.path().to_str().context("the temporary folder has no name in UTF-8")?;
    let address = format!("{host}:5432/footfall?sslmode=verify-full&sslrootcert=/external/{postgres_ca}");
    let stack = Stack::new(
        PROJECT,
        &FILES,
        &[
            ("FOOTFALL_NET", "172.30.85"),
            ("FOOTFALL_PUBLISH", ADDRESS),
            ("FOOTFALL_THROTTLE_BASE", "off"),
            ("FOOTFALL_EXTERNAL", path),
            ("FOOTFALL_KAFKA_BROKERS", "their-kafka:9092"),
            ("FOOTFALL_POSTGRES", &address),
            ("FOOTFALL_POSTGRES_OWNER", "owner"),
            ("THEIR_PASSWORD", PASSWORD),
        ],
    );
    stack.down().await?;
    let tried = tried(&stack, case).await;
    if tried.is_err() {
        eprintln!("{}", stack.compose(&["logs", "--tail=30"]).await.unwrap_or_default());
    }
    stack.down().await?;
    tried
}

async fn tried(stack: &Stack, case: Case) -> anyhow::Result<()> {
    stack.compose(&["up", "-d", "--no-build", "their-kafka", "their-postgres"]).await?;
    stack.until_healthy(&["their-kafka", "their-postgres"]).await?;
    match case {
        Case::Right(mechanism) => {
            if mechanism.starts_with("SCRAM") {
                let user = format!("{mechanism}=[password={PASSWORD}]");
                let tool = "/opt/kafka/bin/kafka-configs.sh";
                let arguments = ["exec", "-T", "their-kafka", tool, "--bootstrap-server", "localhost:9094", "--alter"];
                let user = ["--add-config", &user, "--entity-type", "users", "--entity-name", "footfall"];
                stack.compose(&[&arguments[..], &user].concat()).await?;
            }
            stack.compose(&["up", "-d", "--no-build"]).await?;
            stack.until_healthy(&["ingest", "projector", "query-api", "proxy"]).await?;
            let traffic = Traffic::begin(stack, ADDRESS, "tls").await?;
            a_while(5).await;
            let outcome = traffic.end().await?;
            ensure!(outcome.acknowledged > 0 && outcome.failed == 0, "{:?}", outcome.troubles);
            let verified = stack.compose(&["run", "--rm", "--no-deps", "-T", "tools", "verify"]).await?;
            println!("{}", verified.lines().last().unwrap_or_default());
            Ok(())
        }
        Case::Wrong { said, .. } => {
            stack.compose(&["up", "--no-build", "--no-deps", "secrets"]).await?;
            let migrate = ["compose", "run", "--rm", "--no-deps", "-T", "setup"];
            let output = stack.output("docker", &migrate).await?;
            let text = String::from_utf8_lossy(&output.stderr);
            let line = text.lines().rfind(|line| line.starts_with("footfall: ")).unwrap_or(&text);
            println!("  {line}");
            ensure!(!output.status.success(), "it was let in");
            ensure!(line.contains(said), "not a word of {said:?}: {text}");
            Ok(())
        }
    }
}

/// An authority, certificates of it for both servers, and an authority that nobody should trust.
async fn certificates(stack: &Stack, folder: &Path) -> anyhow::Result<()> {
    let script = include_str!("certificates.sh");
    let mount = format!("{}:/made", folder.display());
    stack
        .docker(&[
            "run",
            "--rm",
            "--network=none",
            "--user=0:0",
            "-v",
            &mount,
            "--entrypoint=sh",
            "footfall:local",
            "-ec",
            script,
        ])
        .await
        .map(drop)
}
