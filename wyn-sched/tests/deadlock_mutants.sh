#!/bin/sh
# Weakens the proof of a deadlock in one place at a time, in a copy of the workspace, and says which test sees it: a false
# report, or none where one is due.
# Usage: sh wyn-sched/tests/deadlock_mutants.sh [part of a mutant's name]
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
(cd "$here" && tar cf - --exclude=./target --exclude=./.git .) | tar xf - -C "$copy"
cd "$copy"
src=wyn-sched/src
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$copy/target}" RUST_BACKTRACE=0 WYN_STRESS_SECONDS=${WYN_STRESS_SECONDS:-8}
only=${1:-}

# name, file, and a sed script that must change it
mutant() {
    case "$1" in *"$only"*) ;; *) return ;; esac
    cp "$src/$2" "$copy/good"
    sed -i "$3" "$src/$2"
    if cmp -s "$copy/good" "$src/$2"; then
        echo "$1: the script changes nothing"
    elif ! cargo test -q -p wyn-sched --test deadlock --test deadlock_none --no-run >"$copy/log" 2>&1; then
        echo "$1: does not compile: $(grep -m1 '^error' "$copy/log")"
    else
        dies "$1"
    fi
    cp "$copy/good" "$src/$2"
}

dies() {
    for file in deadlock_none deadlock; do
        if ! timeout 300 cargo test -q -p wyn-sched --test $file >"$copy/log" 2>&1; then
            echo "$1: $(grep '^failed: ' "$copy/log" || echo 'hangs')"
            return
        fi
    done
    echo "$1: SURVIVES"
}

mutant "a decided wait counts as one" deadlock/proof.rs 's/ || wait.is_over())/)/'
# What can happen between the two looks takes some microseconds: the flaw, and as a control its absence, with more time.
slow='s/let is_complete = /std::thread::sleep(std::time::Duration::from_millis(2)); &/'
mutant "no second look" deadlock/proof.rs "$slow;"'/The look that counts/,/^    }/s/if !frozen.is_still()/if false/'
mutant "a slow census must survive" deadlock/proof.rs "$slow"
mutant "nobody outside is counted" deadlock/proof.rs 's/census::threads() == Some(frozen.count())/true/'
mutant "a timeout counts as none" deadlock/proof.rs 's/if wait.deadline.is_some()/if false/'
mutant "never is a deadlock" deadlock/proof.rs 's/(wyn_channel::hook::What::Time) => true/(wyn_channel::hook::What::Time) => false/'
mutant "queues are not looked at" deadlock/proof.rs 's/!runtime.has_work() \&\& //'
mutant "mail is not looked at" deadlock/proof.rs 's/!runtime.has_work() \&\& .*/!runtime.has_work()/'
mutant "who moves is not asked" deadlock/proof.rs 's/runtime.alive() == parked + roster.resting()/true/'
mutant "spares that leave do nothing" deadlock/proof.rs 's/&& !runtime.has_surplus()//'
mutant "runtimes that end do nothing" deadlock/proof.rs 's/(true, false) => parked > 0/(true, false) => true/'
mutant "runtimes that have stopped do nothing" deadlock/proof.rs 's/(_, true) => .*/(_, true) => true,/'
mutant "a branch waits in secret" fork/wait.rs '/with_notice/d'
mutant "a thread on the roster is counted twice" deadlock/proof.rs 's/is_some_and(|wait| wait.place == Place::Parked)/is_some()/'
mutant "bystanders are counted as others" deadlock/proof.rs 's/waits(state) || state.bystanders > 0/waits(state)/'
mutant "the same is reported again" deadlock/monitor.rs 's/is_proven \&\& .* != Some(stillness.mark)/is_proven/'
