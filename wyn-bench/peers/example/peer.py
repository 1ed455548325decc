#!/usr/bin/env python3
"""The least that a peer is: Python's ThreadPoolExecutor, by the line protocol of ../README.md."""

import argparse
import concurrent.futures
import json
import os
import platform
import statistics
import time


def arguments():
    """What makes no sense ends the program here, with exit code 2 and nothing on standard output."""
    natural = lambda text: int(text) if text.isdecimal() else parser.error(f"{text} is no number")
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"Python {platform.python_version()}")
    parser.add_argument("--backend", default="python")
    parser.add_argument("--workload", required=True)
    parser.add_argument("--n", type=natural, default=1000)
    parser.add_argument("--grain", type=natural, default=0)
    parser.add_argument("--workers", type=natural, default=2)
    parser.add_argument("--capacity")
    cell = parser.parse_args()
    return cell if cell.workers > 0 and cell.workload else parser.error("nothing to do")


def spawn_await(pool, n):
    tasks = [pool.submit(lambda x: x, i) for i in range(n)]
    return sum(task.result() for task in tasks)


def seq(pool, n):
    return sum(pool.submit(lambda x: x, i).result() for i in range(n))


def timed(body):
    start, cpu = time.perf_counter_ns(), time.process_time_ns()
    answer = body()
    wall = max(time.perf_counter_ns() - start, 1)
    return wall, (time.process_time_ns() - cpu) / wall, answer


def joint_work(pool, workers):
    """Keeps all workers busy at once, so that the kernel spreads them; then they park."""
    end = time.perf_counter() + 0.040

    def spin():
        while time.perf_counter() < end:
            pass

    concurrent.futures.wait([pool.submit(spin) for _ in range(workers)])


def measure(pool, cell, body):
    """A cold pass, joint work, then warm passes until 25 ms or seven of them are measured."""
    expected, ops = sum(range(cell.n)), max(cell.n, 1)
    if os.environ.get("WYN_BENCH_SPREAD"):
        joint_work(pool, cell.workers)
        time.sleep(0.002)
    runs = []
    while len(runs) < 2 or (sum(wall for wall, _, _ in runs[1:]) < 25e6 and len(runs) < 8):
        if len(runs) == 1:
            joint_work(pool, cell.workers)
        if runs:
            time.sleep(0.002)
        runs.append(timed(lambda: body(pool, cell.n)))
        if runs[-1][2] != expected:
            return {"wrong": f"expected {expected}, got {runs[-1][2]}"}
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    return {"figures": {
        "ns": statistics.median(wall for wall, _, _ in runs[1:]) / ops, "cold_ns": runs[0][0] / ops,
        "cpu": statistics.mean(share for _, share, _ in runs[1:]), "cold_cpu": runs[0][1],
        "passes": len(runs) - 1, "peak_kib": peak,
    }}


cell = arguments()
pool = concurrent.futures.ThreadPoolExecutor(cell.workers)
body = {"spawn_await": spawn_await, "seq": seq}.get(cell.workload)
line = measure(pool, cell, body) if body else {"unsupported": f"{cell.workload} is left to the reader"}
print(json.dumps(line), flush=True)
# No shutdown: a runtime that cannot stop must not turn a finished measurement into a hung one.
os._exit(1 if "wrong" in line else 0)
