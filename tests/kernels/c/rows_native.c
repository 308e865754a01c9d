/* The byte rows as the host's best instruction set compiles them; built with -march=native. */
#include "isa/rows_template.h"

extern const edgecore_tier rows_native;
const edgecore_tier rows_native = {.name = "native", .storage = EDGECORE_UINT8, EDGECORE_PORTABLE_ROWS};
