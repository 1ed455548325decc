//! Waiting nests without bound: no deadlock, and no stack overflow.
//!
//! rayon #854, #751, #590: a worker that waits steals a job that waits, and so on, until its stack is full.
//! Here a wait stops running tasks when a quarter of the stack is left, and a spare worker takes over.
#![cfg(not(wyn_loom))]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Counter, runtime, watchdog};
use wyn_sched::{JoinHandle, Runtime, spawn, spawn_detached};

const DEEP: u64 = 100_000;

fn dig(depth: u64) -> u64 {
    if depth == 0 { 0 } else { spawn(move || dig(depth - 1)).join().unwrap() + 1 }
}

/// Tasks of which each joins the one spawned before it.
fn chain(spawn: impl Fn(Option<JoinHandle<u64>>) -> JoinHandle<u64>) -> u64 {
    let mut last = None;
    for _ in 0..DEEP {
        last = Some(spawn(last));
    }
    last.unwrap().join().unwrap()
}

fn link(before: Option<JoinHandle<u64>>) -> u64 {
    before.map_or(0, |before| before.join().unwrap()) + 1
}

#[test]
fn recursion_a_hundred_thousand_deep() {
    let _dog = watchdog(110);
    for workers in [1, 2] {
        assert_eq!(runtime(workers).install(|| dig(DEEP)), DEEP, "{workers} workers");
    }
}

#[test]
fn recursion_a_hundred_thousand_deep_from_outside() {
    let _dog = watchdog(110);
    for workers in [1, 2] {
        assert_eq!(runtime(workers).spawn(|| dig(DEEP)).join().unwrap(), DEEP, "{workers} workers");
    }
    assert_eq!(dig(DEEP), DEEP, "on the global runtime");
}

#[test]
fn a_chain_of_a_hundred_thousand_joins_from_inside() {
    let _dog = watchdog(110);
    for workers in [1, 2] {
        let runtime = runtime(workers);
        assert_eq!(runtime.install(|| chain(|before| spawn(|| link(before)))), DEEP, "{workers} workers");
    }
}

#[test]
fn a_chain_of_a_hundred_thousand_joins_from_outside() {
    let _dog = watchdog(110);
    for workers in [1, 2] {
        let runtime = runtime(workers);
        assert_eq!(chain(|before| runtime.spawn(|| link(before))), DEEP, "{workers} workers");
    }
    assert_eq!(chain(|before| spawn(|| link(before))), DEEP, "on the global runtime");
}

#[test]
fn stolen_jobs_that_wait_nest_no_deeper_than_the_stack() {
    // Wide and waiting: each helps with the others, which wait as well.
    let _dog = watchdog(110);
    let runtime = Runtime::builder().workers(4).stack_size(256 << 10).build().unwrap();
    let counter = Counter::default();
    let handles: Vec<_> = (0..2000)
        .map(|_| {
            let token = counter.token();
            runtime.spawn(move || {
                let ran = Arc::new(AtomicUsize::new(0));
                let children: Vec<_> = (0..10)
                    .map(|_| {
                        let ran = Arc::clone(&ran);
                        spawn(move || _ = ran.fetch_add(1, Ordering::Relaxed))
                    })
                    .collect();
                // The oldest first: it is seldom at hand, so this helps with whatever there is.
                children.into_iter().for_each(|child| child.join().unwrap());
                drop(token);
                ran.load(Ordering::Relaxed)
            })
        })
        .collect();
    assert!(handles.into_iter().all(|handle| handle.join().unwrap() == 10));
    counter.assert_all_dropped();
}

/// Each leaves the next behind in its first branch, for the join to come upon.
fn leave_behind(depth: u64, ended: &Arc<AtomicUsize>) {
    let next = Arc::clone(ended);
    wyn_sched::join(
        || {
            if depth > 0 {
                spawn_detached(move || leave_behind(depth - 1, &next));
            }
        },
        || _ = ended.fetch_add(1, Ordering::Relaxed),
    );
}

#[test]
fn what_first_branches_leave_behind_nests_no_deeper_than_the_stack() {
    let _dog = watchdog(110);
    for workers in [1, 2] {
        let runtime = runtime(workers);
        let ended = Arc::new(AtomicUsize::new(0));
        runtime.install(|| leave_behind(DEEP, &ended));
        while (ended.load(Ordering::Relaxed) as u64) <= DEEP {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

#[test]
fn small_stacks_are_replaced_in_time() {
    let _dog = watchdog(110);
    for bytes in [128 << 10, 256 << 10, 1 << 20] {
        let runtime = Runtime::builder().workers(1).stack_size(bytes).build().unwrap();
        assert_eq!(runtime.install(|| dig(2000)), 2000, "{bytes} bytes of stack");
    }
}

#[test]
fn a_task_that_waits_is_not_buried_under_one_that_waits_for_it() {
    let _dog = watchdog(60);
    for workers in [1, 2, 3] {
        let runtime = runtime(workers);
        let gate = common::Gate::default();
        let open = gate.clone();
        let slow = runtime.spawn(move || {
            open.wait();
            1
        });
        let pause = || std::thread::sleep(std::time::Duration::from_millis(10));
        pause();
        let mut last = slow;
        for _ in 0..5 {
            last = runtime.spawn(move || last.join().unwrap() + 1);
            pause();
        }
        gate.open();
        // On a thread that does not help.
        let sum = std::thread::spawn(move || last.join().unwrap()).join().unwrap();
        assert_eq!(sum, 6);
    }
}
