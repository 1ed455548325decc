// Taskflow: TaskGroup inside its executor.
#pragma once
#include <taskflow/taskflow.hpp>
#include <taskflow/algorithm/for_each.hpp>

#include <memory>

#define TASK(T) T
#define RETURN return
#define SELF
#define CALL(r, f, args) r = f args
#define BOTH(ra, fa, aargs, rb, fb, bargs)          \
    do {                                            \
        tf::TaskGroup group = executor->task_group(); \
        group.silent_async([&] { rb = fb bargs; }); \
        ra = fa aargs;                              \
        group.corun();                              \
    } while (0)
#define EACH(most, rs, count, i, f, args)                                                \
    do {                                                                                 \
        tf::TaskGroup group = executor->task_group();                                    \
        for (size_t i = 1; i < (count); i++) group.silent_async([&, i] { rs[i] = f args; }); \
        if (size_t i = 0; i < (count)) rs[i] = f args;                                   \
        group.corun();                                                                   \
    } while (0)
#define LOOP(region, seed)                                                                     \
    do {                                                                                       \
        tf::Taskflow flow;                                                                     \
        flow.for_each_by_index(tf::IndexRange<size_t>(0, (region)->size, 1),                   \
                               [r = (region), s = (seed)](tf::IndexRange<size_t> range) {      \
                                   r->iterate(range.begin(), range.end(), s);                  \
                               },                                                              \
                               tf::GuidedPartitioner(GRAIN));                                  \
        executor->corun(flow);                                                                 \
    } while (0)

static std::unique_ptr<tf::Executor> executor;

static void start(int workers) { executor = std::make_unique<tf::Executor>(workers); }
template <class F, class... A> static auto on_worker(A... args) {
    return executor->async([&] { return F{}(args...); }).get();
}
static const char *version() { return tf::version(); }
