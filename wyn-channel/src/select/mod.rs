//! Waiting for several operations at once: [`Select`], and what the macros are made of.

pub(crate) mod arm;
mod cases;
mod macros;
mod run;
pub(crate) mod token;

use std::fmt;
use std::time::{Duration, Instant};

use crate::error::{
    ReadyTimeoutError, RecvError, SelectTimeoutError, SendError, TryReadyError, TrySelectError,
};
use crate::hook;
use crate::receiver::Receiver;
use crate::sender::Sender;
use crate::shared::with_flavor;
use cases::Cases;
pub use run::Case;
use run::Patience;
use token::{Held, Token};

/// Waits for one of several operations, the list of which is made at run time.
///
/// First operations are added; each gets a number. Then one of them is selected, and completed with the sender
/// or receiver it was added for:
///
/// ```
/// use wyn_channel::{Select, unbounded};
///
/// let channels: Vec<_> = (0..3).map(|_| unbounded::<usize>()).collect();
/// channels[1].0.send(42)?;
///
/// let mut select = Select::new();
/// for (_, r) in &channels {
///     select.recv(r);
/// }
/// let operation = select.select();
/// let index = operation.index();
/// assert_eq!((index, operation.recv(&channels[index].1)), (1, Ok(42)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The list stays as it is, so one select serves a loop; that is cheaper than a new one for every message:
///
/// ```
/// use wyn_channel::{Select, unbounded};
///
/// let (s1, r1) = unbounded();
/// let (s2, r2) = unbounded();
/// let sender = std::thread::spawn(move || (1..=10).try_for_each(|n| s1.send(n).and(s2.send(-n))));
/// let ends = [r1, r2];
/// let mut select = Select::new();
/// ends.iter().for_each(|end| {
///     select.recv(end);
/// });
/// let (mut sum, mut open) = (0, ends.len());
/// while open > 0 {
///     let operation = select.select();
///     let index = operation.index();
///     match operation.recv(&ends[index]) {
///         Ok(n) => sum += n,
///         // It would be selected for ever.
///         Err(_) => {
///             select.remove(index);
///             open -= 1;
///         }
///     }
/// }
/// assert_eq!(sum, 0);
/// # sender.join().unwrap()?;
/// # Ok::<(), wyn_channel::SendError<i32>>(())
/// ```
///
/// An operation on a disconnected channel can be selected: it fails without blocking. If several can go on, one
/// of them is picked at random, or the first with [`new_biased`](Self::new_biased). For a list that is known at
/// compile time, [`select!`](crate::select!) is shorter.
pub struct Select<'a> {
    cases: Cases<'a>,
    next_index: usize,
    biased: bool,
}

// SAFETY: the arms are references to ends, which cross threads with the select even where messages may not. Without
// their type the ends only move messages, between channels, tokens and waiting stacks, under locks and claims that
// hold on any thread; a token that nobody completes leaks its message. A message is looked at, or dropped, only by
// `SelectedOperation::send` and `recv`, which want an end of its type: such an end, and the reference to it, cross
// threads only if the message may. The ends outlive the select, so none is dropped by it.
unsafe impl Send for Select<'_> {}
// SAFETY: as above; a shared select can be cloned and looks at nothing else.
unsafe impl Sync for Select<'_> {}

impl<'a> Select<'a> {
    /// An empty list.
    #[must_use]
    #[inline]
    pub fn new() -> Self {
        Self { cases: Cases::new(), next_index: 0, biased: false }
    }

    /// An empty list which prefers operations in the order of their numbers.
    #[must_use]
    pub fn new_biased() -> Self {
        Self { biased: true, ..Self::new() }
    }

    /// Adds a send; returns its number. The message is asked for when it has been selected.
    #[inline]
    pub fn send<T>(&mut self, s: &'a Sender<T>) -> usize {
        self.add(Case::send(s, self.next_index))
    }

    /// Adds a receive; returns its number.
    #[inline]
    pub fn recv<T>(&mut self, r: &'a Receiver<T>) -> usize {
        self.add(Case::recv(r, self.next_index))
    }

    #[inline]
    fn add(&mut self, case: Case<'a>) -> usize {
        self.next_index += 1;
        self.cases.push(case);
        self.next_index - 1
    }

    /// Takes an operation out of the list: mostly one whose channel is disconnected. The numbers of the others
    /// stay as they are, and the number is not used again.
    ///
    /// # Panics
    /// If there is no operation with this number.
    pub fn remove(&mut self, index: usize) {
        let at = self.cases.as_mut_slice().iter().position(|case| case.index == index);
        self.cases.remove(at.expect("no operation with this index"));
    }

    /// Selects an operation that would not block.
    ///
    /// # Errors
    /// [`TrySelectError`] if all would.
    pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
        self.run(Patience::None).ok_or(TrySelectError)
    }

    /// Selects an operation, and blocks while all of them would.
    ///
    /// # Panics
    /// If the list is empty, or a scheduler [ends the wait](hook::Wait::end_with).
    #[inline]
    pub fn select(&mut self) -> SelectedOperation<'a> {
        select(self.cases.as_mut_slice(), self.biased)
    }

    /// As [`select`](Self::select), and gives up after `timeout`. An empty list is waited for as well.
    ///
    /// # Errors
    /// [`SelectTimeoutError`] if the time was up first.
    pub fn select_timeout(&mut self, timeout: Duration) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        self.run(within(timeout)).ok_or(SelectTimeoutError)
    }

    /// As [`select`](Self::select), and gives up at `deadline`.
    ///
    /// # Errors
    /// As [`select_timeout`](Self::select_timeout).
    pub fn select_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        self.run(Patience::Until(deadline)).ok_or(SelectTimeoutError)
    }

    fn run(&mut self, patience: Patience) -> Option<SelectedOperation<'a>> {
        run(self.cases.as_mut_slice(), patience, self.biased)
    }

    /// Finds an operation that would not block, and leaves it to the caller: another thread may be faster.
    ///
    /// # Errors
    /// [`TryReadyError`] if all would.
    pub fn try_ready(&mut self) -> Result<usize, TryReadyError> {
        self.run_ready(Patience::None).ok_or(TryReadyError)
    }

    /// As [`try_ready`](Self::try_ready), and blocks while all of them would.
    ///
    /// # Panics
    /// If the list is empty, or a scheduler [ends the wait](hook::Wait::end_with).
    pub fn ready(&mut self) -> usize {
        assert!(!self.cases.as_mut_slice().is_empty(), "no operations have been added to `Select`");
        self.run_ready(Patience::Endless).unwrap_or_else(|| hook::unwind())
    }

    /// As [`ready`](Self::ready), and gives up after `timeout`.
    ///
    /// # Errors
    /// [`ReadyTimeoutError`] if the time was up first.
    pub fn ready_timeout(&mut self, timeout: Duration) -> Result<usize, ReadyTimeoutError> {
        self.run_ready(within(timeout)).ok_or(ReadyTimeoutError)
    }

    /// As [`ready`](Self::ready), and gives up at `deadline`.
    ///
    /// # Errors
    /// As [`ready_timeout`](Self::ready_timeout).
    pub fn ready_deadline(&mut self, deadline: Instant) -> Result<usize, ReadyTimeoutError> {
        self.run_ready(Patience::Until(deadline)).ok_or(ReadyTimeoutError)
    }

    fn run_ready(&mut self, patience: Patience) -> Option<usize> {
        run::ready(self.cases.as_mut_slice(), patience, self.biased)
    }

    /// Empties the list and keeps its memory, for other borrows.
    #[must_use]
    pub fn recycle<'b>(self) -> Select<'b> {
        Select { cases: self.cases.recycle(), next_index: 0, biased: self.biased }
    }
}

impl Clone for Select<'_> {
    fn clone(&self) -> Self {
        Self { cases: self.cases.clone(), ..*self }
    }
}

impl Default for Select<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Select { .. }")
    }
}

/// An operation that was selected and must be completed with [`send`](Self::send) or [`recv`](Self::recv).
///
/// A send holds one place of the channel until it is completed, which other senders then lack; receivers pass it and
/// wait for nobody. Without a buffer it takes one receiver that waits into account; if that one has left when the message
/// comes, the message waits for the next one. The place lies where the order of messages was when it was selected, or
/// behind what came since: messages that are sent while it is held may be received before or after.
///
/// # Panics
/// Dropping it instead panics, unless the thread panics already. The place is given back. A message that was received is
/// leaked: it may be one that must not be dropped on this thread.
#[must_use = "dropping it without completing the operation panics"]
pub struct SelectedOperation<'a> {
    /// Holds nothing once the operation is completed.
    token: Token<'a>,
    index: usize,
    addr: usize,
}

impl SelectedOperation<'_> {
    /// The number of the operation.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Completes a send. Does not block.
    ///
    /// # Errors
    /// [`SendError`] with the message, if the channel is disconnected, also since the selection.
    ///
    /// # Panics
    /// If the selected operation is not a send with this sender's channel.
    #[inline]
    pub fn send<T>(mut self, s: &Sender<T>, msg: T) -> Result<(), SendError<T>> {
        assert!(s.addr() == self.addr, "passed a sender that wasn't selected");
        assert!(!matches!(self.token.held, Held::Message), "a receive was selected");
        let held = self.token.take_held();
        with_flavor!(s.shared(), channel => channel.complete_send(&held, msg)).map_err(SendError)
    }

    /// Completes a receive. Does not block.
    ///
    /// # Errors
    /// [`RecvError`] if the channel is empty and disconnected.
    ///
    /// # Panics
    /// If the selected operation is not a receive with this receiver's channel.
    #[inline]
    pub fn recv<T>(mut self, r: &Receiver<T>) -> Result<T, RecvError> {
        assert!(r.addr() == self.addr, "passed a receiver that wasn't selected");
        assert!(matches!(self.token.held, Held::Message | Held::Disconnected), "a send was selected");
        // SAFETY: the address is that of the channel the message came from, so it has the same type.
        unsafe { self.token.take_message() }.ok_or(RecvError)
    }
}

impl Drop for SelectedOperation<'_> {
    fn drop(&mut self) {
        if !matches!(self.token.held, Held::Nothing) {
            self.token.give_back();
            let panics = std::thread::panicking();
            assert!(panics, "dropped `SelectedOperation` without completing the operation");
        }
    }
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("SelectedOperation { .. }")
    }
}

impl<'a> Case<'a> {
    /// An arm that is never selected.
    #[must_use]
    pub const fn none() -> Self {
        Self { arm: None, index: usize::MAX, addr: 0 }
    }

    /// A send arm.
    #[must_use]
    pub fn send<T>(s: &'a Sender<T>, index: usize) -> Self {
        Self { arm: Some(s), index, addr: s.addr() }
    }

    /// A receive arm.
    #[must_use]
    pub fn recv<T>(r: &'a Receiver<T>, index: usize) -> Self {
        Self { arm: Some(r), index, addr: r.addr() }
    }
}

fn within(timeout: Duration) -> Patience {
    Instant::now().checked_add(timeout).map_or(Patience::Endless, Patience::Until)
}

impl<'a> SelectedOperation<'a> {
    /// Drops it without the panic, for models.
    #[cfg(wyn_loom)]
    #[doc(hidden)]
    pub fn give_up(mut self) {
        self.token.give_back();
    }

    #[inline]
    fn none() -> Self {
        Self { token: Token::new(), index: 0, addr: 0 }
    }

    /// Selects; `false` if patience ends first. Filled in where it stays: it is too large to be passed around.
    #[inline]
    fn fill(&mut self, cases: &mut [Case<'a>], patience: Patience, biased: bool) -> bool {
        let found = run::select(cases, patience, biased, &mut self.token);
        if let Some(at) = found {
            self.index = cases[at].index;
            self.addr = cases[at].addr;
        }
        found.is_some()
    }
}

fn run<'a>(cases: &mut [Case<'a>], patience: Patience, biased: bool) -> Option<SelectedOperation<'a>> {
    let mut operation = SelectedOperation::none();
    operation.fill(cases, patience, biased).then_some(operation)
}

/// For the macros, as the three below.
pub fn try_select<'a>(cases: &mut [Case<'a>], biased: bool) -> Option<SelectedOperation<'a>> {
    run(cases, Patience::None, biased)
}

/// See [`Select::select`].
#[inline]
pub fn select<'a>(cases: &mut [Case<'a>], biased: bool) -> SelectedOperation<'a> {
    assert!(!cases.is_empty(), "no operations have been added to `Select`");
    let mut operation = SelectedOperation::none();
    if !operation.fill(cases, Patience::Endless, biased) {
        hook::unwind();
    }
    operation
}

/// See [`Select::select_timeout`].
pub fn select_timeout<'a>(
    cases: &mut [Case<'a>],
    timeout: Duration,
    biased: bool,
) -> Option<SelectedOperation<'a>> {
    run(cases, within(timeout), biased)
}
