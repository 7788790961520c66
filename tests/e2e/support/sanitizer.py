"""What a sanitizer changes about a program under test."""

import functools


@functools.cache
def sanitized(program):
    """Whether the program is built with one. Its memory and its open files then tell nothing of its own."""
    with open(program, "rb") as file:
        text = file.read()
    return b"__asan_init" in text or b"__tsan_init" in text
