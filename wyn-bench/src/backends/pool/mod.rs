//! The backends of the pool group: Wyn's cells and boxes, and allocators called directly, whatever the program's
//! own allocator is.

mod direct;
#[cfg(feature = "wyn")]
mod wyn;

use crate::record::{Cell, Line};
use crate::workloads::pool::memory;
use direct::Direct;

/// Measures a pool cell on the backend of that name; `None` if this build has no such backend.
pub(super) fn run(backend: &str, cell: &Cell) -> Option<Line> {
    Some(match backend {
        #[cfg(feature = "wyn")]
        "wyn" => memory(&wyn::Raw, cell),
        #[cfg(feature = "wyn")]
        "wyn_box" => memory(&wyn::Boxes::new(), cell),
        "system" => memory(&Direct(&std::alloc::System), cell),
        #[cfg(feature = "peer-mimalloc")]
        "mimalloc" => memory(&Direct(&mimalloc::MiMalloc), cell),
        #[cfg(feature = "peer-jemalloc")]
        "jemalloc" => memory(&Direct(&tikv_jemallocator::Jemalloc), cell),
        _ => return None,
    })
}
