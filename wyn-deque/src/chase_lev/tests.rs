//! What needs a look inside: indices at the end of their range, the size of rings, stuck flags.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use super::inner::Sight;
use super::worker::{Flavor, Worker};
use crate::steal::Steal;

const BOUND: Duration = Duration::from_millis(800);
const FLAVORS: [Flavor; 2] = [Flavor::Lifo, Flavor::Fifo];

fn capacity<T>(worker: &Worker<T>) -> usize {
    worker.ring.get().capacity()
}

/// A thief that has claimed the oldest task and then fell asleep.
fn claim_and_sleep<T>(worker: &Worker<T>) -> impl FnOnce() -> T {
    let inner = &worker.inner;
    let Sight { top, len, guard } = inner.look();
    assert!(len > 0 && inner.claim(top, 1).is_ok());
    // SAFETY: `guard` moves into the closure.
    let places = unsafe { inner.places(&guard) };
    move || {
        let _guard = guard;
        // SAFETY: claimed above, read once.
        unsafe { places.take(top) }
    }
}

#[test]
fn indices_wrap() {
    for flavor in FLAVORS {
        for before in 0..130 {
            let worker = Worker::starting_at(flavor, 0_usize.wrapping_sub(before));
            let stealer = worker.stealer();
            let mut oracle = VecDeque::new();
            for task in 0..300 {
                worker.push(task);
                oracle.push_back(task);
                match task % 4 {
                    0 => assert_eq!(stealer.steal().success(), oracle.pop_front()),
                    1 if flavor == Flavor::Lifo => assert_eq!(worker.pop(), oracle.pop_back()),
                    1 => assert_eq!(worker.pop(), oracle.pop_front()),
                    _ => {}
                }
                assert_eq!((worker.len(), stealer.len()), (oracle.len(), oracle.len()));
            }
            let own = Worker::starting_at(Flavor::Fifo, usize::MAX);
            while stealer.steal_batch(&own).is_success() {}
            let mut rest: Vec<_> = std::iter::from_fn(|| own.pop()).collect();
            rest.sort_unstable();
            assert_eq!(VecDeque::from(rest), oracle);
        }
    }
}

#[test]
fn stress_indices_wrap_under_thieves() {
    for flavor in FLAVORS {
        let start = Instant::now();
        for before in (0..2000).step_by(5).take_while(|_| start.elapsed() < BOUND) {
            let worker = Worker::starting_at(flavor, usize::MAX - before);
            let done = OnceLock::new();
            let (stolen, popped) = thread::scope(|scope| {
                let (stealer, done) = (worker.stealer(), &done);
                let thief = scope.spawn(move || {
                    let mut sum = 0;
                    while done.get().is_none() {
                        sum += stealer.steal().success().unwrap_or(0);
                    }
                    sum
                });
                let mut popped = 0;
                for task in 1..=2000 {
                    worker.push(task);
                    if task % 3 == 0 {
                        popped += worker.pop().unwrap_or(0);
                    }
                }
                popped += std::iter::from_fn(|| worker.pop()).sum::<usize>();
                done.set(()).unwrap();
                (thief.join().unwrap(), popped)
            });
            assert_eq!(stolen + popped, 2000 * 2001 / 2);
        }
    }
}

/// The ring doubles when tasks need it, and keeps its size when they do not.
#[test]
fn capacity_follows_the_largest_length() {
    let worker = Worker::starting_at(Flavor::Lifo, 0);
    for task in 0..1000 {
        worker.push(task);
        assert!(capacity(&worker) >= worker.len() && capacity(&worker) <= 64.max(4 * worker.len()));
    }
    for task in 0..100_000 {
        worker.push(task);
        assert!(worker.pop().is_some());
        assert!(worker.stealer().steal().is_success() || worker.is_empty());
    }
    assert_eq!(capacity(&worker), 1024);
}

/// The owner never waits for a thief, and the thief still gets the task it claimed.
#[test]
fn a_sleeping_thief_stops_nobody() {
    for flavor in FLAVORS {
        let worker = Worker::starting_at(flavor, 0);
        let mut sleepers = Vec::new();
        for lap in 0..40_usize {
            for task in 0..10 {
                worker.push(lap * 10 + task);
            }
            let oldest = claim_and_sleep(&worker);
            sleepers.push((lap * 10, oldest));
            while worker.stealer().steal().is_success() {}
        }
        assert_eq!(capacity(&worker), 64, "sleepers are no reason to grow");
        for (task, awake) in sleepers {
            assert_eq!(awake(), task);
        }
        assert_eq!(worker.pop(), None);
    }
}

/// A claim from the ring before leaves its flag up in the current one; the owner gets past it.
#[test]
fn a_claim_from_an_old_ring_is_passed_one_lap_later() {
    for flavor in FLAVORS {
        let worker = Worker::starting_at(flavor, 0);
        (0..64).for_each(|task| worker.push(task));
        let awake = claim_and_sleep(&worker);
        (64..100).for_each(|task| worker.push(task));
        assert_eq!((capacity(&worker), awake()), (128, 0));
        assert_eq!(worker.stealer().steal(), Steal::Success(1));
        while worker.pop().is_some() {}
        (0..1000).for_each(|task| {
            worker.push(task);
            assert_eq!(worker.stealer().steal(), Steal::Success(task));
        });
        assert_eq!(capacity(&worker), 128);
    }
}

/// A batch needs all its places free, not only the first.
#[test]
fn a_reservation_looks_at_every_place() {
    let worker = Worker::starting_at(Flavor::Fifo, 0);
    (0..8).for_each(|task| worker.push(task));
    (0..5).for_each(|_| _ = worker.pop());
    let awake = claim_and_sleep(&worker);
    while worker.pop().is_some() {}
    let own = Worker::starting_at(Flavor::Fifo, 0);
    (0..120).for_each(|task| own.push(100 + task));
    assert!(own.stealer().steal_batch_with_limit(&worker, 60).is_success());
    assert_eq!((awake(), worker.len(), worker.pop()), (5, 60, Some(100)));
}

/// What looks like empty after a full turn without a pop is looked at again.
#[test]
fn a_bound_as_old_as_the_index_range_is_not_trusted() {
    for flavor in FLAVORS {
        let worker = Worker::starting_at(flavor, 7);
        worker.push(1);
        worker.push(2);
        // As if the two pushes had been preceded by a full turn of pushes, all stolen.
        worker.seen_top.set(9);
        assert_eq!(worker.pop(), Some(if flavor == Flavor::Lifo { 2 } else { 1 }));
    }
}
