//! Models as in `loom_split.rs`, of what reaches past the ends: an owner that takes from the middle, and a thief that looks
//! before it takes.
#![cfg(wyn_loom)]

#[path = "support/split_models.rs"]
mod support;

use loom::thread;
use support::{HOLE, Loot, NoLight, batch_thief, check, owner, position, settle, thief, worker};
use wyn_deque::Steal;
use wyn_deque::split::Fences;

/// The owner takes its oldest item from below others while a thief goes for the same.
#[test]
fn the_oldest_below_others_goes_to_one() {
    check(|| {
        let worker = worker::<Fences>(2, 2);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| vec![worker.take_at(position(1), HOLE)]);
        settle(2, owner, vec![thief]);
    });
}

/// The owner takes from the middle of a batch: the thief gets the item or the hole.
#[test]
fn the_middle_meets_a_batch() {
    check(|| {
        let worker = worker::<Fences>(4, 4);
        let thief = batch_thief(worker.stealer(), 2);
        let owner = owner(worker, |worker| vec![worker.take_at(position(2), HOLE), worker.pop()]);
        settle(4, owner, vec![thief]);
    });
}

/// The owner takes the first item of a batch: the thief does not copy what lies below `low`.
#[test]
fn the_oldest_is_taken_from_a_batch() {
    check(|| {
        let worker = worker::<Fences>(4, 4);
        let thief = batch_thief(worker.stealer(), 2);
        let owner = owner(worker, |worker| {
            let oldest = worker.take_at(position(1), HOLE);
            vec![oldest, worker.take_at(position(2), HOLE + 1)]
        });
        settle(4, owner, vec![thief]);
    });
}

/// The owner takes the item behind a confirmed claim, and `low` passes the thief that still copies.
#[test]
fn low_passes_a_claim() {
    check(|| {
        let worker = worker::<Fences>(4, 3);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| vec![worker.take_at(position(2), HOLE)]);
        settle(3, owner, vec![thief]);
    });
}

/// The owner frees the slots of what it has taken, and fills them, while a thief comes and goes.
#[test]
fn a_trim_meets_a_thief() {
    check(|| {
        let worker = worker::<Fences>(4, 4);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            let taken = [1, 2].map(|item| worker.take_at(position(item), HOLE + item));
            worker.push(5);
            taken.into()
        });
        settle(5, owner, vec![thief]);
    });
}

/// The owner takes the newest item, and fills its slot, while a thief goes for all.
#[test]
fn the_newest_by_position_goes_to_one() {
    check(|| {
        let worker = worker::<Fences>(2, 1);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            let taken = worker.take_at(position(1), HOLE);
            worker.push(2);
            vec![taken]
        });
        settle(2, owner, vec![thief]);
    });
}

/// A mark never shows a head older than what it shows as taken, but for the one of a take in progress.
/// The barrier has no part in it, and a fence would hide what has.
#[test]
fn a_mark_is_consistent_with_low() {
    check(|| {
        let worker = worker::<NoLight>(4, 0);
        let watcher = worker.stealer();
        let watcher = thread::spawn(move || {
            let (oldest, head) = watcher.mark();
            assert!(head.wrapping_sub(oldest).cast_signed() >= -1, "{oldest} {head}");
            Loot::items(None)
        });
        let owner = owner(worker, |worker| {
            (1..=3).for_each(|item| worker.push(item));
            vec![worker.take_at(position(1), HOLE), worker.take_at(position(2), HOLE)]
        });
        settle(3, owner, vec![watcher]);
    });
}

/// A thief looks at the oldest item and leaves it: its owner, who may be waiting for it, takes it and fills its slot.
#[test]
fn a_refused_item_stays() {
    check(|| {
        let worker = worker::<Fences>(2, 1);
        let stealer = worker.stealer();
        let thief = thread::spawn(move || {
            let stolen = stealer.steal_if(|item| *item == HOLE);
            assert!(matches!(stolen, Steal::Success(None) | Steal::Empty), "{stolen:?}");
            Loot::items(None)
        });
        let owner = owner(worker, |worker| {
            let popped = worker.pop();
            assert_eq!(popped, Some(1), "nobody else wants it");
            worker.push(2);
            vec![popped]
        });
        settle(2, owner, vec![thief]);
    });
}

/// A thief looks at the oldest item and takes it; what it has seen is what it gets.
#[test]
fn a_wanted_item_goes_to_one() {
    check(|| {
        let worker = worker::<Fences>(2, 2);
        let stealer = worker.stealer();
        let thief = thread::spawn(move || {
            let stolen = stealer.steal_if(|item| *item != HOLE).success();
            Loot::items(stolen.map(|item| item.expect("no hole is left of an oldest item")))
        });
        let owner = owner(worker, |worker| {
            let taken = worker.take_at(position(1), HOLE);
            vec![taken, worker.pop()]
        });
        settle(2, owner, vec![thief]);
    });
}

/// The owner answers one question while it takes from the middle, and the next claim goes for the very item.
#[test]
fn an_answer_is_followed_by_a_claim() {
    check(|| {
        let worker = worker::<Fences>(4, 3);
        let stealer = worker.stealer();
        let thief = thread::spawn(move || {
            Loot::items([stealer.steal(), stealer.steal()].into_iter().filter_map(Steal::success))
        });
        let owner = owner(worker, |worker| vec![worker.take_at(position(2), HOLE)]);
        settle(3, owner, vec![thief]);
    });
}
