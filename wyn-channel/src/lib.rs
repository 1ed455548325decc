#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod alarm;
mod channel;
#[cfg(all(wyn_chaos, not(wyn_loom)))]
mod chaos;
mod discard;
mod error;
#[allow(unsafe_code, reason = "pins the operations inside")]
mod future;
pub mod hook;
mod iter;
#[allow(unsafe_code, reason = "links through waiters on other stacks")]
mod list;
#[allow(unsafe_code, reason = "the value behind the lock")]
mod lock;
#[allow(unsafe_code, reason = "moves messages between stacks")]
mod locked;
#[allow(unsafe_code, reason = "a box that both ends know, freed by the last")]
pub mod oneshot;
#[allow(unsafe_code, reason = "messages that others take out of a pinned future")]
mod pending;
mod receiver;
#[allow(unsafe_code, reason = "claims turn shared slots into owned messages")]
mod ring;
#[allow(unsafe_code, reason = "messages without their type; waiters in several lists")]
mod select;
mod sender;
mod shared;
mod spin;
#[allow(unsafe_code, reason = "pins the operations inside")]
mod stream;
#[cfg_attr(wyn_loom, allow(unsafe_code, reason = "watches memory that is handed over"))]
mod sync;
mod timer;
#[allow(unsafe_code, reason = "waiters that others find in the list")]
mod value;
#[allow(unsafe_code, reason = "tickets are decided by other threads")]
mod wait;

pub use channel::{after, at, bounded, never, tick, unbounded};
pub use error::{
    ReadyTimeoutError, RecvError, RecvTimeoutError, SelectTimeoutError, SendError, SendTimeoutError,
    TryReadyError, TryRecvError, TrySelectError, TrySendError,
};
pub use future::{RecvFuture, SendFuture};
pub use iter::{IntoIter, Iter, TryIter};
pub use oneshot::oneshot;
pub use receiver::Receiver;
pub use select::{Select, SelectedOperation};
pub use sender::Sender;
pub use stream::{RecvStream, SendSink};
pub use value::{Integer, Value, WaitFor};

/// What the macros expand to. Not part of the interface.
#[doc(hidden)]
pub mod internal {
    pub use crate::select::{Case, select, select_timeout, try_select};
}
