# 32-bit ARM with hardware floating point but, as Debian's armhf, neither NEON nor the registers d16 to d31 outside the neon tier's
# files: glibc 2.17 and later.
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(EDGECORE_TARGET arm-linux-gnueabihf.2.17)
set(EDGECORE_CPU generic+v7a+vfp3d16-neon-d32)
set(EDGECORE_CPU_NEON generic+v7a+neon)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
