//! What ends a wait before its time, in every interleaving: a limit, a cancellation, a close, the last end that goes.
//!
//! The capacities are those of `loom.rs`. loom has no clock: a time limit passes as soon as somebody else has run.
//! Run by `RUSTFLAGS="--cfg wyn_loom" cargo test --profile loom -p wyn-channel --test loom_ends`.
#![cfg(wyn_loom)]

mod loom_common;

use std::future::Future;
use std::task::{Context, Waker};
use std::time::Duration;

use loom::thread;
use loom_common::{Drops, check, expect_failures};
use wyn_channel::{RecvTimeoutError, TryRecvError, bounded, unbounded};

const SOON: Duration = Duration::from_secs(1);

fn channel(cap: Option<usize>) -> (wyn_channel::Sender<u8>, wyn_channel::Receiver<u8>) {
    cap.map_or_else(unbounded, bounded)
}

/// A receive gives up while a message comes: it is received, or still there.
fn hand_off_and_timeout(cap: Option<usize>) {
    check(3, move || {
        let (s, r) = channel(cap);
        let r2 = r.clone();
        let sender = thread::spawn(move || s.try_send(1).is_ok());
        let receiver = thread::spawn(move || r2.recv_timeout(SOON));
        let sent = sender.join().unwrap();
        match receiver.join().unwrap() {
            Ok(msg) => assert!(sent && msg == 1),
            Err(_) if sent => assert_eq!(r.try_recv(), Ok(1), "sent, and not received"),
            Err(_) => assert_eq!(r.try_recv(), Err(TryRecvError::Disconnected)),
        }
    });
}

#[test]
fn rendezvous_hand_off_and_timeout() {
    hand_off_and_timeout(Some(0));
}

#[test]
fn ring_hand_off_and_timeout() {
    hand_off_and_timeout(Some(1));
}

#[test]
fn growing_hand_off_and_timeout() {
    hand_off_and_timeout(Some(3));
}

#[test]
fn unbounded_hand_off_and_timeout() {
    hand_off_and_timeout(None);
}

/// A send gives up while a receiver comes, or room: it is received if and only if it was sent.
#[test]
fn a_send_gives_up_while_a_receiver_comes() {
    for cap in [0, 1, 2, 3] {
        check(2, move || {
            let (s, r) = bounded(cap);
            (0..cap).for_each(|_| s.try_send(0).unwrap());
            let sender = thread::spawn(move || s.send_timeout(1, SOON).is_ok());
            let receiver = thread::spawn(move || {
                let mut got: Vec<usize> = Vec::new();
                while got.len() <= cap {
                    match r.recv_timeout(SOON) {
                        Ok(msg) => got.push(msg),
                        Err(RecvTimeoutError::Timeout) => thread::yield_now(),
                        Err(RecvTimeoutError::Disconnected) => break,
                    }
                }
                got
            });
            let sent = sender.join().unwrap();
            let got = receiver.join().unwrap();
            assert_eq!(got.contains(&1), sent, "received if and only if sent");
        });
    }
}

/// A receive is dropped while a message comes; the other receiver must get it, with no help from a disconnection.
fn cancelled_receive(cap: Option<usize>) {
    check(1, move || {
        let (s, r) = channel(cap);
        let (s2, r2, keep) = (s.clone(), r.clone(), s.clone());
        let sender = thread::spawn(move || s.send(1).unwrap());
        let cancels = thread::spawn(move || {
            let mut receive = Box::pin(r2.recv_async());
            let polled = receive.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            drop(receive);
            if let std::task::Poll::Ready(result) = polled {
                s2.send(result.unwrap()).unwrap();
            }
        });
        let other = thread::spawn(move || assert_eq!(r.recv(), Ok(1)));
        sender.join().unwrap();
        cancels.join().unwrap();
        other.join().unwrap();
        drop(keep);
    });
}

#[test]
fn rendezvous_cancelled_receive() {
    cancelled_receive(Some(0));
}

#[test]
fn ring_cancelled_receive() {
    cancelled_receive(Some(1));
}

#[test]
fn growing_cancelled_receive() {
    cancelled_receive(Some(3));
}

#[test]
fn unbounded_cancelled_receive() {
    cancelled_receive(None);
}

#[test]
fn a_cancelled_send_lets_the_next_one_in() {
    for cap in [1, 3] {
        a_cancelled_send(cap);
    }
}

/// Nobody waits to receive: that would call the sender once more.
fn a_cancelled_send(cap: usize) {
    check(2, move || {
        let (s, r) = bounded(cap);
        (0..cap).for_each(|_| s.try_send(0).unwrap());
        let s2 = s.clone();
        let mut send = Box::pin(s.send_async(1));
        assert!(send.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let sender = thread::spawn(move || s2.send(2).unwrap());
        let receiver = thread::spawn(move || {
            assert_eq!(r.try_recv(), Ok(0));
            r
        });
        // Anything may have happened to the future by now: that costs no involuntary switch.
        thread::yield_now();
        drop(send);
        sender.join().unwrap();
        assert_eq!(receiver.join().unwrap().try_iter().last(), Some(2));
    });
}

/// Without a buffer a receiver takes the message from the future itself, or it goes with the future, once.
#[test]
fn rendezvous_cancelled_send() {
    check(3, || {
        let drops = Drops::default();
        let (s, r) = bounded(0);
        let message = drops.make();
        let cancels = thread::spawn(move || {
            let mut send = Box::pin(s.send_async(message));
            send.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
        });
        let receiver = thread::spawn(move || r.recv());
        let sent = cancels.join().unwrap();
        let got = receiver.join().unwrap();
        let left = usize::from(got.is_ok());
        assert_eq!(drops.count(), 1 - left, "received, or dropped with the future");
        assert!(left == 1 || !sent, "a send that is ready has been received");
        drop(got);
        assert_eq!(drops.count(), 1);
    });
}

/// Without a buffer nobody is called for a sender that waits, so a cancelled send has nothing to pass on but its place
/// in the list. The future's memory stays until the end: a model that leaves it in the list finds it there.
#[test]
fn rendezvous_a_cancelled_send_lets_the_next_one_in() {
    check(2, || {
        let (s, r) = bounded(0);
        let s2 = s.clone();
        let mut send = Box::pin(Some(s.send_async(1)));
        let sent = {
            let send = send.as_mut().as_pin_mut().unwrap();
            send.poll(&mut Context::from_waker(Waker::noop())).is_ready()
        };
        assert!(!sent, "nobody receives yet");
        let next = thread::spawn(move || s2.send(2).unwrap());
        let receiver = thread::spawn(move || {
            let first = r.recv().unwrap();
            if first == 1 { (true, r.recv().unwrap()) } else { (false, first) }
        });
        send.set(None);
        next.join().unwrap();
        let (taken, next) = receiver.join().unwrap();
        assert_eq!(next, 2, "taken before the cancellation, or not at all: {taken}");
    });
}

/// A send against `close`: it is refused, or received.
fn close_and_send(cap: Option<usize>) {
    check(2, move || {
        let (s, r) = channel(cap);
        let s2 = s.clone();
        let closes = thread::spawn(move || s2.close());
        let sender = thread::spawn(move || s.send(1).is_ok());
        let receiver = thread::spawn(move || r.recv().is_ok());
        closes.join().unwrap();
        assert_eq!(sender.join().unwrap(), receiver.join().unwrap());
    });
}

#[test]
fn rendezvous_close_and_send() {
    close_and_send(Some(0));
}

#[test]
fn ring_close_and_send() {
    close_and_send(Some(1));
}

#[test]
fn growing_close_and_send() {
    close_and_send(Some(3));
}

#[test]
fn unbounded_close_and_send() {
    close_and_send(None);
}

/// A send that waits for room against `close`: it gets its message back, or the room that a receiver makes.
#[test]
fn a_full_channel_is_closed() {
    for cap in [0, 1, 2, 3] {
        check(2, move || {
            let (s, r) = bounded(cap);
            (0..cap).for_each(|_| s.try_send(0).unwrap());
            let s2 = s.clone();
            let closes = thread::spawn(move || s2.close());
            let sender = thread::spawn(move || s.send(1).is_ok());
            let first = r.try_recv().is_ok();
            let sent = sender.join().unwrap();
            assert!(closes.join().unwrap());
            let got: Vec<usize> = r.iter().collect();
            assert_eq!(got.len() + usize::from(first), cap + usize::from(sent));
        });
    }
}

/// The last receiver goes while a message comes: it is dropped once, wherever it got to.
fn last_drop_and_send(cap: Option<usize>) {
    check(3, move || {
        let drops = Drops::default();
        let (s, r) = cap.map_or_else(unbounded, bounded);
        let message = drops.make();
        let sender = thread::spawn(move || drop(s.send(message)));
        let goes = thread::spawn(move || drop(r));
        sender.join().unwrap();
        goes.join().unwrap();
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn rendezvous_last_drop_and_send() {
    last_drop_and_send(Some(0));
}

#[test]
fn ring_last_drop_and_send() {
    last_drop_and_send(Some(1));
}

#[test]
fn growing_last_drop_and_send() {
    last_drop_and_send(Some(3));
}

#[test]
fn unbounded_last_drop_and_send() {
    last_drop_and_send(None);
}

/// The last receiver leaves a full channel in which a sender waits: nothing outlives it but what the sender gets back.
#[test]
fn the_last_receiver_leaves_a_full_channel() {
    for cap in [0, 1, 2, 3] {
        check(2, move || {
            let drops = Drops::default();
            let (s, r) = bounded(cap);
            (0..cap).for_each(|_| s.try_send(drops.make()).unwrap());
            let message = drops.make();
            let sender = thread::spawn(move || {
                let back = s.send(message);
                (back, s)
            });
            let goes = thread::spawn(move || drop(r));
            goes.join().unwrap();
            let (back, s) = sender.join().unwrap();
            assert!(back.is_err());
            assert_eq!(drops.count(), cap);
            drop((back, s));
            assert_eq!(drops.count(), cap + 1);
        });
    }
}

#[test]
fn planted_flaws_are_found() {
    expect_failures(&[
        ("pass-on", "ring_cancelled_receive"),
        ("pass-on-room", "a_cancelled_send_lets_the_next_one_in"),
        ("pass-on", "rendezvous_cancelled_receive"),
        ("pass-on", "growing_cancelled_receive"),
        ("late-verdict", "rendezvous_hand_off_and_timeout"),
        ("late-verdict", "growing_hand_off_and_timeout"),
        ("late-verdict", "a_send_gives_up_while_a_receiver_comes"),
        ("taken-message", "rendezvous_cancelled_send"),
        ("stays-listed", "rendezvous_a_cancelled_send_lets_the_next_one_in"),
        ("close-senders", "a_full_channel_is_closed"),
        ("close-senders", "the_last_receiver_leaves_a_full_channel"),
        ("discard", "the_last_receiver_leaves_a_full_channel"),
    ]);
}
