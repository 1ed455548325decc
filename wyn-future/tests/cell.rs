//! The header by itself, as a scheduler uses it.
#![cfg(not(wyn_loom))]

mod common;

use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::task::Context;
use std::time::{Duration, Instant};

use common::Flag;
use wyn_future::cell::{Header, MAX_RUNNERS, Outcome, Owner, Phase};
use wyn_future::{Barrier, Fences};

const OUTCOMES: [Outcome; 3] = [Outcome::Value, Outcome::Panic, Outcome::Cancelled];

static ENTRY: u64 = 0;

fn entry() -> *mut () {
    (&raw const ENTRY).cast_mut().cast()
}

fn header() -> Header {
    Header::new(entry(), None)
}

fn complete(header: &Header, outcome: Outcome) -> Owner {
    // SAFETY: a live cell on the caller's stack; the tests complete it once.
    unsafe { Header::complete::<Fences>(header, outcome) }
}

fn abandon(header: &Header) -> Owner {
    // SAFETY: a live cell on the caller's stack; nobody waits.
    unsafe { Header::abandon::<Fences>(header) }
}

fn poll(header: &Header, waker: &std::task::Waker) -> bool {
    // SAFETY: the tests are the handle.
    unsafe { header.poll::<Fences>(&Context::from_waker(waker)) }
}

fn origin_of(header: &Header) -> Option<&'static Location<'static>> {
    // SAFETY: the tests are the handle and the owner, in one thread.
    unsafe { header.origin() }
}

#[test]
fn phases() {
    for outcome in OUTCOMES {
        for runner in [0, 1, MAX_RUNNERS - 1] {
            let cell = header();
            assert_eq!((cell.phase(), cell.entry()), (Phase::Ready, entry()));
            cell.start(runner);
            assert_eq!((cell.phase(), cell.left()), (Phase::Running(runner), None));
            assert_eq!(complete(&cell, outcome), Owner::Other);
            assert_eq!((cell.phase(), cell.left()), (Phase::Left(outcome), Some(outcome)));
            assert_eq!(cell.await_left(), outcome);
            assert_eq!(abandon(&cell), Owner::Mine(outcome));
        }
    }
}

#[test]
fn the_last_one_frees() {
    for outcome in OUTCOMES {
        let cell = header();
        assert_eq!(abandon(&cell), Owner::Other);
        assert_eq!(complete(&cell, outcome), Owner::Mine(outcome));
    }
}

#[test]
fn abandon_in_two_halves() {
    for outcome in OUTCOMES {
        // The completer comes between the halves,
        let cell = header();
        // SAFETY: a live cell, given up.
        assert_eq!(unsafe { Header::begin_abandon(&raw const cell) }, None);
        assert_eq!(complete(&cell, outcome), Owner::Other);
        Fences::heavy();
        // SAFETY: begun above, with the barrier in between.
        assert_eq!(unsafe { Header::end_abandon(&raw const cell) }, Owner::Mine(outcome));
        // after them,
        let cell = header();
        // SAFETY: as above.
        assert_eq!(unsafe { Header::begin_abandon(&raw const cell) }, None);
        Fences::heavy();
        // SAFETY: as above.
        assert_eq!(unsafe { Header::end_abandon(&raw const cell) }, Owner::Other);
        assert_eq!(complete(&cell, outcome), Owner::Mine(outcome));
        // or before.
        let cell = header();
        assert_eq!(complete(&cell, outcome), Owner::Other);
        // SAFETY: as above.
        assert_eq!(unsafe { Header::begin_abandon(&raw const cell) }, Some(Owner::Mine(outcome)));
    }
}

#[test]
fn abandoned_by_who_may_start_it() {
    let (flag, waker) = Flag::new();
    let cell = header();
    assert!(!poll(&cell, &waker));
    // SAFETY: a live cell; nobody else knows it.
    unsafe { Header::abandon_unstarted(&raw const cell) };
    drop(waker);
    assert_eq!(std::sync::Arc::strong_count(&flag), 1);
    assert_eq!(complete(&cell, Outcome::Value), Owner::Mine(Outcome::Value));
}

#[test]
fn origin_survives_every_wait() {
    let here = Location::caller();
    let (_, waker) = Flag::new();
    let cell = Header::new(entry(), Some(here));
    assert_eq!(origin_of(&cell), cfg!(target_pointer_width = "64").then_some(here));
    let origin = origin_of(&cell);
    // SAFETY: the handle of the cell.
    unsafe { cell.wait::<Fences, _>(|| ()) };
    assert_eq!(origin_of(&cell), origin);
    assert!(!poll(&cell, &waker));
    assert_eq!(origin_of(&cell), origin);
    // SAFETY: the handle of the cell.
    assert!(!unsafe { cell.park::<Fences>(Some(Instant::now() + Duration::from_millis(1))) });
    assert_eq!(origin_of(&cell), origin);
    assert!(!poll(&cell, &waker));
    assert_eq!(complete(&cell, Outcome::Panic), Owner::Other);
    assert_eq!(origin_of(&cell), origin);
    // SAFETY: the completer has left, and the cell is not used again as one.
    unsafe { cell.finish() };
    assert_eq!(origin_of(&cell), origin);
}

#[test]
fn origin_survives_leaving() {
    let here = Location::caller();
    let cell = Header::new(entry(), Some(here));
    let origin = origin_of(&cell);
    assert_eq!(abandon(&cell), Owner::Other);
    assert_eq!(complete(&cell, Outcome::Value), Owner::Mine(Outcome::Value));
    assert_eq!(origin_of(&cell), origin);
}

#[test]
fn wait_returns_what_the_closure_returns() {
    let cell = header();
    // SAFETY: the handle of the cell.
    assert_eq!(unsafe { cell.wait::<Fences, _>(|| "waited") }, "waited");
    assert_eq!(complete(&cell, Outcome::Value), Owner::Other);
}

#[test]
fn completed_inside_the_wait() {
    let cell = header();
    // SAFETY: the handle of the cell; the closure is the completer, not the handle.
    unsafe { cell.wait::<Fences, _>(|| assert_eq!(complete(&cell, Outcome::Value), Owner::Other)) };
    assert_eq!(cell.left(), Some(Outcome::Value));
}

#[test]
fn panic_during_the_wait_takes_the_registration_back() {
    let cell = header();
    // SAFETY: the handle of the cell.
    let waiting = || unsafe { cell.wait::<Fences, ()>(|| panic!("on purpose")) };
    assert!(catch_unwind(AssertUnwindSafe(waiting)).is_err());
    assert_eq!(complete(&cell, Outcome::Value), Owner::Other);
}

/// The barrier runs while the waiter is already registered: it may not be left in the word.
#[test]
fn panic_in_the_barrier_takes_the_registration_back() {
    struct Explosive;
    impl Barrier for Explosive {
        fn light() {}
        fn heavy() {
            panic!("on purpose");
        }
    }
    let cell = header();
    // SAFETY: the handle of the cell.
    let waiting = || unsafe { cell.wait::<Explosive, ()>(|| ()) };
    assert!(catch_unwind(AssertUnwindSafe(waiting)).is_err());
    assert_eq!(complete(&cell, Outcome::Value), Owner::Other);
    assert_eq!(cell.left(), Some(Outcome::Value));
}

#[test]
#[should_panic(expected = "the entry pointer lies in the first 64 KiB")]
fn entry_that_looks_like_a_phase() {
    let _ = Header::new(std::ptr::without_provenance_mut(0xffff), None);
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "no such runner")]
fn runner_out_of_range() {
    header().start(MAX_RUNNERS);
}
