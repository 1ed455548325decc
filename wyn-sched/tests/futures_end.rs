//! How the task of a future ends before its future is done: cancelled by its handle, or with its runtime.
#![cfg(not(wyn_loom))]

mod common;
#[path = "common/future.rs"]
mod future;

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{Counter, Gate, WORKERS, runtime, wait_until, watchdog};
use future::{Event, Sends, give_way};
use wyn_sched::{JoinHandle, spawn, spawn_future};

#[test]
fn cancelled_before_during_and_after_a_poll() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let (runtime, counter) = (runtime(workers), Counter::default());
        // Before: no worker is free.
        let (gate, busy) = (Gate::default(), Arc::new(AtomicUsize::new(0)));
        for _ in 0..workers {
            let (gate, busy) = (gate.clone(), Arc::clone(&busy));
            runtime.spawn_detached(move || {
                busy.fetch_add(1, Ordering::SeqCst);
                gate.wait();
            });
        }
        wait_until("all are busy", || busy.load(Ordering::SeqCst) == workers);
        let (token, polled) = (counter.token(), Arc::new(AtomicBool::new(false)));
        let seen = Arc::clone(&polled);
        let before = runtime.spawn_future(async move {
            seen.store(true, Ordering::SeqCst);
            token
        });
        before.cancel();
        before.cancel();
        gate.open();
        assert!(before.join().map(drop).unwrap_err().is_cancelled());
        assert!(!polled.load(Ordering::SeqCst));

        // During: the poll ends, and is the last.
        let (inside, go, token) = (Gate::default(), Gate::default(), counter.token());
        let (enter, leave) = (inside.clone(), go.clone());
        let polls = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&polls);
        let during = runtime.spawn_future(poll_fn::<(), _>(move |_| {
            let _keep = &token;
            seen.fetch_add(1, Ordering::SeqCst);
            enter.open();
            leave.wait();
            Poll::Pending
        }));
        inside.wait();
        during.cancel();
        go.open();
        let error = during.join().unwrap_err();
        assert!(error.is_cancelled() && error.to_string().contains("cancelled"), "{error}");
        assert_eq!(polls.load(Ordering::SeqCst), 1);

        // Suspended: nobody has woken it.
        let (token, event) = (counter.token(), Event::default());
        let own = event.clone();
        let suspended = runtime.spawn_future(async move {
            own.wait().await;
            token
        });
        wait_until("it waits", || event.waiting() == 1);
        suspended.cancel();
        assert!(suspended.join().map(drop).unwrap_err().is_cancelled());
        event.set();

        // After: it is done.
        let token = counter.token();
        let after = runtime.spawn_future(async move { token });
        wait_until("finished", || after.is_finished());
        after.cancel();
        drop(after.join().unwrap());
        assert_eq!((counter.made(), counter.dropped()), (4, 4));
    }
    // A closure is not concerned.
    let closure = spawn(|| 5);
    closure.cancel();
    assert_eq!(closure.join().unwrap(), 5);
}

#[test]
fn a_waker_may_outlive_its_task_and_the_runtime() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let (runtime, counter) = (runtime(workers), Counter::default());
        let (to, wakers) = channel();
        let suspended = runtime.spawn_future({
            let (to, token) = (to.clone(), counter.token());
            async move {
                let _token = token;
                Sends { to, polls: u64::MAX }.await
            }
        });
        let done = runtime.spawn_future(Sends { to, polls: 1 });
        let (a, b) = (wakers.recv().unwrap(), wakers.recv().unwrap());
        // One of them is woken to no end, the other is done.
        a.wake_by_ref();
        b.wake_by_ref();
        done.join().unwrap();
        let third = wakers.recv().unwrap();
        drop(runtime);
        assert!(suspended.join().unwrap_err().is_cancelled());
        assert_eq!(counter.dropped(), 1);
        for waker in [&a, &b, &third] {
            waker.wake_by_ref();
            let another = waker.clone();
            another.wake();
        }
        thread::spawn(move || (a.wake(), drop(b))).join().unwrap();
        third.wake();
    }
}

#[test]
fn a_runtime_that_ends_drops_what_is_suspended() {
    let _dog = watchdog(120);
    for (workers, by_shutdown) in WORKERS.into_iter().flat_map(|workers| [(workers, false), (workers, true)])
    {
        let (runtime, counter, event) = (runtime(workers), Counter::default(), Event::default());
        let handles: Vec<JoinHandle<()>> = (0..100)
            .map(|_| {
                let (event, token) = (event.clone(), counter.token());
                runtime.spawn_future(async move {
                    let _token = token;
                    event.wait().await;
                })
            })
            .collect();
        wait_until("all wait", || event.waiting() == 100);
        assert_eq!(counter.dropped(), 0);
        // One of their drops wakes all the others.
        let (all, own) = (event.clone(), event.clone());
        let wakes = runtime.spawn_future(async move {
            let _wakes = WakesAll(all);
            own.wait().await;
        });
        wait_until("it waits", || event.waiting() == 101);
        if by_shutdown {
            runtime.shutdown(Duration::from_secs(60)).unwrap();
        } else {
            drop(runtime);
        }
        assert_eq!(counter.dropped(), 100);
        assert!(handles.into_iter().all(|handle| handle.join().unwrap_err().is_cancelled()));
        assert!(wakes.join().unwrap_err().is_cancelled());
    }
}

struct WakesAll(Event);

impl Drop for WakesAll {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[test]
fn a_runtime_that_is_dropped_by_its_own_future() {
    let _dog = watchdog(60);
    let (counter, event) = (Counter::default(), Event::default());
    let runtime = runtime(2);
    let (token, own) = (counter.token(), event.clone());
    let suspended = runtime.spawn_future(async move {
        own.wait().await;
        drop(token);
    });
    wait_until("it waits", || event.waiting() == 1);
    let shared = Arc::new(Mutex::new(Some(runtime)));
    let own = Arc::clone(&shared);
    let last = shared.lock().unwrap().as_ref().unwrap().spawn_future(async move {
        give_way().await;
        drop(own.lock().unwrap().take());
    });
    last.join().unwrap();
    assert!(suspended.join().unwrap_err().is_cancelled());
    assert_eq!(counter.dropped(), 1);
}

/// A runtime that ends in the middle of a pipeline: each drop closes a channel, which wakes the next.
#[cfg(feature = "channel")]
#[test]
fn a_long_chain_is_dropped_without_recursion() {
    let _dog = watchdog(120);
    let runtime = runtime(1);
    let (first, mut last) = wyn_channel::bounded::<u64>(1);
    let counter = Counter::default();
    for _ in 0..20_000 {
        let (sender, receiver) = wyn_channel::bounded(1);
        let (source, token) = (std::mem::replace(&mut last, receiver), counter.token());
        drop(runtime.spawn_future(async move {
            let _token = token;
            while let Ok(message) = source.recv_async().await {
                if sender.send_async(message).await.is_err() {
                    break;
                }
            }
        }));
    }
    runtime.spawn_future(async move { (pending::<()>().await, first) }).detach();
    drop(runtime);
    assert_eq!(counter.dropped(), 20_000);
    drop(last);
}

#[test]
fn stress_futures_of_all_kinds() {
    let _dog = watchdog(120);
    let end = Instant::now() + Duration::from_secs(2);
    let mut round = 0_usize;
    while Instant::now() < end {
        let workers = WORKERS[round % WORKERS.len()];
        round += 1;
        let (runtime, counter) = (runtime(workers), Counter::default());
        let (to, wakers) = channel::<Waker>();
        let waking = thread::spawn(move || wakers.into_iter().for_each(Waker::wake));
        let handles: Vec<_> = (0..200_usize)
            .map(|i| {
                let (token, to) = (counter.token(), to.clone());
                runtime.spawn_future(async move {
                    let _token = token;
                    match i % 5 {
                        0 => give_way().await,
                        1 => drop(Sends { to, polls: 3 }.await),
                        2 => drop(spawn_future(give_way()).await),
                        3 => drop(spawn(|| 1).await),
                        _ => pending().await,
                    }
                })
            })
            .collect();
        drop(to);
        for (i, handle) in handles.into_iter().enumerate() {
            match i % 7 {
                0 => handle.cancel(),
                1 => drop(handle),
                2 => drop(handle.join_timeout(Duration::from_micros(50))),
                _ if i % 5 == 4 => handle.cancel(),
                _ => handle.join().unwrap(),
            }
        }
        if round.is_multiple_of(2) {
            drop(runtime);
        } else {
            runtime.shutdown(Duration::from_secs(60)).unwrap();
        }
        assert_eq!((counter.made(), counter.dropped()), (200, 200));
        waking.join().unwrap();
    }
}
