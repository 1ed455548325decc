//! Where the tasks were spawned that the calling thread is in.
//!
//! Kept only in builds with debug assertions or the feature `spawn-sites`: it costs each task a word, and each run of one
//! a push and a pop.

use std::panic::Location;

/// So many sites a report names of one stack at most.
const MOST_SITES: usize = 16;

#[cfg(any(debug_assertions, feature = "spawn-sites"))]
mod imp {
    use std::cell::RefCell;
    use std::panic::Location;

    thread_local! {
        static SITES: RefCell<Vec<&'static Location<'static>>> = const { RefCell::new(Vec::new()) };
    }

    /// Inside a task, until it is dropped.
    struct Inside;

    impl Inside {
        fn enter(at: &'static Location<'static>) -> Self {
            let _ = SITES.try_with(|sites| sites.borrow_mut().push(at));
            Self
        }
    }

    impl Drop for Inside {
        fn drop(&mut self) {
            let _ = SITES.try_with(|sites| sites.borrow_mut().pop());
        }
    }

    /// The closure of a task spawned there.
    #[inline]
    pub(crate) fn noted<T>(f: impl FnOnce() -> T, at: &'static Location<'static>) -> impl FnOnce() -> T {
        move || {
            let _inside = Inside::enter(at);
            f()
        }
    }

    pub(super) fn newest(most: usize) -> Vec<&'static Location<'static>> {
        SITES.try_with(|sites| sites.borrow().iter().rev().take(most).copied().collect()).unwrap_or_default()
    }
}

#[cfg(not(any(debug_assertions, feature = "spawn-sites")))]
mod imp {
    use std::panic::Location;

    #[inline(always)]
    pub(crate) fn noted<T>(f: impl FnOnce() -> T, _at: &'static Location<'static>) -> impl FnOnce() -> T {
        f
    }

    pub(super) fn newest(_most: usize) -> Vec<&'static Location<'static>> {
        Vec::new()
    }
}

pub(crate) use imp::noted;

/// The tasks on this stack, innermost first.
pub(super) fn here() -> Vec<&'static Location<'static>> {
    imp::newest(MOST_SITES)
}
