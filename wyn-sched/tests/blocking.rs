//! Tasks that block by other means than `join`, or spin: the others still run.
#![cfg(not(wyn_loom))]

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use common::{Gate, runtime, wait_until, watchdog};
use wyn_sched::{spawn, spawn_detached, yield_now};

#[test]
fn a_worker_that_blocks_on_a_channel_is_fed_by_its_child() {
    // The child lies in the deque of a worker that will not come back to it: somebody else must look there,
    // also if everybody was busy when it was pushed.
    let _dog = watchdog(60);
    for workers in [2, 3, 8] {
        let runtime = runtime(workers);
        for round in 0..100_u64 {
            for _ in 1..workers {
                runtime.spawn_detached(move || {
                    (0..round * 100).for_each(|_| std::hint::spin_loop());
                });
            }
            let got = runtime.install(|| {
                let (sender, receiver) = channel();
                spawn_detached(move || sender.send(7).unwrap());
                receiver.recv().unwrap()
            });
            assert_eq!(got, 7);
        }
    }
}

#[test]
fn a_spawner_that_blocks_outside_leaves_its_tasks_to_one_worker() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    for round in 0..300_u64 {
        let (sender, receiver) = channel();
        for i in 0..=round % 5 {
            let sender = sender.clone();
            runtime.spawn_detached(move || sender.send(i).unwrap());
        }
        drop(sender);
        if round % 10 == 0 {
            thread::sleep(Duration::from_micros(round * 20));
        }
        assert_eq!(receiver.iter().count() as u64, round % 5 + 1);
    }
    // The same on the global runtime.
    let (sender, receiver) = channel();
    spawn_detached(move || sender.send(1).unwrap());
    assert_eq!(receiver.recv(), Ok(1));
}

#[test]
fn as_many_tasks_may_block_as_there_are_workers() {
    // To call somebody only when the queue was empty leaves workers 2..N asleep beside a full queue; and
    // workers that block are no reason to think the processors busy.
    let _dog = watchdog(100);
    for workers in [1, 2, 5, 16, 64] {
        let runtime = runtime(workers);
        for _ in 0..3 {
            let barrier = Arc::new(Barrier::new(workers + 1));
            for _ in 0..workers {
                let barrier = Arc::clone(&barrier);
                runtime.spawn_detached(move || _ = barrier.wait());
            }
            barrier.wait();
        }
        let all = runtime.install(|| {
            let barrier = Arc::new(Barrier::new(workers));
            for _ in 1..workers {
                let barrier = Arc::clone(&barrier);
                spawn_detached(move || _ = barrier.wait());
            }
            barrier.wait();
            workers
        });
        assert_eq!(all, workers);
    }
}

#[test]
fn a_task_that_spins_with_yield_now_lets_an_older_one_run() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    for _ in 0..100 {
        runtime.install(|| {
            let flag = Arc::new(AtomicBool::new(false));
            let set = Arc::clone(&flag);
            spawn_detached(move || set.store(true, Ordering::Release));
            let spinner = spawn(move || {
                while !flag.load(Ordering::Acquire) {
                    yield_now();
                }
            });
            spinner.join().unwrap();
        });
    }
    // And one that comes from outside, while the only worker spins.
    let flag = Arc::new(AtomicBool::new(false));
    let (set, spun) = (Arc::clone(&flag), Arc::clone(&flag));
    let spinner = runtime.spawn(move || {
        while !spun.load(Ordering::Acquire) {
            yield_now();
        }
    });
    runtime.spawn_detached(move || set.store(true, Ordering::Release));
    wait_until("the flag is set", || flag.load(Ordering::Acquire));
    spinner.join().unwrap();
}

#[test]
fn tasks_from_outside_are_not_starved_by_a_worker_that_feeds_itself() {
    // Every so often the injector comes before the own deque.
    let _dog = watchdog(60);
    let runtime = Arc::new(runtime(1));
    let stop = Arc::new(AtomicBool::new(false));
    fn feed(stop: Arc<AtomicBool>) {
        if !stop.load(Ordering::Acquire) {
            spawn_detached(|| feed(stop));
        }
    }
    let own = Arc::clone(&stop);
    runtime.spawn_detached(|| feed(own));
    // `install` always goes through the injector.
    for i in 0..20 {
        assert_eq!(runtime.install(|| i), i);
    }
    stop.store(true, Ordering::Release);
}

#[test]
fn a_lock_held_across_a_wait_is_met_by_no_other_task_on_the_same_thread() {
    // rayon #592.
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let met = Arc::new(AtomicUsize::new(0));
    let lock = Arc::new(Mutex::new(()));
    runtime.install(|| {
        let other = || {
            let (lock, met) = (Arc::clone(&lock), Arc::clone(&met));
            spawn(move || _ = met.fetch_add(usize::from(lock.try_lock().is_err()), Ordering::SeqCst))
        };
        let older = other();
        let held = lock.lock().unwrap();
        // Neither the newest nor the oldest.
        let between = spawn(|| ());
        let newer = other();
        between.join().unwrap();
        drop(held);
        newer.join().unwrap();
        older.join().unwrap();
    });
    assert_eq!(met.load(Ordering::SeqCst), 0);
}

#[test]
fn a_million_tasks_wait_and_then_run() {
    const MILLION: u64 = 1_000_000;
    let _dog = watchdog(110);
    let runtime = runtime(1);
    let (started, gate) = (Gate::default(), Gate::default());
    let (start, open) = (started.clone(), gate.clone());
    runtime.spawn_detached(move || {
        start.open();
        open.wait();
    });
    started.wait();
    let handles: Vec<_> = (0..MILLION).map(|i| runtime.spawn(move || i)).collect();
    assert!(handles.iter().step_by(1009).all(|handle| !handle.is_finished()));
    gate.open();
    let sum: u64 = handles.into_iter().map(|handle| handle.join().unwrap()).sum();
    assert_eq!(sum, MILLION * (MILLION - 1) / 2);
    // And without anybody waiting for them.
    let ran = Arc::new(AtomicUsize::new(0));
    for _ in 0..MILLION {
        let ran = Arc::clone(&ran);
        runtime.spawn_detached(move || _ = ran.fetch_add(1, Ordering::Relaxed));
    }
    drop(runtime);
    assert_eq!(ran.load(Ordering::Relaxed) as u64, MILLION);
}
