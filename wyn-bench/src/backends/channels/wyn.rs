//! Wyn's channels: between plain threads, and by the calls that block between Wyn's tasks.
//!
//! Two more names are the same channels awaited: `wyn_async` by Wyn's tasks, `wyn_tokio` by Tokio's.

use wyn_channel::{Receiver, Select, Sender, bounded, oneshot, unbounded};

use super::room;
use crate::backend::{Awaiting, Oneshot};
use crate::backends::{no_such_notion, wyn};
use crate::record::{Cell, Line};
use crate::workloads::channels::{self, Family};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    match family {
        Family::Blocking(capacity) => channels::full::<Wyn>(cell, capacity),
        Family::Oneshot => channels::oneshots::<Wyn>(cell),
        Family::Async(capacity) => channels::awaited::<Wyn>(cell, capacity),
        Family::Tasks(capacity) => channels::blocking_tasks::<wyn::Wyn, Wyn>(cell, capacity),
    }
}

pub(super) fn run_awaited(cell: &Cell, family: Family) -> Line {
    run_on::<wyn::WynAsync>(cell, family)
}

#[cfg(feature = "peer-tokio")]
pub(super) fn run_on_tokio(cell: &Cell, family: Family) -> Line {
    run_on::<crate::backends::tokio::Tokio>(cell, family)
}

fn run_on<B: Awaiting>(cell: &Cell, family: Family) -> Line {
    match family {
        Family::Tasks(capacity) => channels::awaiting_tasks::<B, Wyn>(cell, capacity),
        Family::Blocking(_) | Family::Oneshot | Family::Async(_) => {
            no_such_notion("without tasks it is what wyn is")
        }
    }
}

struct Wyn;

blocking! {
    Wyn: Sender<u64> => Receiver<u64>,
    open: |capacity| room(capacity).map_or_else(unbounded, bounded),
    calls: send, recv
}
awaited! {
    Wyn: Sender<u64> => Receiver<u64>,
    open: |capacity| room(capacity).map_or_else(unbounded, bounded),
    calls: send_async, recv_async
}
cloned! { Wyn: ManySenders, ManyReceivers, AsyncManySenders }
selects! { Wyn: Select<'_> }

impl Oneshot for Wyn {
    type Sender = oneshot::Sender<u64>;
    type Receiver = oneshot::Receiver<u64>;

    fn open() -> (oneshot::Sender<u64>, oneshot::Receiver<u64>) {
        oneshot()
    }

    #[inline]
    fn send(sender: oneshot::Sender<u64>, msg: u64) {
        sender.send(msg).expect("somebody receives");
    }

    #[inline]
    fn recv(receiver: oneshot::Receiver<u64>) -> u64 {
        receiver.recv().expect("somebody sends")
    }
}
