//! Who waits for whom: futures that give way, polls that block, `block_on`, channels between futures.
#![cfg(not(wyn_loom))]

mod common;
#[path = "common/future.rs"]
mod future;

use std::future::{poll_fn, ready};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{WORKERS, runtime, wait_until, watchdog};
use future::{Event, give_way};
use wyn_sched::{JoinHandle, Runtime, block_on, join, scope, spawn, spawn_future, yield_now};

/// Sets `over` when it goes, so that a test that fails ends.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_future_that_yields_starves_nobody() {
    let _dog = watchdog(60);
    for workers in [1, 2] {
        let (runtime, over) = (runtime(workers), Arc::new(AtomicBool::new(false)));
        let _over = Over(Arc::clone(&over));
        let turns: Arc<[AtomicUsize; 4]> = Arc::default();
        // Who had the last turn; how many in a row one has had while there were others.
        let (last, longest) = (Arc::new(AtomicUsize::new(9)), Arc::new(AtomicUsize::new(0)));
        let yielding = |i: usize| {
            let (turns, over) = (Arc::clone(&turns), Arc::clone(&over));
            let (last, longest) = (Arc::clone(&last), Arc::clone(&longest));
            runtime.spawn_future(async move {
                let mut in_a_row = 0;
                while !over.load(Ordering::SeqCst) {
                    turns[i].fetch_add(1, Ordering::SeqCst);
                    let is_again = last.swap(i, Ordering::SeqCst) == i;
                    in_a_row = if is_again { in_a_row + 1 } else { 0 };
                    if turns.iter().all(|turns| turns.load(Ordering::SeqCst) > 10) {
                        longest.fetch_max(in_a_row, Ordering::SeqCst);
                    }
                    give_way().await;
                }
            })
        };
        let handles: Vec<_> = (0..4).map(yielding).collect();
        let seen = || turns.iter().map(|turns| turns.load(Ordering::SeqCst)).collect::<Vec<_>>();
        wait_until("each has turns", || seen().iter().all(|&turns| turns > 1000));
        // This thread does not help. What it spawns lies in its own deque, which a worker must look at.
        let closure = runtime.spawn(|| spawn(|| 1).join().unwrap());
        wait_until("a closure has its turn", || closure.is_finished());
        let future = runtime.spawn_future(async {
            let (one, two) = (spawn_future(ready(1)), spawn_future(give_way()));
            two.await.unwrap();
            one.await.unwrap()
        });
        wait_until("a future has its turn", || future.is_finished());
        let longest = longest.load(Ordering::SeqCst);
        // With two workers, one of them may have one future, and the other lose its processor.
        assert!(workers > 1 || longest < 10, "one had {longest} turns in a row");
        over.store(true, Ordering::SeqCst);
        handles.into_iter().for_each(|handle| handle.join().unwrap());
    }
}

/// Two futures that wake each other as soon as the event has come.
fn ping_pong(runtime: &Runtime, event: &Event, over: &Arc<AtomicBool>) -> [JoinHandle<()>; 2] {
    let seats: Arc<[Mutex<Option<Waker>>; 2]> = Arc::default();
    [0, 1].map(|own| {
        let (seats, event, over) = (Arc::clone(&seats), event.clone(), Arc::clone(over));
        runtime.spawn_future(async move {
            event.wait().await;
            poll_fn(|cx| {
                *seats[own].lock().unwrap() = Some(cx.waker().clone());
                let other = seats[1 - own].lock().unwrap().take();
                other.into_iter().for_each(Waker::wake);
                if over.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        })
    })
}

#[test]
fn futures_that_wake_each_other_starve_nobody() {
    let _dog = watchdog(60);
    let (runtime, event, over) = (runtime(1), Event::default(), Arc::new(AtomicBool::new(false)));
    let _over = Over(Arc::clone(&over));
    let pair = ping_pong(&runtime, &event, &over);
    wait_until("both wait", || event.waiting() == 2);
    let (to, below) = channel();
    // On the one worker's deque: a task, and above it the pair.
    let starts = runtime.spawn(move || {
        spawn_future(async move { to.send(()).unwrap() }).detach();
        event.set();
    });
    wait_until("it has begun", || starts.is_finished());
    below.recv_timeout(Duration::from_secs(20)).expect("what lies below has its turn");
    over.store(true, Ordering::SeqCst);
    pair.into_iter().for_each(|handle| handle.join().unwrap());
}

#[test]
fn waits_inside_a_poll() {
    let _dog = watchdog(120);
    for workers in WORKERS {
        let runtime = runtime(workers);
        let handle = runtime.spawn_future(async {
            let (a, b) = join(|| 1, || spawn(|| 2).join().unwrap());
            give_way().await;
            let mut c = 0;
            scope(|scope| {
                scope.spawn_detached(|_| {
                    c = spawn_future(async {
                        give_way().await;
                        3
                    })
                    .join()
                    .unwrap();
                });
            });
            let d = block_on(async {
                give_way().await;
                spawn_future(ready(4)).await.unwrap()
            });
            yield_now();
            [a, b, c, d]
        });
        assert_eq!(handle.join().unwrap(), [1, 2, 3, 4]);
    }
}

/// The outer future waits in its poll, by blocking, for a task that was woken before: it must not be run on top, for it
/// waits in its own poll for the outer one.
#[cfg(feature = "channel")]
#[test]
fn a_woken_future_is_not_run_on_top_of_a_wait() {
    let _dog = watchdog(60);
    for workers in [1, 2] {
        let (runtime, event) = (runtime(workers), Event::default());
        let (to_below, below) = wyn_channel::bounded::<()>(1);
        let own = event.clone();
        let woken = runtime.spawn_future(async move {
            own.wait().await;
            below.recv().unwrap();
        });
        wait_until("it waits", || event.waiting() == 1);
        let outer = runtime.spawn_future(async move {
            // Now it is the newest task of this worker.
            event.set();
            // This wait would run it, if it could.
            let waited = spawn_future(async {
                give_way().await;
                give_way().await;
            });
            waited.join().unwrap();
            to_below.send(()).unwrap();
        });
        // This thread does not help: a worker is to do it.
        wait_until("both are done", || outer.is_finished() && woken.is_finished());
    }
}

#[test]
fn block_on_outside_and_inside() {
    let _dog = watchdog(60);
    let local = std::rc::Rc::new(String::from("local"));
    // Borrows, and cannot be sent.
    let text: &str = &local;
    assert_eq!(
        block_on(async {
            give_way().await;
            text.len() + std::rc::Rc::clone(&local).len()
        }),
        10
    );
    for workers in WORKERS {
        let runtime = runtime(workers);
        let inside = || wyn_sched::worker_count();
        assert_eq!(
            runtime.block_on(async {
                (inside(), spawn_future(async { wyn_sched::worker_count() }).await.unwrap())
            }),
            (workers, workers)
        );
        // On a worker, nested, and for what only another task can do.
        let event = Event::default();
        let own = event.clone();
        let handle = runtime.spawn(move || {
            let waiting = own.clone();
            let waiter = spawn_future(async move { waiting.wait().await });
            block_on(async {
                let setter = spawn_future(async move {
                    give_way().await;
                    own.set();
                });
                block_on(async {
                    give_way().await;
                    setter.await.unwrap();
                });
                waiter.await.unwrap();
            });
            wyn_sched::worker_count()
        });
        assert_eq!(handle.join().unwrap(), workers);
        let from_a_thread = Event::default();
        let own = from_a_thread.clone();
        let setter = thread::spawn(move || {
            wait_until("somebody waits", || own.waiting() == 1);
            own.set();
        });
        runtime.install(|| block_on(from_a_thread.wait()));
        setter.join().unwrap();
    }
    let panics = std::panic::catch_unwind(|| {
        block_on(async {
            give_way().await;
            panic!("out of it")
        })
    });
    assert_eq!(panics.unwrap_err().downcast_ref::<&str>(), Some(&"out of it"));
    assert_eq!(block_on(ready(1)), 1);
}

#[test]
fn a_thousand_tasks_that_block_on_on_one_worker() {
    let _dog = watchdog(120);
    let (runtime, event) = (runtime(1), Event::default());
    let handles: Vec<_> = (0..200)
        .map(|_| {
            let event = event.clone();
            runtime.spawn(move || block_on(event.wait()))
        })
        .collect();
    wait_until("all wait", || event.waiting() == 200);
    runtime.spawn(move || event.set()).join().unwrap();
    handles.into_iter().for_each(|handle| handle.join().unwrap());
}

#[cfg(feature = "channel")]
#[test]
fn a_pipeline_of_a_thousand_stages() {
    let _dog = watchdog(120);
    for workers in WORKERS {
        let runtime = runtime(workers);
        let (first, mut last) = wyn_channel::bounded::<u64>(1);
        let (stages, messages) = (1000, 100);
        let mut handles = Vec::new();
        for _ in 0..stages {
            let (sender, receiver) = wyn_channel::bounded(1);
            let source = std::mem::replace(&mut last, receiver);
            handles.push(runtime.spawn_future(async move {
                while let Ok(message) = source.recv_async().await {
                    sender.send_async(message + 1).await.unwrap();
                }
            }));
        }
        handles.push(runtime.spawn_future(async move {
            for message in 0..messages {
                first.send_async(message).await.unwrap();
            }
        }));
        let sum = runtime.spawn_future(async move {
            let mut sum = 0;
            while let Ok(message) = last.recv_async().await {
                sum += message;
            }
            sum
        });
        assert_eq!(sum.join().unwrap(), messages * (messages - 1) / 2 + messages * stages);
        handles.into_iter().for_each(|handle| handle.join().unwrap());
    }
}
