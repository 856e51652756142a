//! The three resources, and settings that can be given for all of them or for one alone (contract § 11).

/// What the contract calls a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `/sessions/`
    Sessions,
    /// `/pageviews/`
    PageViews,
    /// `/interactions/`
    Interactions,
}

impl Resource {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 3] = [Self::Sessions, Self::PageViews, Self::Interactions];

    /// Its part of the address.
    pub fn path(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::PageViews => "pageviews",
            Self::Interactions => "interactions",
        }
    }
}

/// Defines the arguments of a setting that each resource can have otherwise: a struct for `#[command(flatten)]` with
/// `get(resource)`. The flag stands without dashes at the front, the variable without `FOOTFALL_`.
///
/// ```
/// service::per_resource! {
///     /// Whether lists are answered
///     pub struct AllowList("allow-list", "ALLOW_LIST"): bool = "true";
/// }
/// # use clap::Parser;
/// # #[derive(Parser)]
/// # struct Command { #[command(flatten)] allow_list: AllowList }
/// # use service::resource::Resource;
/// let command = Command::parse_from(["x", "--allow-list", "false", "--sessions-allow-list", "true"]);
/// assert!(command.allow_list.get(Resource::Sessions) && !command.allow_list.get(Resource::PageViews));
/// ```
#[macro_export]
macro_rules! per_resource {
    ($(#[doc = $help:literal])+
     $visibility:vis struct $name:ident($flag:literal, $variable:literal): $type:ty = $default:literal;) => {
        $(#[doc = $help])+
        #[derive(Clone, Debug, clap::Args)]
        $visibility struct $name {
            #[arg(
                id = $flag,
                long = $flag,
                env = concat!("FOOTFALL_", $variable),
                help = concat!($($help),+).trim(),
                default_value = $default,
                action = clap::ArgAction::Set
            )]
            everywhere: $type,
            #[arg(
                id = concat!("sessions-", $flag),
                long = concat!("sessions-", $flag),
                env = concat!("FOOTFALL_SESSIONS_", $variable),
                help = concat!("--", $flag, " of sessions alone"),
                hide_short_help = true,
                action = clap::ArgAction::Set
            )]
            sessions: Option<$type>,
            #[arg(
                id = concat!("pageviews-", $flag),
                long = concat!("pageviews-", $flag),
                env = concat!("FOOTFALL_PAGEVIEWS_", $variable),
                help = concat!("--", $flag, " of page views alone"),
                hide_short_help = true,
                action = clap::ArgAction::Set
            )]
            pageviews: Option<$type>,
            #[arg(
                id = concat!("interactions-", $flag),
                long = concat!("interactions-", $flag),
                env = concat!("FOOTFALL_INTERACTIONS_", $variable),
                help = concat!("--", $flag, " of interactions alone"),
                hide_short_help = true,
                action = clap::ArgAction::Set
            )]
            interactions: Option<$type>,
        }

        impl $name {
            /// What holds for this resource: its own setting, else the one for all.
            $visibility fn get(&self, resource: $crate::resource::Resource) -> $type {
                let own = match resource {
                    $crate::resource::Resource::Sessions => &self.sessions,
                    $crate::resource::Resource::PageViews => &self.pageviews,
                    $crate::resource::Resource::Interactions => &self.interactions,
                };
                own.as_ref().unwrap_or(&self.everywhere).clone()
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::AccessLevel;
    use clap::Parser;

    per_resource! {
        /// Who may
        /// read
        struct ReadAccess("read-access", "READ_ACCESS"): AccessLevel = "anyone";
    }

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        read_access: ReadAccess,
    }

    #[test]
    fn a_resources_own_setting_wins_over_the_one_for_all() {
        let get = |arguments: &[&str]| {
            let command = Command::try_parse_from([&["x"], arguments].concat()).unwrap();
            Resource::ALL.map(|resource| command.read_access.get(resource))
        };
        let (anyone, user, staff) = (AccessLevel::Anyone, AccessLevel::User, AccessLevel::Staff);
        assert_eq!(get(&[]), [anyone; 3]);
        assert_eq!(get(&["--pageviews-read-access", "staff"]), [anyone, staff, anyone]);
        assert_eq!(get(&["--read-access", "staff", "--interactions-read-access", "user"]), [staff, staff, user]);
        assert!(Command::try_parse_from(["x", "--sessions-read-access", "everyone"]).is_err());
    }
}
