#!/bin/sh
# Weakens each ordering and drops each check of the split deque in turn, in a copy, and shows which loom
# models die of it: `tests/split_mutants.sh [NAME...]`. Exits with 1 if a mutant survives.
# The tables in `src/split/words.rs` record the outcome.
set -eu
crate=$(cd "$(dirname "$0")/.." && pwd)
lab=${WYN_MUTANTS_DIR:-/tmp/wyn-split-mutants}
mkdir -p "$lab/src" "$lab/tests" "$lab/.config"
cp "$crate/../Cargo.lock" "$lab/"
cp "$crate/tests/loom_split.rs" "$lab/tests/"
cat >"$lab/Cargo.toml" <<'TOML'
[package]
name = "wyn-deque"
version = "0.1.0"
edition = "2024"
[dependencies]
crossbeam-epoch = "0.9.18"
crossbeam-utils = "0.8.20"
loom = "0.7.2"
[profile.loom]
inherits = "release"
debug-assertions = true
[workspace]
TOML
printf '[profile.default]\nslow-timeout = { period = "30s", terminate-after = 1 }\n' >"$lab/.config/nextest.toml"
printf 'pub mod split;\nmod steal;\nmod sync;\npub use steal::Steal;\n' >"$lab/src/lib.rs"

restore() {
    rm -rf "$lab/src/split"
    cp -r "$crate/src/split" "$crate/src/steal.rs" "$crate/src/sync.rs" "$lab/src/"
}

models() {
    (cd "$lab" && RUSTFLAGS="$flags" CARGO_TARGET_DIR="$lab/target$suffix" \
        cargo nextest run --cargo-profile loom --no-fail-fast $suite 2>&1) >"$lab/log" || true
    grep -q 'Summary' "$lab/log" || { grep -m3 -A5 '^error' "$lab/log"; exit 2; }
    sed -n '/Summary/,$p' "$lab/log" | grep -E '(FAIL|SIG[A-Z]*|TIMEOUT|ABORT) ' | awk '{print $NF}' | sort -u
}

models_only() { flags="--cfg wyn_loom -Awarnings" suffix=-loom suite="--test loom_split"; }
unit_tests() { flags="-Awarnings" suffix="" suite="--lib"; }

models_only
wanted=" $* "
survivors=0
# mutant NAME FILE PERL: applies PERL to the whole text of FILE, which must change.
mutant() {
    case "$wanted" in "  " | *" $1 "*) ;; *) return 0 ;; esac
    restore
    perl -0pi -e "$3" "$lab/src/split/$2"
    if cmp -s "$lab/src/split/$2" "$crate/src/split/$2"; then
        echo "$1: does not apply" && exit 2
    fi
    died=$(models | tr '\n' ' ')
    echo "$1: ${died:-SURVIVES}"
    if [ -z "$died" ]; then survivors=$((survivors + 1)); fi
}
# weaker NAME FUNCTION FROM: the first ordering FROM in FUNCTION becomes Relaxed.
weaker() {
    mutant "$1" words.rs "s/(fn $2\\b.*?Ordering::)$3\\)/\${1}Relaxed)/s"
}

case "$wanted" in "  " | *" none "*)
    restore
    echo "none: $(models | tr '\n' ' ')" ;;
esac
weaker publish-relaxed publish Release
weaker withdraw-relaxed withdraw Release
weaker done-relaxed done Acquire
weaker install-relaxed replace Release
weaker glance-relaxed glance Acquire
weaker lock-relaxed try_lock Acquire
weaker head-relaxed head_decisive Acquire
weaker ring-relaxed ring Acquire
weaker finish-relaxed finish Release
weaker unlock-relaxed 'drop\(&mut self' Release
mutant no-light worker.rs 's/B::light\(\);//'
mutant no-heavy stealer.rs 's/B::heavy\(\);//'
mutant light-acqrel barrier.rs 's/(fn light.*?fence\(Ordering::)SeqCst/${1}AcqRel/s'
mutant heavy-acqrel barrier.rs 's/(fn heavy\(\) \{.*?fence\(Ordering::)SeqCst/${1}AcqRel/s'
mutant no-second-look stealer.rs 's/let n = lock.head_decisive\(\).*?;/let _ = lock.head_decisive(); let n = want;/s'
weaker ask-relaxed ask Release
weaker question-relaxed question Acquire
weaker answer-relaxed 'answer\(&self, from: Index, split' Release
# `Locked::answer` is left out: loom takes no turn between it and `ask`; `insist` reads the same answer.
mutant insist-fails-relaxed words.rs 's/let insist = \(Ordering::Relaxed, Ordering::Acquire\)/let insist = (Ordering::Relaxed, Ordering::Relaxed)/'
mutant insist-stores words.rs 's/(let exchanged = )(self.words.thief.split).*?;/$2.store(split.0, Ordering::Relaxed); $1Ok::<usize, usize>(question.0);/s'
mutant answer-stores words.rs 's/self.thief.split.compare_exchange\(question.0, split.0, answer.0, answer.1\).is_ok\(\)/{ let _ = (question, answer); self.thief.split.store(split.0, Ordering::Release); true }/s'
mutant gives-all worker.rs 's/let n = last.items_since\(from\).div_ceil\(2\).min\(wish\)/let n = last.plus(1).items_since(from).min(wish)/'
mutant no-retract stealer.rs 's/lock.retract\(from.plus\(n\)\);//'
mutant no-confirm stealer.rs 's/lock.confirm\(from.plus\(n\)\);//'
mutant confirm-early stealer.rs 's/(B::heavy\(\);)/lock.confirm(from.plus(want));\n        $1/'
mutant done-early stealer.rs 's/(let view = unsafe)/lock.finish(from.plus(n));\n        $1/'
mutant no-done-check worker.rs 's/let done = self.shared.words.done\(\);/let done = self.shared.words.claimed();/'
# Loom does not explore the interleaving that the second one needs, and does not see into the epochs: the
# unit tests stop a thief there by hand.
unit_tests
mutant no-pin stealer.rs 's/let pinned = crossbeam_epoch::pin\(\);/let pinned = ();/'
mutant copy-from-claimed worker.rs 's/(fn grow.*?)let old = /$1let done = self.shared.words.claimed(); let old = /s'
models_only
mutant ring-before-claim stealer.rs 's/(let n = match Self::ask)/let early = lock.ring();\n        $1/; s/Ring::view\(lock.ring\(\)\)/Ring::view(early)/'
mutant no-restore worker.rs 's/words.restore\(last.plus\(1\)\);//'
mutant none-on-sight worker.rs 's/if words.claimed\(\).since\(last\) > 0 \{/if last.since(words.split()) < 0 {/'
mutant none-before-decision worker.rs 's/words.claimed\(\).since\(last\) > 0/words.split().since(last) > 0/'
mutant take-anyway worker.rs 's/last.since\(words.split\(\)\) >= 0/true/'
mutant no-lock words.rs 's/&& lock.swap\(HELD, Ordering::Acquire\) == FREE/&& lock.swap(HELD, Ordering::Acquire) < 2/'
mutant look-at-split words.rs 's/(fn glance.*?)claimed.load/$1split.load/s'
mutant unsigned-estimate stealer.rs 's/let n = lock.head_decisive\(\).items_since\(from\)/let n = lock.head_decisive().since(from).cast_unsigned()/'
mutant steal-all stealer.rs 's/view.copy_to\(from.plus\(1\)/view.copy_to(from/'
echo "$survivors survived"
[ "$survivors" -eq 0 ]
