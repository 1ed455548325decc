//! Every interleaving, and every outcome the memory model allows, of the split deque at its smallest.
//!
//! Each model hunts what its comment says; `mutants.toml` weakens each ordering and drops each check in turn
//! and names the models that die. Rings start with two slots.
#![cfg(wyn_loom)]

#[path = "support/split_models.rs"]
mod support;

use loom::thread;
use support::{Loot, NoLight, batch_thief, check, check_three, owner, settle, thief, worker};
use wyn_deque::split::{Barrier, Fences, Worker};

fn last_item<B: Barrier>() {
    check(|| {
        let worker = worker::<B>(2, 0);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            worker.push(1);
            let popped = worker.pop();
            // What `pop` did not find stays away: `None` is never a guess.
            assert!(popped.is_some() || worker.pop().is_none());
            vec![popped]
        });
        settle(1, owner, vec![thief]);
    });
}

/// Both ends go for the only item.
#[test]
fn the_last_item_goes_to_one() {
    last_item::<Fences>();
}

struct NoHeavy;
// SAFETY: it is not: the model must show it.
unsafe impl Barrier for NoHeavy {
    fn light() {
        Fences::light();
    }
    fn heavy() {}
}

/// The owner's half of the barrier is needed.
#[test]
#[should_panic]
fn without_light_the_last_item_goes_to_both() {
    last_item::<NoLight>();
}

/// The thief's half of the barrier is needed.
#[test]
#[should_panic]
fn without_heavy_the_last_item_goes_to_both() {
    last_item::<NoHeavy>();
}

/// The owner pops down to and into the batch that a thief claims.
#[test]
fn the_owner_meets_a_batch() {
    check(|| {
        let worker = worker::<Fences>(4, 3);
        let thief = batch_thief(worker.stealer(), 2);
        let owner = owner(worker, |worker| vec![worker.pop(), worker.pop(), worker.pop()]);
        settle(3, owner, vec![thief]);
    });
}

/// The owner meets a thief that asks, gives it half, and goes on. Should the thief have given up asking, they meet
/// as before.
#[test]
fn a_question_is_answered() {
    check(|| {
        let worker = worker::<Fences>(4, 0);
        let thief = batch_thief(worker.stealer(), 2);
        let owner = owner(worker, |worker| {
            (1..=3).for_each(|item| worker.push(item));
            vec![worker.pop(), worker.pop()]
        });
        settle(3, owner, vec![thief]);
    });
}

/// Two thieves ask one after the other, and for different numbers: each gets no more than it asked for.
#[test]
fn a_question_is_answered_by_its_own_wish() {
    check_three(|| {
        let worker = worker::<Fences>(8, 5);
        let thieves = vec![batch_thief(worker.stealer(), 2), thief(worker.stealer())];
        let owner = owner(worker, |worker| {
            worker.attend();
            vec![worker.pop()]
        });
        settle(5, owner, thieves);
    });
}

/// The owner answers while the thief gives up asking: the items go to one of them.
#[test]
fn a_question_is_answered_or_withdrawn() {
    check(|| {
        let worker = worker::<Fences>(2, 2);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            worker.attend();
            vec![worker.pop(), worker.pop()]
        });
        settle(2, owner, vec![thief]);
    });
}

/// The owner takes its newest item back by its position.
#[test]
fn take_back_meets_a_thief() {
    check(|| {
        let worker = worker::<Fences>(2, 0);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            let position = worker.push_at(1);
            vec![worker.take_back(position).then_some(1)]
        });
        settle(1, owner, vec![thief]);
    });
}

/// The owner pops an item and pushes another into the same slot, twice under the thief's nose: what the
/// thief takes is written for it to see.
#[test]
fn a_refilled_slot_is_seen_full() {
    check(|| {
        let worker = worker::<Fences>(2, 0);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            worker.push(1);
            let first = worker.pop();
            worker.push(2);
            vec![first, worker.pop()]
        });
        settle(2, owner, vec![thief]);
    });
}

/// A thief that reads the head of a pop sees the items below it, though an older head sized its claim.
#[test]
fn what_lies_below_a_pop_is_seen() {
    check(|| {
        let worker = worker::<Fences>(2, 0);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            worker.push(1);
            let first = worker.pop();
            worker.push(2);
            worker.push(3);
            vec![first, worker.pop()]
        });
        settle(3, owner, vec![thief]);
    });
}

/// An empty pop puts the head back, and what follows is found.
#[test]
fn empty_then_refill() {
    check(|| {
        let worker = worker::<Fences>(2, 0);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            let none = worker.pop();
            worker.push(1);
            let popped = worker.pop();
            worker.push(2);
            vec![none, popped]
        });
        settle(2, owner, vec![thief]);
    });
}

/// `None` means empty: nothing that stays in the deque was overlooked because a thief held a claim.
#[test]
fn none_is_never_spurious() {
    check(|| {
        let worker = worker::<Fences>(4, 2);
        let thief = batch_thief(worker.stealer(), 2);
        let owner = owner(worker, |worker| {
            let popped = vec![worker.pop(), worker.pop()];
            if popped[1].is_none() {
                assert!(worker.is_empty());
            }
            assert_eq!(worker.pop(), None, "both items are gone by now");
            popped
        });
        settle(2, owner, vec![thief]);
    });
}

/// Two thieves never share a claim, and the second sees where the first stopped.
#[test]
fn two_thieves() {
    check_three(|| {
        let worker = worker::<Fences>(4, 2);
        let thieves = vec![thief(worker.stealer()), thief(worker.stealer())];
        let owner = owner(worker, |worker| vec![worker.pop()]);
        settle(2, owner, thieves);
    });
}

/// The owner takes from the thieves' end.
#[test]
fn the_oldest_goes_to_one() {
    check(|| {
        let worker = worker::<Fences>(2, 2);
        let thieves = vec![thief(worker.stealer())];
        let owner = owner(worker, |worker| {
            let oldest = worker.pop_oldest();
            // Its slot, if it was free again.
            worker.push(3);
            vec![oldest, worker.pop()]
        });
        settle(3, owner, thieves);
    });
}

/// The thieves are alone and there is one item for each: neither may hear `Empty`.
#[test]
fn empty_is_never_spurious() {
    check_three(|| {
        let worker = worker::<Fences>(2, 2);
        let thieves = [worker.stealer(), worker.stealer()].map(|stealer| {
            thread::spawn(move || {
                let outcome = stealer.steal();
                assert!(!outcome.is_empty(), "an item for each");
                Loot::items(outcome.success())
            })
        });
        settle(2, owner(worker, |_| vec![]), thieves.into());
    });
}

/// The ring is full and one thief is at it: the slot of a stolen item is written again only when the
/// thief has read it; else the owner grows.
#[test]
fn a_slot_is_reused_after_a_lap() {
    check(|| {
        let worker = worker::<Fences>(2, 2);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            worker.push(3);
            vec![worker.pop()]
        });
        settle(3, owner, vec![thief]);
    });
}

/// The owner grows while a thief claims: either ring holds what the thief takes.
#[test]
fn growth_meets_a_thief() {
    check(|| {
        let worker = worker::<Fences>(2, 0);
        let thief = batch_thief(worker.stealer(), 2);
        let owner = owner(worker, |worker| {
            (1..=3).for_each(|item| worker.push(item));
            vec![worker.pop()]
        });
        settle(3, owner, vec![thief]);
    });
}

/// A claim that is not copied yet survives growth: the copy starts at `done`.
#[test]
fn growth_keeps_a_claim() {
    check(|| {
        let worker = worker::<Fences>(2, 2);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            worker.push(3);
            worker.push(4);
            vec![]
        });
        settle(4, owner, vec![thief]);
    });
}

/// What the owner put in after it grew is read from the new ring, though an older head sized the claim.
#[test]
fn a_claim_is_read_from_the_ring_of_its_time() {
    check(|| {
        let worker = worker::<Fences>(2, 2);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            worker.push(3);
            let popped = vec![worker.pop(), worker.pop(), worker.pop()];
            worker.push(4);
            popped
        });
        settle(4, owner, vec![thief]);
    });
}

/// A batch goes from ring to ring, and a third party steals from the destination.
#[test]
fn a_batch_changes_owner() {
    check_three(|| {
        let worker = worker::<Fences>(4, 3);
        let (victim, dest) = (worker.stealer(), Worker::starting_at(2, usize::MAX));
        let third = thief(dest.stealer());
        let middle = thread::spawn(move || {
            let first = victim.steal_batch_and_pop(&dest, 2).success();
            first.into_iter().chain(dest.pop()).collect::<Vec<_>>()
        });
        let owner = owner(worker, |worker| vec![worker.pop()]);
        let mut taken: Vec<u32> = middle.join().unwrap();
        taken.extend(third.join().unwrap().all());
        let (worker, popped) = owner.join().unwrap();
        taken.extend(popped.into_iter().flatten());
        taken.extend(std::iter::from_fn(|| worker.pop()));
        taken.sort_unstable();
        assert_eq!(taken, [1, 2, 3]);
    });
}

/// A mark never shows a head older than the claims it shows, but for the one of a pop in progress.
#[test]
fn a_mark_is_consistent() {
    check_three(|| {
        let worker = worker::<Fences>(4, 0);
        let (watcher, thief) = (worker.stealer(), batch_thief(worker.stealer(), 2));
        let watcher = thread::spawn(move || {
            let (claimed, head) = watcher.mark();
            assert!(head.wrapping_sub(claimed).cast_signed() >= -1, "{claimed} {head}");
            Loot::items(None)
        });
        let owner = owner(worker, |worker| {
            (1..=3).for_each(|item| worker.push(item));
            vec![]
        });
        settle(3, owner, vec![thief, watcher]);
    });
}

/// The owner outgrows two rings under the thief's hands: the one that the thief reads is not freed meanwhile.
#[test]
fn a_retired_ring_waits_for_a_thief() {
    check(|| {
        let worker = worker::<Fences>(2, 2);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            (3..=6).for_each(|item| worker.push(item));
            vec![]
        });
        settle(6, owner, vec![thief]);
    });
}

/// A pop below what thieves have taken already withdraws nothing that a claim could miss.
#[test]
fn an_empty_pop_meets_a_claim() {
    check(|| {
        let worker = worker::<Fences>(4, 2);
        let first = worker.stealer().steal().success();
        let thief = thief(worker.stealer());
        let owner = owner(worker, move |worker| vec![first, worker.pop(), worker.pop()]);
        settle(2, owner, vec![thief]);
    });
}
