//! What may cross threads and unwinding, by type.

use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::time::Instant;

use static_assertions::{assert_impl_all as yes, assert_not_impl_any as no};
use wyn_channel::{
    IntoIter, Iter, Receiver, RecvFuture, RecvStream, Select, SelectedOperation, SendError, SendFuture,
    SendSink, Sender, TryIter, TrySendError, Value, hook, oneshot,
};

yes!(Sender<u8>: Send, Sync, Clone, Debug, UnwindSafe, RefUnwindSafe, Unpin);
yes!(Receiver<u8>: Send, Sync, Clone, Debug, UnwindSafe, RefUnwindSafe, Unpin);
yes!(Receiver<Instant>: Send, Sync);
yes!(Sender<Cell<u8>>: Send, Sync);
yes!(Receiver<RefCell<u8>>: Send, Sync);
no!(Sender<Rc<u8>>: Send, Sync);
no!(Receiver<Rc<u8>>: Send, Sync);
yes!(Iter<'static, u8>: Send, Sync, Debug);
yes!(TryIter<'static, u8>: Send, Sync, Debug);
yes!(IntoIter<u8>: Send, Sync, Debug);
no!(IntoIter<Rc<u8>>: Send, Sync);

yes!(SendFuture<'static, u8>: Send, Sync, Debug);
yes!(RecvFuture<'static, u8>: Send, Sync, Debug);
no!(SendFuture<'static, u8>: Unpin);
no!(RecvFuture<'static, u8>: Unpin);
no!(SendFuture<'static, Rc<u8>>: Send, Sync);
no!(RecvFuture<'static, Rc<u8>>: Send, Sync);
yes!(RecvStream<'static, u8>: Send, Sync, Unpin, Debug);
yes!(SendSink<'static, u8>: Send, Sync, Unpin, Debug);
no!(RecvStream<'static, Rc<u8>>: Send, Sync);
no!(SendSink<'static, Rc<u8>>: Send, Sync);

yes!(oneshot::Sender<u8>: Send, Sync, Unpin, Debug);
yes!(oneshot::Receiver<u8>: Send, Sync, Unpin, Debug);
no!(oneshot::Sender<Rc<u8>>: Send, Sync, Clone);
no!(oneshot::Receiver<Rc<u8>>: Send, Sync, Clone);

yes!(Value<Cell<u8>>: Send, Sync, Clone, UnwindSafe, RefUnwindSafe);
no!(Value<Rc<u8>>: Send, Sync);

yes!(Select<'static>: Send, Sync, Clone, Debug, Default);
no!(SelectedOperation<'static>: Send, Sync, Clone);
no!(hook::OptIn: Send, Sync);
no!(hook::Wait<'static>: Send, Sync);
yes!(SendError<Rc<u8>>: Debug, std::error::Error);
yes!(TrySendError<fn()>: Debug, std::error::Error, Copy, PartialEq);

#[test]
fn the_assertions_above_compile() {}
