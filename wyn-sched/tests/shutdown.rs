//! How a runtime ends: drained, out of time, from inside, with the process.
#![cfg(not(wyn_loom))]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use common::{Counter, Gate, WORKERS, in_child, runtime, threads, wait_until, watchdog};
use wyn_sched::{Runtime, ShutdownError, spawn, spawn_detached};

/// Keeps all workers of a runtime busy until the gate is opened.
fn occupy(runtime: &Runtime) -> Gate {
    let gate = Gate::default();
    let busy = Arc::new(AtomicUsize::new(0));
    for _ in 0..runtime.workers() {
        let (gate, busy) = (gate.clone(), Arc::clone(&busy));
        runtime.spawn_detached(move || {
            busy.fetch_add(1, Ordering::SeqCst);
            gate.wait();
        });
    }
    wait_until("all are busy", || busy.load(Ordering::SeqCst) == runtime.workers());
    gate
}

/// A detached task that spawns its like.
fn multiply(depth: u32, counter: Counter) {
    let token = counter.token();
    if depth > 0 {
        for _ in 0..2 {
            let counter = counter.clone();
            spawn_detached(move || multiply(depth - 1, counter));
        }
    }
    drop(token);
}

#[test]
fn dropping_waits_for_what_was_spawned_and_what_that_spawns() {
    let _dog = watchdog(120);
    for workers in WORKERS {
        let counter = Counter::default();
        let runtime = runtime(workers);
        let own = counter.clone();
        runtime.spawn_detached(move || multiply(12, own));
        let handles: Vec<_> = (0..100_u64).map(|i| runtime.spawn(move || i)).collect();
        drop(runtime);
        assert_eq!((counter.made(), counter.dropped()), (8191, 8191));
        assert!(handles.iter().all(wyn_sched::JoinHandle::is_finished));
        assert_eq!(handles.into_iter().map(|handle| handle.join().unwrap()).sum::<u64>(), 4950);
    }
}

#[test]
fn dropping_waits_for_tasks_that_sleep_and_then_spawn() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let counter = Counter::default();
        let runtime = runtime(workers);
        for _ in 0..3 {
            let counter = counter.clone();
            runtime.spawn_detached(move || {
                thread::sleep(Duration::from_millis(20));
                multiply(3, counter);
            });
        }
        drop(runtime);
        assert_eq!(counter.dropped(), 45);
    }
}

#[test]
fn an_unused_runtime_ends_at_once_and_leaves_no_thread() {
    in_child("an_unused_runtime_ends_at_once_and_leaves_no_thread", &[], || {
        let before = threads("").len();
        for round in 0..50 {
            let runtime = runtime(1 + round % 9);
            if round % 3 == 0 {
                thread::sleep(Duration::from_millis(2));
            }
            if round % 2 == 0 {
                assert_eq!(runtime.spawn(|| 1).join().unwrap(), 1);
            }
            drop(runtime);
            wait_until("its threads have ended", || threads("").len() == before);
        }
    });
}

#[test]
fn shutdown_in_time_is_ok() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let counter = Counter::default();
        let runtime = runtime(workers);
        let own = counter.clone();
        runtime.spawn_detached(move || multiply(8, own));
        assert_eq!(runtime.shutdown(Duration::from_secs(30)), Ok(()));
        assert_eq!(counter.dropped(), 511);
        assert_eq!(common::runtime(workers).shutdown(Duration::MAX), Ok(()));
    }
}

#[test]
fn shutdown_out_of_time_cancels_what_has_not_started() {
    let _dog = watchdog(60);
    for workers in [1, 2, 8] {
        let counter = Counter::default();
        let runtime = runtime(workers);
        let gate = occupy(&runtime);
        let handles: Vec<_> = (0..10)
            .map(|_| {
                let token = counter.token();
                runtime.spawn(move || drop(token))
            })
            .collect();
        let token = counter.token();
        runtime.spawn_detached(move || drop(token));
        let start = Instant::now();
        let error = runtime.shutdown(Duration::from_millis(30)).unwrap_err();
        // One deadline for all, not one for each thread or task.
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert_eq!(error, ShutdownError { cancelled: 11, running: workers });
        assert!(error.to_string().contains("11 tasks cancelled"), "{error}");
        counter.assert_all_dropped();
        for handle in handles {
            assert!(handle.is_finished());
            let error = handle.join().unwrap_err();
            assert!(error.is_cancelled() && !error.is_panic());
            assert!(error.to_string().ends_with("was cancelled before it was done"), "{error}");
            assert!(error.try_into_panic().is_err());
        }
        gate.open();
    }
}

#[test]
fn shutdown_with_no_time_at_all_cancels_and_wakes_those_who_wait() {
    // Cancelling must wake the parked: a handle that waits, by thread or by waker, hears of it.
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let gate = occupy(&runtime);
    let handle = runtime.spawn(|| 1);
    let waiting = thread::spawn(move || handle.join().unwrap_err().is_cancelled());
    thread::sleep(Duration::from_millis(20));
    let error = runtime.shutdown(Duration::ZERO).unwrap_err();
    assert_eq!((error.cancelled, error.running), (1, 1));
    assert!(waiting.join().unwrap());
    gate.open();
}

#[test]
fn a_closure_that_panics_when_cancelled_hinders_nobody() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the bomb");
        }
    }
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let gate = occupy(&runtime);
    let handles = [(); 3].map(|()| {
        let bomb = Bomb;
        runtime.spawn(move || _ = &bomb)
    });
    assert_eq!(runtime.shutdown(Duration::ZERO).unwrap_err().cancelled, 3);
    for handle in handles {
        assert!(handle.join().unwrap_err().is_cancelled());
    }
    gate.open();
}

#[test]
fn what_a_task_spawns_that_outlives_its_runtime_is_cancelled() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let (started, gate) = (Gate::default(), Gate::default());
    let (start, open) = (started.clone(), gate.clone());
    let counter = Counter::default();
    let own = counter.clone();
    let handle = runtime.spawn(move || {
        start.open();
        open.wait();
        let late = spawn(|| 4).join();
        // What borrows is run: its frame waits for it.
        let (a, b) = wyn_sched::join(|| 1, || 2);
        for _ in 0..10 {
            let token = own.token();
            spawn_detached(move || drop(token));
        }
        (late.map_err(|error| error.is_cancelled()), a + b)
    });
    started.wait();
    assert_eq!(runtime.shutdown(Duration::ZERO), Err(ShutdownError { cancelled: 0, running: 1 }));
    gate.open();
    assert_eq!(handle.join().unwrap(), (Err(true), 3));
    wait_until("they are spawned", || counter.made() == 10);
    counter.assert_all_dropped();
}

#[test]
fn spawning_while_the_runtime_drains_is_spawning() {
    let _dog = watchdog(60);
    for workers in [1, 2, 8] {
        let runtime = runtime(workers);
        let (sender, receiver) = channel();
        let until = Instant::now() + Duration::from_millis(50);
        runtime.spawn_detached(move || {
            let mut spawned = 0_u64;
            while Instant::now() < until {
                let sender = sender.clone();
                spawned += 1;
                let handle = spawn(move || sender.send(1_u64).unwrap());
                if spawned.is_multiple_of(2) {
                    handle.join().unwrap();
                }
                thread::sleep(Duration::from_micros(50));
            }
            sender.send(1_000_000 - spawned).unwrap();
        });
        drop(runtime);
        assert_eq!(receiver.iter().sum::<u64>(), 1_000_000);
    }
}

#[test]
fn dropped_by_its_own_task_it_does_not_wait_for_itself() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let counter = Counter::default();
        let runtime = Arc::new(runtime(workers));
        for _ in 0..10 {
            let token = counter.token();
            runtime.spawn_detached(move || {
                thread::sleep(Duration::from_millis(1));
                drop(token);
            });
        }
        let own = Arc::clone(&runtime);
        let token = counter.token();
        let (sender, receiver) = channel::<()>();
        runtime.spawn_detached(move || {
            // Until this is the last owner.
            let _ = receiver.recv();
            drop(own);
            spawn_detached(move || drop(token));
        });
        drop(runtime);
        drop(sender);
        counter.assert_all_dropped();
    }
}

#[test]
fn shut_down_by_its_own_task_it_gives_up_in_time() {
    let _dog = watchdog(60);
    for workers in [1, 2] {
        let runtime = Arc::new(runtime(workers));
        let own = Arc::clone(&runtime);
        let (sender, receiver) = channel::<()>();
        let handle = runtime.spawn(move || {
            let _ = receiver.recv();
            Arc::into_inner(own).unwrap().shutdown(Duration::from_millis(20))
        });
        // Not a helper: what waits inside must be a worker.
        drop(runtime);
        drop(sender);
        let outcome = thread::spawn(|| handle.join().unwrap()).join().unwrap();
        assert_eq!(outcome, Err(ShutdownError { cancelled: 0, running: 1 }));
    }
}

#[test]
fn dropping_waits_for_guests_that_help() {
    let _dog = watchdog(60);
    for _ in 0..50 {
        let counter = Counter::default();
        let runtime = Arc::new(runtime(1));
        let guests: Vec<_> = (0..3)
            .map(|_| {
                let (runtime, counter) = (Arc::clone(&runtime), counter.clone());
                thread::spawn(move || {
                    let handles: Vec<_> = (0..50)
                        .map(|_| {
                            let counter = counter.clone();
                            runtime.spawn(move || multiply(2, counter))
                        })
                        .collect();
                    drop(runtime);
                    handles.into_iter().for_each(|handle| handle.join().unwrap());
                })
            })
            .collect();
        drop(runtime);
        guests.into_iter().for_each(|guest| guest.join().unwrap());
        counter.assert_all_dropped();
        assert_eq!(counter.made(), 3 * 50 * 7);
    }
}

#[test]
fn a_process_ends_with_tasks_pending() {
    for way in ["return", "exit"] {
        in_child("a_process_ends_with_tasks_pending", &[("WYN_TEST_WAY", way)], || {
            let runtime = runtime(2);
            for i in 0..10_000_u64 {
                spawn_detached(move || thread::sleep(Duration::from_secs(1000 + i)));
                runtime.spawn_detached(move || thread::sleep(Duration::from_secs(1000 + i)));
            }
            std::mem::forget(runtime);
            if std::env::var("WYN_TEST_WAY").is_ok_and(|way| way == "exit") {
                std::process::exit(0);
            }
        });
    }
}
