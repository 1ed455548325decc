//! Prices that take two processors.

use std::hint::{black_box, spin_loop};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use wyn_bench::meter::as_f64;
use wyn_bench::os;
use wyn_deque::Steal;
use wyn_deque::split::{self, Barrier};

use crate::Failure;
use crate::membarrier::Membarrier;
use crate::prices::{Costs, figures, keep};

/// A word on a line of its own.
#[repr(align(128))]
#[derive(Default)]
struct Word(AtomicU64);

impl Word {
    fn load(&self) -> u64 {
        // Ordering: Acquire: pairs with the Release in `store`: what the other thread did before is seen.
        self.0.load(Ordering::Acquire)
    }

    fn store(&self, value: u64) {
        // Ordering: Release: as above.
        self.0.store(value, Ordering::Release);
    }

    fn await_value(&self, value: u64) {
        while self.load() != value {
            spin_loop();
        }
    }
}

/// Runs `other` on a second processor while `own` runs on the first, and tells `other` when to end.
fn beside<R>(cpus: [usize; 2], other: impl FnOnce(&AtomicBool) + Send, own: impl FnOnce() -> R + Send) -> R
where
    R: Send,
{
    let (is_over, has_begun) = (AtomicBool::new(false), Word::default());
    thread::scope(|scope| {
        scope.spawn(|| {
            os::pin(cpus[1]);
            has_begun.store(1);
            other(&is_over);
        });
        let own = scope.spawn(|| {
            os::pin(cpus[0]);
            has_begun.await_value(1);
            own()
        });
        let result = own.join().expect("the measuring thread runs through");
        // Ordering: Relaxed: only ends a loop.
        is_over.store(true, Ordering::Relaxed);
        result
    })
}

fn until(is_over: &AtomicBool, mut step: impl FnMut()) {
    // Ordering: Relaxed: only ends a loop.
    while !is_over.load(Ordering::Relaxed) {
        step();
    }
}

fn nanoseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e9
}

pub(crate) fn measure(costs: &mut Costs) -> Result<(), Failure> {
    let [first, second, ..] = os::allowed_cpus()[..] else {
        return Err("needs two processors".into());
    };
    let cpus = [first, second];
    keep(costs, "line", "a cache line, one way", figures(|_| line(cpus)));
    keep(costs, "line_stream", "a cell of 32 bytes among many in order", figures(|_| stream(cpus)));
    keep(costs, "lock_contended", "a lock that two want, from hand to hand", figures(|_| contended(cpus)));
    keep(costs, "copy_item", "one item of a large batch", figures(|_| copied(cpus)));
    let (barrier, interrupt): (Vec<_>, Vec<_>) = (0..9).map(|_| barrier(cpus)).unzip();
    keep(costs, "barrier", "the heavy barrier beside one running thread", barrier);
    keep(costs, "interrupt", "what it costs that thread", interrupt);
    keep(
        costs,
        "steal_answered",
        "one steal from an owner at work on its deque",
        figures(|_| answered(cpus)),
    );
    keep(
        costs,
        "steal_forced",
        "one steal from an owner that has moved and does not look",
        figures(|_| forced(cpus)),
    );
    keep(
        costs,
        "steal_silent",
        "one from an owner that was silent and has not moved since",
        figures(|_| silent(cpus)),
    );
    let (unpark, latency): (Vec<_>, Vec<_>) = (0..25).map(|_| wake(cpus)).unzip();
    keep(costs, "unpark", "the call of a parked thread alone (part of wake_call)", unpark);
    keep(costs, "unpark_latency", "from there until the thread runs, with a processor of its own", latency);
    Ok(())
}

fn line(cpus: [usize; 2]) -> f64 {
    const ROUNDS: u64 = 20_000;
    let (there, back) = (Word::default(), Word::default());
    let echo = |_: &AtomicBool| {
        for round in 1..=ROUNDS {
            there.await_value(round);
            back.store(round);
        }
    };
    let ns = beside(cpus, echo, || {
        let start = Instant::now();
        for round in 1..=ROUNDS {
            there.store(round);
            back.await_value(round);
        }
        nanoseconds(start)
    });
    ns / as_f64(2 * ROUNDS)
}

fn stream(cpus: [usize; 2]) -> f64 {
    const CELLS: usize = 4096;
    const PASSES: u64 = 40;
    let cells: Vec<[AtomicU64; 4]> = (0..CELLS).map(|_| Default::default()).collect();
    let touch = || {
        for cell in &cells {
            // Ordering: Relaxed: only who has the line matters.
            let value = cell[0].load(Ordering::Relaxed);
            // Ordering: Relaxed: as above.
            cell[1].store(value + 1, Ordering::Relaxed);
        }
    };
    let turn = Word::default();
    let other = |_: &AtomicBool| {
        for pass in 0..PASSES {
            turn.await_value(2 * pass);
            touch();
            turn.store(2 * pass + 1);
        }
    };
    beside(cpus, other, || {
        let (mut far, mut near) = (0.0, 0.0);
        for pass in 0..PASSES {
            turn.await_value(2 * pass + 1);
            let start = Instant::now();
            touch();
            far += nanoseconds(start);
            let start = Instant::now();
            touch();
            near += nanoseconds(start);
            turn.store(2 * pass + 2);
        }
        (far - near) / as_f64(PASSES * CELLS as u64)
    })
}

fn contended(cpus: [usize; 2]) -> f64 {
    const ROUNDS: u64 = 100_000;
    let lock = Mutex::new(0_u64);
    let step = || *lock.lock().expect("no panic") += 1;
    beside(
        cpus,
        |is_over| until(is_over, step),
        || {
            let start = Instant::now();
            let before = *lock.lock().expect("no panic");
            (0..ROUNDS).for_each(|_| step());
            let all = *lock.lock().expect("no panic") - before;
            nanoseconds(start) / as_f64(all)
        },
    )
}

fn copied(cpus: [usize; 2]) -> f64 {
    const ITEMS: usize = 1 << 15;
    let worker: split::Worker<usize, Membarrier> = split::Worker::with_capacity(ITEMS);
    let stealer = worker.stealer();
    let filled = &Word::default();
    let fill = move |_: &AtomicBool| {
        (0..ITEMS).for_each(|item| worker.push(item));
        filled.store(1);
    };
    beside(cpus, fill, || {
        let own: split::Worker<usize, Membarrier> = split::Worker::with_capacity(ITEMS);
        filled.await_value(1);
        let start = Instant::now();
        let outcome = stealer.steal_batch(&own, ITEMS);
        let ns = nanoseconds(start);
        assert_eq!((outcome, own.len()), (Steal::Success(()), ITEMS / 2), "half is stolen");
        // The claim itself is a barrier and some rounds of patience, small beside so many items.
        ns / (ITEMS / 2) as f64
    })
}

/// What the heavy barrier costs its caller, and the thread it interrupts.
fn barrier(cpus: [usize; 2]) -> (f64, f64) {
    const CALLS: u64 = 300;
    const WORK: u64 = 4_000_000;
    let work = || wyn_bench::workloads::burn(black_box(1), WORK);
    let alone = {
        let start = Instant::now();
        black_box(work());
        nanoseconds(start)
    };
    let (calls, spent) = (Word::default(), Word::default());
    let hammer = |is_over: &AtomicBool| {
        let start = Instant::now();
        let mut made = 0;
        until(is_over, || {
            Membarrier::heavy();
            made += 1;
        });
        calls.store(made);
        spent.store(u64::try_from(start.elapsed().as_nanos()).unwrap_or(0));
    };
    let slowed = beside(cpus, hammer, || {
        let start = Instant::now();
        black_box(work());
        nanoseconds(start)
    });
    let made = as_f64(calls.load().max(CALLS));
    (as_f64(spent.load()) / made, (slowed - alone).max(0.0) / made)
}

fn answered(cpus: [usize; 2]) -> f64 {
    const STEALS: u64 = 3000;
    let worker: split::Worker<u64, Membarrier> = split::Worker::with_capacity(1 << 10);
    let stealer = worker.stealer();
    let owner = move |is_over: &AtomicBool| {
        until(is_over, || {
            (0..4).for_each(|item| worker.push(item));
            (0..4).for_each(|_| _ = black_box(worker.pop()));
        });
    };
    beside(cpus, owner, || {
        let (start, mut taken) = (Instant::now(), 0);
        while taken < STEALS {
            taken += u64::from(stealer.steal().success().is_some());
        }
        nanoseconds(start) / as_f64(STEALS)
    })
}

/// The owner pushes before each steal, and does not look at its deque meanwhile.
fn forced(cpus: [usize; 2]) -> f64 {
    const STEALS: u64 = 300;
    let worker: split::Worker<u64, Membarrier> = split::Worker::new();
    let stealer = worker.stealer();
    let (pushed, stolen) = (&Word::default(), &Word::default());
    let owner = move |_: &AtomicBool| {
        for turn in 1..=STEALS {
            worker.push(turn);
            pushed.store(turn);
            stolen.await_value(turn);
        }
    };
    let ns = beside(cpus, owner, || {
        let mut ns = 0.0;
        for turn in 1..=STEALS {
            pushed.await_value(turn);
            let start = Instant::now();
            assert_eq!(stealer.steal(), Steal::Success(turn), "nobody else steals");
            ns += nanoseconds(start);
            stolen.store(turn);
        }
        ns
    });
    ns / as_f64(STEALS)
}

fn silent(cpus: [usize; 2]) -> f64 {
    const STEALS: usize = 300;
    let worker: split::Worker<usize, Membarrier> = split::Worker::with_capacity(1 << 12);
    (0..2 * STEALS).for_each(|item| worker.push(item));
    let stealer = worker.stealer();
    beside(
        cpus,
        |is_over| until(is_over, spin_loop),
        || {
            let start = Instant::now();
            (0..STEALS).for_each(|_| assert!(stealer.steal().success().is_some(), "nobody else steals"));
            nanoseconds(start) / STEALS as f64
        },
    )
}

/// What the call of a parked thread costs, and when that thread runs.
fn wake(cpus: [usize; 2]) -> (f64, f64) {
    let (ready, woken) = &(Word::default(), Word::default());
    let base = Instant::now();
    thread::scope(|scope| {
        let sleeper = scope.spawn(move || {
            os::pin(cpus[1]);
            ready.store(1);
            while ready.load() != 2 {
                thread::park();
            }
            woken.store(u64::try_from(base.elapsed().as_nanos()).unwrap_or(0));
        });
        let thread = sleeper.thread().clone();
        let caller = scope.spawn(move || {
            os::pin(cpus[0]);
            ready.await_value(1);
            thread::sleep(Duration::from_millis(3));
            let start = base.elapsed();
            ready.store(2);
            thread.unpark();
            let called = base.elapsed();
            while woken.load() == 0 {
                spin_loop();
            }
            let from = |end: f64| end - start.as_secs_f64() * 1e9;
            (from(called.as_secs_f64() * 1e9), from(as_f64(woken.load())))
        });
        caller.join().expect("the caller runs through")
    })
}
