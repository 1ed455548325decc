//! What the ends of one channel share: the algorithm, and how many ends there are.
//!
//! | site | ordering | partner | why |
//! |---|---|---|---|
//! | `add_*`, fetch_add | Relaxed | – | an end that is cloned exists, so nothing is published |
//! | `drop_*`, fetch_sub | AcqRel | the other drops | what the other ends did comes before the disconnection |

use crate::locked::Locked;
use crate::ring::Ring;
use crate::sync::{Arc, AtomicUsize, Ordering};

/// Rings up to this size are allocated at once; channels with a larger buffer grow as they are filled.
const RING_BYTES: usize = 1 << 26;
/// With one place, sender and receiver take turns, and handing over is faster. Models want small rings, and a
/// small channel of the other kind.
const RING_CAPS: std::ops::RangeInclusive<usize> = if cfg!(wyn_loom) { 1..=2 } else { 2..=usize::MAX };
/// As for `Arc`: a program that leaks so many ends is beyond help.
const MOST_ENDS: usize = isize::MAX as usize;

#[derive(Debug)]
pub(crate) struct Shared<T> {
    pub(crate) flavor: Flavor<T>,
    senders: AtomicUsize,
    receivers: AtomicUsize,
}

/// The algorithm.
#[allow(clippy::large_enum_variant, reason = "there is one in each allocation; a box would be a detour")]
pub(crate) enum Flavor<T> {
    Ring(Ring<T>),
    Locked(Locked<T>),
}

impl<T> std::fmt::Debug for Flavor<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ring(_) => "Ring",
            Self::Locked(_) => "Locked",
        })
    }
}

/// Does the same with either algorithm.
macro_rules! with_flavor {
    ($shared:expr, $channel:ident => $body:expr) => {
        match &$shared.flavor {
            $crate::shared::Flavor::Ring($channel) => $body,
            $crate::shared::Flavor::Locked($channel) => $body,
        }
    };
}
pub(crate) use with_flavor;

impl<T> Shared<T> {
    pub(crate) fn bounded(cap: usize) -> Arc<Self> {
        match Ring::<T>::bytes(cap) {
            Some(bytes) if RING_CAPS.contains(&cap) && bytes <= RING_BYTES => {
                Self::new(Flavor::Ring(Ring::new(cap)))
            }
            // The largest number stands for no limit, which a buffer of that size cannot be told from.
            _ => Self::new(Flavor::Locked(Locked::new(cap))),
        }
    }

    pub(crate) fn unbounded() -> Arc<Self> {
        Self::new(Flavor::Locked(Locked::new(usize::MAX)))
    }

    /// With one end of each kind.
    fn new(flavor: Flavor<T>) -> Arc<Self> {
        Arc::new(Self { flavor, senders: AtomicUsize::new(1), receivers: AtomicUsize::new(1) })
    }

    pub(crate) fn add_sender(&self) {
        add(&self.senders);
    }

    pub(crate) fn add_receiver(&self) {
        add(&self.receivers);
    }

    pub(crate) fn drop_sender(&self) {
        // Ordering: AcqRel: what the other senders did comes before the disconnection.
        if self.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.close();
        }
    }

    pub(crate) fn drop_receiver(&self) {
        // Ordering: AcqRel: what the other receivers did comes before the messages are discarded.
        if self.receivers.fetch_sub(1, Ordering::AcqRel) == 1 {
            with_flavor!(self, channel => channel.close_and_discard());
        }
    }

    pub(crate) fn close(&self) -> bool {
        with_flavor!(self, channel => channel.close())
    }

    pub(crate) fn is_closed(&self) -> bool {
        with_flavor!(self, channel => channel.is_closed())
    }

    pub(crate) fn len(&self) -> usize {
        with_flavor!(self, channel => channel.len())
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        match &self.flavor {
            Flavor::Ring(ring) => Some(ring.capacity()),
            Flavor::Locked(locked) => locked.capacity(),
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        match &self.flavor {
            Flavor::Ring(ring) => ring.len() == ring.capacity(),
            Flavor::Locked(locked) => locked.is_full(),
        }
    }
}

fn add(ends: &AtomicUsize) {
    // Ordering: Relaxed: the end that is cloned keeps the channel as it is.
    if ends.fetch_add(1, Ordering::Relaxed) > MOST_ENDS {
        std::process::abort();
    }
}
