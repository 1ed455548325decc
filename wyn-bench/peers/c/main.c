/* One measurement per process by the line protocol of ../README.md. */
#define _GNU_SOURCE
#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    uint64_t n, grain;
    int workers;
} job;

/* ---- clocks and memory ---- */

static double now_on(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}
static double now(void) { return now_on(CLOCK_MONOTONIC); }
static double cpu(void) { return now_on(CLOCK_PROCESS_CPUTIME_ID); }

static void pause_ms(int ms) {
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static double kib(const char *file, const char *field) {
    FILE *f = fopen(file, "r");
    char line[256];
    double value = 0;
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, field, strlen(field))) value = atof(line + strlen(field));
    if (f) fclose(f);
    return value;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double quantile(double *values, int count, double fraction) {
    if (count == 0) return 0;
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[(int)(fraction * (count - 1) + 0.5)];
}
static double median(double *values, int count) {
    double upper = quantile(values, count, 0.5);
    return count % 2 || !count ? upper : (values[count / 2 - 1] + values[count / 2]) / 2;
}
static double per_op(double ns, uint64_t ops) { return ns / (double)(ops ? ops : 1); }

/* ---- work ---- */

static uint64_t steps;

static uint64_t burn(uint64_t x) {
    for (uint64_t i = 0; i < steps; i++) x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    return x;
}
static uint64_t same(uint64_t x) { return x; }

static void calibrate(uint64_t grain) {
    double best = 1e18;
    volatile uint64_t sink = 0;
    steps = 20000;
    for (int i = 0; i < 50; i++) {
        double start = now();
        sink += burn((uint64_t)i);
        double took = now() - start;
        if (took < best) best = took;
    }
    steps = (uint64_t)((double)grain * 20000 / best);
}

static uint64_t sum_to(uint64_t n) { return n ? n * (n - 1) / 2 : 0; }

static uint64_t serial_sum(uint64_t n) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < n; i++) sum += burn(i);
    return sum;
}

/* ---- the passes ---- */

static future **handles;
static _Atomic uint64_t *slots;

static uint64_t flat(const job *j, task_fn fn) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < j->n; i++) handles[i] = pool_spawn(fn, i);
    for (uint64_t i = 0; i < j->n; i++) sum += future_get(handles[i]);
    return sum;
}
static uint64_t pass_spawn_await(const job *j) { return flat(j, same); }
static uint64_t pass_grain(const job *j) { return flat(j, burn); }

static uint64_t pass_seq(const job *j) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < j->n; i++) sum += future_get(pool_spawn(same, i));
    return sum;
}

static uint64_t pass_batch8(const job *j) {
    uint64_t sum = 0;
    for (uint64_t b = 0; b < j->n / 8; b++) {
        future *batch[8];
        for (uint64_t i = 0; i < 8; i++) batch[i] = pool_spawn(same, b * 8 + i);
        for (uint64_t i = 0; i < 8; i++) sum += future_get(batch[i]);
    }
    return sum;
}

static uint64_t fill_slot(uint64_t i) {
    atomic_store_explicit(&slots[i], i + 1, memory_order_release);
    return 0;
}
static uint64_t pass_detached(const job *j) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < j->n; i++) pool_detach(fill_slot, i);
    for (uint64_t i = 0; i < j->n; i++) {
        uint64_t value;
        for (int round = 0; !(value = atomic_load_explicit(&slots[i], memory_order_acquire)); round++)
            if (round >= 64) sched_yield();
        sum += value - 1;
        atomic_store_explicit(&slots[i], 0, memory_order_relaxed);
    }
    return sum;
}

/* ---- joint work: all workers busy at once, so that the kernel spreads them ---- */

static atomic_int joined;

static uint64_t spin_until(uint64_t end) {
    while (now() < (double)end) {
    }
    atomic_fetch_add(&joined, 1);
    return 0;
}
/* A worker takes tasks by the batch: pushed one by one with a pause, each gets its own. */
static void joint_work(int workers) {
    uint64_t end = (uint64_t)now() + 40000000;
    atomic_store(&joined, 0);
    for (int i = 0; i < workers; i++) {
        pool_detach(spin_until, end);
        usleep(100);
    }
    while (atomic_load(&joined) < workers) pause_ms(1);
}

/* ---- measuring ---- */

static int throughput(const job *j, uint64_t ops, uint64_t expected, uint64_t (*pass)(const job *),
                      const char *more) {
    double walls[7], spent = 0, shares = 0, cold = 0, cold_cpu = 0;
    int count = 0;
    if (getenv("WYN_BENCH_SPREAD")) {
        joint_work(j->workers);
        pause_ms(2);
    }
    for (int i = 0; i < 8 && (i < 2 || spent < 25e6); i++) {
        if (i == 1) joint_work(j->workers);
        if (i) pause_ms(2);
        double start = now(), start_cpu = cpu();
        uint64_t answer = pass(j);
        double wall = now() - start, share = (cpu() - start_cpu) / wall;
        if (answer != expected) {
            printf("{\"wrong\":\"expected %llu, got %llu\"}\n", (unsigned long long)expected,
                   (unsigned long long)answer);
            return 1;
        }
        if (i == 0) {
            cold = wall, cold_cpu = share;
        } else {
            walls[count++] = wall, spent += wall, shares += share;
        }
    }
    printf("{\"figures\":{\"ns\":%.4f,\"cold_ns\":%.4f,\"cpu\":%.4f,\"cold_cpu\":%.4f,\"passes\":%d,"
           "\"peak_kib\":%.0f%s}}\n",
           per_op(median(walls, count), ops), per_op(cold, ops), shares / count, cold_cpu, count,
           kib("/proc/self/status", "VmHWM:"), more);
    return 0;
}

static int grain(const job *j) {
    double serial[3];
    uint64_t expected = 0;
    char more[64];
    calibrate(j->grain);
    for (int i = 0; i < 3; i++) {
        double start = now();
        expected = serial_sum(j->n);
        serial[i] = per_op(now() - start, j->n);
    }
    snprintf(more, sizeof more, ",\"serial_ns\":%.4f", median(serial, 3));
    return throughput(j, j->n, expected, pass_grain, more);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int held;

static uint64_t hold(uint64_t unused) {
    (void)unused;
    atomic_fetch_add(&held, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return 0;
}

static int pending(const job *j) {
    pthread_mutex_lock(&gate);
    for (int i = 0; i < j->workers; i++) {
        pool_detach(hold, 0);
        while (atomic_load(&held) <= i) pause_ms(1);
    }
    double before = kib("/proc/self/smaps_rollup", "Rss:"), start = now();
    future **mine = malloc(j->n * sizeof *mine);
    for (uint64_t i = 0; i < j->n; i++) mine[i] = pool_spawn(same, i);
    double wall = now() - start, after = kib("/proc/self/smaps_rollup", "Rss:");
    pthread_mutex_unlock(&gate);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < j->n; i++) sum += future_get(mine[i]);
    if (sum != sum_to(j->n)) {
        printf("{\"wrong\":\"expected another sum\"}\n");
        return 1;
    }
    printf("{\"figures\":{\"bytes\":%.4f,\"spawn_ns\":%.4f,\"peak_kib\":%.0f}}\n",
           per_op((after - before) * 1024, j->n), per_op(wall, j->n), kib("/proc/self/status", "VmHWM:"));
    return 0;
}

static _Atomic uint64_t ran;

static uint64_t stamp(uint64_t unused) {
    (void)unused;
    atomic_store_explicit(&ran, (uint64_t)now(), memory_order_release);
    return 0;
}

static int wake(const job *j) {
    double *wakes = malloc(j->n * sizeof *wakes), *calls = malloc(j->n * sizeof *calls);
    joint_work(j->workers);
    for (uint64_t i = 0; i < j->n; i++) {
        uint64_t at;
        pause_ms(3);
        atomic_store(&ran, 0);
        double start = now();
        pool_detach(stamp, 0);
        calls[i] = now() - start;
        while (!(at = atomic_load_explicit(&ran, memory_order_acquire))) {
        }
        wakes[i] = (double)at - start;
    }
    printf("{\"figures\":{\"ns\":%.1f,\"p99_ns\":%.1f,\"call_ns\":%.1f}}\n", median(wakes, (int)j->n),
           quantile(wakes, (int)j->n, 0.99), median(calls, (int)j->n));
    return 0;
}

static double switches(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_nvcsw + usage.ru_nivcsw);
}

static int idle(const job *j) {
    pass_detached(j);
    pause_ms(500);
    double start_cpu = cpu(), start_switches = switches();
    pause_ms(2000);
    printf("{\"figures\":{\"cpu_percent\":%.4f,\"switches_per_s\":%.2f}}\n", (cpu() - start_cpu) / 2e7,
           (switches() - start_switches) / 2);
    return 0;
}

static int unsupported(const char *why) {
    printf("{\"unsupported\":\"%s\"}\n", why);
    return 0;
}

static int run(const char *workload, const job *j) {
#define IS(name) (!strcmp(workload, name))
    if (IS("spawn_await")) return throughput(j, j->n, sum_to(j->n), pass_spawn_await, "");
    if (IS("spawn_detached")) return throughput(j, j->n, sum_to(j->n), pass_detached, "");
    if (IS("seq")) return throughput(j, j->n, sum_to(j->n), pass_seq, "");
    if (IS("batch8")) return throughput(j, j->n / 8 * 8, sum_to(j->n / 8 * 8), pass_batch8, "");
    if (IS("grain")) return grain(j);
    if (IS("pending")) return pending(j);
    if (IS("wake")) return wake(j);
    if (IS("idle")) return idle(j);
    if (IS("spawn_await_in") || IS("seq_in") || IS("batch8_in") || IS("nested") || IS("tree") || IS("speedup"))
        return unsupported("an await inside a task blocks its worker");
    return unsupported("no such workload");
}

/* Digits and nothing else. */
static int number(const char *text, uint64_t *value) {
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && !*end && !errno;
}

static int parse(int argc, char **argv, job *j, const char **workload) {
    uint64_t workers = 2;
    int right = argc % 2;
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (!strcmp(name, "--workload")) *workload = value;
        else if (!strcmp(name, "--n")) right &= number(value, &j->n);
        else if (!strcmp(name, "--grain")) right &= number(value, &j->grain);
        else if (!strcmp(name, "--workers")) right &= number(value, &workers);
        /* There is one backend here, and no channel. */
        else right &= !strcmp(name, "--backend") || !strcmp(name, "--capacity");
    }
    j->workers = (int)workers;
    return right && **workload && workers >= 1 && workers <= 1024;
}

int main(int argc, char **argv) {
    job j = {1000, 0, 2};
    const char *workload = "";
    if (argc == 2 && !strcmp(argv[1], "--version")) return printf("C11, compiler %s\n", __VERSION__) < 0;
    if (!parse(argc, argv, &j, &workload)) {
        fprintf(stderr, "usage: %s --workload W [--n N] [--grain NS] [--workers K]\n", argv[0]);
        return 2;
    }
    slots = calloc(j.n + 1, sizeof *slots);
    handles = malloc((j.n + 1) * sizeof *handles);
    if (!slots || !handles) return 1;
    pool_start(j.workers);
    int rc = run(workload, &j);
    fflush(stdout);
    _exit(rc);
}
