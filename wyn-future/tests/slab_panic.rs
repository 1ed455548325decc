//! Values are dropped exactly once, and panics of foreign code leave the slab whole.
#![cfg(not(wyn_loom))]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use wyn_future::{Key, Slab, SlabError};

/// Counts its drops; the one numbered `fatal` panics in its own.
struct Value<'a> {
    drops: &'a AtomicUsize,
    number: usize,
    fatal: usize,
}

impl Drop for Value<'_> {
    fn drop(&mut self) {
        // Ordering: Relaxed: one thread.
        self.drops.fetch_add(1, Ordering::Relaxed);
        assert!(self.number != self.fatal, "a destructor panics");
    }
}

const NEVER: usize = usize::MAX;

/// Opens `count` entries and completes every other one.
fn half_complete<'a>(slab: &Slab<Value<'a>>, count: usize, drops: &'a AtomicUsize, fatal: usize) -> Vec<Key> {
    let keys: Vec<Key> = (0..count).map(|_| slab.open()).collect();
    for (number, &key) in keys.iter().enumerate().step_by(2) {
        assert!(slab.complete(key, Value { drops, number, fatal }).is_ok());
    }
    keys
}

fn count(drops: &AtomicUsize) -> usize {
    // Ordering: Relaxed: one thread.
    drops.load(Ordering::Relaxed)
}

#[test]
fn values_left_behind_are_dropped_once() {
    let drops = AtomicUsize::new(0);
    let slab = Slab::new();
    let keys = half_complete(&slab, 3000, &drops, NEVER);
    assert_eq!(slab.len(), 3000);
    keys[..1000].iter().for_each(|&key| drop(slab.close(key)));
    keys[1000..2000].iter().for_each(|&key| drop(slab.try_take(key)));
    assert_eq!(count(&drops), 1000);
    drop(slab);
    assert_eq!(count(&drops), 1500);
}

#[test]
fn refused_values_are_the_callers() {
    let drops = AtomicUsize::new(0);
    let slab = Slab::new();
    let key = half_complete(&slab, 1, &drops, NEVER)[0];
    let refused = slab.complete(key, Value { drops: &drops, number: 7, fatal: NEVER });
    assert_eq!(count(&drops), 0);
    let refused = refused.expect_err("complete already");
    assert_eq!(refused.value.number, 7);
    drop(refused);
    assert_eq!(count(&drops), 1);
    drop(slab);
    assert_eq!(count(&drops), 2);
}

#[test]
fn a_panicking_destructor_costs_no_other_value() {
    // In the first, the second and the third chunk.
    for fatal in [0, 1500, 5000] {
        let drops = AtomicUsize::new(0);
        let slab = Slab::new();
        half_complete(&slab, 6000, &drops, fatal);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(slab))).is_err());
        assert_eq!(count(&drops), 3000);
    }
}

#[test]
fn a_panicking_destructor_outside_leaves_the_slab_whole() {
    let drops = AtomicUsize::new(0);
    let slab = Slab::new();
    let key = half_complete(&slab, 1, &drops, 0)[0];
    assert!(catch_unwind(|| drop(slab.close(key))).is_err());
    assert_eq!((slab.len(), count(&drops)), (0, 1));
    let key = half_complete(&slab, 1, &drops, NEVER)[0];
    assert!(slab.try_take(key).is_ok());
}

/// Counts its wakes and panics in them.
struct Fatal(AtomicUsize);

impl Wake for Fatal {
    fn wake(self: Arc<Self>) {
        // Ordering: Relaxed: one thread.
        self.0.fetch_add(1, Ordering::Relaxed);
        // Two panics in one unwinding would abort.
        if !std::thread::panicking() {
            panic!("a waker panics");
        }
    }
}

#[test]
fn a_panicking_waker_delays_nobody() {
    let slab = Slab::new();
    for close in [false, true] {
        let key = slab.open();
        let fatal = Arc::new(Fatal(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&fatal));
        let mut cx = Context::from_waker(&waker);
        let mut waits = [slab.wait(key), slab.wait(key), slab.wait(key)];
        for wait in &mut waits {
            assert!(Pin::new(wait).poll(&mut cx).is_pending());
        }
        let ended = || if close { slab.close(key).is_ok() } else { slab.complete(key, 7).is_ok() };
        assert!(catch_unwind(AssertUnwindSafe(ended)).is_err());
        assert_eq!(count(&fatal.0), 3);
        let expected = if close { Err(SlabError::Stale) } else { Ok(7) };
        assert_eq!(Pin::new(&mut waits[0]).poll(&mut cx), Poll::Ready(expected));
        assert!(slab.is_empty());
        let next = slab.open();
        assert_eq!(next.to_bits(), key.to_bits() + (1 << 32), "the slot got lost");
        slab.close(next).unwrap();
    }
}
