//! What follows from the figures, in words.

use super::Run;
use super::plan::{ALLOCATORS, Work};
use super::shown::{Line, lines};
use crate::bench::build::Allocator;

/// Ratios closer to one than this say nothing.
const NOISE: f64 = 1.05;

/// A sentence for each kind of work and backend, and for Wyn's own cells.
pub(super) fn advice(runs: &[Run]) -> Vec<String> {
    let lines = lines(runs);
    let mut words = Vec::new();
    for work in Work::ALL {
        let of_work: Vec<&Line> =
            lines.iter().filter(|line| Work::of(&line.workload) == Some(work)).collect();
        let mut seen: Vec<String> = Vec::new();
        for who in of_work.iter().map(|line| line.who()) {
            if seen.contains(&who) {
                continue;
            }
            let own: Vec<&Line> = of_work.iter().filter(|line| line.who() == who).copied().collect();
            words.extend(choice(work, &who, &own));
            seen.push(who);
        }
        if work.in_cells() {
            words.extend(cells(work, &of_work));
        }
    }
    words
}

/// Which allocator is the fastest over these lines, and which takes the least memory.
fn choice(work: Work, who: &str, lines: &[&Line]) -> Option<String> {
    let time = ranked(lines, "ns")?;
    let memory = ranked(lines, "peak_kib")?;
    let name = format!("{}, {who}", work.name());
    let (fastest, slowest) = (time.first()?, time.last()?);
    let (leanest, fattest) = (memory.first()?, memory.last()?);
    let speed = if slowest.1 < NOISE {
        "any is as fast".to_owned()
    } else {
        let others = time[1..].iter().map(|(other, ratio)| format!("{} {ratio:.2}x", other.name()));
        format!("{} ({})", fastest.0.name(), others.collect::<Vec<_>>().join(", "))
    };
    let size = if fattest.1 < NOISE {
        "any takes as much memory".to_owned()
    } else {
        let others = memory[1..].iter().map(|(other, ratio)| format!("{} {ratio:.2}x", other.name()));
        format!("least memory with {} ({})", leanest.0.name(), others.collect::<Vec<_>>().join(", "))
    };
    Some(format!("{name}: {speed}; {size}"))
}

/// What Wyn's own cells gain under each allocator.
fn cells(work: Work, lines: &[&Line]) -> Option<String> {
    let gain = |allocator: Allocator| {
        let ratios = lines.iter().filter(|line| line.own_cells).filter_map(|line| {
            let same = |other: &&&Line| {
                !other.own_cells && other.workload == line.workload && other.backend == line.backend
            };
            let without = lines.iter().find(same)?.figure("ns", allocator)?;
            Some(without / line.figure("ns", allocator)?)
        });
        Some(format!("{:.2}x under {}", mean(ratios.collect())?, allocator.name()))
    };
    let gains: Vec<String> = ALLOCATORS.into_iter().filter_map(gain).collect();
    (!gains.is_empty()).then(|| format!("{}: Wyn's own cells make it {}", work.name(), gains.join(", ")))
}

/// The allocators from the least, each with the mean of its ratios to the least.
fn ranked(lines: &[&Line], name: &str) -> Option<Vec<(Allocator, f64)>> {
    let over_least = |allocator: Allocator| {
        let ratios = lines.iter().filter_map(|line| {
            let least = line.figures(name).into_iter().map(|(_, value)| value).fold(f64::INFINITY, f64::min);
            Some(line.figure(name, allocator)? / least)
        });
        Some((allocator, mean(ratios.collect())?))
    };
    let mut all: Vec<(Allocator, f64)> = ALLOCATORS.into_iter().filter_map(over_least).collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    let least = all.first()?.1;
    Some(all.into_iter().map(|(allocator, ratio)| (allocator, ratio / least)).collect())
}

/// The geometric mean; `None` of nothing.
fn mean(ratios: Vec<f64>) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
    let count = ratios.len() as f64;
    (count > 0.0).then(|| (ratios.into_iter().map(f64::ln).sum::<f64>() / count).exp())
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{entry, run};
    use super::*;

    fn runs(system: f64, mimalloc: f64, without: f64) -> Vec<Run> {
        let one =
            |ns: f64, kib: f64| vec![entry("wyn", "nested", ns, kib), entry("wyn", "spawn_await", ns, kib)];
        vec![
            run(Allocator::System, true, one(system, 1000.0)),
            run(Allocator::Mimalloc, true, one(mimalloc, 2000.0)),
            run(Allocator::System, false, one(without, 1000.0)),
        ]
    }

    #[test]
    fn the_faster_and_the_leaner_are_named() {
        let words = advice(&runs(10.0, 5.0, 40.0));
        assert_eq!(
            words[0],
            "tasks, wyn: mimalloc (system 2.00x); least memory with system (mimalloc 2.00x)"
        );
        assert_eq!(words.last().unwrap(), "tasks: Wyn's own cells make it 4.00x under system");
    }

    #[test]
    fn what_lies_within_the_noise_is_no_choice() {
        assert!(advice(&runs(10.0, 9.8, 10.0))[0].starts_with("tasks, wyn: any is as fast; "));
    }

    #[test]
    fn means_are_geometric() {
        assert!((mean(vec![1.0, 4.0]).unwrap() - 2.0).abs() < 1e-9);
        assert_eq!(mean(Vec::new()), None);
    }
}
