//! The repetitions: one round measures every cell on every backend, so that a drift meets all alike.

use std::time::{Duration, Instant};

use anyhow::Result;
use wyn_bench::record::{Cell, Entry, Figures, Line, Outcome, Sample};

use super::build::Programs;
use super::plan;
use super::process::{self, Ended};
use super::progress::Progress;
use super::stats;

/// After so many hangs in one cell the backend is not asked again.
const HANGS: u32 = 2;

/// What is known so far about one cell on one backend.
struct Slot {
    entry: Entry,
    done: bool,
}

/// Measures all cells on all backends, `reps` times.
pub(crate) fn all(
    programs: &Programs,
    backends: &[String],
    cells: &[Cell],
    reps: usize,
) -> Result<Vec<Entry>> {
    let mut slots: Vec<Vec<Slot>> =
        cells.iter().map(|cell| backends.iter().map(|b| slot(b, cell)).collect()).collect();
    let mut progress = Progress::new(cells.len() * backends.len(), reps);
    for rep in 0..reps {
        progress.round();
        for (place, (cell, row)) in cells.iter().zip(&mut slots).enumerate() {
            let round_trip_ns = round_trip(programs)?;
            // Each round begins with another backend: none always runs in the wake of the same one.
            let first = rep % row.len().max(1);
            for index in (first..row.len()).chain(0..first) {
                let (slot, start) = (&mut row[index], Instant::now());
                progress.measuring(format!("{} {} {}", slot.entry.backend, cell.workload, cell.n));
                if !slot.done {
                    repetition(programs, slot, round_trip_ns)?;
                }
                progress.measured(place * backends.len() + index, start.elapsed());
            }
        }
        progress.round_ended();
    }
    progress.end();
    Ok(slots.into_iter().flatten().map(finished).collect())
}

fn slot(backend: &str, cell: &Cell) -> Slot {
    let outcome = Outcome::Measured(Vec::new());
    Slot { entry: Entry { backend: backend.to_owned(), cell: cell.clone(), outcome, hung: 0 }, done: false }
}

fn repetition(programs: &Programs, slot: &mut Slot, round_trip_ns: f64) -> Result<()> {
    let entry = &mut slot.entry;
    let program = match programs.of(&entry.backend) {
        Ok(program) => program,
        Err(how) => {
            entry.outcome = Outcome::Missing(how);
            slot.done = true;
            return Ok(());
        }
    };
    let limit = Duration::from_secs(plan::limit_seconds(&entry.cell));
    let outcome = match process::measure(program, &entry.backend, &entry.cell, programs.spread, limit)? {
        Ended::Line(Line::Figures(figures)) => {
            let sample = Sample { round_trip_ns, dropped: false, figures };
            if let Outcome::Measured(samples) = &mut entry.outcome {
                samples.push(sample);
            }
            return Ok(());
        }
        Ended::Hung => {
            entry.hung += 1;
            slot.done = entry.hung >= HANGS;
            return Ok(());
        }
        Ended::Line(Line::Unsupported(why)) => Outcome::Unsupported(why),
        Ended::Line(Line::Wrong(what)) => Outcome::Failed(format!("wrong answer: {what}")),
        Ended::Failed(what) => Outcome::Failed(what),
    };
    entry.outcome = outcome;
    slot.done = true;
    Ok(())
}

/// Drops disturbed repetitions, and calls a cell hung that never ended.
fn finished(slot: Slot) -> Entry {
    let mut entry = slot.entry;
    if let Outcome::Measured(samples) = &mut entry.outcome {
        if samples.is_empty() && entry.hung > 0 {
            entry.outcome = Outcome::Hung(plan::limit_seconds(&entry.cell));
        } else if plan::busy(&entry.cell.workload) {
            stats::drop_disturbed(samples);
        }
    }
    entry
}

/// The round trip of one cache line between two processors right now; 0 where it cannot be told.
fn round_trip(programs: &Programs) -> Result<f64> {
    let cell = Cell { workload: "round_trip".to_owned(), n: 0, grain_ns: 0, workers: 2, capacity: None };
    let ended = process::measure(&programs.probe, "serial", &cell, false, Duration::from_secs(5))?;
    let nanoseconds = |figures: Figures| figures.get("ns").copied();
    Ok(match ended {
        Ended::Line(Line::Figures(figures)) => nanoseconds(figures).unwrap_or(0.0),
        _ => 0.0,
    })
}
