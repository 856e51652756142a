use anyhow::Context;
use std::{
    env, fs,
    future::Future,
    path::{Path, PathBuf},
};

/// A folder of the project's cache, made once by `make`. `list`, a name and a text, is what it is made from, and is
/// kept in it: another text needs another folder's content.
pub(crate) async fn folder<F>(
    name: &str,
    list: (&str, &str),
    make: impl FnOnce(PathBuf) -> F,
) -> anyhow::Result<PathBuf>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let cache = cache()?;
    let place = cache.join(name);
    let is_made = || fs::read_to_string(place.join(list.0)).is_ok_and(|text| text == list.1);
    if is_made() {
        return Ok(place);
    }
    eprintln!("fetching {name} into {}, once", place.display());
    fs::create_dir_all(&cache).with_context(|| format!("{} cannot be made", cache.display()))?;
    // under a temporary name, so that an interruption leaves nothing half-made under the one that counts
    let new = tempfile::Builder::new().prefix(&format!("{name}.new-")).tempdir_in(&cache)?;
    make(new.path().to_owned()).await?;
    fs::write(new.path().join(list.0), list.1)?;
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    let new = new.keep();
    match fs::rename(&new, &place) {
        // somebody else was faster, with the same content
        Err(_) if is_made() => fs::remove_dir_all(&new)?,
        other => other.with_context(|| format!("{} cannot be made", place.display()))?,
    }
    Ok(place)
}

/// `$XDG_CACHE_HOME/footfall`, or `~/.cache/footfall`: outside the target folder, which people remove.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path: &PathBuf| Path::is_absolute(path));
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set: nowhere to keep what the tests need")?.join("footfall"))
}
