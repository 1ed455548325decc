// The recursive workloads, each as in wyn-bench/src/workloads/fork_join.
#pragma once
#include "meter.hpp"

struct Fib {
    TASK(u64) operator()(SELF u64 n) const {
        if (n < 2) RETURN n;
        u64 a = 0, b = 0;
        BOTH(a, Fib{}, (n - 1), b, Fib{}, (n - 2));
        RETURN a + b;
    }
};

struct FibOften {
    TASK(u64) operator()(SELF u64 n, u64 times) const {
        u64 sum = 0;
        for (u64 i = 0; i < times; i++) {
            u64 one = 0;
            CALL(one, Fib{}, (opaque(n)));
            sum += one;
        }
        RETURN sum;
    }
};

struct Skynet {
    TASK(u64) operator()(SELF u64 first, u64 leaves) const {
        if (leaves == 1) RETURN first;
        u64 each = leaves / 10, parts[10];
        EACH(10, parts, 10, i, Skynet{}, (first + i * each, each));
        u64 sum = 0;
        for (u64 part : parts) sum += part;
        RETURN sum;
    }
};

struct Board {
    uint8_t columns[16];
    uint8_t rows;

    bool fits(uint8_t column) const {
        for (int row = rows - 1, distance = 1; row >= 0; row--, distance++)
            if (columns[row] == column || columns[row] == column + distance || columns[row] + distance == column)
                return false;
        return true;
    }
    Board with(uint8_t column) const {
        Board next = *this;
        next.columns[next.rows++] = column;
        return next;
    }
};

/* Solutions in the high half, placements in the low half. */
constexpr u64 SOLUTION = u64{1} << 40;

struct Queens {
    TASK(u64) operator()(SELF u64 size, Board board) const {
        if (board.rows == size) RETURN SOLUTION + 1;
        uint8_t columns[16];
        size_t count = 0;
        for (uint8_t column = 0; column < size; column++)
            if (board.fits(column)) columns[count++] = column;
        u64 parts[16];
        EACH(16, parts, count, i, Queens{}, (size, board.with(columns[i])));
        u64 sum = 1;
        for (size_t i = 0; i < count; i++) sum += parts[i];
        RETURN sum;
    }
};

static u64 queens_serially(u64 size, Board board) {
    if (board.rows == size) return SOLUTION + 1;
    u64 sum = 1;
    for (uint8_t column = 0; column < size; column++)
        if (board.fits(column)) sum += queens_serially(size, board.with(column));
    return sum;
}

/* Chains of joins of a step of 10 ns with the rest of the chain. */
static u64 chain_step(u64 link) { return churn(opaque(link), short_steps(10)); }

struct Step {
    TASK(u64) operator()(SELF u64 link) const { RETURN chain_step(link); }
};

template <bool StepWaits> struct Chain {
    TASK(u64) operator()(SELF u64 links) const {
        if (links == 0) RETURN 0;
        u64 a = 0, b = 0;
        if constexpr (StepWaits)
            BOTH(a, Chain<StepWaits>{}, (links - 1), b, Step{}, (links - 1));
        else
            BOTH(a, Step{}, (links - 1), b, Chain<StepWaits>{}, (links - 1));
        RETURN a + b;
    }
};

template <bool StepWaits> struct Chains {
    TASK(u64) operator()(SELF u64 n) const {
        u64 sum = 0;
        for (u64 chain = 0; chain < n / 1000; chain++) {
            u64 one = 0;
            CALL(one, Chain<StepWaits>{}, (1000));
            sum += one;
        }
        RETURN sum;
    }
};

struct One {
    TASK(u64) operator()(SELF u64 value) const { RETURN value; }
};

struct Children {
    TASK(u64) operator()(SELF u64 scopes) const {
        u64 sum = 0, slots[10];
        for (u64 first = 0; first < scopes; first++) {
            EACH(10, slots, 10, i, One{}, (opaque(first) + i));
            for (u64 slot : slots) sum += slot;
        }
        RETURN sum;
    }
};

struct Leaf {
    TASK(u64) operator()(SELF u64 i, u64 steps) const { RETURN churn(i, steps) & 1; }
};

/* Keeps every worker busy until a time. */
struct Joint {
    TASK(u64) operator()(SELF double end) const {
        u64 parts[64], sum = 0;
        while (now() < end) {
            EACH(64, parts, 64, i, Leaf{}, (u64(i), 15000));
            for (u64 part : parts) sum += part;
        }
        RETURN sum;
    }
};
