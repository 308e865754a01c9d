/* Memory that faults on the first byte past its end. */
#ifndef EDGECORE_TESTS_GUARDED_H
#define EDGECORE_TESTS_GUARDED_H

#include <stddef.h>
#include <stdint.h>

/* `bytes` of zeros whose end is the end of a readable page; never freed. Exits where there is no memory. */
uint8_t *guarded(size_t bytes);

/* The next of a fixed sequence of random numbers. */
uint32_t random_32(void);
int32_t random_between(int32_t low, int32_t high);

#endif
