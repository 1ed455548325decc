//! Every interleaving of `oneshot`, `Value` and the lock, and the flaws that the models of all files must find.
//!
//! Run by `RUSTFLAGS="--cfg wyn_loom" cargo test --profile loom -p wyn-channel --test loom_cells`.
#![cfg(wyn_loom)]

#[path = "../src/lock.rs"]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "the model uses the flag alone")]
mod lock;
mod loom_common;
#[path = "../src/spin.rs"]
#[allow(dead_code, reason = "the model uses a part of it")]
mod spin;
#[path = "../src/sync.rs"]
#[allow(dead_code, unused_imports, reason = "the model uses a part of it")]
mod sync;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use loom_common::{Drops, check, expect_failures};
use wyn_channel::{Value, oneshot};

const SOON: Duration = Duration::from_secs(1);

#[test]
fn oneshot_hands_over() {
    check(5, || {
        let (s, r) = oneshot();
        let sender = thread::spawn(move || s.send(1).unwrap());
        let receiver = thread::spawn(move || assert_eq!(r.recv(), Ok(1)));
        sender.join().unwrap();
        receiver.join().unwrap();
    });
}

#[test]
fn oneshot_both_ends_go() {
    check(5, || {
        let drops = Drops::default();
        let (s, r) = oneshot();
        let message = drops.make();
        let sender = thread::spawn(move || drop(s.send(message)));
        let receiver = thread::spawn(move || drop(r));
        sender.join().unwrap();
        receiver.join().unwrap();
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn oneshot_sender_goes() {
    check(5, || {
        let (s, r) = oneshot::<u8>();
        let sender = thread::spawn(move || drop(s));
        let receiver = thread::spawn(move || assert!(r.recv().is_err()));
        sender.join().unwrap();
        receiver.join().unwrap();
    });
}

#[test]
fn oneshot_waits_twice() {
    check(4, || {
        let drops = Drops::default();
        let (s, mut r) = oneshot();
        let message = drops.make();
        let sender = thread::spawn(move || s.send(message).is_ok());
        let receiver = thread::spawn(move || {
            let polled = Pin::new(&mut r).poll(&mut Context::from_waker(Waker::noop())).is_ready();
            !polled && r.recv_timeout(SOON).is_err() && r.recv().is_err()
        });
        assert!(sender.join().unwrap(), "the receiver waits for it");
        assert!(!receiver.join().unwrap());
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn value_wakes_those_who_wait() {
    check(3, || {
        let value = Value::new(0);
        let waits: Vec<_> = (1..=2)
            .map(|wanted| {
                let value = value.clone();
                thread::spawn(move || value.wait_for(|&v| v >= wanted))
            })
            .collect();
        value.fetch_add(1);
        value.fetch_add(1);
        waits.into_iter().for_each(|wait| assert!(wait.join().unwrap() >= 1));
    });
}

#[test]
fn value_wait_is_given_up() {
    check(4, || {
        let value = Value::new(0);
        let other = value.clone();
        let waits = thread::spawn(move || other.wait_for_timeout(|&v| v == 1, SOON));
        let sets = thread::spawn(move || value.set(1));
        sets.join().unwrap();
        assert!(matches!(waits.join().unwrap(), None | Some(1)));
    });
}

/// A counter behind the raw flag.
#[test]
fn two_threads_exclude_each_other() {
    struct Counter {
        lock: lock::RawLock,
        count: UnsafeCell<u32>,
    }
    // SAFETY: that the lock orders the accesses is what loom checks here.
    unsafe impl Sync for Counter {}
    check(4, || {
        let counter = Arc::new(Counter { lock: lock::RawLock::new(), count: UnsafeCell::new(0) });
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let counter = Arc::clone(&counter);
                thread::spawn(move || {
                    counter.lock.acquire();
                    // SAFETY: the lock is held.
                    counter.count.with_mut(|count| unsafe { *count += 1 });
                    counter.lock.release();
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        counter.lock.acquire();
        // SAFETY: the lock is held.
        assert_eq!(counter.count.with(|count| unsafe { *count }), 2);
    });
}

#[test]
fn planted_flaws_are_found() {
    expect_failures(&[
        ("decide", "oneshot_hands_over"),
        ("verdict", "oneshot_hands_over"),
        ("acquire", "two_threads_exclude_each_other"),
        ("release", "two_threads_exclude_each_other"),
    ]);
}
