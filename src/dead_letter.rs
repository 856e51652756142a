//! `footfall dead-letter list | skip`.

use crate::{
    output::{complain, say},
    stores::{StoreSettings, Stores},
};
use ::projector::dead_letters;
use clap::Subcommand;
use schema::{Position, migrations::READ_MODEL_SCHEMA};
use std::process::ExitCode;

/// Records that could not be projected.
#[derive(clap::Args)]
pub struct DeadLetter {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List them, one JSON object a line, in the order of their positions
    List(Box<List>),
    /// Pass over a record that a partition waits at: it becomes a dead letter
    Skip(Box<Skip>),
}

#[derive(clap::Args)]
struct List {
    /// How many at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Only those after this position, as PARTITION/OFFSET
    #[arg(long, value_parser = position)]
    after: Option<Position>,
    #[command(flatten)]
    stores: StoreSettings,
}

#[derive(clap::Args)]
struct Skip {
    /// The partition
    partition: u16,
    /// The offset of the record
    offset: i64,
    #[command(flatten)]
    stores: StoreSettings,
}

impl DeadLetter {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::List(list) => {
                let stores = Stores::attach(&list.stores).await?;
                let listed = async {
                    stores.has_read_model().await?;
                    let pool = stores.database.pool(READ_MODEL_SCHEMA, "footfall dead-letter", 1);
                    let letters = dead_letters::list(&pool, list.after, list.limit).await?;
                    let last = letters.last().map(|letter| letter.position);
                    let more = match last {
                        Some(last) => dead_letters::count_after(&pool, last).await?,
                        None => 0,
                    };
                    pool.close().await;
                    anyhow::Ok((letters, last, more))
                };
                let listed = listed.await;
                stores.close().await?;
                let (letters, last, more) = listed?;
                for letter in letters {
                    say(to_json(&letter))?;
                }
                if let (more @ 1.., Some(last)) = (more, last) {
                    let Position { partition, offset } = last;
                    complain(format_args!(
                        "{more} more: --after {partition}/{offset} goes on from here, --limit shows more at once"
                    ));
                }
            }
            Action::Skip(skip) => {
                let stores = Stores::attach(&skip.stores).await?;
                let asked = async {
                    stores.has_read_model().await?;
                    let pool = stores.database.pool(READ_MODEL_SCHEMA, "footfall dead-letter", 1);
                    dead_letters::skip(&pool, Position::new(skip.partition, skip.offset)).await?;
                    pool.close().await;
                    anyhow::Ok(())
                };
                let asked = asked.await;
                stores.close().await?;
                asked?;
                say(format_args!("partition {} will pass over offset {}", skip.partition, skip.offset))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn position(text: &str) -> Result<Position, String> {
    let (partition, offset) = text.split_once('/').ok_or("a position looks like 3/1000")?;
    let offset = offset.parse().map_err(|_| format!("{offset:?} is no offset"))?;
    Ok(Position::new(partition.parse().map_err(|_| format!("{partition:?} is no partition"))?, offset))
}

/// One line: bytes that are no text are shown as far as they are, values up to 2,000 characters.
fn to_json(letter: &dead_letters::DeadLetter) -> serde_json::Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(2_000).collect::<String>();
    serde_json::json!({
        "partition": letter.position.partition,
        "offset": letter.position.offset,
        "reason": letter.reason,
        "error": letter.error,
        "schema_version": letter.schema_version,
        "seen_at": letter.seen_at,
        "key": letter.key.as_deref().map(text),
        "value": text(&letter.value),
    })
}
