//! async-channel, with its calls that block where those are asked for.

use async_channel::{Receiver, Sender, bounded, unbounded};

use super::room;
use crate::backends::{no_such_notion, tokio};
use crate::record::{Capacity, Cell, Line};
use crate::workloads::channels::{self, Family, OneMessage};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    match family {
        Family::Blocking(Capacity::Bounded(0))
        | Family::Async(Capacity::Bounded(0))
        | Family::Tasks(Capacity::Bounded(0)) => {
            no_such_notion("a channel has room for one message at least")
        }
        Family::Blocking(capacity) => channels::many_to_many::<Smol>(cell, capacity),
        Family::Oneshot => channels::oneshots::<OneMessage<Smol>>(cell),
        Family::Async(capacity) => channels::awaited::<Smol>(cell, capacity),
        Family::Tasks(capacity) => channels::awaiting_tasks::<tokio::Tokio, Smol>(cell, capacity),
    }
}

struct Smol;

blocking! {
    Smol: Sender<u64> => Receiver<u64>,
    open: |capacity| room(capacity).map_or_else(unbounded, bounded),
    calls: send_blocking, recv_blocking
}
awaited! {
    Smol: Sender<u64> => Receiver<u64>,
    open: |capacity| room(capacity).map_or_else(unbounded, bounded),
    calls: send, recv
}
cloned! { Smol: ManySenders, ManyReceivers, AsyncManySenders }
