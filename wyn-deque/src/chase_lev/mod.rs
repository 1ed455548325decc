//! The Chase-Lev deque with crossbeam-deque's interface.
//!
//! D. Chase, Y. Lev, *Dynamic circular work-stealing deque*, SPAA 2005, with the fences of N. M. Lê,
//! A. Pop, A. Cohen, F. Zappa Nardelli, *Correct and efficient work-stealing for weak memory
//! models*, PPoPP 2013.
mod ahead;
mod inner;
mod stealer;
mod worker;

pub use stealer::Stealer;
pub use worker::Worker;

/// Most tasks that `steal_batch` and `steal_batch_and_pop` move, as in crossbeam-deque.
pub(crate) const MAX_BATCH: usize = 32;
