use crate::{
    ProjectorSettings, checkpoint, dead_letters::skipped_offsets, health::Health, model::ReadModel, progress::Progress,
    projection::Batch, same_log::start_offset, scan::Scan, write::PartitionWriter,
};
use anyhow::bail;
use event_log::EventReader;
use futures::{StreamExt, TryStreamExt, stream};
use service::ops::Readiness;
use std::sync::Arc;

/// Partitions that are replayed at the same time.
const AT_ONCE: usize = 4;

/// Brings the log into a read model, as fast as it goes.
pub(super) struct Replay<'a> {
    pub model: &'a Arc<ReadModel>,
    pub reader: &'a Arc<dyn EventReader>,
    pub settings: &'a ProjectorSettings,
    pub progress: &'a Progress,
}

impl Replay<'_> {
    /// Where the log ends now, by partition.
    pub async fn ends(&self) -> anyhow::Result<Vec<i64>> {
        let mut ends = Vec::new();
        for partition in 0..self.model.made_for.partitions {
            ends.push(self.reader.watermarks(partition).await?.high);
        }
        Ok(ends)
    }

    /// Replays every partition up to its offset. Gives the number of records.
    pub async fn all(&self, what: &'static str, until: &[i64]) -> anyhow::Result<u64> {
        let mut total = 0;
        for (partition, until) in (0..).zip(until) {
            let found = checkpoint::read(&self.model.pool, partition).await?;
            total += u64::try_from(until - found.next_offset).unwrap_or_default();
        }
        self.progress.begin(what, total);
        let partitions = (0..).zip(until.iter().copied()).take(usize::from(self.model.made_for.partitions));
        stream::iter(partitions.map(|(partition, until)| self.one(partition, until)))
            .buffer_unordered(AT_ONCE)
            .try_fold(0, |sum, records| async move { Ok(sum + records) })
            .await
    }

    async fn one(&self, partition: u16, until: i64) -> anyhow::Result<u64> {
        let found = checkpoint::read(&self.model.pool, partition).await?;
        let skip = skipped_offsets(&self.model.pool, partition, found.next_offset).await?;
        let from = start_offset(&**self.reader, partition, &found).await?;
        let health = Health::new(Readiness::new().component("rebuild")).partition(partition);
        let mut writer = PartitionWriter::new(self.model.clone(), partition, &found, health);
        let mut scan = Scan::new(&**self.reader, partition, from, until);
        let limits = self.settings.limits();
        let mut replayed = 0;
        loop {
            let records = scan.next(limits.batch_records, limits.batch_bytes).await?;
            if records.is_empty() {
                return Ok(replayed);
            }
            let (batch, parked) = Batch::decode(partition, self.model.made_for.partitions, records, &skip);
            if let Some(parked) = parked {
                bail!(
                    "the record at {partition}/{} was written by a newer Footfall (schema version {}): update this one",
                    parked.offset,
                    parked.found
                );
            }
            writer.project(&batch).await?;
            self.progress.advance(batch.len());
            replayed += u64::try_from(batch.len()).unwrap_or_default();
        }
    }
}
