/* One caller at a time, and none waits: who takes the turn while another has it is refused. A forked child has only the thread
 * that forked, so a turn that was taken in its parent is free there. */
#ifndef EDGECORE_GRAPH_TURN_H
#define EDGECORE_GRAPH_TURN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>
#include <unistd.h>

typedef struct edgecore_turn {
    _Atomic pid_t holder; /* 0: nobody */
} edgecore_turn;

static inline bool edgecore_turn_take(edgecore_turn *turn)
{
    const pid_t self = getpid();
    pid_t holder = 0;
    while (!atomic_compare_exchange_weak(&turn->holder, &holder, self))
        if (holder == self)
            return false;
    return true;
}

static inline void edgecore_turn_give(edgecore_turn *turn)
{
    atomic_store(&turn->holder, 0);
}

#endif
