// Clocks, memory, and the passes: what wyn-bench/src/meter.rs does.
#pragma once
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

using u64 = uint64_t;
using Figures = std::map<std::string, double>;

static double now_on(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return double(t.tv_sec) * 1e9 + double(t.tv_nsec);
}
static double now() { return now_on(CLOCK_MONOTONIC); }
static double cpu() { return now_on(CLOCK_PROCESS_CPUTIME_ID); }

static void pause_ms(int ms) {
    timespec t = {ms / 1000, long(ms % 1000) * 1000000};
    nanosleep(&t, nullptr);
}

static double switches() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return double(usage.ru_nvcsw + usage.ru_nivcsw);
}

static double peak_kib() {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    double value = 0;
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "VmHWM:", 6)) value = atof(line + 6);
    if (file) fclose(file);
    return value;
}

static double quantile(std::vector<double> values, double fraction) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[size_t(fraction * double(values.size() - 1) + 0.5)];
}
static double median(std::vector<double> values) {
    if (values.size() % 2) return quantile(values, 0.5);
    std::sort(values.begin(), values.end());
    size_t middle = values.size() / 2;
    return values.empty() ? 0 : (values[middle - 1] + values[middle]) / 2;
}

/* Work that no compiler folds; the same in wyn-bench/src/workloads/fork_join. */
static u64 churn(u64 x, u64 steps) {
    x += 0x9e3779b97f4a7c15;
    for (u64 i = 0; i < steps; i++) x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return x;
}
static u64 long_steps(u64 ns) { return ns * 3 / 5; }
static u64 short_steps(u64 ns) { return ns * 4 / 3; }

template <class T> static T opaque(T value) {
    asm volatile("" : "+r"(value));
    return value;
}

static int print(const Figures &figures) {
    const char *comma = "";
    printf("{\"figures\":{");
    for (const auto &[name, value] : figures) {
        printf("%s\"%s\":%.4f", comma, name.c_str(), value);
        comma = ",";
    }
    printf("}}\n");
    return 0;
}
static int wrong(u64 expected, u64 came) {
    printf("{\"wrong\":\"expected %llu, got %llu\"}\n", (unsigned long long)expected, (unsigned long long)came);
    return 1;
}
static int unsupported(const char *why) {
    printf("{\"unsupported\":\"%s\"}\n", why);
    return 0;
}

struct Pass {
    double wall;
    u64 answer;
};

/* A cold pass, joint work, then warm passes of at most `most`; 0 when every answer was right. */
static int passes(const std::function<void()> &joint, u64 ops, u64 expected, size_t most,
                  const std::function<Pass()> &pass, Figures &figures) {
    std::vector<double> walls;
    double spent = 0, shares = 0, cold = 0, cold_cpu = 0;
    if (getenv("WYN_BENCH_SPREAD")) joint(), pause_ms(2);
    for (bool first = true; first || walls.empty() || (spent < 25e6 && walls.size() < most); first = false) {
        if (!first && walls.empty()) joint();
        if (!first) pause_ms(2);
        double start = now(), start_cpu = cpu();
        Pass done = pass();
        double share = (cpu() - start_cpu) / (now() - start);
        if (done.answer != expected) return wrong(expected, done.answer);
        if (first)
            cold = done.wall, cold_cpu = share;
        else
            walls.push_back(done.wall / double(std::max<u64>(ops, 1))), spent += done.wall, shares += share;
    }
    figures["ns"] = median(walls);
    figures["cold_ns"] = cold / double(std::max<u64>(ops, 1));
    figures["cpu"] = shares / double(walls.size());
    figures["cold_cpu"] = cold_cpu;
    figures["passes"] = double(walls.size());
    figures["peak_kib"] = peak_kib();
    return 0;
}
