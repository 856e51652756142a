//! Texts that repeat (URLs, elements, user agents) as rows of their own, interned before the batch that uses them.
//!
//! Each statement here is a transaction of its own: a text without facts is harmless, and batches of different
//! partitions never wait for each other's dimension rows.

use crate::{
    projection::Agent,
    user_agent::{Browser, Reader, Reading},
};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::collections::HashMap;

/// SHA-256 of a text: what texts are unique by, because a btree refuses values above 2.7 kB.
type Hash = [u8; 32];

/// Entries that each cache has at most; an entry takes about 100 bytes, so the three take about 60 MB at most.
const MAX_CACHED: usize = 200_000;

/// Texts that one statement asks for or inserts at most. Together they are part of a batch and so below its bytes.
const MAX_PER_STATEMENT: usize = 5_000;

/// What is remembered of the dimension tables.
pub struct Dimensions {
    urls: Cache<Hash, i64>,
    elements: Cache<Hash, i64>,
    agents: Cache<Hash, Agent>,
}

impl std::fmt::Debug for Dimensions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dimensions").finish_non_exhaustive()
    }
}

impl Default for Dimensions {
    fn default() -> Self {
        Self { urls: Cache::new(MAX_CACHED), elements: Cache::new(MAX_CACHED), agents: Cache::new(MAX_CACHED) }
    }
}

/// The rows of the texts of one batch.
#[derive(Debug, Default)]
pub struct Interned<'a> {
    /// Ids in `url`.
    pub urls: HashMap<&'a str, i64>,
    /// Ids in `element`.
    pub elements: HashMap<&'a str, i64>,
    /// Rows in `user_agent`.
    pub agents: HashMap<&'a str, Agent>,
}

impl Dimensions {
    /// Forgets everything, because ids are another read model's now.
    pub fn forget(&self) {
        self.urls.clear();
        self.elements.clear();
        self.agents.clear();
    }

    /// Finds or makes the rows of all texts that are keys in `wanted`.
    pub async fn intern(&self, pool: &PgPool, wanted: &mut Interned<'_>) -> sqlx::Result<()> {
        intern_plain(pool, &self.urls, &mut wanted.urls, &URL).await?;
        intern_plain(pool, &self.elements, &mut wanted.elements, &ELEMENT).await?;
        self.intern_agents(pool, &mut wanted.agents).await
    }

    async fn intern_agents(&self, pool: &PgPool, wanted: &mut HashMap<&str, Agent>) -> sqlx::Result<()> {
        let missing = from_cache(&self.agents, wanted);
        for part in missing.chunks(MAX_PER_STATEMENT) {
            let mut rows = find_agents(pool, part).await?;
            let unread: Vec<_> = part.iter().filter(|(hash, _)| !rows.contains_key(hash)).copied().collect();
            if !unread.is_empty() {
                insert_agents(pool, &unread).await?;
                rows.extend(find_agents(pool, &unread).await?);
            }
            take_over(&self.agents, part, &rows, wanted)?;
        }
        Ok(())
    }
}

/// The statements of a dimension that is nothing but texts.
struct Plain {
    find: &'static str,
    insert: &'static str,
}

const URL: Plain = Plain {
    find: "SELECT hash, id FROM url WHERE hash = ANY($1)",
    insert: "INSERT INTO url (hash, text) SELECT * FROM UNNEST($1::bytea[], $2::text[]) ON CONFLICT DO NOTHING",
};
const ELEMENT: Plain = Plain {
    find: "SELECT hash, id FROM element WHERE hash = ANY($1)",
    insert: "INSERT INTO element (hash, text) SELECT * FROM UNNEST($1::bytea[], $2::text[]) ON CONFLICT DO NOTHING",
};

async fn intern_plain(
    pool: &PgPool,
    cache: &Cache<Hash, i64>,
    wanted: &mut HashMap<&str, i64>,
    table: &Plain,
) -> sqlx::Result<()> {
    let missing = from_cache(cache, wanted);
    for part in missing.chunks(MAX_PER_STATEMENT) {
        let mut rows = find_plain(pool, table, part).await?;
        let new: Vec<_> = part.iter().filter(|(hash, _)| !rows.contains_key(hash)).copied().collect();
        if !new.is_empty() {
            let (hashes, texts) = columns(&new);
            sqlx::query(table.insert).bind(hashes).bind(texts).execute(pool).await?;
            rows.extend(find_plain(pool, table, &new).await?);
        }
        take_over(cache, part, &rows, wanted)?;
    }
    Ok(())
}

async fn find_plain(pool: &PgPool, table: &Plain, part: &[(Hash, &str)]) -> sqlx::Result<HashMap<Hash, i64>> {
    let rows: Vec<(Hash, i64)> = sqlx::query_as(table.find).bind(columns(part).0).fetch_all(pool).await?;
    Ok(rows.into_iter().collect())
}

async fn find_agents(pool: &PgPool, part: &[(Hash, &str)]) -> sqlx::Result<HashMap<Hash, Agent>> {
    let rows: Vec<(Hash, i64, i64)> = sqlx::query_as("SELECT hash, id, client_id FROM user_agent WHERE hash = ANY($1)")
        .bind(columns(part).0)
        .fetch_all(pool)
        .await?;
    Ok(rows.into_iter().map(|(hash, id, client_id)| (hash, Agent { id, client_id })).collect())
}

async fn insert_agents(pool: &PgPool, new: &[(Hash, &str)]) -> sqlx::Result<()> {
    let owned: Vec<String> = new.iter().map(|(_, text)| (*text).to_owned()).collect();
    let readings = tokio::task::spawn_blocking(move || {
        let reader = Reader::shared();
        owned.iter().map(|text| reader.read(text)).collect::<Vec<Reading>>()
    })
    .await
    .map_err(|error| sqlx::Error::Protocol(format!("a user agent could not be read: {error}")))?;
    let (hashes, texts) = columns(new);
    let browsers: Vec<&str> = new.iter().map(|(_, text)| Browser::of(text).as_str()).collect();
    for statement in [CLIENTS, AGENTS] {
        sqlx::query(statement)
            .bind(&hashes)
            .bind(&texts)
            .bind(&browsers)
            .bind(readings.iter().map(|reading| reading.family.as_str()).collect::<Vec<_>>())
            .bind(readings.iter().map(|reading| reading.os.as_str()).collect::<Vec<_>>())
            .bind(readings.iter().map(|reading| reading.device.as_str()).collect::<Vec<_>>())
            .execute(pool)
            .await?;
    }
    Ok(())
}

/// Makes the rows of `client` that new user agents need. Families and systems are cut: a btree refuses long texts.
const CLIENTS: &str = "
    INSERT INTO client (browser, family, os, device)
    SELECT DISTINCT browser, left(family, 80), left(os, 80), device_class(text, os, device)
    FROM UNNEST($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
         AS n(hash, text, browser, family, os, device)
    ORDER BY 1, 2, 3, 4 ON CONFLICT DO NOTHING";

const AGENTS: &str = "
    INSERT INTO user_agent (hash, text, browser, family, os, device, client_id)
    SELECT n.hash, n.text, n.browser, n.family, n.os, n.device, c.id
    FROM UNNEST($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
         WITH ORDINALITY AS n(hash, text, browser, family, os, device, place)
    JOIN client c ON (c.browser, c.family, c.os, c.device)
                   = (n.browser, left(n.family, 80), left(n.os, 80), device_class(n.text, n.os, n.device))
    ORDER BY n.place ON CONFLICT DO NOTHING";

/// Fills in what the cache knows; gives the others, sorted by hash so that two who insert never wait in a circle.
fn from_cache<'a, V: Copy>(cache: &Cache<Hash, V>, wanted: &mut HashMap<&'a str, V>) -> Vec<(Hash, &'a str)> {
    let mut missing = Vec::new();
    for (text, value) in wanted.iter_mut() {
        let hash: Hash = Sha256::digest(text.as_bytes()).into();
        match cache.get(&hash) {
            Some(known) => *value = known,
            None => missing.push((hash, *text)),
        }
    }
    missing.sort_unstable();
    missing
}

fn take_over<'a, V: Copy>(
    cache: &Cache<Hash, V>,
    part: &[(Hash, &'a str)],
    rows: &HashMap<Hash, V>,
    wanted: &mut HashMap<&'a str, V>,
) -> sqlx::Result<()> {
    for (hash, text) in part {
        let found = *rows.get(hash).ok_or(sqlx::Error::RowNotFound)?;
        cache.insert(*hash, found);
        if let Some(value) = wanted.get_mut(text) {
            *value = found;
        }
    }
    Ok(())
}

fn columns<'a>(part: &'a [(Hash, &'a str)]) -> (Vec<&'a [u8]>, Vec<&'a str>) {
    part.iter().map(|(hash, text)| (hash.as_slice(), *text)).unzip()
}
