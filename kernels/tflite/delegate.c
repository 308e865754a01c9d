/* The delegate's entry points, its options, and what it tells about itself. */
#include "edgecore/delegate.h"
#include "edgecore/cpu.h"
#include "ops/op.h"
#include "tflite/plugin.h"

#include <stdlib.h>
#include <string.h>

#define MAX_THREADS 256
#define MAX_OPTIONS 16
#define OPTIONS "threads, isa, fuse and dynamic"

static edgecore_status read_threads(const char *value, int32_t *threads, edgecore_message *message)
{
    char *end = NULL;
    const long number = strtol(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end || number > MAX_THREADS)
        return edgecore_fail(message, EDGECORE_INVALID, "threads is '%.40s'; give a number from 0 (all cores) to %d",
                             value, MAX_THREADS);
    *threads = (int32_t)number;
    return EDGECORE_OK;
}

static edgecore_status read_switch(const char *key, const char *value, bool *on, edgecore_message *message)
{
    if (strcmp(value, "0") && strcmp(value, "1"))
        return edgecore_fail(message, EDGECORE_INVALID, "%s is '%.40s'; give 0 or 1", key, value);
    *on = value[0] == '1';
    return EDGECORE_OK;
}

static edgecore_status read_option(edgecore_tfl_plugin *plugin, const char *key, const char *value,
                                   edgecore_message *message)
{
    if (!key || !value)
        return edgecore_fail(message, EDGECORE_INVALID, "an option without a name or a value");
    if (!strcmp(key, "threads"))
        return read_threads(value, &plugin->threads, message);
    if (!strcmp(key, "fuse"))
        return read_switch(key, value, &plugin->fuse, message);
    if (!strcmp(key, "dynamic"))
        return read_switch(key, value, &plugin->dynamic, message);
    if (!strcmp(key, "isa")) {
        int32_t index = 0;
        const edgecore_status status = edgecore_isa_select(value, &index, message);
        if (status)
            return status;
        if (strlen(value) >= sizeof plugin->isa)
            return edgecore_fail(message, EDGECORE_INVALID, "isa is too long");
        memcpy(plugin->isa, value, strlen(value) + 1);
        return EDGECORE_OK;
    }
    return edgecore_fail(message, EDGECORE_INVALID, "no option is called '%.40s'; there are " OPTIONS, key);
}

/* Without the option, $EDGECORE_ISA decides, and may be wrong. */
static edgecore_status check_default_isa(const edgecore_tfl_plugin *plugin, edgecore_message *message)
{
    int32_t index = 0;
    return plugin->isa[0] ? EDGECORE_OK : edgecore_isa_select(NULL, &index, message);
}

void *tflite_plugin_create_delegate(const char *const *keys, const char *const *values, size_t count,
                                    void (*report)(const char *))
{
    edgecore_message message = {{0}};
    edgecore_tfl_plugin *plugin = calloc(1, sizeof *plugin);
    edgecore_status status = EDGECORE_OK;
    if (!plugin || pthread_mutex_init(&plugin->lock, NULL)) {
        free(plugin);
        if (report)
            report("edgecore: out of memory");
        return NULL;
    }
    plugin->references = 1;
    plugin->threads = -1;
    plugin->fuse = true;
    plugin->abi.data = plugin;
    plugin->abi.prepare = edgecore_tfl_claim;
    if (count > MAX_OPTIONS || (count && (!keys || !values)))
        status = edgecore_fail(&message, EDGECORE_INVALID, "%zu options; there are " OPTIONS, count);
    for (size_t i = 0; !status && i < count; i++)
        status = read_option(plugin, keys[i], values[i], &message);
    if (!status)
        status = check_default_isa(plugin, &message);
    plugin->abi.flags = plugin->dynamic ? TFL_ALLOWS_DYNAMIC_TENSORS : 0;
    if (status) {
        edgecore_tfl_release(plugin);
        if (report)
            report(message.text);
        return NULL;
    }
    return plugin;
}

void tflite_plugin_destroy_delegate(void *delegate)
{
    if (delegate)
        edgecore_tfl_release(delegate);
}

void edgecore_tfl_retain(edgecore_tfl_plugin *plugin)
{
    pthread_mutex_lock(&plugin->lock);
    plugin->references++;
    pthread_mutex_unlock(&plugin->lock);
}

void edgecore_tfl_release(edgecore_tfl_plugin *plugin)
{
    pthread_mutex_lock(&plugin->lock);
    const int32_t left = --plugin->references;
    pthread_mutex_unlock(&plugin->lock);
    if (left)
        return;
    pthread_mutex_destroy(&plugin->lock);
    free(plugin->refusals);
    free(plugin);
}

int32_t edgecore_delegate_total_nodes(const void *delegate)
{
    return delegate ? ((const edgecore_tfl_plugin *)delegate)->total_nodes : 0;
}

int32_t edgecore_delegate_claimed_nodes(const void *delegate)
{
    return delegate ? ((const edgecore_tfl_plugin *)delegate)->claimed_nodes : 0;
}

const char *edgecore_delegate_refusal(const void *delegate, int32_t index, int32_t *node)
{
    const edgecore_tfl_plugin *plugin = delegate;
    if (!plugin || !plugin->refusals || index < 0 || index >= plugin->total_nodes - plugin->claimed_nodes)
        return NULL;
    if (node)
        *node = plugin->refusals[index].node;
    return plugin->refusals[index].message.text;
}

/* The `index`-th compiled engine, and in *count how many there are. */
static edgecore_engine *find_engine(const void *delegate, int32_t index, int32_t *count)
{
    edgecore_tfl_plugin *plugin = (edgecore_tfl_plugin *)(uintptr_t)delegate;
    edgecore_engine *found = NULL;
    *count = 0;
    if (!plugin)
        return NULL;
    pthread_mutex_lock(&plugin->lock);
    for (const edgecore_tfl_kernel *kernel = plugin->kernels; kernel; kernel = edgecore_tfl_kernel_next(kernel)) {
        edgecore_engine *engine = edgecore_tfl_kernel_engine(kernel);
        if (engine && (*count)++ == index)
            found = engine;
    }
    pthread_mutex_unlock(&plugin->lock);
    return found;
}

int32_t edgecore_delegate_engine_count(const void *delegate)
{
    int32_t count = 0;
    (void)find_engine(delegate, -1, &count);
    return count;
}

edgecore_engine *edgecore_delegate_engine(const void *delegate, int32_t index)
{
    int32_t count = 0;
    return find_engine(delegate, index, &count);
}
