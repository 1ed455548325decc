//! A worker in a leaf of 10 ms behind which 64 children wait: how long until others have started them all.
//!
//! Once with nested joins, whose waiting branches no clock or counter of the busy worker can publish any
//! more, and once with a scope. Children that nobody took wait until the leaf is over: 10 ms and more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{joint_work, until_asleep, wide};
use crate::backend::ForkJoin;
use crate::meter::{as_f64, quantile, wrong};
use crate::os;
use crate::record::{Figures, Line};

const CHILDREN: usize = 64;
const LEAF: Duration = Duration::from_millis(10);

/// Nanoseconds since `base` at which each child started.
struct Trial {
    base: Instant,
    started: [AtomicU64; CHILDREN],
}

impl Trial {
    fn new() -> Trial {
        Trial { base: Instant::now(), started: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    fn child(&self, i: usize) -> u64 {
        let now = u64::try_from(self.base.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.started[i].store(now, Ordering::Relaxed);
        1
    }

    fn leaf(&self) {
        let start = Instant::now();
        while start.elapsed() < LEAF {
            std::hint::spin_loop();
        }
    }

    /// Microseconds until the last child started.
    fn last(&self) -> f64 {
        as_f64(self.started.iter().map(|at| at.load(Ordering::Relaxed)).max().unwrap_or(0)) / 1e3
    }
}

pub(super) fn measure<B: ForkJoin>(b: B, n: u64) -> Line {
    joint_work(b);
    let mut figures = Figures::new();
    let mut answer = 0;
    b.install(|context| {
        let trials = (0..n).map(|_| {
            until_asleep();
            let trial = Trial::new();
            answer += behind_joins::<B>(context, &trial, CHILDREN);
            trial.last()
        });
        note(&mut figures, "joins", trials.collect());
        if B::SCOPE {
            let trials = (0..n).map(|_| {
                until_asleep();
                let (trial, mut slots) = (Trial::new(), [0; CHILDREN]);
                B::scope(context, &mut slots, &|i| trial.child(i), || trial.leaf());
                answer += slots.iter().sum::<u64>();
                trial.last()
            });
            note(&mut figures, "scope", trials.collect());
        }
    });
    let expected = n * wide(CHILDREN) * if B::SCOPE { 2 } else { 1 };
    if answer != expected {
        return wrong(expected, answer);
    }
    figures.insert("peak_kib".to_owned(), as_f64(os::peak_kib().unwrap_or(0)));
    Line::Figures(figures)
}

fn note(figures: &mut Figures, name: &str, mut trials: Vec<f64>) {
    figures.insert(format!("{name}_us"), quantile(&mut trials, 0.5));
    figures.insert(format!("{name}_worst_us"), quantile(&mut trials, 1.0));
}

/// A child waits at each level; the leaf is at the bottom.
fn behind_joins<B: ForkJoin>(context: &mut B::Context<'_>, trial: &Trial, children: usize) -> u64 {
    let Some(next) = children.checked_sub(1) else {
        trial.leaf();
        return 0;
    };
    let (below, this) =
        B::join(context, |context| behind_joins::<B>(context, trial, next), |_| trial.child(next));
    below + this
}
