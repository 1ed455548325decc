//! crossbeam-channel.

use crossbeam_channel::{Receiver, Select, Sender, bounded, unbounded};

use super::{HOLDS_ITS_WORKER, room};
use crate::backends::no_such_notion;
use crate::record::{Cell, Line};
use crate::workloads::channels::{self, Family, OneMessage};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    match family {
        Family::Blocking(capacity) => channels::full::<Crossbeam>(cell, capacity),
        Family::Oneshot => channels::oneshots::<OneMessage<Crossbeam>>(cell),
        Family::Async(_) => no_such_notion("nothing to await"),
        Family::Tasks(_) => no_such_notion(HOLDS_ITS_WORKER),
    }
}

struct Crossbeam;

blocking! {
    Crossbeam: Sender<u64> => Receiver<u64>,
    open: |capacity| room(capacity).map_or_else(unbounded, bounded),
    calls: send, recv
}
cloned! { Crossbeam: ManySenders, ManyReceivers }
selects! { Crossbeam: Select<'_> }
