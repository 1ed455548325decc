// TooManyCooks: coroutine tasks; two at once by spawn_tuple, many by spawn_many.
#pragma once
#define TMC_IMPL
#include <tmc/all_headers.hpp>

#include <ranges>
#include <string>
#include <tuple>

#define TASK(T) tmc::task<T>
#define RETURN co_return
#define SELF
#define CALL(r, f, args) r = co_await f args
#define BOTH(ra, fa, aargs, rb, fb, bargs) std::tie(ra, rb) = co_await tmc::spawn_tuple(fa aargs, fb bargs)
#define EACH(most, rs, count, i, f, args)                                                       \
    do {                                                                                        \
        auto all = std::views::iota(size_t{0}, size_t(count)) |                                 \
                   std::views::transform([&](size_t i) { return f args; });                     \
        auto found = co_await tmc::spawn_many<most>(all.begin(), all.end());                    \
        for (size_t i = 0; i < (count); i++) rs[i] = found[i];                                  \
    } while (0)
#define WYN_LOOP_BY_HALVES

static void start(int workers) { tmc::cpu_executor().set_thread_count(workers).init(); }
template <class F, class... A> static auto on_worker(A... args) {
    return tmc::post_waitable(tmc::cpu_executor(), F{}(args...)).get();
}
static const char *version() {
    static const std::string text = std::to_string(TMC_VERSION_MAJOR) + "." + std::to_string(TMC_VERSION_MINOR) +
                                    "." + std::to_string(TMC_VERSION_PATCH);
    return text.c_str();
}
