//! The paths that every task, join and message takes, one at a time: what `cargo xtask count` and
//! `cargo xtask features` measure.
//!
//! `fast_paths` lists them; `fast_paths count PATH ROUNDS` runs one, for callgrind, and prints how many operations
//! that were; `fast_paths time PATH` prints nanoseconds per operation, the least of some rounds.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{Ordering, compiler_fence};
use std::time::Instant;

use wyn_deque::split;
use wyn_pool::raw::{self, SizeClass};

/// Operations in a round.
const ROUND: u64 = 1_000;
/// Rounds on the clock, and samples of them.
const TIMED_ROUNDS: u64 = 100;
const SAMPLES: usize = 21;
/// Children of a scope.
const CHILDREN: usize = 10;

/// Runs so many rounds.
type Run = fn(u64);

const PATHS: [(&str, Run); 13] = [
    ("pool/raw", pool_raw),
    ("pool/box", pool_box),
    ("deque/chase_lev", deque_chase_lev),
    ("deque/split", deque_split),
    ("deque/injector", deque_injector),
    ("future/oneshot", future_oneshot),
    ("future/slab", future_slab),
    ("sched/spawn_join", |rounds| in_worker(rounds, spawn_join)),
    ("sched/join", |rounds| in_worker(rounds, join)),
    ("sched/scope_child", |rounds| in_worker(rounds, scope_child)),
    ("channel/bounded", channel_bounded),
    ("channel/unbounded", channel_unbounded),
    ("channel/oneshot", channel_oneshot),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let found = |name: &str| PATHS.iter().find(|(path, _)| *path == name).map(|(_, run)| *run);
    match words[..] {
        [] => PATHS.iter().for_each(|(name, _)| println!("{name}")),
        ["count", name, rounds] if let (Some(run), Ok(rounds)) = (found(name), rounds.parse::<u64>()) => {
            run(rounds);
            println!("{}", rounds * ROUND);
        }
        ["time", name] if let Some(run) = found(name) => println!("{:.3}", nanoseconds(run)),
        _ => {
            eprintln!("usage: fast_paths [count PATH ROUNDS | time PATH]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Per operation; the least, because what a fast path costs at rest is the question.
fn nanoseconds(run: Run) -> f64 {
    let sample = || {
        let start = Instant::now();
        run(TIMED_ROUNDS);
        start.elapsed().as_secs_f64() * 1e9
    };
    let least = (0..SAMPLES).map(|_| sample()).fold(f64::INFINITY, f64::min);
    #[allow(clippy::cast_precision_loss, reason = "a count of operations")]
    let operations = (TIMED_ROUNDS * ROUND) as f64;
    least / operations
}

/// One operation, so many rounds of it.
#[inline]
fn repeat(rounds: u64, mut operation: impl FnMut(u64)) {
    for i in 0..rounds * ROUND {
        operation(black_box(i));
    }
}

/// A cell out and in.
fn pool_raw(rounds: u64) {
    repeat(rounds, |_| {
        let cell = black_box(raw::alloc(SizeClass::C32));
        // SAFETY: the cell is from `alloc` of the same class, and nobody uses it any more.
        unsafe { raw::free(cell, SizeClass::C32) };
    });
}

/// A value of four words into a box and away.
fn pool_box(rounds: u64) {
    let pool = wyn_pool::Pool::new();
    repeat(rounds, |i| drop(black_box(pool.alloc([i; 4]))));
}

/// The owner's push and pop.
fn deque_chase_lev(rounds: u64) {
    let deque = wyn_deque::Worker::new_lifo();
    repeat(rounds, |i| {
        deque.push(i);
        assert_eq!(deque.pop(), Some(i));
    });
}

/// The barrier of an owner whose thieves pay; there are none here.
struct OwnerOnly;

// SAFETY: the promise is between an owner and a thief, and nobody here makes a stealer.
unsafe impl split::Barrier for OwnerOnly {
    #[inline(always)]
    fn light() {
        compiler_fence(Ordering::SeqCst);
    }

    fn heavy() {
        unreachable!("nobody steals");
    }
}

fn deque_split(rounds: u64) {
    let deque: split::Worker<u64, OwnerOnly> = split::Worker::new();
    repeat(rounds, |i| {
        deque.push(i);
        assert_eq!(deque.pop(), Some(i));
    });
}

/// Into the shared queue and out again.
fn deque_injector(rounds: u64) {
    let queue = wyn_deque::Injector::new();
    repeat(rounds, |i| {
        queue.push(i);
        assert_eq!(queue.steal().success(), Some(i));
    });
}

/// A pair made, completed and taken, its allocation included.
fn future_oneshot(rounds: u64) {
    repeat(rounds, |i| {
        let (completer, mut promise) = wyn_future::oneshot();
        assert!(completer.complete(i).is_ok());
        assert_eq!(promise.try_take(), Ok(i));
    });
}

/// An entry opened, completed and taken.
fn future_slab(rounds: u64) {
    let slab = wyn_future::Slab::new();
    repeat(rounds, |i| {
        let key = slab.open();
        assert!(slab.complete(key, i).is_ok());
        assert_eq!(slab.try_take(key), Ok(i));
    });
}

/// Runs `work` on the only worker of a runtime: nobody steals, nobody is woken.
fn in_worker(rounds: u64, work: Run) {
    let runtime = wyn_sched::Runtime::builder().workers(1).build().expect("one thread can be started");
    runtime.install(|| work(rounds));
}

/// A task spawned and its value awaited.
fn spawn_join(rounds: u64) {
    repeat(rounds, |i| assert_eq!(wyn_sched::spawn(move || i).join().ok(), Some(i)));
}

/// Two branches that nobody steals.
fn join(rounds: u64) {
    repeat(rounds, |i| {
        let (a, b) = wyn_sched::join(|| black_box(i), || black_box(i));
        assert_eq!(a, b);
    });
}

/// One of ten children on a scope.
fn scope_child(rounds: u64) {
    for _ in 0..rounds * ROUND / CHILDREN as u64 {
        let mut slots = [0; CHILDREN];
        wyn_sched::scope(|scope| {
            for (slot, i) in slots.iter_mut().zip(0..) {
                scope.spawn_detached(move |_| *slot = black_box(i));
            }
        });
        assert_eq!(slots.iter().sum::<usize>(), CHILDREN * (CHILDREN - 1) / 2);
    }
}

/// A message from a thread to itself.
fn channel_bounded(rounds: u64) {
    let (sender, receiver) = wyn_channel::bounded(100);
    repeat(rounds, |i| {
        assert!(sender.send(i).is_ok());
        assert_eq!(receiver.recv(), Ok(i));
    });
}

fn channel_unbounded(rounds: u64) {
    let (sender, receiver) = wyn_channel::unbounded();
    repeat(rounds, |i| {
        assert!(sender.send(i).is_ok());
        assert_eq!(receiver.recv(), Ok(i));
    });
}

/// A channel for one message, its allocation included.
fn channel_oneshot(rounds: u64) {
    repeat(rounds, |i| {
        let (sender, receiver) = wyn_channel::oneshot();
        assert!(sender.send(i).is_ok());
        assert_eq!(receiver.recv(), Ok(i));
    });
}
