//! Tokio's channels: `mpsc` by the calls that block and by await, between threads without its runtime and between
//! its tasks; `oneshot`.

use ::tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use ::tokio::sync::oneshot;

use super::limit;
use crate::backend::Oneshot;
use crate::backends::{no_such_notion, tokio};
use crate::record::{Capacity, Cell, Line};
use crate::workloads::channels::{self, Family};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    match family {
        Family::Oneshot => channels::oneshots::<Limited>(cell),
        Family::Blocking(Capacity::Bounded(0))
        | Family::Async(Capacity::Bounded(0))
        | Family::Tasks(Capacity::Bounded(0)) => {
            no_such_notion("a channel has room for one message at least")
        }
        Family::Blocking(capacity @ Capacity::Unbounded) => {
            channels::many_to_one::<Unlimited>(cell, capacity)
        }
        Family::Blocking(capacity) => channels::many_to_one::<Limited>(cell, capacity),
        Family::Async(capacity @ Capacity::Unbounded) => channels::awaited::<Unlimited>(cell, capacity),
        Family::Async(capacity) => channels::awaited::<Limited>(cell, capacity),
        Family::Tasks(capacity @ Capacity::Unbounded) => {
            channels::awaiting_tasks::<tokio::Tokio, Unlimited>(cell, capacity)
        }
        Family::Tasks(capacity) => channels::awaiting_tasks::<tokio::Tokio, Limited>(cell, capacity),
    }
}

struct Limited;
struct Unlimited;

blocking! {
    Limited: Sender<u64> => Receiver<u64>,
    open: |capacity| channel(limit(capacity)),
    calls: blocking_send, blocking_recv
}
blocking! {
    Unlimited: UnboundedSender<u64> => UnboundedReceiver<u64>,
    open: |_| unbounded_channel(),
    calls: send, blocking_recv
}
awaited! {
    Limited: Sender<u64> => Receiver<u64>,
    open: |capacity| channel(limit(capacity)),
    calls: send, recv
}
awaited! {
    Unlimited: UnboundedSender<u64> => UnboundedReceiver<u64>,
    open: |_| unbounded_channel(),
    calls: at once send, recv
}
cloned! { Limited: ManySenders, AsyncManySenders }
cloned! { Unlimited: ManySenders, AsyncManySenders }

impl Oneshot for Limited {
    type Sender = oneshot::Sender<u64>;
    type Receiver = oneshot::Receiver<u64>;

    fn open() -> (oneshot::Sender<u64>, oneshot::Receiver<u64>) {
        oneshot::channel()
    }

    #[inline]
    fn send(sender: oneshot::Sender<u64>, msg: u64) {
        sender.send(msg).expect("somebody receives");
    }

    #[inline]
    fn recv(receiver: oneshot::Receiver<u64>) -> u64 {
        receiver.blocking_recv().expect("somebody sends")
    }
}
