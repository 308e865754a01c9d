"""The delegate's options, its entry points, and the check of the runtime's structures."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest
from oracle.models import small_model

from edgecore import interpreter as ec


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"threads": "-1"}, "threads"),
        ({"threads": "257"}, "threads"),
        ({"threads": "4 "}, "threads"),
        ({"threads": ""}, "threads"),
        ({"threads": "99999999999999999999"}, "threads"),
        ({"isa": "mmx"}, "scalar"),
        ({"fuse": "yes"}, "fuse"),
        ({"dynamic": "maybe"}, "dynamic"),
        ({"speed": "11"}, "threads, isa, fuse and dynamic"),
    ],
)
def test_wrong_options_are_one_line(options: dict[str, str], text: str, runtime: Any) -> None:
    with pytest.raises(ValueError, match=text) as caught:
        ec.Delegate(options)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError) as caught_by_runtime:
        runtime.load_delegate(str(ec.library_path()), options)
    assert str(caught_by_runtime.value).endswith(str(caught.value))


def test_a_wrong_default_isa_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGECORE_ISA", "mmx")
    with pytest.raises(ValueError, match="mmx"):
        ec.load_delegate()
    ec.load_delegate(isa="scalar")


def test_create_without_a_report_function_or_with_null_options_does_not_crash() -> None:
    create = ctypes.CDLL(str(ec.library_path())).tflite_plugin_create_delegate
    create.restype = ctypes.c_void_p
    keys = (ctypes.c_char_p * 1)(b"bad")
    nothing = (ctypes.c_char_p * 1)(None)
    assert create(keys, keys, ctypes.c_size_t(1), None) is None
    assert create(nothing, nothing, ctypes.c_size_t(1), None) is None
    assert create(None, None, ctypes.c_size_t(1), None) is None
    assert create(keys, keys, ctypes.c_size_t(2**30), None) is None


def test_threads_default_to_what_the_interpreter_recommends(runtime: Any) -> None:
    model = small_model()
    for asked, expected in ((3, 3), (None, 1)):
        delegate = ec.load_delegate()
        interpreter = runtime.Interpreter(
            model_content=model, num_threads=asked, experimental_delegates=[delegate]
        )
        interpreter.allocate_tensors()
        assert [e.threads for e in delegate.engines()] == [expected]


class _Delegate(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("prepare", ctypes.c_void_p))


_PLAN = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p))
_NODE = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.POINTER(ctypes.c_void_p),
)
_ERROR = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


@pytest.mark.parametrize(("node_bytes", "registration_bytes"), [(80, 96), (88, 88), (72, 96)])
def test_a_runtime_with_other_structures_is_refused(node_bytes: int, registration_bytes: int) -> None:
    """A context whose nodes and registrations lie as a later runtime might lay them."""
    memory = ctypes.create_string_buffer(4096)
    plan = (ctypes.c_int * 4)(3, 0, 1, 2)
    lines: list[bytes] = []

    @_PLAN
    def get_plan(context: int, out: ctypes._Pointer[ctypes.c_void_p]) -> int:
        out[0] = ctypes.addressof(plan)
        return 0

    @_NODE
    def get_node(context: int, index: int, node: ctypes._Pointer, registration: ctypes._Pointer) -> int:
        start = ctypes.addressof(memory) + index * (node_bytes + registration_bytes)
        node[0], registration[0] = start, start + node_bytes
        return 0

    @_ERROR
    def report(context: int, text: bytes) -> None:
        lines.append(text)

    words: list[Any] = [1, get_plan, ctypes.addressof(memory), 0, 0, report, 0, get_node, 0, 0]
    context = (ctypes.c_void_p * len(words))(
        *(w if isinstance(w, int) else ctypes.cast(w, ctypes.c_void_p).value for w in words)
    )
    delegate = ec.load_delegate()
    pointer = delegate._get_native_delegate_pointer()
    prepare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(
        _Delegate.from_address(pointer or 0).prepare
    )
    assert prepare(ctypes.addressof(context), pointer) == 2
    assert len(lines) == 1 and b"structures" in lines[0]
