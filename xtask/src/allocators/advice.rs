//! What follows from the figures: which allocator to choose for what, and what Wyn's own cells gain.

use super::Run;
use super::plan::{ALLOCATORS, Work};
use super::shown::{Line, lines};
use crate::bench::build::Allocator;
use crate::bench::noise::{Ratio, geometric_mean};

/// Ratios closer to one than this are no reason to choose.
const MATTERS: f64 = 1.05;

/// For a kind of work on a backend: the allocators by time and by memory, the best first.
#[derive(Debug, PartialEq)]
pub(crate) struct Choice {
    pub(crate) what: String,
    pub(crate) time: String,
    pub(crate) memory: String,
}

/// A choice for each kind of work and backend.
pub(crate) fn choices(runs: &[Run]) -> Vec<Choice> {
    let lines = lines(runs);
    let mut choices: Vec<Choice> = Vec::new();
    for work in Work::ALL {
        let of_work: Vec<&Line> = of(work, &lines);
        for line in &of_work {
            let what = format!("{}, {}", work.name(), line.who());
            if choices.iter().all(|choice| choice.what != what) {
                let own: Vec<&Line> =
                    of_work.iter().filter(|other| other.who() == line.who()).copied().collect();
                let named = |figure| ranked(&own, figure).map(|all| words(&all));
                choices.extend(named("ns").zip(named("peak_kib")).map(|(time, memory)| Choice {
                    what,
                    time,
                    memory,
                }));
            }
        }
    }
    choices
}

/// A sentence for each kind of work that Wyn keeps in its own cells.
pub(crate) fn gains(runs: &[Run]) -> Vec<String> {
    let lines = lines(runs);
    Work::ALL
        .into_iter()
        .filter(|work| work.in_cells())
        .filter_map(|work| cells(work, &of(work, &lines)))
        .collect()
}

fn of<'a, 'b>(work: Work, lines: &'a [Line<'b>]) -> Vec<&'a Line<'b>> {
    lines.iter().filter(|line| Work::of(&line.workload) == Some(work)).collect()
}

/// One allocator beside the best one.
struct Rank {
    allocator: Allocator,
    ratio: f64,
    /// As a share of the ratio; `None` where there are too few repetitions to tell.
    noise: Option<f64>,
}

impl Rank {
    /// Whether the best one is no better in a way that counts.
    fn is_level(&self) -> bool {
        self.ratio < MATTERS || self.noise.is_none_or(|noise| self.ratio.ln() <= noise)
    }
}

/// `mimalloc (system 2.00x, jemalloc ≈)`
fn words(ranks: &[Rank]) -> String {
    let Some((best, others)) = ranks.split_first() else { return String::new() };
    if others.iter().any(|rank| rank.noise.is_none()) {
        return "too few repetitions to tell".to_owned();
    }
    if others.iter().all(Rank::is_level) {
        return "any".to_owned();
    }
    let other = |rank: &Rank| {
        let name = rank.allocator.name();
        if rank.is_level() { format!("{name} ≈") } else { format!("{name} {:.2}x", rank.ratio) }
    };
    format!("{} ({})", best.allocator.name(), others.iter().map(other).collect::<Vec<_>>().join(", "))
}

/// The allocators from the least, each with the mean of its ratios to the least of each line.
fn ranked(lines: &[&Line], name: &str) -> Option<Vec<Rank>> {
    let over_least = |allocator: Allocator| {
        let ratio = |line: &&Line| {
            let all = line.figures(name).into_iter().map(|(_, figure)| figure);
            let least = all.reduce(|a, b| if b.median < a.median { b } else { a })?;
            Ratio::of(line.figure(name, allocator)?, least)
        };
        let ratios: Vec<Ratio> = lines.iter().filter_map(ratio).collect();
        let squares: Option<f64> = ratios.iter().map(|ratio| ratio.noise.map(|noise| noise * noise)).sum();
        #[allow(clippy::cast_precision_loss, reason = "a count of lines")]
        let noise = squares.map(|squares| squares.sqrt() / ratios.len() as f64);
        let ratio = geometric_mean(ratios.iter().map(|ratio| ratio.value))?;
        Some(Rank { allocator, ratio, noise })
    };
    let mut all: Vec<Rank> = ALLOCATORS.into_iter().filter_map(over_least).collect();
    all.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    let least = all.first()?.ratio;
    all.iter_mut().for_each(|rank| rank.ratio /= least);
    Some(all)
}

/// What Wyn's own cells gain under each allocator.
fn cells(work: Work, lines: &[&Line]) -> Option<String> {
    let gain = |allocator: Allocator| {
        let ratios = lines.iter().filter(|line| line.own_cells).filter_map(|line| {
            let same = |other: &&&Line| {
                !other.own_cells && other.workload == line.workload && other.backend == line.backend
            };
            let without = lines.iter().find(same)?.figure("ns", allocator)?;
            Some(without.median / line.figure("ns", allocator)?.median)
        });
        Some(format!("{:.2}x as fast under {}", geometric_mean(ratios)?, allocator.name()))
    };
    let gains: Vec<String> = ALLOCATORS.into_iter().filter_map(gain).collect();
    (!gains.is_empty()).then(|| format!("Wyn's own cells make {} {}.", work.name(), gains.join(", ")))
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
        let choice = |what: &str, time: &str, memory: &str| Choice {
            what: what.to_owned(),
            time: time.to_owned(),
            memory: memory.to_owned(),
        };
        let runs = runs(10.0, 5.0, 40.0);
        let expected = [
            choice("tasks, wyn", "mimalloc (system 2.00x)", "system (mimalloc 2.00x)"),
            choice("tasks, wyn, no cells", "any", "any"),
        ];
        assert_eq!(choices(&runs), expected);
        assert_eq!(gains(&runs), ["Wyn's own cells make tasks 4.00x as fast under system."]);
    }

    #[test]
    fn what_lies_within_the_noise_is_no_choice() {
        assert_eq!(choices(&runs(10.0, 9.8, 10.0))[0].time, "any");
        let rank = |ratio, noise| Rank { allocator: Allocator::System, ratio, noise };
        assert!(rank(1.5, Some(0.5)).is_level() && rank(1.5, None).is_level());
        assert!(!rank(1.5, Some(0.3)).is_level());
    }
}
