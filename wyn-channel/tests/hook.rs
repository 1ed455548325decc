//! The hook: who meets it, when, and what it is told.

mod common;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use common::ms;
use wyn_channel::hook::{self, AlreadySet, Hook, Wait, What};
use wyn_channel::{Select, Value, after, bounded, never, oneshot, unbounded};

/// Notes what it is asked for, and parks; on request it returns at once, or does other work first.
struct Notes {
    asked: Mutex<Vec<(ThreadId, What)>>,
    /// Waits of threads that did not opt in.
    told: Mutex<Vec<(ThreadId, What)>>,
    returns_early: AtomicUsize,
    /// Whether a thread that `HOLDS` may go on.
    released: AtomicBool,
}

static NOTES: Notes = Notes {
    asked: Mutex::new(Vec::new()),
    told: Mutex::new(Vec::new()),
    returns_early: AtomicUsize::new(0),
    released: AtomicBool::new(false),
};

impl Hook for Notes {
    fn block(&self, wait: &Wait<'_>) {
        self.asked.lock().unwrap().push((thread::current().id(), wait.what()));
        if ENDS.get() && wait.may_end() {
            wait.end_with(Box::new("ended"));
            assert!(wait.is_over() && !wait.is_decided());
            return;
        }
        if self.returns_early.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            return;
        }
        while !wait.is_over() {
            assert!(!wait.is_decided());
            wait.park();
        }
        while HOLDS.get() && !NOTES.released.load(Ordering::SeqCst) {
            thread::yield_now();
        }
    }

    fn block_outside(&self, wait: &Wait<'_>) {
        let here = thread::current().id();
        if !self.told.lock().unwrap().iter().any(|note| note.0 == here) {
            // Another thread may look. Nobody serves the wait before it is noted.
            let probe = wait.probe();
            thread::scope(|threads| {
                assert_eq!(threads.spawn(|| probe.is_decided()).join().ok(), Some(false));
            });
            self.told.lock().unwrap().push((here, wait.what()));
        }
        wait.park();
    }
}

thread_local! {
    /// Whether the waits of this thread are ended.
    static ENDS: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread has other work to do when its wait is over.
    static HOLDS: Cell<bool> = const { Cell::new(false) };
}

fn asked_here() -> Vec<What> {
    let here = thread::current().id();
    NOTES.asked.lock().unwrap().iter().filter(|note| note.0 == here).map(|note| note.1).collect()
}

/// Waits again until the hook is asked: on a busy machine the looks before that may take all the time there is.
fn until_asked(before: usize, wait: &dyn Fn()) {
    for _ in 0..100 {
        wait();
        if asked_here().len() > before {
            return;
        }
    }
    panic!("the hook was never asked");
}

fn set() {
    // All tests of this file share the process when they are run by libtest.
    match hook::set(&NOTES) {
        Ok(()) | Err(AlreadySet) => {}
    }
    assert_eq!(hook::set(&NOTES), Err(AlreadySet));
}

#[test]
fn only_threads_that_opted_in_meet_it() {
    set();
    let (_s, r) = bounded::<u8>(1);
    assert!(r.recv_timeout(ms(10)).is_err());
    assert_eq!(asked_here(), []);
    let in_all = hook::opt_in();
    {
        let _out = hook::opt_out();
        assert!(r.recv_timeout(ms(10)).is_err());
        assert_eq!(asked_here(), []);
    }
    until_asked(0, &|| assert!(r.recv_timeout(ms(10)).is_err()));
    assert!(matches!(asked_here()[..], [What::Recv { .. }, ..]));
    drop(in_all);
    let before = asked_here().len();
    assert!(r.recv_timeout(ms(10)).is_err());
    assert_eq!(asked_here().len(), before);
}

#[test]
fn it_is_told_of_the_waits_of_others() {
    set();
    let (_s, r) = bounded::<u8>(1);
    let here = thread::current().id();
    let told = || NOTES.told.lock().unwrap().iter().filter(|note| note.0 == here).count();
    for _ in 0..100 {
        assert!(r.recv_timeout(ms(10)).is_err());
        if told() > 0 {
            break;
        }
    }
    assert!(told() > 0, "the hook was never told");
    assert_eq!(asked_here(), []);
}

#[test]
fn every_kind_of_wait_asks() {
    set();
    let _in = hook::opt_in();
    let kind = |wait: &dyn Fn()| {
        let before = asked_here().len();
        until_asked(before, wait);
        let asked = asked_here()[before..].to_vec();
        assert!(asked.iter().all(|what| *what == asked[0]));
        assert!(!asked[0].to_string().is_empty());
        asked[0]
    };
    let (full, rest) = bounded(1);
    full.send(()).unwrap();
    let (meets, _nobody) = bounded(0);
    let (_quiet, empty) = unbounded::<u8>();
    let value = Value::new(0);
    let sends = kind(&|| assert!(full.send_timeout((), ms(5)).is_err()));
    assert!(matches!(sends, What::Send { .. }));
    assert!(matches!(kind(&|| assert!(meets.send_timeout((), ms(5)).is_err())), What::Send { .. }));
    assert!(matches!(kind(&|| assert!(empty.recv_timeout(ms(5)).is_err())), What::Recv { .. }));
    assert_eq!(kind(&|| assert!(never::<u8>().recv_timeout(ms(5)).is_err())), What::Time);
    assert_eq!(kind(&|| assert!(after(ms(5)).recv().is_ok())), What::Time);
    let waits = kind(&|| assert!(value.wait_for_timeout(|&v| v == 1, ms(5)).is_none()));
    assert!(matches!(waits, What::Value { .. }));
    let one = kind(&|| {
        let (_s, mut r) = oneshot::<u8>();
        assert!(r.recv_timeout(ms(5)).is_err());
    });
    assert!(matches!(one, What::Oneshot { .. }));
    let select = kind(&|| {
        let mut select = Select::new();
        select.recv(&empty);
        select.send(&meets);
        assert!(select.select_timeout(ms(5)).is_err());
    });
    assert_eq!(select, What::Select { arms: 2 });
    drop(rest);
}

#[test]
fn nothing_is_asked_when_nothing_blocks() {
    set();
    let _in = hook::opt_in();
    let (s, r) = bounded(2);
    (0..100).for_each(|n| assert!(s.send(n).is_ok() && r.recv() == Ok(n)));
    assert_eq!(asked_here(), []);
}

#[test]
fn a_hook_that_returns_early_is_called_again() {
    set();
    let sender = {
        let (s, r) = bounded(0);
        let receiver = thread::spawn(move || {
            let _in = hook::opt_in();
            NOTES.returns_early.store(3, Ordering::SeqCst);
            let got = r.recv();
            (got, asked_here().len())
        });
        let id = receiver.thread().id();
        while NOTES.asked.lock().unwrap().iter().filter(|note| note.0 == id).count() < 3 {
            thread::yield_now();
        }
        s.send(7).unwrap();
        receiver
    };
    let (got, asked) = sender.join().unwrap();
    assert_eq!(got, Ok(7));
    assert!(asked >= 3);
}

#[test]
fn a_sender_with_other_work_holds_nobody_up() {
    set();
    let (s, r) = bounded(2);
    (1..=2).for_each(|n| s.send(n).unwrap());
    let noted = |notes: &Mutex<Vec<(ThreadId, What)>>, id| {
        while !notes.lock().unwrap().iter().any(|note| note.0 == id) {
            thread::yield_now();
        }
    };
    let s2 = s.clone();
    let busy = thread::spawn(move || {
        let _in = hook::opt_in();
        HOLDS.set(true);
        s2.send(3)
    });
    noted(&NOTES.asked, busy.thread().id());
    let plain = thread::spawn(move || s.send(4));
    noted(&NOTES.told, plain.thread().id());
    assert_eq!((r.recv(), r.recv()), (Ok(1), Ok(2)));
    // Room for both; the first one was called, and does something else.
    plain.join().unwrap().unwrap();
    NOTES.released.store(true, Ordering::SeqCst);
    busy.join().unwrap().unwrap();
    assert_eq!((r.recv(), r.recv()), (Ok(4), Ok(3)));
}

#[test]
fn a_deadline_ends_the_wait() {
    set();
    let _in = hook::opt_in();
    let (_s, r) = bounded::<u8>(0);
    let start = Instant::now();
    assert!(r.recv_timeout(ms(20)).is_err());
    assert!((ms(20)..Duration::from_secs(5)).contains(&start.elapsed()));
}

/// What the call unwinds with.
fn ended<R>(call: impl FnOnce() -> R) -> Option<&'static str> {
    ENDS.set(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    ENDS.set(false);
    result.err().map(|reason| *reason.downcast::<&'static str>().unwrap())
}

#[test]
fn a_wait_can_be_ended() {
    set();
    let _in = hook::opt_in();
    for capacity in [0, 1, 64] {
        let (s, r) = bounded::<Arc<()>>(capacity);
        assert_eq!(ended(|| r.recv()), Some("ended"));
        let message = Arc::new(());
        (0..capacity).for_each(|_| s.send(Arc::clone(&message)).unwrap());
        assert_eq!(ended(|| s.send(Arc::clone(&message))), Some("ended"));
        assert_eq!(Arc::strong_count(&message), 1 + capacity, "the message has gone");
        // Nobody stands in a list any more, and the channel goes on.
        (0..capacity).for_each(|_| drop(r.recv().unwrap()));
        assert_eq!((Arc::strong_count(&message), r.len()), (1, 0));
        assert!(s.try_send(Arc::clone(&message)).is_ok() == (capacity > 0));
        assert!(r.try_recv().is_ok() == (capacity > 0));
        thread::scope(|threads| {
            threads.spawn(|| s.send(Arc::clone(&message)).unwrap());
            r.recv().unwrap();
        });
    }
    let (s, r) = oneshot::<u8>();
    assert_eq!(ended(|| r.recv()), Some("ended"));
    assert!(s.send(1).is_err());
    assert_eq!(ended(|| Value::new(0).wait_for(|&n| n > 0)), Some("ended"));
}

#[test]
fn a_select_can_be_ended() {
    set();
    let _in = hook::opt_in();
    for capacity in [0, 1] {
        let (empty, full) = (bounded::<u8>(capacity), bounded::<u8>(capacity));
        (0..capacity).for_each(|_| full.0.send(1).unwrap());
        let make = || {
            let mut select = Select::new();
            select.recv(&empty.1);
            select.send(&full.0);
            select
        };
        assert_eq!(ended(|| make().select().index()), Some("ended"));
        assert_eq!(ended(|| make().ready()), Some("ended"));
        let never = || wyn_channel::select! { recv(empty.1) -> _ => {} };
        assert_eq!(ended(never), Some("ended"));
        thread::scope(|threads| {
            threads.spawn(|| empty.0.send(7).unwrap());
            let mut select = make();
            let operation = select.select();
            assert_eq!(operation.recv(&empty.1), Ok(7));
        });
    }
}

/// What ends by itself is not ended; nor is what waits in the middle of a panic, where that would end the process.
#[test]
fn some_waits_cannot_be_ended() {
    struct Waits<'a>(&'a wyn_channel::Receiver<u8>);

    impl Drop for Waits<'_> {
        fn drop(&mut self) {
            assert_eq!(self.0.recv(), Ok(1));
        }
    }

    set();
    let _in = hook::opt_in();
    let (s, r) = bounded::<u8>(1);
    assert_eq!(ended(|| r.recv_timeout(ms(20)).unwrap_err()), None);
    assert_eq!(ended(|| after(ms(20)).recv().unwrap()), None);
    // Beyond the clock's range: to its caller, time is up.
    assert_eq!(ended(|| assert!(r.recv_timeout(Duration::MAX).unwrap_err().is_timeout())), None);
    thread::scope(|threads| {
        threads.spawn(|| {
            thread::sleep(ms(50));
            s.send(1).unwrap();
        });
        let panics = || {
            let _waits = Waits(&r);
            std::panic::resume_unwind(Box::new("first"));
        };
        assert_eq!(ended(panics), Some("first"));
    });
}
