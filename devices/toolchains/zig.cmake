# Cross-compiling with zig's clang, which carries the headers and the symbols of every glibc. The file that includes this one
# sets CMAKE_SYSTEM_PROCESSOR, EDGECORE_TARGET (with its glibc, aarch64-linux-gnu.2.17) and EDGECORE_CPU (zig's -mcpu).
# EDGECORE_ZIG names the zig program, for example that of `pip install ziglang`.
set(CMAKE_SYSTEM_NAME Linux)
set(EDGECORE_ZIG "$ENV{EDGECORE_ZIG}" CACHE FILEPATH "The zig program")
if(NOT EDGECORE_ZIG)
  find_program(EDGECORE_ZIG zig REQUIRED)
endif()
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES EDGECORE_ZIG)
set(CMAKE_C_COMPILER ${EDGECORE_ZIG} cc -target ${EDGECORE_TARGET} -mcpu=${EDGECORE_CPU})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
# The linker strips: the host's strip knows the host's files only. One hash table of the symbols is enough for every glibc.
set(CMAKE_STRIP "" CACHE FILEPATH "None")
foreach(kind SHARED MODULE)
  set(CMAKE_${kind}_LINKER_FLAGS_RELEASE_INIT "-s -Wl,--hash-style=gnu")
endforeach()
