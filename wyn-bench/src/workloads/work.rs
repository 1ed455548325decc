//! Work of a known length: a chain of multiplications that no compiler shortens.

use std::time::{Duration, Instant};

/// One step of the chain; also in `peers/c` and `peers/go`, so that all do the same work.
fn step(x: u64) -> u64 {
    x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}

/// So many steps from `seed` on: bound by latency, alike in every language.
pub fn burn(seed: u64, steps: u64) -> u64 {
    (0..steps).fold(seed, |x, _| step(x))
}

/// Work of about so many nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    steps: u64,
}

impl Work {
    /// Measures the speed of the chain and picks the number of steps for `ns`.
    pub fn calibrated(ns: u64) -> Work {
        const STEPS: u64 = 20_000;
        let best = (0..50).map(|i| time(i, STEPS)).min().unwrap_or_default();
        let picoseconds_per_step = (best.as_nanos() * 1000 / u128::from(STEPS)).max(1);
        let steps = u128::from(ns) * 1000 / picoseconds_per_step;
        Work { steps: u64::try_from(steps).unwrap_or(u64::MAX) }
    }

    /// Does the work.
    pub fn run(self, seed: u64) -> u64 {
        burn(seed, self.steps)
    }
}

fn time(seed: u64, steps: u64) -> Duration {
    let start = Instant::now();
    std::hint::black_box(burn(std::hint::black_box(seed), std::hint::black_box(steps)));
    start.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_do_returns_the_seed() {
        assert_eq!(burn(7, 0), 7);
        assert_eq!(Work::calibrated(0).run(7), 7);
    }

    #[test]
    fn more_nanoseconds_are_more_steps() {
        assert!(Work::calibrated(100_000).steps > 1000);
    }
}
