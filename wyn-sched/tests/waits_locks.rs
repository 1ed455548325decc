//! Locks and borrows that are held across fork-join, by pieces of one computation.
//!
//! A thread that waits in fork-join may run what lies below the awaited branch. Anything else might want what the
//! thread holds: then the thread waits for itself.
#![cfg(not(wyn_loom))]

mod common;
mod waiting;

use std::cell::RefCell;
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::thread;
use std::time::Duration;

use waiting::{FORKS, burn, by_par_for, each};
use wyn_sched::{Runtime, join, par_for, scope, spawn};

/// Runs `piece` so many times as pieces of one computation, in each of the ways there are.
fn pieces(runtime: &Runtime, many: usize, piece: impl Fn() + Send + Sync) {
    fn tree(many: usize, piece: &(impl Fn() + Sync)) {
        if many <= 1 {
            return piece();
        }
        join(|| tree(many / 2, piece), || tree(many - many / 2, piece));
    }
    let piece = &piece;
    runtime.install(|| {
        scope(|s| (0..many).for_each(|_| s.spawn_detached(move |_| piece())));
        par_for(0..many, 1, |_| piece());
        tree(many, piece);
    });
}

#[test]
fn a_mutex_is_held_across_fork_join() {
    each(|runtime| {
        for forks in FORKS {
            let total = Mutex::new(0);
            for _ in 0..5 {
                pieces(runtime, 64, || {
                    let mut held = total.lock().unwrap();
                    *held += forks(100);
                });
            }
            assert_eq!(total.into_inner().unwrap(), 5 * 3 * 64 * 100);
        }
    });
}

#[test]
fn a_borrow_of_a_thread_local_is_held_across_fork_join() {
    thread_local!(static OWN: RefCell<u64> = const { RefCell::new(0) });
    each(|runtime| {
        for forks in FORKS {
            for _ in 0..5 {
                pieces(runtime, 64, || OWN.with_borrow_mut(|own| *own += forks(100)));
            }
        }
    });
}

#[test]
fn a_once_lock_is_initialised_by_fork_join() {
    each(|runtime| {
        for forks in FORKS {
            for _ in 0..40 {
                let once = OnceLock::new();
                pieces(runtime, 64, || {
                    burn(20);
                    assert_eq!(*once.get_or_init(|| forks(300)), 300);
                });
            }
        }
    });
}

/// The other tasks wait in the lock, as many as there are workers.
#[test]
fn a_once_lock_is_initialised_by_tasks() {
    fn tasks() -> u64 {
        let handles: Vec<_> = (0..16_u64)
            .map(|i| {
                spawn(move || {
                    burn(5);
                    i
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).sum()
    }
    each(|runtime| {
        for _ in 0..150 {
            let once = Arc::new(OnceLock::new());
            let spawn_all = || {
                let own = || Arc::clone(&once);
                let all = (0..16).map(|_| (own(), runtime));
                all.map(|(once, runtime)| runtime.spawn(move || *once.get_or_init(tasks))).collect::<Vec<_>>()
            };
            for handle in spawn_all() {
                assert_eq!(handle.join().unwrap(), 120);
            }
        }
    });
}

/// A writer waits for the reader that is at work, and further readers wait behind the writer: fewer than workers.
#[test]
fn readers_work_in_parallel_while_a_writer_waits() {
    each(|runtime| {
        for _ in 0..5 {
            let lock = Arc::new(RwLock::new(1_u64));
            let reader = |millis: u64| {
                let lock = Arc::clone(&lock);
                runtime.spawn(move || {
                    let held = lock.read().unwrap();
                    burn(millis * 1000);
                    by_par_for(300) + *held
                })
            };
            let mut readers = vec![reader(2)];
            let written = Arc::clone(&lock);
            let writer = thread::spawn(move || {
                thread::sleep(Duration::from_millis(1));
                *written.write().unwrap() += 1;
            });
            for _ in 0..runtime.workers() / 2 {
                thread::sleep(Duration::from_micros(300));
                readers.push(reader(0));
            }
            for reader in readers {
                assert!(matches!(reader.join_blocking().unwrap(), 301 | 302));
            }
            writer.join().unwrap();
        }
    });
}

#[test]
fn readers_that_are_pieces_of_one_loop_work_in_parallel_while_a_writer_waits() {
    each(|runtime| {
        for forks in FORKS {
            for _ in 0..20 {
                let lock = RwLock::new(1_u64);
                thread::scope(|threads| {
                    threads.spawn(|| {
                        thread::sleep(Duration::from_micros(300));
                        *lock.write().unwrap() += 1;
                    });
                    pieces(runtime, 8, || {
                        let held = lock.read().unwrap();
                        burn(50);
                        assert!(matches!(forks(300) + *held, 301 | 302));
                    });
                });
            }
        }
    });
}
