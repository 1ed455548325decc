//! Parallel loops of a given length, one after another: `n` loops of `grain_ns` nanoseconds of work each.
//!
//! Beside the serial loop; then again with pauses between, in which a runtime should use no processor.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{churn, joint_work, nanoseconds, short_steps, wide};
use crate::backend::ForkJoin;
use crate::meter::{self, Job, median};
use crate::os;
use crate::record::{Cell, Line};

/// Work of one iteration.
const ITEM_NS: u64 = 20;
/// Iterations that are not split further: less than a join costs anybody but a few.
const GRAIN: usize = 4;
/// Regions with a pause before each.
const SPACED: usize = 40;
const PAUSE: Duration = Duration::from_millis(5);

/// A loop over so many slots; each iteration writes one.
struct Region {
    slots: Vec<AtomicU64>,
}

impl Region {
    fn new(work_ns: u64) -> Region {
        Region { slots: (0..(work_ns / ITEM_NS).max(1)).map(|_| AtomicU64::new(0)).collect() }
    }

    fn iterate(&self, range: std::ops::Range<usize>, seed: u64) {
        for (slot, i) in self.slots[range.clone()].iter().zip(range) {
            slot.store(churn(seed + wide(i), short_steps(ITEM_NS)), Ordering::Relaxed);
        }
    }

    fn run<B: ForkJoin>(&self, context: &mut B::Context<'_>, seed: u64) {
        B::par_for(context, 0..self.slots.len(), GRAIN, &|range| self.iterate(range, seed));
    }

    fn serially(&self, seed: u64) {
        self.iterate(0..self.slots.len(), seed);
    }

    /// What the last loop left.
    fn sum(&self) -> u64 {
        self.slots.iter().fold(0, |sum, slot| sum.wrapping_add(slot.load(Ordering::Relaxed)))
    }
}

pub(super) fn from_main<B: ForkJoin>(b: B, cell: &Cell) -> Line {
    let region = Region::new(cell.grain_ns);
    measure(b, cell, &region, |regions, pause| {
        Spaced::collect(regions, pause, |seed| b.enter(|context| region.run::<B>(context, seed)))
    })
}

pub(super) fn from_worker<B: ForkJoin>(b: B, cell: &Cell) -> Line {
    let region = Region::new(cell.grain_ns);
    measure(b, cell, &region, |regions, pause| {
        b.install(|context| Spaced::collect(regions, pause, |seed| region.run::<B>(context, seed)))
    })
}

/// Times of regions, and the processor time between them.
struct Spaced {
    walls: Vec<f64>,
    gaps: Duration,
    used_in_gaps: Duration,
}

impl Spaced {
    /// Runs so many regions, each after a pause if there is one.
    fn collect(regions: usize, pause: Duration, mut region: impl FnMut(u64)) -> Spaced {
        let mut spaced =
            Spaced { walls: Vec::with_capacity(regions), gaps: Duration::ZERO, used_in_gaps: Duration::ZERO };
        if pause.is_zero() {
            let start = Instant::now();
            (0..regions).for_each(|seed| region(wide(seed)));
            spaced.walls.push(nanoseconds(start.elapsed()));
            return spaced;
        }
        for seed in 0..regions {
            let (start, cpu) = (Instant::now(), os::cpu_time());
            std::thread::sleep(pause);
            spaced.gaps += start.elapsed();
            spaced.used_in_gaps += os::cpu_time() - cpu;
            let start = Instant::now();
            region(wide(seed));
            spaced.walls.push(nanoseconds(start.elapsed()));
        }
        spaced
    }
}

fn measure<B: ForkJoin>(b: B, cell: &Cell, region: &Region, run: impl Fn(usize, Duration) -> Spaced) -> Line {
    let (regions, n) = (super::index(cell.n), cell.n);
    let mut serial_ns = Vec::new();
    let mut serially = || {
        let start = Instant::now();
        (0..n).for_each(|seed| region.serially(seed));
        serial_ns.push(meter::per_op(start.elapsed(), n));
        region.sum()
    };
    serially();
    let expected = serially();
    let mut line = meter::passes(
        || joint_work(b),
        Job { ops: n, expected },
        meter::WARM_PASSES,
        || {
            region.slots.iter().for_each(|slot| slot.store(0, Ordering::Relaxed));
            let walls = run(regions, Duration::ZERO).walls;
            let wall = Duration::from_secs_f64(walls[0] / 1e9);
            meter::Pass { wall, answer: region.sum() }
        },
    );
    serially();
    let mut spaced = run(SPACED, PAUSE);
    if let Line::Figures(figures) = &mut line {
        figures.insert("serial_ns".to_owned(), median(&mut serial_ns));
        figures.insert("spaced_ns".to_owned(), median(&mut spaced.walls));
        let share = spaced.used_in_gaps.as_secs_f64() / spaced.gaps.as_secs_f64();
        figures.insert("gap_cpu_percent".to_owned(), share * 100.0);
    }
    line
}
