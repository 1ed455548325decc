// Parallel loops, isolated joins, and the long leaf.
#pragma once
#include <atomic>
#include <memory>

#include "meter.hpp"

constexpr u64 ITEM_NS = 20;
constexpr size_t GRAIN = 4;

struct Region {
    size_t size;
    std::unique_ptr<std::atomic<u64>[]> slots;

    explicit Region(u64 work_ns) : size(std::max<u64>(work_ns / ITEM_NS, 1)), slots(new std::atomic<u64>[size]) {}
    void iterate(size_t from, size_t to, u64 seed) const {
        for (size_t i = from; i < to; i++)
            slots[i].store(churn(seed + i, short_steps(ITEM_NS)), std::memory_order_relaxed);
    }
    u64 sum() const {
        u64 sum = 0;
        for (size_t i = 0; i < size; i++) sum += slots[i].load(std::memory_order_relaxed);
        return sum;
    }
};

#ifdef WYN_LOOP_BY_HALVES
struct Halves {
    TASK(u64) operator()(SELF const Region *region, size_t from, size_t to, u64 seed) const {
        if (to - from <= GRAIN) {
            region->iterate(from, to, seed);
            RETURN 0;
        }
        size_t middle = from + (to - from) / 2;
        u64 a = 0, b = 0;
        BOTH(a, Halves{}, (region, from, middle, seed), b, Halves{}, (region, middle, to, seed));
        RETURN a + b;
    }
};
#define LOOP(region, seed)                                      \
    do {                                                        \
        u64 nothing = 0;                                        \
        CALL(nothing, Halves{}, (region, 0, (region)->size, seed)); \
        (void)nothing;                                          \
    } while (0)
#endif

/* One loop, from main. */
struct OneLoop {
    TASK(u64) operator()(SELF const Region *region, u64 seed) const {
        LOOP(region, seed);
        RETURN 0;
    }
};

/* What regions took, and the processor time of the pauses between them. */
struct Spaced {
    std::vector<double> walls;
    double gaps = 0, used = 0;

    void pause(int ms) {
        double start = now(), start_cpu = cpu();
        pause_ms(ms);
        gaps += now() - start, used += cpu() - start_cpu;
    }
};

/* Many loops inside one worker, with pauses if there are any. */
struct Loops {
    TASK(u64) operator()(SELF const Region *region, u64 count, int pause, Spaced *spaced) const {
        double begin = now();
        for (u64 seed = 0; seed < count; seed++) {
            if (pause) spaced->pause(pause);
            double start = now();
            LOOP(region, seed);
            if (pause) spaced->walls.push_back(now() - start);
        }
        if (!pause) spaced->walls.push_back(now() - begin);
        RETURN 0;
    }
};

static void loops_from_main(const Region *region, u64 count, int pause, Spaced *spaced) {
    double begin = now();
    for (u64 seed = 0; seed < count; seed++) {
        if (pause) spaced->pause(pause);
        double start = now();
        on_worker<OneLoop>(region, seed);
        if (pause) spaced->walls.push_back(now() - start);
    }
    if (!pause) spaced->walls.push_back(now() - begin);
}

struct Branch {
    TASK(u64) operator()(SELF u64 x, u64 steps) const { RETURN churn(opaque(x), opaque(steps)); }
};

/* So many joins of two branches, each after a pause or none; times of all together or of each. */
struct Joins {
    TASK(u64) operator()(SELF u64 n, u64 steps, bool pause, std::vector<double> *walls) const {
        u64 sum = 0;
        for (u64 x = 0; x < n; x++) {
            if (pause) pause_ms(3);
            double start = walls ? now() : 0;
            u64 a = 0, b = 0;
            BOTH(a, Branch{}, (x, steps), b, Branch{}, (x + 1, steps));
            sum += opaque(a) + opaque(b);
            if (walls) walls->push_back(now() - start);
        }
        RETURN sum;
    }
};

static u64 joins_serially(u64 n, u64 steps) {
    u64 sum = 0;
    for (u64 x = 0; x < n; x++) sum += churn(opaque(x), opaque(steps)) + churn(opaque(x + 1), opaque(steps));
    return sum;
}

constexpr u64 LEAF_CHILDREN = 64;

struct Trial {
    double base = now();
    std::atomic<double> started[LEAF_CHILDREN] = {};

    double last_us() const {
        double last = 0;
        for (const auto &at : started) last = std::max(last, at.load(std::memory_order_relaxed));
        return (last - base) / 1e3;
    }
};

struct LeafChild {
    TASK(u64) operator()(SELF Trial *trial, u64 i) const {
        trial->started[i].store(now(), std::memory_order_relaxed);
        RETURN 1;
    }
};

struct BehindJoins {
    TASK(u64) operator()(SELF Trial *trial, u64 children) const {
        if (children == 0) {
            for (double start = now(); now() < start + 10e6;) {
            }
            RETURN 0;
        }
        u64 below = 0, one = 0;
        BOTH(below, BehindJoins{}, (trial, children - 1), one, LeafChild{}, (trial, children - 1));
        RETURN below + one;
    }
};

struct LongLeaf {
    TASK(u64) operator()(SELF u64 n, std::vector<double> *micros) const {
        u64 sum = 0;
        for (u64 i = 0; i < n; i++) {
            pause_ms(3);
            Trial trial;
            u64 one = 0;
            CALL(one, BehindJoins{}, (&trial, LEAF_CHILDREN));
            sum += one;
            micros->push_back(trial.last_us());
        }
        RETURN sum;
    }
};
