//! The size classes.

use core::alloc::Layout;

/// The sizes of raw cells. Cells are aligned to 32 bytes, those of 64 and more to 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SizeClass {
    /// 32 bytes.
    C32,
    /// 64 bytes.
    C64,
    /// 128 bytes.
    C128,
    /// 256 bytes.
    C256,
}

impl SizeClass {
    /// All classes, smallest first.
    pub const ALL: [Self; 4] = [Self::C32, Self::C64, Self::C128, Self::C256];

    /// The smallest class whose cells hold `layout`; `None` when it is too large or too aligned for all.
    #[inline]
    #[must_use]
    pub const fn for_layout(layout: Layout) -> Option<Self> {
        // An over-aligned layout may be smaller than its alignment.
        let bytes = if layout.size() > layout.align() { layout.size() } else { layout.align() };
        match bytes {
            _ if layout.align() > 64 => None,
            0..=32 => Some(Self::C32),
            33..=64 => Some(Self::C64),
            65..=128 => Some(Self::C128),
            129..=256 => Some(Self::C256),
            _ => None,
        }
    }

    /// Bytes of a cell.
    #[inline]
    #[must_use]
    pub const fn size(self) -> usize {
        32 << self as u8
    }

    /// Alignment of a cell.
    #[inline]
    #[must_use]
    pub const fn align(self) -> usize {
        match self {
            Self::C32 => 32,
            _ => 64,
        }
    }

    /// Size and alignment of a cell.
    #[inline]
    #[must_use]
    pub const fn layout(self) -> Layout {
        match Layout::from_size_align(self.size(), self.align()) {
            Ok(layout) => layout,
            Err(_) => unreachable!(),
        }
    }
}
