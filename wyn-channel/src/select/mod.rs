//! Waiting for several operations at once: [`Select`], and what the macros are made of.

pub(crate) mod arm;
mod macros;
mod run;
pub(crate) mod token;

use std::fmt;
use std::time::{Duration, Instant};

use crate::error::{
    ReadyTimeoutError, RecvError, SelectTimeoutError, SendError, TryReadyError, TrySelectError,
};
use crate::receiver::Receiver;
use crate::sender::Sender;
use crate::shared::with_flavor;
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
/// An operation on a disconnected channel can be selected: it fails without blocking. If several can go on, one
/// of them is picked at random, or the first with [`new_biased`](Self::new_biased). For a list that is known at
/// compile time, [`select!`](crate::select!) is shorter.
pub struct Select<'a> {
    cases: Vec<Case<'a>>,
    next_index: usize,
    biased: bool,
}

// SAFETY: without their type, the ends behind the arms only move messages between channels and tokens, under
// locks and claims that hold on any thread. A message is looked at, or dropped, only where it leaves the token by
// an end of its type, and those cross threads only if it may.
unsafe impl Send for Select<'_> {}
// SAFETY: as above; a shared select does nothing.
unsafe impl Sync for Select<'_> {}

impl<'a> Select<'a> {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self { cases: Vec::new(), next_index: 0, biased: false }
    }

    /// An empty list which prefers operations in the order of their numbers.
    #[must_use]
    pub fn new_biased() -> Self {
        Self { biased: true, ..Self::new() }
    }

    /// Adds a send; returns its number. The message is asked for when it has been selected.
    pub fn send<T>(&mut self, s: &'a Sender<T>) -> usize {
        self.add(|index| Case::send(s, index))
    }

    /// Adds a receive; returns its number.
    pub fn recv<T>(&mut self, r: &'a Receiver<T>) -> usize {
        self.add(|index| Case::recv(r, index))
    }

    fn add(&mut self, make: impl FnOnce(usize) -> Case<'a>) -> usize {
        let index = self.next_index;
        self.cases.push(make(index));
        self.next_index += 1;
        index
    }

    /// Takes an operation out of the list: mostly one whose channel is disconnected. The numbers of the others
    /// stay as they are, and the number is not used again.
    ///
    /// # Panics
    /// If there is no operation with this number.
    pub fn remove(&mut self, index: usize) {
        let at = self.cases.iter().position(|case| case.index == index);
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
    /// If the list is empty.
    pub fn select(&mut self) -> SelectedOperation<'a> {
        select(&mut self.cases, self.biased)
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
        self.restore_order();
        run(&mut self.cases, patience, self.biased)
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
    /// If the list is empty.
    pub fn ready(&mut self) -> usize {
        assert!(!self.cases.is_empty(), "no operations have been added to `Select`");
        self.run_ready(Patience::Endless).expect("waits until one is ready")
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
        self.restore_order();
        run::ready(&mut self.cases, patience, self.biased)
    }

    /// A shuffle by an earlier run would be a bias.
    fn restore_order(&mut self) {
        if self.biased {
            self.cases.sort_unstable_by_key(|case| case.index);
        }
    }

    /// Empties the list and keeps its memory, for other borrows.
    #[must_use]
    pub fn recycle<'b>(self) -> Select<'b> {
        let mut cases = self.cases;
        cases.clear();
        let cases = cases.into_iter().map(|_| Case { arm: None, index: 0, addr: 0 }).collect();
        Select { cases, next_index: 0, biased: self.biased }
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
/// # Panics
/// Dropping it instead panics, unless the thread panics already. The other side is not left waiting: a promised
/// place is given back. A message that was received is leaked.
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
    /// [`SendError`] with the message, if the channel is disconnected.
    ///
    /// # Panics
    /// If the selected operation is not a send with this sender's channel.
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
    pub fn none() -> Self {
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

fn run<'a>(cases: &mut [Case<'a>], patience: Patience, biased: bool) -> Option<SelectedOperation<'a>> {
    let mut operation = SelectedOperation { token: Token::new(), index: 0, addr: 0 };
    let case = run::select(cases, patience, biased, &mut operation.token)?;
    operation.index = case.index;
    operation.addr = case.addr;
    Some(operation)
}

/// For the macros, as the three below.
pub fn try_select<'a>(cases: &mut [Case<'a>], biased: bool) -> Option<SelectedOperation<'a>> {
    run(cases, Patience::None, biased)
}

/// See [`Select::select`].
pub fn select<'a>(cases: &mut [Case<'a>], biased: bool) -> SelectedOperation<'a> {
    assert!(!cases.is_empty(), "no operations have been added to `Select`");
    run(cases, Patience::Endless, biased).expect("waits until one is selected")
}

/// See [`Select::select_timeout`].
pub fn select_timeout<'a>(
    cases: &mut [Case<'a>],
    timeout: Duration,
    biased: bool,
) -> Option<SelectedOperation<'a>> {
    run(cases, within(timeout), biased)
}
