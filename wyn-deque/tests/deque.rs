//! One owner, no or some thieves: what comes out, in which order, and when a deque is empty.
#![cfg(not(wyn_loom))]

mod support;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use support::{Count, Fates};
use wyn_deque::Steal::{Empty, Success};
use wyn_deque::{Stealer, Worker};

fn flavors<T>() -> [Worker<T>; 2] {
    [Worker::new_lifo(), Worker::new_fifo()]
}

#[test]
fn owner_and_thief_take_turns() {
    for worker in flavors() {
        let stealer = worker.stealer();
        assert_eq!((worker.pop(), stealer.steal()), (None, Empty));
        worker.push(1);
        assert_eq!((worker.pop(), worker.pop(), stealer.steal()), (Some(1), None, Empty));
        worker.push(2);
        assert_eq!((stealer.steal(), stealer.steal(), worker.pop()), (Success(2), Empty, None));
        (3..6).for_each(|task| worker.push(task));
        assert_eq!([3, 4, 5].map(Success), [stealer.steal(), stealer.steal(), stealer.steal()]);
        assert_eq!(stealer.steal(), Empty);
    }
}

#[test]
fn lifo_pops_the_newest_and_thieves_the_oldest() {
    let worker = Worker::new_lifo();
    (6..10).for_each(|task| worker.push(task));
    assert_eq!(worker.pop(), Some(9));
    assert_eq!(worker.stealer().steal(), Success(6));
    assert_eq!((worker.pop(), worker.pop(), worker.pop()), (Some(8), Some(7), None));
}

#[test]
fn fifo_pops_the_oldest() {
    let worker = Worker::new_fifo();
    (6..10).for_each(|task| worker.push(task));
    assert_eq!((worker.pop(), worker.stealer().steal()), (Some(6), Success(7)));
    assert_eq!((worker.pop(), worker.pop(), worker.pop()), (Some(8), Some(9), None));
}

#[test]
fn lengths_agree_on_both_ends() {
    for worker in flavors() {
        let stealer = worker.stealer();
        for count in 0..200 {
            assert_eq!((worker.len(), stealer.len()), (count, count));
            assert_eq!((worker.is_empty(), stealer.is_empty()), (count == 0, count == 0));
            worker.push(count);
        }
        for count in (0..200).rev() {
            if count % 3 == 0 {
                assert!(stealer.steal().is_success());
            } else {
                assert!(worker.pop().is_some());
            }
            assert_eq!((worker.len(), stealer.len()), (count, count));
        }
        assert!(worker.is_empty() && stealer.is_empty());
    }
}

#[test]
fn clones_of_a_stealer_serve_one_deque() {
    let worker = Worker::new_lifo();
    let stealers = [worker.stealer(), worker.stealer(), worker.stealer().clone()];
    (0..3).for_each(|task| worker.push(task));
    let stolen = stealers.each_ref().map(Stealer::steal);
    assert_eq!(stolen, [0, 1, 2].map(Success));
}

#[test]
fn tasks_survive_their_worker_in_a_stealer() {
    let fates = Fates::new(3);
    let worker = Worker::new_lifo();
    (0..3).for_each(|number| worker.push(fates.payload(number)));
    let stealer = worker.stealer();
    drop(worker);
    assert_eq!(fates.dropped(), 0);
    assert_eq!(stealer.steal().success().map(|task| *task.number), Some(0));
    drop(stealer);
    fates.assert_each_dropped_once();
}

#[test]
fn a_worker_may_move_between_threads() {
    for worker in flavors() {
        (0..100).for_each(|task| worker.push(task));
        let worker = thread::spawn(move || {
            (0..50).for_each(|_| assert!(worker.pop().is_some()));
            (100..300).for_each(|task| worker.push(task));
            worker
        });
        let worker = worker.join().unwrap();
        assert_eq!(std::iter::from_fn(|| worker.pop()).count(), 250);
    }
}

#[test]
fn one_thief_sees_the_order_of_pushes() {
    const TASKS: usize = 50_000;
    for worker in flavors() {
        let stealer = worker.stealer();
        thread::scope(|scope| {
            scope.spawn(move || {
                for expected in 0..TASKS {
                    let stolen = loop {
                        if let Success(task) = stealer.steal() {
                            break task;
                        }
                        thread::yield_now();
                    };
                    assert_eq!(stolen, expected);
                }
                assert_eq!(stealer.steal(), Empty);
            });
            (0..TASKS).for_each(|task| worker.push(task));
        });
    }
}

/// Eight thieves fall on a full deque; each sees ascending tasks, and the LIFO owner descending ones.
#[test]
fn stampede() {
    const TASKS: usize = 50_000;
    for (lifo, worker) in [(true, Worker::new_lifo()), (false, Worker::new_fifo())] {
        (0..TASKS).for_each(|task| worker.push(Box::new(task)));
        let taken = Count::default();
        let (worker, taken) = (&worker, &taken);
        thread::scope(|scope| {
            for _ in 0..8 {
                let stealer = worker.stealer();
                scope.spawn(move || {
                    let mut last = None;
                    while taken.get() < TASKS {
                        if let Success(task) = stealer.steal() {
                            assert!(last < Some(*task));
                            last = Some(*task);
                            taken.add(1);
                        }
                    }
                });
            }
            let mut last = None;
            while taken.get() < TASKS {
                if let Some(task) = worker.pop() {
                    assert!(last.is_none_or(|last| if lifo { last > *task } else { last < *task }));
                    last = Some(*task);
                    taken.add(1);
                }
            }
        });
    }
}

/// Every way to take a task at once, while the owner stops half-way and drops the rest.
#[test]
fn destructors_run_once_each() {
    const TASKS: usize = 20_000;
    for worker in flavors() {
        let fates = Fates::new(TASKS);
        (0..TASKS).for_each(|number| worker.push(fates.payload(number)));
        let taken = Count::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                let (stealer, taken) = (worker.stealer(), &taken);
                scope.spawn(move || {
                    let own = Worker::new_lifo();
                    let mut mine = 0;
                    while mine < 1_000 {
                        mine += usize::from(stealer.steal().is_success());
                        let _ = stealer.steal_batch(&own);
                        mine += usize::from(stealer.steal_batch_and_pop(&own).is_success());
                        mine += std::iter::from_fn(|| own.pop()).count();
                    }
                    taken.add(mine);
                });
            }
            let own = (0..1_000).filter(|_| worker.pop().is_some()).count();
            taken.add(own);
        });
        assert!(taken.get() < TASKS, "something must be left to drop");
        assert_eq!(fates.dropped(), taken.get());
        drop(worker);
        fates.assert_each_dropped_once();
    }
}

/// Thieves must not need luck: each gets something while the owner goes on pushing.
#[test]
fn every_thief_gets_a_share() {
    let got = Mutex::new(BTreeSet::new());
    let worker = Worker::new_lifo();
    thread::scope(|scope| {
        for name in 0..8 {
            let (stealer, got) = (worker.stealer(), &got);
            scope.spawn(move || {
                while !stealer.steal().is_success() {
                    thread::yield_now();
                }
                got.lock().unwrap().insert(name);
            });
        }
        while got.lock().unwrap().len() < 8 {
            (0..100).for_each(|task| worker.push(task));
            (0..90).for_each(|_| _ = worker.pop());
            thread::yield_now();
        }
    });
}
