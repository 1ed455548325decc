//! [`Steal`]: what an attempt to take work from somebody else came to.
//!
//! Shared by both deques and the injector. Pure data; knows nothing of any of them.

use std::fmt;

/// Outcome of a steal.
///
/// The three cases mean different things to a search loop: after `Empty` look elsewhere, after
/// `Retry` the same place is worth another look before going to sleep.
///
/// # Examples
///
/// ```
/// use wyn_deque::Steal::{self, Empty, Retry, Success};
///
/// // One pass over several victims, as an iterator: the first success wins, and one `Retry`
/// // anywhere makes a fruitless pass inconclusive.
/// let pass = |outcomes: [Steal<u8>; 3]| outcomes.into_iter().collect::<Steal<u8>>();
/// assert_eq!(pass([Empty, Empty, Empty]), Empty);
/// assert_eq!(pass([Empty, Retry, Empty]), Retry);
/// assert_eq!(pass([Retry, Success(7), Empty]), Success(7));
/// ```
#[must_use = "a `Success` holds the stolen task, which is dropped with it"]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Steal<T> {
    /// There was nothing to take at some moment during the call.
    Empty,
    /// The loot. For `steal_batch`, which puts the tasks into a worker, it is `()`.
    Success(T),
    /// Another thread was faster; nothing was taken and the queue may well hold more.
    Retry,
}

impl<T> Steal<T> {
    /// Whether this is [`Steal::Empty`].
    ///
    /// ```
    /// use wyn_deque::Steal::{Empty, Retry, Success};
    /// assert!(Empty::<u8>.is_empty());
    /// assert!(!Success(1).is_empty() && !Retry::<u8>.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Steal::Empty)
    }

    /// Whether this is [`Steal::Success`].
    ///
    /// ```
    /// use wyn_deque::Steal::{Empty, Retry, Success};
    /// assert!(Success(1).is_success());
    /// assert!(!Empty::<u8>.is_success() && !Retry::<u8>.is_success());
    /// ```
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Steal::Success(_))
    }

    /// Whether this is [`Steal::Retry`].
    ///
    /// ```
    /// use wyn_deque::Steal::{Empty, Retry, Success};
    /// assert!(Retry::<u8>.is_retry());
    /// assert!(!Empty::<u8>.is_retry() && !Success(1).is_retry());
    /// ```
    #[must_use]
    pub fn is_retry(&self) -> bool {
        matches!(self, Steal::Retry)
    }

    /// The loot, if there is any.
    ///
    /// ```
    /// use wyn_deque::Steal::{Empty, Retry, Success};
    /// assert_eq!(Success(1).success(), Some(1));
    /// assert_eq!(Empty::<u8>.success(), None);
    /// assert_eq!(Retry::<u8>.success(), None);
    /// ```
    #[must_use]
    pub fn success(self) -> Option<T> {
        match self {
            Steal::Success(loot) => Some(loot),
            Steal::Empty | Steal::Retry => None,
        }
    }

    /// Tries the next victim unless this attempt succeeded.
    ///
    /// A `Retry` on either side survives a fruitless other side, so that a chain says `Empty` only
    /// if every link did.
    ///
    /// ```
    /// use wyn_deque::Steal::{Empty, Retry, Success};
    /// assert_eq!(Success(1).or_else(|| Success(2)), Success(1));
    /// assert_eq!(Retry.or_else(|| Success(2)), Success(2));
    /// assert_eq!(Retry.or_else(|| Empty), Retry::<u8>);
    /// assert_eq!(Empty.or_else(|| Retry), Retry::<u8>);
    /// assert_eq!(Empty.or_else(|| Empty), Empty::<u8>);
    /// ```
    pub fn or_else<F>(self, f: F) -> Steal<T>
    where
        F: FnOnce() -> Steal<T>,
    {
        match self {
            Steal::Success(_) => self,
            Steal::Empty => f(),
            Steal::Retry => match f() {
                Steal::Empty => Steal::Retry,
                second => second,
            },
        }
    }

    /// Replaces the loot.
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Steal<U> {
        match self {
            Steal::Success(loot) => Steal::Success(f(loot)),
            Steal::Empty => Steal::Empty,
            Steal::Retry => Steal::Retry,
        }
    }
}

impl<T> fmt::Debug for Steal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Steal::Empty => "Empty",
            Steal::Success(_) => "Success(..)",
            Steal::Retry => "Retry",
        })
    }
}

impl<T> FromIterator<Steal<T>> for Steal<T> {
    /// Consumes attempts up to the first `Success` and returns it; without one, `Retry` if any
    /// attempt was a `Retry`, else `Empty`.
    fn from_iter<I>(attempts: I) -> Steal<T>
    where
        I: IntoIterator<Item = Steal<T>>,
    {
        let mut outcome = Steal::Empty;
        for attempt in attempts {
            match attempt {
                Steal::Success(_) => return attempt,
                Steal::Retry => outcome = Steal::Retry,
                Steal::Empty => {}
            }
        }
        outcome
    }
}
