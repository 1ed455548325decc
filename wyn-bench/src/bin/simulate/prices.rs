//! What the model is fed with: each price measured alone, as a median of repetitions.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{park_timeout, yield_now};
use std::time::{Duration, Instant};

use wyn_bench::meter::{as_f64, median};
use wyn_bench::simulate::record::{Cost, Source};
use wyn_deque::split;

use crate::membarrier::Membarrier;
use crate::{Failure, pairs, real};

const REPETITIONS: usize = 9;

pub(crate) type Costs = BTreeMap<String, Cost>;

/// Everything that this machine can show.
pub(crate) fn measured() -> Result<Costs, Failure> {
    if !Membarrier::register() {
        return Err("this system has no membarrier: the model is of a runtime that has".into());
    }
    let mut costs = Costs::new();
    alone(&mut costs);
    pairs::measure(&mut costs)?;
    real::prices(&mut costs)?;
    Ok(costs)
}

/// What two processors of one socket cannot show.
pub(crate) fn assumed() -> Costs {
    let mut costs = Costs::new();
    let mut assume = |name: &str, ns, what: &str| {
        let cost = Cost { ns, mad: 0.0, source: Source::Assumed, what: what.to_owned() };
        costs.insert(name.to_owned(), cost);
    };
    assume("line_far", 250.0, "a cache line from another socket: about what two-socket servers show");
    assume("barrier_each", 100.0, "what each further running thread adds to the heavy barrier");
    assume("store_buffer", 100.0, "how far plain stores may lag behind: some 50 entries");
    costs
}

/// Keeps the median of what was measured in each repetition.
pub(crate) fn keep(costs: &mut Costs, name: &str, what: &str, mut figures: Vec<f64>) {
    let ns = median(&mut figures);
    let mut distances: Vec<f64> = figures.iter().map(|figure| (figure - ns).abs()).collect();
    let cost = Cost { ns, mad: median(&mut distances), source: Source::Measured, what: what.to_owned() };
    eprintln!("  {name:<16} {ns:>10.2} ns ±{:.2}  {what}", cost.mad);
    costs.insert(name.to_owned(), cost);
}

/// Nanoseconds for each of `count` operations, some times over.
pub(crate) fn times(count: u64, mut operations: impl FnMut()) -> Vec<f64> {
    operations();
    let once = |_| {
        let start = Instant::now();
        operations();
        start.elapsed().as_secs_f64() * 1e9 / as_f64(count)
    };
    (0..REPETITIONS).map(once).collect()
}

/// So many repetitions of a figure.
pub(crate) fn figures(figure: impl FnMut(usize) -> f64) -> Vec<f64> {
    (0..REPETITIONS).map(figure).collect()
}

fn alone(costs: &mut Costs) {
    const MANY: u64 = 200_000;
    let loops = |operation: &mut dyn FnMut()| times(MANY, || (0..MANY).for_each(|_| operation()));

    let deque = wyn_deque::Worker::new_lifo();
    let ours = loops(&mut || {
        deque.push(black_box(1_u64));
        black_box(deque.pop());
    });
    keep(costs, "chase_lev", "push and pop of the classic deque", ours);

    let deque: split::Worker<u64, Membarrier> = split::Worker::new();
    let ours = loops(&mut || {
        deque.push(black_box(1_u64));
        black_box(deque.pop());
    });
    keep(costs, "push_pop", "push and pop of Wyn's deque (part of fork and of spawn)", ours);
    let stealer = deque.stealer();
    keep(costs, "glance", "a look at a deque", loops(&mut || _ = black_box(stealer.is_empty())));

    let word = AtomicU64::new(0);
    // Ordering: Relaxed: the price of a locked instruction, which publishes nothing.
    keep(costs, "rmw", "a locked instruction", loops(&mut || _ = word.fetch_add(1, Ordering::Relaxed)));
    let lock = Mutex::new(0_u64);
    keep(costs, "lock", "a free lock", loops(&mut || *lock.lock().expect("no panic") += 1));
    keep(
        costs,
        "alloc",
        "32 bytes of the system allocator",
        loops(&mut || _ = black_box(Box::new([0_u64; 4]))),
    );
    keep(costs, "pause", "a spin hint", loops(&mut std::hint::spin_loop));
    let yields = times(2000, || (0..2000).for_each(|_| yield_now()));
    keep(costs, "sched_yield", "yielding to nobody", yields);

    const NAP: Duration = Duration::from_micros(50);
    let late = figures(|_| {
        let start = Instant::now();
        (0..20).for_each(|_| park_timeout(NAP));
        start.elapsed().as_secs_f64() * 1e9 / 20.0 - 50_000.0
    });
    keep(costs, "nap_late", "how late a park of 50 µs ends", late);
}
