//! Every interleaving of the channels at their smallest. A lost wake-up is a deadlock here, a message that is
//! read too early a race, and a message that is lost or dropped twice a wrong count.
//!
//! Under loom channels of 1 and 2 are rings, and a channel of 3 is one of the growing kind, of which there is else no
//! small one. What ends a wait before its time has a file of its own, `loom_ends.rs`. Run by
//! `RUSTFLAGS="--cfg wyn_loom" cargo test --profile loom -p wyn-channel --test loom`.
#![cfg(wyn_loom)]

mod loom_common;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use loom::thread;
use loom_common::{block_on, check, expect_failures};
use wyn_channel::{RecvError, Select, bounded, unbounded};

fn channel(cap: Option<usize>) -> (wyn_channel::Sender<u8>, wyn_channel::Receiver<u8>) {
    cap.map_or_else(unbounded, bounded)
}

/// Two messages from one thread to another, in order, then the end.
fn two_messages(cap: Option<usize>, preemptions: usize) {
    check(preemptions, move || {
        let (s, r) = channel(cap);
        let sender = thread::spawn(move || {
            s.send(1).unwrap();
            s.send(2).unwrap();
        });
        let receiver = thread::spawn(move || {
            assert_eq!(r.recv(), Ok(1));
            assert_eq!(r.recv(), Ok(2));
            assert_eq!(r.recv(), Err(RecvError));
        });
        sender.join().unwrap();
        receiver.join().unwrap();
    });
}

#[test]
fn rendezvous_hands_over() {
    two_messages(Some(0), 3);
}

#[test]
fn ring_of_one_hands_over() {
    two_messages(Some(1), 2);
}

#[test]
fn ring_of_two_hands_over() {
    two_messages(Some(2), 2);
}

#[test]
fn growing_hands_over() {
    two_messages(Some(3), 2);
}

#[test]
fn unbounded_hands_over() {
    two_messages(None, 3);
}

/// A thread and a task behind it wait for room, and room for both comes while only the thread is called: it passes
/// that on.
#[test]
fn ring_two_wait_for_room() {
    check(3, || {
        let (s, r) = bounded(1);
        s.try_send(0).unwrap();
        let s2 = s.clone();
        let thread = thread::spawn(move || s2.send(1).unwrap());
        // It may wait already: that costs no involuntary switch.
        thread::yield_now();
        let mut task = pin!(s.send_async(2));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(task.as_mut().poll(&mut cx).is_pending());
        assert_eq!(r.try_recv(), Ok(0));
        if task.as_mut().poll(&mut cx).is_ready() {
            assert_eq!(r.recv().unwrap() + r.recv().unwrap(), 3);
        } else {
            assert_eq!(r.recv(), Ok(1));
            block_on(task).unwrap();
            assert_eq!(r.recv(), Ok(2));
        }
        thread.join().unwrap();
    });
}

/// A task is woken, wherever between its first look and its sleep the message comes.
fn a_task_receives(cap: Option<usize>) {
    check(3, move || {
        let (s, r) = channel(cap);
        let sender = thread::spawn(move || s.send(1).unwrap());
        let task = thread::spawn(move || assert_eq!(block_on(r.recv_async()), Ok(1)));
        sender.join().unwrap();
        task.join().unwrap();
    });
}

#[test]
fn rendezvous_a_task_receives() {
    a_task_receives(Some(0));
}

#[test]
fn ring_a_task_receives() {
    a_task_receives(Some(1));
}

#[test]
fn unbounded_a_task_receives() {
    a_task_receives(None);
}

/// The same at the other end. Afterwards the channel is as full as before.
#[test]
fn a_task_sends() {
    for cap in [0, 1, 2, 3] {
        check(2, move || {
            let (s, r) = bounded(cap);
            (0..cap).for_each(|_| s.try_send(0).unwrap());
            let receiver = thread::spawn(move || {
                let first = r.recv();
                (first, r)
            });
            let task = thread::spawn(move || block_on(s.send_async(1)).unwrap());
            let (first, r) = receiver.join().unwrap();
            task.join().unwrap();
            let got: Vec<usize> = first.into_iter().chain(r.iter()).collect();
            assert_eq!((got.len(), got[cap]), (cap + 1, 1));
        });
    }
}

/// Two senders and two receivers, one message each.
fn two_pairs(cap: Option<usize>, preemptions: usize) {
    check(preemptions, move || {
        let (s, r) = channel(cap);
        let s2 = s.clone();
        let r2 = r.clone();
        let all = [
            thread::spawn(move || {
                s.send(1).unwrap();
                0
            }),
            thread::spawn(move || {
                s2.send(2).unwrap();
                0
            }),
            thread::spawn(move || r.recv().unwrap()),
        ];
        let last = r2.recv().unwrap();
        let sum: u8 = all.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(sum + last, 3);
    });
}

#[test]
fn rendezvous_two_pairs() {
    two_pairs(Some(0), 1);
}

/// Two senders, one receiver: both want the same place. (Two pairs at a ring are too many steps to explore.)
#[test]
fn ring_two_senders() {
    check(1, || {
        let (s, r) = bounded(1);
        let s2 = s.clone();
        let keep = s.clone();
        let senders = [thread::spawn(move || s.send(1).unwrap()), thread::spawn(move || s2.send(2).unwrap())];
        let receiver = thread::spawn(move || r.recv().unwrap() + r.recv().unwrap());
        senders.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(receiver.join().unwrap(), 3);
        drop(keep);
    });
}

/// Two receivers, one sender: both want the same message.
#[test]
fn ring_two_receivers() {
    check(1, || {
        let (s, r) = bounded(1);
        let r2 = r.clone();
        let receivers = [thread::spawn(move || r.recv().unwrap()), thread::spawn(move || r2.recv().unwrap())];
        // Both may wait already: that costs no involuntary switch.
        thread::yield_now();
        s.send(1).unwrap();
        s.send(2).unwrap();
        assert_eq!(receivers.map(|thread| thread.join().unwrap()).iter().sum::<i32>(), 3);
    });
}

#[test]
fn unbounded_two_pairs() {
    two_pairs(None, 1);
}

/// A select over two channels against a sender on each.
fn select_over_two(cap: Option<usize>, preemptions: usize) {
    check(preemptions, move || {
        let (s1, r1) = channel(cap);
        let (s2, r2) = channel(cap);
        let senders =
            [thread::spawn(move || s1.send(1).unwrap()), thread::spawn(move || s2.send(2).unwrap())];
        let selects = thread::spawn(move || {
            let mut select = Select::new_biased();
            let first = select.recv(&r1);
            select.recv(&r2);
            let mut sum = 0;
            while sum < 3 {
                let operation = select.select();
                let result =
                    if operation.index() == first { operation.recv(&r1) } else { operation.recv(&r2) };
                match result {
                    Ok(msg) => sum += msg,
                    Err(RecvError) => thread::yield_now(),
                }
                if sum == 1 {
                    assert_eq!(r2.recv(), Ok(2));
                    return;
                }
                if sum == 2 {
                    assert_eq!(r1.recv(), Ok(1));
                    return;
                }
            }
        });
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        selects.join().unwrap();
    });
}

#[test]
fn rendezvous_select_over_two() {
    select_over_two(Some(0), 2);
}

#[test]
fn ring_select_over_two() {
    select_over_two(Some(1), 1);
}

#[test]
fn growing_select_over_two() {
    select_over_two(Some(3), 1);
}

#[test]
fn unbounded_select_over_two() {
    select_over_two(None, 2);
}

#[test]
fn two_selects_meet() {
    check(3, || {
        let (s, r) = bounded(0);
        let sends = thread::spawn(move || {
            let mut select = Select::new();
            select.send(&s);
            select.select().send(&s, 1)
        });
        let receives = thread::spawn(move || {
            let mut select = Select::new();
            select.recv(&r);
            select.select().recv(&r)
        });
        let sent = sends.join().unwrap();
        let received = receives.join().unwrap();
        assert_eq!((sent.is_ok(), received), (true, Ok(1)));
    });
}

/// One promise of a place, against a plain send.
fn two_operations_and_one_place(cap: usize) {
    check(1, move || {
        let (s, r) = bounded(cap);
        (1..cap).for_each(|_| s.try_send(0).unwrap());
        let (s2, keep) = (s.clone(), s.clone());
        let selects = thread::spawn(move || {
            let mut select = Select::new();
            select.send(&s2);
            select.select().send(&s2, 1).unwrap();
        });
        let sends = thread::spawn(move || s.send(2).unwrap());
        let receives = thread::spawn(move || (0..=cap).map(|_| r.recv().unwrap()).sum::<i32>());
        selects.join().unwrap();
        sends.join().unwrap();
        assert_eq!(receives.join().unwrap(), 3);
        drop(keep);
    });
}

#[test]
fn ring_two_operations_and_one_place() {
    two_operations_and_one_place(1);
}

#[test]
fn ring_of_two_two_operations_and_one_place() {
    two_operations_and_one_place(2);
}

#[test]
fn growing_two_operations_and_one_place() {
    two_operations_and_one_place(3);
}

/// One message, with no help from a second one, nor from an end that goes.
#[test]
fn ring_a_message_alone_wakes() {
    check(3, || {
        let (s, r) = bounded(1);
        let keep = s.clone();
        let sender = thread::spawn(move || s.send(1).unwrap());
        let receiver = thread::spawn(move || assert_eq!(r.recv(), Ok(1)));
        sender.join().unwrap();
        receiver.join().unwrap();
        drop(keep);
    });
}

#[test]
fn planted_flaws_are_found() {
    expect_failures(&[
        ("finish", "rendezvous_hands_over"),
        ("finish-who", "rendezvous_hands_over"),
        ("publish-who", "rendezvous_hands_over"),
        ("verdict", "rendezvous_hands_over"),
        ("missed-parker", "rendezvous_hands_over"),
        ("stamp-publish", "ring_of_one_hands_over"),
        ("stamp-claim-recv", "ring_of_one_hands_over"),
        ("stamp-free", "ring_of_one_hands_over"),
        ("stamp-claim-send", "ring_of_one_hands_over"),
        ("side-peer", "ring_a_message_alone_wakes"),
        ("side-sleeper", "ring_a_message_alone_wakes"),
        ("last-look", "ring_a_message_alone_wakes"),
        ("skip-what-is-free", "ring_of_two_two_operations_and_one_place"),
        ("pass-on-call", "ring_two_wait_for_room"),
        ("stamp-publish", "ring_of_two_hands_over"),
        ("stamp-free", "ring_of_two_two_operations_and_one_place"),
        ("last-look", "ring_of_two_hands_over"),
        ("served-arm", "growing_select_over_two"),
        ("late-waker", "rendezvous_a_task_receives"),
        ("late-waker", "ring_a_task_receives"),
        ("late-waker", "a_task_sends"),
    ]);
}
