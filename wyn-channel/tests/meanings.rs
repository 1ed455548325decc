//! One meaning at every capacity: what a pending future holds (nothing), whom a call goes to, and what a place held by
//! a select keeps from others (one place). Each test is a row of the table in README.md.

mod common;

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::thread;

use common::{Bell, Does, in_time, ms, poll_once, poll_with, settle};
use wyn_channel::{
    Receiver, RecvError, Select, Sender, TryRecvError, TrySendError, bounded, never, select, unbounded,
};

const CAPACITIES: [usize; 8] = [0, 1, 2, 3, 16, 1000, usize::MAX / 2, usize::MAX];

fn channel<T>(cap: usize) -> (Sender<T>, Receiver<T>) {
    if cap == usize::MAX { unbounded() } else { bounded(cap) }
}

fn each_capacity(test: impl Fn(usize)) {
    CAPACITIES.into_iter().for_each(test);
}

/// Those whose buffer can be filled.
fn each_limited(test: impl Fn(usize)) {
    CAPACITIES.into_iter().filter(|&cap| (1..=1000).contains(&cap)).for_each(test);
}

#[test]
fn a_pending_receive_hides_no_message_from_others() {
    each_capacity(|cap| {
        let (s, r) = channel(cap);
        let mut kept = Box::pin(r.recv_async());
        assert!(poll_once(kept.as_mut()).is_pending());
        s.try_send(1).unwrap();
        if cap > 0 {
            assert_eq!((r.len(), r.is_empty()), (1, false), "capacity {cap}");
        }
        assert_eq!(r.try_recv(), Ok(1), "capacity {cap}");
        assert!(poll_once(kept.as_mut()).is_pending(), "capacity {cap}: it looks again, in vain");
        s.try_send(2).unwrap();
        assert_eq!(poll_once(Box::pin(r.recv_async()).as_mut()), Poll::Ready(Ok(2)), "capacity {cap}");
        assert!(poll_once(kept.as_mut()).is_pending());
        s.try_send(3).unwrap();
        let got = select! { recv(r) -> msg => msg, default => Err(RecvError) };
        assert_eq!(got, Ok(3), "capacity {cap}");
        assert!(poll_once(kept.as_mut()).is_pending());
        s.try_send(4).unwrap();
        assert_eq!(poll_once(kept.as_mut()), Poll::Ready(Ok(4)), "capacity {cap}");
    });
}

#[test]
fn dropped_receives_keep_the_order() {
    each_capacity(|cap| {
        for first in [0, 1] {
            let (s, r) = channel(cap);
            let mut both = [Box::pin(r.recv_async()), Box::pin(r.recv_async())].map(Some);
            for receive in both.iter_mut().flatten() {
                assert!(poll_once(receive.as_mut()).is_pending());
            }
            s.try_send(1).unwrap();
            let second = s.try_send(2).is_ok();
            assert!(second || cap == 1);
            both[first] = None;
            both[1 - first] = None;
            let third = s.try_send(3).is_ok();
            assert!(third || cap <= 2);
            let expected = [(1, true), (2, second), (3, third)].into_iter().filter(|sent| sent.1);
            assert!(r.try_iter().eq(expected.map(|sent| sent.0)), "capacity {cap}");
        }
    });
}

#[test]
fn a_close_leaves_what_was_sent() {
    each_capacity(|cap| {
        let (s, r) = channel(cap);
        let mut kept = Box::pin(r.recv_async());
        assert!(poll_once(kept.as_mut()).is_pending());
        let waits = {
            let r = r.clone();
            thread::spawn(move || r.recv())
        };
        settle();
        s.send(1).unwrap();
        drop(s);
        let waited = in_time("a receive", move || waits.join().unwrap());
        let mut iter = r.iter();
        let looked = iter.next();
        assert_eq!(waited.ok().or(looked), Some(1), "capacity {cap}");
        assert_eq!((iter.next(), r.try_recv()), (None, Err(TryRecvError::Disconnected)), "capacity {cap}");
        drop(kept);
        assert_eq!(iter.next(), None, "capacity {cap}: fused");
    });
}

#[test]
fn a_called_receive_that_is_dropped_passes_the_call_on() {
    each_capacity(|cap| {
        let (s, r) = channel(cap);
        let mut first = Box::pin(r.recv_async());
        assert!(poll_once(first.as_mut()).is_pending());
        let bell = Bell::new();
        let mut second = Box::pin(r.recv_async());
        assert!(poll_with(second.as_mut(), &Waker::from(Arc::clone(&bell))).is_pending());
        s.send(1).unwrap();
        assert_eq!(bell.rung(), 0, "capacity {cap}: one message, one call");
        drop(first);
        assert_eq!(bell.rung(), 1, "capacity {cap}");
        assert_eq!(poll_once(second.as_mut()), Poll::Ready(Ok(1)), "capacity {cap}");
    });
}

#[test]
fn a_pending_send_holds_no_place() {
    each_limited(|cap| {
        let (s, r) = channel(cap);
        (0..cap).for_each(|n| s.send(n).unwrap());
        let mut kept = Box::pin(s.send_async(7777));
        assert!(poll_once(kept.as_mut()).is_pending());
        assert!(r.iter().take(cap).eq(0..cap));
        assert_eq!((s.len(), s.is_empty(), s.is_full()), (0, true, false), "capacity {cap}");
        (0..cap).for_each(|n| s.try_send(n).unwrap());
        assert_eq!(s.try_send(0), Err(TrySendError::Full(0)), "capacity {cap}");
        assert!(poll_once(kept.as_mut()).is_pending(), "capacity {cap}: it tries again, in vain");
        assert_eq!(r.try_recv(), Ok(0));
        assert_eq!(poll_once(kept.as_mut()), Poll::Ready(Ok(())), "capacity {cap}");
        assert_eq!(r.try_iter().last(), Some(7777));
        drop(kept);
        // Forgotten in its place: nothing is held for ever.
        (0..cap).for_each(|n| s.send(n).unwrap());
        let forgotten = Box::leak(Box::new((s.clone(), 0)));
        let mut kept = Box::pin(forgotten.0.send_async(1));
        assert!(poll_once(kept.as_mut()).is_pending());
        assert_eq!(r.try_iter().count(), cap);
        std::mem::forget(kept);
        (0..cap).for_each(|n| s.try_send(n).unwrap());
    });
}

#[test]
fn a_called_send_that_is_dropped_passes_the_call_on() {
    each_limited(|cap| {
        let (s, r) = channel(cap);
        (0..cap).for_each(|n| s.send(n).unwrap());
        let mut first = Box::pin(s.send_async(1));
        assert!(poll_once(first.as_mut()).is_pending());
        let waits = {
            let s = s.clone();
            thread::spawn(move || s.send(2))
        };
        settle();
        assert_eq!(r.try_recv(), Ok(0));
        drop(first);
        in_time("a send", move || waits.join().unwrap().unwrap());
        assert_eq!(r.try_iter().last(), Some(2), "capacity {cap}");
    });
}

/// Whoever is about to wait calls those at the other end who were left asleep behind a call that nobody heeds.
#[test]
fn kept_futures_leave_nobody_asleep() {
    each_limited(|cap| {
        let (s, r) = channel(cap);
        (0..cap).for_each(|n| s.send(n).unwrap());
        let mut kept: Vec<_> = (0..cap).map(|n| Box::pin(s.send_async(n))).collect();
        assert!(kept.iter_mut().all(|send| poll_once(send.as_mut()).is_pending()));
        let waits = {
            let s = s.clone();
            thread::spawn(move || s.send(7777))
        };
        settle();
        let all = r.clone();
        let last = in_time("a receive", move || all.iter().take(cap + 1).last());
        assert_eq!(last, Some(7777), "capacity {cap}");
        in_time("a send", move || waits.join().unwrap().unwrap());
    });
    each_limited(|cap| {
        let (s, r) = channel(cap);
        let mut kept: Vec<_> = (0..cap).map(|_| Box::pin(r.recv_async())).collect();
        assert!(kept.iter_mut().all(|receive| poll_once(receive.as_mut()).is_pending()));
        let waits = {
            let r = r.clone();
            thread::spawn(move || r.recv())
        };
        settle();
        let fills = s.clone();
        in_time("a send", move || (0..=cap).for_each(|n| fills.send(n).unwrap()));
        assert_eq!(in_time("a receive", move || waits.join().unwrap()), Ok(0), "capacity {cap}");
    });
}

/// A place that a select holds is one place less for senders, and nothing at all to receivers.
#[test]
fn a_held_place_is_passed() {
    each_capacity(|cap| {
        let (s, r) = channel::<usize>(cap);
        let mut receive = Box::pin(r.recv_async());
        let is_rendezvous = cap == 0;
        if is_rendezvous {
            assert!(poll_once(receive.as_mut()).is_pending());
        }
        let mut select = Select::new();
        select.send(&s);
        let held = select.try_select().unwrap();
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty), "capacity {cap}");
        assert!(r.recv_timeout(ms(1)).is_err(), "capacity {cap}");
        assert!(poll_once(receive.as_mut()).is_pending(), "capacity {cap}");
        if cap <= 1 {
            assert!(select.try_select().is_err(), "capacity {cap}: the only place");
        }
        // Others go round and round past it.
        for n in 0..if cap > 1 { 2 * cap.min(1000) } else { 0 } {
            s.try_send(n).unwrap();
            assert_eq!(r.try_recv(), Ok(n), "capacity {cap}");
            if n == cap / 2 {
                assert!(poll_once(receive.as_mut()).is_pending(), "capacity {cap}");
            }
        }
        let room = if (2..=1000).contains(&cap) { cap - 1 } else { 0 };
        (0..room).for_each(|n| s.try_send(n).unwrap());
        if (1..=1000).contains(&cap) {
            assert_eq!(s.try_send(7), Err(TrySendError::Full(7)), "capacity {cap}");
        }
        assert!(r.try_iter().eq(0..room), "capacity {cap}");
        drop(receive);
        held.send(&s, 7777).unwrap();
        assert_eq!(r.try_recv(), Ok(7777), "capacity {cap}: not lost");
        let again = if is_rendezvous { 0 } else { cap.min(1000) };
        (0..again).for_each(|n| s.try_send(n).unwrap());
        assert!(r.try_iter().eq(0..again), "capacity {cap}: every place is there again");
    });
}

/// As above, given back instead of used.
#[test]
fn a_held_place_that_was_passed_is_given_back() {
    each_limited(|cap| {
        for laps in 0..3 {
            let (s, r) = channel::<usize>(cap);
            let held: Vec<_> = (0..cap.min(3))
                .map(|_| {
                    let mut select = Select::new();
                    select.send(&s);
                    select.try_select().unwrap()
                })
                .collect();
            for n in 0..if cap > held.len() { laps * cap } else { 0 } {
                s.try_send(n).unwrap();
                assert_eq!(r.try_recv(), Ok(n));
            }
            assert!(r.try_recv().is_err());
            for held in held {
                let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(held)));
                assert!(panics.is_err());
            }
            (0..cap).for_each(|n| s.try_send(n).unwrap());
            assert!(s.try_send(0).is_err(), "capacity {cap}");
            assert!(r.try_iter().eq(0..cap), "capacity {cap}, {laps} laps");
        }
    });
}

#[test]
fn a_held_place_does_not_outlive_the_receivers() {
    each_capacity(|cap| {
        for laps in 0..3 {
            let (s, r) = channel::<usize>(cap);
            let mut receive = Box::pin(r.recv_async());
            let mut select = Select::new();
            select.send(&s);
            let held = if cap == 0 {
                assert!(poll_once(receive.as_mut()).is_pending());
                select.try_select().unwrap()
            } else {
                select.try_select().unwrap()
            };
            for n in 0..if cap > 1 { laps * cap.min(1000) } else { 0 } {
                s.try_send(n).unwrap();
                assert_eq!(r.try_recv(), Ok(n));
            }
            drop(receive);
            drop(r);
            assert_eq!(held.send(&s, 1).map_err(|e| e.into_inner()), Err(1), "capacity {cap}");
        }
    });
}

/// A receiver that leaves while the select makes its message leaves it to the next one.
#[test]
fn a_message_that_comes_too_late_waits() {
    let (s, r) = bounded(0);
    let sender = thread::spawn(move || {
        select! {
            send(s, { thread::sleep(ms(150)); 1 }) -> res => res.is_ok(),
            recv(never::<()>()) -> _ => false,
        }
    });
    settle();
    assert!(r.recv_timeout(ms(20)).is_err(), "in time, and with nothing");
    assert_eq!(r.recv(), Ok(1));
    assert!(sender.join().unwrap());
}

/// A waker that receives inline, in the middle of the send that woke it.
#[test]
fn a_waker_may_receive_the_message_itself() {
    each_capacity(|cap| {
        let (s, r) = channel(cap);
        let (own, kept) = (r.clone(), r.clone());
        let (taken, got) = unbounded();
        let waker = Does::waker(move || taken.send(own.try_recv()).unwrap());
        let mut receive = Box::pin(kept.recv_async());
        assert!(poll_with(receive.as_mut(), &waker).is_pending());
        s.send(5).unwrap();
        assert_eq!(got.try_recv(), Ok(Ok(5)), "capacity {cap}");
        assert!(poll_once(receive.as_mut()).is_pending());
    });
}
