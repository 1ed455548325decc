//! The backends of the fork-join group: one file each, all of one trait but Tokio.

mod serial;

#[cfg(feature = "peer-chili")]
mod chili;
#[cfg(feature = "peer-forte")]
mod forte;
#[cfg(feature = "peer-rayon")]
mod rayon;
#[cfg(feature = "peer-tokio")]
mod tokio;
#[cfg(feature = "wyn")]
mod wyn;

use crate::record::{Cell, Line};

/// Measures a fork-join cell on the backend of that name; `None` if this build has no such backend.
pub(super) fn run(backend: &str, cell: &Cell) -> Option<Line> {
    Some(match backend {
        "serial" => serial::run(cell),
        #[cfg(feature = "wyn")]
        "wyn" => crate::workloads::fork_join::measure::<wyn::Wyn>(cell),
        #[cfg(feature = "peer-rayon")]
        "rayon" => crate::workloads::fork_join::measure::<rayon::Rayon>(cell),
        #[cfg(feature = "peer-chili")]
        "chili" => crate::workloads::fork_join::measure::<chili::Chili>(cell),
        #[cfg(feature = "peer-forte")]
        "forte" => crate::workloads::fork_join::measure::<forte::Forte>(cell),
        #[cfg(feature = "peer-tokio")]
        "tokio" => tokio::run(cell),
        _ => return None,
    })
}
