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

    /// Where a task was spawned, for the task to keep.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Site(&'static Location<'static>);

    impl Site {
        pub(crate) fn new(at: &'static Location<'static>) -> Self {
            Self(at)
        }

        /// The task starts on this thread; it ends when the guard is dropped.
        pub(crate) fn enter(self) -> Inside {
            let _ = SITES.try_with(|sites| sites.borrow_mut().push(self.0));
            Inside
        }
    }

    /// Inside a task.
    pub(crate) struct Inside;

    impl Drop for Inside {
        fn drop(&mut self) {
            let _ = SITES.try_with(|sites| sites.borrow_mut().pop());
        }
    }

    pub(super) fn newest(most: usize) -> Vec<&'static Location<'static>> {
        SITES.try_with(|sites| sites.borrow().iter().rev().take(most).copied().collect()).unwrap_or_default()
    }
}

#[cfg(not(any(debug_assertions, feature = "spawn-sites")))]
mod imp {
    use std::panic::Location;

    /// Nothing.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Site;

    impl Site {
        #[inline(always)]
        pub(crate) fn new(_at: &'static Location<'static>) -> Self {
            Self
        }

        #[inline(always)]
        pub(crate) fn enter(self) -> Inside {
            Inside
        }
    }

    /// Nothing.
    pub(crate) struct Inside;

    pub(super) fn newest(_most: usize) -> Vec<&'static Location<'static>> {
        Vec::new()
    }
}

pub(crate) use imp::Site;

/// The tasks on this stack, innermost first.
pub(super) fn here() -> Vec<&'static Location<'static>> {
    imp::newest(MOST_SITES)
}
