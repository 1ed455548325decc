//! Prints what opening, completing and taking one entry of a slab costs on one thread.

use std::hint::black_box;
use std::time::Instant;
use wyn_future::Slab;

const ROUNDS: u32 = 1_000_000;
const SAMPLES: usize = 21;

/// Median nanoseconds of one call of `f`.
fn cost(mut f: impl FnMut()) -> f64 {
    let mut samples: Vec<f64> = (0..SAMPLES)
        .map(|_| {
            let start = Instant::now();
            (0..ROUNDS).for_each(|_| f());
            start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS)
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    samples[SAMPLES / 2]
}

fn main() {
    let slab = Slab::<u64>::new();
    let round = cost(|| {
        let key = black_box(slab.open());
        slab.complete(key, 7).expect("open");
        assert_eq!(slab.try_take(key), Ok(7));
    });
    let closed = cost(|| {
        let key = black_box(slab.open());
        assert_eq!(slab.close(key), Ok(None));
    });
    let pending = slab.open();
    let polled = cost(|| assert!(!slab.is_ready(black_box(pending)).expect("open")));
    println!("open + complete + try_take  {round:5.1} ns");
    println!("open + close                {closed:5.1} ns");
    println!("is_ready                    {polled:5.1} ns");
}
