//! Every message is dropped exactly once, however the channel ends.

mod common;

use std::pin::pin;
use std::thread;

use common::{Drops, buffered, kinds, ms, poll_once, settle};
use wyn_channel::{Select, bounded};

#[test]
fn what_nobody_receives() {
    for (name, s, r) in buffered() {
        let drops = Drops::default();
        let cap = s.capacity().unwrap_or(100).min(100);
        (0..cap).for_each(|n| s.send(drops.make(n)).unwrap());
        drop(r);
        assert_eq!(drops.count(), cap, "{name}: at once, not with the sender");
        drop(s);
        assert_eq!(drops.count(), cap, "{name}");
    }
    for (name, s, r) in buffered() {
        let drops = Drops::default();
        let cap = s.capacity().unwrap_or(100).min(100);
        (0..cap).for_each(|n| s.send(drops.make(n)).unwrap());
        drop(s);
        assert_eq!(drops.count(), 0, "{name}: receivers may still come");
        drop(r.recv().unwrap());
        drop(r);
        assert_eq!(drops.count(), cap, "{name}");
    }
}

#[test]
fn after_many_laps() {
    for (name, s, r) in buffered() {
        let drops = Drops::default();
        for n in 0..1000 {
            s.send(drops.make(n)).unwrap();
            assert_eq!(r.recv().unwrap().0, n, "{name}");
        }
        assert_eq!(drops.count(), 1000, "{name}");
    }
}

#[test]
fn what_a_blocked_sender_gets_back() {
    for cap in [0, 1, 2] {
        let drops = Drops::default();
        let (s, r) = bounded(cap);
        (0..cap).for_each(|n| s.send(drops.make(n)).unwrap());
        let late = drops.make(9);
        let sender = thread::spawn(move || s.send(late).unwrap_err().into_inner().0);
        settle();
        drop(r);
        assert_eq!(sender.join().unwrap(), 9);
        assert_eq!(drops.count(), cap + 1);
    }
}

#[test]
fn what_timeouts_give_back() {
    let drops = Drops::default();
    let (s, _r) = bounded(0);
    assert_eq!(s.send_timeout(drops.make(1), ms(1)).unwrap_err().into_inner().0, 1);
    assert_eq!(s.try_send(drops.make(2)).unwrap_err().into_inner().0, 2);
    assert_eq!(drops.count(), 2);
}

#[test]
fn futures_that_were_served_and_dropped() {
    for (name, s, r) in kinds() {
        let drops = Drops::default();
        {
            let mut receive = pin!(r.recv_async());
            assert!(poll_once(receive.as_mut()).is_pending());
            s.send(drops.make(1)).unwrap();
        }
        assert_eq!(drops.count(), 0, "{name}: put back");
        drop(r);
        assert_eq!(drops.count(), 1, "{name}");
    }
}

#[test]
fn large_messages_of_selects() {
    for (name, s, r) in kinds() {
        let drops = Drops::default();
        let large = (drops.make(1), [0_u64; 32]);
        let receiver = thread::spawn(move || {
            let mut select = Select::new();
            select.recv(&r);
            select.recv(&r);
            drop(select.select().recv(&r).unwrap());
            select.select_timeout(ms(1)).is_err()
        });
        settle();
        s.send(large).unwrap();
        assert!(receiver.join().unwrap(), "{name}: nothing else came");
        assert_eq!(drops.count(), 1, "{name}");
    }
}
