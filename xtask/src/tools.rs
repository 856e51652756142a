use crate::debian::can_install;
use anyhow::bail;
use std::{
    env,
    ffi::{OsStr, OsString},
    process::{Command, Stdio},
};
use test_support::{browser, kafka::java};

/// The oldest Java that Apache Kafka 4 runs on.
const OLDEST_JAVA: u32 = 17;

/// The oldest Python that the tests' Django runs on, with what makes environments.
const PYTHON: [&str; 2] = ["-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"];

/// Looks for what a fresh machine may lack, and names all of it at once, one line each. Gives the packages that can be
/// installed by ourselves.
pub(crate) fn check() -> anyhow::Result<Vec<&'static str>> {
    let cc = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let cargo = crate::cargo::program();
    let mut missing = Vec::new();
    let needed: [(&OsStr, &[&str], &str); 6] = [
        (&cc, &["--version"], "a C compiler (`cc`, or the one of CC): install the package gcc or clang"),
        ("make".as_ref(), &["--version"], "`make`: install the package make"),
        ("curl".as_ref(), &["--version"], "`curl`: install the package curl"),
        ("mvn".as_ref(), &["--version"], "Maven (`mvn`): install the package maven"),
        (&cargo, &["fmt", "--version"], "rustfmt: rustup component add rustfmt"),
        (&cargo, &["clippy", "--version"], "clippy: rustup component add clippy"),
    ];
    for (program, arguments, advice) in needed {
        if answer(program, arguments).is_none() {
            missing.push(advice.to_owned());
        }
    }
    match answer(&java(), &["-version"]).as_deref().map(java_major) {
        Some(Some(major)) if major >= OLDEST_JAVA => {}
        Some(Some(major)) => missing.push(format!("Java {OLDEST_JAVA} or newer: this is {major}; install a newer JDK")),
        Some(None) | None => {
            missing.push(format!("Java {OLDEST_JAVA} or newer (`java`): install a JDK, or set JAVA_HOME"));
        }
    }
    let mut packages = Vec::new();
    let mut can_be_installed = |names: &[&'static str], advice: String| {
        if can_install() { packages.extend(names) } else { missing.push(advice) }
    };
    if answer("python3".as_ref(), &PYTHON).is_none() {
        let advice =
            "Python 3.10 or newer with venv and pip (`python3`): install the packages python3 and python3-venv";
        can_be_installed(&["python3", "python3-venv"], advice.to_owned());
    }
    if answer("npm".as_ref(), &["--version"]).is_none() {
        can_be_installed(&["npm"], "`npm`: install the package npm, or Node.js".to_owned());
    }
    if let Err(advice) = browser::find() {
        can_be_installed(&["chromium", "chromium-driver"], advice);
    }
    for line in &missing {
        eprintln!("missing: {line}");
    }
    if missing.is_empty() { Ok(packages) } else { bail!("not everything that the tests need is here") }
}

/// All that a program says, on either stream; `None` when it cannot be run or fails.
fn answer(program: &OsStr, arguments: &[&str]) -> Option<String> {
    let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    output.status.success().then(|| String::from_utf8_lossy(&said).into_owned())
}

/// `openjdk version "17.0.15" 2025-04-15`, `java version "1.8.0_392"`, `openjdk version "21-ea"`.
fn java_major(answer: &str) -> Option<u32> {
    let version = answer.split_once("version \"")?.1;
    let mut numbers = version.split(|character: char| !character.is_ascii_digit()).map(str::parse);
    match numbers.next()?.ok()? {
        1 => numbers.next()?.ok(),
        major => Some(major),
    }
}

#[cfg(test)]
mod tests {
    use super::java_major;

    #[test]
    fn the_version_of_java_is_understood_in_its_old_and_its_new_way_of_counting() {
        assert_eq!(java_major("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime"), Some(17));
        assert_eq!(java_major("Picked up _JAVA_OPTIONS\njava version \"1.8.0_392\""), Some(8));
        assert_eq!(java_major("openjdk version \"21-ea\""), Some(21));
        assert_eq!(java_major("no such thing"), None);
    }
}
