/* Python's configuration header for a cross-compiler's target. It takes the place of the host's, which states the host's
 * sizes, and on Debian only forwards to one file per architecture. An extension module of the limited API depends on little
 * of it: the sizes are the compiler's own, the rest is true of every Linux with glibc. */
#ifndef Py_PYCONFIG_H
#define Py_PYCONFIG_H

#if !defined(__linux__) || !defined(__SIZEOF_POINTER__)
#error "made for gcc and clang compiling for Linux"
#endif
#ifndef Py_LIMITED_API
#error "made for the limited API: how the target's Python itself was built is not known here"
#endif

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#define SIZEOF_SHORT __SIZEOF_SHORT__
#define SIZEOF_INT __SIZEOF_INT__
#define SIZEOF_LONG __SIZEOF_LONG__
#define SIZEOF_LONG_LONG __SIZEOF_LONG_LONG__
#define SIZEOF_FLOAT __SIZEOF_FLOAT__
#define SIZEOF_DOUBLE __SIZEOF_DOUBLE__
#define SIZEOF_SIZE_T __SIZEOF_SIZE_T__
#define SIZEOF_VOID_P __SIZEOF_POINTER__
#define SIZEOF_UINTPTR_T __SIZEOF_POINTER__
#define SIZEOF_WCHAR_T __SIZEOF_WCHAR_T__
#define SIZEOF_PID_T __SIZEOF_INT__
#define SIZEOF__BOOL 1

#define HAVE_DYNAMIC_LOADING 1
#define HAVE_FORK 1
#define HAVE_LANGINFO_H 1
#define HAVE_SSIZE_T 1
#define HAVE_SYS_SELECT_H 1
#define HAVE_SYS_STAT_H 1
#define HAVE_SYS_TIME_H 1
#define HAVE_SYS_TYPES_H 1
#define HAVE_WCHAR_H 1
#define STDC_HEADERS 1
#define WITH_DOC_STRINGS 1
#define WITH_PYMALLOC 1

#endif
