//! Capacities, payloads, durations and destructors that nobody should use.

mod common;

use std::cell::RefCell;
use std::marker::PhantomPinned;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{buffered, kinds, ms};
use wyn_channel::{
    Receiver, Sender, TryRecvError, Value, after, at, bounded, oneshot, select, tick, unbounded,
};

#[test]
fn huge_capacities() {
    for cap in [usize::MAX, usize::MAX - 1, isize::MAX as usize, 1 << 40, (1 << 24) + 1] {
        let (s, r) = bounded(cap);
        (0..1000_u64).for_each(|n| s.send(n).unwrap());
        assert!(r.try_iter().eq(0..1000));
        assert!(!s.is_full() && s.is_empty());
        assert!(r.capacity().is_none_or(|held| held == cap));
    }
    let (s, r) = bounded::<()>(usize::MAX);
    s.send(()).unwrap();
    assert_eq!(r.recv(), Ok(()));
}

#[test]
fn nothing_and_very_much() {
    for (name, s, r) in kinds() {
        let receiver = thread::spawn(move || r.iter().count());
        (0..100).for_each(|_| s.send(()).unwrap());
        drop(s);
        assert_eq!(receiver.join().unwrap(), 100, "{name}");
    }
    for (name, s, r) in kinds() {
        let receiver =
            thread::spawn(move || r.iter().map(|page: [u8; 10_000]| u64::from(page[9_999])).sum::<u64>());
        (0..10).for_each(|n| s.send([n; 10_000]).unwrap());
        drop(s);
        assert_eq!(receiver.join().unwrap(), 45, "{name}");
    }
    for (name, s, r) in buffered() {
        #[derive(Debug, PartialEq)]
        #[repr(align(256))]
        struct Aligned(u8);
        s.send(Aligned(3)).unwrap();
        select! {
            recv(r) -> msg => assert_eq!(msg, Ok(Aligned(3)), "{name}"),
            default => panic!("{name}: there is one"),
        }
    }
}

#[test]
fn payloads_that_must_not_be_pinned_elsewhere() {
    for (name, s, r) in buffered() {
        s.send((5, PhantomPinned)).unwrap();
        assert_eq!(common::block_on(r.recv_async()).unwrap().0, 5, "{name}");
    }
}

#[test]
fn years_and_no_time_at_all() {
    let years = Duration::from_secs(1 << 40);
    for (name, s, r) in kinds() {
        let receiver = {
            let r = r.clone();
            thread::spawn(move || (r.recv_timeout(Duration::MAX), r.recv_timeout(years)))
        };
        s.send_timeout(1, years).unwrap();
        s.send_timeout(2, Duration::MAX).unwrap();
        assert_eq!(receiver.join().unwrap(), (Ok(1), Ok(2)), "{name}");
        let start = Instant::now();
        assert!(r.recv_timeout(Duration::ZERO).is_err());
        assert!(start.elapsed() < Duration::from_secs(5));
    }
    assert_eq!(after(Duration::MAX).try_recv(), Err(TryRecvError::Empty));
    assert_eq!(tick(Duration::MAX).try_recv(), Err(TryRecvError::Empty));
    assert!(after(Duration::ZERO).recv().is_ok());
    let past = Instant::now();
    assert_eq!(at(past).recv(), Ok(past));
    let (_s, r) = unbounded::<u8>();
    select! {
        recv(r) -> _ => panic!("empty"),
        recv(after(Duration::MAX)) -> _ => panic!("too early"),
        default(Duration::ZERO) => {}
    }
}

#[test]
fn a_tick_without_a_pause() {
    let ticks = tick(Duration::ZERO);
    (0..100).for_each(|_| assert!(ticks.recv().is_ok()));
    assert!(ticks.is_full() && ticks.len() == 1);
    let rare = tick(ms(10));
    let other = rare.clone();
    assert!(rare.same_channel(&other) && !rare.same_channel(&ticks));
    let first = rare.recv().unwrap();
    assert!(other.recv().unwrap() >= first + ms(10), "clones share the ticks");
    assert_eq!((rare.capacity(), rare.is_closed(), rare.close()), (Some(1), false, false));
}

/// Panics when it is dropped, if told so, and counts.
struct Grenade(bool, Arc<AtomicUsize>);

impl Drop for Grenade {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::SeqCst);
        assert!(!self.0, "boom");
    }
}

#[test]
fn destructors_that_panic_keep_no_other_from_running() {
    for (name, s, r) in buffered() {
        let cap = s.capacity().unwrap_or(10).min(10);
        let dropped = Arc::new(AtomicUsize::new(0));
        (0..cap).for_each(|n| s.send(Grenade(n % 2 == 0, dropped.clone())).ok().unwrap());
        let panicked = catch_unwind(AssertUnwindSafe(|| drop(r))).is_err();
        assert!(panicked, "{name}: the first panic goes on");
        assert_eq!(dropped.load(Ordering::SeqCst), cap, "{name}");
        assert!(s.send(Grenade(false, dropped)).is_err(), "{name}: the channel is still one");
    }
    for (name, s, r) in buffered() {
        let dropped = Arc::new(AtomicUsize::new(0));
        s.send(Grenade(true, dropped.clone())).ok().unwrap();
        let unwinds = catch_unwind(AssertUnwindSafe(move || {
            let _r = r;
            panic!("first");
        }));
        assert!(unwinds.is_err());
        assert_eq!(dropped.load(Ordering::SeqCst), 1, "{name}: not a second panic");
    }
}

#[test]
fn a_panic_in_clone() {
    struct Bad;
    impl Clone for Bad {
        fn clone(&self) -> Self {
            panic!("no copies")
        }
    }
    let value = Value::new(Bad);
    assert!(catch_unwind(AssertUnwindSafe(|| value.get())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| value.wait_for(|_| true))).is_err());
    value.set(Bad);
    assert_eq!(value.with(|_| 1), 1);
}

/// A thread at its end, whose other locals may be gone: every operation that has an account there goes on without.
#[test]
fn in_destructors_of_locals() {
    struct Late(Receiver<u8>, Sender<u8>);
    impl Drop for Late {
        fn drop(&mut self) {
            let Self(from, to) = self;
            let mut sum = from.recv().unwrap_or(0) + common::block_on(from.recv_async()).unwrap_or(0);
            select! {
                recv(from) -> msg => sum += msg.unwrap_or(0),
                recv(from) -> msg => sum += msg.unwrap_or(0),
            }
            to.send(sum).unwrap();
        }
    }
    thread_local! {
        static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
    }
    for (name, s, r) in kinds() {
        let (answers, answer) = bounded(0);
        let ends = thread::spawn(move || {
            // The thread's own account is made after this local, and so goes before it.
            LATE.set(Some(Late(r, answers)));
            let (own, other) = bounded(1);
            own.send(1).unwrap();
            select! { recv(other) -> msg => assert_eq!(msg, Ok(1)), default => unreachable!() }
        });
        (1..=3).for_each(|n| s.send(n).unwrap());
        assert_eq!(answer.recv(), Ok(6), "{name}");
        ends.join().unwrap();
    }
}

#[test]
fn many_channels() {
    let mut ends = Vec::new();
    for n in 0..10_000 {
        let (s, r) = bounded(n % 3);
        let _ = s.try_send(n);
        ends.push((s, r, Value::new(n), oneshot::<u8>()));
    }
    assert_eq!(ends.iter().map(|end| end.1.len()).sum::<usize>(), 6666);
}
