//! What one takes without a library: a channel of std with room for one message.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::backend::Oneshot;

pub(super) struct OneMessage;

impl Oneshot for OneMessage {
    type Sender = SyncSender<u64>;
    type Receiver = Receiver<u64>;

    fn open() -> (SyncSender<u64>, Receiver<u64>) {
        sync_channel(1)
    }

    #[inline]
    fn send(sender: SyncSender<u64>, msg: u64) {
        sender.send(msg).expect("somebody takes it");
    }

    #[inline]
    fn recv(receiver: Receiver<u64>) -> u64 {
        receiver.recv().expect("somebody completes it")
    }
}
