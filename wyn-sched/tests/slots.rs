//! Threads that come and go: what they leave behind costs nobody anything.
#![cfg(not(wyn_loom))]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use common::{Gate, in_child, runtime, threads, wait_until, watchdog};
use wyn_sched::{Runtime, spawn};

/// What is resident of this process, in KiB. Zero where there is no `/proc`.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Blocks so many workers at once inside tasks: each but the first waits for the one before.
fn block(runtime: &Runtime, tasks: usize) {
    let gate = Gate::default();
    let begun = Arc::new(AtomicUsize::new(0));
    let opened = gate.clone();
    let mut last = runtime.spawn(move || opened.wait());
    // The spawning thread runs none of them itself.
    for _ in 0..tasks {
        let (begun, before) = (Arc::clone(&begun), last);
        last = runtime.spawn(move || {
            begun.fetch_add(1, Ordering::SeqCst);
            before.join_blocking().unwrap();
        });
    }
    wait_until("all have begun", || begun.load(Ordering::SeqCst) == tasks);
    gate.open();
    last.join_blocking().unwrap();
}

#[test]
fn idle_workers_are_small() {
    in_child("idle_workers_are_small", &[], || {
        let before = resident();
        let runtime = Runtime::builder().workers(500).build().unwrap();
        thread::sleep(Duration::from_millis(300));
        let each = resident().saturating_sub(before) / 500;
        assert!(each < 64, "{each} KiB for each of 500 workers");
        drop(runtime);
    });
}

#[test]
fn a_burst_of_spares_is_forgotten() {
    in_child("a_burst_of_spares_is_forgotten", &[], || {
        let runtime = runtime(2);
        let mut before = 0;
        for round in 0..3 {
            block(&runtime, 400);
            wait_until("the spares have left", || threads("wyn-").len() <= 2);
            if round == 0 {
                before = resident();
            }
        }
        // What the first burst has left serves the next ones.
        assert!(resident() < before + 8 * 1024, "{} KiB after {before}", resident());
        assert_eq!(runtime.install(|| spawn(|| 5).join().unwrap()), 5);
    });
}

#[test]
fn a_large_queue_goes_with_its_thread() {
    in_child("a_large_queue_goes_with_its_thread", &[], || {
        let runtime = Arc::new(runtime(2));
        for _ in 0..20 {
            let own = Arc::clone(&runtime);
            thread::spawn(move || {
                let handles: Vec<_> = (0..200_000).map(|_| own.spawn(|| ())).collect();
                handles.into_iter().for_each(|handle| handle.join().unwrap());
            })
            .join()
            .unwrap();
        }
        runtime.install(|| ());
    });
}

#[test]
fn a_thousand_threads_from_outside_have_a_queue_each() {
    in_child("a_thousand_threads_from_outside_have_a_queue_each", &[], || {
        let runtime = Arc::new(runtime(2));
        let (met, part) = (Arc::new(Barrier::new(1000)), Arc::new(Barrier::new(1000)));
        let guests: Vec<_> = (0..1000_u64)
            .map(|i| {
                let (runtime, met, part) = (Arc::clone(&runtime), Arc::clone(&met), Arc::clone(&part));
                let guest = move || {
                    assert_eq!(runtime.spawn(move || i).join().unwrap(), i);
                    met.wait();
                    let handles: Vec<_> = (0..10).map(|j| runtime.spawn(move || i + j)).collect();
                    part.wait();
                    handles.into_iter().map(|handle| handle.join().unwrap()).sum::<u64>()
                };
                thread::Builder::new().stack_size(256 << 10).spawn(guest).unwrap()
            })
            .collect();
        let sum: u64 = guests.into_iter().map(|guest| guest.join().unwrap()).sum();
        assert_eq!(sum, 10 * 999 * 500 + 1000 * 45);
        #[cfg(feature = "stats")]
        {
            assert_eq!(runtime.stats().tasks_injected, 0);
            assert_eq!(runtime.stats().guests.tasks_spawned, 11_000);
        }
    });
}

#[test]
fn what_a_thread_leaves_in_its_queue_is_run() {
    let _dog = watchdog(60);
    let runtime = Arc::new(runtime(2));
    let ran = Arc::new(AtomicUsize::new(0));
    for _ in 0..50 {
        let guests: Vec<_> = (0..8)
            .map(|_| {
                let (runtime, ran) = (Arc::clone(&runtime), Arc::clone(&ran));
                thread::spawn(move || {
                    for _ in 0..10 {
                        let ran = Arc::clone(&ran);
                        runtime.spawn_detached(move || _ = ran.fetch_add(1, Ordering::SeqCst));
                    }
                })
            })
            .collect();
        guests.into_iter().for_each(|guest| guest.join().unwrap());
    }
    drop(runtime);
    assert_eq!(ran.load(Ordering::SeqCst), 50 * 8 * 10);
}

#[test]
fn runtimes_that_are_built_and_dropped_at_once() {
    let _dog = watchdog(110);
    for round in 0..300_u64 {
        let runtime = runtime(1 + usize::try_from(round % 3).unwrap());
        match round % 4 {
            0 => {}
            1 => assert_eq!(runtime.spawn(move || round).join().unwrap(), round),
            2 => assert_eq!(runtime.install(|| round), round),
            _ => runtime.spawn_detached(|| drop(spawn(|| ()))),
        }
    }
    wait_until("their threads have ended", || threads("wyn-").is_empty());
}
