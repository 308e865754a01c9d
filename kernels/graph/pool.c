/* The thread pool: workers take task numbers from one atomic word, so a slow thread never holds up the others, and the
 * caller can finish a step alone when no worker is awake. Between steps workers spin briefly, then sleep.
 *
 * The word ("ticket") packs, from the top: 24 bits that count the steps, 20 bits number of tasks, 20 bits next task.
 * A successful exchange proves that the step is still the current one, since the caller cannot leave a step
 * before each of its taken tasks is done; only then may a worker read `function` and `context`. */
#include "graph/pool.h"

#include "edgecore/cpu.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TASK_BITS 20
#define TASK_MASK ((UINT64_C(1) << TASK_BITS) - 1)
#define SPIN_NANOSECONDS 50000
#define SPINS_PER_CLOCK 32

typedef struct worker {
    edgecore_pool *pool;
    pthread_t thread;
    int32_t number;
} worker;

struct edgecore_pool {
    _Alignas(64) _Atomic uint64_t ticket;
    _Alignas(64) _Atomic int32_t done;
    _Alignas(64) _Atomic int32_t sleepers;
    _Atomic bool stop;
    edgecore_task_fn function;
    void *context;
    uint64_t steps;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    worker *workers;
    int32_t wanted, worker_count;
    bool spins;
    pid_t owner;
};

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || (defined(__arm__) && __ARM_ARCH >= 7)
    __asm__ volatile("yield" ::: "memory");
#endif
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static bool has_task(uint64_t ticket)
{
    return (ticket & TASK_MASK) < (ticket >> TASK_BITS & TASK_MASK);
}

/* Runs tasks of the current step until none is left. */
static void work(edgecore_pool *pool, int32_t thread)
{
    uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    while (has_task(ticket)) {
        if (!atomic_compare_exchange_weak_explicit(&pool->ticket, &ticket, ticket + 1, memory_order_acq_rel,
                                                   memory_order_acquire))
            continue;
        pool->function(pool->context, (int32_t)(ticket & TASK_MASK), thread);
        atomic_fetch_add_explicit(&pool->done, 1, memory_order_release);
        ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    }
}

static bool wait_spinning(edgecore_pool *pool)
{
    if (!pool->spins)
        return false;
    for (int64_t end = now() + SPIN_NANOSECONDS; now() < end;)
        for (int i = 0; i < SPINS_PER_CLOCK; i++) {
            if (has_task(atomic_load_explicit(&pool->ticket, memory_order_relaxed)))
                return true;
            pause_briefly();
        }
    return false;
}

static void *worker_main(void *argument)
{
    worker *self = argument;
    edgecore_pool *pool = self->pool;
    while (!atomic_load(&pool->stop)) {
        work(pool, self->number);
        if (wait_spinning(pool))
            continue;
        pthread_mutex_lock(&pool->mutex);
        atomic_fetch_add(&pool->sleepers, 1);
        while (!has_task(atomic_load(&pool->ticket)) && !atomic_load(&pool->stop))
            pthread_cond_wait(&pool->wake, &pool->mutex);
        atomic_fetch_sub(&pool->sleepers, 1);
        pthread_mutex_unlock(&pool->mutex);
    }
    return NULL;
}

/* Signals are the application's: workers take none. */
static void start_workers(edgecore_pool *pool)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    atomic_init(&pool->ticket, 0);
    atomic_init(&pool->done, 0);
    atomic_init(&pool->sleepers, 0);
    atomic_init(&pool->stop, false);
    pool->spins = pool->wanted <= edgecore_cpu_cores();
    pool->owner = getpid();
    for (pool->worker_count = 0; pool->worker_count + 1 < pool->wanted; pool->worker_count++) {
        worker *next = &pool->workers[pool->worker_count];
        *next = (worker){.pool = pool, .number = pool->worker_count + 1};
        if (pthread_create(&next->thread, NULL, worker_main, next))
            break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

edgecore_pool *edgecore_pool_create(int32_t threads)
{
    edgecore_pool *pool = aligned_alloc(64, sizeof *pool);
    if (!pool)
        return NULL;
    *pool = (edgecore_pool){.wanted = threads};
    pool->workers = calloc((size_t)threads, sizeof *pool->workers);
    if (!pool->workers) {
        free(pool);
        return NULL;
    }
    start_workers(pool);
    pool->wanted = pool->worker_count + 1; /* a forked child gets no more than its parent had: there is scratch for these */
    return pool;
}

void edgecore_pool_destroy(edgecore_pool *pool)
{
    if (!pool)
        return;
    if (pool->owner == getpid()) {
        pthread_mutex_lock(&pool->mutex);
        atomic_store(&pool->stop, true);
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->mutex);
        for (int32_t i = 0; i < pool->worker_count; i++)
            pthread_join(pool->workers[i].thread, NULL);
        pthread_cond_destroy(&pool->wake);
        pthread_mutex_destroy(&pool->mutex);
    }
    free(pool->workers);
    free(pool);
}

int32_t edgecore_pool_threads(const edgecore_pool *pool)
{
    return pool->worker_count + 1;
}

void edgecore_pool_begin(edgecore_pool *pool)
{
    if (pool->owner != getpid())
        start_workers(pool);
}

void edgecore_pool_run(edgecore_pool *pool, edgecore_task_fn function, void *context, int32_t count)
{
    if (count == 1 || pool->worker_count == 0) {
        for (int32_t task = 0; task < count; task++)
            function(context, task, 0);
        return;
    }
    pool->function = function;
    pool->context = context;
    pool->steps++;
    atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
    /* Sequentially consistent against the worker's own pair, sleepers then ticket: one of the two sees the other. */
    atomic_store(&pool->ticket, pool->steps << (2 * TASK_BITS) | (uint64_t)count << TASK_BITS);
    if (atomic_load(&pool->sleepers) > 0) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->mutex);
    }
    work(pool, 0);
    for (int spins = 0; atomic_load_explicit(&pool->done, memory_order_acquire) < count; spins++) {
        if (pool->spins && spins < 10000)
            pause_briefly();
        else
            sched_yield();
    }
}
