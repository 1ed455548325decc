//! thingbuf's channels for many senders: one type that blocks and one that is awaited.

use ::thingbuf::mpsc::{self, blocking};

use super::limit;
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
        Family::Blocking(Capacity::Unbounded)
        | Family::Async(Capacity::Unbounded)
        | Family::Tasks(Capacity::Unbounded) => no_such_notion("a channel has a limit"),
        Family::Blocking(capacity) => channels::many_to_one::<Thingbuf>(cell, capacity),
        Family::Async(capacity) => channels::awaited::<Thingbuf>(cell, capacity),
        Family::Oneshot => channels::oneshots::<OneMessage<Thingbuf>>(cell),
        Family::Tasks(capacity) => channels::awaiting_tasks::<tokio::Tokio, Thingbuf>(cell, capacity),
    }
}

struct Thingbuf;

blocking! {
    Thingbuf: blocking::Sender<u64> => blocking::Receiver<u64>,
    open: |capacity| blocking::channel(limit(capacity)),
    calls: send, recv
}
awaited! {
    Thingbuf: mpsc::Sender<u64> => mpsc::Receiver<u64>,
    open: |capacity| mpsc::channel(limit(capacity)),
    calls: send, recv
}
cloned! { Thingbuf: ManySenders, AsyncManySenders }
