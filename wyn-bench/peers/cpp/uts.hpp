// Unbalanced tree search; SHA-1 of at most 31 bytes on a little-endian machine is its random number generator.
#pragma once
#include <cmath>
#include <vector>

#include "meter.hpp"

struct State {
    uint8_t bytes[20];
};

static inline uint32_t rotated(uint32_t x, int by) { return x << by | x >> (32 - by); }

/* gcc's vectors for the schedule wait for stores to be forwarded, which doubles the time of a hash. */
#if defined(__GNUC__) && !defined(__clang__)
__attribute__((optimize("no-tree-vectorize")))
#endif
static State sha1(const uint8_t *message, size_t length) {
    uint8_t block[64] = {};
    memcpy(block, message, length);
    block[length] = 0x80;
    block[63] = uint8_t(length * 8);
    uint32_t w[80], h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    memcpy(w, block, 64);
    for (int i = 0; i < 16; i++) w[i] = __builtin_bswap32(w[i]);
    for (int i = 16; i < 80; i++) w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    auto five = [&](auto mix, uint32_t constant, const uint32_t *word) {
        auto round = [&](uint32_t a, uint32_t &b, uint32_t c, uint32_t d, uint32_t &e, uint32_t word) {
            e += rotated(a, 5) + mix(b, c, d) + constant + word;
            b = rotated(b, 30);
        };
        round(a, b, c, d, e, word[0]);
        round(e, a, b, c, d, word[1]);
        round(d, e, a, b, c, word[2]);
        round(c, d, e, a, b, word[3]);
        round(b, c, d, e, a, word[4]);
    };
    auto choose = [](uint32_t b, uint32_t c, uint32_t d) { return d ^ (b & (c ^ d)); };
    auto parity = [](uint32_t b, uint32_t c, uint32_t d) { return b ^ c ^ d; };
    auto majority = [](uint32_t b, uint32_t c, uint32_t d) { return (b & c) | (d & (b | c)); };
    for (int i = 0; i < 20; i += 5) five(choose, 0x5a827999, w + i);
    for (int i = 20; i < 40; i += 5) five(parity, 0x6ed9eba1, w + i);
    for (int i = 40; i < 60; i += 5) five(majority, 0x8f1bbcdc, w + i);
    for (int i = 60; i < 80; i += 5) five(parity, 0xca62c1d6, w + i);
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    State hash;
    for (uint32_t &word : h) word = __builtin_bswap32(word);
    memcpy(hash.bytes, h, 20);
    return hash;
}

/* Geometric with four children on average down to a depth, or binomial with that many children of the root. */
struct Tree {
    bool binomial;
    u64 size;

    State root() const {
        uint8_t message[20] = {};
        message[19] = binomial ? 42 : 19;
        return sha1(message, 20);
    }
    static State child(const State &parent, size_t number) {
        uint8_t message[24];
        memcpy(message, parent.bytes, 20);
        uint32_t order = __builtin_bswap32(uint32_t(number));
        memcpy(message + 20, &order, 4);
        return sha1(message, 24);
    }
    size_t children(const State &state, u64 height) const {
        const uint8_t *b = state.bytes;
        uint32_t random =
            (uint32_t(b[16]) << 24 | uint32_t(b[17]) << 16 | uint32_t(b[18]) << 8 | b[19]) & 0x7fffffff;
        double uniform = double(random) / 2147483648.0;
        if (binomial) return height == 0 ? size : uniform < 0.124875 ? 8 : 0;
        double mean = height < size ? 4 : 0;
        double count = std::floor(std::log(1 - uniform) / std::log(1 - 1 / (1 + mean)));
        return count > 0 ? size_t(std::min(count, 100.0)) : 0;
    }
    u64 published_size() const {
        if (!binomial && size == 10) return 4130071;
        if (binomial && size == 2000) return 4112897;
        return search(root(), 0);
    }
    u64 search(const State &state, u64 height) const {
        u64 sum = 1;
        for (size_t i = 0, count = children(state, height); i < count; i++)
            sum += search(child(state, i), height + 1);
        return sum;
    }
};

struct Search {
    TASK(u64) operator()(SELF Tree tree, State state, u64 height) const {
        size_t count = tree.children(state, height);
        if (count == 0) RETURN 1;
        u64 few[16], *parts = few, sum = 1;
        std::vector<u64> many;
        if (count > 16) many.resize(count), parts = many.data();
        EACH(0, parts, count, i, Search{}, (tree, Tree::child(state, i), height + 1));
        for (size_t i = 0; i < count; i++) sum += parts[i];
        RETURN sum;
    }
};
