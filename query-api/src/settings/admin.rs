//! Settings of the admin: contract § 10, 11.

use clap::ArgAction;

/// Settings of the admin.
#[derive(Clone, Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "the contract's four permission settings")]
pub struct AdminSettings {
    /// Whether there is an admin at all
    #[arg(long, env = "FOOTFALL_ADMIN", default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    pub admin: bool,
    /// Whether staff may add sessions, page views and interactions
    #[arg(long, env = "FOOTFALL_ADMIN_ALLOW_ADD", default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    pub admin_allow_add: bool,
    /// Whether staff may change them
    #[arg(long, env = "FOOTFALL_ADMIN_ALLOW_CHANGE", default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    pub admin_allow_change: bool,
    /// Whether staff may delete them
    #[arg(long, env = "FOOTFALL_ADMIN_ALLOW_DELETE", default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    pub admin_allow_delete: bool,
    /// What the admin's pages are called in the browser's title
    #[arg(long, env = "FOOTFALL_ADMIN_SITE_TITLE", default_value = "Footfall admin", value_name = "TEXT")]
    pub admin_site_title: String,
    /// What stands at the top of the admin's pages
    #[arg(long, env = "FOOTFALL_ADMIN_SITE_HEADER", default_value = "Footfall", value_name = "TEXT")]
    pub admin_site_header: String,
    /// The heading of the admin's first page
    #[arg(long, env = "FOOTFALL_ADMIN_INDEX_TITLE", default_value = "Administration", value_name = "TEXT")]
    pub admin_index_title: String,
    /// Rows on a page of the admin's lists, 1 to 100
    #[arg(long, env = "FOOTFALL_ADMIN_PAGE_SIZE", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "ROWS")]
    pub admin_page_size: u32,
}
