//! The backends of the group of one-shot results.

mod std;
#[cfg(feature = "wyn")]
mod wyn;

use crate::record::{Cell, Line};
use crate::workloads::future::oneshots;

/// Measures a cell of one-shot results on the backend of that name; `None` if this build has no such backend.
pub(super) fn run(backend: &str, cell: &Cell) -> Option<Line> {
    Some(match backend {
        #[cfg(feature = "wyn")]
        "wyn" => oneshots::<wyn::Pair>(cell),
        #[cfg(feature = "wyn")]
        "wyn_slab" => oneshots::<wyn::Entry>(cell),
        "std" => oneshots::<std::OneMessage>(cell),
        #[cfg(feature = "peer-oneshot")]
        "oneshot" => oneshots::<OneshotCrate>(cell),
        #[cfg(feature = "peer-tokio")]
        "tokio" => oneshots::<Tokio>(cell),
        _ => return None,
    })
}

#[cfg(feature = "peer-oneshot")]
struct OneshotCrate;

#[cfg(feature = "peer-oneshot")]
impl crate::backend::Oneshot for OneshotCrate {
    type Sender = oneshot::Sender<u64>;
    type Receiver = oneshot::Receiver<u64>;

    fn open() -> (Self::Sender, Self::Receiver) {
        oneshot::channel()
    }

    #[inline]
    fn send(sender: Self::Sender, msg: u64) {
        sender.send(msg).expect("somebody takes it");
    }

    #[inline]
    fn recv(receiver: Self::Receiver) -> u64 {
        receiver.recv().expect("somebody completes it")
    }
}

#[cfg(feature = "peer-tokio")]
struct Tokio;

#[cfg(feature = "peer-tokio")]
impl crate::backend::Oneshot for Tokio {
    type Sender = tokio::sync::oneshot::Sender<u64>;
    type Receiver = tokio::sync::oneshot::Receiver<u64>;

    fn open() -> (Self::Sender, Self::Receiver) {
        tokio::sync::oneshot::channel()
    }

    #[inline]
    fn send(sender: Self::Sender, msg: u64) {
        sender.send(msg).expect("somebody takes it");
    }

    #[inline]
    fn recv(receiver: Self::Receiver) -> u64 {
        receiver.blocking_recv().expect("somebody completes it")
    }
}
