#include "hostile_graph.h"

#include "edgecore/cpu.h"
#include "hostile_tensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NODES = 12, MOST_PORTS = 4, MOST_WORK = 5000000 };

typedef struct ports {
    int32_t inputs[MOST_PORTS], outputs[MOST_PORTS]; /* tensors */
    int32_t input_count, output_count;
} ports;

static bool set_io(hostile *h, ports *io)
{
    int32_t inputs[MOST_PORTS], outputs[MOST_PORTS];
    *io = (ports){.input_count = 0};
    for (int32_t t = 0; t < h->count && io->input_count < MOST_PORTS; t++)
        if (h->is_input[t] && hostile_bytes(&h->tensors[t]) < HOSTILE_BYTES)
            io->inputs[io->input_count++] = t;
    for (int32_t t = h->count - 1; t >= 0 && io->output_count < MOST_PORTS; t--)
        if (h->is_made[t] && hostile_bytes(&h->tensors[t]) < HOSTILE_BYTES && (!h->is_input[t] || hostile_odd(h, 20)) && (io->output_count == 0 || hostile_odd(h, 4)))
            io->outputs[io->output_count++] = t;
    for (int32_t i = 0; i < io->input_count; i++)
        inputs[i] = h->ids[io->inputs[i]];
    for (int32_t i = 0; i < io->output_count; i++)
        outputs[i] = h->ids[io->outputs[i]];
    return !edgecore_graph_set_io(h->graph, inputs, io->input_count, outputs, io->output_count, NULL);
}

static bool is_small(const edgecore_engine *engine)
{
    int64_t work = 0;
    for (int32_t s = 0; s < edgecore_engine_step_count(engine); s++) {
        edgecore_step_info info;
        edgecore_engine_step(engine, s, &info);
        work += info.macs + info.bytes;
    }
    return work < MOST_WORK;
}

/* Runs twice; the outputs' bytes one behind another, or NULL. */
static uint8_t *run(hostile *h, edgecore_engine *engine, const ports *io, size_t *size)
{
    void *inputs[MOST_PORTS], *outputs[MOST_PORTS];
    edgecore_message message = {""};
    edgecore_status status = EDGECORE_OK;
    *size = 0;
    for (int32_t i = 0; i < io->input_count; i++)
        inputs[i] = hostile_contents(h, &h->tensors[io->inputs[i]], (uint32_t)i);
    for (int32_t i = 0; i < io->output_count; i++) {
        outputs[i] = malloc(hostile_bytes(&h->tensors[io->outputs[i]]));
        *size += hostile_bytes(&h->tensors[io->outputs[i]]);
    }
    for (int32_t repeat = 0; repeat < 2 && !status; repeat++)
        status = edgecore_engine_run(engine, (const void *const *)inputs, outputs, &message);
    if (status)
        printf("an accepted graph did not run: %s\n", message.text);
    uint8_t *all = malloc(*size + 1), *at = all;
    for (int32_t i = 0; i < io->output_count; i++) {
        memcpy(at, outputs[i], hostile_bytes(&h->tensors[io->outputs[i]]));
        at += hostile_bytes(&h->tensors[io->outputs[i]]);
        free(outputs[i]);
    }
    for (int32_t i = 0; i < io->input_count; i++)
        free(inputs[i]);
    if (status) {
        free(all);
        return NULL;
    }
    return all;
}

/* The engine as it may be against the scalar one, node by node. */
static int compare(hostile *h, const ports *io)
{
    edgecore_engine *plain = NULL, *engine = NULL;
    edgecore_message why = {""}, message = {""};
    int32_t tier = (int32_t)hostile_below(h, (uint32_t)edgecore_isa_count());
    while (!edgecore_isa_available(tier))
        tier--;
    const edgecore_options options = {.threads = (int32_t)hostile_below(h, 3) + 1, .fuse = !hostile_odd(h, 4),
                                      .isa = edgecore_isa_name(tier)};
    const edgecore_status first = edgecore_engine_create(h->graph, &(edgecore_options){.threads = 1, .isa = "scalar"}, &plain, &why);
    const edgecore_status second = edgecore_engine_create(h->graph, &options, &engine, &message);
    int result = 0;
    if ((first && !why.text[0]) || (second && !message.text[0]))
        result = -1;
    if (first != second && first != EDGECORE_NO_MEMORY && second != EDGECORE_NO_MEMORY)
        result = -1;
    if (result)
        printf("%s: %d '%s', but scalar, node by node: %d '%s'\n", options.isa, second, message.text, first, why.text);
    if (!result && !first && !second && is_small(plain)) {
        size_t size, plain_size;
        uint8_t *want = run(h, plain, io, &plain_size), *got = run(h, engine, io, &size);
        result = want && got && !memcmp(want, got, size) ? 1 : -1;
        if (result < 0)
            printf("%s, %d threads, fuse %d: other bytes than the scalar tier\n", options.isa, options.threads, options.fuse);
        free(want);
        free(got);
    }
    edgecore_engine_destroy(plain);
    edgecore_engine_destroy(engine);
    return result;
}

int hostile_graph(hostile_draw *draw, void *stream)
{
    hostile h;
    ports io;
    hostile_begin(&h, draw, stream);
    const int32_t nodes = 1 + (int32_t)hostile_below(&h, MOST_NODES);
    for (int32_t n = 0; n < nodes && h.count + HOSTILE_ROOM < HOSTILE_TENSORS; n++)
        hostile_grow(&h);
    const int result = set_io(&h, &io) ? compare(&h, &io) : 0;
    hostile_end(&h);
    return result;
}
