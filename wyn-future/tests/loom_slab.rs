//! Every interleaving of the slab's small races. Each model names the race it hunts.
//!
//! The tables of orderings in `src/slab/` name, for each of them, a model of this file that dies without it.
//! Under loom the first chunk has one slot, so that two entries already need a second chunk.
#![cfg(wyn_loom)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Wake, Waker};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
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

/// Race: stale keys are used while their slot serves the next entries.
#[test]
fn reuse_meets_stale_keys() {
    model(|| {
        let slab = Arc::new(Slab::new());
        let old = slab.open();
        slab.complete(old, 1).unwrap();
        let taker = on_thread(&slab, move |slab| slab.try_take(old));
        let reuser = on_thread(&slab, |slab| {
            let key = slab.open();
            slab.complete(key, 2).unwrap();
            (slab.try_take(key), slab.try_take(key))
        });
        assert_eq!(taker.join().unwrap(), Ok(1));
        assert_eq!(reuser.join().unwrap(), (Ok(2), Err(SlabError::Stale)));
        assert_eq!(slab.try_take(old), Err(SlabError::Stale));
        assert_eq!(slab.complete(old, 3).map_err(|refused| refused.error), Err(SlabError::Stale));
    });
}

/// Race: completing with a stale key while the slot is freed and opened again.
#[test]
fn reuse_meets_stale_complete() {
    model(|| {
        let slab = Arc::new(Slab::new());
        let old = slab.open();
        let late = on_thread(&slab, move |slab| slab.complete(old, 1).map_err(|refused| refused.error));
        let reuser = on_thread(&slab, move |slab| {
            let closed = slab.close(old).unwrap();
            let key = slab.open();
            let seen = slab.try_take(key);
            slab.complete(key, 2).unwrap();
            (closed, seen, slab.try_take(key))
        });
        let (closed, seen, taken) = reuser.join().unwrap();
        assert_eq!((seen, taken), (Err(SlabError::Pending), Ok(2)));
        match (late.join().unwrap(), closed) {
            (Ok(()), Some(1)) | (Err(SlabError::Stale), None) => {}
            other => panic!("{other:?}"),
        }
    });
}

/// Race: two open at once, where the second chunk may have to be added, and use what the other opened.
#[test]
fn two_open_at_once() {
    model(|| {
        let slab = Arc::new(Slab::new());
        let sent = Arc::new(AtomicU64::new(0));
        let opener = {
            let (slab, sent) = (Arc::clone(&slab), Arc::clone(&sent));
            thread::spawn(move || {
                let key = slab.open();
                // Ordering: Relaxed on purpose: the number arrives, nothing with it.
                sent.store(key.to_bits(), Ordering::Relaxed);
                key
            })
        };
        let other = on_thread(&slab, |slab| slab.open());
        // Ordering: Relaxed: as above.
        let early = Key::from_bits(sent.load(Ordering::Relaxed));
        let completed = early.is_some_and(|key| slab.complete(key, 7).is_ok());
        let (key, other) = (opener.join().unwrap(), other.join().unwrap());
        assert_ne!(key, other);
        assert_eq!(slab.try_take(key), if completed { Ok(7) } else { Err(SlabError::Pending) });
        assert_eq!(slab.try_take(other), Err(SlabError::Pending));
    });
}

/// Race: two open and close over and over: no slot is given to both, none is lost.
#[test]
fn free_list_churns() {
    model(|| {
        let slab = Arc::new(Slab::<u32>::new());
        let keys = [slab.open(), slab.open()];
        keys.iter().for_each(|&key| assert_eq!(slab.close(key), Ok(None)));
        let churn = |slab: &Slab<u32>| {
            let first = slab.open();
            slab.complete(first, 1).unwrap();
            assert_eq!(slab.try_take(first), Ok(1));
            let second = slab.open();
            slab.complete(second, 2).unwrap();
            assert_eq!(slab.try_take(second), Ok(2));
        };
        let threads = [on_thread(&slab, churn), on_thread(&slab, churn)];
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(slab.is_empty());
        assert_eq!(slab.capacity(), 3);
        let again = [slab.open(), slab.open()];
        assert_ne!(again[0], again[1]);
        assert_eq!(slab.capacity(), 3);
    });
}

/// Race: one pops two slots and gives the first back, while another is between its load and its exchange (ABA).
#[test]
fn free_list_withstands_aba() {
    model(|| {
        let slab = Arc::new(Slab::<u32>::new());
        let keys = [slab.open(), slab.open()];
        keys.iter().for_each(|&key| assert_eq!(slab.close(key), Ok(None)));
        let one = on_thread(&slab, |slab| slab.open());
        let two = on_thread(&slab, |slab| {
            let first = slab.open();
            let second = slab.open();
            slab.close(first).unwrap();
            second
        });
        let (one, two) = (one.join().unwrap(), two.join().unwrap());
        let three = slab.open();
        for key in [one, two, three] {
            slab.complete(key, 1).expect("each entry is its own");
        }
    });
}

/// Race: a slot's next life on other threads, which learn the key from a number that carries nothing with it.
#[test]
fn a_key_without_synchronisation() {
    model(|| {
        let slab = Arc::new(Slab::new());
        let sent = Arc::new(AtomicU64::new(0));
        let old = slab.open();
        slab.complete(old, 1).unwrap();
        let opener = {
            let (slab, sent) = (Arc::clone(&slab), Arc::clone(&sent));
            thread::spawn(move || {
                assert_eq!(slab.try_take(old), Ok(1));
                // Ordering: Relaxed on purpose: the number arrives, nothing with it.
                sent.store(slab.open().to_bits(), Ordering::Relaxed);
            })
        };
        let completer = on_thread(&slab, move |slab| {
            // Ordering: Relaxed: as above.
            let key = Key::from_bits(sent.load(Ordering::Relaxed));
            key.map(|key| (key, slab.complete(key, 2).is_ok()))
        });
        opener.join().unwrap();
        if let Some((key, completed)) = completer.join().unwrap() {
            assert!(completed);
            assert_eq!(slab.try_take(key), Ok(2));
        }
    });
}

/// Race: as above, with a waiter: it must not take the link of the free list for a chain of waiters.
#[test]
fn a_waiter_without_synchronisation() {
    model(|| {
        let slab = Arc::new(Slab::new());
        let sent = Arc::new(AtomicU64::new(0));
        let keys = [slab.open(), slab.open()];
        keys.iter().for_each(|&key| assert_eq!(slab.close(key), Ok(None)));
        let opener = {
            let (slab, sent) = (Arc::clone(&slab), Arc::clone(&sent));
            thread::spawn(move || {
                let key = slab.open();
                // Ordering: Relaxed on purpose: the number arrives, nothing with it.
                sent.store(key.to_bits(), Ordering::Relaxed);
                key
            })
        };
        let waiter = on_thread(&slab, move |slab| {
            // Ordering: Relaxed: as above.
            if let Some(key) = Key::from_bits(sent.load(Ordering::Relaxed)) {
                let mut wait = pin!(slab.wait(key));
                let _ = wait.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
        });
        let key = opener.join().unwrap();
        slab.complete(key, 7).unwrap();
        waiter.join().unwrap();
        let _ = slab.try_take(key);
        assert!(slab.is_empty());
    });
}

/// Race: as above, closing: the link it writes must win over the one that opening wrote.
#[test]
fn a_close_without_synchronisation() {
    model(|| {
        let slab = Arc::new(Slab::<u32>::new());
        let sent = Arc::new(AtomicU64::new(0));
        let keys = [slab.open(), slab.open()];
        keys.iter().for_each(|&key| assert_eq!(slab.close(key), Ok(None)));
        let opener = {
            let (slab, sent) = (Arc::clone(&slab), Arc::clone(&sent));
            // Ordering: Relaxed on purpose: the number arrives, nothing with it.
            thread::spawn(move || sent.store(slab.open().to_bits(), Ordering::Relaxed))
        };
        let closer = on_thread(&slab, move |slab| {
            // Ordering: Relaxed: as above.
            let key = Key::from_bits(sent.load(Ordering::Relaxed))?;
            // Without synchronisation the state may still look like that of the life before.
            slab.close(key).ok()?;
            let pair = (slab.open(), slab.open());
            assert_ne!(pair.0, pair.1);
            assert!(pair.0.to_bits() as u32 <= 1 && pair.1.to_bits() as u32 <= 1, "a slot got lost");
            Some(())
        });
        closer.join().unwrap();
        opener.join().unwrap();
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
