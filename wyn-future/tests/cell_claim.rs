//! A handle that may run the cell itself, beside whoever pops its entry: each way, in one thread.
#![cfg(not(wyn_loom))]

mod common;

use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::ptr::NonNull;
use std::task::{Context, Waker};

use common::Flag;
use wyn_future::cell::{Begun, Claim, Header, Outcome, Owner, Phase, Waited};
use wyn_future::{Barrier, Fences};

static ENTRY: u64 = 0;

fn entry() -> *mut () {
    (&raw const ENTRY).cast_mut().cast()
}

fn header(origin: Option<&'static Location<'static>>) -> Header {
    Header::new(entry(), origin)
}

/// None, and places with bit 3 of their address clear and set.
fn origins() -> [Option<&'static Location<'static>>; 3] {
    // 24 bytes each: every other one has the bit set.
    let places: &'static [Location<'static>] = Box::leak(Box::new([*Location::caller(); 3]));
    let with_bit = |bit| places.iter().find(|place| std::ptr::from_ref(*place).addr() & 8 == bit);
    let origins = [None, with_bit(0), with_bit(8)];
    if cfg!(target_pointer_width = "64") {
        assert!(origins[1..].iter().all(Option::is_some));
    }
    origins
}

/// What a cell keeps of its origin.
fn kept(origin: Option<&'static Location<'static>>) -> Option<*const Location<'static>> {
    origin.filter(|_| cfg!(target_pointer_width = "64")).map(std::ptr::from_ref)
}

fn origin(cell: &Header) -> Option<*const Location<'static>> {
    // SAFETY: the tests are the handle and the owner, in one thread.
    unsafe { cell.origin() }.map(std::ptr::from_ref)
}

fn begin(cell: &Header) -> Begun {
    // SAFETY: a live cell on the caller's stack; the tests begin it once, and `Fences` keeps its promise.
    unsafe { Header::begin::<Fences>(cell, 7) }
}

fn complete(cell: &Header, outcome: Outcome) -> Owner {
    // SAFETY: a live cell on the caller's stack; the tests complete it once, after they have begun it.
    unsafe { Header::complete::<Fences>(cell, outcome) }
}

fn wait_or_claim<R>(cell: &Header, f: impl FnOnce() -> R) -> Waited<R> {
    // SAFETY: the tests are the handle, and begin the cell with the same barrier.
    unsafe { cell.wait_or_claim::<Fences, _>(f) }
}

#[track_caller]
fn claim(cell: &Header) -> Claim {
    match wait_or_claim(cell, || ()) {
        Waited::Claimed(claim) => claim,
        Waited::Over(()) => panic!("it has not been started"),
    }
}

#[track_caller]
fn over<R>(waited: Waited<R>) -> R {
    match waited {
        Waited::Over(result) => result,
        Waited::Claimed(_) => panic!("it has been started"),
    }
}

fn leave(cell: &Header) -> bool {
    // SAFETY: claimed by the caller, and there is no payload.
    unsafe { Header::leave_claimed(cell) }
}

fn poll(cell: &Header, waker: &Waker) -> bool {
    // SAFETY: the tests are the handle.
    unsafe { cell.poll::<Fences>(&Context::from_waker(waker)) }
}

#[test]
fn the_last_one_out_frees() {
    for origin in origins() {
        // The entry is popped after the handle has left,
        let cell = header(origin);
        let claim = claim(&cell);
        assert_eq!((claim.entry, claim.origin.map(std::ptr::from_ref)), (entry(), kept(origin)));
        assert_eq!((cell.entry(), cell.phase()), (entry(), Phase::Ready), "a late runner reads it here");
        assert!(!leave(&cell));
        assert_eq!(cell.entry(), entry());
        assert_eq!(begin(&cell), Begun::Void { frees: true });
        // or before.
        let cell = header(origin);
        let _ = self::claim(&cell);
        assert_eq!(begin(&cell), Begun::Void { frees: false });
        assert!(leave(&cell));
    }
}

#[test]
fn claimed_words_hold_no_address() {
    for place in origins() {
        let cell = header(place);
        let _ = claim(&cell);
        assert_eq!(origin(&cell), None);
        assert!(!leave(&cell));
        assert_eq!(origin(&cell), None);
        assert_eq!(begin(&cell), Begun::Void { frees: true });
        assert_eq!(origin(&cell), None);
    }
}

#[test]
fn what_has_begun_is_not_claimed() {
    for origin in origins() {
        let cell = header(origin);
        assert_eq!(begin(&cell), Begun::Mine);
        assert_eq!(cell.phase(), Phase::Running(7));
        assert_eq!(over(wait_or_claim(&cell, || "waited")), "waited");
        assert_eq!(self::origin(&cell), kept(origin));
        assert_eq!(complete(&cell, Outcome::Value), Owner::Other);
        assert_eq!(over(wait_or_claim(&cell, || cell.left())), Some(Outcome::Value));
        assert_eq!(self::origin(&cell), kept(origin));
    }
}

/// A barrier in whose heavy half the entry of `BEGINS` is popped, and perhaps completed.
struct Meanwhile;

thread_local! {
    static BEGINS: std::cell::Cell<Option<(NonNull<Header>, bool)>> = const { std::cell::Cell::new(None) };
}

impl Barrier for Meanwhile {
    fn light() {
        Fences::light();
    }
    fn heavy() {
        let Some((cell, completes)) = BEGINS.take() else { return };
        // SAFETY: the test that has put it there waits with it.
        let cell = unsafe { cell.as_ref() };
        assert_eq!(begin(cell), Begun::Mine, "the waiter may claim, but has not");
        if completes {
            assert_eq!(complete(cell, Outcome::Cancelled), Owner::Other);
        }
    }
}

fn wait_while_begun<R>(cell: &Header, completes: bool, f: impl FnOnce() -> R) -> R {
    BEGINS.set(Some((NonNull::from(cell), completes)));
    // SAFETY: the tests are the handle; what happens in the barrier happens in this thread, in that order.
    over(unsafe { cell.wait_or_claim::<Meanwhile, _>(f) })
}

#[test]
fn a_refused_claim_can_be_withdrawn() {
    for origin in origins() {
        let cell = header(origin);
        wait_while_begun(&cell, false, || assert_eq!(self::origin(&cell), kept(origin)));
        assert_eq!((cell.left(), self::origin(&cell)), (None, kept(origin)));
        // And again, now that it has begun.
        assert_eq!(over(wait_or_claim(&cell, || self::origin(&cell))), kept(origin));
        assert_eq!(self::origin(&cell), kept(origin));
        assert_eq!(complete(&cell, Outcome::Value), Owner::Other);
    }
}

#[test]
fn a_refused_claim_is_told() {
    for origin in origins() {
        let cell = header(origin);
        assert_eq!(wait_while_begun(&cell, true, || cell.left()), Some(Outcome::Cancelled));
        assert_eq!(self::origin(&cell), kept(origin));
    }
}

#[test]
fn completed_while_the_right_to_claim_is_registered() {
    for origin in origins() {
        let cell = header(origin);
        assert_eq!(begin(&cell), Begun::Mine);
        over(wait_or_claim(&cell, || {
            assert_eq!(self::origin(&cell), kept(origin));
            assert_eq!(complete(&cell, Outcome::Panic), Owner::Other);
            assert_eq!(self::origin(&cell), kept(origin));
        }));
        assert_eq!((cell.left(), self::origin(&cell)), (Some(Outcome::Panic), kept(origin)));
    }
}

#[test]
fn who_only_waits_claims_nothing() {
    let (flag, waker) = Flag::new();
    for origin in origins() {
        // A thread,
        let cell = header(origin);
        // SAFETY: the handle of the cell; the closure is the runner, not the handle.
        unsafe { cell.wait::<Fences, _>(|| assert_eq!(begin(&cell), Begun::Mine)) };
        assert_eq!(complete(&cell, Outcome::Value), Owner::Other);
        // and a task.
        let cell = header(origin);
        assert!(!poll(&cell, &waker));
        assert_eq!(begin(&cell), Begun::Mine);
        assert_eq!(self::origin(&cell), kept(origin));
        assert_eq!(complete(&cell, Outcome::Value), Owner::Other);
        // SAFETY: the completer has left, and the cell is not used again as one.
        unsafe { cell.finish() };
        assert_eq!(self::origin(&cell), kept(origin));
    }
    assert_eq!(flag.wakes(), origins().len());
}

#[test]
fn a_task_that_waited_may_claim_as_a_thread() {
    let (flag, waker) = Flag::new();
    for origin in origins() {
        let cell = header(origin);
        assert!(!poll(&cell, &waker));
        assert_eq!(claim(&cell).origin.map(std::ptr::from_ref), kept(origin));
        assert!(!leave(&cell));
        assert_eq!(begin(&cell), Begun::Void { frees: true });
    }
    drop(waker);
    assert_eq!((flag.wakes(), std::sync::Arc::strong_count(&flag)), (0, 1));
}

#[test]
fn a_handle_that_goes_has_claimed_nothing() {
    for origin in origins() {
        // It is going,
        let cell = header(origin);
        // SAFETY: a live cell, given up.
        assert_eq!(unsafe { Header::begin_abandon(&raw const cell) }, None);
        assert_eq!(begin(&cell), Begun::Mine);
        Fences::heavy();
        // SAFETY: begun above, with the barrier in between.
        assert_eq!(unsafe { Header::end_abandon(&raw const cell) }, Owner::Other);
        assert_eq!(self::origin(&cell), kept(origin));
        assert_eq!(complete(&cell, Outcome::Value), Owner::Mine(Outcome::Value));
        assert_eq!(self::origin(&cell), kept(origin));
        // has gone,
        let cell = header(origin);
        // SAFETY: a live cell, given up.
        assert_eq!(unsafe { Header::abandon::<Fences>(&raw const cell) }, Owner::Other);
        assert_eq!(begin(&cell), Begun::Mine);
        assert_eq!(complete(&cell, Outcome::Value), Owner::Mine(Outcome::Value));
        // or went before anybody else knew the cell.
        let cell = header(origin);
        // SAFETY: a live cell; nobody else knows it.
        unsafe { Header::abandon_unstarted(&raw const cell) };
        assert_eq!(begin(&cell), Begun::Mine);
        assert_eq!(complete(&cell, Outcome::Value), Owner::Mine(Outcome::Value));
    }
}

#[test]
fn panic_while_it_cannot_claim_takes_the_registration_back() {
    let cell = header(None);
    assert_eq!(begin(&cell), Begun::Mine);
    let waiting = || over(wait_or_claim(&cell, || panic!("on purpose")));
    assert!(catch_unwind(AssertUnwindSafe(waiting)).is_err());
    assert_eq!(complete(&cell, Outcome::Value), Owner::Other);
    assert_eq!(cell.left(), Some(Outcome::Value));
}

/// The barrier runs while the waiter is registered, and may claim: it may not be left in the word.
#[test]
fn panic_in_the_barrier_takes_the_right_to_claim_back() {
    struct Explosive;
    impl Barrier for Explosive {
        fn light() {}
        fn heavy() {
            panic!("on purpose");
        }
    }
    let cell = header(None);
    // SAFETY: the handle of the cell; nobody else is there to begin it meanwhile.
    let waiting = || unsafe { cell.wait_or_claim::<Explosive, ()>(|| ()) };
    assert!(catch_unwind(AssertUnwindSafe(waiting)).is_err());
    assert_eq!(begin(&cell), Begun::Mine);
    assert_eq!(complete(&cell, Outcome::Value), Owner::Other);
}
