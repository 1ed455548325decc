//! The thread that wakes futures which await a timer of wyn-channel: no thread from outside, whatever was promised.

#[cfg(feature = "channel")]
use wyn_channel::hook::{self, Clock};

/// Whether it will wake somebody, or is just about to.
pub(super) fn is_set() -> bool {
    #[cfg(feature = "channel")]
    return hook::clock() == Clock::Set;
    #[cfg(not(feature = "channel"))]
    false
}

/// Whether it is there, and wakes nobody before a timer is set.
pub(super) fn is_idle() -> bool {
    #[cfg(feature = "channel")]
    return hook::clock() == Clock::Idle;
    #[cfg(not(feature = "channel"))]
    false
}
