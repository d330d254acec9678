#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots with a screen, or from the menu, and finds what must be there: on the screen by comparing
its pixels with the kernel's own font, on the serial port as text.

Usage: screen_test.py CASE ISO RUN_QEMU FONT QEMU_PY PICTURE_PY
"""

import os
import sys

for module in sys.argv[5:7]:
    sys.path.insert(0, os.path.dirname(os.path.abspath(module)))
from picture import read_ppm, screen_reader  # noqa: E402
from qemu import Machine  # noqa: E402

CASE, ISO, RUN_QEMU, FONT = sys.argv[1:5]
READER = screen_reader(FONT)

# The menu of a real machine, which one that calls itself QEMU does not get.
MENU = ["-smbios", "type=1,manufacturer=Maker"]
UP, DOWN = "\x1b[A", "\x1b[B"
EXIT_OK = 33


def machine(boot, cmdline="", qemu=(), **more):
    return Machine(RUN_QEMU, ISO, boot, cmdline, ["-smp", "2", "-m", "128M", *qemu], limit=240, **more)


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def expect_rows(rows, *texts):
    for text in texts:
        expect(any(text in row for row in rows), f"the screen lacks '{text}':\n" + "\n".join(rows))


def colours(dump):
    _, _, pixels = read_ppm(dump)
    return {pixels[i:i + 3] for i in range(0, len(pixels), 3)}


def shell():
    """Line editing with the keyboard, completion, help with an example, paging."""
    with machine("bios-cd") as pc:
        rows, _ = pc.wait_screen(READER, "quire>")
        expect_rows(rows, "smp: 2 of 2 CPUs online")
        pc.type("hel")
        pc.press("tab")
        pc.type("stresss")
        pc.press("backspace")
        pc.press("ret")
        rows, _ = pc.wait_screen(READER, "stress 120 seed=7 rights remaps")
        expect_rows(rows, "quire> help stress", "Example:")
        pc.type("help\n")
        pc.wait_screen(READER, "-- more:")
        pc.press("q")
        pc.type("audut")
        for key in ("left", "backspace"):
            pc.press(key)
        pc.type("i\n")
        pc.wait_screen(READER, "audit: ok")
        pc.type("exit\n")
        expect(pc.wait_end() == EXIT_OK, "exit did not end it well")


def stress():
    """The dashboard's pages, its keys and colours, and the summary."""
    with machine("bios-cd", "start=stress 600 seed=7 ranges rights") as pc:
        rows, dump = pc.wait_screen(READER, "pass 1, 1 of 2: ranges")
        expect_rows(rows, "2 CPUs, seed 7", "no errors", "memory in use   [", "CPUs, steps a second",
                    "q end", "of 600 s")
        expect(len(colours(dump)) > 3, "the dashboard has no colours")
        for key, text in (("2", "part 1 of 1"), ("3", "Ranges of kmem_map in caches"),
                          ("4", "CPUs asked"), ("5", "What took longest"), ("p", "PAUSED")):
            pc.press(key)
            pc.wait_screen(READER, text)
        pc.press("p")
        pc.press("q")
        rows, _ = pc.wait_screen(READER, "stress: PASS")
        expect_rows(rows, " PASS", "machine    ", "CPUs, ", "firmware   ", "longest    allocation",
                    "0 errors, seed 7, ended by a key")
        expect(not any("q end" in row for row in rows), "the dashboard is still there")


def panic():
    """A panic in the middle of the dashboard is told on the screen."""
    with machine("bios-cd", "panic=halt start=panic") as pc:
        rows, _ = pc.wait_screen(READER, "The machine is stopped")
        expect_rows(rows, "panic: asked for by the command panic", "backtrace:", "cmd_panic+0x")


def menu_serial(boot):
    """The menu on the serial port: chooses the stress, ends it, and leaves."""
    with machine(boot, qemu=MENU) as pc:
        for entry in ("Quire shell", "Quire stress", "Quire quick check", "Quire benchmark"):
            pc.wait_serial(entry)
        at = pc.wait_serial("Quire self-test")
        pc.send(DOWN + DOWN + UP + "\r")
        at = pc.wait_serial("1 overview", at)
        pc.send("q")
        at = pc.wait_serial("stress: PASS", at)
        at = pc.wait_serial("quire> ", at)
        pc.send("exit\r")
        expect(pc.wait_end() == EXIT_OK, "exit did not end it well")


def menu_keyboard(boot):
    """The same with the keyboard; what the kernel was told shows which entry it was."""
    with machine(boot, qemu=MENU) as pc:
        pc.wait_serial("Quire self-test")
        pc.press("down")
        pc.press("down")
        pc.press("ret")
        pc.wait_serial("start=selftest; audit; stress")
        pc.wait_serial("selftest: case ")


def menu_nobody(boot):
    """Without a serial port and without a key pressed, the shell comes by itself."""
    with machine(boot, qemu=MENU, serial=False) as pc:
        rows, _ = pc.wait_screen(READER, "quire>")
        expect_rows(rows, "smp: 2 of 2 CPUs online", "options: none")


CASES = {
    "shell": shell,
    "stress": stress,
    "panic": panic,
    "menu_serial_bios": lambda: menu_serial("bios-cd"),
    "menu_serial_uefi": lambda: menu_serial("uefi-usb"),
    "menu_keyboard_bios": lambda: menu_keyboard("bios-usb"),
    "menu_keyboard_uefi": lambda: menu_keyboard("uefi-cd"),
    "menu_nobody_bios": lambda: menu_nobody("bios-cd"),
    "menu_nobody_uefi": lambda: menu_nobody("uefi-usb"),
}

CASES[CASE]()
print(f"{CASE}: ok")
