use std::{
    env,
    path::{Path, PathBuf},
};

/// A browser of this machine, and what drives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Chromium or Chrome.
    pub browser: PathBuf,
    /// Its `chromedriver`, of the same version.
    pub driver: PathBuf,
}

/// What Chromium and Chrome are called.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The browser that `FOOTFALL_BROWSER` names, else one of the `PATH`; its driver lies beside it or in the `PATH`.
///
/// # Errors
/// A line that says what is missing and how to get it.
pub fn find() -> Result<Installed, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    find_in(env::var_os("FOOTFALL_BROWSER").map(PathBuf::from), &folders)
}

fn find_in(named: Option<PathBuf>, folders: &[PathBuf]) -> Result<Installed, String> {
    let found = |name: &str| folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file());
    let browser = match named {
        Some(named) if named.is_file() => named,
        Some(named) => return Err(format!("FOOTFALL_BROWSER is {}, where there is no file", named.display())),
        None => BROWSERS.into_iter().find_map(found).ok_or(
            "a browser: install the packages chromium and chromium-driver (as Debian calls them), or name a Chromium or \
             Chrome with FOOTFALL_BROWSER",
        )?,
    };
    let beside = browser.parent().map(|folder: &Path| folder.join("chromedriver")).filter(|driver| driver.is_file());
    let driver = beside.or_else(|| found("chromedriver")).ok_or_else(|| {
        format!(
            "chromedriver for {}: install the package chromium-driver, or put it beside the browser",
            browser.display()
        )
    })?;
    Ok(Installed { browser, driver })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_missing_is_said_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let (browser, driver) = (folder.path().join("google-chrome"), folder.path().join("chromedriver"));
        let folders = [folder.path().to_owned()];
        let missing = |named: Option<PathBuf>| find_in(named, &folders).unwrap_err();
        assert!(missing(None).starts_with("a browser: install") && !missing(None).contains('\n'));
        assert!(missing(Some("/nowhere".into())).starts_with("FOOTFALL_BROWSER is /nowhere"));
        fs::write(&browser, "").unwrap();
        assert!(missing(None).starts_with("chromedriver for "));
        fs::write(&driver, "").unwrap();
        let all = Installed { browser: browser.clone(), driver };
        assert_eq!(find_in(None, &folders), Ok(all.clone()));
        assert_eq!(find_in(Some(browser), &[]), Ok(all));
    }
}
