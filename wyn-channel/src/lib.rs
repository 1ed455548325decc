#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod alarm;
mod budget;
mod channel;
#[cfg(all(wyn_chaos, not(wyn_loom)))]
mod chaos;
mod discard;
mod error;
mod foreign;
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
mod luck;
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

/// Promises that the compiler keeps, by programs it must refuse.
///
/// A message that may not cross threads makes ends that may not:
/// ```compile_fail,E0277
/// let (s, r) = wyn_channel::unbounded::<std::rc::Rc<u8>>();
/// std::thread::spawn(move || s.send(std::rc::Rc::new(1)).is_ok());
/// # drop(r);
/// ```
/// ```compile_fail,E0277
/// let (s, r) = wyn_channel::oneshot::<std::rc::Rc<u8>>();
/// std::thread::spawn(move || r.recv().is_ok());
/// # drop(s);
/// ```
/// What is borrowed by a message lives as long as the ends:
/// ```compile_fail,E0597
/// let (s, r) = wyn_channel::unbounded();
/// {
///     let local = 1;
///     s.send(&local).unwrap();
/// }
/// assert_eq!(r.recv(), Ok(&1));
/// ```
/// A select borrows its ends:
/// ```compile_fail,E0505
/// let (s, r) = wyn_channel::unbounded::<u8>();
/// let mut select = wyn_channel::Select::new();
/// select.recv(&r);
/// drop(r);
/// select.select();
/// # drop(s);
/// ```
/// A oneshot sends once:
/// ```compile_fail,E0382
/// let (s, r) = wyn_channel::oneshot();
/// s.send(1).unwrap();
/// s.send(2).unwrap();
/// # drop(r);
/// ```
/// A future of an end does not outlive it:
/// ```compile_fail,E0597
/// let future = {
///     let (s, r) = wyn_channel::unbounded::<u8>();
///     let future = r.recv_async();
///     future
/// };
/// # drop(future);
/// ```
#[cfg(doctest)]
mod refused {}

/// What the macros expand to. Not part of the interface.
#[doc(hidden)]
pub mod internal {
    pub use crate::select::{Case, select, select_timeout, try_select};
}
