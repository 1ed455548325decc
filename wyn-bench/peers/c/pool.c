#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { BATCH = 128, TASK_CHUNK = 4096, FUTURE_CHUNK = 1024 };

/* Every recyclable thing begins with its link. */
typedef struct node {
    struct node *next;
} node;

typedef struct task {
    node link;
    task_fn fn;
    uint64_t argument;
    future *result; /* NULL if nobody waits */
} task;

struct future {
    union {
        node link; /* while it is free */
        uint64_t value;
    };
    pthread_mutex_t mutex;
    pthread_cond_t ready;
    atomic_int done;
};

/* ---- free lists: a Treiber stack whose head carries a 16-bit tag above the 48-bit address ---- */

typedef struct {
    _Atomic uint64_t head;
    pthread_mutex_t grow;
} free_list;

#define ADDRESS(word) ((node *)((word) & 0xffffffffffffULL))
#define TAGGED(n, old) ((uint64_t)(uintptr_t)(n) | ((((old) >> 48) + 1) << 48))

static void give(free_list *list, node *first, node *last) {
    uint64_t old = atomic_load_explicit(&list->head, memory_order_relaxed);
    do {
        last->next = ADDRESS(old);
    } while (!atomic_compare_exchange_weak_explicit(&list->head, &old, TAGGED(first, old), memory_order_release,
                                                    memory_order_relaxed));
}

static node *take(free_list *list) {
    uint64_t old = atomic_load_explicit(&list->head, memory_order_acquire);
    while (ADDRESS(old)) {
        /* The memory is never returned: reading a node that was just taken is harmless, the tag tells. */
        node *next = *(node *volatile *)&ADDRESS(old)->next;
        if (atomic_compare_exchange_weak_explicit(&list->head, &old, TAGGED(next, old), memory_order_acquire,
                                                  memory_order_acquire))
            return ADDRESS(old);
    }
    return NULL;
}

/* Takes a node; when there is none, allocates a chunk and gives the rest of it. */
static node *take_or_grow(free_list *list, size_t size, size_t count, void (*init)(node *)) {
    for (;;) {
        node *n = take(list);
        if (n) return n;
        pthread_mutex_lock(&list->grow);
        if (!ADDRESS(atomic_load(&list->head))) {
            char *chunk = malloc(size * count);
            if (!chunk) abort();
            for (size_t i = 0; i < count; i++) {
                node *each = (node *)(chunk + i * size);
                if (init) init(each);
                each->next = i + 1 < count ? (node *)(chunk + (i + 1) * size) : NULL;
            }
            give(list, (node *)chunk, (node *)(chunk + (count - 1) * size));
        }
        pthread_mutex_unlock(&list->grow);
    }
}

static free_list tasks = {0, PTHREAD_MUTEX_INITIALIZER};
static free_list futures = {0, PTHREAD_MUTEX_INITIALIZER};

static void init_future(node *n) {
    future *f = (future *)n;
    pthread_mutex_init(&f->mutex, NULL);
    pthread_cond_init(&f->ready, NULL);
}

/* ---- the queue ---- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    task *first, *last;
    int waiting;
} queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, NULL, 0};

static void push(task *t) {
    t->link.next = NULL;
    pthread_mutex_lock(&queue.mutex);
    if (queue.last)
        queue.last->link.next = &t->link;
    else
        queue.first = t;
    queue.last = t;
    int wake = queue.waiting > 0;
    pthread_mutex_unlock(&queue.mutex);
    if (wake) pthread_cond_signal(&queue.filled);
}

/* Up to BATCH tasks, linked; blocks while there is none. */
static task *pop_batch(void) {
    pthread_mutex_lock(&queue.mutex);
    while (!queue.first) {
        queue.waiting++;
        pthread_cond_wait(&queue.filled, &queue.mutex);
        queue.waiting--;
    }
    task *first = queue.first, *last = first;
    for (int i = 1; i < BATCH && last->link.next; i++) last = (task *)last->link.next;
    queue.first = (task *)last->link.next;
    if (!queue.first) queue.last = NULL;
    last->link.next = NULL;
    pthread_mutex_unlock(&queue.mutex);
    return first;
}

/* ---- futures ---- */

static void future_set(future *f, uint64_t value) {
    pthread_mutex_lock(&f->mutex);
    f->value = value;
    atomic_store_explicit(&f->done, 1, memory_order_release);
    pthread_cond_signal(&f->ready);
    pthread_mutex_unlock(&f->mutex);
}

uint64_t future_get(future *f) {
    /* Also when it is done: the setter may still hold the mutex, and the future is recycled below. */
    pthread_mutex_lock(&f->mutex);
    while (!atomic_load_explicit(&f->done, memory_order_acquire)) pthread_cond_wait(&f->ready, &f->mutex);
    uint64_t value = f->value;
    pthread_mutex_unlock(&f->mutex);
    give(&futures, &f->link, &f->link);
    return value;
}

/* ---- workers and spawning ---- */

static void *work(void *unused) {
    (void)unused;
    for (;;) {
        task *t = pop_batch();
        while (t) {
            task *next = (task *)t->link.next;
            uint64_t value = t->fn(t->argument);
            if (t->result) future_set(t->result, value);
            give(&tasks, &t->link, &t->link);
            t = next;
        }
    }
    return NULL;
}

void pool_start(int workers) {
    for (int i = 0; i < workers; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, NULL)) abort();
        pthread_detach(thread);
    }
}

static void spawn(task_fn fn, uint64_t argument, future *result) {
    task *t = (task *)take_or_grow(&tasks, sizeof(task), TASK_CHUNK, NULL);
    t->fn = fn;
    t->argument = argument;
    t->result = result;
    push(t);
}

future *pool_spawn(task_fn fn, uint64_t argument) {
    future *f = (future *)take_or_grow(&futures, sizeof(future), FUTURE_CHUNK, init_future);
    atomic_store_explicit(&f->done, 0, memory_order_relaxed);
    spawn(fn, argument, f);
    return f;
}

void pool_detach(task_fn fn, uint64_t argument) { spawn(fn, argument, NULL); }
