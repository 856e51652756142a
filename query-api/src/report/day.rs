//! A day's roll-ups, summed over the shards: what every report with this day in it is made of, however it is narrowed.

use chrono::{DateTime, NaiveDate, Utc};
use futures::TryStreamExt;
use schema::InteractionKind;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// Kinds of interactions.
pub(super) const KINDS: usize = InteractionKind::ALL.len();

/// What a client's sessions did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OfClient {
    pub client_id: i64,
    /// Sessions that began on the day.
    pub sessions: i64,
    /// Those with an end.
    pub ended: i64,
    /// How long those were, together.
    pub duration_us: i128,
    /// Page views of the sessions, on whatever day.
    pub viewed: i64,
    /// Sessions with one page view.
    pub single_page: i64,
    /// Page views on the day, of sessions of whatever day.
    pub page_views: i64,
    /// The same of interactions, in the order of [`InteractionKind::ALL`].
    pub interactions: [i64; KINDS],
}

/// How often something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// Of a URL or an element.
    pub id: i64,
    /// Of an interaction, its place in [`InteractionKind::ALL`]; 0 of a page view.
    pub kind: u8,
    pub count: i64,
}

/// An hour of the zone's clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hour {
    pub hour: DateTime<Utc>,
    pub page_views: i64,
    pub sessions: i64,
    pub interactions: i64,
}

/// The day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DayRows {
    /// How often it has changed: with the same number, it is the same.
    pub changes: i64,
    pub clients: Vec<OfClient>,
    /// The most viewed first, equals in the order of their texts.
    pub urls: Vec<Count>,
    pub elements: Vec<Count>,
    /// Sessions by class of their duration.
    pub classes: Vec<(i16, i64)>,
    pub hours: Vec<Hour>,
}

const SESSIONS: &str = "SELECT client_id, sum(sessions)::bigint, sum(ended)::bigint, trunc(sum(duration_us))::text, \
        sum(page_views)::bigint, sum(single_page)::bigint \
    FROM daily_session WHERE day = $1 GROUP BY client_id";

const PAGE_VIEWS: &str =
    "SELECT client_id, sum(page_views)::bigint FROM daily_client_page_view WHERE day = $1 GROUP BY client_id";

const INTERACTIONS: &str = "SELECT client_id, event_type, sum(interactions)::bigint FROM daily_client_interaction \
    WHERE day = $1 GROUP BY client_id, event_type";

const URLS: &str = "SELECT url_id, n FROM ( \
        SELECT url_id, sum(page_views)::bigint AS n FROM daily_page_view WHERE day = $1 GROUP BY url_id) a \
    JOIN url ON url.id = url_id WHERE n > 0 ORDER BY n DESC, text COLLATE \"C\"";

const ELEMENTS: &str = "SELECT element_id, event_type, sum(interactions)::bigint FROM daily_element \
    WHERE day = $1 GROUP BY element_id, event_type HAVING sum(interactions) > 0";

const CLASSES: &str = "SELECT class, sum(sessions)::bigint FROM daily_duration WHERE day = $1 GROUP BY class";

const HOURS: &str = "SELECT hour, sum(page_views)::bigint, sum(sessions)::bigint, sum(interactions)::bigint \
    FROM hourly WHERE day = $1 GROUP BY hour ORDER BY hour";

/// The place of a kind by its name.
fn kind_of(name: &str) -> sqlx::Result<u8> {
    let place = InteractionKind::ALL.iter().position(|kind| kind.as_str() == name);
    place.and_then(|place| u8::try_from(place).ok()).ok_or_else(|| sqlx::Error::ColumnDecode {
        index: "event_type".to_owned(),
        source: format!("{name:?} is no kind of interaction").into(),
    })
}

impl DayRows {
    /// Reads it; `changes` is its number in the same snapshot.
    pub async fn read(connection: &mut PgConnection, day: NaiveDate, changes: i64) -> sqlx::Result<Self> {
        let mut rows = Self { changes, clients: clients(connection, day).await?, ..Self::default() };
        let mut urls = sqlx::query_as::<_, (i64, i64)>(URLS).bind(day).fetch(&mut *connection);
        while let Some((id, count)) = urls.try_next().await? {
            rows.urls.push(Count { id, kind: 0, count });
        }
        drop(urls);
        let mut elements = sqlx::query_as::<_, (i64, String, i64)>(ELEMENTS).bind(day).fetch(&mut *connection);
        while let Some((id, kind, count)) = elements.try_next().await? {
            rows.elements.push(Count { id, kind: kind_of(&kind)?, count });
        }
        drop(elements);
        rows.classes = sqlx::query_as(CLASSES).bind(day).fetch_all(&mut *connection).await?;
        let hours: Vec<(DateTime<Utc>, i64, i64, i64)> = sqlx::query_as(HOURS).bind(day).fetch_all(connection).await?;
        let hour = |(hour, page_views, sessions, interactions)| Hour { hour, page_views, sessions, interactions };
        rows.hours = hours.into_iter().map(hour).collect();
        rows.urls.shrink_to_fit();
        rows.elements.shrink_to_fit();
        Ok(rows)
    }

    /// Bytes that it takes in memory, about.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.clients.len() * size_of::<OfClient>()
            + (self.urls.len() + self.elements.len()) * size_of::<Count>()
            + self.classes.len() * size_of::<(i16, i64)>()
            + self.hours.len() * size_of::<Hour>()
    }
}

/// A row of [`SESSIONS`].
type Sessions = (i64, i64, i64, String, i64, i64);

async fn clients(connection: &mut PgConnection, day: NaiveDate) -> sqlx::Result<Vec<OfClient>> {
    let mut clients: BTreeMap<i64, OfClient> = BTreeMap::new();
    let sessions: Vec<Sessions> = sqlx::query_as(SESSIONS).bind(day).fetch_all(&mut *connection).await?;
    for (client_id, sessions, ended, duration_us, viewed, single_page) in sessions {
        let duration_us = duration_us.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let of = OfClient { client_id, sessions, ended, duration_us, viewed, single_page, ..OfClient::default() };
        clients.insert(client_id, of);
    }
    let mut of = |client_id, change: &dyn Fn(&mut OfClient)| {
        change(clients.entry(client_id).or_insert_with(|| OfClient { client_id, ..OfClient::default() }));
    };
    let page_views: Vec<(i64, i64)> = sqlx::query_as(PAGE_VIEWS).bind(day).fetch_all(&mut *connection).await?;
    for (client_id, count) in page_views {
        of(client_id, &|client| client.page_views = count);
    }
    let interactions: Vec<(i64, String, i64)> =
        sqlx::query_as(INTERACTIONS).bind(day).fetch_all(&mut *connection).await?;
    for (client_id, kind, count) in interactions {
        let kind = usize::from(kind_of(&kind)?);
        of(client_id, &|client| client.interactions[kind] = count);
    }
    Ok(clients.into_values().collect())
}
