//! Time-bounded chaos with oversubscription: every task once, whoever takes it and however.
#![cfg(not(wyn_loom))]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use support::{Count, Fates, Payload, Rng};
use wyn_deque::{Injector, Stealer, Worker};

const BOUND: Duration = Duration::from_millis(1500);

/// Takes tasks in every way there is until told to stop; returns how many.
fn plunder(stealer: &Stealer<Payload>, done: &AtomicBool, mut rng: Rng) -> usize {
    let own = [Worker::new_lifo(), Worker::new_fifo()];
    let mut taken = 0;
    while !done.load(Ordering::SeqCst) {
        let own = &own[rng.below(2)];
        match rng.below(5) {
            0 => taken += usize::from(stealer.steal().is_success()),
            1 => drop(stealer.steal_batch(own).success()),
            2 => drop(stealer.steal_batch_with_limit(own, 1 + rng.below(100)).success()),
            3 => taken += usize::from(stealer.steal_batch_and_pop(own).is_success()),
            _ => {
                let limit = 1 + rng.below(9);
                taken += usize::from(stealer.steal_batch_with_limit_and_pop(own, limit).is_success());
            }
        }
        taken += std::iter::from_fn(|| own.pop()).count();
    }
    taken
}

/// Rounds of one owner with an unsteady load, `thieves` thieves, and a check of every task.
fn rounds(what: &str, new: fn() -> Worker<Payload>, thieves: usize, burst: usize) {
    const TASKS: usize = 20_000;
    let (start, mut rng) = (Instant::now(), Rng::seeded(what));
    while start.elapsed() < BOUND {
        let (worker, fates, taken, done) =
            (new(), Fates::new(TASKS), Count::default(), AtomicBool::new(false));
        thread::scope(|scope| {
            for _ in 0..thieves {
                let (stealer, done, taken) = (worker.stealer(), &done, &taken);
                scope.spawn(move || taken.add(plunder(&stealer, done, Rng::seeded("thief"))));
            }
            let mut pushed = 0;
            while pushed < TASKS {
                for _ in 0..(1 + rng.below(burst)).min(TASKS - pushed) {
                    worker.push(fates.payload(pushed));
                    pushed += 1;
                }
                let pops = rng.below(burst);
                taken.add((0..pops).filter(|_| worker.pop().is_some()).count());
                if rng.below(64) == 0 {
                    thread::yield_now();
                }
            }
            if rng.below(2) == 0 {
                taken.add(std::iter::from_fn(|| worker.pop()).count());
            }
            done.store(true, Ordering::SeqCst);
        });
        assert_eq!(fates.dropped(), taken.get());
        drop(worker);
        fates.assert_each_dropped_once();
    }
}

#[test]
fn stress_lifo_small_bursts() {
    rounds("lifo", Worker::new_lifo, 3, 4);
}

#[test]
fn stress_lifo_laps_and_growth() {
    rounds("lifo", Worker::new_lifo, 3, 300);
}

#[test]
fn stress_fifo_small_bursts() {
    rounds("fifo", Worker::new_fifo, 3, 4);
}

#[test]
fn stress_fifo_laps_and_growth() {
    rounds("fifo", Worker::new_fifo, 3, 300);
}

#[test]
fn stress_oversubscribed() {
    rounds("lifo", Worker::new_lifo, 16, 40);
    rounds("fifo", Worker::new_fifo, 16, 40);
}

/// Deques born and dropped while thieves hold their stealers: retired rings and last handles.
#[test]
fn stress_short_lives() {
    let start = Instant::now();
    while start.elapsed() < BOUND {
        let fates = Fates::new(600);
        thread::scope(|scope| {
            for (worker, first) in [(Worker::new_lifo(), 0), (Worker::new_fifo(), 300)] {
                for _ in 0..2 {
                    let stealer = worker.stealer();
                    scope.spawn(move || (0..100).for_each(|_| drop(stealer.steal())));
                }
                (first..first + 300).for_each(|number| worker.push(fates.payload(number)));
            }
        });
        fates.assert_each_dropped_once();
    }
}

#[test]
fn stress_injector() {
    const TASKS: usize = 20_000;
    let (start, mut rng) = (Instant::now(), Rng::seeded("injector"));
    while start.elapsed() < BOUND {
        let (injector, fates, taken) = (Injector::new(), Fates::new(2 * TASKS), Count::default());
        let limit = 1 + rng.below(200);
        thread::scope(|scope| {
            for half in 0..2 {
                let (injector, fates) = (&injector, &fates);
                scope.spawn(move || {
                    for task in (half * TASKS..(half + 1) * TASKS).step_by(limit) {
                        let end = (task + limit).min((half + 1) * TASKS);
                        injector.push_batch((task..end).map(|number| fates.payload(number)));
                    }
                });
            }
            for kind in 0..3 {
                let (injector, taken) = (&injector, &taken);
                scope.spawn(move || {
                    let own = Worker::new_fifo();
                    while taken.get() < 2 * TASKS {
                        taken.add(match kind {
                            0 => usize::from(injector.steal().is_success()),
                            1 => injector.pop_batch(limit, drop),
                            _ => usize::from(injector.steal_batch_and_pop(&own).is_success()),
                        });
                        taken.add(std::iter::from_fn(|| own.pop()).count());
                    }
                });
            }
        });
        fates.assert_each_dropped_once();
    }
}
