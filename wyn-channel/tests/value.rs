//! `Value`: reading, changing, waiting.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{Bell, block_on, ms, poll_once, settle};
use wyn_channel::Value;

#[test]
fn reading_and_changing() {
    let value = Value::new(1_u8);
    let same = value.clone();
    assert!(value.same_value(&same) && !value.same_value(&Value::new(1)));
    same.set(2);
    assert_eq!((value.get(), value.with(|v| v + 1)), (2, 3));
    assert_eq!(value.replace(255), 2);
    assert_eq!((value.fetch_add(2), value.get()), (255, 1));
    assert_eq!((value.fetch_sub(2), value.get()), (1, 255));
    assert_eq!(value.update(std::mem::take), 255);
    assert_eq!(format!("{value:?} {:?}", Value::<i32>::default()), "Value(0) Value(0)");
    assert_eq!(Value::from(-5_i128).fetch_sub(1), -5);
}

#[test]
fn waiting_for_a_condition() {
    let value = Value::new(0);
    assert_eq!(value.wait_for(|&v| v == 0), 0);
    let waits: Vec<_> = (1..=3)
        .map(|wanted| {
            let value = value.clone();
            thread::spawn(move || value.wait_for(|&v| v >= wanted))
        })
        .collect();
    settle();
    for _ in 0..3 {
        value.fetch_add(1);
        settle();
    }
    for (wait, wanted) in waits.into_iter().zip(1..) {
        assert!((wanted..=3).contains(&wait.join().unwrap()));
    }
}

#[test]
fn waiting_with_a_limit() {
    let value = Value::new(0);
    assert_eq!(value.wait_for_timeout(|&v| v == 1, ms(10)), None);
    assert_eq!(value.wait_for_timeout(|&v| v == 1, Duration::ZERO), None);
    assert_eq!(value.wait_for_timeout(|&v| v == 0, Duration::ZERO), Some(0));
    let other = value.clone();
    let sets = thread::spawn(move || {
        settle();
        other.set(1);
    });
    assert_eq!(value.wait_for_timeout(|&v| v == 1, Duration::MAX), Some(1));
    sets.join().unwrap();
}

#[test]
fn waiting_in_a_task() {
    let value = Value::new(0);
    let bell = Bell::new();
    let waker = Waker::from(Arc::clone(&bell));
    let mut wait = pin!(value.wait_for_async(|&v| v == 2));
    assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    value.set(1);
    assert_eq!(bell.rung(), 1);
    assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending(), "not yet");
    assert!(poll_once(wait.as_mut()).is_pending());
    value.set(2);
    assert_eq!(poll_once(wait.as_mut()), Poll::Ready(2));

    let mut dropped = Box::pin(value.wait_for_async(|&v| v == 3));
    assert!(poll_once(dropped.as_mut()).is_pending());
    drop(dropped);
    value.set(3);

    let other = value.clone();
    let sets = thread::spawn(move || (4..100).for_each(|v| other.set(v)));
    assert_eq!(block_on(value.wait_for_async(|&v| v == 99)), 99);
    sets.join().unwrap();
}

#[test]
fn a_panic_in_a_closure_leaves_the_value_usable() {
    let value = Value::new(0);
    let waits = {
        let value = value.clone();
        thread::spawn(move || value.wait_for(|&v| v == 1))
    };
    settle();
    let broken = catch_unwind(AssertUnwindSafe(|| {
        value.update(|v| {
            *v = 1;
            panic!("after the change");
        })
    }));
    assert!(broken.is_err());
    assert_eq!(waits.join().unwrap(), 1, "the change is heard of");
    assert!(catch_unwind(AssertUnwindSafe(|| value.wait_for(|_| panic!("in the condition")))).is_err());
    let mut wait = Box::pin(value.wait_for_async(|_| panic!("in the condition")));
    assert!(catch_unwind(AssertUnwindSafe(|| poll_once(wait.as_mut()))).is_err());
    drop(wait);
    assert_eq!(value.fetch_add(1), 1);
}

#[test]
fn counting_from_many_threads() {
    let value = Value::new(0_u64);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let value = value.clone();
            thread::spawn(move || (0..1000).for_each(|_| _ = value.fetch_add(1)))
        })
        .collect();
    assert_eq!(value.wait_for(|&v| v == 8000), 8000);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
