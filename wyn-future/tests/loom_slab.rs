//! Every interleaving of the slab's small races. Each model names the race it hunts.
//!
//! `weakened` runs models again with one ordering missing, and expects each to fail.
//! Under loom the first chunk has one slot, so that two entries already need a second chunk.
#![cfg(wyn_loom)]

#[path = "loom_slab/reuse.rs"]
mod reuse;
#[path = "loom_slab/weakened.rs"]
mod weakened;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Wake, Waker};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread::{self, JoinHandle};
use wyn_future::{Key, Slab, SlabError};

/// A value that counts its drops, and has an inside for loom to watch.
struct Value {
    number: u32,
    drops: Arc<AtomicUsize>,
}

impl Drop for Value {
    fn drop(&mut self) {
        // Ordering: Relaxed: read after joining.
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

fn model(f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    // Three threads with spinning and parking are too many to go through without a bound.
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(f);
}

fn on_thread<R: 'static>(slab: &Arc<Slab<u32>>, f: impl FnOnce(&Slab<u32>) -> R + 'static) -> JoinHandle<R> {
    let slab = Arc::clone(slab);
    thread::spawn(move || f(&slab))
}

/// Race: the taker looks, registers and parks while the result is being published.
#[test]
fn complete_meets_take() {
    model(|| {
        let slab = Arc::new(Slab::new());
        let key = slab.open();
        let completer = on_thread(&slab, move |slab| slab.complete(key, 7).is_ok());
        let taker = on_thread(&slab, move |slab| slab.take(key));
        assert!(completer.join().unwrap());
        assert_eq!(taker.join().unwrap(), Ok(7));
        assert!(slab.is_empty());
    });
}

/// Remembers that it was woken.
struct Flag(std::sync::atomic::AtomicBool);

impl Wake for Flag {
    fn wake(self: std::sync::Arc<Self>) {
        // Ordering: Relaxed: read after joining.
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Race: as above, with a future that waits already: both wake, one wins.
/// (Not two takers: they may both spin for the claimant, and loom would let them do so for ever.)
#[test]
fn complete_meets_two_waiters() {
    model(|| {
        let slab = Arc::new(Slab::new());
        let key = slab.open();
        let flag = std::sync::Arc::new(Flag(false.into()));
        let waker = Waker::from(std::sync::Arc::clone(&flag));
        let mut wait = pin!(slab.wait(key));
        assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let completer = on_thread(&slab, move |slab| slab.complete(key, 7).is_ok());
        let taker = on_thread(&slab, move |slab| slab.take(key));
        assert!(completer.join().unwrap());
        assert_eq!(taker.join().unwrap(), Ok(7));
        // Ordering: Relaxed: after joining.
        assert!(flag.0.load(Ordering::Relaxed), "the future was not woken");
        assert_eq!(wait.poll(&mut Context::from_waker(&waker)), Poll::Ready(Err(SlabError::Stale)));
    });
}

/// Race: two take what is ready.
#[test]
fn take_meets_take() {
    model(|| {
        let slab = Arc::new(Slab::new());
        let key = slab.open();
        slab.complete(key, 7).unwrap();
        let first = on_thread(&slab, move |slab| slab.try_take(key));
        let second = on_thread(&slab, move |slab| slab.try_take(key));
        let mut results = [first.join().unwrap(), second.join().unwrap()];
        results.sort_by_key(Result::is_err);
        assert_eq!(results, [Ok(7), Err(SlabError::Stale)]);
    });
}

/// Race: two complete one entry; the loser gets its value back.
#[test]
fn complete_meets_complete() {
    model(|| {
        let slab = Arc::new(Slab::new());
        let key = slab.open();
        let first = on_thread(&slab, move |slab| slab.complete(key, 1).map_err(|e| (e.value, e.error)));
        let second = on_thread(&slab, move |slab| slab.complete(key, 2).map_err(|e| (e.value, e.error)));
        match (first.join().unwrap(), second.join().unwrap()) {
            (Ok(()), Err((2, SlabError::Completed))) => assert_eq!(slab.try_take(key), Ok(1)),
            (Err((1, SlabError::Completed)), Ok(())) => assert_eq!(slab.try_take(key), Ok(2)),
            other => panic!("{other:?}"),
        }
    });
}

/// Race: the entry is closed while its result is being moved in. The value ends in exactly one hand.
#[test]
fn close_meets_complete() {
    model(|| {
        let slab = Arc::new(Slab::new());
        let drops = Arc::new(AtomicUsize::new(0));
        let key = slab.open();
        let completer = {
            let (slab, drops) = (Arc::clone(&slab), Arc::clone(&drops));
            thread::spawn(move || {
                let result = slab.complete(key, Value { number: 7, drops });
                result.map_err(|refused| (refused.value.number, refused.error))
            })
        };
        let closer = {
            let slab = Arc::clone(&slab);
            thread::spawn(move || slab.close(key).map(|value| value.map(|value| value.number)))
        };
        match (completer.join().unwrap(), closer.join().unwrap()) {
            (Ok(()), Ok(Some(7))) | (Err((7, SlabError::Stale)), Ok(None)) => {}
            other => panic!("{other:?}"),
        }
        // Ordering: Relaxed: after joining.
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        assert!(slab.is_empty());
    });
}

/// Race: a taker registers and parks while the entry is closed.
#[test]
fn close_meets_take() {
    model(|| {
        let slab = Arc::new(Slab::<u32>::new());
        let key = slab.open();
        let taker = on_thread(&slab, move |slab| slab.take(key));
        let closer = on_thread(&slab, move |slab| slab.close(key));
        assert_eq!(taker.join().unwrap(), Err(SlabError::Stale));
        assert_eq!(closer.join().unwrap(), Ok(None));
    });
}

/// Race: three want what is ready, one of them by closing.
#[test]
fn close_meets_ready_take() {
    model(|| {
        let slab = Arc::new(Slab::new());
        let key = slab.open();
        slab.complete(key, 7).unwrap();
        let taker = on_thread(&slab, move |slab| slab.take(key));
        let closer = on_thread(&slab, move |slab| slab.close(key));
        match (taker.join().unwrap(), closer.join().unwrap()) {
            (Ok(7), Err(SlabError::Stale)) | (Err(SlabError::Stale), Ok(Some(7))) => {}
            other => panic!("{other:?}"),
        }
    });
}

/// Race: the entry is abandoned while a taker registers and parks.
#[test]
fn abandon_meets_take() {
    model(|| {
        let slab = Arc::new(Slab::<u32>::new());
        let key = slab.open();
        let taker = on_thread(&slab, move |slab| slab.take(key));
        let completer = on_thread(&slab, move |slab| slab.abandon(key));
        assert_eq!(taker.join().unwrap(), Err(SlabError::Dropped));
        assert_eq!(completer.join().unwrap(), Ok(()));
        assert!(slab.is_empty());
    });
}

/// Race: a future is dropped while the entry is completed, and its slot serves another future afterwards.
#[test]
fn dropped_future_meets_complete() {
    model(|| {
        let slab = Arc::new(Slab::new());
        let key = slab.open();
        let waiter = on_thread(&slab, move |slab| {
            let mut wait = Box::pin(slab.wait(key));
            match wait.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => {
                    drop(wait);
                    slab.take(key)
                }
                Poll::Ready(result) => result,
            }
        });
        let completer = on_thread(&slab, move |slab| slab.complete(key, 7).is_ok());
        assert_eq!(waiter.join().unwrap(), Ok(7));
        assert!(completer.join().unwrap());
        assert!(slab.is_empty());
    });
}

/// Race: a settled entry's waiters are found while the slot already serves the next entry and its waiter.
#[test]
fn waiters_of_two_lives() {
    model(|| {
        let slab = Arc::new(Slab::new());
        let old = slab.open();
        let completer = on_thread(&slab, move |slab| slab.complete(old, 1).is_ok());
        let taker = on_thread(&slab, move |slab| {
            let first = slab.take(old);
            let key = slab.open();
            let mut wait = Box::pin(slab.wait(key));
            let pending = wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
            slab.complete(key, 2).unwrap();
            (first, pending, slab.take(key))
        });
        assert!(completer.join().unwrap());
        assert_eq!(taker.join().unwrap(), (Ok(1), true, Ok(2)));
    });
}

/// A future that waits for `key` while `ends` and `reuses` run, which must be told, though the slot serves the next
/// entry by then, which begins without waiters.
fn told_though_the_slot_serves_again(ends: fn(&Slab<u32>, Key), reuses: fn(&Slab<u32>, Key)) {
    model(move || {
        let slab = Arc::new(Slab::new());
        let key = slab.open();
        let flag = std::sync::Arc::new(Flag(false.into()));
        let waker = Waker::from(std::sync::Arc::clone(&flag));
        let mut wait = pin!(slab.wait(key));
        assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let threads =
            [on_thread(&slab, move |slab| ends(slab, key)), on_thread(&slab, move |slab| reuses(slab, key))];
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        // Ordering: Relaxed: after joining.
        assert!(flag.0.load(Ordering::Relaxed), "the future was not woken");
    });
}

/// Race: the result is taken, and the slot opened again, before who completes has found the waiters.
#[test]
fn a_completed_entry_tells_its_waiters_before_it_can_be_taken() {
    let takes = |slab: &Slab<u32>, key| {
        assert_eq!(slab.take(key), Ok(1));
        slab.open();
    };
    told_though_the_slot_serves_again(|slab, key| slab.complete(key, 1).unwrap(), takes);
}

/// Race: the slot is opened again before who closes has found the waiters.
#[test]
fn a_closed_entry_tells_its_waiters_before_its_slot_is_free() {
    told_though_the_slot_serves_again(|slab, key| drop(slab.close(key)), |slab, _| drop(slab.open()));
}
