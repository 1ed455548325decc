//! The list of a [`Select`](super::Select): a few arms in place, more in memory of their own. A select that is
//! made for each message then allocates nothing.

use super::run::Case;

/// How many arms have their place in the list itself.
const FEW: usize = 4;

#[derive(Clone)]
pub(super) struct Cases<'a> {
    few: [Case<'a>; FEW],
    /// How many of `few` are arms; 0 once they have moved to `many`.
    len: usize,
    many: Vec<Case<'a>>,
}

impl<'a> Cases<'a> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { few: [Case::none(); FEW], len: 0, many: Vec::new() }
    }

    #[inline]
    pub(super) fn push(&mut self, case: Case<'a>) {
        if self.many.is_empty()
            && let Some(place) = self.few.get_mut(self.len)
        {
            // One by one: what is written in pieces is slow to be copied as a whole.
            place.arm = case.arm;
            place.index = case.index;
            place.addr = case.addr;
            self.len += 1;
        } else {
            self.push_to_many(case);
        }
    }

    #[cold]
    #[inline(never)]
    fn push_to_many(&mut self, case: Case<'a>) {
        self.many.extend_from_slice(&self.few[..self.len]);
        self.len = 0;
        self.many.push(case);
    }

    /// # Panics
    /// If there is no arm at that place.
    pub(super) fn remove(&mut self, at: usize) {
        if self.many.is_empty() {
            self.few[at..self.len].rotate_left(1);
            self.len -= 1;
        } else {
            self.many.remove(at);
        }
    }

    #[inline]
    pub(super) fn as_mut_slice(&mut self) -> &mut [Case<'a>] {
        if self.many.is_empty() { &mut self.few[..self.len] } else { &mut self.many }
    }

    /// An empty list in the memory of this one.
    pub(super) fn recycle<'b>(mut self) -> Cases<'b> {
        self.many.clear();
        // Without elements nothing is moved: the vector keeps its memory.
        let many = self.many.into_iter().map(|_| Case::none()).collect();
        Cases { many, ..Cases::new() }
    }
}
