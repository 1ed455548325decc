//! The standard library's channels: `sync_channel` with a limit, `channel` without.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use super::{HOLDS_ITS_WORKER, limit};
use crate::backends::no_such_notion;
use crate::record::{Capacity, Cell, Line};
use crate::workloads::channels::{self, Family, OneMessage};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    match family {
        Family::Blocking(Capacity::Unbounded) => {
            channels::many_to_one::<Unlimited>(cell, Capacity::Unbounded)
        }
        Family::Blocking(capacity) => channels::many_to_one::<Limited>(cell, capacity),
        Family::Oneshot => channels::oneshots::<OneMessage<Limited>>(cell),
        Family::Async(_) => no_such_notion("nothing to await"),
        Family::Tasks(_) => no_such_notion(HOLDS_ITS_WORKER),
    }
}

struct Limited;
struct Unlimited;

blocking! {
    Limited: SyncSender<u64> => Receiver<u64>,
    open: |capacity| sync_channel(limit(capacity)),
    calls: send, recv
}
blocking! { Unlimited: Sender<u64> => Receiver<u64>, open: |_| channel(), calls: send, recv }
cloned! { Limited: ManySenders }
cloned! { Unlimited: ManySenders }
