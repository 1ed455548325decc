/* The thread pool of the C runtime that this line of work began with, written anew from its description:
 * one queue under one mutex, workers take up to 128 tasks per lock, tasks come from chunks of 4096 and
 * futures from chunks of 1024 with a mutex and a condition variable each. An await blocks its thread.
 *
 * One deviation: the free lists carry a tag, so that they are free of ABA. */
#ifndef WYN_PEER_POOL_H
#define WYN_PEER_POOL_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t (*task_fn)(uint64_t argument);
typedef struct future future;

/* Starts the workers; they run until the process ends. */
void pool_start(int workers);
/* Runs `fn(argument)`; the future must be consumed by one `future_get`. */
future *pool_spawn(task_fn fn, uint64_t argument);
/* Runs `fn(argument)`; nobody waits for it. */
void pool_detach(task_fn fn, uint64_t argument);
/* Blocks until the value is there, and recycles the future. */
uint64_t future_get(future *f);

#endif
