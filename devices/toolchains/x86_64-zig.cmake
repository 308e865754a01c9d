# 64-bit x86, glibc 2.17 and later.
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(EDGECORE_TARGET x86_64-linux-gnu.2.17)
set(EDGECORE_CPU x86_64)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
