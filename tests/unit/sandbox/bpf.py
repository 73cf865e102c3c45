"""What the kernel does with a filter of system calls: the classic BPF machine, over one `struct seccomp_data`."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

_INSTRUCTION = struct.Struct("<HBBI")
_DATA = struct.Struct("<iIQ6Q")

# The kernel takes no other instructions in such a filter; those that are not here libseccomp does not write.
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_ALWAYS, _EQUAL, _GREATER, _AT_LEAST, _ANY_BIT = 0x05, 0x15, 0x25, 0x35, 0x45


class Instruction(NamedTuple):
    """One `struct sock_filter`."""

    code: int
    if_true: int
    if_false: int
    k: int


def decoded(filter_bytes: bytes) -> list[Instruction]:
    """The instructions of a filter."""
    return [Instruction(*fields) for fields in _INSTRUCTION.iter_unpack(filter_bytes)]


def run(program: Sequence[Instruction], architecture: int, number: int, arguments: Sequence[int]) -> int:
    """The decision of the filter, a SECCOMP_RET value, on one system call with its six arguments of 64 bits."""
    data = _DATA.pack(number, architecture, 0, *arguments)
    at, value = 0, 0
    while True:
        code, if_true, if_false, k = program[at]
        at += 1
        if code == _RETURN:
            return k
        if code == _LOAD:
            (value,) = struct.unpack_from("<I", data, k)
        elif code == _AND:
            value &= k
        elif code == _ALWAYS:
            at += k
        else:
            at += if_true if _holds(code, value, k) else if_false


def _holds(code: int, value: int, k: int) -> bool:
    if code == _EQUAL:
        return value == k
    if code == _GREATER:
        return value > k
    if code == _AT_LEAST:
        return value >= k
    if code == _ANY_BIT:
        return value & k != 0
    raise ValueError(f"unknown instruction {code:#x}")
