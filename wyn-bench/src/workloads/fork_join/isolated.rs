//! One join at a time, of two branches of `grain_ns` nanoseconds each, while the other workers sleep.
//!
//! Short ones in a loop: nobody should be woken for them. Long ones after a pause and back to back: there the
//! second worker is worth waking.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::{churn, joint_work, nanoseconds, short_steps, steps, until_asleep};
use crate::backend::ForkJoin;
use crate::meter::{as_f64, median, per_op, wrong};
use crate::os;
use crate::record::{Cell, Figures, Line};

/// Branches from here on are measured one by one.
const LONG_NS: u64 = 10_000;
const SHORT_PASSES: usize = 7;

pub(super) fn measure<B: ForkJoin>(b: B, cell: &Cell) -> Line {
    let short_branches = cell.grain_ns < LONG_NS;
    let length = if short_branches { short_steps(cell.grain_ns) } else { steps(cell.grain_ns) };
    let n = cell.n;
    joint_work(b);
    let expected = both(n, |x| (branch(x, length), branch(x + 1, length)));
    let mut figures = Figures::from([("serial_ns".to_owned(), serial_ns(n, length))]);
    let join = |context: &mut B::Context<'_>, x: u64| {
        B::join(context, |_| branch(x, length), |_| branch(x + 1, length))
    };
    let answer = if short_branches {
        b.install(|context| short::<B>(context, n, &mut figures, join))
    } else {
        b.install(|context| long::<B>(context, n, &mut figures, join))
    };
    if answer != expected {
        return wrong(expected, answer);
    }
    figures.insert("peak_kib".to_owned(), as_f64(os::peak_kib().unwrap_or(0)));
    Line::Figures(figures)
}

fn branch(x: u64, steps: u64) -> u64 {
    churn(black_box(x), black_box(steps))
}

/// The sum over `n` pairs.
fn both(n: u64, mut pair: impl FnMut(u64) -> (u64, u64)) -> u64 {
    (0..n).map(&mut pair).fold(0, |sum: u64, (a, b)| sum.wrapping_add(a).wrapping_add(b))
}

fn serial_ns(n: u64, length: u64) -> f64 {
    let mut walls: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            black_box(both(n, |x| (branch(x, length), branch(x + 1, length))));
            per_op(start.elapsed(), n)
        })
        .collect();
    median(&mut walls)
}

/// A loop of joins, and how often anybody was woken by it.
fn short<B: ForkJoin>(
    context: &mut B::Context<'_>,
    n: u64,
    figures: &mut Figures,
    join: impl Fn(&mut B::Context<'_>, u64) -> (u64, u64),
) -> u64 {
    let (mut answer, mut walls) = (0, Vec::new());
    let (mut wall, mut switches, mut cpu) = (Duration::ZERO, 0, Duration::ZERO);
    for _ in 0..SHORT_PASSES {
        until_asleep();
        let (start, before, used) = (Instant::now(), os::context_switches(), os::cpu_time());
        answer = both(n, |x| join(context, x));
        let took = start.elapsed();
        switches += os::context_switches() - before;
        cpu += os::cpu_time() - used;
        wall += took;
        walls.push(per_op(took, n));
    }
    figures.insert("ns".to_owned(), median(&mut walls));
    figures.insert("switches_per_ms".to_owned(), as_f64(switches) / (wall.as_secs_f64() * 1e3));
    figures.insert("cpu".to_owned(), cpu.as_secs_f64() / wall.as_secs_f64());
    answer
}

/// Single joins: after a pause, then back to back.
fn long<B: ForkJoin>(
    context: &mut B::Context<'_>,
    n: u64,
    figures: &mut Figures,
    join: impl Fn(&mut B::Context<'_>, u64) -> (u64, u64),
) -> u64 {
    for (name, pause) in [("ns", true), ("hot_ns", false)] {
        let mut walls = Vec::new();
        both(n, |x| {
            if pause {
                until_asleep();
            }
            let start = Instant::now();
            let pair = black_box(join(context, x));
            walls.push(nanoseconds(start.elapsed()));
            pair
        });
        figures.insert(name.to_owned(), median(&mut walls));
    }
    both(n, |x| join(context, x))
}
