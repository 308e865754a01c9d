/* Times the micro-kernels of one tier: of each kernel and shape the least time of many short repeats.
 *
 *   micro TIER                        names of the tier's kernels, in the order of its table
 *   micro TIER MILLISECONDS [PART]    times, of kernels with PART in their name, in lines of kernel, shape, ns, MACs, products,
 *                                     bytes with tabs between; see micro.h */
#include "micro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "edgecore/cpu.h"

enum { MOST_CASES = 256, BURST_NS = 50000 };

static micro_case cases[MOST_CASES];
static size_t case_count;

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "micro: %s\n", why);
    exit(2);
}

static uint32_t random_32(void)
{
    static uint64_t state = 0x9E3779B97F4A7C15u;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 32);
}

micro_case *micro_add(const char *kernel)
{
    if (case_count == MOST_CASES)
        give_up("the tier has more kernels than there is room for");
    micro_case *added = &cases[case_count++];
    snprintf(added->kernel, sizeof added->kernel, "%s", kernel);
    added->ns = 1e30;
    return added;
}

void *micro_bytes(size_t bytes)
{
    const size_t whole = (bytes + 64) / 64 * 64;
    uint8_t *memory = aligned_alloc(64, whole);
    if (!memory)
        give_up("no memory");
    for (size_t i = 0; i < whole; i++)
        memory[i] = (uint8_t)random_32();
    return memory;
}

edgecore_columns micro_columns(const edgecore_tier *tier, size_t cols, size_t count)
{
    int8_t *weights = micro_bytes(cols * count);
    int32_t *bias = micro_bytes(cols * sizeof *bias), *multiplier = micro_bytes(cols * sizeof *bias);
    int32_t *shift = micro_bytes(cols * sizeof *bias);
    for (size_t i = 0; i < cols * count; i++) /* converters make no -128 */
        weights[i] = weights[i] == -128 ? 127 : weights[i];
    for (size_t c = 0; c < cols; c++) {
        bias[c] = (int32_t)(random_32() % 20001) - 10000;
        multiplier[c] = (int32_t)((UINT32_C(1) << 30) + random_32() % (UINT32_C(1) << 30));
        shift[c] = -9 - (int32_t)(random_32() % 3);
    }
    return (edgecore_columns){
        .weights = weights,
        .cols = cols,
        .requant = {
            .bias = bias,
            .multiplier = multiplier,
            .shift = shift,
            .max = 255,
            .flip = tier->storage == EDGECORE_INT8 ? 0x80 : 0,
        },
    };
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Bursts of runs, long against the clock's resolution, until the time is over. */
static void measure(micro_case *measured, double ns)
{
    measured->run(measured->state); /* its data comes into the caches */
    const double first = now();
    measured->run(measured->state);
    const double once = now() - first, end = first + ns;
    const size_t runs = once < BURST_NS ? (size_t)(BURST_NS / (once + 1)) + 1 : 1;
    do {
        const double begin = now();
        for (size_t i = 0; i < runs; i++)
            measured->run(measured->state);
        const double each = (now() - begin) / (double)runs;
        measured->ns = each < measured->ns ? each : measured->ns;
    } while (now() < end);
}

static const edgecore_tier *tier_of(const char *name)
{
    for (int32_t i = 0; i < edgecore_isa_count(); i++)
        if (strcmp(edgecore_tier_at(i)->name, name) == 0 && edgecore_isa_available(i))
            return edgecore_tier_at(i);
    give_up("this CPU does not have that tier");
}

static void add_cases(const edgecore_tier *tier)
{
    for (int32_t g = 0; g < tier->gemm_count; g++)
        micro_gemm(tier, tier->gemms[g]);
    for (int32_t d = 0; d < tier->depthwise_count; d++)
        micro_depthwise(tier, tier->depthwises[d]);
    if (tier->winograd)
        micro_winograd(tier, tier->winograd);
    micro_rows(tier);
}

static void print_names(void)
{
    for (size_t i = 0; i < case_count; i++)
        if (i == 0 || strcmp(cases[i].kernel, cases[i - 1].kernel) != 0)
            puts(cases[i].kernel);
}

int main(int count, char **arguments)
{
    if (count < 2 || count > 4)
        give_up("usage: micro TIER [MILLISECONDS [PART]]");
    add_cases(tier_of(arguments[1]));
    if (count == 2) {
        print_names();
        return 0;
    }
    const double ns = atof(arguments[2]) * 1e6;
    const char *part = count > 3 ? arguments[3] : "";
    for (size_t i = 0; i < case_count; i++) {
        micro_case *c = &cases[i];
        if (!strstr(c->kernel, part))
            continue;
        measure(c, ns);
        printf("%s\t%s\t%.3f\t%.0f\t%.0f\t%.0f\n", c->kernel, c->shape, c->ns, c->macs, c->products, c->bytes);
    }
    return 0;
}
