# 64-bit ARM, any core from the Cortex-A53 on, glibc 2.17 and later.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(EDGECORE_TARGET aarch64-linux-gnu.2.17)
set(EDGECORE_CPU generic)
set(EDGECORE_CPU_NEON generic)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
