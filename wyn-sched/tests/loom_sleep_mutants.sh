#!/bin/sh
# Weakens src/sleep/roster.rs in one place at a time, in a copy of the workspace, and says which loom model dies.
# Usage: sh wyn-sched/tests/loom_sleep_mutants.sh [seconds per model]
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
(cd "$here" && tar cf - --exclude=./target --exclude=./.git .) | tar xf - -C "$copy"
cd "$copy"
roster=wyn-sched/src/sleep/roster.rs
cp $roster "$copy/roster.good"
export RUSTFLAGS="--cfg wyn_loom" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$copy/target}"
models="a_sleeper_that_leaves_by_itself_passes_on_what_it_was_called_for a_watcher_that_lies_down_races_with_two_pushes
the_last_one_to_lie_down_races_with_a_push one_finds_the_task_and_appoints_while_a_push_calls two_sleepers_and_one_push
two_pushers_race_for_one_sleeper a_watcher_that_leaves_by_itself_hands_the_watch_on"

# name, and a sed script that must change the file
mutant() {
    cp "$copy/roster.good" $roster
    sed -i "$2" $roster
    if cmp -s "$copy/roster.good" $roster; then
        echo "$1: the script changes nothing"
        return
    fi
    if ! cargo test -q --profile loom -p wyn-sched --test loom_sleep --no-run >"$copy/log" 2>&1; then
        echo "$1: does not compile: $(grep -m1 '^error' "$copy/log")"
        return
    fi
    for model in $models; do
        status=0
        RUST_BACKTRACE=0 timeout "$seconds" cargo test -q --profile loom -p wyn-sched --test loom_sleep -- \
            --exact "$model" >"$copy/log" 2>&1 || status=$?
        if [ $status -ne 0 ] && [ $status -ne 124 ]; then
            echo "$1: dies in $model"
            return
        fi
    done
    echo "$1: SURVIVES"
}

seconds=${1:-60}
mutant "lying down does not ask for an order" '/fn watch_to_sleep/,/^    }/s/if self.take_order(id).is_some()/if false/'
mutant "going to search does not ask for an order" '/fn watch_to_search/,/^    }/s/if self.take_order(id).is_none()/if true/'
mutant "leaving the watch does not ask for an order" '/fn watch_to_leave/,/^    }/s/if self.take_order(id).is_some()/if false/'
mutant "leaving the watch hands it to nobody" '/fn watch_to_leave/,/^    }/s/lists.sleepers.pop()/None::<Berth>/'
mutant "rising does not ask for an order" '/fn sleep_to_search/,/^    }/s/let order = self.take_order(id)/let order = None/'
mutant "the end of a search beside work appoints nobody" '/fn end_search_beside_work/,/^    }/{s/\&\& self.appoint(SEARCHER)/\&\& false/;s/if self.end_search()/let _ = self.end_search(); if false/}'
mutant "the last searcher does not know that it is the last" '/fn end_search(/,/^    }/s/before \& SEARCHERS == SEARCHER/before == 0/'
mutant "a call leaves its sleeper counted" '/fn rouse(/,/^    }/s/SEARCHER - SLEEPER/SEARCHER/'
mutant "a call looks at nothing under the lock" '/fn rouse(/,/^    }/s/if !self.nobody_looks()/if false/'
mutant "orders are not exchanged" '/fn take_order/,/^    }/s/order.swap(NO_ORDER, Ordering::Acquire)/{ let o = order.load(Ordering::Acquire); order.store(NO_ORDER, Ordering::Relaxed); o }/'
