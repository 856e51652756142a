//! PostgreSQL roles of the services, with no more rights than each needs.

use crate::database::{Database, DatabaseError};
use schema::migrations::{ACCOUNTS_GRANTS, ACCOUNTS_SCHEMA, READ_MODEL_GRANTS, READ_MODEL_SCHEMA};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Connection, Executor, PgConnection};

/// A service that can have a role of its own. Ingest has none: it needs no database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Writes the read model.
    Projector,
    /// Reads the read model, keeps accounts.
    QueryApi,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Projector => "projector",
            Self::QueryApi => "query-api",
        }
    }
}

/// The role of a service.
#[derive(Clone, Debug)]
pub struct ServiceRole {
    /// Whose it is.
    pub service: Service,
    /// Its name in PostgreSQL; it is made when it is not there.
    pub name: String,
    /// What it is to sign in with from now on; `None` leaves that as it is.
    pub password: Option<SecretString>,
}

/// Makes the roles that are not there, sets their passwords, and notes them, so that every later migration and rebuild
/// grants them what they need. [`grant`] is the next step.
///
/// # Errors
/// When the user who is connected may not make roles.
pub async fn make(database: &Database, roles: &[ServiceRole]) -> Result<(), DatabaseError> {
    if roles.is_empty() {
        return Ok(());
    }
    let mut connection = connect(database, ACCOUNTS_SCHEMA).await?;
    for role in roles {
        make_one(&mut connection, role)
            .await
            .map_err(|error| DatabaseError::Role { role: role.name.clone(), error })?;
    }
    connection.close().await?;
    Ok(())
}

async fn make_one(connection: &mut PgConnection, role: &ServiceRole) -> sqlx::Result<()> {
    let mut transaction = connection.begin().await?;
    // two that make one role at the same time would both find it missing
    transaction.execute("SELECT pg_advisory_xact_lock(hashtext('footfall roles'))").await?;
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(&role.name)
        .fetch_one(&mut *transaction)
        .await?;
    if !there {
        run(&mut transaction, "CREATE ROLE %I LOGIN NOINHERIT", &role.name, None).await?;
    }
    if let Some(password) = &role.password {
        run(&mut transaction, "ALTER ROLE %I LOGIN PASSWORD %L", &role.name, Some(password)).await?;
    }
    // a superuser can give tables away as it is; anybody else only to a role that he is a member of
    let member: bool =
        sqlx::query_scalar("SELECT pg_has_role($1, 'MEMBER')").bind(&role.name).fetch_one(&mut *transaction).await?;
    if !member {
        run(&mut transaction, "GRANT %I TO CURRENT_USER", &role.name, None).await?;
    }
    sqlx::query(
        "INSERT INTO service_role (service, name) VALUES ($1, $2) ON CONFLICT (service) DO UPDATE SET name = excluded.name",
    )
    .bind(role.service.name())
    .bind(&role.name)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

/// Statements about roles take no parameters: PostgreSQL itself quotes name and password.
async fn run(
    connection: &mut PgConnection,
    template: &str,
    name: &str,
    password: Option<&SecretString>,
) -> sqlx::Result<()> {
    let statement: String = sqlx::query_scalar("SELECT format($1, $2, $3)")
        .bind(template)
        .bind(name)
        .bind(password.map(ExposeSecret::expose_secret))
        .fetch_one(&mut *connection)
        .await?;
    connection.execute(statement.as_str()).await.map(drop)
}

/// Gives the noted roles, if any, what they need of the live read model and of the accounts.
pub async fn grant(database: &Database) -> Result<(), DatabaseError> {
    grant_in(database, ACCOUNTS_SCHEMA, ACCOUNTS_GRANTS).await?;
    grant_read_model(database, READ_MODEL_SCHEMA).await
}

/// The same for the read model in this PostgreSQL schema alone.
pub async fn grant_read_model(database: &Database, schema: &str) -> Result<(), DatabaseError> {
    grant_in(database, schema, READ_MODEL_GRANTS).await
}

async fn grant_in(database: &Database, schema: &str, grants: &str) -> Result<(), DatabaseError> {
    let mut connection = connect(database, schema).await?;
    for last in [false, false, false, true] {
        match connection.execute(grants).await {
            // two that migrate, or one that migrates and a projector that makes a month: one of them gives way
            Err(error) if gave_way(&error) && !last => {}
            granted => {
                granted.map_err(|error| DatabaseError::Grant { schema: schema.to_owned(), error })?;
                break;
            }
        }
    }
    connection.close().await?;
    Ok(())
}

/// A deadlock was broken, or a row of PostgreSQL's own tables was changed by another meanwhile.
fn gave_way(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| {
        error.code().as_deref() == Some("40P01") || error.message().contains("concurrently updated")
    })
}

async fn connect(database: &Database, schema: &str) -> sqlx::Result<PgConnection> {
    PgConnection::connect_with(&database.options_for(schema, "footfall migrate")).await
}
