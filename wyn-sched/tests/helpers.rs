//! What stands beside `join` and `scope`: `par_for`, `join_all`, `isolate`, `join_blocking`, who a worker is.
#![cfg(not(wyn_loom))]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::{Counter, WORKERS, runtime, watchdog};
use wyn_sched::{
    broadcast, current_worker_index, isolate, join, join_all, par_for, par_for_ranges, scope, spawn,
    worker_count,
};

#[test]
fn isolated_waits_do_not_meet_their_own_lock() {
    let _dog = watchdog(120);
    for workers in [1, 2, 8] {
        let runtime = runtime(workers);
        let table = Mutex::new(0_u64);
        runtime.install(|| {
            scope(|s| {
                for _ in 0..200 {
                    s.spawn_detached(|_| {
                        // Held across a wait: fatal if this thread ran another of these children meanwhile.
                        let mut held = table.lock().unwrap();
                        let (a, b) = isolate(|| join(|| 1, || 2));
                        let c = isolate(|| spawn(|| 3).join().unwrap());
                        *held += a + b + c;
                    });
                }
            });
        });
        assert_eq!(table.into_inner().unwrap(), 1200);
    }
}

#[test]
fn par_for_visits_every_number_once() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        for (range, grain) in [(0..0, 1), (5..6, 0), (0..10_000, 1), (7..10_007, 100), (0..100, 1000)] {
            let seen: Vec<AtomicUsize> = (0..range.end).map(|_| AtomicUsize::new(0)).collect();
            runtime.install(|| {
                par_for(range.clone(), grain, |i| {
                    seen[i].fetch_add(1, Ordering::Relaxed);
                });
            });
            let visits = |i: usize| seen[i].load(Ordering::Relaxed);
            assert!((0..range.end).all(|i| visits(i) == usize::from(range.contains(&i))));
        }
    }
    let sum = AtomicUsize::new(0);
    par_for(0..1000, 10, |i| {
        sum.fetch_add(i, Ordering::Relaxed);
    });
    assert_eq!(sum.into_inner(), 499_500);
}

#[test]
fn ranges_are_disjoint_and_never_empty() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        for (range, grain) in [(0..0, 1), (5..6, 0), (0..10_000, 1), (7..10_007, 100), (0..100, 1000)] {
            let parts = Mutex::new(Vec::new());
            runtime.install(|| par_for_ranges(range.clone(), grain, |part| parts.lock().unwrap().push(part)));
            let mut parts = parts.into_inner().unwrap();
            parts.sort_by_key(|part| part.start);
            assert!(parts.iter().all(|part| !part.is_empty()), "of {range:?} by {grain}");
            assert_eq!(parts.into_iter().flatten().collect::<Vec<_>>(), range.collect::<Vec<_>>());
        }
    }
}

#[test]
fn par_for_uses_idle_workers_and_hands_a_panic_on() {
    let _dog = watchdog(60);
    let runtime = runtime(4);
    let threads = Mutex::new(std::collections::HashSet::new());
    runtime.install(|| {
        par_for(0..64, 1, |_| {
            threads.lock().unwrap().insert(thread::current().id());
            thread::sleep(Duration::from_millis(2));
        });
    });
    assert!(threads.lock().unwrap().len() > 1, "one thread did it all");
    let panic = catch_unwind(AssertUnwindSafe(|| {
        runtime.install(|| {
            par_for(0..1000, 1, |i| {
                assert_ne!(i, 777, "bad number");
            });
        });
    }));
    assert!(panic.unwrap_err().downcast_ref::<String>().unwrap().contains("bad number"));
}

#[test]
fn par_for_shares_work_that_comes_late() {
    let _dog = watchdog(60);
    runtime(2).install(|| {
        let runners = Mutex::new(Vec::new());
        par_for(0..1064, 1, |i| {
            if i >= 1000 {
                thread::sleep(Duration::from_millis(1));
                runners.lock().unwrap().push(thread::current().id());
            }
        });
        let runners = runners.into_inner().unwrap();
        assert_eq!(runners.len(), 64);
        assert!(runners.iter().any(|&id| id != runners[0]), "the first thread kept all of it");
    });
}

#[test]
fn all_of_none_one_and_many() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        runtime.install(|| {
            assert_eq!(join_all::<fn() -> u32, u32, 0>([]), []);
            assert_eq!(join_all([|| 7]), [7]);
            let squares = join_all(std::array::from_fn::<_, 100, _>(|i| move || i * i));
            assert!(squares.iter().enumerate().all(|(i, &square)| square == i * i));
        });
        let panic = catch_unwind(AssertUnwindSafe(|| {
            runtime
                .install(|| join_all(std::array::from_fn::<_, 10, _>(|i| move || assert_ne!(i, 4, "four"))));
        }));
        assert!(panic.unwrap_err().downcast_ref::<String>().unwrap().contains("four"));
    }
}

#[test]
fn a_panic_among_all_leaves_nothing_running_and_leaks_nothing() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        for bad in 0..8 {
            let counter = Counter::default();
            let panic = catch_unwind(AssertUnwindSafe(|| {
                runtime.install(|| {
                    join_all(std::array::from_fn::<_, 8, _>(|i| {
                        let (captured, result) = (counter.token(), counter.token());
                        move || {
                            let _captured = captured;
                            // What it leaves behind lies above its siblings in the deque.
                            wyn_sched::spawn_detached(|| ());
                            let sum = join(|| 1, || 2);
                            assert_ne!(i, bad, "number {bad}, {sum:?}");
                            result
                        }
                    }))
                })
            }));
            assert!(panic.unwrap_err().downcast_ref::<String>().unwrap().contains(&format!("number {bad}")));
            assert_eq!((counter.made(), counter.dropped()), (16, 16));
        }
    }
}

#[test]
fn a_wait_that_blocks_runs_nothing_else() {
    let _dog = watchdog(60);
    for workers in [1, 2] {
        let runtime = runtime(workers);
        let table = Arc::new(Mutex::new(0));
        let handles: Vec<_> = (0..20)
            .map(|_| {
                let table = Arc::clone(&table);
                runtime.spawn(move || {
                    let part = spawn(|| 2);
                    // Fatal if this thread ran another of these tasks while it waits.
                    let mut held = table.lock().unwrap();
                    *held += part.join_blocking().unwrap();
                })
            })
            .collect();
        handles.into_iter().for_each(|handle| handle.join().unwrap());
        assert_eq!(*table.lock().unwrap(), 40);
    }
}

#[test]
fn workers_know_who_they_are() {
    let _dog = watchdog(60);
    assert_eq!(current_worker_index(), None);
    let runtime = runtime(3);
    for _ in 0..50 {
        let index = runtime.spawn(current_worker_index).join().unwrap();
        // A thread from outside that helps has none.
        assert!(index.is_none_or(|index| index < 3));
        assert_eq!(runtime.spawn(worker_count).join().unwrap(), 3);
    }
}

#[test]
fn a_broadcast_reaches_every_worker_once() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        for round in 0..20 {
            let indices = runtime.install(|| {
                broadcast(|worker| {
                    assert_eq!((current_worker_index(), worker.workers()), (Some(worker.index()), workers));
                    worker.index() + round
                })
            });
            assert!(indices.into_iter().eq(round..workers + round));
            if round % 5 == 0 {
                // They sleep by then.
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
    assert_eq!(broadcast(|_| 1).len(), worker_count());
}

#[test]
fn broadcasts_meet_in_workers_that_wait() {
    let _dog = watchdog(60);
    let runtime = runtime(2);
    for _ in 0..50 {
        let sum: usize = runtime.install(|| {
            let other = spawn(|| broadcast(|_| 1).len());
            let (a, b) = join(|| broadcast(|_| 1).len(), || broadcast(|_| 1).len());
            a + b + other.join().unwrap()
        });
        assert_eq!(sum, 6);
    }
}

#[test]
fn a_broadcast_reaches_a_worker_that_is_parked_on_a_task() {
    let _dog = watchdog(60);
    let runtime = runtime(2);
    for _ in 0..10 {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let slow = runtime.spawn(move || receiver.recv());
        let waits = runtime.spawn(move || slow.join().unwrap().is_ok());
        thread::sleep(Duration::from_millis(2));
        let called = Arc::new(AtomicUsize::new(0));
        let own = Arc::clone(&called);
        let cast = runtime.spawn(move || {
            broadcast(|_| {
                own.fetch_add(1, Ordering::SeqCst);
            });
        });
        // The worker inside `recv` comes to its mail when it is let go; the parked one at once.
        common::wait_until("a parked worker is reached", || called.load(Ordering::SeqCst) >= 1);
        sender.send(()).unwrap();
        cast.join().unwrap();
        assert!(waits.join().unwrap());
        assert_eq!(called.load(Ordering::SeqCst), 2);
    }
}

#[test]
fn a_panic_of_a_broadcast_comes_out() {
    let _dog = watchdog(60);
    let runtime = runtime(3);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        runtime.install(|| broadcast(|worker| assert_ne!(worker.index(), 1, "one")));
    }));
    assert!(panic.unwrap_err().downcast_ref::<String>().unwrap().contains("one"));
    assert_eq!(runtime.install(|| broadcast(|_| ()).len()), 3);
}
