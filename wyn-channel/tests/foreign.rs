//! Code that is not ours, wherever it runs: it comes back, it panics, it does both. The table is in README.md, "Where
//! foreign code runs"; wakers have a file of their own, `wakers.rs`, and locals of dying threads are in `bad_input.rs`.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, RawWaker, RawWakerVTable, Waker};
use std::thread;

use common::{caught, explode, in_time, kinds, ms, poll_once, poll_with, settle};
use wyn_channel::{Receiver, Sender, Value, bounded, never, oneshot, select, unbounded};

/// What a piece of foreign code does, besides coming back.
const DEEDS: [(&str, bool, bool); 3] =
    [("comes back", true, false), ("panics", false, true), ("does both", true, true)];

/// A message expression does everything with its own channel that does not wait for itself.
fn come_back(s: &Sender<u32>, r: &Receiver<u32>) {
    let _ = (s.len(), s.is_full(), s.is_closed(), r.is_empty());
    let _ = r.try_recv();
    let _ = r.recv_timeout(ms(1));
    let _ = poll_once(Box::pin(r.recv_async()).as_mut());
    let _ = poll_once(Box::pin(s.send_async(1)).as_mut());
    let _ = s.try_send(2);
    let _ = s.send_timeout(3, ms(1));
    let _ = select! { recv(r) -> msg => msg.is_ok(), send(s, 4) -> res => res.is_ok(), default => false };
    drop((s.clone(), r.clone()));
}

#[test]
fn in_the_message_of_a_send_arm() {
    for (name, s, r) in kinds::<u32>().into_iter().chain([("ring of 2", bounded(2).0, never())]) {
        for (what, back, panics) in DEEDS {
            let (s, r) = if name == "ring of 2" { bounded(2) } else { (s.clone(), r.clone()) };
            let waits = s.capacity() == Some(0);
            let receiver = waits.then(|| {
                let r = r.clone();
                thread::spawn(move || r.recv_timeout(ms(1000)))
            });
            settle();
            let (s2, r2) = (s.clone(), r.clone());
            let outcome = in_time(name, move || {
                caught(|| {
                    select! {
                        send(s2, {
                            if back { come_back(&s2, &r2) }
                            if panics { explode() }
                            7
                        }) -> res => res.is_ok(),
                        recv(never::<u8>()) -> _ => unreachable!(),
                    }
                })
            });
            assert_eq!(outcome, (!panics).then_some(true), "{name}, {what}");
            let waited = receiver.map(|receiver| receiver.join().unwrap());
            let mut got: Vec<u32> = waited.into_iter().flatten().chain(r.try_iter()).collect();
            got.retain(|&n| n == 7);
            assert_eq!(got.len(), usize::from(!panics), "{name}, {what}: sent once, or not at all");
            if !waits {
                s.try_send(8).unwrap();
                assert_eq!(r.try_recv(), Ok(8), "{name}, {what}: the place is free again");
            }
        }
    }
}

/// The message drops the last receiver of its own channel.
#[test]
fn in_a_message_that_drops_the_other_end() {
    for cap in [1, 2, 5, usize::MAX] {
        for leaves in [false, true] {
            fn run(s: &Sender<u32>, r: Receiver<u32>, leaves: bool) -> Option<Result<(), u32>> {
                select! {
                    send(s, { drop(r); if leaves { None? } 1 }) -> res => Some(res.map_err(|e| e.into_inner())),
                }
            }
            let sent = in_time("the drop", move || {
                let (s, r) = bounded(cap);
                caught(|| run(&s, r, leaves))
            });
            // Who leaves an arm that was selected is told so by a panic, as with crossbeam.
            assert_eq!(sent, (!leaves).then_some(Some(Err(1))), "capacity {cap}");
        }
    }
}

/// The message waits for the other side of its own channel, or of the other arm's.
#[test]
fn in_a_message_that_needs_the_receiver_itself() {
    for (name, s, r) in kinds::<u32>() {
        let (quiet, silent) = (s.clone(), r.clone());
        let receives = thread::spawn(move || {
            let ends = [r, silent];
            let mut got = Vec::new();
            while got.len() < 2 {
                select! { recv(ends[0]) -> msg => got.extend(msg), recv(ends[1]) -> msg => got.extend(msg) }
            }
            got.sort_unstable();
            got
        });
        settle();
        // With one place, that is the one it holds.
        if s.capacity() != Some(1) {
            select! { send(s, { quiet.send(1).unwrap(); 2 }) -> res => res.unwrap() }
        } else {
            (1..=2).for_each(|n| quiet.send(n).unwrap());
        }
        assert_eq!(in_time(name, move || receives.join().unwrap()), [1, 2], "{name}");
    }
}

/// Comes back into its own channel when it is dropped, panics, or both; and counts.
struct Nasty {
    ends: Option<(Sender<Nasty>, Receiver<Nasty>)>,
    panics: bool,
    dropped: Arc<AtomicUsize>,
}

impl Drop for Nasty {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
        if let Some((s, r)) = &self.ends {
            let _ = (s.len(), r.is_empty(), s.close(), r.try_recv().is_ok());
        }
        if self.panics && !thread::panicking() {
            explode();
        }
    }
}

#[test]
fn in_destructors_of_messages() {
    for at in 0..kinds::<Nasty>().len() {
        for (what, back, panics) in DEEDS {
            let (name, s, r) = kinds::<Nasty>().swap_remove(at);
            let dropped = Arc::new(AtomicUsize::new(0));
            let nasty = || Nasty {
                ends: back.then(|| kinds::<Nasty>().swap_remove(at)).map(|_| (s.clone(), never())),
                panics,
                dropped: Arc::clone(&dropped),
            };
            let cap = s.capacity().unwrap_or(3).min(3);
            (0..cap).for_each(|_| s.try_send(nasty()).ok().unwrap());
            let mut send = (s.capacity() == Some(cap)).then(|| Box::pin(s.send_async(nasty())));
            if let Some(send) = &mut send {
                assert!(poll_once(send.as_mut()).is_pending());
            }
            let pending = usize::from(send.is_some());
            let _ = caught(|| drop(send));
            assert_eq!(dropped.load(Ordering::SeqCst), pending, "{name}, {what}: a send that is given up");
            if back && pending == 1 {
                // It has closed the channel.
                assert!(s.is_closed());
            }
            let unwinds = caught(|| drop(r)).is_none();
            assert_eq!(unwinds, panics && cap > 0, "{name}, {what}");
            assert_eq!(dropped.load(Ordering::SeqCst), cap + pending, "{name}, {what}: all of them");
            let _ = caught(|| drop(s.send(nasty())));
            assert_eq!(dropped.load(Ordering::SeqCst), cap + pending + 1, "{name}, {what}: given back");
        }
    }
}

#[test]
fn in_destructors_of_values_and_oneshots() {
    for (what, back, panics) in DEEDS {
        let (dropped, value) = (Arc::new(AtomicUsize::new(0)), Value::new(None));
        let own = value.clone();
        let nasty = || Nasty { ends: back.then(unbounded), panics, dropped: Arc::clone(&dropped) };
        struct Back<F: FnMut()>(F);
        impl<F: FnMut()> Drop for Back<F> {
            fn drop(&mut self) {
                (self.0)();
            }
        }
        let comes_back = move || {
            if back {
                assert!(own.with(Option::is_none) && own.replace(None).is_none());
            }
        };
        value.set(Some((Back(Box::new(comes_back) as Box<dyn FnMut() + Send>), nasty())));
        let unwinds = caught(|| value.set(None)).is_none();
        assert_eq!((unwinds, dropped.load(Ordering::SeqCst)), (panics, 1), "{what}");
        assert!(value.with(Option::is_none), "{what}: the value is the new one");

        let (s, r) = oneshot();
        assert!(s.send(nasty()).is_ok());
        assert_eq!(caught(|| drop(r)).is_none(), panics, "{what}");
        let (s, r) = oneshot();
        drop(r);
        assert_eq!(caught(|| drop(s.send(nasty()))).is_none(), panics, "{what}");
        assert_eq!(dropped.load(Ordering::SeqCst), 3, "{what}");
    }
}

/// Closures, conditions and clones run under the lock of the value: who comes back is told so, and nobody hangs.
#[test]
fn in_closures_of_values() {
    #[derive(Debug)]
    struct Copied(Option<Value<Copied>>);
    impl Clone for Copied {
        fn clone(&self) -> Self {
            self.0.as_ref().map_or(Self(None), Value::get)
        }
    }
    in_time("a closure", || {
        let told = |run: &dyn Fn()| {
            let said = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
            assert!(said.downcast_ref::<&str>().is_some_and(|said| said.contains("same value again")));
        };
        let value = Value::new(1);
        told(&|| value.update(|_| value.set(2)));
        told(&|| value.with(|_| _ = value.get()));
        told(&|| _ = value.wait_for(|_| value.get() == 1));
        told(&|| _ = value.wait_for_timeout(|_| value.fetch_add(1) == 1, ms(1)));
        told(&|| _ = poll_once(Box::pin(value.wait_for_async(|_| value.get() == 1)).as_mut()));
        let own = Value::new(Copied(None));
        own.set(Copied(Some(own.clone())));
        told(&|| drop(own.get()));
        told(&|| drop(own.wait_for(|_| true)));
        own.set(Copied(None));
        // A wait may be given up, another value be used.
        let other = Value::new(0);
        let mut wait = Some(Box::pin(value.wait_for_async(|_| false)));
        assert!(poll_once(wait.as_mut().unwrap().as_mut()).is_pending());
        value.update(|_| {
            other.set(5);
            wait = None;
        });
        assert_eq!((value.get(), other.get()), (1, 5), "and all are usable");
        assert!(caught(|| value.update(|_| explode())).is_none());
        assert_eq!(value.fetch_add(1), 1);
    });
}

/// A waker that cannot be cloned: the poll panics, and the future is as if it had not been polled.
#[test]
fn in_clones_of_wakers() {
    const BAD: RawWakerVTable = RawWakerVTable::new(|_| panic!("no clones"), |_| (), |_| (), |_| ());
    // SAFETY: the functions ignore the pointer.
    let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &BAD)) };
    for (name, s, r) in kinds() {
        let mut receive = Box::pin(r.recv_async());
        assert!(caught(|| poll_with(receive.as_mut(), &waker)).is_none());
        let mut other = Box::pin(r.recv_async());
        assert!(poll_once(other.as_mut()).is_pending());
        assert!(caught(|| poll_with(other.as_mut(), &waker)).is_none());
        s.try_send(1).unwrap();
        drop(receive);
        assert_eq!(poll_once(other.as_mut()), std::task::Poll::Ready(Ok(1)), "{name}");
    }
    let (s, mut r) = oneshot();
    let mut cx = Context::from_waker(&waker);
    assert!(caught(|| Pin::new(&mut r).poll(&mut cx)).is_none());
    assert!(poll_once(Pin::new(&mut r)).is_pending());
    s.send(2).unwrap();
    assert_eq!(r.try_recv(), Ok(2));
    let timer = wyn_channel::after(ms(1000));
    let mut receive = Box::pin(timer.recv_async());
    assert!(caught(|| poll_with(receive.as_mut(), &waker)).is_none());
    assert!(poll_once(receive.as_mut()).is_pending());
}
