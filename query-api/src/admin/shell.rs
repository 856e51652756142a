//! What stands around every page of the admin.

use crate::{routes::QueryApi, sign_in::form_token};
use service::access::Identity;

/// Names, who is in, what they may do.
pub(super) struct Shell {
    pub base: String,
    pub account: String,
    /// Of every form of the page.
    pub token: String,
    pub site_title: String,
    pub site_header: String,
    pub index_title: String,
    pub zone: String,
    pub may_add: bool,
    pub may_change: bool,
    pub may_delete: bool,
    /// What has just been done.
    pub notice: Option<Notice>,
}

/// What has just been done.
pub(super) struct Notice {
    pub text: &'static str,
    /// It is not seen yet, or did not take effect: something to look at again.
    pub pending: bool,
}

impl Shell {
    pub fn of(api: &QueryApi, identity: &Identity) -> Self {
        let settings = &api.inner.settings.admin;
        Self {
            base: api.inner.base_path.clone(),
            account: identity.name.clone().unwrap_or_default(),
            token: form_token(api, identity),
            site_title: settings.admin_site_title.clone(),
            site_header: settings.admin_site_header.clone(),
            index_title: settings.admin_index_title.clone(),
            zone: api.inner.zone.to_string(),
            may_add: settings.admin_allow_add,
            may_change: settings.admin_allow_change,
            may_delete: settings.admin_allow_delete,
            notice: None,
        }
    }
}
