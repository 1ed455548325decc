//! Tokio's channels: `mpsc` by the calls that block and by await, without its runtime; `oneshot`.

use ::tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use ::tokio::sync::oneshot;

use super::limit;
use crate::backend::{AsyncChannel, Channel, ManySenders, Oneshot};
use crate::backends::no_such_notion;
use crate::record::{Capacity, Cell, Line};
use crate::workloads::channels::{self, Family};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    match family {
        Family::Blocking(Capacity::Bounded(0)) | Family::Async(Capacity::Bounded(0)) => {
            no_such_notion("a channel has room for one message at least")
        }
        Family::Blocking(Capacity::Unbounded) => {
            channels::many_to_one::<Unlimited>(cell, Capacity::Unbounded)
        }
        Family::Blocking(capacity) => channels::many_to_one::<Limited>(cell, capacity),
        Family::Async(Capacity::Unbounded) => channels::awaited::<Unlimited>(cell, Capacity::Unbounded),
        Family::Async(capacity) => channels::awaited::<Limited>(cell, capacity),
        Family::Oneshot => channels::oneshots::<Limited>(cell),
    }
}

struct Limited;

impl Channel for Limited {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn open(capacity: Capacity) -> (Sender<u64>, Receiver<u64>) {
        channel(limit(capacity))
    }

    #[inline]
    fn send(sender: &Sender<u64>, msg: u64) {
        sender.blocking_send(msg).expect("somebody receives");
    }

    #[inline]
    fn recv(receiver: &mut Receiver<u64>) -> u64 {
        receiver.blocking_recv().expect("somebody sends")
    }
}

impl ManySenders for Limited {
    fn another_sender(sender: &Sender<u64>) -> Sender<u64> {
        sender.clone()
    }
}

impl AsyncChannel for Limited {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn open(capacity: Capacity) -> (Sender<u64>, Receiver<u64>) {
        channel(limit(capacity))
    }

    async fn send(sender: &Sender<u64>, msg: u64) {
        sender.send(msg).await.expect("somebody receives");
    }

    async fn recv(receiver: &mut Receiver<u64>) -> u64 {
        receiver.recv().await.expect("somebody sends")
    }
}

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

struct Unlimited;

impl Channel for Unlimited {
    type Sender = UnboundedSender<u64>;
    type Receiver = UnboundedReceiver<u64>;

    fn open(_capacity: Capacity) -> (UnboundedSender<u64>, UnboundedReceiver<u64>) {
        unbounded_channel()
    }

    #[inline]
    fn send(sender: &UnboundedSender<u64>, msg: u64) {
        sender.send(msg).expect("somebody receives");
    }

    #[inline]
    fn recv(receiver: &mut UnboundedReceiver<u64>) -> u64 {
        receiver.blocking_recv().expect("somebody sends")
    }
}

impl ManySenders for Unlimited {
    fn another_sender(sender: &UnboundedSender<u64>) -> UnboundedSender<u64> {
        sender.clone()
    }
}

impl AsyncChannel for Unlimited {
    type Sender = UnboundedSender<u64>;
    type Receiver = UnboundedReceiver<u64>;

    fn open(_capacity: Capacity) -> (UnboundedSender<u64>, UnboundedReceiver<u64>) {
        unbounded_channel()
    }

    async fn send(sender: &UnboundedSender<u64>, msg: u64) {
        sender.send(msg).expect("somebody receives");
    }

    async fn recv(receiver: &mut UnboundedReceiver<u64>) -> u64 {
        receiver.recv().await.expect("somebody sends")
    }
}
