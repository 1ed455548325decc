// Sorts and matrix multiplication. Functions that have nothing to return return 0.
#pragma once
#include <vector>

#include "meter.hpp"

constexpr size_t SHORT_RUN = 32, SHORT_MERGE = 4096, LEAF_ROWS = 64;

static void insertion(u64 *numbers, size_t count) {
    for (size_t end = 1; end < count; end++) {
        u64 number = numbers[end];
        size_t place = end;
        for (; place > 0 && numbers[place - 1] > number; place--) numbers[place] = numbers[place - 1];
        numbers[place] = number;
    }
}

/* Hoare's partition around the median of three: how many numbers the low part has. */
static size_t partition(u64 *numbers, size_t count) {
    u64 first = numbers[0], middle = numbers[count / 2], last = numbers[count - 1];
    u64 pivot = std::min(std::max(first, middle), std::max(std::min(first, middle), last));
    size_t low = 0, high = count - 1;
    for (;; low++, high--) {
        while (numbers[low] < pivot) low++;
        while (numbers[high] > pivot) high--;
        if (low >= high) return high + 1;
        std::swap(numbers[low], numbers[high]);
    }
}

struct Quick {
    TASK(u64) operator()(SELF u64 *numbers, size_t count, u64 *) const {
        if (count <= SHORT_RUN) {
            insertion(numbers, count);
            RETURN 0;
        }
        size_t low = partition(numbers, count);
        u64 a = 0, b = 0;
        BOTH(a, Quick{}, (numbers, low, nullptr), b, Quick{}, (numbers + low, count - low, nullptr));
        RETURN a + b;
    }
};

static void merge_serially(const u64 *left, size_t lefts, const u64 *right, size_t rights, u64 *target) {
    size_t l = 0, r = 0;
    while (l < lefts && r < rights) {
        u64 a = left[l], b = right[r];
        bool from_left = a <= b;
        target[l + r] = from_left ? a : b;
        l += from_left, r += !from_left;
    }
    std::copy(left + l, left + lefts, target + l + r);
    std::copy(right + r, right + rights, target + lefts + r);
}

struct Merge {
    TASK(u64) operator()(SELF const u64 *left, size_t lefts, const u64 *right, size_t rights, u64 *target) const {
        if (lefts + rights <= SHORT_MERGE) {
            merge_serially(left, lefts, right, rights, target);
            RETURN 0;
        }
        if (lefts < rights) std::swap(left, right), std::swap(lefts, rights);
        size_t middle = lefts / 2, cut = size_t(std::lower_bound(right, right + rights, left[middle]) - right);
        u64 a = 0, b = 0;
        BOTH(a, Merge{}, (left, middle, right, cut, target), b, Merge{},
             (left + middle, lefts - middle, right + cut, rights - cut, target + middle + cut));
        RETURN a + b;
    }
};

/* Sorts in place, or into the spare half: no copying but by merges. */
template <bool IntoSpare> struct MergeSort {
    TASK(u64) operator()(SELF u64 *numbers, size_t count, u64 *spare) const {
        if (count <= SHORT_RUN) {
            if (IntoSpare) std::copy(numbers, numbers + count, spare);
            insertion(IntoSpare ? spare : numbers, count);
            RETURN 0;
        }
        size_t half = count / 2;
        u64 a = 0, b = 0;
        BOTH(a, MergeSort<!IntoSpare>{}, (numbers, half, spare), b, MergeSort<!IntoSpare>{},
             (numbers + half, count - half, spare + half));
        const u64 *from = IntoSpare ? numbers : spare;
        u64 *target = IntoSpare ? spare : numbers;
        CALL(a, Merge{}, (from, half, from + half, count - half, target));
        RETURN a + b;
    }
};

/* Matrices lie quadrant by quadrant down to leaves, so that a quadrant is one piece. */
static size_t place(size_t row, size_t column, size_t n) {
    if (n == LEAF_ROWS) return row * LEAF_ROWS + column;
    size_t half = n / 2, quadrant = 2 * (row >= half) + (column >= half);
    return quadrant * half * half + place(row % half, column % half, half);
}

static void multiply_leaf(double *__restrict c, const double *__restrict a, const double *__restrict b) {
    for (size_t i = 0; i < LEAF_ROWS; i++)
        for (size_t k = 0; k < LEAF_ROWS; k++)
            for (size_t j = 0; j < LEAF_ROWS; j++)
                c[i * LEAF_ROWS + j] += a[i * LEAF_ROWS + k] * b[k * LEAF_ROWS + j];
}

/* All levels are one template, because a function that forks must be complete where it is forked. Level 0
   multiplies, level 1 does one row of quadrants of C, level 2 one quadrant. */
template <int Level> struct Multiply {
    TASK(u64) operator()(SELF size_t n, double *c, const double *a, const double *b, int row, int column) const {
        u64 x = 0, y = 0;
        size_t quarter = n * n / 4;
        if constexpr (Level == 0) {
            if (n == LEAF_ROWS) {
                multiply_leaf(c, a, b);
                RETURN 0;
            }
            BOTH(x, Multiply<1>{}, (n, c, a, b, 0, 0), y, Multiply<1>{}, (n, c, a, b, 1, 0));
        } else if constexpr (Level == 1) {
            BOTH(x, Multiply<2>{}, (n, c, a, b, row, 0), y, Multiply<2>{}, (n, c, a, b, row, 1));
        } else {
            double *part = c + (2 * row + column) * quarter;
            const double *left = a + 2 * row * quarter, *right = b + column * quarter;
            CALL(x, Multiply<0>{}, (n / 2, part, left, right, 0, 0));
            CALL(y, Multiply<0>{}, (n / 2, part, left + quarter, right + 2 * quarter, 0, 0));
        }
        RETURN x + y;
    }
};

static std::vector<double> matrix(size_t n, size_t seed) {
    std::vector<double> all(n * n);
    for (size_t i = 0; i < n * n; i++) all[i] = double((i * 7 + seed * 13) % 11);
    return all;
}

static std::vector<double> times(size_t n, const std::vector<double> &m, const std::vector<double> &x) {
    std::vector<double> y(n);
    for (size_t row = 0; row < n; row++)
        for (size_t column = 0; column < n; column++) y[row] += m[place(row, column, n)] * x[column];
    return y;
}

/* A number made of a vector of whole numbers. */
static u64 digest(const std::vector<double> &values) {
    u64 sum = 0;
    for (double value : values) sum = sum * 31 + u64(value);
    return sum;
}
