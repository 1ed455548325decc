//! `Select`: which operation is picked, how it is completed, and what happens if it is not.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;

use common::{Drops, buffered, kinds, ms, settle};
use wyn_channel::{Receiver, RecvError, Select, SendError, after, bounded, never, tick, unbounded};

#[test]
fn picks_what_is_ready() {
    for (name, s1, r1) in buffered() {
        let (_s2, r2) = unbounded::<i32>();
        let mut select = Select::new();
        let (first, second) = (select.recv(&r1), select.recv(&r2));
        assert!(select.try_select().is_err(), "{name}");
        assert!(select.try_ready().is_err(), "{name}");
        s1.send(7).unwrap();
        assert_eq!(select.ready(), first, "{name}");
        let operation = select.select();
        assert_eq!(operation.index(), first, "{name}");
        assert_ne!(operation.index(), second);
        assert_eq!(operation.recv(&r1), Ok(7), "{name}");
    }
}

#[test]
fn a_blocked_select_is_served_by_a_send() {
    for (name, s, r) in kinds() {
        let (_never, quiet) = bounded::<u8>(0);
        let waits = thread::spawn(move || {
            let mut select = Select::new();
            let (index, _) = (select.recv(&r), select.recv(&quiet));
            let operation = select.select();
            assert_eq!(operation.index(), index);
            operation.recv(&r)
        });
        settle();
        s.send([1_usize, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(waits.join().unwrap(), Ok([1, 2, 3, 4, 5, 6]), "{name}: larger than a token");
    }
}

#[test]
fn a_blocked_select_is_relieved_by_a_receive() {
    for cap in [0, 1, 3] {
        let (s, r) = bounded(cap);
        (0..cap).for_each(|n| s.send(n).unwrap());
        let waits = thread::spawn(move || {
            let quiet = never::<()>();
            let mut select = Select::new();
            let (_, index) = (select.recv(&quiet), select.send(&s));
            let operation = select.select();
            assert_eq!(operation.index(), index);
            operation.send(&s, cap)
        });
        settle();
        assert!(r.iter().eq(0..=cap), "capacity {cap}");
        waits.join().unwrap().unwrap();
    }
}

#[test]
fn two_selects_meet_without_a_buffer() {
    for step in 0..20 {
        let (s, r) = bounded::<[u64; 9]>(0);
        let sends = thread::spawn(move || {
            if step % 2 == 0 {
                settle();
            }
            let mut select = Select::new();
            select.send(&s);
            select.select().send(&s, [7; 9])
        });
        if step % 2 == 1 {
            settle();
        }
        let mut select = Select::new();
        select.recv(&r);
        assert_eq!(select.select().recv(&r), Ok([7; 9]));
        sends.join().unwrap().unwrap();
    }
}

#[test]
fn does_not_meet_itself() {
    let (s, r) = bounded::<i32>(0);
    let mut select = Select::new();
    select.send(&s);
    select.recv(&r);
    assert!(select.select_timeout(ms(20)).is_err());
    let other = {
        let r = r.clone();
        thread::spawn(move || r.recv())
    };
    let operation = select.select();
    assert_eq!(operation.index(), 0);
    operation.send(&s, 3).unwrap();
    assert_eq!(other.join().unwrap(), Ok(3));
}

#[test]
fn the_same_channel_twice() {
    for (name, s, r) in kinds() {
        let waits = thread::spawn(move || {
            let mut select = Select::new();
            select.recv(&r);
            select.recv(&r);
            let first = select.select().recv(&r);
            (first, select.select().recv(&r))
        });
        settle();
        s.send(1).unwrap();
        s.send(2).unwrap();
        assert_eq!(waits.join().unwrap(), (Ok(1), Ok(2)), "{name}");
    }
}

#[test]
fn no_arms_and_a_hundred() {
    let mut select = Select::new();
    assert!(select.try_select().is_err());
    assert!(select.try_ready().is_err());
    let start = Instant::now();
    assert!(select.select_timeout(ms(10)).is_err());
    assert!(select.ready_timeout(ms(10)).is_err());
    assert!(start.elapsed() >= ms(20));
    assert!(catch_unwind(|| Select::new().select().index()).is_err());

    let channels: Vec<_> = (0..100).map(|n| if n % 2 == 0 { bounded(0) } else { unbounded() }).collect();
    let receivers: Vec<Receiver<usize>> = channels.iter().map(|(_, r)| r.clone()).collect();
    let waits = thread::spawn(move || {
        let mut select = Select::new();
        for r in &receivers {
            select.recv(r);
        }
        (0..100)
            .map(|_| {
                let operation = select.select();
                let index = operation.index();
                assert_eq!(operation.recv(&receivers[index]), Ok(index));
                index
            })
            .sum::<usize>()
    });
    channels.iter().enumerate().for_each(|(n, (s, _))| s.send(n).unwrap());
    assert_eq!(waits.join().unwrap(), 4950);
}

#[test]
fn disconnection_is_an_event() {
    for (name, s, r) in kinds::<i32>() {
        let waits = thread::spawn(move || {
            let mut select = Select::new();
            select.recv(&r);
            select.select().recv(&r)
        });
        settle();
        drop(s);
        assert_eq!(waits.join().unwrap(), Err(RecvError), "{name}");
    }
    for cap in [0, 1] {
        let (s, r) = bounded(cap);
        (0..cap).for_each(|n| s.send(n).unwrap());
        let waits = thread::spawn(move || {
            let mut select = Select::new();
            select.send(&s);
            select.select().send(&s, 9)
        });
        settle();
        drop(r);
        assert_eq!(waits.join().unwrap(), Err(SendError(9)));
    }
}

#[test]
fn ready_hears_of_news() {
    for (name, s, r) in kinds() {
        let waits = thread::spawn(move || {
            let mut select = Select::new();
            select.recv(&r);
            loop {
                assert_eq!(select.ready(), 0);
                if let Ok(msg) = r.try_recv() {
                    return msg;
                }
            }
        });
        settle();
        s.send(4).unwrap();
        assert_eq!(waits.join().unwrap(), 4, "{name}");
    }
    for cap in [0, 2] {
        let (s, r) = bounded(cap);
        (0..cap).for_each(|n| s.send(n).unwrap());
        let waits = thread::spawn(move || {
            let mut select = Select::new();
            select.send(&s);
            while s.try_send(cap).is_err() {
                assert_eq!(select.ready(), 0);
            }
        });
        settle();
        assert!(r.iter().eq(0..=cap), "capacity {cap}");
        waits.join().unwrap();
    }
}

#[test]
fn forgotten_operations_leave_nobody_behind() {
    let drops = Drops::default();
    for (name, s, r) in buffered() {
        s.send(drops.make(0)).unwrap();
        let before = drops.count();
        let forgotten = catch_unwind(AssertUnwindSafe(|| {
            let mut select = Select::new();
            select.recv(&r);
            drop(select.select());
        }));
        assert!(forgotten.is_err(), "{name}: panics");
        assert_eq!(drops.count(), before, "{name}: leaked, for it may not belong on this thread");
        assert!(r.is_empty(), "{name}");
    }
    for cap in [0, 1] {
        let (s, r) = bounded(cap);
        let receiver = thread::spawn(move || r.recv());
        settle();
        let forgotten = catch_unwind(AssertUnwindSafe(|| {
            let mut select = Select::new();
            select.send(&s);
            drop(select.select());
        }));
        assert!(forgotten.is_err());
        s.send(5).unwrap();
        assert_eq!(receiver.join().unwrap(), Ok(5), "the receiver still waits, and the place is free");
    }
}

#[test]
fn a_place_given_back_goes_to_the_next_sender() {
    let (s, r) = bounded(1);
    let held = {
        let mut select = Select::new();
        select.send(&s);
        select.select()
    };
    let waits = {
        let s = s.clone();
        thread::spawn(move || s.send(1))
    };
    settle();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(held))).is_err());
    assert_eq!(r.recv(), Ok(1));
    waits.join().unwrap().unwrap();
    assert!(s.try_send(2).is_ok() && r.try_recv() == Ok(2));
}

#[test]
fn a_place_given_back_in_a_ring_is_passed_over() {
    let (s, r) = bounded(2);
    let held = {
        let mut select = Select::new();
        select.send(&s);
        select.select()
    };
    s.send(1).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(held))).is_err());
    assert_eq!(r.recv_timeout(ms(1000)), Ok(1));
    for n in 2..8 {
        s.send(n).unwrap();
        assert_eq!(r.try_recv(), Ok(n));
    }
}

#[test]
fn a_promise_kept_relieves_who_waits_behind_it() {
    let (s, r) = bounded(1);
    let held = {
        let mut select = Select::new();
        select.send(&s);
        select.select()
    };
    let receivers: Vec<_> = (0..2)
        .map(|_| {
            let r = r.clone();
            thread::spawn(move || r.recv())
        })
        .collect();
    let sender = {
        let s = s.clone();
        thread::spawn(move || s.send(2))
    };
    settle();
    held.send(&s, 1).unwrap();
    let sum: i32 = receivers.into_iter().map(|receiver| receiver.join().unwrap().unwrap()).sum();
    assert_eq!((sum, sender.join().unwrap()), (3, Ok(())));
}

#[test]
fn wrong_ends_are_refused() {
    let (s, r) = bounded::<i32>(1);
    let (other, _keep) = bounded::<i32>(1);
    let mut select = Select::new();
    select.send(&s);
    assert!(catch_unwind(AssertUnwindSafe(|| select.select().send(&other, 1))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| select.select().recv(&r))).is_err(), "it was a send");
    select.select().send(&s, 1).unwrap();
    assert_eq!(r.recv(), Ok(1));
}

#[test]
fn removing_and_recycling() {
    let (s, r) = unbounded();
    let (gone, dead) = unbounded::<i32>();
    drop(gone);
    s.send(1).unwrap();
    let mut select = Select::new();
    let (live, ended) = (select.recv(&r), select.recv(&dead));
    select.remove(ended);
    assert!(catch_unwind(AssertUnwindSafe(|| select.remove(ended))).is_err());
    assert_eq!(select.recv(&dead), 2, "numbers are not used twice");
    select.remove(2);
    let operation = select.clone().select();
    assert_eq!(operation.index(), live);
    operation.recv(&r).unwrap();
    let mut select = select.recycle();
    let (s, r) = unbounded();
    s.send(2).unwrap();
    assert_eq!(select.recv(&r), 0);
    assert_eq!(select.select().recv(&r), Ok(2));
}

#[test]
fn clocks() {
    let (_s, r) = unbounded::<()>();
    let (once, ticks) = (after(ms(15)), tick(ms(40)));
    let start = Instant::now();
    let mut select = Select::new();
    select.recv(&r);
    select.recv(&once);
    select.recv(&ticks);
    let operation = select.select();
    assert_eq!(operation.index(), 1);
    operation.recv(&once).unwrap();
    assert_eq!(select.ready(), 2);
    let operation = select.select();
    assert_eq!(operation.index(), 2);
    operation.recv(&ticks).unwrap();
    assert!(start.elapsed() >= ms(40));
}
