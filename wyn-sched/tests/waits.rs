//! Programs that wait in an order that is right, and that hang if a wait runs more than what it waits for.
//!
//! They use handles, channels, locks and several runtimes, as programs for plain threads do. A watchdog ends those that
//! hang.
#![cfg(all(not(wyn_loom), feature = "channel"))]

mod common;
mod waiting;

use std::panic::panic_any;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use common::{Counter, Gate, WORKERS, runtime, wait_until, watchdog};
use waiting::{each, some};
use wyn_sched::{
    JoinHandle, Runtime, broadcast, current_worker_index, join, spawn, spawn_detached, yield_now,
};

/// Runs a piece of code on the thread of the test, which helps, and on a worker.
fn here_and_inside(runtime: &Runtime, rounds: u64, body: impl Fn(&Runtime) + Send + Sync) {
    for _ in 0..rounds {
        body(runtime);
        runtime.install(|| body(runtime));
    }
}

/// Producers, then a consumer; the producers are joined, then the sender goes, then the consumer is joined.
#[test]
fn producers_are_joined_before_their_consumer() {
    each(|runtime| {
        here_and_inside(runtime, 200, |runtime| {
            let (sender, receiver) = mpsc::channel::<u64>();
            let producers: Vec<_> = (0..4)
                .map(|p| {
                    let sender = sender.clone();
                    runtime.spawn(move || (0..25).for_each(|i| sender.send(p * 25 + i).unwrap()))
                })
                .collect();
            let consumer = runtime.spawn(move || receiver.iter().sum::<u64>());
            producers.into_iter().for_each(|producer| producer.join().unwrap());
            drop(sender);
            assert_eq!(consumer.join().unwrap(), 99 * 50);
        });
    });
}

#[test]
fn a_join_does_not_run_a_task_that_waits_for_what_comes_next() {
    each(|runtime| {
        here_and_inside(runtime, 300, |runtime| {
            let (sender, receiver) = mpsc::channel();
            let nothing = runtime.spawn(|| 1);
            let waits = runtime.spawn(move || receiver.recv().unwrap());
            nothing.join().unwrap();
            sender.send(5).unwrap();
            assert_eq!(waits.join().unwrap(), 5);
        });
        here_and_inside(runtime, 300, |runtime| {
            let (sender, receiver) = wyn_channel::bounded(1);
            let nothing = runtime.spawn(|| 1);
            let waits = runtime.spawn(move || receiver.recv().unwrap());
            nothing.join().unwrap();
            sender.send(5).unwrap();
            assert_eq!(waits.join().unwrap(), 5);
        });
    });
}

#[test]
fn a_timed_join_does_not_run_a_task_that_waits_for_what_comes_next() {
    each(|runtime| {
        here_and_inside(runtime, 100, |runtime| {
            let (sender, receiver) = wyn_channel::bounded(1);
            let mut nothing = runtime.spawn(|| 1);
            let waits = runtime.spawn(move || receiver.recv().unwrap());
            while let Err(again) = nothing.join_timeout(Duration::from_micros(100)) {
                nothing = again;
            }
            sender.send(5).unwrap();
            assert_eq!(waits.join().unwrap(), 5);
        });
    });
}

#[test]
fn yielding_runs_nothing_on_top_of_the_caller() {
    each(|runtime| {
        here_and_inside(runtime, 100, |runtime| {
            let (sender, receiver) = wyn_channel::bounded(1);
            let started = Arc::new(AtomicUsize::new(0));
            let own = Arc::clone(&started);
            let waits = runtime.spawn(move || {
                own.store(1, Ordering::Release);
                receiver.recv().unwrap()
            });
            // It starts, since others are let run, but not here: this thread goes on to send.
            while started.load(Ordering::Acquire) == 0 {
                yield_now();
            }
            sender.send(5).unwrap();
            assert_eq!(waits.join().unwrap(), 5);
        });
    });
}

/// A step that all threads of a test see.
#[derive(Clone, Default)]
struct Stage(Arc<AtomicU32>);

impl Stage {
    fn set(&self, stage: u32) {
        self.0.store(stage, Ordering::SeqCst);
    }

    fn wait(&self, stage: u32) {
        while self.0.load(Ordering::SeqCst) < stage {
            thread::yield_now();
        }
    }
}

/// The task that yields has others in its deque afterwards. Its join must leave them alone: one waits for it.
#[test]
fn a_join_after_a_yield_is_not_buried() {
    each(|runtime| {
        let other = common::runtime(2);
        for _ in 0..10 {
            let stage = Stage::default();
            let (sender, receiver) = mpsc::channel();
            let (own, seen) = (stage.clone(), stage.clone());
            let slow = other.spawn(move || {
                own.wait(2);
                thread::sleep(Duration::from_millis(20));
                1
            });
            other.install(|| {
                let yields = runtime.spawn(move || {
                    seen.set(1);
                    seen.wait(2);
                    yield_now();
                    slow.join().unwrap() + 1
                });
                stage.wait(1);
                runtime.spawn_detached(|| ());
                runtime.spawn_detached(move || sender.send(yields.join().unwrap() + 1).unwrap());
                (0..6).for_each(|_| runtime.spawn_detached(|| ()));
                stage.set(2);
            });
            assert_eq!(receiver.recv().unwrap(), 3);
        }
    });
}

/// The start hook panics on every thread that is started later to replace one that waits.
#[test]
fn a_wait_ends_though_no_other_thread_gets_past_its_start_hook() {
    for workers in [1, 2, 8] {
        eprintln!("with {workers} workers");
        let _dog = watchdog(20);
        let (started, told) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tells = Arc::clone(&told);
        let runtime = Runtime::builder()
            .workers(workers)
            .on_thread_start(move |_| {
                if started.fetch_add(1, Ordering::SeqCst) >= workers {
                    panic_any("no such processor");
                }
            })
            .panic_handler(move |error| {
                assert!(error.is_panic());
                tells.fetch_add(1, Ordering::SeqCst);
            })
            .build()
            .unwrap();
        let waiting = Arc::new(AtomicUsize::new(0));
        let (receivers, senders): (Vec<_>, Vec<_>) = (0..workers)
            .map(|_| {
                let (sender, receiver) = wyn_channel::bounded::<u32>(1);
                let waiting = Arc::clone(&waiting);
                let receives = runtime.spawn(move || {
                    waiting.fetch_add(1, Ordering::SeqCst);
                    receiver.recv().unwrap()
                });
                (receives, sender)
            })
            .unzip();
        wait_until("every worker waits", || waiting.load(Ordering::SeqCst) == workers);
        thread::sleep(Duration::from_millis(20));
        let senders: Vec<_> =
            senders.into_iter().map(|sender| runtime.spawn(move || sender.send(3).unwrap())).collect();
        for handle in receivers {
            assert_eq!(handle.join_blocking().unwrap(), 3);
        }
        senders.into_iter().for_each(|handle| handle.join_blocking().unwrap());
        assert!(told.load(Ordering::SeqCst) > 0, "the panic handler hears of it");
    }
}

/// A detached task waits in a `join`. What it has spawned before, and what waits for it, must not run on top of it.
#[test]
fn a_detached_task_is_not_buried_under_what_it_has_spawned() {
    // One worker is lost to the task that waits in std, two run the branches.
    some(&[3, 8, 64], |runtime| {
        for is_detached in [true, false] {
            let (stage, (done, is_done)) = (Stage::default(), mpsc::channel());
            let parent = move || {
                let (sender, receiver) = mpsc::channel::<()>();
                spawn_detached(move || receiver.recv().unwrap());
                // So many that thieves take half of them: what lies in a thief's deque can be stolen back.
                for _ in 0..300 {
                    spawn_detached(|| thread::sleep(Duration::from_millis(1)));
                }
                thread::sleep(Duration::from_millis(5));
                join(
                    || stage.wait(1),
                    || {
                        stage.set(1);
                        thread::sleep(Duration::from_millis(300));
                    },
                );
                sender.send(()).unwrap();
                done.send(()).unwrap();
            };
            if is_detached {
                runtime.spawn_detached(parent);
            } else {
                runtime.spawn(parent).detach();
            }
            is_done.recv().unwrap();
        }
    });
}

#[test]
fn what_a_guest_spawns_after_the_shutdown_is_run_or_cancelled() {
    for workers in WORKERS {
        let _dog = watchdog(20);
        let (runtime, gate, busy) = (runtime(workers), Gate::default(), Arc::new(AtomicUsize::new(0)));
        for _ in 0..workers {
            let (gate, busy) = (gate.clone(), Arc::clone(&busy));
            runtime.spawn_detached(move || {
                busy.fetch_add(1, Ordering::SeqCst);
                gate.wait();
            });
        }
        wait_until("all workers are busy", || busy.load(Ordering::SeqCst) == workers);
        let (stage, counter) = (Stage::default(), Counter::default());
        let (inside, token) = (stage.clone(), counter.token());
        let (sender, receiver) = mpsc::channel::<JoinHandle<u32>>();
        let helped = runtime.spawn(move || {
            inside.set(1);
            inside.wait(2);
            let late = spawn(move || {
                drop(token);
                7
            });
            sender.send(late).unwrap();
        });
        let ends = stage.clone();
        let ender = thread::spawn(move || {
            ends.wait(1);
            let _ = runtime.shutdown(Duration::ZERO);
            ends.set(2);
        });
        // All workers are busy: this thread runs it.
        helped.join().unwrap();
        ender.join().unwrap();
        let late = receiver.recv().unwrap();
        let outcome = thread::spawn(move || late.join_timeout(Duration::from_secs(5)));
        match outcome.join().unwrap() {
            Ok(Ok(value)) => assert_eq!(value, 7),
            Ok(Err(error)) => assert!(error.is_cancelled()),
            Err(_) => panic!("neither run nor cancelled"),
        }
        counter.assert_all_dropped();
        gate.open();
    }
}

/// As many tasks as there are workers wait for the end of a runtime, whose tasks wait for tasks of the first one.
#[test]
fn a_worker_that_waits_for_the_end_of_a_runtime_is_replaced() {
    for workers in WORKERS {
        eprintln!("with {workers} workers");
        let _dog = watchdog(30);
        let outer = Arc::new(runtime(workers));
        let handles: Vec<_> = (0..workers)
            .map(|i| {
                let target = Arc::clone(&outer);
                outer.spawn(move || {
                    let inner = runtime(1);
                    inner.spawn_detached(move || {
                        thread::sleep(Duration::from_millis(20));
                        if i % 2 == 0 {
                            // Nobody but the workers of the outer runtime can run it.
                            let (sender, receiver) = mpsc::channel();
                            target.spawn_detached(move || sender.send(()).unwrap());
                            receiver.recv().unwrap();
                        } else {
                            target.spawn(|| ()).join().unwrap();
                        }
                    });
                    drop(inner);
                })
            })
            .collect();
        handles.into_iter().for_each(|handle| handle.join_blocking().unwrap());
    }
}

#[test]
fn the_name_of_a_worker_has_its_index() {
    for (workers, rounds) in [(1, 20), (2, 50), (4, 50), (8, 50), (64, 5)] {
        let _dog = watchdog(30);
        for _ in 0..rounds {
            let name = || thread::current().name().map(str::to_owned);
            let names = runtime(workers)
                .install(|| broadcast(|worker| (worker.index(), current_worker_index(), name())));
            for (at, seen) in names.into_iter().enumerate() {
                assert_eq!(seen, (at, Some(at), Some(format!("wyn-{at}"))));
            }
        }
    }
}
