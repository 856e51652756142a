//! `footfall account add`: an account for a person.

use crate::{
    output::say,
    stores::{StoreSettings, Stores, migrate_tables},
};
use anyhow::{Context, bail};
use clap::Subcommand;
use schema::migrations::{ACCOUNTS, ACCOUNTS_SCHEMA};
use service::access::Role;
use std::{
    io::{BufRead, IsTerminal},
    process::ExitCode,
};

/// Accounts for people.
#[derive(clap::Args)]
pub struct Account {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add an account, or change the password of one, which ends its sign-ins; asks for the password, or reads it from
    /// standard input
    Add(Box<Add>),
}

#[derive(clap::Args)]
struct Add {
    /// Name to sign in with
    name: String,
    /// What the person may do: by default staff, or what the account may do already
    #[arg(long, value_enum)]
    role: Option<Role>,
    #[command(flatten)]
    stores: StoreSettings,
}

impl Account {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let Action::Add(add) = self.action;
        if add.name.is_empty() {
            bail!("an account needs a name");
        }
        let password = read_password()?;
        let stores = Stores::attach(&add.stores).await?;
        let added = async {
            // who may not make tables can still keep accounts in them
            if !stores.database.is_migrated(ACCOUNTS_SCHEMA, ACCOUNTS).await? {
                migrate_tables(&stores.database, false).await?;
            }
            query_api::accounts::add(&stores.database, &add.name, &password, add.role).await
        };
        let added = added.await;
        stores.close().await?;
        let role = added?;
        say(format_args!("{} can sign in as {role}", add.name))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn read_password() -> anyhow::Result<String> {
    let password = if std::io::stdin().is_terminal() {
        rpassword::prompt_password("Password: ").context("cannot read a password from the terminal")?
    } else {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).context("cannot read a password from standard input")?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    if password.chars().count() < 8 {
        bail!("the password has fewer than 8 characters");
    }
    Ok(password)
}
