//! Finds the `regexes.yaml` that the package of `uaparser` carries, so that no copy of it lives in this repository.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const INSIDE: &str = "src/core/regexes.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.toml");
    let found = in_registry().or_else(|| from_metadata(&["--offline"])).or_else(|| from_metadata(&[]));
    let regexes = found.ok_or("the package uaparser was not found, neither in the registry nor by `cargo metadata`")?;
    println!("cargo::rerun-if-changed={}", regexes.display());
    fs::copy(&regexes, Path::new(&env::var("OUT_DIR")?).join("regexes.yaml"))?;
    Ok(())
}

/// The usual place: what cargo has unpacked of the version that the lock file names.
fn in_registry() -> Option<PathBuf> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    let lock = manifest.ancestors().find_map(|folder| fs::read_to_string(folder.join("Cargo.lock")).ok())?;
    let entry = lock.split("[[package]]").find(|entry| entry.contains("name = \"uaparser\"\n"))?;
    let version = entry.split("version = \"").nth(1)?.split('"').next()?;
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")))?;
    fs::read_dir(home.join("registry/src"))
        .ok()?
        .filter_map(Result::ok)
        .map(|registry| registry.path().join(format!("uaparser-{version}")).join(INSIDE))
        .find(|regexes| regexes.is_file())
}

/// Anywhere else (a vendored registry, a mirror): where cargo says that it is.
fn from_metadata(how: &[&str]) -> Option<PathBuf> {
    let output = Command::new(env::var_os("CARGO")?)
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &env::var("TARGET").ok()?])
        .args(how)
        .current_dir(env::var_os("CARGO_MANIFEST_DIR")?)
        .output()
        .ok()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    let package = metadata["packages"].as_array()?.iter().find(|package| package["name"] == "uaparser")?;
    Some(Path::new(package["manifest_path"].as_str()?).parent()?.join(INSIDE)).filter(|regexes| regexes.is_file())
}
