"""Runs in an emulated root: machine_code.py [--thumb] CODE NUMBER ... calls ARM machine code, given in
hexadecimal, with one number after another."""

import ctypes
import mmap
import sys

words = sys.argv[1:]
thumb = words[0] == "--thumb"
code, *numbers = words[thumb:]
memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
memory.write(bytes.fromhex(code))
address = ctypes.addressof(ctypes.c_char.from_buffer(memory)) + thumb
function = ctypes.CFUNCTYPE(None, ctypes.c_long)(address)
for number in numbers:
    function(int(number))
