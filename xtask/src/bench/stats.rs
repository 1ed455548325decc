//! From repetitions to figures: medians, their spread, and which repetitions do not count.

use wyn_bench::meter::median;
use wyn_bench::record::{Entry, Outcome, Record, Sample};

use super::plan;

/// A repetition that got less than this share of the CPU of the best one was disturbed.
const LEAST_SHARE: f64 = 0.85;
/// Fewer than this are never left: then the small share is the backend's own way.
const LEAST_SAMPLES: usize = 3;
/// Below this many CPUs a parallel run used about one core.
const ABOUT_ONE_CORE: f64 = 1.25;

/// A median, its median absolute deviation, and of how many repetitions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) mad: f64,
    pub(crate) count: usize,
}

/// Marks the repetitions that were disturbed by others.
pub(crate) fn drop_disturbed(samples: &mut [Sample]) {
    let share = |sample: &Sample| sample.figures.get("cpu").copied().unwrap_or(0.0);
    let best = samples.iter().map(share).fold(0.0, f64::max);
    let counts = |sample: &Sample| share(sample) >= LEAST_SHARE * best;
    if samples.iter().filter(|sample| counts(sample)).count() < LEAST_SAMPLES {
        return;
    }
    for sample in samples {
        sample.dropped = !counts(sample);
    }
}

/// The figure of that name over the repetitions that count.
pub(crate) fn figure(entry: &Entry, name: &str) -> Option<Figure> {
    let Outcome::Measured(samples) = &entry.outcome else { return None };
    let counted = samples.iter().filter(|sample| !sample.dropped);
    let mut values: Vec<f64> = counted.filter_map(|sample| sample.figures.get(name).copied()).collect();
    if values.is_empty() {
        return None;
    }
    let middle = median(&mut values);
    let mut distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    Some(Figure { median: middle, mad: median(&mut distances), count: values.len() })
}

/// What a cache line's round trip between two processors took before each repetition, where that is known.
pub(crate) fn round_trips(record: &Record) -> Vec<f64> {
    let samples = record.entries.iter().flat_map(|entry| match &entry.outcome {
        Outcome::Measured(samples) => samples.as_slice(),
        _ => &[],
    });
    samples.map(|sample| sample.round_trip_ns).filter(|ns| *ns > 0.0).collect()
}

/// Whether a workload meant for all workers ran on about one core, so that contention is not in its figure.
pub(crate) fn one_core(entry: &Entry) -> bool {
    plan::parallel(&entry.cell.workload)
        && entry.cell.workers > 1
        && figure(entry, "cpu").is_some_and(|cpu| cpu.median < ABOUT_ONE_CORE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wyn_bench::record::{Cell, Figures};

    fn sample(ns: f64, cpu: f64) -> Sample {
        let figures = Figures::from([("ns".to_owned(), ns), ("cpu".to_owned(), cpu)]);
        Sample { figures, ..Sample::default() }
    }

    fn entry(mut samples: Vec<Sample>) -> Entry {
        drop_disturbed(&mut samples);
        let cell = Cell { workload: "nested".to_owned(), n: 1, grain_ns: 0, workers: 2, capacity: None };
        Entry { backend: "wyn".to_owned(), cell, outcome: Outcome::Measured(samples), hung: 0 }
    }

    #[test]
    fn median_and_spread() {
        let entry = entry([1.0, 2.0, 4.0, 8.0, 100.0].map(|ns| sample(ns, 2.0)).to_vec());
        assert_eq!(figure(&entry, "ns"), Some(Figure { median: 4.0, mad: 3.0, count: 5 }));
        assert_eq!(figure(&entry, "nothing"), None);
    }

    #[test]
    fn a_disturbed_repetition_does_not_count() {
        let entry = entry(vec![sample(1.0, 2.0), sample(1.0, 1.9), sample(1.0, 2.0), sample(50.0, 1.0)]);
        assert_eq!(figure(&entry, "ns"), Some(Figure { median: 1.0, mad: 0.0, count: 3 }));
    }

    #[test]
    fn a_backend_that_mostly_uses_one_core_is_marked_and_not_dropped() {
        let entry = entry(vec![sample(1.0, 1.0), sample(2.0, 1.0), sample(3.0, 1.0), sample(50.0, 2.0)]);
        assert_eq!(figure(&entry, "ns").map(|f| f.median), Some(2.5));
        assert!(one_core(&entry));
    }
}
