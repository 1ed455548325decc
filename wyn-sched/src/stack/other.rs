//! Where the system does not say how large stacks are.

use super::Bounds;

/// Assumed: what is left when the thread is first asked, and as much above.
const ASSUMED: usize = 512 * 1024;

pub(super) fn top_of_main(_here: usize) -> Option<Bounds> {
    None
}

/// Around the place of the first question.
pub(super) fn own() -> Option<Bounds> {
    let here = super::here();
    // A quarter is kept, of which nothing is known to be there.
    Some(Bounds { low: here.saturating_sub(ASSUMED / 3 * 4), high: here.saturating_add(ASSUMED) })
}

pub(super) fn mapping(_here: usize) -> Option<Bounds> {
    None
}

pub(super) fn is_one_mapping(_low: usize, _here: usize) -> bool {
    false
}
