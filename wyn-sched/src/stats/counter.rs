//! What counts. Without the feature `stats` each of these is nothing, and so is what is done with it.
//!
//! | type | written by | with |
//! |---|---|---|
//! | [`Counter`] | one thread at a time: the one that has the slot | a load and a store |
//! | [`Stopwatch`] | the same | a load and a store |
//! | [`Tally`] | any thread, where a locked instruction is nothing beside what is counted | an addition |
//!
//! Who has a slot next took it under the lock under which it was given back, so it goes on from the last value.

#[cfg(feature = "stats")]
mod imp {
    use std::sync::LazyLock;
    use std::time::{Duration, Instant};

    use crate::sync::{AtomicU64, Ordering};

    #[derive(Debug, Default)]
    pub(crate) struct Counter(AtomicU64);

    impl Counter {
        /// For the thread that has the slot.
        #[inline]
        pub(crate) fn add(&self, n: usize) {
            self.set(self.get().wrapping_add(n as u64));
        }

        /// The same, for a maximum.
        #[inline]
        pub(crate) fn raise_to(&self, n: usize) {
            if self.get() < n as u64 {
                self.set(n as u64);
            }
        }

        #[inline]
        pub(crate) fn get(&self) -> u64 {
            // Ordering: Relaxed: the number is the whole message. Whoever has learnt of what was counted sees it
            // counted, since that happened before.
            self.0.load(Ordering::Relaxed)
        }

        #[inline]
        fn set(&self, n: u64) {
            // Ordering: Relaxed: as in `get`.
            self.0.store(n, Ordering::Relaxed);
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct Tally(AtomicU64);

    impl Tally {
        pub(crate) fn add(&self, n: usize) {
            // Ordering: Relaxed: as in `Counter::get`.
            self.0.fetch_add(n as u64, Ordering::Relaxed);
        }

        pub(crate) fn get(&self) -> u64 {
            // Ordering: Relaxed: as in `Counter::get`.
            self.0.load(Ordering::Relaxed)
        }
    }

    /// Adds up stretches of time, the one under way included.
    ///
    /// One word, so that no reader sees a stretch twice or not at all: the sum in nanoseconds above bit 0, which says
    /// whether the watch runs. If so, its start is subtracted from the sum, and a reader adds the time of its look: a
    /// stretch that ends while it looks may seem a moment longer than it was.
    #[derive(Debug, Default)]
    pub(crate) struct Stopwatch(AtomicU64);

    const RUNS: u64 = 1;
    const SUM: u32 = 1;

    impl Stopwatch {
        /// Times `f`. For the thread that has the slot.
        #[inline]
        pub(crate) fn time<R>(&self, f: impl FnOnce() -> R) -> R {
            // Ordering: Relaxed: reads the calling thread's own last store.
            let before = self.0.load(Ordering::Relaxed) >> SUM;
            // Ordering: Release: pairs with the Acquire in `elapsed`: the look at the clock there is a later one.
            self.0.store(before.wrapping_sub(now()) << SUM | RUNS, Ordering::Release);
            let result = f();
            // Ordering: Relaxed: as above.
            let start = self.0.load(Ordering::Relaxed) >> SUM;
            // Ordering: Release: as above.
            self.0.store(start.wrapping_add(now()) << SUM, Ordering::Release);
            result
        }

        pub(crate) fn elapsed(&self) -> Duration {
            loop {
                // Ordering: Acquire: pairs with the Release in `time`.
                let word = self.0.load(Ordering::Acquire);
                let sum = (word >> SUM).wrapping_add(if word & RUNS == 0 { 0 } else { now() });
                // If the reader was held up before its look at the clock, the stretch may have ended long ago.
                // Ordering: Relaxed: compared, and nothing else.
                if self.0.load(Ordering::Relaxed) == word {
                    // The sum is one of 63 bits.
                    return Duration::from_nanos(sum << SUM >> SUM);
                }
            }
        }
    }

    /// Nanoseconds since the first look: 292 years of them.
    fn now() -> u64 {
        static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
        u64::try_from(FIRST.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    #[cfg(test)]
    mod tests {
        use std::thread::sleep;

        use super::*;

        const STEP: Duration = Duration::from_millis(20);

        #[test]
        fn a_counter_counts_and_keeps_the_largest() {
            let (counter, largest) = (Counter::default(), Counter::default());
            [2, 5, 3].iter().for_each(|&n| {
                counter.add(n);
                largest.raise_to(n);
            });
            assert_eq!((counter.get(), largest.get()), (10, 5));
        }

        #[test]
        fn a_stretch_under_way_is_included_once() {
            let watch = Stopwatch::default();
            assert_eq!(watch.elapsed(), Duration::ZERO);
            let inside = watch.time(|| {
                sleep(STEP);
                watch.elapsed()
            });
            let after = watch.elapsed();
            assert!(STEP <= inside && inside <= after, "{inside:?}, then {after:?}");
            sleep(STEP);
            assert_eq!(watch.elapsed(), after, "it does not run");
            watch.time(|| assert!(watch.elapsed() >= after, "goes on from the sum"));
            watch.time(|| sleep(STEP));
            assert!(watch.elapsed() >= after + STEP);
        }

        #[test]
        fn readers_see_neither_twice_nor_half_of_a_stretch() {
            let watch = &Stopwatch::default();
            let begin = Instant::now();
            std::thread::scope(|scope| {
                let writer = scope.spawn(|| (0..100).for_each(|_| watch.time(|| sleep(STEP / 10))));
                let mut last = Duration::ZERO;
                while !writer.is_finished() {
                    let now = watch.elapsed();
                    // The writer may be held up between its look at the clock and its store.
                    assert!(last <= now + STEP && now <= begin.elapsed(), "{last:?}, then {now:?}");
                    last = last.max(now);
                }
                assert!(last >= STEP * 10, "{last:?}");
            });
        }
    }
}

#[cfg(not(feature = "stats"))]
mod imp {
    #[derive(Debug, Default)]
    pub(crate) struct Counter(());

    impl Counter {
        #[inline(always)]
        pub(crate) fn add(&self, _n: usize) {}

        #[inline(always)]
        pub(crate) fn raise_to(&self, _n: usize) {}

        #[inline(always)]
        pub(crate) fn get(&self) -> u64 {
            0
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct Tally(());

    impl Tally {
        #[inline(always)]
        pub(crate) fn add(&self, _n: usize) {}
    }

    #[derive(Debug, Default)]
    pub(crate) struct Stopwatch(());

    impl Stopwatch {
        #[inline(always)]
        pub(crate) fn time<R>(&self, f: impl FnOnce() -> R) -> R {
            f()
        }
    }

    static_assertions::assert_eq_size!(crate::stats::Counters, ());
    static_assertions::assert_eq_size!(crate::stats::Common, ());
}

pub(crate) use imp::{Counter, Stopwatch, Tally};
