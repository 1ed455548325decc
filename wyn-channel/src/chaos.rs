//! Atomics that dawdle: under `cfg(wyn_chaos)` every operation stands between two random pauses, which
//! stretches the windows that stress tests hope to hit.
//!
//! Only [`crate::sync`] names this. Knows nothing of what the atomics are for.

use std::cell::Cell;
use std::ops::Deref;

use crate::sync::plain as atomic;

thread_local! {
    static SEED: Cell<u8> = const { Cell::new(0) };
    /// Xorshift state, different in each thread.
    static DICE: Cell<u64> = Cell::new(SEED.with(|seed| std::ptr::from_ref(seed).addr() as u64 | 1));
}

/// Mostly nothing, sometimes a spin, now and then the rest of the time slice.
fn dawdle() {
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
        Ok(roll) if roll % 64 == 0 => std::thread::yield_now(),
        Ok(roll) if roll % 8 == 0 => (0..roll % 64).for_each(|_| std::hint::spin_loop()),
        _ => {}
    }
}

/// An atomic that dawdles before each operation: whoever calls one has to come by `deref`.
#[derive(Debug, Default)]
pub(crate) struct Dawdling<A>(A);

impl<A> Deref for Dawdling<A> {
    type Target = A;

    fn deref(&self) -> &A {
        dawdle();
        &self.0
    }
}

pub(crate) type AtomicBool = Dawdling<atomic::AtomicBool>;
pub(crate) type AtomicUsize = Dawdling<atomic::AtomicUsize>;

impl AtomicBool {
    pub(crate) const fn new(value: bool) -> Self {
        Self(atomic::AtomicBool::new(value))
    }
}

impl AtomicUsize {
    pub(crate) const fn new(value: usize) -> Self {
        Self(atomic::AtomicUsize::new(value))
    }
}
