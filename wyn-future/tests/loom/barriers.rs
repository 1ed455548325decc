//! The barriers that the models of the cell run with.

use std::sync::OnceLock;

use wyn_future::{Barrier, Fences};

/// The barrier pair, of which `WYN_BARRIER=light` or `heavy` leaves one half out.
pub(crate) struct Halves;

fn leaves_out(half: &str) -> bool {
    static MISSING: OnceLock<String> = OnceLock::new();
    MISSING.get_or_init(|| std::env::var("WYN_BARRIER").unwrap_or_default()) == half
}

impl Barrier for Halves {
    fn light() {
        if !leaves_out("light") {
            Fences::light();
        }
    }
    fn heavy() {
        if !leaves_out("heavy") {
            Fences::heavy();
        }
    }
}

/// No barrier at all, as the hot half of an asymmetric pair looks to the memory model: what synchronises
/// here does so by the orderings of the words alone.
pub(crate) struct Nothing;

impl Barrier for Nothing {
    fn light() {}
    fn heavy() {}
}
