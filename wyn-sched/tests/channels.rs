//! Tasks that wait on channels and values: no worker is lost by it, and nobody is buried.
#![cfg(all(not(wyn_loom), feature = "channel"))]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{runtime, watchdog};
use wyn_channel::{Value, bounded, unbounded};
use wyn_sched::{broadcast, join, scope, spawn};

#[test]
fn a_pipeline_of_a_thousand_tasks_on_one_worker() {
    let _dog = watchdog(120);
    let runtime = runtime(1);
    let (first, mut last) = bounded::<u64>(1);
    for _ in 0..1000 {
        let (sender, receiver) = bounded(1);
        let source = std::mem::replace(&mut last, receiver);
        runtime.spawn_detached(move || {
            for message in source {
                sender.send(message + 1).unwrap();
            }
        });
    }
    let feeder = runtime.spawn(move || (0..20).for_each(|message| first.send(message).unwrap()));
    let got: Vec<u64> = last.iter().collect();
    feeder.join().unwrap();
    assert_eq!(got, (1000..1020).collect::<Vec<_>>());
}

#[test]
fn producer_and_consumer_on_one_worker() {
    let _dog = watchdog(60);
    for capacity in [0, 1, 10] {
        let runtime = runtime(1);
        let (sender, receiver) = bounded(capacity);
        let consumer = runtime.spawn(move || receiver.iter().sum::<u64>());
        let producer = runtime.spawn(move || (0..2000).for_each(|number| sender.send(number).unwrap()));
        producer.join().unwrap();
        assert_eq!(consumer.join().unwrap(), 1999 * 1000);
    }
}

/// The parent waits for room again and again; on top of it, its own child would wait for the next message.
#[test]
fn a_child_that_receives_all_that_its_parent_sends() {
    let _dog = watchdog(60);
    for workers in [1, 2, 8] {
        let runtime = runtime(workers);
        for _ in 0..20 {
            let sum = runtime.spawn(|| {
                let (sender, receiver) = bounded(1);
                let child = spawn(move || receiver.iter().sum::<u64>());
                (0..50).for_each(|number| sender.send(number).unwrap());
                drop(sender);
                child.join().unwrap()
            });
            assert_eq!(sum.join().unwrap(), 49 * 25);
        }
    }
}

#[test]
fn branches_and_children_talk() {
    let _dog = watchdog(60);
    for workers in [1, 2, 8] {
        runtime(workers).install(|| {
            for _ in 0..20 {
                let (sender, receiver) = bounded(0);
                // Only one order works if the branches are run one after the other; blocked, the first is left alone.
                let (got, ()) = join(|| receiver.recv().unwrap(), || sender.send(7).unwrap());
                assert_eq!(got, 7);
                let (sender, receiver) = unbounded();
                let done = AtomicUsize::new(0);
                scope(|s| {
                    for _ in 0..10 {
                        let (receiver, done) = (&receiver, &done);
                        s.spawn_detached(move |_| done.store(receiver.recv().unwrap(), Ordering::Relaxed));
                    }
                    s.spawn_detached(|_| (0..10).for_each(|number| sender.send(number).unwrap()));
                });
                assert!(receiver.is_empty());
            }
        });
    }
}

#[test]
fn a_value_is_waited_for_by_many_tasks() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let value = Value::new(0_u32);
    let waiting: Vec<_> = (1..=50)
        .map(|least| {
            let value = value.clone();
            runtime.spawn(move || value.wait_for(|&now| now >= least))
        })
        .collect();
    let counts = value.clone();
    runtime.spawn_detached(move || (0..50).for_each(|_| _ = counts.fetch_add(1)));
    waiting.into_iter().for_each(|handle| _ = handle.join().unwrap());
    assert_eq!(value.get(), 50);
}

#[test]
fn a_broadcast_reaches_a_worker_that_waits_for_a_message() {
    let _dog = watchdog(60);
    let runtime = runtime(2);
    let (sender, receiver) = bounded::<()>(0);
    let waits = runtime.spawn(move || receiver.recv_timeout(Duration::from_secs(20)).is_ok());
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(runtime.spawn(|| broadcast(|worker| worker.index())).join().unwrap(), [0, 1]);
    sender.send(()).unwrap();
    assert!(waits.join().unwrap());
}
