//! What every kind of channel does, with threads at both ends.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{buffered, kinds, ms, settle};
use wyn_channel::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError, bounded, unbounded,
};

#[test]
fn messages_come_in_the_order_of_the_sends() {
    for (name, s, r) in kinds() {
        let sender = thread::spawn(move || (0..1000).for_each(|n| s.send(n).unwrap()));
        let got: Vec<i32> = r.iter().collect();
        assert!(got.into_iter().eq(0..1000), "{name}");
        sender.join().unwrap();
    }
}

#[test]
fn every_message_goes_to_one_receiver() {
    for (name, s, r) in kinds() {
        let receivers: Vec<_> = (0..3)
            .map(|_| {
                let r = r.clone();
                thread::spawn(move || r.iter().collect::<Vec<usize>>())
            })
            .collect();
        let senders: Vec<_> = (0..3)
            .map(|id| {
                let s = s.clone();
                thread::spawn(move || (0..500).for_each(|n| s.send(id * 500 + n).unwrap()))
            })
            .collect();
        drop((s, r));
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        let mut all = Vec::new();
        for receiver in receivers {
            let got = receiver.join().unwrap();
            for id in 0..3 {
                let of_one: Vec<_> = got.iter().filter(|&&n| n / 500 == id).collect();
                assert!(of_one.is_sorted(), "{name}: a receiver got a sender's messages out of order");
            }
            all.extend(got);
        }
        all.sort_unstable();
        assert!(all.into_iter().eq(0..1500), "{name}");
    }
}

#[test]
fn nothing_to_receive_and_no_room() {
    for (name, s, r) in kinds::<i32>() {
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty), "{name}");
        assert_eq!(r.recv_timeout(ms(5)), Err(RecvTimeoutError::Timeout), "{name}");
        assert_eq!(r.recv_deadline(Instant::now()), Err(RecvTimeoutError::Timeout), "{name}");
        if s.capacity().is_some_and(|cap| cap <= 100) {
            (0..s.capacity().unwrap()).for_each(|_| s.try_send(0).unwrap());
            assert_eq!(s.try_send(7), Err(TrySendError::Full(7)), "{name}");
            let start = Instant::now();
            assert_eq!(s.send_timeout(8, ms(5)), Err(SendTimeoutError::Timeout(8)), "{name}");
            assert!(start.elapsed() >= ms(5), "{name}");
            assert_eq!(s.send_deadline(9, Instant::now()), Err(SendTimeoutError::Timeout(9)), "{name}");
            assert_eq!(r.try_iter().count(), s.capacity().unwrap(), "{name}: nothing of it was sent");
        }
    }
}

#[test]
fn a_receiver_that_waits_is_served() {
    for (name, s, r) in kinds() {
        let receiver = thread::spawn(move || (r.recv(), r.recv_timeout(Duration::from_secs(60))));
        settle();
        s.send(1).unwrap();
        settle();
        s.send(2).unwrap();
        assert_eq!(receiver.join().unwrap(), (Ok(1), Ok(2)), "{name}");
    }
}

#[test]
fn a_sender_that_waits_is_relieved() {
    for cap in [0, 1, 3] {
        let (s, r) = bounded(cap);
        (0..cap).for_each(|n| s.send(n).unwrap());
        let sender = thread::spawn(move || {
            s.send(cap).unwrap();
            s.send_timeout(cap + 1, Duration::from_secs(60)).unwrap();
        });
        settle();
        assert!(r.iter().eq(0..cap + 2), "capacity {cap}");
        sender.join().unwrap();
    }
}

#[test]
fn receivers_drain_before_they_are_told() {
    for (name, s, r) in buffered() {
        s.send(1).unwrap();
        drop(s);
        assert!(r.is_closed(), "{name}");
        assert_eq!(r.recv(), Ok(1), "{name}");
        assert_eq!(r.recv(), Err(RecvError), "{name}");
        assert_eq!(r.try_recv(), Err(TryRecvError::Disconnected), "{name}");
        assert_eq!(r.recv_timeout(ms(1)), Err(RecvTimeoutError::Disconnected), "{name}");
    }
}

#[test]
fn a_sender_gets_its_message_back_when_the_receivers_go() {
    for (name, s, r) in kinds() {
        drop(r);
        assert!(s.is_closed(), "{name}");
        assert_eq!(s.send(1), Err(SendError(1)), "{name}");
        assert_eq!(s.try_send(2), Err(TrySendError::Disconnected(2)), "{name}");
        assert_eq!(s.send_timeout(3, ms(1)), Err(SendTimeoutError::Disconnected(3)), "{name}");
    }
}

#[test]
fn blocked_senders_get_their_messages_back() {
    for cap in [0, 1, 3] {
        for closes in [false, true] {
            let (s, r) = bounded(cap);
            (0..cap).for_each(|n| s.send(n).unwrap());
            let senders: Vec<_> = (0..3)
                .map(|n| {
                    let s = s.clone();
                    thread::spawn(move || s.send(100 + n))
                })
                .collect();
            settle();
            if closes {
                assert!(r.close());
                assert!(!s.close(), "only once");
            } else {
                drop(r);
            }
            for (n, sender) in senders.into_iter().enumerate() {
                assert_eq!(sender.join().unwrap(), Err(SendError(100 + n)), "capacity {cap}");
            }
        }
    }
}

#[test]
fn blocked_receivers_are_told() {
    for (name, s, r) in kinds::<i32>() {
        for closes in [true, false] {
            let receivers: Vec<_> = (0..3)
                .map(|_| {
                    let r = r.clone();
                    thread::spawn(move || r.recv())
                })
                .collect();
            settle();
            if closes {
                s.close();
            }
            for receiver in receivers {
                assert_eq!(receiver.join().unwrap(), Err(RecvError), "{name}");
            }
        }
        drop(s);
    }
}

#[test]
fn a_closed_channel_is_drained() {
    for (name, s, r) in buffered() {
        s.send(1).unwrap();
        assert!(!s.is_closed() && !r.is_closed());
        assert!(s.close(), "{name}");
        assert!(s.is_closed() && r.is_closed());
        assert_eq!(s.send(2), Err(SendError(2)), "{name}");
        assert!(r.iter().eq([1]), "{name}");
    }
}

#[test]
fn sizes() {
    let (s, r) = bounded(2);
    assert_eq!((s.capacity(), r.capacity()), (Some(2), Some(2)));
    for filled in 0..=2 {
        assert_eq!((s.len(), r.len()), (filled, filled));
        assert_eq!((s.is_empty(), r.is_empty()), (filled == 0, filled == 0));
        assert_eq!((s.is_full(), r.is_full()), (filled == 2, filled == 2));
        let _ = s.try_send(());
    }
    let (s, r) = unbounded();
    (0..10).for_each(|n| s.send(n).unwrap());
    assert_eq!((s.len(), r.capacity(), s.is_full()), (10, None, false));
    let (s, r) = bounded::<()>(0);
    assert_eq!((s.len(), r.capacity(), s.is_full(), r.is_empty()), (0, Some(0), true, true));
}

#[test]
fn lengths_stay_in_bounds_while_messages_pass() {
    let (s, r) = bounded(5);
    let watched = r.clone();
    let sender = thread::spawn(move || (0..20_000).for_each(|n| s.send(n).unwrap()));
    let receiver = thread::spawn(move || r.iter().count());
    while !receiver.is_finished() {
        assert!(watched.len() <= 5);
    }
    sender.join().unwrap();
    assert_eq!(receiver.join().unwrap() + watched.iter().count(), 20_000);
}

#[test]
fn ends_of_one_channel() {
    let (s1, r1) = bounded::<()>(1);
    let (s2, r2) = unbounded::<()>();
    assert!(s1.same_channel(&s1.clone()) && r1.same_channel(&r1.clone()));
    assert!(!s1.same_channel(&s2) && !r1.same_channel(&r2));
    assert_eq!(format!("{s1:?} {r1:?} {:?}", r1.iter()), "Sender { .. } Receiver { .. } Iter { .. }");
}

#[test]
fn iterators() {
    let (s, r) = unbounded();
    (0..3).for_each(|n| s.send(n).unwrap());
    assert!(r.try_iter().eq(0..3));
    (0..3).for_each(|n| s.send(n).unwrap());
    assert_eq!((&r).into_iter().next(), Some(0));
    drop(s);
    let mut rest = r.into_iter();
    assert_eq!((rest.next(), rest.next(), rest.next(), rest.next()), (Some(1), Some(2), None, None));
}

#[test]
fn timed_waiters_that_leave_are_forgotten() {
    for (name, s, r) in kinds() {
        let impatient = {
            let r = r.clone();
            thread::spawn(move || r.recv_timeout(ms(10)))
        };
        assert_eq!(impatient.join().unwrap(), Err(RecvTimeoutError::Timeout), "{name}");
        let receiver = thread::spawn(move || r.recv());
        settle();
        s.send(5).unwrap();
        assert_eq!(receiver.join().unwrap(), Ok(5), "{name}: goes to the one who waits");
    }
}
