// oneTBB: task_group, parallel_for, an arena that the calling thread enters.
#pragma once
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>
#include <tbb/version.h>

#include <memory>

#define TASK(T) T
#define RETURN return
#define SELF
#define CALL(r, f, args) r = f args
#define BOTH(ra, fa, aargs, rb, fb, bargs) \
    do {                                   \
        tbb::task_group group;             \
        group.run([&] { rb = fb bargs; }); \
        ra = fa aargs;                     \
        group.wait();                      \
    } while (0)
#define EACH(most, rs, count, i, f, args)                                       \
    do {                                                                        \
        tbb::task_group group;                                                  \
        for (size_t i = 1; i < (count); i++) group.run([&, i] { rs[i] = f args; }); \
        if (size_t i = 0; i < (count)) rs[i] = f args;                          \
        group.wait();                                                           \
    } while (0)
#define LOOP(region, seed)                                                       \
    tbb::parallel_for(tbb::blocked_range<size_t>(0, (region)->size, GRAIN),      \
                      [r = (region), s = (seed)](const tbb::blocked_range<size_t> &range) { \
                          r->iterate(range.begin(), range.end(), s);             \
                      })

static std::unique_ptr<tbb::global_control> stacks;
static std::unique_ptr<tbb::task_arena> arena;

static void start(int workers) {
    stacks = std::make_unique<tbb::global_control>(tbb::global_control::thread_stack_size, size_t{64} << 20);
    arena = std::make_unique<tbb::task_arena>(workers);
}
template <class F, class... A> static auto on_worker(A... args) {
    return arena->execute([&] { return F{}(args...); });
}
static const char *version() { return TBB_VERSION_STRING; }
