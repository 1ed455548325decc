//! Places that a select holds, in every interleaving: others pass them, and nothing is lost.
//!
//! The capacities are those of `loom.rs`. Run by
//! `RUSTFLAGS="--cfg wyn_loom" cargo test --profile loom -p wyn-channel --test loom_held`.
#![cfg(wyn_loom)]

mod loom_common;

use loom::thread;
use loom_common::{check, expect_failures};
use wyn_channel::{Select, bounded};

/// A select holds a place and fills it, while messages of another sender go past it.
fn a_held_place_is_passed(cap: usize, preemptions: usize) {
    check(preemptions, move || {
        let (s, r) = bounded(cap);
        let s2 = s.clone();
        let mut select = Select::new();
        select.send(&s);
        let held = select.try_select().unwrap();
        let goes_past = thread::spawn(move || (0..2).filter(|_| s2.try_send(2).is_ok()).count());
        let receives = thread::spawn(move || {
            let got: Vec<u8> = (0..2).filter_map(|_| r.try_recv().ok()).collect();
            (got, r)
        });
        held.send(&s, 1).unwrap();
        let sent = goes_past.join().unwrap();
        let (mut got, r) = receives.join().unwrap();
        got.extend(r.try_iter());
        got.sort_unstable();
        assert_eq!((got.len(), got[0], r.len()), (sent + 1, 1, 0));
        drop(select);
        // Every place is there again.
        (0..cap).for_each(|_| s.try_send(3).unwrap());
        assert!(s.try_send(3).is_err());
        assert_eq!(r.try_iter().count(), cap);
    });
}

#[test]
fn ring_of_one_a_held_place_is_passed() {
    a_held_place_is_passed(1, 3);
}

#[test]
fn ring_of_two_a_held_place_is_passed() {
    a_held_place_is_passed(2, 2);
}

#[test]
fn growing_a_held_place_is_passed() {
    a_held_place_is_passed(3, 2);
}

/// A select that gives its place up against a receiver that passes it and a sender that wants it. With more involuntary
/// switches loom keeps a thread away that is about to fill a slot, while another looks for it.
#[test]
fn a_held_place_is_given_back() {
    for cap in [1, 2, 3] {
        check(1, move || {
            let (s, r) = bounded(cap);
            (1..cap).for_each(|_| s.try_send(0).unwrap());
            let s2 = s.clone();
            let mut select = Select::new();
            select.send(&s);
            let held = select.try_select().unwrap();
            let sends = thread::spawn(move || s2.send(2).unwrap());
            let receives = thread::spawn(move || {
                let first = r.recv();
                (first, r)
            });
            // As a panic in the message does, without the panic, which loom takes for a failure.
            held.give_up();
            sends.join().unwrap();
            let (first, r) = receives.join().unwrap();
            let got: Vec<usize> = first.into_iter().chain(r.try_iter()).collect();
            assert_eq!((got.len(), got[cap - 1]), (cap, 2));
        });
    }
}

#[test]
fn planted_flaws_are_found() {
    expect_failures(&[("fill-blindly", "ring_of_one_a_held_place_is_passed")]);
}
