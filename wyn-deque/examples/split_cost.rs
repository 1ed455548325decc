//! What the split deque costs: ns per push+pop of the owner, ns per item stolen from another thread.
//!
//! `cargo run --release --example split_cost`; the median of nine repetitions each. `fences` is the
//! portable barrier, `membarrier` Linux's process-wide one with a compiler fence for the owner.

#[allow(unsafe_code, reason = "the contract of the barrier pair, and a system call")]
#[path = "../benches/support/membarrier.rs"]
mod membarrier;

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use wyn_deque::Steal;
use wyn_deque::split::{Barrier, Fences, Worker};

use membarrier::Membarrier;

fn median_ns(items: usize, mut work: impl FnMut()) -> f64 {
    work();
    let once = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1e9 / items as f64
    };
    let mut times: Vec<f64> = (0..9).map(|_| once(&mut work)).collect();
    times.sort_by(f64::total_cmp);
    times[4]
}

fn owner<B: Barrier>(name: &str) {
    for run in [1, 8, 256] {
        let worker: Worker<usize, B> = Worker::new();
        let rounds = 8_000_000 / run;
        let ns = median_ns(rounds * run, || {
            for _ in 0..rounds {
                (0..run).for_each(|item| worker.push(black_box(item)));
                (0..run).for_each(|_| _ = black_box(worker.pop()));
            }
        });
        println!("owner  {name:<10} push+pop in runs of {run:<3} {ns:6.2} ns");
    }
}

fn thief<B: Barrier>(name: &str, batch: usize) {
    const ITEMS: usize = 1 << 20;
    let worker: Worker<usize, B> = Worker::with_capacity(ITEMS);
    let mut times: Vec<f64> = (0..9)
        .map(|_| {
            (0..ITEMS).for_each(|item| worker.push(item));
            let (stealer, over) = (worker.stealer(), AtomicBool::new(false));
            let (taken, ns) = std::thread::scope(|scope| {
                let thread = scope.spawn(|| steal_all(&stealer, batch));
                // The owner keeps a processor busy, as one that works does.
                scope.spawn(|| {
                    // Ordering: Relaxed: a stop signal; nothing is published with it.
                    while !over.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                });
                let outcome = thread.join().expect("the thief runs through");
                // Ordering: Relaxed: as above; the scope's end joins the threads.
                over.store(true, Ordering::Relaxed);
                outcome
            });
            assert_eq!(taken, ITEMS);
            ns / ITEMS as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("thief  {name:<10} batches of {batch:<3}          {:6.2} ns per item", times[4]);
}

fn steal_all<B: Barrier>(stealer: &wyn_deque::split::Stealer<usize, B>, batch: usize) -> (usize, f64) {
    let own: Worker<usize, B> = Worker::new();
    let start = Instant::now();
    let mut taken = 0;
    while let Steal::Success(item) = stealer.steal_batch_and_pop(&own, batch) {
        black_box(item);
        taken += 1;
        while let Some(item) = own.pop() {
            black_box(item);
            taken += 1;
        }
    }
    (taken, start.elapsed().as_secs_f64() * 1e9)
}

fn main() {
    assert!(Membarrier::register(), "membarrier is not available here");
    owner::<Fences>("fences");
    owner::<Membarrier>("membarrier");
    for batch in [1, 8, 128] {
        thief::<Fences>("fences", batch);
        thief::<Membarrier>("membarrier", batch);
    }
}
