/* Before a loop: nothing is carried from one element to the next, so that gcc and clang may vectorise it. */
#ifndef EDGECORE_ISA_INDEPENDENT_H
#define EDGECORE_ISA_INDEPENDENT_H

#if defined(__clang__)
#define EDGECORE_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define EDGECORE_INDEPENDENT _Pragma("GCC ivdep")
#endif

#endif
