//! Making the topic and looking whether it can be the log.

use super::{
    KafkaLogError, KafkaLogSettings,
    client::{self, CALL_TIMEOUT, Logging, MAX_MESSAGE_BYTES},
    lookup::Lookup,
};
use rdkafka::{
    admin::{
        AdminClient, AdminOptions, AlterConfig, ConfigResource, ConfigSource, NewTopic, ResourceSpecifier,
        TopicReplication,
    },
    config::FromClientConfigAndContext,
    types::RDKafkaErrorCode as Code,
};
use schema::limits::{MAX_PARTITIONS, MAX_RECORD_BYTES};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

const RETENTION: &str = "retention.ms";
const RETENTION_BYTES: &str = "retention.bytes";
const CLEANUP: &str = "cleanup.policy";
const MESSAGE_BYTES: &str = "max.message.bytes";

/// How long the brokers may take to say what the controller has decided, and how often to ask.
const VISIBLE_WITHIN: Duration = Duration::from_secs(15);
const VISIBLE_POLL: Duration = Duration::from_millis(20);

/// Makes the topic of the log, or brings the settings of one that exists in line. Never changes the number of
/// partitions: sessions would move to others and lose their order.
pub async fn create_topic(settings: &KafkaLogSettings, partitions: u16, replication: u16) -> Result<(), KafkaLogError> {
    if partitions == 0 || partitions > MAX_PARTITIONS {
        return Err(KafkaLogError::Settings(format!("{partitions} partitions: choose 1 to {MAX_PARTITIONS}")));
    }
    // it tells why we are not let in, where the other client only waits
    let asked = Arc::new(Lookup::new(settings)?).topic().await;
    if let Err(error @ (KafkaLogError::Unavailable { .. } | KafkaLogError::NotLetIn { .. })) = asked {
        return Err(error);
    }
    let admin = admin(settings)?;
    let needed = needed();
    let mut topic =
        NewTopic::new(&settings.topic, i32::from(partitions), TopicReplication::Fixed(i32::from(replication)));
    for (name, value) in &needed {
        topic = topic.set(name, value);
    }
    if replication >= 3 {
        // `acks=all` means all that are in sync: one more than the leader has to be, or it alone would be enough
        topic = topic.set("min.insync.replicas", "2");
    }
    let made = admin
        .create_topics(&[topic], &options())
        .await
        .map_err(|error| KafkaLogError::of_call(&settings.brokers, &error))?;
    match made.into_iter().next() {
        Some(Err((_, Code::TopicAlreadyExists))) => bring_in_line(&admin, settings, partitions, &needed).await?,
        Some(Err((_, code))) => return Err(KafkaLogError::of_code(&settings.brokers, code)),
        Some(Ok(_)) | None => {}
    }
    visible(settings).await
}

/// Waits until what was made or changed is what the brokers say: they learn it from the controller a little later.
async fn visible(settings: &KafkaLogSettings) -> Result<(), KafkaLogError> {
    let lookup = Arc::new(Lookup::new(settings)?);
    let started = Instant::now();
    loop {
        let seen = match lookup.topic().await {
            Ok(_) => check(settings).await,
            Err(error) => Err(error),
        };
        match seen {
            Err(
                KafkaLogError::NoTopic { .. } | KafkaLogError::TopicSetting { .. } | KafkaLogError::Unavailable { .. },
            ) if started.elapsed() < VISIBLE_WITHIN => {
                sleep(VISIBLE_POLL).await;
            }
            seen => return seen,
        }
    }
}

/// Whether the topic keeps everything and takes the largest record.
pub(super) async fn check(settings: &KafkaLogSettings) -> Result<(), KafkaLogError> {
    let found = match describe(&admin(settings)?, settings).await {
        Ok(found) => found,
        Err(KafkaLogError::Refused(reason)) => {
            tracing::warn!(topic = settings.topic, %reason, "cannot see whether the topic keeps its records for ever");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let value = |name| found.get(name).and_then(|entry| entry.value.clone()).unwrap_or_default();
    let refuse = |name, needed: String| {
        Err(KafkaLogError::TopicSetting { topic: settings.topic.clone(), name, found: value(name), needed })
    };
    if value(CLEANUP) != "delete" {
        return refuse(CLEANUP, "delete".into());
    }
    for name in [RETENTION, RETENTION_BYTES] {
        if value(name) != "-1" {
            return refuse(name, "-1".into());
        }
    }
    if value(MESSAGE_BYTES).parse::<usize>().unwrap_or(0) < MAX_RECORD_BYTES {
        return refuse(MESSAGE_BYTES, format!("at least {MAX_RECORD_BYTES}"));
    }
    Ok(())
}

/// What the topic of a log is set to.
fn needed() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        (CLEANUP, "delete".to_owned()),
        (RETENTION, "-1".to_owned()),
        (RETENTION_BYTES, "-1".to_owned()),
        (MESSAGE_BYTES, MAX_MESSAGE_BYTES.to_string()),
        // The log's own time: it rises within a partition, whatever the senders' clocks say.
        ("message.timestamp.type", "LogAppendTime".to_owned()),
    ])
}

async fn bring_in_line(
    admin: &AdminClient<Logging>,
    settings: &KafkaLogSettings,
    wanted: u16,
    needed: &BTreeMap<&'static str, String>,
) -> Result<(), KafkaLogError> {
    let found = Arc::new(Lookup::new(settings)?).topic().await?.partitions;
    if found != wanted {
        return Err(KafkaLogError::OtherPartitions { topic: settings.topic.clone(), wanted, found: found.into() });
    }
    let described = describe(admin, settings).await?;
    let is = |name: &str| described.get(name).and_then(|entry| entry.value.as_deref());
    if needed.iter().all(|(name, value)| is(name) == Some(value)) {
        return Ok(());
    }
    // The request replaces all settings of the topic: those that somebody else has made go along unchanged.
    let mut change = AlterConfig::new(ResourceSpecifier::Topic(&settings.topic));
    for entry in described.entries.iter().filter(|entry| matches!(entry.source, ConfigSource::DynamicTopic)) {
        if let Some(value) = entry.value.as_deref().filter(|_| !needed.contains_key(entry.name.as_str())) {
            change = change.set(&entry.name, value);
        }
    }
    for (name, value) in needed {
        change = change.set(name, value);
    }
    let changed = admin
        .alter_configs([&change], &options())
        .await
        .map_err(|error| KafkaLogError::of_call(&settings.brokers, &error))?;
    match changed.into_iter().next() {
        Some(Err((_, code))) => Err(KafkaLogError::of_code(&settings.brokers, code)),
        Some(Ok(_)) | None => Ok(()),
    }
}

async fn describe(admin: &AdminClient<Logging>, settings: &KafkaLogSettings) -> Result<ConfigResource, KafkaLogError> {
    let described = admin
        .describe_configs(&[ResourceSpecifier::Topic(&settings.topic)], &options())
        .await
        .map_err(|error| KafkaLogError::of_call(&settings.brokers, &error))?;
    match described.into_iter().next() {
        Some(Ok(resource)) => Ok(resource),
        Some(Err(code)) => Err(KafkaLogError::of_code(&settings.brokers, code)),
        None => Err(KafkaLogError::Refused("no answer about the topic's settings".into())),
    }
}

fn admin(settings: &KafkaLogSettings) -> Result<AdminClient<Logging>, KafkaLogError> {
    AdminClient::from_config_and_context(&client::common(settings), Logging::default())
        .map_err(|error| client::unusable(&error))
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(CALL_TIMEOUT)).operation_timeout(Some(CALL_TIMEOUT))
}
