use std::{
    env,
    ffi::OsString,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
};

/// The `java` to run: of `JAVA_HOME` when that is set, else of the `PATH`.
pub fn java() -> OsString {
    let of_home = env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    of_home.filter(|java| java.is_file()).map_or_else(|| "java".into(), Into::into)
}

/// A Java program out of reach of Ctrl-C, so that whoever started it stops it in order; where the system has a way
/// (Linux, `setpriv`), it is killed as soon as the thread that started it ends.
pub(super) fn command() -> Command {
    let mut command = if can_be_bound() {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(java());
        command
    } else {
        Command::new(java())
    };
    command.stdin(Stdio::null()).process_group(0);
    command
}

fn can_be_bound() -> bool {
    let tried = Command::new("setpriv").args(["--pdeathsig", "KILL", "--", "true"]).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}
