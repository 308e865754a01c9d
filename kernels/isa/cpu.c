/* What this CPU and its operating system can run, and the choice of a tier. */
#define _GNU_SOURCE /* sched_getaffinity, CPU_COUNT */

#include "edgecore/cpu.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "isa/tiers.h"

#if defined(__x86_64__)
#include <cpuid.h>

enum { XCR0_AVX = 0x6, XCR0_AVX512 = 0xe6 };

/* The register files that the operating system saves at a task switch; 0 where it does not say. */
static uint32_t saved_state(void)
{
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return 0;
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

bool edgecore_has_avx2(void)
{
    const uint32_t leaf1 = bit_AVX | bit_FMA, leaf7 = bit_AVX2 | bit_BMI2;
    uint32_t a, b, c, d;
    if ((saved_state() & XCR0_AVX) != XCR0_AVX || !__get_cpuid(1, &a, &b, &c, &d) || (c & leaf1) != leaf1)
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & leaf7) == leaf7;
}

#if defined(EDGECORE_EMULATE_AVXVNNI)
bool edgecore_has_avxvnni(void)
{
    return edgecore_has_avx2();
}
#else
bool edgecore_has_avxvnni(void)
{
    uint32_t a, b, c, d;
    return edgecore_has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 4));
}
#endif

bool edgecore_has_avx512vnni(void)
{
    const uint32_t leaf7 = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    uint32_t a, b, c, d;
    if (!edgecore_has_avx2() || (saved_state() & XCR0_AVX512) != XCR0_AVX512)
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & leaf7) == leaf7 && (c & bit_AVX512VNNI);
}
#elif defined(__aarch64__)
#include <sys/auxv.h>

/* Bits of the kernel's Documentation/arch/arm64/elf_hwcaps.rst; the headers of old C libraries lack the newer ones. */
enum { ASIMD = 1 << 1, ASIMDDP = 1 << 20, I8MM2 = 1 << 13 };

bool edgecore_has_neon(void)
{
    return getauxval(AT_HWCAP) & ASIMD;
}

bool edgecore_has_dotprod(void)
{
    return edgecore_has_neon() && (getauxval(AT_HWCAP) & ASIMDDP);
}

bool edgecore_has_i8mm(void)
{
    return edgecore_has_dotprod() && (getauxval(AT_HWCAP2) & I8MM2);
}
#elif defined(__arm__)
#include <sys/auxv.h>

enum { NEON = 1 << 12 }; /* HWCAP_NEON of the kernel's arch/arm/include/uapi/asm/hwcap.h */

bool edgecore_has_neon(void)
{
    return getauxval(AT_HWCAP) & NEON;
}
#endif

const char *edgecore_isa_name(int32_t index)
{
    const edgecore_tier *tier = edgecore_tier_at(index);
    return tier ? tier->name : NULL;
}

/* The names that an error message offers, "scalar, avx2". */
static void list_available(char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int32_t i = 0; i < edgecore_isa_count(); i++) {
        if (!edgecore_isa_available(i) || used >= size)
            continue;
        int n = snprintf(text + used, size - used, "%s%s", used ? ", " : "", edgecore_isa_name(i));
        used += n > 0 ? (size_t)n : 0;
    }
}

edgecore_status edgecore_isa_select(const char *name, int32_t *index, edgecore_message *message)
{
    if (!index)
        return EDGECORE_INVALID;
    const char *source = "instruction set";
    if (!name) {
        name = getenv("EDGECORE_ISA");
        source = "EDGECORE_ISA";
    }
    int32_t best = 0, found = -1;
    for (int32_t i = 0; i < edgecore_isa_count(); i++) {
        if (edgecore_isa_available(i))
            best = i;
        if (name && strcmp(name, edgecore_isa_name(i)) == 0)
            found = i;
    }
    if (!name || !*name) {
        *index = best;
        return EDGECORE_OK;
    }
    if (found >= 0 && edgecore_isa_available(found)) {
        *index = found;
        return EDGECORE_OK;
    }
    char available[128];
    list_available(available, sizeof available);
    if (message)
        snprintf(message->text, sizeof message->text, "%s \"%.40s\" is %s; this machine has: %s", source, name,
                 found < 0 ? "unknown" : "not supported by this CPU", available);
    return EDGECORE_INVALID;
}

int32_t edgecore_cpu_cores(void)
{
#if defined(__linux__)
    cpu_set_t mask;
    if (sched_getaffinity(0, sizeof mask, &mask) == 0 && CPU_COUNT(&mask) > 0)
        return CPU_COUNT(&mask);
#endif
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int32_t)online : 1;
}
