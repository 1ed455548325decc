//! `scope`: borrowing, handles, order, panics, nesting.
#![cfg(not(wyn_loom))]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{Counter, Random, WORKERS, env_number, runtime, wait_until, watchdog, with_stack};
use wyn_sched::{Scope, ScopeFifo, in_place_scope, join, scope, scope_fifo, spawn};

#[test]
fn children_borrow_and_all_have_ended() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        let mut numbers: Vec<u64> = (0..1000).collect();
        runtime.install(|| {
            scope(|s| {
                for number in &mut numbers {
                    s.spawn_detached(move |_| *number *= 2);
                }
            });
        });
        assert!(numbers.iter().enumerate().all(|(i, &number)| number == 2 * i as u64));
    }
}

#[test]
fn handles_give_results_that_borrow() {
    let _dog = watchdog(60);
    let text = String::from("one two three");
    for workers in WORKERS {
        let words: Vec<&str> = runtime(workers).install(|| {
            scope(|s| {
                let handles: Vec<_> = text.split(' ').map(|word| s.spawn(move |_| &word[1..])).collect();
                handles.into_iter().map(|handle| handle.join().unwrap()).collect()
            })
        });
        assert_eq!(words, ["ne", "wo", "hree"]);
    }
}

#[test]
fn a_handle_may_leave_its_scope_and_be_joined_on_another_thread() {
    let _dog = watchdog(60);
    let number = 41;
    let handle = scope(|s| s.spawn(|_| number + 1));
    assert!(handle.is_finished());
    let result = thread::scope(|s| s.spawn(|| handle.join().unwrap()).join().unwrap());
    assert_eq!(result, 42);
}

#[test]
fn dropped_handles_and_results_leak_nothing() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let counter = Counter::default();
        runtime(workers).install(|| {
            scope(|s| {
                for i in 0..500 {
                    let (captured, result) = (counter.token(), counter.token());
                    let handle = s.spawn(move |_| {
                        drop(captured);
                        result
                    });
                    if i % 3 == 0 {
                        drop(handle.join().unwrap());
                    }
                }
            });
            assert_eq!(counter.dropped(), counter.made(), "results outlive the scope that drops them");
        });
    }
}

fn grow<'scope>(s: &Scope<'scope>, depth: u32, count: &'scope AtomicUsize) {
    count.fetch_add(1, Ordering::Relaxed);
    for _ in 0..if depth == 0 { 0 } else { 3 } {
        s.spawn_detached(move |s| grow(s, depth - 1, count));
    }
}

#[test]
fn children_spawn_children() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let count = AtomicUsize::new(0);
        runtime(workers).install(|| scope(|s| grow(s, 7, &count)));
        assert_eq!(count.load(Ordering::Relaxed), 3280);
    }
}

#[test]
fn scope_in_spawn_in_scope_in_join() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        for _ in 0..20 {
            let count = Arc::new(AtomicUsize::new(0));
            let sum = runtime.install(|| {
                scope(|s| {
                    let handles: Vec<_> = (0..4)
                        .map(|_| {
                            let count = Arc::clone(&count);
                            s.spawn(move |_| {
                                let task = spawn(move || {
                                    scope(|s| grow(s, 3, &count));
                                    count.load(Ordering::Relaxed) >= 40
                                });
                                let (finished, scoped) = join(
                                    || task.join().unwrap(),
                                    || scope(|s| s.spawn(|_| 1).join().unwrap()),
                                );
                                assert!(finished);
                                scoped
                            })
                        })
                        .collect();
                    handles.into_iter().map(|handle| handle.join().unwrap()).sum::<i32>()
                })
            });
            assert_eq!((sum, count.load(Ordering::Relaxed)), (4, 160));
        }
    }
}

#[test]
fn every_size_and_alignment_of_a_child() {
    #[repr(align(128))]
    #[derive(Clone, Copy)]
    struct Wide([u8; 128]);
    #[repr(align(16))]
    #[derive(Clone, Copy)]
    struct Sixteen([u8; 48]);
    let _dog = watchdog(60);
    let (small, fits, edge, large) = ([1_u8; 3], [2_u8; 200], [3_u8; 225], vec![4_u8; 100_000]);
    let large: [u8; 100_000] = large.try_into().unwrap();
    let (wide, sixteen) = (Wide([5; 128]), Sixteen([6; 48]));
    with_stack(16 << 20, move || {
        let runtime = wyn_sched::Runtime::builder().workers(2).stack_size(16 << 20).build().unwrap();
        runtime.install(|| {
            scope(|s| {
                assert_eq!(s.spawn(move |_| small).join().unwrap(), small);
                assert_eq!(s.spawn(move |_| fits).join().unwrap(), fits);
                assert_eq!(s.spawn(move |_| edge).join().unwrap(), edge);
                assert!(s.spawn(move |_| large).join().unwrap().iter().all(|&x| x == 4));
                let back = s.spawn(move |_| wide).join().unwrap();
                assert!(back.0 == wide.0 && (&raw const back).addr().is_multiple_of(128));
                let back = s.spawn(move |_| sixteen).join().unwrap();
                assert!(back.0 == sixteen.0);
                s.spawn_detached(move |_| assert!((&raw const wide).addr().is_multiple_of(128)));
                s.spawn(|_| ());
            });
        });
    });
}

#[test]
fn the_first_panic_comes_out_when_all_have_ended() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        for joined in [false, true] {
            let ended = AtomicUsize::new(0);
            let panic = catch_unwind(AssertUnwindSafe(|| {
                runtime.install(|| {
                    scope(|s| {
                        let bad = s.spawn(|_| panic_any("child"));
                        for _ in 0..20 {
                            s.spawn(|_| {
                                thread::sleep(Duration::from_micros(50));
                                ended.fetch_add(1, Ordering::Relaxed);
                            });
                        }
                        if joined {
                            let error = bad.join().map(|()| 0).unwrap_err();
                            assert!(error.is_panic() && error.panic_message().unwrap().contains("scope"));
                        }
                    });
                });
            }));
            assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"child"));
            assert_eq!(ended.load(Ordering::Relaxed), 20);
        }
    }
}

#[test]
fn the_panic_of_the_scope_itself_comes_first() {
    let _dog = watchdog(60);
    let ended = AtomicUsize::new(0);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        scope(|s| {
            for _ in 0..10 {
                s.spawn(|_| {
                    ended.fetch_add(1, Ordering::Relaxed);
                    panic_any("child")
                });
            }
            panic_any("scope")
        })
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"scope"));
    assert_eq!(ended.load(Ordering::Relaxed), 10);
}

#[test]
fn a_fifo_scope_starts_in_order() {
    fn more<'scope>(s: &ScopeFifo<'scope>, order: &'scope Mutex<Vec<u32>>) {
        for i in 100..103 {
            s.spawn_fifo(move |_| order.lock().unwrap().push(i));
        }
    }
    let _dog = watchdog(60);
    let order = Mutex::new(Vec::new());
    runtime(1).install(|| {
        scope_fifo(|s| {
            for i in 0..10 {
                let order = &order;
                s.spawn_fifo(move |s| {
                    order.lock().unwrap().push(i);
                    if i == 0 {
                        more(s, order);
                    }
                });
            }
        });
    });
    let expected: Vec<u32> = (0..10).chain(100..103).collect();
    assert_eq!(*order.lock().unwrap(), expected);
    for workers in WORKERS {
        let count = AtomicUsize::new(0);
        runtime(workers).install(|| {
            scope_fifo(|s| {
                for _ in 0..1000 {
                    s.spawn_fifo(|_| {
                        count.fetch_add(1, Ordering::Relaxed);
                    });
                }
            });
        });
        assert_eq!(count.load(Ordering::Relaxed), 1000);
    }
}

#[test]
fn a_scope_from_threads_outside() {
    let _dog = watchdog(60);
    thread::scope(|threads| {
        for _ in 0..100 {
            threads.spawn(|| {
                let count = AtomicUsize::new(0);
                in_place_scope(|s| grow(s, 5, &count));
                assert_eq!(count.load(Ordering::Relaxed), 364);
            });
        }
    });
}

#[test]
fn a_scope_whose_children_outlast_its_own_work_parks_and_is_woken() {
    let _dog = watchdog(60);
    for workers in [1, 2, 8] {
        let runtime = runtime(workers);
        for millis in [0, 1, 5] {
            let task = runtime.spawn(move || {
                scope(|s| {
                    for _ in 0..3 {
                        s.spawn(move |_| thread::sleep(Duration::from_millis(millis)));
                    }
                });
            });
            task.join().unwrap();
        }
    }
}

#[test]
fn a_scope_is_finished_by_a_runtime_that_is_shut_down() {
    let _dog = watchdog(60);
    for _ in 0..10 {
        let runtime = runtime(2);
        let count = Arc::new(AtomicUsize::new(0));
        let own = Arc::clone(&count);
        runtime.spawn_detached(move || {
            scope(|s| {
                for _ in 0..200 {
                    s.spawn(|_| {
                        thread::sleep(Duration::from_micros(20));
                        own.fetch_add(1, Ordering::Relaxed);
                    });
                }
            });
        });
        thread::sleep(Duration::from_millis(1));
        let _ = runtime.shutdown(Duration::ZERO);
        wait_until("all children ran", || matches!(count.load(Ordering::Relaxed), 0 | 200));
    }
}

#[test]
fn idle_workers_take_the_children_of_one_that_is_stuck() {
    let _dog = watchdog(60);
    let runtime = runtime(4);
    let started = AtomicUsize::new(0);
    runtime.install(|| {
        scope(|s| {
            for _ in 0..64 {
                s.spawn_detached(|_| {
                    started.fetch_add(1, Ordering::Relaxed);
                });
            }
            let leaf = Instant::now();
            while started.load(Ordering::Relaxed) < 64 {
                assert!(leaf.elapsed() < Duration::from_secs(5), "the children hide behind the leaf");
                std::hint::spin_loop();
            }
        });
    });
}

#[test]
fn stress_random_scopes() {
    fn tree<'scope>(s: &Scope<'scope>, seed: u64, depth: u32, count: &'scope AtomicUsize) {
        let mut random = Random::new(seed);
        count.fetch_add(1, Ordering::Relaxed);
        if depth == 0 {
            return;
        }
        for _ in 0..2 {
            let seed = random.next();
            match random.below(4) {
                0 => drop(s.spawn(move |s| tree(s, seed, depth - 1, count))),
                1 => scope(|inner| inner.spawn_detached(|inner| tree(inner, seed, depth - 1, count))),
                2 => {
                    join(|| tree(s, seed, depth - 1, count), || ());
                }
                _ => s.spawn_detached(move |s| tree(s, seed, depth - 1, count)),
            }
        }
    }
    let _dog = watchdog(240);
    let seconds = env_number("WYN_STRESS_SECONDS").unwrap_or(1);
    let mut random = Random::seeded("random scopes");
    for workers in [1, 2, 8] {
        let runtime = runtime(workers);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(seconds) {
            let (seed, count) = (random.next(), AtomicUsize::new(0));
            runtime.install(|| scope(|s| tree(s, seed, 8, &count)));
            assert_eq!(count.load(Ordering::Relaxed), 511);
        }
    }
}

#[test]
fn a_scope_runs_its_children_though_an_older_task_was_joined_inside() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    for older in [1, 3, 20] {
        let elsewhere = runtime.install(|| {
            let own = thread::current().id();
            let handles: Vec<_> = (0..older).map(|i| spawn(move || i)).collect();
            let elsewhere = AtomicUsize::new(0);
            scope(|s| {
                for handle in handles {
                    handle.join().unwrap();
                    s.spawn_detached(|_| {
                        let is_elsewhere = thread::current().id() != own;
                        elsewhere.fetch_add(usize::from(is_elsewhere), Ordering::Relaxed);
                    });
                }
            });
            elsewhere.into_inner()
        });
        assert_eq!(elsewhere, 0, "the only worker is at hand");
    }
}
