#!/bin/sh
# Leaves one step of the channels out at a time, in a copy, and shows which scenario tests die of it:
# `tests/mutants.sh [NAME...]`. Exits with 1 if a mutant survives. Orderings are weakened by the models
# themselves: `planted_flaws_are_found` in `tests/loom.rs` and `tests/loom_cells.rs`.
set -eu
crate=$(cd "$(dirname "$0")/.." && pwd)
lab=${WYN_MUTANTS_DIR:-/tmp/wyn-channel-mutants}
mkdir -p "$lab/.config"
cp "$crate/../Cargo.lock" "$crate/README.md" "$lab/"
rm -rf "$lab/tests"
cp -r "$crate/tests" "$lab/tests"
cat >"$lab/Cargo.toml" <<'TOML'
[package]
name = "wyn-channel"
version = "0.1.0"
edition = "2024"
[dependencies]
futures-core = { version = "0.3.31", default-features = false }
futures-sink = { version = "0.3.31", default-features = false }
[dev-dependencies]
arbtest = "0.3"
static_assertions = "1.1"
libc = "0.2"
[workspace]
TOML
printf '[profile.default]\nslow-timeout = { period = "10s", terminate-after = 1 }\n' >"$lab/.config/nextest.toml"

wanted=" $* "
survivors=0
# mutant NAME FILE TEST PERL: applies PERL to the whole text of FILE, which must change, and runs the file TEST.
mutant() {
    case "$wanted" in "  " | *" $1 "*) ;; *) return 0 ;; esac
    rm -rf "$lab/src"
    cp -r "$crate/src" "$lab/src"
    perl -0pi -e "$4" "$lab/src/$2"
    if cmp -s "$lab/src/$2" "$crate/src/$2"; then
        echo "$1: does not apply" && exit 2
    fi
    (cd "$lab" && RUSTFLAGS="-Awarnings" CARGO_TARGET_DIR="$lab/target" \
        cargo nextest run --no-fail-fast --test "$3" 2>&1) >"$lab/log" || true
    grep -q 'Summary' "$lab/log" || { grep -m3 -A9 '^error' "$lab/log" >&2; exit 2; }
    died=$(sed -n '/Summary/,$p' "$lab/log" | grep -E '(FAIL|SIG[A-Z]*|TIMEOUT|ABORT) ' | awk '{print $NF}' | sort -u | tr '\n' ' ')
    echo "$1: ${died:-SURVIVES}"
    if [ -z "$died" ]; then survivors=$((survivors + 1)); fi
}

mutant only-glances select/run.rs select 's/\{ Look::Glance \} else \{ Look::Close \}/{ Look::Glance } else { Look::Glance }/'
mutant always-the-first select/run.rs select_order 's/tried \+ dice\.below\(cases\.len\(\) - tried\)/tried/'
mutant remove-the-last select/cases.rs select_order 's/self\.few\[at\.\.self\.len\]\.rotate_left\(1\);//'
mutant spill-forgets select/cases.rs select_order 's/self\.many\.extend_from_slice\(&self\.few\[\.\.self\.len\]\);//'
mutant promise-not-settled locked/select.rs select 's/(fn give_back.*?)self\.settle\(core\);/$1/s'
mutant kept-promise-not-settled locked/select.rs select 's/(fn send_into_place.*?)self\.settle\(core\);/$1/s'
mutant partner-left-waiting select/token.rs select 's/unsafe \{ Claimed::from_raw\(waiter\) \}\.finish\(Outcome::Retry\)\.send\(\);/let _ = waiter;/'
mutant no-void ring/select.rs select 's/\| FULL \| VOID, Ordering::Release/, Ordering::Release/'
mutant put-back-lost locked/poll.rs futures 's/self\.unreceive\(unsafe \{ pending\.take\(\) \}\);/std::mem::forget(unsafe { pending.take() });/'
mutant promised-place-kept locked/poll.rs futures 's/(fn cancel_send.*?)self\.give_back\(0\);/$1/s'
mutant close-tells-nobody locked/mod.rs basic 's/core\.receivers\.disconnect\(&mut wakes\);//'
echo "$survivors survived"
[ "$survivors" -eq 0 ]
