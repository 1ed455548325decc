//! The pair as async code uses it, with wakers of every kind of badness.
#![cfg(not(wyn_loom))]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread;
use std::time::Duration;

use common::{Drops, Flag, block_on, poll};
use wyn_future::{Dropped, TryTakeError, oneshot};

#[test]
fn ready_before_the_first_poll() {
    let (completer, promise) = oneshot();
    completer.complete(4).expect("the promise is there");
    assert_eq!(block_on(promise), Ok(4));
}

#[test]
fn completed_while_awaited() {
    let (completer, promise) = oneshot();
    let completing = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        completer.complete(4)
    });
    assert_eq!(block_on(async { promise.await.map(|n| n + 1) }), Ok(5));
    assert_eq!(completing.join().unwrap(), Ok(()));
}

#[test]
fn completer_dropped_while_awaited() {
    let (completer, promise) = oneshot::<u8>();
    let dropping = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        drop(completer);
    });
    assert_eq!(block_on(promise), Err(Dropped));
    dropping.join().unwrap();
}

#[test]
fn wakes_once() {
    let (flag, waker) = Flag::new();
    let (completer, mut promise) = oneshot();
    assert_eq!(poll(&mut promise, &waker), Poll::Pending);
    assert_eq!(poll(&mut promise, &waker), Poll::Pending);
    assert_eq!(flag.wakes(), 0);
    completer.complete(4).expect("the promise is there");
    assert_eq!(flag.wakes(), 1);
    assert_eq!(poll(&mut promise, &waker), Poll::Ready(Ok(4)));
    drop(waker);
    assert_eq!(Arc::strong_count(&flag), 1);
}

#[test]
fn last_waker_counts() {
    let ((old, old_waker), (new, new_waker)) = (Flag::new(), Flag::new());
    let (completer, mut promise) = oneshot();
    assert_eq!(poll(&mut promise, &old_waker), Poll::Pending);
    assert_eq!(poll(&mut promise, &new_waker), Poll::Pending);
    assert_eq!(Arc::strong_count(&old), 2, "the old waker is dropped at once");
    completer.complete(4).expect("the promise is there");
    assert_eq!((old.wakes(), new.wakes()), (0, 1));
    assert_eq!(promise.wait(), Ok(4));
}

#[test]
#[should_panic(expected = "the value was taken before")]
fn poll_after_ready() {
    let (_, waker) = Flag::new();
    let (completer, mut promise) = oneshot();
    completer.complete(4).expect("the promise is there");
    assert_eq!(poll(&mut promise, &waker), Poll::Ready(Ok(4)));
    let _ = poll(&mut promise, &waker);
}

#[test]
fn dropped_while_polled() {
    let drops = Drops::default();
    let (flag, waker) = Flag::new();
    let (completer, mut promise) = oneshot();
    assert!(poll(&mut promise, &waker).is_pending());
    drop(promise);
    assert_eq!(Arc::strong_count(&flag), 2, "the waker goes with the promise");
    assert!(completer.complete(drops.value()).is_err());
    assert_eq!((flag.wakes(), drops.count()), (0, 1));
}

#[test]
fn dropped_after_the_wake_up() {
    let drops = Drops::default();
    let (flag, waker) = Flag::new();
    let (completer, mut promise) = oneshot();
    assert!(poll(&mut promise, &waker).is_pending());
    assert!(completer.complete(drops.value()).is_ok());
    drop(promise);
    drop(waker);
    assert_eq!((flag.wakes(), drops.count(), Arc::strong_count(&flag)), (1, 1, 1));
}

#[test]
fn polled_then_tried_then_waited_for() {
    let (flag, waker) = Flag::new();
    let (completer, mut promise) = oneshot();
    assert_eq!(poll(&mut promise, &waker), Poll::Pending);
    assert_eq!(promise.try_take(), Err(TryTakeError::Pending));
    let mut promise = promise.wait_timeout(Duration::from_millis(1)).expect_err("nothing is there");
    assert_eq!(Arc::strong_count(&flag), 2, "a thread that waits has taken the task's place");
    assert_eq!(poll(&mut promise, &waker), Poll::Pending);
    completer.complete(4).expect("the promise is there");
    assert_eq!(flag.wakes(), 1);
    assert_eq!(promise.wait(), Ok(4));
}

#[test]
fn waker_that_completes_another() {
    struct Chain(std::sync::Mutex<Option<wyn_future::Completer<u8>>>);
    impl Wake for Chain {
        fn wake(self: Arc<Self>) {
            let completer = self.0.lock().unwrap().take().expect("woken once");
            completer.complete(2).expect("the second promise is there");
        }
    }
    let (second, second_promise) = oneshot();
    let waker = Waker::from(Arc::new(Chain(Some(second).into())));
    let (first, mut first_promise) = oneshot();
    assert!(poll(&mut first_promise, &waker).is_pending());
    first.complete(1).expect("the first promise is there");
    assert_eq!((first_promise.wait(), second_promise.wait()), (Ok(1), Ok(2)));
}

/// The waker owns the promise that it is registered with: waking drops the one, and so the other.
#[test]
fn waker_that_drops_the_promise() {
    struct Owner(std::sync::Mutex<Option<wyn_future::Promise<common::Counted>>>);
    impl Wake for Owner {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().unwrap().take());
        }
    }
    let drops = Drops::default();
    let (completer, mut promise) = oneshot();
    let owner = Arc::new(Owner(None.into()));
    assert!(poll(&mut promise, &Waker::from(owner.clone())).is_pending());
    *owner.0.lock().unwrap() = Some(promise);
    assert!(completer.complete(drops.value()).is_ok());
    assert_eq!((drops.count(), Arc::strong_count(&owner)), (1, 1));
}

/// Panics in `wake`, and is counted.
struct PanicsInWake;

impl Wake for PanicsInWake {
    fn wake(self: Arc<Self>) {
        panic!("on purpose: wake");
    }
}

#[test]
fn panic_in_wake_stays_there() {
    let bad = Arc::new(PanicsInWake);
    let (completer, mut promise) = oneshot();
    assert!(poll(&mut promise, &Waker::from(bad.clone())).is_pending());
    assert_eq!(completer.complete(4), Ok(()));
    assert_eq!(promise.try_take(), Ok(4));
    assert_eq!(Arc::strong_count(&bad), 1);
}

#[test]
fn panic_in_wake_during_a_panic_does_not_abort() {
    let (completer, mut promise) = oneshot::<u8>();
    assert!(poll(&mut promise, &Waker::from(Arc::new(PanicsInWake))).is_pending());
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _completer = completer;
        panic!("on purpose: the completer's owner");
    }));
    assert!(unwound.is_err());
    assert_eq!(promise.wait(), Err(Dropped));
}

struct PanicsInDrop;

impl Wake for PanicsInDrop {
    fn wake(self: Arc<Self>) {}
}

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("on purpose: drop");
    }
}

/// Polls with a waker whose last clone is held by the promise.
fn polled_with_a_bomb<T: Send>(promise: &mut wyn_future::Promise<T>) {
    let waker = Waker::from(Arc::new(PanicsInDrop));
    assert!(poll(promise, &waker).is_pending());
}

#[test]
fn panic_in_the_drop_of_a_waker_frees_the_cell() {
    let drops = Drops::default();
    // The promise goes first,
    let (completer, mut promise) = oneshot();
    polled_with_a_bomb(&mut promise);
    drop(promise);
    assert!(completer.complete(drops.value()).is_err());
    assert_eq!(drops.count(), 1);
    // the value is taken (the wake-up drops the waker),
    let (completer, mut promise) = oneshot();
    polled_with_a_bomb(&mut promise);
    assert!(completer.complete(drops.value()).is_ok());
    drop(promise.wait());
    assert_eq!(drops.count(), 2);
    // the waker is replaced.
    let (flag, waker) = Flag::new();
    let (completer, mut promise) = oneshot();
    polled_with_a_bomb(&mut promise);
    assert!(poll(&mut promise, &waker).is_pending());
    assert!(completer.complete(drops.value()).is_ok());
    assert_eq!(flag.wakes(), 1);
    drop(promise);
    assert_eq!(drops.count(), 3);
}

const PANICS_IN_CLONE: RawWakerVTable =
    RawWakerVTable::new(|_| panic!("on purpose: clone"), |_| {}, |_| {}, |_| {});

#[test]
fn panic_in_the_clone_of_a_waker_changes_nothing() {
    let raw = RawWaker::new(std::ptr::null(), &PANICS_IN_CLONE);
    // SAFETY: the functions of the table keep no memory.
    let bad = unsafe { Waker::from_raw(raw) };
    let (flag, good) = Flag::new();
    let (completer, mut promise) = oneshot();
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut promise, &bad))).is_err());
    assert_eq!(poll(&mut promise, &good), Poll::Pending);
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut promise, &bad))).is_err());
    completer.complete(4).expect("the promise is there");
    assert_eq!(flag.wakes(), 1, "the last waker that was registered is woken");
    assert_eq!(poll(&mut promise, &bad), Poll::Ready(Ok(4)));
}
