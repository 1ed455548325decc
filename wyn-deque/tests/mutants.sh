#!/bin/sh
# Weakens each ordering and drops each check of the Chase-Lev deque and the injector in turn, in a copy,
# and shows which models of `tests/loom.rs` die of it: `tests/mutants.sh [NAME...]`. Exits with 1 if a
# mutant survives that is not expected to. The tables in `src/chase_lev/mod.rs`, `src/buffer.rs` and
# `src/injector/mod.rs` record the outcome.
set -eu
crate=$(cd "$(dirname "$0")/.." && pwd)
lab=${WYN_MUTANTS_DIR:-/tmp/wyn-deque-mutants}
mkdir -p "$lab/tests" "$lab/.config"
cp "$crate/../Cargo.lock" "$lab/"
cp "$crate/README.md" "$lab/"
cp "$crate/tests/loom.rs" "$lab/tests/"
cat >"$lab/Cargo.toml" <<'TOML'
[package]
name = "wyn-deque"
version = "0.1.0"
edition = "2024"
[dependencies]
crossbeam-epoch = "0.9.18"
crossbeam-utils = "0.8.20"
static_assertions = "1.1"
loom = "0.7.2"
[profile.loom]
inherits = "release"
debug-assertions = true
[workspace]
TOML
printf '[profile.default]\nslow-timeout = { period = "60s", terminate-after = 1 }\n' >"$lab/.config/nextest.toml"

restore() {
    rm -rf "$lab/src"
    cp -r "$crate/src" "$lab/src"
}

models() {
    (cd "$lab" && RUSTFLAGS="--cfg wyn_loom -Awarnings" CARGO_TARGET_DIR="$lab/target" \
        cargo nextest run --cargo-profile loom --no-fail-fast --test loom 2>&1) >"$lab/log" || true
    grep -q 'Summary' "$lab/log" || { grep -m3 -A9 '^error' "$lab/log" >&2; exit 2; }
    sed -n '/Summary/,$p' "$lab/log" | grep -E '(FAIL|SIG[A-Z]*|TIMEOUT|ABORT) ' | awk '{print $NF}' | sort -u
}

wanted=" $* "
survivors=0
# mutant NAME FILE PERL: applies PERL to the whole text of FILE, which must change.
mutant() {
    case "$wanted" in "  " | *" $1 "*) ;; *) return 0 ;; esac
    restore
    perl -0pi -e "$3" "$lab/src/$2"
    if cmp -s "$lab/src/$2" "$crate/src/$2"; then
        echo "$1: does not apply" && exit 2
    fi
    died=$(models | tr '\n' ' ')
    echo "$1: ${died:-SURVIVES}"
    if [ -z "$died" ]; then survivors=$((survivors + 1)); fi
}
# weaker NAME FILE FUNCTION FROM: the first ordering FROM in FUNCTION becomes Relaxed.
weaker() {
    mutant "$1" "$2" "s/(fn $3\\b.*?Ordering::)$4\\)/\${1}Relaxed)/s"
}

inner=chase_lev/inner.rs worker=chase_lev/worker.rs stealer=chase_lev/stealer.rs
case "$wanted" in "  " | *" none "*)
    restore
    echo "none: $(models | tr '\n' ' ')" ;;
esac
weaker publish-relaxed $inner publish Release
weaker withdraw-relaxed $inner withdraw Release
weaker published-relaxed $inner published Acquire
weaker places-relaxed $inner places Acquire
weaker replace-relaxed $inner replace_ring Release
weaker drain-relaxed buffer.rs drain Release
weaker free-relaxed buffer.rs is_free_for Acquire
# Survives, as `settle` says: loom makes no load-buffering cycles.
weaker settle-relaxed $inner settle Release
case "$wanted" in "  " | *" settle-relaxed "*) survivors=$((survivors - 1)) ;; esac
mutant barrier-acqrel $inner 's/(fn barrier.*?fence\(Ordering::)SeqCst/${1}AcqRel/s'
mutant no-owner-barrier $worker 's/self.inner.barrier\(\);//'
mutant no-second-barrier $inner 's/(fn look_again.*?)self.barrier\(\);/$1/s'
mutant no-fence-in-pin reclaim.rs 's/fence\(Ordering::SeqCst\);(\s*Guard \{ reclaimer)/$1/'
mutant unpin-early $stealer 's/(fn steal\(.*?)(\/\/ SAFETY: claimed)/$1drop(guard); $2/s'
mutant last-without-claim $worker 's/if top == newest \{ self.claim_oldest\(newest\).ok\(\) \}/if top == newest { Some(unsafe { self.ring.get().take(newest) }) }/'
mutant ignore-flag $worker 's/if !ring.is_free_for\(bottom\)/if bottom.wrapping_sub(self.inner.top()) >= ring.capacity()/'
mutant lifo-run $stealer 's/self.take_singly\(&sight, batch, &ahead\)/self.take_run(&sight, batch, &ahead, |at, _| at)/'
mutant no-second-look $stealer 's/if offset > 0 && self.inner.look_again\(index\) == 0/if offset > sight.len/'
mutant one-ring-per-batch $stealer 's/(fn take_singly.*?)(        for offset)(.*?)            let ring = unsafe \{ self.inner.places\(&sight.guard\) \};\n/$1        let ring = unsafe { self.inner.places(&sight.guard) };\n$2$3/s'
mutant ring-before-look $stealer 's/(fn steal\(.*?)(let Sight \{ top, len, )guard \} = self.inner.look\(\);(.*?)let ring = unsafe \{ self.inner.places\(&guard\) \};/$1let early = self.inner.look().guard; let ring = unsafe { self.inner.places(&early) }; $2guard: _guard } = self.inner.look();$3/s'
mutant mark-too-much $worker 's/distance\(top, self.inner.top\(\)\)/distance(top, bottom)/'
mutant mark-after-publishing $worker 's/(        for offset in 0\.\.distance\(top, self.inner.top\(\)\).*?        \}\n)(.*?replace_ring\(Box::new\(new\)\) \};\n)/$2$1/s'
mutant copy-too-little $worker 's/capacity, top, bottom\)/capacity, top.wrapping_add(1).min(bottom), bottom)/'
mutant injector-no-fence injector/mod.rs 's/fence\(Ordering::SeqCst\);//'
mutant injector-no-count injector/mod.rs 's/self.len.store\(queue.len\(\), /self.len.store(1, /'
echo "$survivors survived"
[ "$survivors" -eq 0 ]
