//! The prices the model is fed with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::Cost;

/// Nanoseconds of each operation. A record's `costs` has these names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Serial part of `join`: both calls of a branch that nobody steals, beside plain calls.
    pub fork: f64,
    /// Serial part of `join_all`, for each closure.
    pub fork_each: f64,
    /// `spawn` from outside of the runtime: the cell and the push.
    pub spawn: f64,
    /// Running a task of the own deque, awaiting it, freeing its cell.
    pub run: f64,
    /// What `par_for` does between two chunks.
    pub attend: f64,
    /// Push and pop of the classic deque, with its fence.
    pub chase_lev: f64,
    /// Allocating and freeing a task's memory with the system allocator.
    pub alloc: f64,
    /// A processor's spin hint.
    pub pause: f64,
    /// A call of the kernel to yield the processor to nobody.
    pub sched_yield: f64,
    /// A look at a deque whose lines are at hand.
    pub glance: f64,
    /// A cache line from another processor.
    pub line: f64,
    /// The same for each 32-byte cell of a run of cells that are read in order.
    pub line_stream: f64,
    /// A locked instruction on a line at hand.
    pub rmw: f64,
    /// Taking and giving back a free lock whose line is at hand.
    pub lock: f64,
    /// The same under contention, from one holder to the next.
    pub lock_contended: f64,
    /// Moving one item of a stolen batch.
    pub copy_item: f64,
    /// The heavy barrier while one other thread runs, for its caller.
    pub barrier: f64,
    /// The same, for the thread it interrupts.
    pub interrupt: f64,
    /// Calling a parked thread, for the caller.
    pub wake_call: f64,
    /// From that call until the thread runs.
    pub wake_latency: f64,
    /// How much longer than asked for a timed park takes.
    pub nap_late: f64,
    /// A cache line from a processor of another socket.
    pub line_far: f64,
    /// The heavy barrier for each further running thread, for its caller.
    pub barrier_each: f64,
    /// How far stores may lag behind before their thread has to wait.
    pub store_buffer: f64,
}

impl Costs {
    /// The figures of a record.
    ///
    /// # Errors
    /// Names the first cost that is missing, or not known.
    pub fn of(record: &BTreeMap<String, Cost>) -> Result<Costs, serde_json::Error> {
        let figures = record.iter().map(|(name, cost)| (name.clone(), cost.ns.into())).collect();
        let value = serde_json::Value::Object(figures);
        serde_json::from_value(value)
    }

    /// A fence at each push, pop and completion, and no barrier that interrupts others.
    #[must_use]
    pub fn with_fences(&self) -> Costs {
        let fence = self.rmw;
        Costs {
            fork: self.fork + 2.0 * fence,
            fork_each: self.fork_each + 2.0 * fence,
            spawn: self.spawn + fence,
            run: self.run + 2.0 * fence,
            barrier: fence,
            barrier_each: 0.0,
            interrupt: 0.0,
            ..self.clone()
        }
    }

    /// Round figures of a machine that does not exist, for tests and examples.
    #[must_use]
    pub fn example() -> Costs {
        Costs {
            fork: 4.0,
            fork_each: 4.0,
            spawn: 8.0,
            run: 6.0,
            attend: 2.0,
            chase_lev: 10.0,
            alloc: 20.0,
            pause: 20.0,
            sched_yield: 300.0,
            glance: 2.0,
            line: 60.0,
            line_stream: 10.0,
            rmw: 6.0,
            lock: 12.0,
            lock_contended: 150.0,
            copy_item: 1.0,
            barrier: 8000.0,
            interrupt: 5000.0,
            wake_call: 8000.0,
            wake_latency: 40_000.0,
            nap_late: 60_000.0,
            line_far: 180.0,
            barrier_each: 100.0,
            store_buffer: 100.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::record::Source;

    fn record(costs: &Costs) -> BTreeMap<String, Cost> {
        let serde_json::Value::Object(fields) = serde_json::to_value(costs).unwrap() else { panic!() };
        let cost = |ns| Cost { ns, mad: 0.0, source: Source::Measured, what: String::new() };
        fields.into_iter().map(|(name, ns)| (name, cost(ns.as_f64().unwrap()))).collect()
    }

    #[test]
    fn a_record_gives_its_costs_back() {
        let costs = Costs::example();
        assert_eq!(Costs::of(&record(&costs)).unwrap(), costs);
    }

    #[test]
    fn a_missing_cost_is_named() {
        let mut record = record(&Costs::example());
        record.remove("line");
        assert!(Costs::of(&record).unwrap_err().to_string().contains("`line`"));
    }
}
