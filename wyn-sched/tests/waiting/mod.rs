//! What the tests of waits share: each number of workers in turn, and small pieces of parallel work.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wyn_sched::{Runtime, join, par_for, scope};

use crate::common::{WORKERS, runtime, watchdog};

/// Runs a program on 1, 2, 8 and 64 workers. A hang is a failure; the last line printed says with how many.
pub(crate) fn each(body: impl Fn(&Runtime)) {
    some(&WORKERS, body);
}

pub(crate) fn some(numbers: &[usize], body: impl Fn(&Runtime)) {
    with(numbers, 30, body);
}

/// With these numbers of workers, and so many seconds for each.
pub(crate) fn with(numbers: &[usize], seconds: u64, body: impl Fn(&Runtime)) {
    for &workers in numbers {
        eprintln!("with {workers} workers");
        let _dog = watchdog(seconds);
        let (runtime, begin) = (runtime(workers), Instant::now());
        body(&runtime);
        drop(runtime);
        eprintln!("  {:.0?}", begin.elapsed());
    }
}

pub(crate) fn burn(micros: u64) {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_micros(micros) {
        spin_loop();
    }
}

/// Fork-join of so many pieces, long enough to be stolen. Each gives their number.
pub(crate) const FORKS: [fn(u64) -> u64; 3] = [by_join, by_scope, by_par_for];

pub(crate) fn by_join(pieces: u64) -> u64 {
    if pieces <= 1 {
        burn(2);
        return pieces;
    }
    let (a, b) = join(|| by_join(pieces / 2), || by_join(pieces - pieces / 2));
    a + b
}

pub(crate) fn by_scope(pieces: u64) -> u64 {
    let sum = AtomicU64::new(0);
    scope(|s| {
        for _ in 0..pieces {
            s.spawn_detached(|_| {
                burn(2);
                sum.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    sum.into_inner()
}

pub(crate) fn by_par_for(pieces: u64) -> u64 {
    let sum = AtomicU64::new(0);
    par_for(0..usize::try_from(pieces).expect("few"), 1, |_| {
        burn(2);
        sum.fetch_add(1, Ordering::Relaxed);
    });
    sum.into_inner()
}
