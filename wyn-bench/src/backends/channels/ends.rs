//! What most libraries' ends have in common, written once: a call that sends, one that receives, handles that
//! are cloned. A backend names its types and calls; what is special about a library stays in its own file.

/// A kind of channel with calls that block: `blocking! { Kind: Sender => Receiver, open: …, calls: send, recv }`.
macro_rules! blocking {
    ($kind:ident: $sender:ty => $receiver:ty, open: $open:expr, calls: $send:ident, $recv:ident) => {
        impl $crate::backend::Channel for $kind {
            type Sender = $sender;
            type Receiver = $receiver;

            fn open(capacity: $crate::record::Capacity) -> ($sender, $receiver) {
                ($open)(capacity)
            }

            #[inline]
            fn send(sender: &$sender, msg: u64) {
                sender.$send(msg).expect("somebody receives");
            }

            #[inline]
            fn recv(receiver: &mut $receiver) -> u64 {
                receiver.$recv().expect("somebody sends")
            }
        }
    };
}

/// The same for ends that are awaited. Sending to some channels without a limit is a plain call: `at once send`.
macro_rules! awaited {
    ($kind:ident: $sender:ty => $receiver:ty, open: $open:expr, calls: at once $send:ident, $recv:ident) => {
        awaited!(@ $kind, $sender, $receiver, $open, |sender, msg| sender.$send(msg), $recv);
    };
    ($kind:ident: $sender:ty => $receiver:ty, open: $open:expr, calls: $send:ident, $recv:ident) => {
        awaited!(@ $kind, $sender, $receiver, $open, |sender, msg| sender.$send(msg).await, $recv);
    };
    (@ $kind:ident, $sender:ty, $receiver:ty, $open:expr, |$end:ident, $msg:ident| $sent:expr, $recv:ident) => {
        impl $crate::backend::AsyncChannel for $kind {
            type Sender = $sender;
            type Receiver = $receiver;

            fn open(capacity: $crate::record::Capacity) -> ($sender, $receiver) {
                ($open)(capacity)
            }

            async fn send($end: &mut $sender, $msg: u64) {
                $sent.expect("somebody receives");
            }

            async fn recv(receiver: &mut $receiver) -> u64 {
                receiver.$recv().await.expect("somebody sends")
            }
        }
    };
}

/// Further handles by `clone`: `cloned! { Kind: ManySenders, ManyReceivers }`.
macro_rules! cloned {
    ($kind:ident: $($many:ident),+) => {
        $(cloned!(@ $many, $kind);)+
    };
    (@ ManySenders, $kind:ident) => {
        impl $crate::backend::ManySenders for $kind {
            fn another_sender(sender: &Self::Sender) -> Self::Sender {
                sender.clone()
            }
        }
    };
    (@ ManyReceivers, $kind:ident) => {
        impl $crate::backend::ManyReceivers for $kind {
            fn another_receiver(receiver: &Self::Receiver) -> Self::Receiver {
                receiver.clone()
            }
        }
    };
    (@ AsyncManySenders, $kind:ident) => {
        impl $crate::backend::AsyncManySenders for $kind {
            fn another_sender(sender: &Self::Sender) -> Self::Sender {
                sender.clone()
            }
        }
    };
}

/// Select by the API of crossbeam-channel: one `Select` for all messages, so that selecting is measured, not the
/// making of the list.
macro_rules! selects {
    ($kind:ident: $select:ty) => {
        impl $crate::backend::ReceiveAny for $kind {
            fn sum_of_any(receivers: &mut [Self::Receiver], count: u64) -> u64 {
                let mut select = <$select>::new();
                for receiver in receivers.iter() {
                    select.recv(receiver);
                }
                (0..count).fold(0_u64, |sum, _| {
                    let ready = select.select();
                    let receiver = &receivers[ready.index()];
                    sum.wrapping_add(ready.recv(receiver).expect("somebody sends"))
                })
            }
        }

        impl $crate::backend::SendAny for $kind {
            fn send_to_any(senders: &[Self::Sender], messages: std::ops::Range<u64>) {
                let mut select = <$select>::new();
                for sender in senders {
                    select.send(sender);
                }
                for msg in messages {
                    let ready = select.select();
                    let sender = &senders[ready.index()];
                    ready.send(sender, msg).expect("somebody receives");
                }
            }
        }
    };
}
