//! Futures as tasks: what their handles say, who wakes them, and that each is dropped once.
#![cfg(not(wyn_loom))]

mod common;
#[path = "common/future.rs"]
mod future;

use std::future::{Future, pending, poll_fn, ready};
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{Counter, Token, WORKERS, runtime, wait_until, watchdog};
use future::{Event, Sends, give_way};
use wyn_sched::{Runtime, spawn, spawn_future};

#[test]
fn results_of_futures_that_are_done_at_once_and_later() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        assert_eq!(runtime.spawn_future(ready(7)).join().unwrap(), 7);
        assert_eq!(
            runtime
                .spawn_future(async {
                    give_way().await;
                    8
                })
                .join()
                .unwrap(),
            8
        );
        let late = runtime.spawn_future(async {
            let parts: Vec<_> = (0..100_u64)
                .map(|i| {
                    spawn_future(async move {
                        give_way().await;
                        i
                    })
                })
                .collect();
            let mut sum = 0;
            for part in parts {
                sum += part.await.unwrap();
            }
            sum
        });
        assert_eq!(late.join().unwrap(), 4950);
        let handle = runtime.spawn_future(async {
            give_way().await;
            9
        });
        wait_until("finished", || handle.is_finished());
        assert_eq!(handle.try_join().unwrap().unwrap(), 9);
    }
    assert_eq!(spawn_future(async { spawn(|| 1).await.unwrap() }).join_blocking().unwrap(), 1);
}

#[test]
fn handles_of_a_suspended_future() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let (runtime, event) = (runtime(workers), Event::default());
        let own = event.clone();
        let handle = runtime.spawn_future(async move { own.wait().await });
        wait_until("it waits", || event.waiting() == 1);
        assert!(!handle.is_finished());
        let handle = handle.try_join().unwrap_err();
        let handle = handle.join_timeout(Duration::from_millis(2)).unwrap_err();
        event.set();
        handle.join_timeout(Duration::from_secs(60)).unwrap().unwrap();
        // Nobody has the handle any more.
        let (event, counter) = (Event::default(), Counter::default());
        let (own, token) = (event.clone(), counter.token());
        runtime
            .spawn_future(async move {
                own.wait().await;
                token
            })
            .detach();
        wait_until("it waits", || event.waiting() == 1);
        assert_eq!(counter.dropped(), 0);
        event.set();
        wait_until("it is dropped", || counter.dropped() == 1);
    }
}

#[test]
fn a_panic_is_what_the_handle_reports() {
    let _dog = watchdog(60);
    let counter = Counter::default();
    for workers in WORKERS {
        let runtime = runtime(workers);
        let token = counter.token();
        let line = line!() + 1;
        let handle = runtime.spawn_future(async move {
            give_way().await;
            let _token = token;
            panic!("in a poll")
        });
        let error = handle.join().map(|()| 0).unwrap_err();
        assert_eq!(error.panic_message(), Some("in a poll"));
        assert_eq!(error.spawned_at().map(|at| at.line()), Some(line));
    }
    assert_eq!(counter.made(), counter.dropped());
    // To the handler, if nobody will ask.
    let (sender, receiver) = channel();
    let sender = Mutex::new(sender);
    let tell = move |error: wyn_sched::JoinError| sender.lock().unwrap().send(error.to_string()).unwrap();
    let runtime = Runtime::builder().workers(2).panic_handler(tell).build().unwrap();
    let event = Event::default();
    let own = event.clone();
    drop(runtime.spawn_future(async move {
        own.wait().await;
        panic!("unheard")
    }));
    wait_until("it waits", || event.waiting() == 1);
    event.set();
    // A handle that was dropped may still be on its way.
    drop(runtime);
    assert!(receiver.recv().unwrap().ends_with("panicked: unheard"));
}

/// Panics when it is dropped.
struct Bomb(Option<Token>);

impl Drop for Bomb {
    fn drop(&mut self) {
        drop(self.0.take());
        panic!("in a drop");
    }
}

/// Done at once; panics when it is dropped.
struct DoneWithBomb(#[allow(dead_code, reason = "for its drop")] Bomb, Option<Token>);

impl Future for DoneWithBomb {
    type Output = Token;

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Token> {
        Poll::Ready(self.1.take().unwrap())
    }
}

#[test]
fn a_panic_in_the_drop_of_a_future() {
    let _dog = watchdog(60);
    let (runtime, counter) = (runtime(2), Counter::default());
    let done = DoneWithBomb(Bomb(Some(counter.token())), Some(counter.token()));
    let error = runtime.spawn_future(done).join().map(drop).unwrap_err();
    assert_eq!(error.panic_message(), Some("in a drop"));
    // A second panic, after that of the poll; one while it is cancelled: both go no further.
    let bomb = Bomb(Some(counter.token()));
    let polled = runtime.spawn_future(poll_fn::<(), _>(move |_| {
        let _keep = &bomb;
        panic!("first")
    }));
    assert_eq!(polled.join().unwrap_err().panic_message(), Some("first"));
    let bomb = Bomb(Some(counter.token()));
    let cancelled = runtime.spawn_future(poll_fn::<(), _>(move |_| {
        let _keep = &bomb;
        Poll::Pending
    }));
    cancelled.cancel();
    assert!(cancelled.join().unwrap_err().is_cancelled());
    assert_eq!((counter.made(), counter.dropped()), (4, 4));
    assert_eq!(runtime.spawn(|| 1).join().unwrap(), 1);
}

#[test]
fn wakers_are_called_by_a_plain_thread_many_times() {
    let _dog = watchdog(120);
    for workers in WORKERS {
        let (runtime, polls) = (runtime(workers), 2000);
        let (to, wakers) = channel::<Waker>();
        let waking = thread::spawn(move || {
            for waker in wakers {
                // More often than it helps, in every way.
                waker.wake_by_ref();
                let another = waker.clone();
                another.wake();
                waker.wake();
            }
        });
        let handles: Vec<_> = (0..8).map(|_| runtime.spawn_future(Sends { to: to.clone(), polls })).collect();
        drop(to);
        assert!(handles.into_iter().all(|handle| handle.join().unwrap() == "over"));
        waking.join().unwrap();
    }
}

/// Of a given size, in the future and in the result.
fn sized<const N: usize>(runtime: &Runtime, counter: &Counter) {
    let bytes: [u8; N] = std::array::from_fn(|i| u8::try_from(i % 251).unwrap());
    let task = |token: Token| async move {
        let kept = bytes;
        give_way().await;
        assert!(kept == bytes);
        (kept, token)
    };
    let (result, token) = runtime.spawn_future(task(counter.token())).join().unwrap();
    assert!(result == bytes);
    drop(token);
    drop(runtime.spawn_future(task(counter.token())));
    let plain = runtime.spawn_future(async move { bytes });
    wait_until("finished", || plain.is_finished());
    drop(plain);
    drop(runtime.spawn_future(async move {
        give_way().await;
        bytes
    }));
    let cancelled = runtime.spawn_future(async move { (pending::<()>().await, bytes) });
    cancelled.cancel();
    assert!(cancelled.join().unwrap_err().is_cancelled());
}

#[repr(align(128))]
struct Aligned(u8);

#[test]
fn futures_of_every_size_are_dropped_once() {
    let _dog = watchdog(60);
    let (runtime, counter) = (runtime(2), Counter::default());
    sized::<0>(&runtime, &counter);
    sized::<1>(&runtime, &counter);
    sized::<16>(&runtime, &counter);
    sized::<40>(&runtime, &counter);
    sized::<90>(&runtime, &counter);
    sized::<192>(&runtime, &counter);
    sized::<208>(&runtime, &counter);
    sized::<209>(&runtime, &counter);
    sized::<240>(&runtime, &counter);
    sized::<4096>(&runtime, &counter);
    let aligned = runtime.spawn_future(async {
        let kept = Aligned(3);
        give_way().await;
        assert!((&raw const kept).is_aligned());
        kept
    });
    assert_eq!(aligned.join().unwrap().0, 3);
    drop(runtime);
    assert_eq!((counter.made(), counter.dropped()), (20, 20));
}
