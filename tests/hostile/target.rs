//! The service that is attacked, and what an attack may cost.

use crate::{
    bystander::Bystander,
    common::{Answer, Service, database, footfall},
};
use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};
use test_support::TestDatabase;

/// No attack here takes longer on a machine that is busy with other tests; nothing of the service's own takes so long.
const PATIENCE: Duration = Duration::from_mins(2);

/// What an attack may take, in MiB: the budget of all bodies, 64 MiB, twice, since a body that grows is copied.
pub const BOUND: u64 = 128;

/// `footfall up` on a database of its own.
pub struct Target {
    pub service: Service,
    pid: String,
    _folder: tempfile::TempDir,
    _database: TestDatabase,
}

impl Target {
    pub fn new(arguments: &[&str]) -> Self {
        Self::in_shell("true", arguments)
    }

    /// The same after a command that sets limits.
    pub fn in_shell(before: &str, arguments: &[&str]) -> Self {
        let (database, folder) = (database(), tempfile::tempdir().unwrap());
        let (url, pid) = (database.url(), folder.path().join("pid"));
        let up = footfall(&[&["up", "--database-url", &url, "--throttle-base", "off"], arguments].concat());
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{before}; echo $$ > \"$0\"; exec \"$@\"")).arg(&pid);
        shell.arg(up.get_program()).args(up.get_args());
        // no setting of whoever runs the tests
        for (name, _) in up.get_envs().filter(|(_, value)| value.is_none()) {
            shell.env_remove(name);
        }
        let service = Service::start(shell);
        let pid = fs::read_to_string(pid).unwrap().trim().to_owned();
        Self { service, pid, _folder: folder, _database: database }
    }

    /// Attacks while somebody else goes on with his work: it is answered as ever, and the service takes at most so much
    /// more memory at its peak.
    pub fn endures<T>(&self, name: &str, mebibytes: u64, attack: impl FnOnce(&str) -> T) -> T {
        // from here on the peak is counted anew
        fs::write(format!("/proc/{}/clear_refs", self.pid), "5").unwrap();
        let before = self.kibibytes("VmRSS:");
        let (started, bystander) = (Instant::now(), Bystander::begin(&self.service.address, name));
        let result = attack(&self.service.address);
        let took = started.elapsed();
        let (answered, longest) = bystander.end();
        let more = self.kibibytes("VmHWM:").saturating_sub(before) / 1024;
        println!("{name}: {took:.1?}, {more} MiB more; a bystander's {answered} requests took {longest:.1?} at most");
        assert!(took < PATIENCE, "{name} took {took:?}");
        assert!(more <= mebibytes, "{name}: {more} MiB more, and {mebibytes} were allowed");
        result
    }

    /// A line of what the kernel says about the process.
    pub fn kibibytes(&self, line: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let value = status.lines().find_map(|found| found.strip_prefix(line)).unwrap();
        value.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Asks until the answer is as wanted.
    pub fn until(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let started = Instant::now();
        loop {
            let answer = self.service.get(path);
            if wanted(&answer) {
                return answer;
            }
            assert!(started.elapsed() < PATIENCE, "{path}: {answer:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
