use std::{fmt::Write as _, net::TcpListener, path::Path};

/// The ports of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) broker: u16,
    pub(super) controller: u16,
}

impl Ports {
    /// Two that are free. They lie below what systems give to outgoing connections (32768 on Linux, 49152 elsewhere):
    /// else a client that tries to reach a stopped broker may be given the broker's own port, connect to itself, and
    /// keep the broker from starting again.
    pub(super) fn choose() -> Self {
        let free = || {
            let candidates = std::iter::repeat_with(|| rand::random_range(15_000..32_000));
            let bound = candidates.filter_map(|port| Some((port, TcpListener::bind(("127.0.0.1", port)).ok()?)));
            bound.take(1).next().expect("the candidates never end")
        };
        // both are held until both are known, so that they differ
        let ((broker, _held), (controller, _held_too)) = (free(), free());
        Self { broker, controller }
    }
}

/// `server.properties` of a node that is broker and controller at once and keeps its data in `data`.
///
/// One that is `short_lived` may be killed and started again: it has to wait until its former self is given up, after
/// `broker.session.timeout.ms`.
pub(super) fn properties(ports: Ports, data: &Path, short_lived: bool) -> String {
    let Ports { broker, controller } = ports;
    let (session, heartbeat) = if short_lived { (3000, 500) } else { (9000, 2000) };
    let mut text = String::new();
    for (name, value) in [
        ("process.roles", "broker,controller".to_owned()),
        ("node.id", "1".to_owned()),
        ("controller.quorum.voters", format!("1@127.0.0.1:{controller}")),
        ("listeners", format!("PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}")),
        ("advertised.listeners", format!("PLAINTEXT://127.0.0.1:{broker}")),
        ("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT".to_owned()),
        ("controller.listener.names", "CONTROLLER".to_owned()),
        ("inter.broker.listener.name", "PLAINTEXT".to_owned()),
        ("log.dirs", data.display().to_string()),
        // a topic exists when `migrate` or a test has made it
        ("auto.create.topics.enable", "false".to_owned()),
        // one node has no second replica, and many partitions of Kafka's own topics only cost time
        ("offsets.topic.num.partitions", "1".to_owned()),
        ("offsets.topic.replication.factor", "1".to_owned()),
        ("transaction.state.log.num.partitions", "1".to_owned()),
        ("transaction.state.log.replication.factor", "1".to_owned()),
        ("transaction.state.log.min.isr", "1".to_owned()),
        ("share.coordinator.state.topic.num.partitions", "1".to_owned()),
        ("share.coordinator.state.topic.replication.factor", "1".to_owned()),
        ("share.coordinator.state.topic.min.isr", "1".to_owned()),
        // tests do not wait for consumers that will not come
        ("group.initial.rebalance.delay.ms", "0".to_owned()),
        // tests make many small topics
        ("log.index.size.max.bytes", "1048576".to_owned()),
        ("broker.session.timeout.ms", session.to_string()),
        ("broker.heartbeat.interval.ms", heartbeat.to_string()),
        ("num.network.threads", "2".to_owned()),
        ("num.io.threads", "4".to_owned()),
    ] {
        writeln!(text, "{name}={value}").expect("writing to a string succeeds");
    }
    text
}
