/* The graph through its public API: what it refuses, and that neither fusing nor threads nor tiers change a byte.
 * It prints one line per failure; its exit status is their number. Built by tests/kernels/test_graph_c.py, with
 * sanitizers too. */
#include "edgecore/cpu.h"
#include "networks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;

#define EXPECT(condition, ...)                                                                                        \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            failures++;                                                                                               \
            printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);                                                    \
            printf(__VA_ARGS__);                                                                                      \
            printf("\n");                                                                                             \
        }                                                                                                             \
    } while (0)

/* Every status but EDGECORE_OK comes with a line of text. */
static void expect_refused(edgecore_status status, edgecore_status wanted, const edgecore_message *message,
                           const char *what)
{
    EXPECT(status == wanted, "%s gave %d, not %d", what, status, wanted);
    EXPECT(message->text[0] && !strchr(message->text, '\n'), "%s says: '%s'", what, message->text);
}

static void test_tensor_arguments(void)
{
    edgecore_message message = {""};
    edgecore_graph *graph = edgecore_graph_create();
    int32_t id;
    const float scale = 0.5f, bad_scale = -1.0f;
    const int32_t zero = 3, far = 300;
    edgecore_tensor good = {.dtype = EDGECORE_INT8, .rank = 4, .dims = {1, 4, 4, 2}, .scale_count = 1,
                            .scales = &scale, .zero_points = &zero};
    EXPECT(edgecore_graph_add_tensor(graph, &good, &id, &message) == EDGECORE_OK && id == 0, "%s", message.text);
    expect_refused(edgecore_graph_add_tensor(NULL, &good, &id, &message), EDGECORE_INVALID, &message, "no graph");
    expect_refused(edgecore_graph_add_tensor(graph, NULL, &id, &message), EDGECORE_INVALID, &message, "no tensor");
    struct {
        const char *what;
        edgecore_status wanted;
        edgecore_tensor tensor;
    } cases[] = {
        {"type", EDGECORE_INVALID, good},          {"rank 7", EDGECORE_UNSUPPORTED, good},
        {"rank -1", EDGECORE_UNSUPPORTED, good},   {"dim 0", EDGECORE_UNSUPPORTED, good},
        {"huge dims", EDGECORE_UNSUPPORTED, good}, {"no scales", EDGECORE_INVALID, good},
        {"scale", EDGECORE_UNSUPPORTED, good},     {"zero point", EDGECORE_UNSUPPORTED, good},
        {"scale count", EDGECORE_INVALID, good},   {"two scales", EDGECORE_UNSUPPORTED, good},
    };
    const float two[2] = {1, 1};
    const int32_t zeros[2] = {0, 0};
    cases[0].tensor.dtype = (edgecore_dtype)9;
    cases[1].tensor.rank = 7;
    cases[2].tensor.rank = -1;
    cases[3].tensor.dims[2] = 0;
    for (int i = 1; i < 4; i++)
        cases[4].tensor.dims[i] = INT32_MAX;
    cases[5].tensor.scales = NULL;
    cases[6].tensor.scales = &bad_scale;
    cases[7].tensor.zero_points = &far;
    cases[8].tensor.scale_count = -5;
    cases[9].tensor.scale_count = 2;
    cases[9].tensor.scales = two;
    cases[9].tensor.zero_points = zeros;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        message.text[0] = 0;
        expect_refused(edgecore_graph_add_tensor(graph, &cases[i].tensor, &id, &message), cases[i].wanted, &message,
                       cases[i].what);
    }
    edgecore_graph_destroy(graph);
    edgecore_graph_destroy(NULL);
}

static void test_node_arguments(void)
{
    network net;
    edgecore_message message = {""};
    network_begin(&net, 1);
    int32_t x = network_input(&net, 4, 4, 2), y = network_tensor(&net, 4, 4, 2, net.scale, net.zero_point);
    int32_t bad = 99, none = EDGECORE_NO_TENSOR;
    const edgecore_op_params params = {.alpha = 0.1f};
#define ADD(kind, inputs, count, output) \
    edgecore_graph_add_node(net.graph, kind, &params, inputs, count, output, 0, &message)
    expect_refused(ADD((edgecore_op_kind)77, &x, 1, y), EDGECORE_INVALID, &message, "operator");
    expect_refused(ADD(EDGECORE_RELU, &bad, 1, y), EDGECORE_INVALID, &message, "input id");
    expect_refused(ADD(EDGECORE_RELU, &x, 1, 99), EDGECORE_INVALID, &message, "output id");
    expect_refused(ADD(EDGECORE_RELU, &x, 1, -1), EDGECORE_INVALID, &message, "output -1");
    expect_refused(ADD(EDGECORE_RELU, &y, 1, y), EDGECORE_INVALID, &message, "loop");
    expect_refused(ADD(EDGECORE_RELU, &x, 0, y), EDGECORE_UNSUPPORTED, &message, "no inputs");
    expect_refused(ADD(EDGECORE_RELU, &x, 1 << 20, y), EDGECORE_UNSUPPORTED, &message, "too many inputs");
    EXPECT(ADD(EDGECORE_LEAKY_RELU, &x, 1, y) == EDGECORE_OK, "%s", message.text);
    expect_refused(ADD(EDGECORE_RELU, &x, 1, y), EDGECORE_INVALID, &message, "two writers");
    expect_refused(edgecore_graph_set_io(net.graph, &y, 1, &x, 1, &message), EDGECORE_INVALID, &message, "input");
    int32_t twice[2] = {x, x};
    expect_refused(edgecore_graph_set_io(net.graph, twice, 2, &y, 1, &message), EDGECORE_INVALID, &message, "twice");
    expect_refused(edgecore_graph_set_io(net.graph, &x, 1, &none, 1, &message), EDGECORE_INVALID, &message, "output");
    edgecore_engine *engine;
    const edgecore_options options = {.threads = 1, .fuse = true};
    expect_refused(edgecore_engine_create(net.graph, &options, &engine, &message), EDGECORE_INVALID, &message,
                   "no inputs and outputs");
    EXPECT(engine == NULL, "engine");
    network_end(&net);
}

static void test_order_and_support(void)
{
    network net;
    edgecore_message message = {""};
    edgecore_engine *engine;
    const edgecore_options options = {.threads = 2, .fuse = true}, crowd = {.threads = 100000};
    const edgecore_options other = {.threads = 1, .isa = "abacus"};
    const edgecore_op_params params = {.alpha = 0.1f, .axis = 3};
    network_begin(&net, 1);
    int32_t x = network_input(&net, 4, 4, 2), loose = network_tensor(&net, 4, 4, 2, net.scale, net.zero_point);
    int32_t y = network_tensor(&net, 4, 4, 2, net.scale, net.zero_point);
    EXPECT(edgecore_graph_add_node(net.graph, EDGECORE_LEAKY_RELU, &params, &loose, 1, y, 0, &message) == EDGECORE_OK,
           "%s", message.text);
    EXPECT(edgecore_graph_set_io(net.graph, &x, 1, &y, 1, &message) == EDGECORE_OK, "%s", message.text);
    expect_refused(edgecore_engine_create(net.graph, &options, &engine, &message), EDGECORE_INVALID, &message,
                   "a tensor that nothing writes");
    expect_refused(edgecore_engine_create(net.graph, &crowd, &engine, &message), EDGECORE_INVALID, &message, "crowd");
    expect_refused(edgecore_engine_create(net.graph, &other, &engine, &message), EDGECORE_INVALID, &message, "isa");
    network_end(&net);

    network_begin(&net, 1); /* shapes that do not fit */
    x = network_input(&net, 4, 4, 2);
    y = network_tensor(&net, 5, 4, 2, net.scale, net.zero_point);
    EXPECT(edgecore_graph_add_node(net.graph, EDGECORE_LEAKY_RELU, &params, &x, 1, y, 7, &message) == EDGECORE_OK,
           "%s", message.text);
    EXPECT(edgecore_graph_set_io(net.graph, &x, 1, &y, 1, &message) == EDGECORE_OK, "%s", message.text);
    edgecore_status status = edgecore_engine_create(net.graph, &options, &engine, &message);
    EXPECT(status == EDGECORE_UNSUPPORTED || status == EDGECORE_INVALID, "status %d", status);
    EXPECT(strstr(message.text, "node 7"), "says '%s'", message.text);
    network_end(&net);
}

/* Runs a network and returns its outputs' bytes, one behind another. */
static uint8_t *run_network(const network *net, const edgecore_options *options, size_t *size)
{
    edgecore_message message = {""};
    edgecore_engine *engine = NULL;
    edgecore_status status = edgecore_engine_create(net->graph, options, &engine, &message);
    EXPECT(status == EDGECORE_OK, "%s: %s", net->name, message.text);
    if (status)
        return NULL;
    *size = 0;
    for (int i = 0; i < net->output_count; i++)
        *size += net->bytes[net->outputs[i]];
    uint8_t *bytes = malloc(*size), *at = bytes;
    void *outputs[NETWORK_PORTS];
    const void *inputs[NETWORK_PORTS];
    for (int i = 0; i < net->output_count; at += net->bytes[net->outputs[i++]])
        outputs[i] = at;
    for (int i = 0; i < net->input_count; i++)
        inputs[i] = net->data[i];
    for (int repeat = 0; repeat < 2; repeat++) {
        memset(bytes, 0xA5, *size);
        EXPECT(edgecore_engine_run(engine, inputs, outputs, &message) == EDGECORE_OK, "%s", message.text);
    }
    int32_t tags = 0, steps = edgecore_engine_step_count(engine);
    for (int32_t s = 0; s < steps; s++) {
        edgecore_step_info info;
        EXPECT(edgecore_engine_step(engine, s, &info) == EDGECORE_OK && info.name && info.name[0], "step %d", s);
        tags += info.tag_count;
    }
    EXPECT(tags == net->node_count, "%s: %d of %d nodes are reported", net->name, tags, net->node_count);
    EXPECT(options->fuse || steps == net->node_count, "%s: %d steps", net->name, steps);
    edgecore_engine_destroy(engine);
    return bytes;
}

static bool has_step(const network *net, const char *name)
{
    const edgecore_options options = {.threads = 1, .fuse = true};
    edgecore_engine *engine = NULL;
    bool found = false;
    if (edgecore_engine_create(net->graph, &options, &engine, NULL))
        return false;
    for (int32_t s = 0; s < edgecore_engine_step_count(engine); s++) {
        edgecore_step_info info;
        edgecore_engine_step(engine, s, &info);
        found = found || !strcmp(info.name, name);
    }
    edgecore_engine_destroy(engine);
    return found;
}

static void test_same_bytes(void)
{
    for (size_t n = 0; n < network_count; n++) {
        network net;
        network_begin(&net, (uint32_t)n + 1);
        networks[n].build(&net);
        net.name = networks[n].name;
        network_close(&net);
        size_t size, other_size;
        uint8_t *wanted = run_network(&net, &(edgecore_options){.threads = 1, .isa = "scalar"}, &size);
        for (int32_t tier = 0; tier < edgecore_isa_count(); tier++)
            for (int32_t variant = 0; edgecore_isa_available(tier) && variant < 6; variant++) {
                const edgecore_options options = {.threads = 1 << variant / 2, .isa = edgecore_isa_name(tier),
                                                  .fuse = variant % 2 == 0};
                uint8_t *got = run_network(&net, &options, &other_size);
                if (wanted && got)
                    EXPECT(size == other_size && !memcmp(wanted, got, size), "%s differs: %s, %d threads, fuse %d",
                           net.name, options.isa, options.threads, options.fuse);
                free(got);
            }
        EXPECT(!networks[n].step || has_step(&net, networks[n].step), "%s has no step %s", net.name,
               networks[n].step);
        free(wanted);
        network_end(&net);
    }
}

/* A chain of equal tensors needs two of them at a time. */
static void test_arena(void)
{
    network net;
    network_begin(&net, 3);
    int32_t x = network_input(&net, 32, 32, 8);
    for (int i = 0; i < 12; i++)
        x = network_pool(&net, x, 3, 1, 1);
    network_output(&net, x);
    network_close(&net);
    edgecore_engine *engine = NULL;
    const edgecore_options options = {.threads = 1, .fuse = true};
    EXPECT(edgecore_engine_create(net.graph, &options, &engine, NULL) == EDGECORE_OK, "engine");
    size_t arena = edgecore_engine_arena_bytes(engine);
    EXPECT(arena >= 2 * 32 * 32 * 8 && arena <= 2 * (32 * 32 * 8 + 128), "arena of %zu bytes", arena);
    edgecore_engine_destroy(engine);
    network_end(&net);
}

static void *run_in_thread(void *argument)
{
    size_t size;
    return run_network(argument, &(edgecore_options){.threads = 2, .fuse = true}, &size);
}

static void test_several_engines(void)
{
    network net;
    network_begin(&net, 5);
    networks[0].build(&net);
    network_close(&net);
    size_t size;
    uint8_t *wanted = run_network(&net, &(edgecore_options){.threads = 1, .fuse = true}, &size);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, run_in_thread, &net);
    for (int i = 0; i < 4; i++) {
        void *got = NULL;
        pthread_join(threads[i], &got);
        EXPECT(wanted && got && !memcmp(wanted, got, size), "thread %d", i);
        free(got);
    }
    free(wanted);
    network_end(&net);
}

/* A forked child has none of the pool's threads; its engine makes them anew. */
static void test_fork(void)
{
    network net;
    network_begin(&net, 6);
    networks[0].build(&net);
    network_close(&net);
    edgecore_engine *engine = NULL;
    const edgecore_options options = {.threads = 3, .fuse = true};
    EXPECT(edgecore_engine_create(net.graph, &options, &engine, NULL) == EDGECORE_OK, "engine");
    size_t size = net.bytes[net.outputs[0]];
    uint8_t *here = malloc(size), *there = malloc(size);
    const void *inputs[1] = {net.data[0]};
    EXPECT(edgecore_engine_run(engine, inputs, (void *[]){here}, NULL) == EDGECORE_OK, "parent");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        bool same = true;
        for (int i = 0; i < 20; i++)
            same = edgecore_engine_run(engine, inputs, (void *[]){there}, NULL) == EDGECORE_OK &&
                   !memcmp(here, there, size) && same;
        edgecore_engine_destroy(engine);
        _exit(same ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child's status %d", status);
    EXPECT(edgecore_engine_run(engine, inputs, (void *[]){there}, NULL) == EDGECORE_OK && !memcmp(here, there, size),
           "parent after the fork");
    edgecore_engine_destroy(engine);
    free(here);
    free(there);
    network_end(&net);
}

int main(int argc, char **argv)
{
    bool forks = argc < 2 || strcmp(argv[1], "--no-fork");
    test_tensor_arguments();
    test_node_arguments();
    test_order_and_support();
    test_same_bytes();
    test_arena();
    test_several_engines();
    if (forks)
        test_fork();
    printf("%d failures\n", failures);
    return failures > 100 ? 100 : failures;
}
