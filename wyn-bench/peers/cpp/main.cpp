// One measurement per process, the same line of JSON as wyn-bench's probe. README.md says how it is built.
#if defined(WYN_ONETBB)
#include "backend_onetbb.hpp"
#elif defined(WYN_TASKFLOW)
#include "backend_taskflow.hpp"
#elif defined(WYN_LIBFORK)
#include "backend_libfork.hpp"
#elif defined(WYN_TMC)
#include "backend_tmc.hpp"
#else
#error "no backend chosen: -DWYN_ONETBB, -DWYN_TASKFLOW, -DWYN_LIBFORK or -DWYN_TMC"
#endif
// clang-format off: the backend's words come first.
#include "arrays.hpp"
#include "recursion.hpp"
#include "regions.hpp"
#include "uts.hpp"
#include <unistd.h>
// clang-format on

static void joint() { on_worker<Joint>(now() + 40e6); }

/* Runs F inside the runtime and takes its time there. */
template <class F> struct Timed {
    template <class... A> TASK(u64) operator()(SELF double *wall, A... args) const {
        double start = now();
        u64 answer = 0;
        CALL(answer, F{}, (args...));
        *wall = now() - start;
        RETURN answer;
    }
};

template <class F, class... A> static Pass timed(A... args) {
    double wall = 0;
    u64 answer = on_worker<Timed<F>>(&wall, args...);
    return {wall, answer};
}

template <class F, class... A> static int inside(u64 ops, u64 expected, size_t most, A... args) {
    Figures figures;
    int rc = passes(joint, ops, expected, most, [&] { return timed<F>(args...); }, figures);
    return rc ? rc : print(figures);
}

static u64 fibonacci(u64 n) {
    u64 a = 0, b = 1;
    for (u64 i = 0; i < n; i++) std::swap(a, b), b += a;
    return a;
}

static int fib(u64 n, bool once) {
    u64 joins = fibonacci(n + 1) - 1, times = once ? 1 : std::max<u64>(1000000 / std::max<u64>(joins, 1), 1);
    return inside<FibOften>(times * joins, times * fibonacci(n), once ? 41 : 7, n, times);
}

static int skynet(u64 n) {
    u64 leaves = 1;
    while (leaves * 10 <= n) leaves *= 10;
    return inside<Skynet>(leaves, leaves * (leaves - 1) / 2, 7, u64{0}, leaves);
}

static int queens(u64 n) {
    if (n < 1 || n > 16) return unsupported("boards have 1 to 16 rows");
    u64 expected = queens_serially(n, Board{});
    return inside<Queens>(expected % SOLUTION, expected, 7, n, Board{});
}

static int uts(Tree tree) {
    u64 size = tree.published_size();
    return inside<Search>(size, size, 7, tree, tree.root(), u64{0});
}

template <bool StepWaits> static int chains(u64 n) {
    u64 chain = 0;
    for (u64 link = 0; link < 1000; link++) chain += chain_step(link);
    return inside<Chains<StepWaits>>(n / 1000 * 1000, chain * (n / 1000), 7, n);
}

template <class Sort> static int sort(u64 n, u64 spares) {
    std::vector<u64> numbers(n), sorted(n), spare(spares);
    u64 expected = 0, x = 0x9e3779b97f4a7c15;
    for (u64 &number : numbers) number = x, expected += x, x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    Figures figures;
    auto pass = [&] {
        sorted = numbers;
        Pass done = timed<Sort>(sorted.data(), size_t(n), spare.data());
        done.answer = 0;
        for (u64 number : sorted) done.answer += number;
        if (!std::is_sorted(sorted.begin(), sorted.end())) done.answer = ~expected;
        return done;
    };
    int rc = passes(joint, n, expected, 7, pass, figures);
    return rc ? rc : print(figures);
}

static int matmul(u64 n) {
    if (n < LEAF_ROWS || (n & (n - 1))) return unsupported("sizes are powers of two from 64 on");
    std::vector<double> left = matrix(n, 1), right = matrix(n, 2), product(n * n), x(n);
    for (size_t i = 0; i < n; i++) x[i] = double(i * 5 % 7);
    u64 expected = digest(times(n, left, times(n, right, x)));
    Figures figures;
    auto pass = [&] {
        std::fill(product.begin(), product.end(), 0.0);
        const double *a = left.data(), *b = right.data();
        Pass done = timed<Multiply<0>>(size_t(n), product.data(), a, b, 0, 0);
        done.answer = digest(times(n, product, x));
        return done;
    };
    int rc = passes(joint, n * n * n, expected, 7, pass, figures);
    return rc ? rc : print(figures);
}

static int par_for(u64 n, u64 work_ns, bool from_main) {
    Region region(work_ns);
    Figures figures;
    std::vector<double> serial;
    auto serially = [&] {
        double start = now();
        for (u64 seed = 0; seed < n; seed++) region.iterate(0, region.size, seed);
        serial.push_back((now() - start) / double(n));
        return region.sum();
    };
    auto run = [&](u64 count, int pause, Spaced *spaced) {
        const Region *shared = &region;
        if (from_main)
            loops_from_main(shared, count, pause, spaced);
        else
            on_worker<Loops>(shared, count, pause, spaced);
    };
    serially();
    u64 expected = serially();
    auto pass = [&] {
        for (size_t i = 0; i < region.size; i++) region.slots[i] = 0;
        Spaced spaced;
        run(n, 0, &spaced);
        return Pass{spaced.walls[0], region.sum()};
    };
    if (int rc = passes(joint, n, expected, 7, pass, figures)) return rc;
    serially();
    Spaced spaced;
    run(40, 5, &spaced);
    figures["serial_ns"] = median(serial);
    figures["spaced_ns"] = median(spaced.walls);
    figures["gap_cpu_percent"] = spaced.used / spaced.gaps * 100;
    return print(figures);
}

static int isolated(u64 n, u64 grain_ns) {
    bool brief = grain_ns < 10000;
    u64 steps = brief ? short_steps(grain_ns) : long_steps(grain_ns), answer = 0, expected = 0;
    Figures figures;
    std::vector<double> serial, walls, hot, *none = nullptr;
    joint();
    for (int i = 0; i < 5; i++) {
        double start = now();
        expected = joins_serially(n, steps);
        serial.push_back((now() - start) / double(n));
    }
    if (brief) {
        double wall = 0, switched = 0, used = 0;
        for (int i = 0; i < 7; i++) {
            pause_ms(3);
            double before = switches(), start_cpu = cpu();
            Pass pass = timed<Joins>(n, steps, false, none);
            switched += switches() - before, used += cpu() - start_cpu, wall += pass.wall, answer = pass.answer;
            walls.push_back(pass.wall / double(n));
        }
        figures["switches_per_ms"] = switched / (wall / 1e6);
        figures["cpu"] = used / wall;
    } else {
        answer = on_worker<Joins>(n, steps, true, &walls);
        on_worker<Joins>(n, steps, false, &hot);
        figures["hot_ns"] = median(hot);
    }
    if (answer != expected) return wrong(expected, answer);
    figures["ns"] = median(walls), figures["serial_ns"] = median(serial), figures["peak_kib"] = peak_kib();
    return print(figures);
}

static int long_leaf(u64 n) {
    std::vector<double> micros;
    joint();
    u64 answer = on_worker<LongLeaf>(n, &micros);
    if (answer != n * LEAF_CHILDREN) return wrong(n * LEAF_CHILDREN, answer);
    return print({{"joins_us", median(micros)}, {"joins_worst_us", quantile(micros, 1)}, {"peak_kib", peak_kib()}});
}

static int run(const std::string &workload, u64 n, u64 grain_ns) {
    u64 scopes = n / 10;
    if (workload == "fib") return fib(n, false);
    if (workload == "fib_once") return fib(n, true);
    if (workload == "skynet") return skynet(n);
    if (workload == "nqueens") return queens(n);
    if (workload == "matmul") return matmul(n);
    if (workload == "uts_geo") return uts({false, n});
    if (workload == "uts_bin") return uts({true, n});
    if (workload == "quicksort") return sort<Quick>(n, 0);
    if (workload == "mergesort") return sort<MergeSort<false>>(n, n);
    if (workload == "lopsided") return chains<false>(n);
    if (workload == "lopsided_l") return chains<true>(n);
    if (workload == "par_for") return par_for(n, grain_ns, true);
    if (workload == "par_for_in") return par_for(n, grain_ns, false);
    if (workload == "children")
        return inside<Children>(scopes * 10, scopes ? 10 * scopes * (scopes - 1) / 2 + scopes * 45 : 0, 7, scopes);
    if (workload == "isolated_join") return isolated(n, grain_ns);
    if (workload == "long_leaf") return long_leaf(n);
    return unsupported("no such workload");
}

/* Digits and nothing else. */
static bool number(const std::string &text, u64 &value) {
    bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    if (digits && text.size() < 19) value = strtoull(text.c_str(), nullptr, 10);
    return digits && text.size() < 19;
}

int main(int argc, char **argv) {
    u64 n = 1000, grain_ns = 0, workers = 2;
    std::string workload;
    if (argc == 2 && !strcmp(argv[1], "--version")) return printf("%s (compiler %s)\n", version(), __VERSION__) < 0;
    bool right = argc % 2;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string name = argv[i], value = argv[i + 1];
        if (name == "--workload") workload = value;
        else if (name == "--n") right &= number(value, n);
        else if (name == "--grain") right &= number(value, grain_ns);
        else if (name == "--workers") right &= number(value, workers);
        /* There is one backend here, and no channel. */
        else right &= name == "--backend" || name == "--capacity";
    }
    if (!right || workload.empty() || workers < 1 || workers > 1024) {
        fprintf(stderr, "usage: %s --workload W [--n N] [--grain NS] [--workers K]\n", argv[0]);
        return 2;
    }
    start(int(workers));
    int rc = run(workload, n, grain_ns);
    fflush(stdout);
    _exit(rc);
}
