//! Why a result cannot be had.

use std::error::Error;
use std::fmt;

/// The completer was dropped without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the completer was dropped without a result")
    }
}

impl Error for Dropped {}

/// Why [`Promise::try_take`](crate::Promise::try_take) has no result to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryTakeError {
    /// The result is not there yet.
    Pending,
    /// The result has been taken before.
    Taken,
    /// The completer was dropped without a result.
    Dropped,
}

impl fmt::Display for TryTakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "the result is not there yet",
            Self::Taken => "the result has been taken before",
            Self::Dropped => "the completer was dropped without a result",
        })
    }
}

impl Error for TryTakeError {}
