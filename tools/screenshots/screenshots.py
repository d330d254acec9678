#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Takes the pictures of docs/images: boots the ISO in QEMU, types, and saves what the screen shows.

    bazel build //iso:quire.iso && tools/screenshots/screenshots.py

Each picture is taken when the text that it is about stands on the screen; a picture without it is
an error, not a picture. --only NAME takes one of them.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from picture import FONT_HEIGHT, FONT_WIDTH, crop, read_ppm, screen_reader, write_png  # noqa: E402
from qemu import Machine, MachineError  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# A maker other than QEMU gets the menu of a real machine.
MENU = ["-smbios", "type=1,manufacturer=Maker"]


class Studio:
    def __init__(self, options):
        self.options = options
        self.reader = screen_reader(os.path.join(ROOT, "arch/x86_64/devices/font.txt"))

    def machine(self, cmdline="", qemu=(), cpus=8):
        return Machine(os.path.join(ROOT, "iso/run_qemu.sh"), self.options.image, "bios-cd", cmdline,
                       ["-smp", str(cpus), "-m", "512M", *qemu], limit=self.options.limit)

    def save(self, name, dump, rows=()):
        """Without the empty part below and to the right of the text."""
        width, height, pixels = read_ppm(dump)
        used = [i for i, row in enumerate(rows) if row]
        if used:
            columns = max(81, 1 + max(len(row) for row in rows))
            height = min(height, (used[-1] + 2) * FONT_HEIGHT)
            width, height, pixels = crop(width, pixels, min(width, columns * FONT_WIDTH), height)
        path = os.path.join(self.options.out, name + ".png")
        write_png(path, width, height, pixels)
        print(f"{path}: {width} x {height}, {os.path.getsize(path)} bytes", flush=True)

    @staticmethod
    def settled(machine):
        """The screen when it has the bar of the chosen entry and does not change any more."""
        bar = 600 * FONT_HEIGHT  # pixels that are not black: more than text has
        before = None
        while True:
            machine.check("menu on the screen")
            dump = machine.screendump()
            _, _, pixels = read_ppm(dump)
            if dump == before and len(pixels) - pixels.count(0) > bar * 3:
                return dump
            before = dump
            time.sleep(1)

    def menu(self):
        with self.machine(qemu=MENU, cpus=2) as machine:
            machine.wait_serial("self-test")
            machine.press("down")  # a key stops the countdown
            machine.press("up")
            self.save("menu", self.settled(machine))

    def shell(self):
        with self.machine() as machine:
            machine.wait_screen(self.reader, "quire>")
            machine.type("cpus; selftest kmem tlb; audit\n")
            rows, dump = machine.wait_screen(self.reader, "audit: ok")
            self.save("shell", dump, rows)

    def stress(self):
        """Two pages of the dashboard, and the summary."""
        with self.machine("start=stress 60 seed=7") as machine:
            machine.wait_screen(self.reader, "CPUs, steps a second")
            time.sleep(8)  # until there are rates
            rows, dump = machine.wait_screen(self.reader, "CPUs, steps a second")
            self.save("dashboard", dump, rows)
            machine.press("4")
            rows, dump = machine.wait_screen(self.reader, "CPUs asked")
            self.save("dashboard-tlb", dump, rows)
            rows, dump = machine.wait_screen(self.reader, "stress: PASS")
            self.save("summary", dump, rows)

    def panic(self):
        with self.machine("panic=halt", cpus=4) as machine:
            machine.wait_screen(self.reader, "quire>")
            machine.type("panic\n")
            rows, dump = machine.wait_screen(self.reader, "The machine is stopped")
            self.save("panic", dump, rows)


def main():
    pictures = ["menu", "shell", "stress", "panic"]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--image", default=os.path.join(ROOT, "bazel-bin/iso/quire.iso"))
    parser.add_argument("--out", default=os.path.join(ROOT, "docs/images"))
    parser.add_argument("--only", choices=pictures)
    parser.add_argument("--limit", type=int, default=300, help="seconds for each boot")
    options = parser.parse_args()
    if not os.path.exists(options.image):
        parser.error(f"{options.image} is not there: bazel build //iso:quire.iso, or --image FILE")
    os.makedirs(options.out, exist_ok=True)
    studio = Studio(options)
    for name in [options.only] if options.only else pictures:
        try:
            getattr(studio, name)()
        except MachineError as error:
            print(f"screenshots: {name}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
