//! What the idle word says: how many search, watch, and sleep.
//!
//! A worker without work is in one of three states, and the word counts them:
//!
//! | adds | what | changed by |
//! |---|---|---|
//! | 1 for each | sleeper: parked until somebody calls | who holds the roster lock |
//! | 2^16 | a watcher: parked, looks around by a clock | who holds the roster lock |
//! | -2^32 for each | searcher: awake and looking for work | anybody, by one addition |
//! | -2^48 | full: the watcher has found every processor busy | the watcher, who holds the roster lock |
//!
//! Who pushes a task looks at the word once, at its sign. Only if it is positive there may be something to do:
//! nobody searches. Else no worker is idle (zero), somebody searches, or all processors are busy.
//!
//! The word itself, and all accesses to it, are the [roster](super::roster)'s.

pub(super) const SLEEPER: u64 = 1;
pub(super) const SLEEPERS: u64 = (1 << 16) - 1;
pub(super) const WATCHER: u64 = 1 << 16;
pub(super) const SEARCHER: u64 = (1_u64 << 32).wrapping_neg();
pub(super) const FULL: u64 = (1_u64 << 48).wrapping_neg();

/// How many searchers a word counts.
pub(super) fn searchers(word: u64) -> u64 {
    below_zero(word) & ((1 << 16) - 1)
}

pub(super) fn is_full(word: u64) -> bool {
    below_zero(word) >> 16 != 0
}

/// What the searchers and the full bit have taken from a word, in units of a searcher.
fn below_zero(word: u64) -> u64 {
    let above = word & ((1 << 32) - 1);
    above.wrapping_sub(word) >> 32
}

/// Whether only sleepers are idle when the only searcher has ended its search.
pub(super) fn leaves_sleepers_alone(word: u64) -> bool {
    searchers(word) == 1 && word & WATCHER == 0 && word & SLEEPERS != 0
}

/// In what way somebody is idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idle {
    /// Somebody searches or watches, and comes by itself.
    Looking,
    /// All who are idle sleep until they are called.
    Asleep,
}
