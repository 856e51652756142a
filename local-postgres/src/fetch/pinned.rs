use crate::Error;
use std::env::consts::{ARCH, OS};

/// The version that is fetched, as its publisher writes it, and its major version.
const VERSION: &str = "17.11.0";
pub(crate) const MAJOR: u32 = 17;

const REPOSITORY: &str = "https://repo1.maven.org/maven2/io/zonky/test/postgres";

/// Operating system and processor as Rust and as the publisher call them, and the SHA-256 of what was published for
/// them. Our own sums: what stands beside a file on the server it comes from proves little.
const ARCHIVES: [(&str, &str, &str, &str); 4] = [
    ("linux", "x86_64", "linux-amd64", "0dd7b72b6f335b8ecfb355fa24c5781e8a93edd09880bb77eb52ebbf29b3e96d"),
    ("linux", "aarch64", "linux-arm64v8", "8b042e0ea418b1927d95399207950da0734d27fe01e29503ade3bdc464ad4c2b"),
    ("macos", "x86_64", "darwin-amd64", "d464ff178e9860ba204662ac23fa547504b7fd392392ff2fb92e3fd73b5bdb64"),
    ("macos", "aarch64", "darwin-arm64v8", "a1c2786acb0c398f9b2d76806fc52f5dc8b222cbc8e9383a9b9702084daaf3a5"),
];

/// Address and SHA-256 of the archive that is fetched on this machine when no PostgreSQL is installed: what a mirror
/// has to hold.
pub fn pinned_archive() -> Result<(String, &'static str), Error> {
    let ours = ARCHIVES.iter().find(|(os, arch, ..)| (*os, *arch) == (OS, ARCH));
    let (_, _, platform, sha256) =
        ours.ok_or_else(|| Error::NoArchiveForPlatform { platform: format!("{OS} on {ARCH}") })?;
    let name = format!("embedded-postgres-binaries-{platform}");
    Ok((format!("{REPOSITORY}/{name}/{VERSION}/{name}-{VERSION}.jar"), sha256))
}
