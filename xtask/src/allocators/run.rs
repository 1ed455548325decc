//! Builds the programs and measures them in turn.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use wyn_bench::record::{Cell, Entry, Line, Outcome, Sample};

use super::Run;
use super::plan::{Memory, WORKLOADS};
use crate::bench::plan::{self as cells, Mode};
use crate::bench::process::{self, Ended};
use crate::bench::progress::Progress;
use crate::bench::{build, stats};
use crate::cmd;

/// One program for each kind of memory, side by side.
pub(super) fn programs(smoke: bool) -> Result<Vec<(Memory, PathBuf)>> {
    let dir = cmd::target_dir().join("bench");
    std::fs::create_dir_all(&dir)?;
    let mode = if smoke { Mode::Smoke } else { Mode::Quick };
    let one = |memory: Memory| {
        let built = build::probe_with(mode, &memory.features().into_iter().collect::<Vec<_>>())?;
        let kept = dir.join(memory.program());
        std::fs::copy(&built, &kept).with_context(|| format!("{} cannot be kept", kept.display()))?;
        Ok((memory, kept))
    };
    Memory::all().map(one).collect()
}

/// One measurement that is repeated: in which run and entry its samples go.
struct Step {
    run: usize,
    entry: usize,
}

/// Every cell on every program and backend, so many times, interleaved.
pub(super) fn all(programs: &[(Memory, PathBuf)], smoke: bool, reps: usize) -> Result<Vec<Run>> {
    let mut runs: Vec<Run> = programs
        .iter()
        .map(|(memory, _)| Run { memory: *memory, entries: entries(*memory, smoke) })
        .collect();
    let steps = interleaved(&runs);
    let mut progress = Progress::new(steps.len(), reps);
    for rep in 0..reps {
        progress.round();
        // Each round begins elsewhere: none always runs in the wake of the same one.
        let first = rep * steps.len() / reps.max(1);
        for index in (first..steps.len()).chain(0..first) {
            let (step, start) = (&steps[index], Instant::now());
            let (memory, program) = &programs[step.run];
            let entry = &mut runs[step.run].entries[step.entry];
            progress.measuring(format!("{} {} {}", memory.program(), entry.backend, entry.cell.workload));
            repetition(program, entry)?;
            progress.measured(index, start.elapsed());
        }
        progress.round_ended();
    }
    progress.end();
    for entry in runs.iter_mut().flat_map(|run| &mut run.entries) {
        if let Outcome::Measured(samples) = &mut entry.outcome
            && cells::busy(&entry.cell.workload)
        {
            stats::drop_disturbed(samples);
        }
    }
    Ok(runs)
}

/// What a program is asked. Without Wyn's cells only what lies in them is another question than with them.
fn entries(memory: Memory, smoke: bool) -> Vec<Entry> {
    let empty = |backend: &str, cell: Cell| Entry {
        backend: backend.to_owned(),
        cell,
        outcome: Outcome::Measured(Vec::new()),
        hung: 0,
    };
    let rows = WORKLOADS.iter().filter(|row| memory.own_cells || row.work.in_cells());
    rows.flat_map(|row| {
        let backends = row.backends.iter().filter(|name| memory.own_cells || **name == "wyn");
        backends.map(|backend| empty(backend, row.cell(smoke))).collect::<Vec<_>>()
    })
    .collect()
}

/// The same cell and backend on all programs, then the next.
fn interleaved(runs: &[Run]) -> Vec<Step> {
    let steps = runs.iter().enumerate();
    let mut steps: Vec<Step> =
        steps.flat_map(|(run, done)| (0..done.entries.len()).map(move |entry| Step { run, entry })).collect();
    let place = |step: &Step| {
        let entry = &runs[step.run].entries[step.entry];
        let row = WORKLOADS.iter().position(|row| row.cell(false).workload == entry.cell.workload);
        (row, entry.backend.clone())
    };
    steps.sort_by_key(place);
    steps
}

fn repetition(program: &std::path::Path, entry: &mut Entry) -> Result<()> {
    let Outcome::Measured(samples) = &mut entry.outcome else { return Ok(()) };
    let limit = cells::limit_seconds(&entry.cell);
    let ended = process::measure(program, &entry.backend, &entry.cell, false, Duration::from_secs(limit))?;
    match ended {
        Ended::Line(Line::Figures(figures)) => samples.push(Sample { figures, ..Sample::default() }),
        Ended::Line(Line::Unsupported(why)) => entry.outcome = Outcome::Unsupported(why),
        Ended::Line(Line::Wrong(what)) => entry.outcome = Outcome::Failed(format!("wrong answer: {what}")),
        Ended::Failed(what) => entry.outcome = Outcome::Failed(what),
        Ended::Hung => entry.outcome = Outcome::Hung(limit),
    }
    Ok(())
}

/// Anything but figures fails the command.
pub(super) fn failures(runs: &[Run]) -> Result<()> {
    let entries = runs.iter().flat_map(|run| run.entries.iter().map(|entry| (run.memory, entry)));
    let bad = entries.filter(|(_, entry)| !matches!(&entry.outcome, Outcome::Measured(s) if !s.is_empty()));
    let bad = bad.map(|(memory, entry)| {
        format!("{} {} {}: {:?}", memory.program(), entry.backend, entry.cell.workload, entry.outcome)
    });
    let bad: Vec<String> = bad.collect();
    if bad.is_empty() { Ok(()) } else { bail!("{}", bad.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_take_turns() {
        let runs: Vec<Run> =
            Memory::all().map(|memory| Run { memory, entries: entries(memory, true) }).collect();
        let steps = interleaved(&runs);
        assert_eq!(steps.len(), runs.iter().map(|run| run.entries.len()).sum::<usize>());
        // The first question goes to all programs that it is asked of.
        let first: Vec<usize> = steps[..3].iter().map(|step| step.run).collect();
        assert_eq!(first.len(), 3);
        assert!(first.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn without_cells_only_wyn_is_asked() {
        let asked = entries(Memory::all().find(|memory| !memory.own_cells).unwrap(), true);
        assert!(!asked.is_empty() && asked.iter().all(|entry| entry.backend == "wyn"));
        assert!(asked.iter().all(|entry| entry.cell.capacity.is_none()));
    }
}
