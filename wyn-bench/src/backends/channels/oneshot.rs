//! The oneshot crate, which has nothing else.

use ::oneshot::{Receiver, Sender, channel};

use crate::backend::Oneshot;
use crate::backends::no_such_notion;
use crate::record::{Cell, Line};
use crate::workloads::channels::{self, Family};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    match family {
        Family::Oneshot => channels::oneshots::<Single>(cell),
        Family::Blocking(_) | Family::Async(_) | Family::Tasks(_) => {
            no_such_notion("a channel is for one message")
        }
    }
}

struct Single;

impl Oneshot for Single {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn open() -> (Sender<u64>, Receiver<u64>) {
        channel()
    }

    #[inline]
    fn send(sender: Sender<u64>, msg: u64) {
        sender.send(msg).expect("somebody receives");
    }

    #[inline]
    fn recv(receiver: Receiver<u64>) -> u64 {
        receiver.recv().expect("somebody sends")
    }
}
