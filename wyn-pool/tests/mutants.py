#!/usr/bin/env python3
"""Weakens one ordering or check at a time and prints which models of tests/loom.rs die of it.

Usage: wyn-pool/tests/mutants.py [WORD...]   (only mutants whose name contains a word)
Works on a copy of the crate in $TMPDIR/wyn-pool-mutants; exits with 1 if a mutant survives.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = pathlib.Path(tempfile.gettempdir()) / "wyn-pool-mutants"
SECONDS_PER_MODEL = 60

# File, name, text, replacement; "ALL:" replaces every occurrence.
MUTANTS = [
    ('cache.rs', 'count stores Release', 'ALL:Ordering::Release', 'Ordering::Relaxed'),
    ('cache.rs', 'held Acquire', 'self.count.load(Ordering::Acquire)', 'self.count.load(Ordering::Relaxed)'),
    ('shared.rs', 'handles sub Release', 'fetch_sub(1, Ordering::Release)', 'fetch_sub(1, Ordering::Relaxed)'),
    ('shared.rs', 'fence Acquire', 'fence(Ordering::Acquire);', 'let _ = fence;'),
    ('shared.rs', 'bucket Release', 'store(caches.cast(), Ordering::Release)', 'store(caches.cast(), Ordering::Relaxed)'),
    ('shared.rs', 'cache() Acquire', 'self.buckets[slot.bucket as usize % BUCKETS].load(Ordering::Acquire)', 'self.buckets[slot.bucket as usize % BUCKETS].load(Ordering::Relaxed)'),
    ('shared.rs', 'leave Acquire', 'let caches = this.buckets[slot.bucket as usize].load(Ordering::Acquire);', 'let caches = this.buckets[slot.bucket as usize].load(Ordering::Relaxed);'),
    ('shared.rs', 'never closed flag', 'closed.store(true, Ordering::Relaxed);', 'let _ = closed;'),
    ('shared.rs', 'leave does not flush', 'cache.shut(&this.depot);\n            }\n        }\n    }\n    registry', '}\n        }\n    }\n    registry'),
    ('shared.rs', 'no sweep on create', 'registry.sweep();\n        registry.open.push', 'registry.open.push'),
    ('shared.rs', 'no sweep on direct free', 'unsafe { this.depot.free_one(cell) };\n        registry.sweep();', 'unsafe { this.depot.free_one(cell) };\n        let _ = &mut registry;'),
    ('cache.rs', 'spare counted after the lock', '                // Inside the lock, so that who holds it never counts these cells twice.\n                self.set_count(depot.geometry.batch);\n            });', '            });\n            self.set_count(depot.geometry.batch);'),
    ('slot.rs', 'place given back before the flush', '        shared::leave(slot);\n        PLACES.lock().free.push(slot.place());', '        PLACES.lock().free.push(slot.place());\n        shared::leave(slot);'),
    ('depot.rs', 'lists taken without unlinking', '            self.full = unsafe { (*head.as_ptr()).link };\n', '            let _ = unsafe { (*head.as_ptr()).link };\n'),
    ('trim.rs', 'trim off by one', 'block.bytes() / geometry.cell == *free)', 'block.bytes() / geometry.cell <= *free + 1)'),
    ('slot.rs', 'exit keeps the slot', 'let _ = SLOT.try_with(|current| current.set(EXITING));\n        shared', 'shared'),
]

ENV = dict(os.environ, RUSTFLAGS="--cfg wyn_loom -Awarnings", CARGO_TARGET_DIR=str(COPY / "target"), RUST_BACKTRACE="0")


def copy_workspace():
    COPY.mkdir(exist_ok=True)
    shutil.rmtree(COPY / "wyn-pool", ignore_errors=True)
    shutil.copytree(ROOT / "wyn-pool", COPY / "wyn-pool")
    shutil.copy(ROOT / "Cargo.lock", COPY)
    text = (ROOT / "Cargo.toml").read_text()
    start = text.index("members = [")
    text = text[:start] + 'members = ["wyn-pool"' + text[text.index("]", start):]
    other = [line for line in text.splitlines() if line.startswith("wyn-") and "wyn-pool" not in line.split()[0]]
    (COPY / "Cargo.toml").write_text("\n".join(line for line in text.splitlines() if line not in other))


def run(*command):
    return subprocess.run(command, cwd=COPY, env=ENV, capture_output=True, text=True)


def dies(exe, model):
    try:
        return subprocess.run([exe, "--exact", model], env=ENV, capture_output=True, timeout=SECONDS_PER_MODEL).returncode != 0
    except subprocess.TimeoutExpired:
        return False


def victims(file, name, text, replacement):
    path = COPY / "wyn-pool" / "src" / file
    source = path.read_text()
    everywhere = text.startswith("ALL:")
    text = text.removeprefix("ALL:")
    assert text in source, f"{name}: its text is not in {file}"
    path.write_text(source.replace(text, replacement) if everywhere else source.replace(text, replacement, 1))
    build = run("cargo", "test", "--profile", "loom", "-p", "wyn-pool", "--test", "loom", "--no-run")
    path.write_text(source)
    assert build.returncode == 0, f"{name} does not build: {build.stderr[-800:]}"
    exe = next(line for line in build.stderr.splitlines() if "Executable" in line).split("(")[1].rstrip(")")
    exe = str(COPY / exe)
    models = [line[: -len(": test")] for line in run(exe, "--list").stdout.splitlines() if line.endswith(": test")]
    return [model for model in models if dies(exe, model)]


def main():
    copy_workspace()
    survivors = 0
    for mutant in MUTANTS:
        if sys.argv[1:] and not any(word in mutant[1] for word in sys.argv[1:]):
            continue
        dead = victims(*mutant)
        survivors += not dead
        print(f"{mutant[1]}: {', '.join(dead) or 'SURVIVES'}", flush=True)
    sys.exit(survivors > 0)


main()
