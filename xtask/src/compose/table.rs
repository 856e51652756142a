use super::traffic::Outcome;
use std::{fmt, time::Duration};

/// A step, and what became of the traffic meanwhile.
pub(crate) struct Row {
    pub(crate) step: String,
    pub(crate) took: Duration,
    pub(crate) requests: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    pub(crate) acknowledged: i64,
    pub(crate) stored: i64,
    pub(crate) lost: i64,
    pub(crate) doubled: i64,
}

impl Row {
    /// Of a step without traffic.
    pub(crate) fn silent(step: &str, took: Duration) -> Self {
        Self::new(step, took, &Outcome::default(), 0)
    }

    /// `stored` events have come to the read model since the traffic began.
    pub(crate) fn new(step: &str, took: Duration, outcome: &Outcome, stored: i64) -> Self {
        Self {
            step: step.to_owned(),
            took,
            requests: outcome.requests,
            refused: outcome.refused,
            failed: outcome.failed,
            acknowledged: outcome.acknowledged,
            stored,
            lost: (outcome.acknowledged - stored).max(0),
            // what was sent and never confirmed may be stored, once
            doubled: (stored - outcome.sent).max(0),
        }
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct Table(pub(crate) Vec<Row>);

impl Table {
    /// Whether nothing was lost and nothing counted twice.
    pub(crate) fn all_well(&self) -> bool {
        self.0.iter().all(|row| row.lost == 0 && row.doubled == 0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| step | seconds | requests | refused (503) | failed | acknowledged | stored | lost | doubled |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"
        )?;
        let mut all = Row::silent("all", Duration::ZERO);
        for row in &self.0 {
            write_row(f, row)?;
            all.took += row.took;
            all.requests += row.requests;
            all.refused += row.refused;
            all.failed += row.failed;
            all.acknowledged += row.acknowledged;
            all.stored += row.stored;
            all.lost += row.lost;
            all.doubled += row.doubled;
        }
        write_row(f, &all)
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, row: &Row) -> fmt::Result {
    let Row { step, took, requests, refused, failed, acknowledged, stored, lost, doubled } = row;
    let seconds = took.as_secs_f64();
    writeln!(
        f,
        "| {step} | {seconds:.1} | {requests} | {refused} | {failed} | {acknowledged} | {stored} | {lost} | {doubled} |"
    )
}
