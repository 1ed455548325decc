//! Ten children on one scope, over and over: what a spawn onto a scope costs beside a join.

use std::hint::black_box;

use super::{inside, wide};
use crate::backend::ForkJoin;
use crate::meter::Job;
use crate::record::Line;

const CHILDREN: usize = 10;

pub(super) fn measure<B: ForkJoin>(b: B, n: u64) -> Line {
    if !B::SCOPE {
        return Line::Unsupported("no scope that children are spawned onto".to_owned());
    }
    let (scopes, children) = (n / wide(CHILDREN), wide(CHILDREN));
    // Child i of scope s returns s + i.
    let expected = children * scopes * scopes.saturating_sub(1) / 2 + scopes * 45;
    inside(b, Job { ops: scopes * children, expected }, move |context| {
        let mut slots = [0; CHILDREN];
        let mut sum = 0;
        for first in 0..scopes {
            B::scope(context, &mut slots, &|i| black_box(first) + wide(i), || ());
            sum += slots.iter().sum::<u64>();
        }
        sum
    })
}
