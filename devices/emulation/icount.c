/* QEMU plugin: the guest's instructions, counted exactly and written down at every getppid() of the guest.

   -plugin icount.so,out=FILE. A line per getppid() and one at the end: how many instructions ran since the
   start, and of those the SIMD and floating point ones (loads and stores apart), the loads and stores, and the
   dot product ones (sdot, smmla and their unsigned and mixed forms). All threads add to the same counters,
   without locks: the counts are exact for a guest with one thread. */
#include "qemu_plugin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GETPPID_AARCH64 = 173, GETPPID_ARM = 64 };

typedef struct {
  uint64_t total, simd, memory, dot;
} counters;

typedef struct {
  bool simd, memory, dot;
} classes;

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static counters counted;
static bool is_a64;
static FILE *out;

/* Vector and by-element forms of SDOT, UDOT, USDOT and SUDOT, and SMMLA, UMMLA and USMMLA. */
static const struct {
  uint32_t mask, value;
} dot_forms[] = {
    {0x9fe0fc00, 0x0e809400}, {0xbfe0fc00, 0x0e809c00}, {0x9fc0f400, 0x0f80e000}, {0xbf40f400, 0x0f00f000},
    {0xdfe0fc00, 0x4e80a400}, {0xffe0fc00, 0x4e80ac00},
};

/* The top level of the A64 encoding table: bits 28..25. */
static classes classify_a64(uint32_t code) {
  classes found = {.simd = ((code >> 25) & 7) == 7, .memory = ((code >> 25) & 5) == 4};
  for (size_t i = 0; i < sizeof dot_forms / sizeof *dot_forms; i++)
    found.dot |= (code & dot_forms[i].mask) == dot_forms[i].value;
  return found;
}

static bool starts_with(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* By name, since the bytes do not say whether they are A32 or Thumb: every VFP and NEON mnemonic begins with v. */
static classes classify_arm(const struct qemu_plugin_insn *insn) {
  char *text = qemu_plugin_insn_disas(insn);
  const char *name = text ? text : "";
  const char *base = name + (*name == 'v');
  classes found = {.memory = starts_with(base, "ld") || starts_with(base, "st") || starts_with(base, "push") ||
                             starts_with(base, "pop")};
  found.simd = *name == 'v' && !found.memory;
  free(text);
  return found;
}

/* One addition per instruction, not one per block: a block may be left in its middle. */
static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  size_t count = qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < count; i++) {
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
    classes found;
    if (is_a64) {
      uint32_t code;
      memcpy(&code, qemu_plugin_insn_data(insn), sizeof code);
      found = classify_a64(code);
    } else {
      found = classify_arm(insn);
    }
    const enum qemu_plugin_op add = QEMU_PLUGIN_INLINE_ADD_U64;
    qemu_plugin_register_vcpu_insn_exec_inline(insn, add, &counted.total, 1);
    if (found.simd)
      qemu_plugin_register_vcpu_insn_exec_inline(insn, add, &counted.simd, 1);
    if (found.memory)
      qemu_plugin_register_vcpu_insn_exec_inline(insn, add, &counted.memory, 1);
    if (found.dot)
      qemu_plugin_register_vcpu_insn_exec_inline(insn, add, &counted.dot, 1);
  }
}

static void write_line(void) {
  fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", counted.total, counted.simd, counted.memory,
          counted.dot);
  fflush(out);
}

static void on_system_call(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t a1, uint64_t a2,
                           uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)vcpu, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
  if (number == (is_a64 ? GETPPID_AARCH64 : GETPPID_ARM))
    write_line();
}

static void on_exit_of_guest(qemu_plugin_id_t id, void *data) {
  (void)id, (void)data;
  write_line();
  fclose(out);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
  is_a64 = strcmp(info->target_name, "aarch64") == 0;
  for (int i = 0; i < argc; i++)
    if (starts_with(argv[i], "out="))
      out = fopen(argv[i] + strlen("out="), "w");
  if (!out)
    return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_vcpu_syscall_cb(id, on_system_call);
  qemu_plugin_register_atexit_cb(id, on_exit_of_guest, NULL);
  return 0;
}
