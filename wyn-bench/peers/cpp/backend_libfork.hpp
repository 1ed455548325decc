// libfork: coroutines on segmented stacks; what is stolen is the rest of the caller.
#pragma once
#include <libfork.hpp>

#include <memory>
#include <string>

#define TASK(T) lf::task<T>
#define RETURN co_return
#define SELF auto,
#define CALL(r, f, args)               \
    do {                               \
        co_await lf::call(&r, f) args; \
        co_await lf::join;             \
    } while (0)
#define BOTH(ra, fa, aargs, rb, fb, bargs) \
    do {                                   \
        co_await lf::fork(&ra, fa) aargs;  \
        co_await lf::call(&rb, fb) bargs;  \
        co_await lf::join;                 \
    } while (0)
#define EACH(most, rs, count, i, f, args)                                      \
    do {                                                                       \
        for (size_t i = 0; i + 1 < (count); i++) co_await lf::fork(&rs[i], f) args; \
        if ((count) > 0) {                                                     \
            size_t i = (count)-1;                                              \
            co_await lf::call(&rs[i], f) args;                                 \
        }                                                                      \
        co_await lf::join;                                                     \
    } while (0)
#define WYN_LOOP_BY_HALVES

static std::unique_ptr<lf::lazy_pool> pool;

static void start(int workers) { pool = std::make_unique<lf::lazy_pool>(workers); }
template <class F, class... A> static auto on_worker(A... args) { return lf::sync_wait(*pool, F{}, args...); }
static const char *version() {
    static const std::string text = std::to_string(LF_VERSION_MAJOR) + "." + std::to_string(LF_VERSION_MINOR) +
                                    "." + std::to_string(LF_VERSION_PATCH);
    return text.c_str();
}
