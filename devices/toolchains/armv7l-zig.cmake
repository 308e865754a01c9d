# 32-bit ARM with hardware floating point but, as Debian's armhf, without NEON by default: glibc 2.28 and later.
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(EDGECORE_TARGET arm-linux-gnueabihf.2.17)
set(EDGECORE_CPU generic+v7a+vfp3d16-neon)
set(EDGECORE_CPU_NEON generic+v7a+neon)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
