//! The free list, the chunks, and keys that outlive their entries or arrive as bare numbers.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use wyn_future::{Key, Slab, SlabError};

use super::{model, on_thread};

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
            assert!(
                pair.0.to_bits() & 0xffff_ffff <= 1 && pair.1.to_bits() & 0xffff_ffff <= 1,
                "a slot got lost"
            );
            Some(())
        });
        closer.join().unwrap();
        opener.join().unwrap();
    });
}
