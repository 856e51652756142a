use crate::ReadError;
use rdkafka::{error::KafkaError, types::RDKafkaErrorCode as Code};

/// Why the log in Kafka could not be opened or made.
#[derive(Debug, thiserror::Error)]
pub enum KafkaLogError {
    /// Kafka does not answer; trying again later may help.
    #[error("Kafka does not answer at {brokers}: {reason}")]
    Unavailable {
        /// As in the settings.
        brokers: String,
        /// What the client says.
        reason: String,
    },
    /// The brokers cannot prove who they are, or do not believe us who we are.
    #[error(
        "no secure connection to Kafka at {brokers}: {reason}; see ssl.* and sasl.* in --kafka-properties (FOOTFALL_KAFKA_PROPERTIES)"
    )]
    NotLetIn {
        /// As in the settings.
        brokers: String,
        /// What the client says.
        reason: String,
    },
    /// A property that librdkafka does not take.
    #[error("the Kafka settings are not usable: {0}")]
    Settings(String),
    /// There is no such topic.
    #[error("the topic {topic} does not exist: run `footfall migrate`")]
    NoTopic {
        /// Its name.
        topic: String,
    },
    /// The topic has another number of partitions.
    #[error(
        "the topic {topic} has {found} partitions, the settings say {wanted}: a log is never repartitioned, set {found}"
    )]
    OtherPartitions {
        /// Its name.
        topic: String,
        /// What the settings say.
        wanted: u16,
        /// What the topic has.
        found: usize,
    },
    /// The topic has settings that a log cannot have.
    #[error("the topic {topic} has {name}={found}, a log needs {needed}: run `footfall migrate`")]
    TopicSetting {
        /// Its name.
        topic: String,
        /// The setting.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it has to be.
        needed: String,
    },
    /// Kafka refused.
    #[error("Kafka refused: {0}")]
    Refused(String),
}

impl KafkaLogError {
    /// The error of a call to the brokers.
    pub(super) fn of_call(brokers: &str, error: &KafkaError) -> Self {
        if is_away(error) {
            return Self::Unavailable { brokers: brokers.into(), reason: text(error) };
        }
        Self::Refused(text(error))
    }

    /// The error of an answer about one topic or resource.
    pub(super) fn of_code(brokers: &str, code: Code) -> Self {
        if is_passing(code) {
            return Self::Unavailable { brokers: brokers.into(), reason: code.to_string() };
        }
        Self::Refused(code.to_string())
    }
}

impl From<KafkaLogError> for ReadError {
    fn from(error: KafkaLogError) -> Self {
        match error {
            KafkaLogError::Unavailable { .. } => Self::Unavailable(error.to_string()),
            _ => Self::Fatal(error.to_string()),
        }
    }
}

impl From<KafkaError> for ReadError {
    fn from(error: KafkaError) -> Self {
        if is_away(&error) { Self::Unavailable(text(&error)) } else { Self::Fatal(text(&error)) }
    }
}

/// The error on one line.
pub(super) fn text(error: &KafkaError) -> String {
    error.to_string().replace('\n', " ")
}

/// Whether another try may help.
fn is_away(error: &KafkaError) -> bool {
    error.rdkafka_error_code().is_none_or(is_passing)
        && !matches!(error, KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_))
}

/// Everything but what a person has to change.
pub(super) fn is_passing(code: Code) -> bool {
    !matches!(
        code,
        Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::InvalidTopic
            | Code::PolicyViolation
            | Code::InvalidReplicationFactor
            | Code::InvalidPartitions
            | Code::InvalidConfig
            | Code::InvalidArgument
            | Code::UnsupportedVersion
            | Code::UnknownGroup
            | Code::Fatal
    )
}
