//! What the slab promises, one scenario per test.
#![cfg(not(wyn_loom))]

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use static_assertions::{assert_impl_all, assert_not_impl_any, const_assert_eq};
use wyn_future::{CompleteError, Key, Slab, SlabError, Wait};

assert_impl_all!(Slab<Cell<u8>>: Send, Sync, std::panic::UnwindSafe, std::panic::RefUnwindSafe);
assert_not_impl_any!(Slab<Rc<u8>>: Send, Sync);
assert_impl_all!(Key: Send, Sync, Copy, Eq, std::hash::Hash, std::fmt::Debug);
assert_impl_all!(SlabError: Send, Sync, std::error::Error);
assert_impl_all!(CompleteError<Cell<u8>>: Send, std::error::Error);
assert_not_impl_any!(CompleteError<Cell<u8>>: Sync);
assert_impl_all!(Wait<'static, Cell<u8>>: Send, Sync, Unpin, Future);
assert_not_impl_any!(Wait<'static, Rc<u8>>: Send, Sync);
const_assert_eq!(size_of::<Option<Key>>(), 8);

struct Unparker(Thread);

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unparker(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Counts its wakes.
#[derive(Default)]
struct CountWakes {
    wakes: AtomicUsize,
}

impl CountWakes {
    fn count(&self) -> usize {
        // Ordering: SeqCst: a test.
        self.wakes.load(Ordering::SeqCst)
    }
}

impl Wake for CountWakes {
    fn wake(self: Arc<Self>) {
        // Ordering: SeqCst: a test.
        self.wakes.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll<F: Future + Unpin>(future: &mut F, wakes: &Arc<CountWakes>) -> Poll<F::Output> {
    let waker = Waker::from(Arc::clone(wakes));
    Pin::new(future).poll(&mut Context::from_waker(&waker))
}

/// Gives the threads started last the time to park. If it is too short, the test just sees an easier case.
fn let_them_park() {
    thread::sleep(Duration::from_millis(20));
}

#[test]
fn an_entry_lives_once() {
    let slab = Slab::new();
    let key = slab.open();
    assert_eq!(slab.try_take(key), Err(SlabError::Pending));
    assert_eq!(slab.is_ready(key), Ok(false));
    assert_eq!(slab.len(), 1);
    slab.complete(key, "done").unwrap();
    assert_eq!(slab.is_ready(key), Ok(true));
    assert_eq!(slab.take(key), Ok("done"));
    assert_eq!(slab.try_take(key), Err(SlabError::Stale));
    assert_eq!(slab.take(key), Err(SlabError::Stale));
    assert_eq!(slab.is_ready(key), Err(SlabError::Stale));
    assert_eq!(slab.close(key), Err(SlabError::Stale));
    assert_eq!(slab.abandon(key), Err(SlabError::Stale));
    assert!(slab.is_empty());
}

#[test]
fn a_second_result_comes_back() {
    let slab = Slab::new();
    let key = slab.open();
    slab.complete(key, 1).unwrap();
    let refused = slab.complete(key, 2).unwrap_err();
    assert_eq!((refused.error, refused.into_inner()), (SlabError::Completed, 2));
    assert_eq!(slab.abandon(key), Err(SlabError::Completed));
    assert_eq!(slab.try_take(key), Ok(1));
    let refused = slab.complete(key, 3).unwrap_err();
    assert_eq!((refused.error, refused.value), (SlabError::Stale, 3));
}

#[test]
fn an_abandoned_entry_says_so_once() {
    let slab = Slab::<u8>::new();
    let key = slab.open();
    slab.abandon(key).unwrap();
    assert_eq!(slab.is_ready(key), Ok(true));
    assert_eq!(slab.complete(key, 1).unwrap_err().error, SlabError::Completed);
    assert_eq!(slab.try_take(key), Err(SlabError::Dropped));
    assert_eq!(slab.try_take(key), Err(SlabError::Stale));
    let key = slab.open();
    slab.abandon(key).unwrap();
    assert_eq!(slab.close(key), Ok(None));
    assert!(slab.is_empty());
}

#[test]
fn closing_ends_an_entry_in_any_phase() {
    let slab = Slab::new();
    let (pending, ready) = (slab.open(), slab.open());
    slab.complete(ready, 7).unwrap();
    assert_eq!(slab.close(pending), Ok(None));
    assert_eq!(slab.close(ready), Ok(Some(7)));
    for key in [pending, ready] {
        assert_eq!(slab.close(key), Err(SlabError::Stale));
        assert_eq!(slab.complete(key, 8).unwrap_err().into_inner(), 8);
    }
    assert!(slab.is_empty());
}

#[test]
fn the_slot_freed_last_serves_first() {
    let slab = Slab::<u8>::new();
    let [a, b, c] = [slab.open(), slab.open(), slab.open()];
    for key in [b, a, c] {
        slab.close(key).unwrap();
    }
    let index = |key: Key| key.to_bits() & 0xffff_ffff;
    let again = [slab.open(), slab.open(), slab.open()];
    assert_eq!(again.map(index), [c, a, b].map(index));
    assert_ne!(again, [c, a, b]);
}

#[test]
fn capacity_grows_by_doubling_chunks_and_stays() {
    let slab = Slab::<u64>::new();
    assert_eq!(slab.capacity(), 0);
    let keys: Vec<Key> = (0..1025).map(|_| slab.open()).collect();
    assert_eq!((slab.len(), slab.capacity()), (1025, 1024 + 2048));
    for key in keys {
        slab.close(key).unwrap();
    }
    for _ in 0..10_000 {
        let key = slab.open();
        slab.complete(key, 1).unwrap();
        slab.try_take(key).unwrap();
    }
    assert_eq!((slab.len(), slab.capacity()), (0, 3072));
    assert_eq!(Slab::<u64>::with_capacity(0).capacity(), 0);
    assert_eq!(Slab::<u64>::with_capacity(1024).capacity(), 1024);
    assert_eq!(Slab::<u64>::with_capacity(3073).capacity(), 1024 + 2048 + 4096);
}

#[test]
#[should_panic(expected = "a slab has at most")]
fn too_much_capacity_is_refused() {
    let _ = Slab::<u8>::with_capacity(usize::MAX);
}

#[test]
fn numbers_that_are_no_keys() {
    let slab = Slab::<u8>::new();
    assert_eq!(Key::from_bits(0), None);
    assert_eq!(Key::from_bits(u64::from(u32::MAX)), None);
    let key = slab.open();
    assert_eq!(Key::from_bits(key.to_bits()), Some(key));
    assert_eq!(format!("{key:?}"), "Key { index: 0, generation: 1 }");
    for bits in [1_u64 << 32 | 5, 2 << 32, 1 << 32 | 2000, 1 << 32 | 0xffff_ffff, u64::MAX] {
        let forged = Key::from_bits(bits).unwrap();
        assert_eq!(slab.try_take(forged), Err(SlabError::Stale));
        assert_eq!(slab.take_timeout(forged, Duration::MAX), Err(SlabError::Stale));
        assert_eq!(slab.complete(forged, 1).unwrap_err().error, SlabError::Stale);
        assert_eq!(slab.close(forged), Err(SlabError::Stale));
        assert_eq!(block_on(slab.wait(forged)), Err(SlabError::Stale));
    }
    // The key that the slot's next life will have is no key yet.
    slab.close(key).unwrap();
    let next = Key::from_bits(key.to_bits() + (1 << 32)).unwrap();
    assert_eq!(slab.complete(next, 1).unwrap_err().error, SlabError::Stale);
    assert_eq!(slab.open(), next);
}

#[test]
fn odd_types_fit() {
    #[repr(align(64))]
    #[derive(Debug, PartialEq)]
    struct Wide([u64; 24]);
    let wide = Slab::new();
    let keys = [wide.open(), wide.open()];
    keys.iter().zip([1, 2]).for_each(|(&key, n)| wide.complete(key, Wide([n; 24])).unwrap());
    assert_eq!(wide.take(keys[1]), Ok(Wide([2; 24])));
    assert_eq!(wide.take(keys[0]), Ok(Wide([1; 24])));
    let empty = Slab::new();
    let key = empty.open();
    empty.complete(key, ()).unwrap();
    assert_eq!(empty.take(key), Ok(()));
}

#[test]
fn errors_speak() {
    let slab = Slab::new();
    let key = slab.open();
    slab.close(key).unwrap();
    let refused = slab.complete(key, Cell::new(1)).unwrap_err();
    assert_eq!(refused.to_string(), "the key names no open entry");
    assert_eq!(format!("{refused:?}"), "CompleteError { error: Stale, .. }");
    assert_eq!(SlabError::Pending.to_string(), "the result is not there yet");
}

#[test]
fn a_parked_taker_is_woken() {
    let slab = Slab::new();
    let key = slab.open();
    thread::scope(|scope| {
        let taker = scope.spawn(|| slab.take(key));
        let_them_park();
        slab.complete(key, 7).unwrap();
        assert_eq!(taker.join().unwrap(), Ok(7));
    });
}

#[test]
fn all_waiters_wake_and_one_wins() {
    let slab = Slab::new();
    for close in [false, true] {
        let key = slab.open();
        thread::scope(|scope| {
            let parked = (0..4).map(|_| scope.spawn(|| slab.take(key)));
            let timed = (0..2).map(|_| scope.spawn(|| slab.take_timeout(key, Duration::MAX)));
            let futures = (0..4).map(|_| scope.spawn(|| block_on(slab.wait(key))));
            let waiters: Vec<_> = parked.chain(timed).chain(futures).collect();
            let_them_park();
            if close {
                assert_eq!(slab.close(key), Ok(None));
            } else {
                slab.complete(key, 7).unwrap();
            }
            let results: Vec<_> = waiters.into_iter().map(|waiter| waiter.join().unwrap()).collect();
            let won = results.iter().filter(|&&result| result == Ok(7)).count();
            let stale = results.iter().filter(|&&result| result == Err(SlabError::Stale)).count();
            assert_eq!((won, stale), if close { (0, 10) } else { (1, 9) });
        });
    }
}

#[test]
fn abandoning_wakes_a_taker() {
    let slab = Slab::<u8>::new();
    let key = slab.open();
    thread::scope(|scope| {
        let taker = scope.spawn(|| slab.take(key));
        let_them_park();
        slab.abandon(key).unwrap();
        assert_eq!(taker.join().unwrap(), Err(SlabError::Dropped));
    });
}

#[test]
fn timeouts_end_and_leave_the_entry_open() {
    let slab = Slab::new();
    let key = slab.open();
    assert_eq!(slab.take_timeout(key, Duration::ZERO), Err(SlabError::Pending));
    let start = Instant::now();
    assert_eq!(slab.take_timeout(key, Duration::from_millis(20)), Err(SlabError::Pending));
    assert!(start.elapsed() >= Duration::from_millis(20));
    slab.complete(key, 7).unwrap();
    assert_eq!(slab.take_timeout(key, Duration::ZERO), Ok(7));
    assert_eq!(slab.take_timeout(key, Duration::ZERO), Err(SlabError::Stale));
}

#[test]
fn a_foreign_unpark_does_not_end_a_wait() {
    let slab = Slab::new();
    let key = slab.open();
    thread::scope(|scope| {
        let taker = scope.spawn(|| slab.take(key));
        for _ in 0..100 {
            taker.thread().unpark();
            thread::yield_now();
        }
        assert!(!taker.is_finished());
        slab.complete(key, 7).unwrap();
        assert_eq!(taker.join().unwrap(), Ok(7));
    });
}

#[test]
fn a_dropped_future_loses_nothing() {
    let slab = Slab::new();
    let (key, wakes) = (slab.open(), Arc::new(CountWakes::default()));
    let mut dropped = slab.wait(key);
    assert!(poll(&mut dropped, &wakes).is_pending());
    drop(dropped);
    let (mut kept, kept_wakes) = (slab.wait(key), Arc::new(CountWakes::default()));
    assert!(poll(&mut kept, &kept_wakes).is_pending());
    slab.complete(key, 7).unwrap();
    assert_eq!((wakes.count(), kept_wakes.count()), (0, 1));
    drop(kept);
    assert_eq!(block_on(slab.wait(key)), Ok(7));
    assert_eq!(Arc::strong_count(&wakes), 1, "a waker is left behind");
}

#[test]
fn the_latest_waker_counts() {
    let slab = Slab::new();
    let (first, second) = (Arc::new(CountWakes::default()), Arc::new(CountWakes::default()));
    let mut wait = slab.wait(slab.open());
    assert!(poll(&mut wait, &first).is_pending());
    assert!(poll(&mut wait, &second).is_pending());
    assert!(poll(&mut wait, &second).is_pending());
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 2));
    slab.complete(Key::from_bits(1 << 32).unwrap(), 7).unwrap();
    assert_eq!((first.count(), second.count()), (0, 1));
    assert_eq!(poll(&mut wait, &second), Poll::Ready(Ok(7)));
    assert_eq!(poll(&mut wait, &second), Poll::Ready(Err(SlabError::Stale)));
}

/// Uses the slab from inside its own wake.
struct Reenter {
    slab: &'static Slab<u32>,
    next: Key,
}

impl Wake for Reenter {
    fn wake(self: Arc<Self>) {
        self.slab.complete(self.next, 8).expect("open");
        let key = self.slab.open();
        assert_eq!(self.slab.close(key), Ok(None));
    }
}

#[test]
fn a_waker_may_use_the_slab() {
    static SLAB: LazyLock<Slab<u32>> = LazyLock::new(Slab::new);
    let slab: &'static Slab<u32> = &SLAB;
    let (key, next) = (slab.open(), slab.open());
    let waker = Waker::from(Arc::new(Reenter { slab, next }));
    let (mut first, wakes) = (slab.wait(key), Arc::new(CountWakes::default()));
    assert!(Pin::new(&mut first).poll(&mut Context::from_waker(&waker)).is_pending());
    let mut second = slab.wait(next);
    assert!(poll(&mut second, &wakes).is_pending());
    slab.complete(key, 7).unwrap();
    assert_eq!(wakes.count(), 1);
    assert_eq!((block_on(first), block_on(second)), (Ok(7), Ok(8)));
    assert!(slab.is_empty());
}

#[test]
fn waits_that_come_and_go_leave_nothing() {
    let slab = Slab::<u8>::new();
    // A slot that has been in the free list, before another one.
    let keys: Vec<Key> = (0..10).map(|_| slab.open()).collect();
    [keys[9], keys[0]].iter().for_each(|&key| assert_eq!(slab.close(key), Ok(None)));
    let key = slab.open();
    let wakes = Arc::new(CountWakes::default());
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
        let mut waits: Vec<_> = (0..3).map(|_| Some(slab.wait(key))).collect();
        waits.iter_mut().flatten().for_each(|wait| assert!(poll(wait, &wakes).is_pending()));
        assert_eq!(Arc::strong_count(&wakes), 4);
        order.iter().for_each(|&n| drop(waits[n].take()));
        assert_eq!(Arc::strong_count(&wakes), 1);
    }
    assert_eq!(slab.close(key), Ok(None));
    assert_eq!(wakes.count(), 0);
}

#[test]
fn a_late_drop_leaves_the_next_waiter_alone() {
    let slab = Slab::new();
    let (first, second) = (Arc::new(CountWakes::default()), Arc::new(CountWakes::default()));
    let old = slab.open();
    let mut late = slab.wait(old);
    assert!(poll(&mut late, &first).is_pending());
    slab.complete(old, 1).unwrap();
    assert_eq!(slab.try_take(old), Ok(1));
    // The same slot, and the same place among the waiters.
    let key = slab.open();
    let mut wait = slab.wait(key);
    assert!(poll(&mut wait, &second).is_pending());
    drop(late);
    slab.complete(key, 2).unwrap();
    assert_eq!((first.count(), second.count()), (1, 1));
    assert_eq!(poll(&mut wait, &second), Poll::Ready(Ok(2)));
}
