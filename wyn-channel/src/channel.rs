//! How channels are made.

use std::time::{Duration, Instant};

use crate::receiver::Receiver;
use crate::sender::Sender;
use crate::shared::Shared;
use crate::timer;

/// Makes a channel without a limit: sends never block.
///
/// Messages are kept until they are received: a sender that is faster than its receivers for long fills the
/// memory.
///
/// ```
/// let (s, r) = wyn_channel::unbounded();
/// s.send(1)?;
/// s.send(2)?;
/// assert_eq!((r.recv()?, r.recv()?), (1, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Shared::unbounded();
    (Sender::new(shared.clone()), Receiver::new(shared))
}

/// Makes a channel that holds up to `cap` messages; a send into a full one blocks.
///
/// With a capacity of 0 every message is handed from sender to receiver, who wait for one another.
///
/// The buffer is allocated at once if it takes up to 64 MiB, else it grows as messages come, so no capacity is
/// too large to ask for. `usize::MAX` is no limit.
///
/// ```
/// use wyn_channel::{TrySendError, bounded};
///
/// let (s, r) = bounded(1);
/// s.send("first")?;
/// assert_eq!(s.try_send("second"), Err(TrySendError::Full("second")));
/// assert_eq!(r.recv()?, "first");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Without a buffer:
///
/// ```
/// let (s, r) = wyn_channel::bounded(0);
/// let sender = std::thread::spawn(move || s.send("handed over"));
/// assert_eq!(r.recv()?, "handed over");
/// # sender.join().unwrap()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn bounded<T>(cap: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Shared::bounded(cap);
    (Sender::new(shared.clone()), Receiver::new(shared))
}

/// Makes a receiver of one message, which comes after `duration`: the moment it was due.
///
/// It never disconnects: a second receive blocks for ever. A duration beyond the clock's range is
/// [`never()`]. Clones share the one message.
///
/// ```
/// use std::time::Duration;
/// use wyn_channel::{after, never, select};
///
/// let news = never::<u32>();
/// select! {
///     recv(news) -> msg => unreachable!("{msg:?}"),
///     recv(after(Duration::from_millis(5))) -> _ => println!("no news"),
/// }
/// ```
pub fn after(duration: Duration) -> Receiver<Instant> {
    match Instant::now().checked_add(duration) {
        Some(when) => at(when),
        None => never(),
    }
}

/// Makes a receiver of one message, which comes at `when`: that moment. Otherwise as [`after`].
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let when = Instant::now() + Duration::from_millis(5);
/// assert_eq!(wyn_channel::at(when).recv()?, when);
/// assert!(Instant::now() >= when);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn at(when: Instant) -> Receiver<Instant> {
    Receiver::timer(timer::Timer::once(when))
}

/// Makes a receiver to which nothing ever comes, and which never disconnects: for an arm of a select that is to
/// be left out.
///
/// ```
/// use wyn_channel::{never, select, unbounded};
///
/// let (s, r) = unbounded();
/// s.send(1)?;
/// let second: Option<wyn_channel::Receiver<i32>> = None;
/// select! {
///     recv(r) -> msg => assert_eq!(msg, Ok(1)),
///     recv(second.as_ref().unwrap_or(&never())) -> _ => unreachable!(),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn never<T>() -> Receiver<T> {
    Receiver::never()
}

/// Makes a receiver to which a message comes every `duration`, the first after the first `duration`: the moment
/// it was due.
///
/// The messages are due a `duration` apart, however late each is received. The channel holds one at most: a receiver
/// that has missed the next one as well gets one at once, and the next a whole `duration` after that. With a duration
/// of 0 there is always one. Clones share the messages. It never disconnects.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let start = Instant::now();
/// let ticks = wyn_channel::tick(Duration::from_millis(5));
/// for _ in 0..3 {
///     ticks.recv()?;
/// }
/// assert!(start.elapsed() >= Duration::from_millis(15));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn tick(duration: Duration) -> Receiver<Instant> {
    match Instant::now().checked_add(duration) {
        Some(first) => Receiver::timer(timer::Timer::every(first, duration)),
        None => never(),
    }
}
