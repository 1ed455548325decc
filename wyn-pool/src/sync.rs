//! The only file that names atomics and locks: std in normal builds, loom under `cfg(wyn_loom)`.
//!
//! Everybody in the crate takes `Mutex`, `Atomic*` and `fence` from here, so that the models in `tests/loom.rs`
//! run the code that ships. Under `cfg(wyn_chaos)` taking a lock yields at random, which widens the windows the
//! stress tests look for.

#[cfg(wyn_loom)]
pub(crate) use loom::sync::{
    MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, fence},
};
#[cfg(not(wyn_loom))]
pub(crate) use std::sync::{
    MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, fence},
};

/// A constructor that is `const`, but under loom, whose types have none.
macro_rules! const_unless_loom {
    ($visible:vis fn $name:ident($($arguments:tt)*) -> Self $body:block) => {
        #[cfg(not(wyn_loom))]
        $visible const fn $name($($arguments)*) -> Self $body
        #[cfg(wyn_loom)]
        $visible fn $name($($arguments)*) -> Self $body
    };
}
pub(crate) use const_unless_loom;

/// A lock without poisoning: no code of the user ever runs under it.
pub(crate) struct Mutex<T>(Inner<T>);

#[cfg(wyn_loom)]
type Inner<T> = loom::sync::Mutex<T>;
#[cfg(not(wyn_loom))]
type Inner<T> = std::sync::Mutex<T>;

impl<T> Mutex<T> {
    const_unless_loom! {
        pub(crate) fn new(value: T) -> Self {
            Self(Inner::new(value))
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        chaos();
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Gives other threads a chance at a random moment; nothing without `cfg(wyn_chaos)`.
#[inline(always)] // An empty function in every normal build.
fn chaos() {
    #[cfg(all(wyn_chaos, not(wyn_loom)))]
    {
        use std::hash::{BuildHasher, RandomState};
        if RandomState::new().hash_one(0) % 4 == 0 {
            std::thread::yield_now();
        }
    }
}

/// Shows loom an access to memory it cannot see: free cells, a cache's plain fields, the pool itself. Nothing in
/// normal builds.
pub(crate) struct Witness {
    #[cfg(wyn_loom)]
    cell: loom::cell::UnsafeCell<()>,
}

impl Witness {
    #[cfg(not(wyn_loom))]
    pub(crate) const fn new() -> Self {
        Self {}
    }

    #[cfg(wyn_loom)]
    pub(crate) fn new() -> Self {
        Self { cell: loom::cell::UnsafeCell::new(()) }
    }

    /// A use that others may share.
    #[inline(always)] // Empty in every normal build.
    pub(crate) fn shared(&self) {
        #[cfg(wyn_loom)]
        self.cell.with(|_| ());
    }

    /// A use that must be ordered with all others.
    #[inline(always)] // Empty in every normal build.
    pub(crate) fn exclusive(&self) {
        #[cfg(wyn_loom)]
        self.cell.with_mut(|_| ());
    }
}

/// A static; under loom one per execution, made by the first use after `model::begin`. Not `loom::lazy_static`, which
/// ends with the model's main thread, before the destructors of the other threads' locals are through.
macro_rules! global {
    ($name:ident: $type:ty = $init:expr) => {
        #[cfg(not(wyn_loom))]
        static $name: $type = $init;
        #[cfg(wyn_loom)]
        static $name: crate::sync::Global<$type> = crate::sync::Global(|| {
            // Loom runs all threads of a model on one thread of the system: this one.
            std::thread_local!(static MADE: core::cell::Cell<Option<(u64, &'static $type)>> = const {
                core::cell::Cell::new(None)
            });
            let execution = crate::sync::EXECUTION.get();
            let made = MADE.get().filter(|made| made.0 == execution);
            let (_, value) = made.unwrap_or_else(|| (execution, Box::leak(Box::new($init))));
            MADE.set(Some((execution, value)));
            value
        });
    };
}

#[cfg(wyn_loom)]
std::thread_local!(pub(crate) static EXECUTION: core::cell::Cell<u64> = const { core::cell::Cell::new(0) });

/// Finds a global of the execution at hand.
#[cfg(wyn_loom)]
pub(crate) struct Global<T: 'static>(pub(crate) fn() -> &'static T);

#[cfg(wyn_loom)]
impl<T> core::ops::Deref for Global<T> {
    type Target = T;

    fn deref(&self) -> &T {
        (self.0)()
    }
}

/// A thread-local, without a lazy state where std can do so.
macro_rules! local {
    ($name:ident: $type:ty = $init:expr) => {
        #[cfg(not(wyn_loom))]
        std::thread_local! { static $name: $type = const { $init } }
        #[cfg(wyn_loom)]
        loom::thread_local! { static $name: $type = $init }
    };
}

pub(crate) use {global, local};
