#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod barrier;
#[allow(unsafe_code, reason = "the two-word protocol: reads waiters through tagged pointers")]
pub mod cell;
mod error;
#[allow(unsafe_code, reason = "owns the shared allocation behind the pair and its payload")]
mod oneshot;
#[allow(unsafe_code, reason = "slots are shared between the two ends by generation")]
mod slab;
mod state;
#[cfg_attr(wyn_loom, allow(unsafe_code, reason = "watches freed memory"))]
mod sync;
mod waiter;

pub use barrier::{Barrier, Fences};
pub use error::{Dropped, TryTakeError};
pub use oneshot::{Completer, Promise, oneshot};
pub use slab::{CompleteError, Key, Slab, SlabError, Wait};
