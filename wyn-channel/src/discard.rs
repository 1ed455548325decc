//! Dropping messages that nobody will receive, whatever their destructors do.

use std::mem::needs_drop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Drops all that `next` gives. A destructor that panics keeps no other from running; the first panic goes on
/// afterwards, unless the thread panics already.
pub(crate) fn discard<T>(mut next: impl FnMut() -> Option<T>) {
    let mut first = None;
    while let Some(msg) = next() {
        if !needs_drop::<T>() {
            continue;
        }
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(msg))) {
            if first.is_none() {
                first = Some(panic);
            } else {
                // The payload of a panic may panic when it is dropped.
                std::mem::forget(panic);
            }
        }
    }
    match first {
        Some(panic) if !std::thread::panicking() => resume_unwind(panic),
        other => std::mem::forget(other),
    }
}
