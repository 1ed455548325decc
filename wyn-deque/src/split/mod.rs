//! A split deque whose boundary the thieves move; its owner pays no locked instruction.

mod barrier;
mod index;
#[allow(unsafe_code, reason = "moves items in and out of slots")]
mod ring;
#[allow(unsafe_code, reason = "drops the items that are left")]
mod shared;
#[allow(unsafe_code, reason = "reads the slots it claimed")]
mod stealer;
mod words;
#[allow(unsafe_code, reason = "writes and reads the slots it owns")]
mod worker;

pub use barrier::{Barrier, Fences};
pub use stealer::Stealer;
pub use worker::Worker;

/// Rounds of spinning before a waiting owner yields its processor.
#[cfg(not(wyn_loom))]
const SPIN_ROUNDS: u32 = 32;

/// One step of waiting for a thief's decision.
#[cfg(not(wyn_loom))]
fn pause(round: u32) {
    if round < SPIN_ROUNDS {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

/// Lets another thread of the model run.
#[cfg(wyn_loom)]
fn pause(_round: u32) {
    loom::thread::yield_now();
}
