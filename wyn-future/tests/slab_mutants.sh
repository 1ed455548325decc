#!/bin/sh
# Breaks the slab's logic in one place at a time, in a copy, and shows which tests die of it:
# `tests/slab_mutants.sh [NAME...]`. Exits with 1 if a mutant survives. (`loom_slab/weakened.rs` does the same for
# the orderings.)
set -eu
crate=$(cd "$(dirname "$0")/.." && pwd)
lab=${WYN_MUTANTS_DIR:-/tmp/wyn-slab-mutants}
mkdir -p "$lab/src" "$lab/tests" "$lab/.config"
cp "$crate/../Cargo.lock" "$lab/"
cp -r "$crate"/tests/slab*.rs "$crate"/tests/loom_slab* "$lab/tests/"
rm -f "$lab/tests/slab_stress.rs" "$lab/tests/loom_slab/weakened.rs"
perl -0pi -e 's/#\[path = "[^"]*weakened.rs"\]\nmod weakened;\n//' "$lab/tests/loom_slab.rs"
cat >"$lab/Cargo.toml" <<'TOML'
[package]
name = "wyn-future"
version = "0.1.0"
edition = "2024"
[dependencies]
static_assertions = "1.1"
[target."cfg(wyn_loom)".dependencies]
loom = "0.7.2"
[dev-dependencies]
arbtest = "0.3.2"
[profile.loom]
inherits = "release"
debug-assertions = true
[workspace]
TOML
printf '[profile.default]\nslow-timeout = { period = "20s", terminate-after = 1 }\n' >"$lab/.config/nextest.toml"
printf 'mod slab;\nmod sync;\npub use slab::{CompleteError, Key, Slab, SlabError, Wait};\n' >"$lab/src/lib.rs"

# run FLAGS TARGET ARGS...: names of the tests that fail.
run() {
    flags=$1 target=$2
    shift 2
    (cd "$lab" && RUSTFLAGS="$flags -Awarnings" CARGO_TARGET_DIR="$lab/$target" \
        cargo nextest run --no-fail-fast "$@" 2>&1) >"$lab/log" || true
    grep -q 'Summary' "$lab/log" || { grep -m3 -A5 '^error' "$lab/log"; exit 2; }
    sed -n '/Summary/,$p' "$lab/log" | grep -E '(FAIL|SIG[A-Z]*|TIMEOUT|ABORT) ' | awk '{print $NF}' | sort -u
}

wanted=" $* "
survivors=0
# mutant NAME FILE PERL: applies PERL to the whole text of FILE, which must change.
mutant() {
    case "$wanted" in "  " | *" $1 "*) ;; *) return 0 ;; esac
    rm -rf "$lab/src/slab"
    cp -r "$crate/src/slab" "$crate/src/sync.rs" "$lab/src/"
    perl -0pi -e "$3" "$lab/src/slab/$2"
    if [ -n "$3" ] && cmp -s "$lab/src/slab/$2" "$crate/src/slab/$2"; then
        echo "$1: does not apply" && exit 2
    fi
    died=$(run "--cfg wyn_loom" loom --cargo-profile loom --test loom_slab | tr '\n' ' ')
    died="$died$(run "" std --lib --test 'slab*' | tr '\n' ' ')"
    echo "$1: ${died:-SURVIVES}"
    if [ -z "$died" ] && [ "$1" != none ]; then survivors=$((survivors + 1)); fi
}

mutant none mod.rs ''
mutant no_tag free.rs 's/TAG_ONE: u64 = .*?;/TAG_ONE: u64 = 0;/'
mutant publish_before_drain mod.rs 's/(let woken = if claim.is_waited.*?;\n)(\s*)claim.publish\(value\);/let w = claim.is_waited();\n claim.publish(value);\n let woken = if w { Some(self.drain(key)) } else { None };/s'
mutant release_before_drain mod.rs 's/(let woken = if closed.waited [^\n]*)\n\s*self.release\(key, slot\);/self.release(key, slot);\n$1/'
mutant close_wakes_nobody mod.rs 's/if closed.waited \{/if false {/'
mutant last_generation_again mod.rs 's/if !key.generation\(\).is_last\(\)/if true/'
mutant mark_outside_lock waiters.rs 's/(let mut shard = self.lock\(key.index\(\)\);)\s*match slot.mark_waited\(key.generation\(\)\)/let marked = slot.mark_waited(key.generation());\n$1\n match marked/'
mutant one_wakes waiters.rs 's/Some\(_\) => woken.others.push\(waiter\)/Some(_) => std::mem::forget(waiter)/'
mutant ticket_unchecked waiters.rs 's/place.ticket != ticket.number \|\| //'
mutant never_unregistered wait.rs 's/drop\(self.waiters.unregister\(key.index\(\), slot, ticket\)\);/let _ = (slot, ticket);/'
mutant waited_forgotten slot.rs 's/waited = phase_of\(expected\) == WAITED/waited = false/'
mutant any_generation slot.rs 's/generation_of\(word\) == generation && //'
mutant free_is_open slot.rs 's/ && phase_of\(word\) != FREE//'
mutant take_by_store slot.rs 's/self.state\s*\.compare_exchange\(seen, (word\(generation, FREE\)), acquire, Ordering::Relaxed\)\s*\.map_err\(\|_\| SlabError::Stale\)\?;/self.state.swap($1, acquire);/'
mutant close_in_writing slot.rs 's/if phase_of\(seen\) == WRITING \{/if false {/'
mutant second_complete slot.rs 's/(Err\(seen\)) if seen == word\(generation, WAITED\) => expected = seen/$1 if is_open(seen, generation) && phase_of(seen) != WRITING => expected = seen/'
mutant values_leak slot.rs 's/(needs_drop::<T>\(\) && .*?) == READY/$1 == DROPPED/'
mutant link_kept slot.rs 's/self.set_link\(0\);//'
mutant chunks_leak table.rs 's/Some\(unsafe \{ Box::from_raw\(slots\) \}\)/{ let _ = slots; None }/'
exit $((survivors > 0))
