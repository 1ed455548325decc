//! `oneshot`: one message, or none.

mod common;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{Bell, Drops, block_on, ms, poll_once, settle};
use wyn_channel::{RecvError, RecvTimeoutError, SendError, TryRecvError, oneshot};

#[test]
fn sent_before_or_after() {
    let (s, r) = oneshot();
    s.send(1).unwrap();
    assert_eq!(r.recv(), Ok(1));

    let (s, r) = oneshot();
    let waits = thread::spawn(move || r.recv());
    settle();
    s.send(2).unwrap();
    assert_eq!(waits.join().unwrap(), Ok(2));
}

#[test]
fn ends_that_go() {
    let (s, r) = oneshot::<i32>();
    drop(s);
    assert_eq!(r.recv(), Err(RecvError));

    let (s, r) = oneshot::<i32>();
    let waits = thread::spawn(move || r.recv());
    settle();
    drop(s);
    assert_eq!(waits.join().unwrap(), Err(RecvError));

    let (s, r) = oneshot();
    assert!(!s.is_closed());
    drop(r);
    assert!(s.is_closed());
    assert_eq!(s.send(3), Err(SendError(3)));
}

#[test]
fn looking_and_waiting_a_while() {
    let (s, mut r) = oneshot();
    assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(r.recv_timeout(ms(5)), Err(RecvTimeoutError::Timeout));
    assert_eq!(r.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
    s.send(4).unwrap();
    assert_eq!(r.recv_timeout(Duration::MAX), Ok(4));
    assert_eq!(r.try_recv(), Err(TryRecvError::Disconnected), "there is only one");
    assert_eq!(r.recv_timeout(ms(1)), Err(RecvTimeoutError::Disconnected));
    assert_eq!(r.recv(), Err(RecvError));
}

#[test]
fn a_wait_on_one_thread_then_on_another() {
    let (s, mut r) = oneshot();
    assert!(r.recv_timeout(ms(5)).is_err());
    assert!(poll_once(Pin::new(&mut r)).is_pending());
    let waits = thread::spawn(move || {
        assert!(r.recv_timeout(ms(5)).is_err());
        r.recv()
    });
    thread::sleep(ms(60));
    s.send(5).unwrap();
    assert_eq!(waits.join().unwrap(), Ok(5));
}

#[test]
fn as_a_future() {
    let (s, mut r) = oneshot();
    let bell = Bell::new();
    let waker = Waker::from(Arc::clone(&bell));
    assert!(poll_once(Pin::new(&mut r)).is_pending());
    assert!(pin!(&mut r).poll(&mut Context::from_waker(&waker)).is_pending());
    s.send(6).unwrap();
    assert_eq!(bell.rung(), 1, "the last waker");
    assert_eq!(poll_once(Pin::new(&mut r)), Poll::Ready(Ok(6)));
    assert_eq!(poll_once(Pin::new(&mut r)), Poll::Ready(Err(RecvError)));

    let (s, r) = oneshot();
    let thread = thread::spawn(move || s.send(7));
    assert_eq!(block_on(r), Ok(7));
    thread.join().unwrap().unwrap();
}

#[test]
fn every_message_is_dropped_once() {
    let drops = Drops::default();
    let (s, r) = oneshot();
    s.send(drops.make(0)).unwrap();
    drop(r);
    assert_eq!(drops.count(), 1);
    let (s, mut r) = oneshot();
    assert!(poll_once(Pin::new(&mut r)).is_pending());
    drop(r);
    drop(s.send(drops.make(1)));
    assert_eq!(drops.count(), 2);
    for round in 0..2000 {
        let (s, r) = oneshot();
        let message = drops.make(round);
        let thread = thread::spawn(move || drop(s.send(message)));
        if round % 2 == 0 {
            drop(r);
        } else {
            drop(r.recv().unwrap());
        }
        thread.join().unwrap();
    }
    assert_eq!(drops.count(), 2002);
}
