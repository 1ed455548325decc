//! Every interleaving of the pair: each value is dropped once, no waker leaks, nobody waits for ever.
#![cfg(wyn_loom)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use loom::cell::UnsafeCell;
use loom::thread;
use wyn_future::{Completer, Dropped, Promise, TryTakeError, oneshot};

/// A value whose memory loom watches, and whose drops are counted.
struct Value {
    number: UnsafeCell<u32>,
    drops: Arc<AtomicUsize>,
}

impl Value {
    fn new(drops: &Arc<AtomicUsize>) -> Self {
        let value = Self { number: UnsafeCell::new(0), drops: drops.clone() };
        // SAFETY: nobody else has it yet.
        value.number.with_mut(|n| unsafe { *n = 7 });
        value
    }

    fn check(self) {
        // SAFETY: the value has arrived, and with it the right to read it.
        assert_eq!(self.number.with(|n| unsafe { *n }), 7);
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

/// Lets a completer and a promise act on two threads, with a value that must be dropped once if it is made.
fn race(
    completer: impl Fn(Completer<Value>, Value) + Copy + Send + Sync + 'static,
    promise: impl Fn(Promise<Value>) + Copy + Send + Sync + 'static,
) {
    loom::model(move || {
        let drops = Arc::new(AtomicUsize::new(0));
        let (c, p) = oneshot();
        let for_completer = drops.clone();
        let completing = thread::spawn(move || completer(c, Value::new(&for_completer)));
        let waiting = thread::spawn(move || promise(p));
        completing.join().unwrap();
        waiting.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        assert_eq!(Arc::strong_count(&drops), 1);
    });
}

fn complete(completer: Completer<Value>, value: Value) {
    if let Err(back) = completer.complete(value) {
        back.check();
    }
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on(mut promise: Promise<Value>) -> Result<Value, Dropped> {
    let unpark = Arc::new(Unpark(thread::current()));
    let waker = Waker::from(unpark.clone());
    let out = loop {
        if let Poll::Ready(out) = std::pin::Pin::new(&mut promise).poll(&mut Context::from_waker(&waker)) {
            break out;
        }
        thread::park();
    };
    drop((promise, waker));
    assert_eq!(Arc::strong_count(&unpark), 1, "a waker leaked");
    out
}

#[test]
fn complete_against_wait() {
    race(complete, |promise| promise.wait().expect("it is completed").check());
}

#[test]
fn complete_against_await() {
    race(complete, |promise| block_on(promise).expect("it is completed").check());
}

#[test]
fn complete_against_drop() {
    race(complete, drop);
}

#[test]
fn complete_against_try_take_and_drop() {
    race(complete, |mut promise| match promise.try_take() {
        Ok(value) => {
            value.check();
            assert!(matches!(promise.try_take(), Err(TryTakeError::Taken)));
        }
        Err(error) => assert_eq!(error, TryTakeError::Pending),
    });
}

#[test]
fn drop_against_wait() {
    race(|completer, _| drop(completer), |promise| assert!(matches!(promise.wait(), Err(Dropped))));
}

#[test]
fn drop_against_await() {
    race(|completer, _| drop(completer), |promise| assert!(matches!(block_on(promise), Err(Dropped))));
}

#[test]
fn drop_against_drop() {
    race(|completer, _| drop(completer), drop);
}
