//! Numbers to give out, the lowest free one first, so that those in use stay close together.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Numbers from zero up to some end, each given out or free. What lies above the end is free.
pub(crate) struct Numbers {
    /// Whether each number below the end is given out.
    out: Vec<bool>,
    /// The free ones below the end, and some above it, all of which count as gone.
    free: BinaryHeap<Reverse<usize>>,
    most: usize,
}

impl Numbers {
    /// All free; `most` may be given out.
    pub(crate) fn new(most: usize) -> Self {
        Self { out: Vec::new(), free: BinaryHeap::new(), most }
    }

    /// One above all that are given out, or were and have not been [trimmed](Self::trim) away.
    pub(crate) fn end(&self) -> usize {
        self.out.len()
    }

    /// The lowest free number, given out with this.
    pub(crate) fn take(&mut self) -> Option<usize> {
        let end = self.end();
        if let Some(Reverse(lowest)) = self.free.pop().filter(|&Reverse(lowest)| lowest < end) {
            self.out[lowest] = true;
            return Some(lowest);
        }
        // The lowest is above the end, and so are the others.
        self.free.clear();
        (end < self.most).then(|| {
            self.out.push(true);
            end
        })
    }

    /// This number is free again.
    pub(crate) fn give_back(&mut self, number: usize) {
        self.out[number] = false;
        self.free.push(Reverse(number));
    }

    pub(crate) fn is_out(&self, number: usize) -> bool {
        self.out.get(number).is_some_and(|&out| out)
    }

    /// Lowers the end as far as the numbers below it are free, and may go.
    pub(crate) fn trim(&mut self, may_go: impl Fn(usize) -> bool) {
        while self.out.last() == Some(&false) && may_go(self.end() - 1) {
            self.out.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_lowest_free_one_comes_first() {
        arbtest::arbtest(|u| {
            let (mut numbers, mut out, mut kept) = (Numbers::new(40), BTreeSet::new(), BTreeSet::new());
            for _ in 0..u.int_in_range(0..=200)? {
                match u.int_in_range(0..=3)? {
                    0 | 1 => {
                        let lowest = (0..40).find(|number| !out.contains(number));
                        assert_eq!(numbers.take(), lowest);
                        out.extend(lowest);
                    }
                    2 => {
                        let chosen = out.iter().nth(u.int_in_range(0..=9)?).copied();
                        if let Some(number) = chosen {
                            out.remove(&number);
                            numbers.give_back(number);
                        }
                    }
                    _ => {
                        kept =
                            BTreeSet::from_iter(kept.is_empty().then(|| u.int_in_range(0..=39)).transpose()?);
                        numbers.trim(|number| !kept.contains(&number));
                        let last =
                            out.iter().chain(kept.iter().filter(|&&number| number < numbers.end())).max();
                        assert!(last.map_or(numbers.end() == 0, |last| numbers.end() == last + 1));
                    }
                }
                assert!((0..45).all(|number| numbers.is_out(number) == out.contains(&number)));
                assert!(out.last().is_none_or(|&last| last < numbers.end()));
            }
            Ok(())
        });
    }
}
