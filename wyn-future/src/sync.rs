//! The only file of this crate that names atomics, cells, locks and parking.
//!
//! `std` in every ordinary build; [loom](https://docs.rs/loom) under `--cfg wyn_loom`, where each access
//! becomes a point at which the model may switch threads, where an access to a word, a [`Tracked`] or a cell
//! that was freed without synchronisation fails the model, and where `WYN_WEAKEN=<site>=<Ordering>` replaces
//! one ordering to see which model notices. Under `--cfg wyn_chaos` atomics yield at random on either side.

#[cfg(not(wyn_loom))]
mod imp {
    pub(crate) use std::hint::spin_loop;
    pub(crate) use std::sync::atomic::{Ordering, fence};
    pub(crate) use std::sync::{Mutex, MutexGuard};
    pub(crate) use std::thread::{Thread, current, park, park_timeout, sleep, yield_now};

    #[cfg(wyn_chaos)]
    pub(crate) use super::chaos::{AtomicPtr, AtomicU32, AtomicU64};
    #[cfg(not(wyn_chaos))]
    pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

    /// The ordering of a site that the table in `state.rs` names.
    #[inline]
    pub(crate) const fn needed(_site: &str, order: Ordering) -> Ordering {
        order
    }

    /// Frees a box the other side could once reach.
    #[inline]
    pub(crate) fn retire<T>(freed: Box<T>) {
        drop(freed);
    }

    /// Memory that the other side may read, watched by loom only.
    #[derive(Debug)]
    pub(crate) struct Tracked;

    impl Tracked {
        #[inline]
        pub(crate) const fn new() -> Self {
            Self
        }
        #[inline]
        pub(crate) const fn touch(&self) {}
    }

    /// A memory cell that hands out raw pointers, as loom's does.
    #[derive(Debug)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        #[inline]
        pub(crate) const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }
        #[inline]
        pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }
        #[inline]
        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}

#[cfg(wyn_loom)]
mod imp {
    use std::sync::OnceLock;

    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
    pub(crate) use loom::sync::{Mutex, MutexGuard};
    pub(crate) use loom::thread::{Thread, current, park, yield_now};

    /// The ordering of a site, or the one that `WYN_WEAKEN` puts in its place.
    pub(crate) fn needed(site: &str, order: Ordering) -> Ordering {
        static WEAKENED: OnceLock<Option<(String, Ordering)>> = OnceLock::new();
        let weakened = WEAKENED.get_or_init(|| {
            let text = std::env::var("WYN_WEAKEN").ok()?;
            let (site, order) = text.split_once('=').expect("WYN_WEAKEN is <site>=<Ordering>");
            // Ordering: of all three: whatever the test asks for, in place of the one the site explains.
            let order = match order {
                "Relaxed" => Ordering::Relaxed,
                "Acquire" => Ordering::Acquire,
                "Release" => Ordering::Release,
                other => panic!("no weaker ordering is called {other}"),
            };
            Some((site.to_owned(), order))
        });
        match weakened {
            Some((name, weaker)) if name == site => *weaker,
            _ => order,
        }
    }

    /// Drops a box and keeps its memory: whoever touches it still finds a [`Tracked`], and fails the model.
    pub(crate) fn retire<T>(freed: Box<T>) {
        let freed = Box::into_raw(freed);
        // SAFETY: it came from a box, and is never used again by this side.
        unsafe { std::ptr::drop_in_place(freed) };
    }

    /// Reports use after free as a race: a touch reads, the drop writes.
    #[derive(Debug)]
    pub(crate) struct Tracked(UnsafeCell<()>);

    // SAFETY: there is nothing in the cell; loom runs one thread at a time and finds the races.
    unsafe impl Sync for Tracked {}

    impl Tracked {
        #[track_caller]
        pub(crate) fn new() -> Self {
            Self(UnsafeCell::new(()))
        }
        #[track_caller]
        pub(crate) fn touch(&self) {
            self.0.with(|_| ());
        }
    }

    impl Drop for Tracked {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                self.0.with_mut(|_| ());
            }
        }
    }

    /// An atomic that knows when it has been freed, with the one operation that loom's lacks.
    #[derive(Debug)]
    pub(crate) struct AtomicPtr<T> {
        word: loom::sync::atomic::AtomicPtr<T>,
        alive: Tracked,
    }

    // Ordering (of all below): chosen, and explained, at the call sites.
    impl<T> AtomicPtr<T> {
        #[track_caller]
        pub(crate) fn new(value: *mut T) -> Self {
            Self { word: loom::sync::atomic::AtomicPtr::new(value), alive: Tracked::new() }
        }
        #[track_caller]
        pub(crate) fn load(&self, order: Ordering) -> *mut T {
            self.alive.touch();
            self.word.load(order)
        }
        #[track_caller]
        pub(crate) fn store(&self, value: *mut T, order: Ordering) {
            self.alive.touch();
            self.word.store(value, order);
        }
        #[track_caller]
        pub(crate) fn swap(&self, value: *mut T, order: Ordering) -> *mut T {
            self.alive.touch();
            self.word.swap(value, order)
        }
        #[track_caller]
        pub(crate) fn compare_exchange(
            &self,
            current: *mut T,
            new: *mut T,
            success: Ordering,
            failure: Ordering,
        ) -> Result<*mut T, *mut T> {
            self.alive.touch();
            self.word.compare_exchange(current, new, success, failure)
        }
        #[track_caller]
        pub(crate) fn fetch_or(&self, bits: usize, order: Ordering) -> *mut T {
            self.alive.touch();
            // Ordering: Relaxed for the load of this loop: if it is stale the exchange fails, and the loop goes
            // round. That of the exchange is the call site's.
            self.word
                .fetch_update(order, Ordering::Relaxed, |v| Some(v.map_addr(|a| a | bits)))
                .expect("the update never refuses")
        }
    }

    /// loom has no clock: a timed park is a yield that always reports its time as up.
    pub(crate) fn park_timeout(_: std::time::Duration) {
        yield_now();
    }

    /// As [`park_timeout`].
    pub(crate) fn sleep(_: std::time::Duration) {
        yield_now();
    }
}

/// Random pauses around every atomic operation: widens the windows that a stress test aims at.
#[cfg(wyn_chaos)]
mod chaos {
    use std::cell::Cell;
    use std::sync::atomic::{self, Ordering};

    // Ordering (of all below): chosen, and explained, at the call sites.
    macro_rules! chaotic {
        ($name:ident $(<$param:ident>)?, $value:ty) => {
            #[derive(Debug)]
            pub(crate) struct $name$(<$param>)?(atomic::$name$(<$param>)?);

            #[allow(dead_code, reason = "not every width uses every operation")]
            impl$(<$param>)? $name$(<$param>)? {
                pub(crate) const fn new(value: $value) -> Self {
                    Self(atomic::$name::new(value))
                }
                pub(crate) fn load(&self, order: Ordering) -> $value {
                    around(|| self.0.load(order))
                }
                pub(crate) fn store(&self, value: $value, order: Ordering) {
                    around(|| self.0.store(value, order));
                }
                pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                    around(|| self.0.swap(value, order))
                }
                pub(crate) fn compare_exchange(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    around(|| self.0.compare_exchange(current, new, success, failure))
                }
                pub(crate) fn compare_exchange_weak(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    around(|| self.0.compare_exchange_weak(current, new, success, failure))
                }
                pub(crate) fn fetch_update(
                    &self,
                    set: Ordering,
                    fetch: Ordering,
                    f: impl FnMut($value) -> Option<$value>,
                ) -> Result<$value, $value> {
                    around(|| self.0.fetch_update(set, fetch, f))
                }
            }
        };
    }

    chaotic!(AtomicPtr<T>, *mut T);
    chaotic!(AtomicU32, u32);
    chaotic!(AtomicU64, u64);

    impl<T> AtomicPtr<T> {
        pub(crate) fn fetch_or(&self, bits: usize, order: Ordering) -> *mut T {
            around(|| self.0.fetch_or(bits, order))
        }
    }

    fn around<R>(op: impl FnOnce() -> R) -> R {
        pause();
        let out = op();
        pause();
        out
    }

    /// One time in eight yields, one time in eight spins a little.
    fn pause() {
        static SEEDS: atomic::AtomicU64 = atomic::AtomicU64::new(1);
        thread_local! {
            // Ordering: Relaxed: only distinct numbers are wanted.
            static STATE: Cell<u64> =
                Cell::new(SEEDS.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        // In a destructor of the thread's locals there is no state left: no pause.
        let _ = STATE.try_with(|state| {
            let mut x = state.get();
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            state.set(x);
            match x >> 61 {
                0 => std::thread::yield_now(),
                1 => (0..x >> 55 & 63).for_each(|_| std::hint::spin_loop()),
                _ => {}
            }
        });
    }
}

pub(crate) use imp::*;

/// Waits for another thread that is a few instructions away: first spinning, then giving up the processor,
/// at last sleeping, for where yielding cannot let it run (a lower real-time priority on the same processor).
pub(crate) fn spin_until(mut ready: impl FnMut() -> bool) {
    const SPIN_ROUNDS: u32 = 64;
    const YIELD_ROUNDS: u32 = 1024;
    const NAP: std::time::Duration = std::time::Duration::from_micros(50);
    let mut rounds = 0_u32;
    while !ready() {
        rounds = rounds.saturating_add(1);
        if cfg!(wyn_loom) {
            yield_now();
        } else if rounds <= SPIN_ROUNDS {
            spin_loop();
        } else if rounds <= YIELD_ROUNDS {
            yield_now();
        } else {
            sleep(NAP);
        }
    }
}
