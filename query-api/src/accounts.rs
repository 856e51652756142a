//! Accounts of people: names, argon2id hashes, roles; cookies that were signed out, links that were used.

use anyhow::{Context, ensure};
use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier, password_hash::SaltString};
use chrono::{DateTime, TimeDelta, Utc};
use schema::migrations::ACCOUNTS_SCHEMA;
use service::{
    access::{Claims, InvalidToken, Keys, Purpose, Role, SessionCookie},
    database::Database,
};
use sqlx::PgPool;
use std::sync::LazyLock;
use uuid::Uuid;

/// How long the link that `up` prints is good.
const LINK_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// The account behind the link that `up` prints.
const OPERATOR: &str = "operator";

/// Compared with when there is no such account, so that the answer takes as long as for one that exists.
static NOBODYS_HASH: LazyLock<String> = LazyLock::new(|| hash("nobody has this password").unwrap_or_default());

/// Adds an account, or changes the password of the one with this name: who has signed in to it has to sign in again.
/// Without a role a new account is staff's, and one that is there keeps its own. Gives the role.
///
/// # Errors
/// When the name is empty, the database is away or its tables are missing.
pub async fn add(
    database: &Database,
    name: &str,
    password: &str,
    role: impl Into<Option<Role>>,
) -> anyhow::Result<Role> {
    ensure!(!name.is_empty(), "an account needs a name");
    let password = password.to_owned();
    let hash = tokio::task::spawn_blocking(move || hash(&password)).await??;
    let pool = database.pool(ACCOUNTS_SCHEMA, "footfall account", 1);
    // a cookie tells milliseconds
    let stored: Result<String, _> = sqlx::query_scalar(
        "INSERT INTO account (name, password_hash, role) VALUES ($1, $2, coalesce($3, 'staff'))
         ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash, role = coalesce($3, account.role),
             sessions_from = date_trunc('milliseconds', now())
         RETURNING role",
    )
    .bind(name)
    .bind(hash)
    .bind(role.into().map(|role| role.to_string()))
    .fetch_one(&pool)
    .await;
    pool.close().await;
    stored.context("the account could not be stored")?.parse().map_err(anyhow::Error::msg)
}

/// A link's token: signs in once, as staff, within the hour.
pub fn issue_link(keys: &Keys, now: DateTime<Utc>) -> String {
    keys.issue(Purpose::SignInLink, OPERATOR, Role::Staff, now, LINK_LIFETIME)
}

/// Spends a link: its claims the first time, nothing ever after.
pub(crate) async fn spend_link(
    pool: &PgPool,
    keys: &Keys,
    token: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Claims>> {
    let Ok(claims): Result<Claims, InvalidToken> = keys.check(Purpose::SignInLink, token, now) else { return Ok(None) };
    if !spend(pool, claims.jti, claims.exp).await? {
        return Ok(None);
    }
    sqlx::query("INSERT INTO account (name, role) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(&claims.sub)
        .bind(claims.role.to_string())
        .execute(pool)
        .await?;
    Ok(Some(claims))
}

/// Marks a token as spent; `false` when it was already. Those that have expired are forgotten.
pub(crate) async fn spend(pool: &PgPool, id: Uuid, expires: i64) -> sqlx::Result<bool> {
    sqlx::query("DELETE FROM spent_token WHERE expires_at < now() - interval '1 day'").execute(pool).await?;
    let spent =
        sqlx::query("INSERT INTO spent_token (id, expires_at) VALUES ($1, to_timestamp($2)) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(f64::from(u32::try_from(expires).unwrap_or(u32::MAX)))
            .execute(pool)
            .await?;
    Ok(spent.rows_affected() == 1)
}

/// The role that a cookie's account has today, if it is there, the cookie has not been signed out, and the password has
/// not changed since.
pub(crate) async fn role_of_cookie(pool: &PgPool, name: &str, cookie: SessionCookie) -> sqlx::Result<Option<Role>> {
    let role: Option<String> = sqlx::query_scalar(
        "SELECT role FROM account
         WHERE name = $1 AND sessions_from <= $3 AND NOT EXISTS (SELECT FROM spent_token WHERE id = $2)",
    )
    .bind(name)
    .bind(cookie.id)
    .bind(cookie.signed_in_at())
    .fetch_optional(pool)
    .await?;
    Ok(role.and_then(|role| role.parse().ok()))
}

/// The role of an account, if name and password are right. Takes as long when there is no such account, or when it has
/// no password: the same question to the database, the same work on a hash.
pub(crate) async fn check_password(pool: &PgPool, name: &str, password: String) -> sqlx::Result<Option<Role>> {
    // PostgreSQL refuses a text with NUL, so nobody is called so; an error would tell it apart
    let name = if name.contains('\0') { "" } else { name };
    let found: Option<(Option<String>, String)> =
        sqlx::query_as("SELECT password_hash, role FROM account WHERE name = $1")
            .bind(name)
            .fetch_optional(pool)
            .await?;
    let (hash, role) = found.map_or((None, None), |(hash, role)| (hash, role.parse().ok()));
    let known = hash.is_some();
    let right = tokio::task::spawn_blocking(move || {
        // made by the first who comes, whoever that is: else the first unknown name would take twice as long
        let nobodys = LazyLock::force(&NOBODYS_HASH);
        is_right(&password, hash.as_deref().unwrap_or(nobodys))
    })
    .await;
    Ok(role.filter(|_| known && right.unwrap_or(false)))
}

fn hash(password: &str) -> anyhow::Result<String> {
    let salt = SaltString::encode_b64(Uuid::new_v4().as_bytes()).map_err(|error| anyhow::anyhow!("salt: {error}"))?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    Ok(hash.map_err(|error| anyhow::anyhow!("the password cannot be hashed: {error}"))?.to_string())
}

fn is_right(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}
