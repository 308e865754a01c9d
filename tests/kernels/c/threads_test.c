/* Several engines in several threads, one engine in several threads, and engines that come and go while others run: every run
 * gives the bytes that it gives alone, or is refused. Worth most under the thread sanitizer. Usage: threads_test [rounds]. */
#include "networks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODELS = 3, CALLERS = 4 };

typedef struct model {
    network net;
    size_t bytes;      /* of all outputs, which lie one behind another */
    uint8_t *expected;
} model;

static model models[MODELS];
static int rounds;
static _Atomic int failures, refusals;

static void fail(const char *what, const char *why)
{
    atomic_fetch_add(&failures, 1);
    printf("%s: %s\n", what, why);
}

static edgecore_engine *make(const model *m, int32_t threads)
{
    edgecore_message message = {""};
    edgecore_engine *engine = NULL;
    const edgecore_options options = {.threads = threads, .fuse = true};
    if (edgecore_engine_create(m->net.graph, &options, &engine, &message))
        fail(m->net.name, message.text);
    return engine;
}

static edgecore_status run(const model *m, edgecore_engine *engine, uint8_t *to, edgecore_message *message)
{
    const void *inputs[NETWORK_PORTS];
    void *outputs[NETWORK_PORTS];
    for (int i = 0; i < m->net.input_count; i++)
        inputs[i] = m->net.data[i];
    for (int i = 0; i < m->net.output_count; to += m->net.bytes[m->net.outputs[i++]])
        outputs[i] = to;
    return edgecore_engine_run(engine, inputs, outputs, message);
}

static void expect_the_same(const model *m, edgecore_engine *engine)
{
    edgecore_message message = {""};
    uint8_t *got = malloc(m->bytes);
    if (run(m, engine, got, &message))
        fail(m->net.name, message.text);
    else if (memcmp(got, m->expected, m->bytes))
        fail(m->net.name, "other bytes than alone");
    free(got);
}

/* Engines of its own, of one to three threads each. */
static void *own_engines(void *argument)
{
    edgecore_engine *engines[MODELS];
    for (int i = 0; i < MODELS; i++)
        engines[i] = make(&models[i], (*(int *)argument + i) % 3 + 1);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < MODELS; i++)
            expect_the_same(&models[i], engines[i]);
    for (int i = 0; i < MODELS; i++)
        edgecore_engine_destroy(engines[i]);
    return NULL;
}

static void *short_lives(void *argument)
{
    (void)argument;
    for (int round = 0; round < rounds; round++) {
        const model *m = &models[round % MODELS];
        edgecore_engine *engine = make(m, round % 4 + 1);
        if (round % 2)
            expect_the_same(m, engine);
        edgecore_engine_destroy(engine);
    }
    return NULL;
}

/* A refused caller comes again, so that each has its result in the end. */
static void *one_engine(void *argument)
{
    edgecore_message message = {""};
    uint8_t *got = malloc(models[0].bytes);
    for (int done = 0; done < rounds;) {
        if (run(&models[0], argument, got, &message)) {
            atomic_fetch_add(&refusals, 1);
            if (!strstr(message.text, "already running"))
                fail("one engine", message.text);
            continue;
        }
        done++; /* another thread may be writing the arena by now, but not these bytes */
        if (memcmp(got, models[0].expected, models[0].bytes))
            fail("one engine", "other bytes than alone");
    }
    free(got);
    return NULL;
}

static void in_threads(void *(*function)(void *), void *const arguments[CALLERS], void *(*beside)(void *))
{
    pthread_t callers[CALLERS], other;
    for (int i = 0; i < CALLERS; i++)
        pthread_create(&callers[i], NULL, function, arguments[i]);
    pthread_create(&other, NULL, beside, NULL);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(callers[i], NULL);
    pthread_join(other, NULL);
}

int main(int argc, char **argv)
{
    static const char *const names[MODELS] = {"fire_bypass", "depthwise", "spp"};
    rounds = argc > 1 ? atoi(argv[1]) : 50;
    for (int i = 0; i < MODELS; i++) {
        model *m = &models[i];
        network_begin(&m->net, (uint32_t)i + 1);
        for (size_t n = 0; n < network_count; n++)
            if (!strcmp(networks[n].name, names[i]))
                networks[n].build(&m->net);
        m->net.name = names[i];
        network_close(&m->net);
        for (int o = 0; o < m->net.output_count; o++)
            m->bytes += m->net.bytes[m->net.outputs[o]];
        m->expected = malloc(m->bytes);
        edgecore_engine *alone = make(m, 1);
        if (run(m, alone, m->expected, NULL))
            fail(m->net.name, "does not run");
        edgecore_engine_destroy(alone);
    }
    int numbers[CALLERS] = {0, 1, 2, 3};
    in_threads(own_engines, (void *[]){&numbers[0], &numbers[1], &numbers[2], &numbers[3]}, short_lives);
    edgecore_engine *shared = make(&models[0], 2);
    in_threads(one_engine, (void *[]){shared, shared, shared, shared}, short_lives);
    edgecore_engine_destroy(shared);
    for (int i = 0; i < MODELS; i++) {
        network_end(&models[i].net);
        free(models[i].expected);
    }
    printf("%d refused, %d failures\n", refusals, failures);
    return failures != 0;
}
