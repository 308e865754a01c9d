"""What this CPU has: the engine's tiers of micro-kernels and the cores that it may use."""

from capi cimport *


def isas():
    """Names of the tiers compiled into this library, weakest first: ("scalar", "avx2", ...)."""
    return tuple([edgecore_isa_name(i).decode() for i in range(edgecore_isa_count())])


def isa_available(name):
    """Whether this CPU can run the tier `name`.

    Raises:
        ValueError: `name` is no tier of this library.
    """
    if name not in isas():
        raise ValueError(f"name: {name!r} is not one of {', '.join(isas())}")
    return bool(edgecore_isa_available(isas().index(name)))


def available_isas():
    """Names of the tiers that this CPU can run, weakest first."""
    return tuple([name for i, name in enumerate(isas()) if edgecore_isa_available(i)])


def selected_isa(name=None):
    """The tier that an engine takes: `name`, else that of $EDGECORE_ISA, else the best available one.

    Raises:
        ValueError: the name is unknown or this CPU lacks the tier; the text lists those that it has.
    """
    cdef edgecore_message message
    cdef int32_t index
    cdef bytes text
    if name is None:
        status = edgecore_isa_select(NULL, &index, &message)
    else:
        if not isinstance(name, str):
            raise ValueError(f"name: {name!r} is not a string")
        text = name.encode()
        status = edgecore_isa_select(text, &index, &message)
    if status != EDGECORE_OK:
        raise ValueError(message.text.decode())
    return edgecore_isa_name(index).decode()


def cores():
    """Cores that this process may run on (its affinity mask), at least 1."""
    return edgecore_cpu_cores()
