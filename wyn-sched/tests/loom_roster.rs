//! The roster by itself, `src/sleep/roster.rs` as it is: what its calls promise, without the steps around them that
//! are in `loom_sleep.rs`. Run as those.
#![cfg(wyn_loom)]

#[path = "../src/sleep/place.rs"]
mod place;
#[path = "../src/sleep/roster.rs"]
#[allow(dead_code, reason = "the models use a part of it")]
mod roster;
#[path = "../src/sync.rs"]
#[allow(unused_imports, reason = "the models use a part of it")]
mod sync;
#[path = "../src/table.rs"]
#[allow(dead_code, reason = "the models use a part of it")]
mod table;
#[path = "../src/sleep/word.rs"]
mod word;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use roster::{Rest, Roster};

/// A sleeper, and what it may be called for.
struct Told {
    roster: Roster,
    task: UnsafeCell<u32>,
}

// SAFETY: that its uses are ordered is what the model checks.
unsafe impl Sync for Told {}
// SAFETY: as above.
unsafe impl Send for Told {}

/// No race: two who appoint at once would need four workers, more than a model has room for.
#[test]
fn nobody_is_appointed_beside_somebody_who_looks() {
    loom::model(|| {
        let roster = Roster::new();
        let nobody_is_called = || (0..3).all(|id| roster.take_order(id).is_none());
        (0..3).for_each(|_| roster.begin_search());
        assert_eq!([0, 1].map(|id| roster.retire(id)), [Rest::Watch, Rest::Sleep]);
        // The third one searches, beside the watcher, then alone.
        roster.appoint_watcher();
        assert!(nobody_is_called() && roster.resting() == 2);
        assert!(roster.watch_to_sleep(0));
        roster.appoint_watcher();
        assert!(nobody_is_called() && roster.resting() == 2);
        assert!(roster.end_search(), "nobody looks any more");
        roster.appoint_watcher();
        assert!(!nobody_is_called() && roster.resting() == 2);
    });
}

/// Also before the unpark, which would show it as well. Loom takes no turn between an order and its unpark, so here
/// the thread that is unparked is another than the one that obeys.
#[test]
fn who_obeys_sees_what_its_caller_did() {
    loom::model(|| {
        let rests = thread::spawn(|| {
            let told = Arc::new(Told { roster: Roster::new(), task: UnsafeCell::new(0) });
            told.roster.begin_search();
            assert!(told.roster.retire(0) == Rest::Watch && told.roster.watch_to_sleep(0));
            let (obeys, calls) = (Arc::clone(&told), told);
            let calls = thread::spawn(move || {
                // SAFETY: looked at by who has been called.
                calls.task.with_mut(|task| unsafe { *task = 7 });
                assert!(calls.roster.rouse());
            });
            let obeys = thread::spawn(move || {
                if obeys.roster.take_order(0).is_some() {
                    // SAFETY: written before the call.
                    assert_eq!(obeys.task.with(|task| unsafe { *task }), 7);
                }
            });
            [obeys, calls]
        });
        rests.join().unwrap().into_iter().for_each(|thread| thread.join().unwrap());
    });
}
