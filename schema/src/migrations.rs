//! The tables, as numbered steps that are never edited once they have been released.
//!
//! Each set is for a PostgreSQL schema of its own. Table names in them are bare: the connection's `search_path` says
//! which schema is meant, so that a rebuild runs the same steps beside the live read model.

/// One step: its number within the set, what it does, and its SQL.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Steps run in ascending order.
    pub version: i64,
    /// Shown when a step is taken.
    pub description: &'static str,
    /// Statements, separated by semicolons; all of a step is one transaction.
    pub sql: &'static str,
}

/// Where the live read model is.
pub const READ_MODEL_SCHEMA: &str = "footfall";
/// Where a rebuild puts the next read model.
pub const REBUILD_SCHEMA: &str = "footfall_rebuild";
/// Where the last swap put the read model before it.
pub const PREVIOUS_SCHEMA: &str = "footfall_previous";
/// Accounts, sign-outs, used links, what became of dead letters: never swapped.
pub const ACCOUNTS_SCHEMA: &str = "footfall_accounts";
/// The log of the PostgreSQL engine: never swapped.
pub const LOG_SCHEMA: &str = "footfall_log";

/// The read model: what the projector writes and query-api reads.
pub const READ_MODEL: &[Migration] = &[
    Migration {
        version: 1,
        description: "sessions, facts, dimensions, roll-ups, checkpoints",
        sql: include_str!("../migrations/read_model/0001_read_model.sql"),
    },
    Migration {
        version: 2,
        description: "indexes of the lists",
        sql: include_str!("../migrations/read_model/0002_lists.sql"),
    },
    Migration {
        version: 3,
        description: "roll-ups of the report",
        sql: include_str!("../migrations/read_model/0003_report.sql"),
    },
    Migration {
        version: 4,
        description: "who changed what in the admin",
        sql: include_str!("../migrations/read_model/0004_admin.sql"),
    },
    Migration {
        version: 5,
        description: "which days have changed, and hours",
        sql: include_str!("../migrations/read_model/0005_days.sql"),
    },
];

/// Who may sign in.
pub const ACCOUNTS: &[Migration] = &[
    Migration {
        version: 1,
        description: "accounts, sign-outs, used links",
        sql: include_str!("../migrations/accounts/0001_accounts.sql"),
    },
    Migration {
        version: 2,
        description: "what staff did with dead letters",
        sql: include_str!("../migrations/accounts/0002_dead_letters.sql"),
    },
    Migration {
        version: 3,
        description: "roles of the services",
        sql: include_str!("../migrations/accounts/0003_roles.sql"),
    },
    Migration {
        version: 4,
        description: "sign-ins end with the password",
        sql: include_str!("../migrations/accounts/0004_sessions_from.sql"),
    },
];

/// The log of the PostgreSQL engine.
pub const LOG: &[Migration] = &[Migration {
    version: 1,
    description: "records, partitions, identity",
    sql: include_str!("../migrations/log/0001_log.sql"),
}];

/// What the roles of the services may do in a read model. No step: it is run after them, each time.
pub const READ_MODEL_GRANTS: &str = include_str!("../migrations/grants/read_model.sql");
/// What they may do with accounts.
pub const ACCOUNTS_GRANTS: &str = include_str!("../migrations/grants/accounts.sql");
