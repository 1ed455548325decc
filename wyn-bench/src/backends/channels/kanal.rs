//! kanal.

use kanal::{
    AsyncReceiver, AsyncSender, Receiver, Sender, bounded, bounded_async, unbounded, unbounded_async,
};

use super::room;
use crate::backends::tokio;
use crate::record::{Cell, Line};
use crate::workloads::channels::{self, Family, OneMessage};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    match family {
        Family::Blocking(capacity) => channels::many_to_many::<Kanal>(cell, capacity),
        Family::Oneshot => channels::oneshots::<OneMessage<Kanal>>(cell),
        Family::Async(capacity) => channels::awaited::<Kanal>(cell, capacity),
        Family::Tasks(capacity) => channels::awaiting_tasks::<tokio::Tokio, Kanal>(cell, capacity),
    }
}

struct Kanal;

blocking! {
    Kanal: Sender<u64> => Receiver<u64>,
    open: |capacity| room(capacity).map_or_else(unbounded, bounded),
    calls: send, recv
}
awaited! {
    Kanal: AsyncSender<u64> => AsyncReceiver<u64>,
    open: |capacity| room(capacity).map_or_else(unbounded_async, bounded_async),
    calls: send, recv
}
cloned! { Kanal: ManySenders, ManyReceivers, AsyncManySenders }
