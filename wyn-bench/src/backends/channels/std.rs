//! The standard library's channels: `sync_channel` with a limit, `channel` without.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use super::room;
use crate::backend::{Channel, ManySenders};
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
    }
}

struct Limited;

impl Channel for Limited {
    type Sender = SyncSender<u64>;
    type Receiver = Receiver<u64>;

    fn open(capacity: Capacity) -> (SyncSender<u64>, Receiver<u64>) {
        sync_channel(room(capacity).expect("asked for what the kind has"))
    }

    #[inline]
    fn send(sender: &SyncSender<u64>, msg: u64) {
        sender.send(msg).expect("somebody receives");
    }

    #[inline]
    fn recv(receiver: &mut Receiver<u64>) -> u64 {
        receiver.recv().expect("somebody sends")
    }
}

impl ManySenders for Limited {
    fn another_sender(sender: &SyncSender<u64>) -> SyncSender<u64> {
        sender.clone()
    }
}

struct Unlimited;

impl Channel for Unlimited {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn open(_capacity: Capacity) -> (Sender<u64>, Receiver<u64>) {
        channel()
    }

    #[inline]
    fn send(sender: &Sender<u64>, msg: u64) {
        sender.send(msg).expect("somebody receives");
    }

    #[inline]
    fn recv(receiver: &mut Receiver<u64>) -> u64 {
        receiver.recv().expect("somebody sends")
    }
}

impl ManySenders for Unlimited {
    fn another_sender(sender: &Sender<u64>) -> Sender<u64> {
        sender.clone()
    }
}
