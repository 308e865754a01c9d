/* The one list of tiers, weakest first; dispatch, messages and tests read it. */
#include "isa/tiers.h"

#include "edgecore/cpu.h"

static bool always(void)
{
    return true;
}

static const struct {
    const edgecore_tier *tier;
    bool (*available)(void);
} tiers[] = {
    {&edgecore_tier_scalar, always},
#if defined(__x86_64__)
    {&edgecore_tier_avx2, edgecore_has_avx2},
    {&edgecore_tier_avxvnni, edgecore_has_avxvnni},
    {&edgecore_tier_avx512vnni, edgecore_has_avx512vnni},
#elif defined(__aarch64__)
    {&edgecore_tier_neon, edgecore_has_neon},
    {&edgecore_tier_dotprod, edgecore_has_dotprod},
    {&edgecore_tier_i8mm, edgecore_has_i8mm},
#elif defined(__arm__)
    {&edgecore_tier_neon, edgecore_has_neon},
#endif
};

int32_t edgecore_isa_count(void)
{
    return (int32_t)(sizeof tiers / sizeof tiers[0]);
}

const edgecore_tier *edgecore_tier_at(int32_t index)
{
    return index >= 0 && index < edgecore_isa_count() ? tiers[index].tier : NULL;
}

bool edgecore_isa_available(int32_t index)
{
    return index >= 0 && index < edgecore_isa_count() && tiers[index].available();
}
