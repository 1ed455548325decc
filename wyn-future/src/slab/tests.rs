//! What cannot be reached from outside in reasonable time: slots that wear out.

use super::key::Generation;
use super::*;

#[test]
fn a_worn_out_slot_is_retired() {
    let slab = Slab::<u8>::new();
    let first = slab.open();
    slab.close(first).expect("open");
    let slot = slab.slot(first).expect("exists");
    slot.wear_to(Generation(u32::MAX - 2));

    let last_but_one = slab.open();
    assert_eq!(last_but_one.generation(), Generation(u32::MAX - 1));
    assert_eq!(slab.close(last_but_one), Ok(None));
    let last = slab.open();
    assert_eq!((last.index(), last.generation()), (first.index(), Generation(u32::MAX)));
    slab.complete(last, 7).expect("open");
    assert_eq!(slab.try_take(last), Ok(7));

    let next = slab.open();
    assert_ne!(next.index(), first.index());
    for stale in [first, last_but_one, last] {
        assert_eq!(slab.try_take(stale), Err(SlabError::Stale));
        assert_eq!(slab.close(stale), Err(SlabError::Stale));
    }
    assert_eq!(slab.len(), 1);
}

#[test]
fn a_slot_is_as_small_as_its_parts() {
    assert_eq!(size_of::<Slot<u32>>(), 16);
    assert_eq!(size_of::<Slot<u64>>(), 24);
}
