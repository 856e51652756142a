use super::SOON;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewPartitions},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    groups::GroupInfo,
    message::OwnedHeaders,
    producer::{FutureProducer, FutureRecord},
};
use std::time::Duration;

/// What a stranger can do to a topic, past the program.
pub struct Topics {
    brokers: String,
}

impl Topics {
    pub fn new(brokers: &str) -> Self {
        Self { brokers: brokers.to_owned() }
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("log_level", "0");
        config
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.config().create().unwrap()
    }

    /// Deletes a topic and waits until it is gone.
    pub async fn delete(&self, topic: &str) {
        let admin = self.admin();
        let options = AdminOptions::new().operation_timeout(Some(SOON));
        let deleted = admin.delete_topics(&[topic], &options).await.unwrap();
        for topic in deleted {
            topic.unwrap();
        }
        test_support::eventually("the topic is gone", SOON, async || {
            let known = admin.inner().fetch_metadata(Some(topic), Duration::from_secs(5)).ok()?;
            known.topics().iter().all(|topic| topic.error().is_some()).then_some(())
        })
        .await;
    }

    /// How the members of a consumer group call themselves.
    pub fn members_of(&self, group: &str) -> Vec<String> {
        let consumer: BaseConsumer = self.config().create().unwrap();
        let groups = consumer.fetch_group_list(Some(group), SOON).unwrap();
        let members = groups.groups().iter().flat_map(GroupInfo::members);
        members.map(|member| member.client_id().to_owned()).collect()
    }

    /// Deletes a topic that a test does not need any more, without waiting; a broker that is gone keeps it.
    pub fn delete_later(&self, topic: &str) {
        let (config, topic) = (self.config(), topic.to_owned());
        let delete = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
                let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(2)));
                drop(admin.delete_topics(&[&topic], &options).await);
            });
        };
        // a test that fails shows its own reason
        drop(std::thread::spawn(delete).join());
    }

    /// Gives a topic more partitions, as an operator might who does not know better.
    pub async fn repartition(&self, topic: &str, partitions: usize) {
        let more = [NewPartitions::new(topic, partitions)];
        let made = self.admin().create_partitions(&more, &AdminOptions::new()).await.unwrap();
        for topic in made {
            topic.unwrap();
        }
    }

    /// Deletes everything before `offset` of one partition, as retention would.
    pub async fn delete_records(&self, topic: &str, partition: u16, offset: i64) {
        let mut before = TopicPartitionList::new();
        before.add_partition_offset(topic, i32::from(partition), Offset::Offset(offset)).unwrap();
        let options = AdminOptions::new().operation_timeout(Some(SOON));
        let deleted = self.admin().delete_records(&before, &options).await.unwrap();
        deleted.elements().iter().for_each(|element| element.error().unwrap());
    }

    /// Puts a record without any headers on a partition, and gives its offset.
    pub async fn produce(&self, topic: &str, partition: u16, key: Option<&[u8]>, value: Option<&[u8]>) -> i64 {
        let producer: FutureProducer = self.config().set("message.timeout.ms", "30000").create().unwrap();
        let mut record = FutureRecord::<[u8], [u8]>::to(topic).partition(partition.into()).headers(OwnedHeaders::new());
        record.key = key;
        record.payload = value;
        producer.send(record, SOON).await.unwrap().offset
    }
}
