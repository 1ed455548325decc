//! Wakers that panic, that carry what panics when it is dropped, that come back into the channel, and that do both:
//! the operation that woke them goes on, and everybody else who is due is woken.

mod common;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use common::{Bell, DEEDS, Does, explode, in_time, kinds, misdeed, ms, poll_once, poll_with, settle};
use wyn_channel::{Value, bounded, oneshot};

#[test]
fn a_close_reaches_everybody() {
    for at in 0..kinds::<u8>().len() {
        for deed in 0..DEEDS {
            let (name, s, r) = kinds::<u8>().swap_remove(at);
            let own = r.clone();
            let again = {
                let (s, r) = (s.clone(), r.clone());
                move || assert!(r.try_recv().is_err() && s.try_send(1).is_err() && !s.close())
            };
            let (what, waker) = misdeed(deed, again);
            let mut first = Box::pin(own.recv_async());
            assert!(poll_with(first.as_mut(), &waker).is_pending());
            drop(waker);
            let behind: Vec<_> = (0..2)
                .map(|_| {
                    let r = r.clone();
                    thread::spawn(move || r.recv().is_err())
                })
                .collect();
            let bell = Bell::new();
            let mut last = Box::pin(r.recv_async());
            settle();
            assert!(poll_with(last.as_mut(), &Waker::from(Arc::clone(&bell))).is_pending());
            assert!(s.close(), "{name}, {what}");
            assert_eq!(bell.rung(), 1, "{name}, {what}: the task behind it");
            in_time(name, move || behind.into_iter().for_each(|thread| assert!(thread.join().unwrap())));
            assert!(poll_once(last.as_mut()).is_ready() && poll_once(first.as_mut()).is_ready());
        }
    }
}

#[test]
fn a_send_is_done_whatever_the_waker_does() {
    for at in 0..kinds::<u8>().len() {
        for deed in 0..DEEDS {
            let (name, s, r) = kinds::<u8>().swap_remove(at);
            let (back, got) = (r.clone(), Arc::new(AtomicUsize::new(0)));
            let count = Arc::clone(&got);
            let again = move || {
                count.fetch_add(back.try_iter().count(), Ordering::SeqCst);
            };
            let (what, waker) = misdeed(deed, again);
            let mut receive = Box::pin(r.recv_async());
            assert!(poll_with(receive.as_mut(), &waker).is_pending());
            drop(waker);
            assert_eq!(s.send(1), Ok(()), "{name}, {what}");
            let polled = usize::from(poll_once(receive.as_mut()).is_ready());
            assert_eq!(polled + got.load(Ordering::SeqCst), 1, "{name}, {what}: received once");
        }
    }
}

/// A receive whose sender's waker misbehaves keeps its message.
#[test]
fn a_receive_is_done_whatever_the_waker_does() {
    for cap in [0, 1, 2, 5] {
        for deed in 0..DEEDS {
            let (s, r) = bounded(cap);
            (0..cap).for_each(|n| s.send(n).unwrap());
            let other = s.clone();
            let (what, waker) = misdeed(deed, move || assert!(!other.is_closed()));
            let mut send = Box::pin(s.send_async(cap));
            assert!(poll_with(send.as_mut(), &waker).is_pending());
            drop(waker);
            let first = r.recv();
            assert_eq!(first, Ok(0), "capacity {cap}, {what}");
            assert!(poll_once(send.as_mut()).is_ready(), "capacity {cap}, {what}");
            assert!(r.try_iter().eq(1..=cap), "capacity {cap}, {what}");
        }
    }
}

/// A sender that was called for room publishes its message, which runs a waker. Whatever that does, even if it sends
/// and so waits for room itself, the next sender is called.
#[test]
fn a_called_sender_passes_the_call_on() {
    for blocks in [false, true] {
        let (s, r) = bounded::<u32>(2);
        (0..2).for_each(|n| s.send(n).unwrap());
        let senders: Vec<_> = (0..4)
            .map(|n| {
                let s = s.clone();
                let sender = thread::spawn(move || s.send(10 + n));
                settle();
                sender
            })
            .collect();
        let inline = s.clone();
        let waker = Does::waker(move || {
            if blocks {
                let _ = inline.send_timeout(1000, Duration::from_secs(20));
            }
            explode();
        });
        let mut drains = Box::pin(async {
            loop {
                r.recv_async().await.unwrap();
            }
        });
        let _ = poll_with(Pin::new(&mut drains), &waker);
        settle();
        drop(drains);
        let drained = r.clone();
        let got = in_time("the drain", move || {
            let mut got = 0;
            while drained.recv_timeout(ms(500)).is_ok() {
                got += 1;
            }
            got
        });
        assert!(got <= 5);
        in_time("a sender", move || senders.into_iter().for_each(|sender| sender.join().unwrap().unwrap()));
    }
}

#[test]
fn values_and_oneshots_wake_everybody() {
    for deed in 0..DEEDS {
        let value = Value::new(0);
        let own = value.clone();
        let (what, waker) = misdeed(deed, move || assert_eq!(own.get(), 1));
        let mut first = Box::pin(value.wait_for_async(|&v| v == 1));
        assert!(poll_with(first.as_mut(), &waker).is_pending());
        drop(waker);
        let behind = {
            let value = value.clone();
            thread::spawn(move || value.wait_for(|&v| v == 1))
        };
        settle();
        value.set(1);
        assert_eq!(in_time(what, move || behind.join().unwrap()), 1);

        let (s, mut r) = oneshot();
        let (what, waker) = misdeed(deed, || ());
        assert!(poll_with(Pin::new(&mut r), &waker).is_pending());
        drop(waker);
        assert_eq!(s.send(1), Ok(()), "{what}");
        assert!(poll_once(Pin::new(&mut r)).is_ready());
    }
}

#[test]
fn a_oneshot_that_was_polled_and_dropped_keeps_no_waker() {
    let (s, mut r) = oneshot::<u8>();
    let bell = Bell::new();
    let waker = Waker::from(Arc::clone(&bell));
    assert!(poll_with(Pin::new(&mut r), &waker).is_pending());
    drop((r, waker));
    assert_eq!(Arc::strong_count(&bell), 1, "gone with the receiver");
    assert!(s.is_closed());
    // The waker owns the sender, which goes in the middle of the receiver's drop.
    let (s, mut r) = oneshot::<u8>();
    let waker = Does::waker_and_drop(move || assert!(!s.is_closed()), explode);
    assert!(poll_with(Pin::new(&mut r), &waker).is_pending());
    drop(waker);
    drop(r);
}
