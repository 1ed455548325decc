//! The pair as threads use it.
#![cfg(not(wyn_loom))]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use common::Drops;
use wyn_future::{Dropped, TryTakeError, oneshot};

const SHORT: Duration = Duration::from_millis(20);

#[test]
fn completed_before_the_wait() {
    let (completer, promise) = oneshot();
    assert!(!promise.is_ready());
    assert_eq!(completer.complete(7), Ok(()));
    assert!(promise.is_ready());
    assert_eq!(promise.wait(), Ok(7));
}

#[test]
fn completed_during_the_wait() {
    let (completer, promise) = oneshot();
    let completing = thread::spawn(move || {
        thread::sleep(SHORT);
        completer.complete("late")
    });
    assert_eq!(promise.wait(), Ok("late"));
    assert_eq!(completing.join().unwrap(), Ok(()));
}

#[test]
fn dropped_completer() {
    let (completer, promise) = oneshot::<u8>();
    drop(completer);
    assert!(promise.is_ready());
    assert_eq!(promise.wait(), Err(Dropped));
}

#[test]
fn completer_dropped_during_the_wait() {
    let (completer, promise) = oneshot::<u8>();
    let dropping = thread::spawn(move || {
        thread::sleep(SHORT);
        drop(completer);
    });
    assert_eq!(promise.wait(), Err(Dropped));
    dropping.join().unwrap();
}

#[test]
fn completer_dropped_by_a_panic() {
    let (completer, promise) = oneshot::<u8>();
    let panicking = thread::spawn(move || {
        let _completer = completer;
        panic!("on purpose");
    });
    assert_eq!(promise.wait(), Err(Dropped));
    assert!(panicking.join().is_err());
}

#[test]
fn dropped_promise_gives_the_value_back() {
    let drops = Drops::default();
    let (completer, promise) = oneshot();
    drop(promise);
    let back = completer.complete(drops.value()).expect_err("nobody can take it");
    assert_eq!(drops.count(), 0);
    drop(back);
    assert_eq!(drops.count(), 1);
}

#[test]
fn both_dropped() {
    let (completer, promise) = oneshot::<String>();
    drop(promise);
    drop(completer);
    let (completer, promise) = oneshot::<String>();
    drop(completer);
    drop(promise);
}

#[test]
fn untaken_value_is_dropped_once() {
    let drops = Drops::default();
    let (completer, promise) = oneshot();
    completer.complete(drops.value()).expect("the promise is there");
    assert_eq!(drops.count(), 0);
    drop(promise);
    assert_eq!(drops.count(), 1);
}

#[test]
fn taken_value_is_dropped_by_who_took_it() {
    let drops = Drops::default();
    let (completer, mut promise) = oneshot();
    completer.complete(drops.value()).expect("the promise is there");
    let value = promise.try_take().expect("it is complete");
    drop(promise);
    assert_eq!(drops.count(), 0);
    drop(value);
    assert_eq!(drops.count(), 1);
}

#[test]
fn try_take_says_why_not() {
    let (completer, mut promise) = oneshot();
    assert_eq!(promise.try_take(), Err(TryTakeError::Pending));
    completer.complete(1).expect("the promise is there");
    assert_eq!(promise.try_take(), Ok(1));
    assert_eq!(promise.try_take(), Err(TryTakeError::Taken));
    assert_eq!(promise.try_take(), Err(TryTakeError::Taken));
    assert!(promise.is_ready());
}

#[test]
fn try_take_of_a_dropped_completer() {
    let (completer, mut promise) = oneshot::<u8>();
    drop(completer);
    assert_eq!(promise.try_take(), Err(TryTakeError::Dropped));
    assert_eq!(promise.try_take(), Err(TryTakeError::Dropped));
    assert_eq!(promise.wait(), Err(Dropped));
}

#[test]
#[should_panic(expected = "the value was taken before")]
fn wait_after_try_take() {
    let (completer, mut promise) = oneshot();
    completer.complete(1).expect("the promise is there");
    promise.try_take().expect("it is complete");
    let _ = promise.wait();
}

#[test]
#[should_panic(expected = "the value was taken before")]
fn wait_timeout_after_try_take() {
    let (completer, mut promise) = oneshot();
    completer.complete(1).expect("the promise is there");
    promise.try_take().expect("it is complete");
    let _ = promise.wait_timeout(Duration::ZERO);
}

#[test]
fn timeout_of_zero_only_looks() {
    let (completer, promise) = oneshot();
    let promise = promise.wait_timeout(Duration::ZERO).expect_err("nothing is there");
    completer.complete(3).expect("the promise is there");
    assert_eq!(promise.wait_timeout(Duration::ZERO).expect("it is complete"), Ok(3));
}

#[test]
fn timeout_passes_and_the_wait_goes_on() {
    let (completer, promise) = oneshot();
    let started = Instant::now();
    let promise = promise.wait_timeout(SHORT).expect_err("nothing is there");
    assert!(started.elapsed() >= SHORT);
    let promise = promise.wait_timeout(SHORT / 4).expect_err("nothing is there");
    completer.complete(3).expect("the promise is there");
    assert_eq!(promise.wait(), Ok(3));
}

#[test]
fn longest_timeout_is_none() {
    let (completer, promise) = oneshot();
    let completing = thread::spawn(move || {
        thread::sleep(SHORT);
        completer.complete(3)
    });
    assert_eq!(promise.wait_timeout(Duration::MAX).expect("there is no time limit"), Ok(3));
    assert_eq!(completing.join().unwrap(), Ok(()));
}

#[test]
fn stray_unparks_do_not_end_a_wait() {
    let (completer, promise) = oneshot();
    let waiting = thread::spawn(move || {
        thread::current().unpark();
        promise.wait()
    });
    for _ in 0..10 {
        waiting.thread().unpark();
        thread::sleep(SHORT / 10);
    }
    assert!(!waiting.is_finished());
    completer.complete(9).expect("the promise is there");
    assert_eq!(waiting.join().unwrap(), Ok(9));
}

#[test]
fn panic_in_the_drop_of_an_untaken_value() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    let (completer, promise) = oneshot();
    assert!(completer.complete(Bomb).is_ok());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(promise))).is_err());

    let (completer, promise) = oneshot();
    drop(promise);
    let back = completer.complete(Bomb);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(back))).is_err());
}

#[test]
fn nothing_at_all() {
    let (completer, promise) = oneshot();
    assert_eq!(completer.complete(()), Ok(()));
    assert_eq!(promise.wait(), Ok(()));
}

#[test]
fn over_aligned() {
    #[repr(align(256))]
    #[derive(Debug, PartialEq)]
    struct Aligned(u8);
    let (completer, promise) = oneshot();
    assert_eq!(completer.complete(Aligned(5)), Ok(()));
    let value = promise.wait().expect("it is complete");
    assert_eq!((&raw const value).addr() % 256, 0);
    assert_eq!(value, Aligned(5));
}

#[test]
fn large() {
    const BYTES: usize = 1 << 16;
    let (completer, promise) = oneshot();
    let completing = thread::spawn(move || completer.complete([7_u8; BYTES]).is_ok());
    assert!(promise.wait().expect("it is completed") == [7; BYTES]);
    assert!(completing.join().unwrap());
}

#[test]
fn debug_needs_no_debug() {
    struct Opaque;
    let (completer, promise) = oneshot::<Opaque>();
    assert_eq!(format!("{completer:?}"), "Completer { .. }");
    assert_eq!(format!("{promise:?}"), "Promise { ready: false, .. }");
    drop(completer);
    assert_eq!(format!("{promise:?}"), "Promise { ready: true, .. }");
}

#[test]
fn errors_have_words() {
    assert_eq!(Dropped.to_string(), "the completer was dropped without a result");
    assert_eq!(TryTakeError::Pending.to_string(), "the result is not there yet");
    assert_eq!(TryTakeError::Taken.to_string(), "the result has been taken before");
    assert_eq!(TryTakeError::Dropped.to_string(), Dropped.to_string());
}
