//! Atomics that dawdle: under `cfg(wyn_chaos)` every operation is preceded by a random pause, and so
//! is every access to a cell, which stretches the windows that stress tests hope to hit.
//!
//! Only [`crate::sync`] names this. Knows nothing of what the atomics are for.

use std::cell::Cell;
use std::ops::Deref;

use crate::sync::plain::{self as atomic, Ordering};

thread_local! {
    /// Xorshift state, different in each thread.
    static DICE: Cell<u64> = Cell::new(std::ptr::from_ref(&DICE_SEED).addr() as u64 | 1);
    static DICE_SEED: Cell<u8> = const { Cell::new(0) };
}

/// Mostly nothing, sometimes a spin, now and then the rest of the time slice.
pub(crate) fn dawdle() {
    // A thread at its end has no dice left, and pauses no more.
    let rolled = DICE.try_with(|dice| {
        let mut state = dice.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        dice.set(state);
        state >> 40
    });
    match rolled {
        Ok(roll) if roll % 128 == 0 => std::thread::yield_now(),
        Ok(roll) if roll % 8 == 0 => (0..roll % 64).for_each(|_| std::hint::spin_loop()),
        _ => {}
    }
}

/// An atomic that dawdles before each operation: whoever calls one has to come by `deref`.
#[derive(Debug)]
pub(crate) struct Dawdling<A>(A);

impl<A> Deref for Dawdling<A> {
    type Target = A;

    fn deref(&self) -> &A {
        dawdle();
        &self.0
    }
}

pub(crate) type AtomicU8 = Dawdling<atomic::AtomicU8>;
pub(crate) type AtomicU32 = Dawdling<atomic::AtomicU32>;
pub(crate) type AtomicUsize = Dawdling<atomic::AtomicUsize>;
pub(crate) type AtomicPtr<T> = Dawdling<atomic::AtomicPtr<T>>;

impl AtomicU8 {
    pub(crate) const fn new(value: u8) -> Self {
        Self(atomic::AtomicU8::new(value))
    }
}

impl AtomicU32 {
    pub(crate) const fn new(value: u32) -> Self {
        Self(atomic::AtomicU32::new(value))
    }
}

impl AtomicUsize {
    pub(crate) const fn new(value: usize) -> Self {
        Self(atomic::AtomicUsize::new(value))
    }
}

impl<T> AtomicPtr<T> {
    pub(crate) const fn new(value: *mut T) -> Self {
        Self(atomic::AtomicPtr::new(value))
    }
}

/// A fence between two pauses.
pub(crate) fn fence(ordering: Ordering) {
    dawdle();
    // Ordering: the caller's.
    atomic::fence(ordering);
    dawdle();
}
