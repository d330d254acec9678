# SPDX-License-Identifier: BSD-2-Clause
"""A machine in QEMU that a script looks at and types on: screen and keys through QMP, the serial
port through pipes. Every wait has a bound, and what was waited for is named when it does not come."""

import json
import os
import select
import socket
import subprocess
import tempfile
import time


class MachineError(Exception):
    """The machine did not do what was expected of it."""


# Characters that are no QMP key names by themselves (QEMU's QKeyCode).
_KEYS = {" ": ["spc"], "\n": ["ret"], "\t": ["tab"], ";": ["semicolon"], "-": ["minus"],
         "=": ["equal"], ".": ["dot"], ",": ["comma"], "/": ["slash"], "|": ["shift", "backslash"]}


class Machine:
    """Starts iso/run_qemu.sh; used as `with Machine(...) as machine:`."""

    def __init__(self, run_qemu, image, boot, cmdline="", qemu=(), serial=True, limit=120):
        self.deadline = time.monotonic() + limit
        self.said = ""
        self._folder = tempfile.TemporaryDirectory(prefix="quire-")
        monitor = os.path.join(self._folder.name, "qmp")
        command = [run_qemu, "--image", image, "--boot", boot, "--raw-status"]
        command += ["--cmdline", cmdline] if cmdline else []
        command += [] if serial else ["--serial", "none"]
        command += ["--", *qemu, "-qmp", f"unix:{monitor},server=on,wait=off"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT)
        try:
            self._qmp = self._connect(monitor)
            self._command("qmp_capabilities")
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        self._folder.cleanup()

    # ---- QMP: lines of JSON, answers mixed with events

    def _connect(self, path):
        while True:
            self.check("QEMU's monitor")
            try:
                link = socket.socket(socket.AF_UNIX)
                link.settimeout(30)
                link.connect(path)
                lines = link.makefile("rw", encoding="utf-8")
                lines.readline()
                return lines
            except (FileNotFoundError, ConnectionRefusedError):
                link.close()
                time.sleep(0.1)

    def _command(self, name, **arguments):
        self._qmp.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self._qmp.flush()
        while True:
            line = self._qmp.readline()
            if not line:
                raise MachineError(f"QEMU ended before it answered {name}; it said:\n{self.said}")
            answer = json.loads(line)
            if "error" in answer:
                raise MachineError(f"QMP {name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def screendump(self):
        """The screen as the bytes of a PPM file."""
        path = os.path.join(self._folder.name, "screen.ppm")
        self._command("screendump", filename=path)
        with open(path, "rb") as file:
            return file.read()

    def press(self, *names):
        """One key, or several held at once, by QEMU's names: press("ctrl", "c")."""
        self._command("send-key", keys=[{"type": "qcode", "data": name} for name in names],
                      **{"hold-time": 40})
        time.sleep(0.12)

    def type(self, text):
        for character in text:
            if character.isalpha() and character.isupper():
                self.press("shift", character.lower())
            else:
                self.press(*_KEYS.get(character, [character]))

    # ---- the serial port

    def check(self, what):
        """Is there still a machine, and time?"""
        if self._process.poll() is not None:
            self._read(0)
            raise MachineError(f"QEMU ended before {what}; it said:\n{self.said}")
        if time.monotonic() > self.deadline:
            raise MachineError(f"no {what} in time; the serial port said:\n{self.said[-4000:]}")

    def _read(self, seconds):
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        if ready:
            data = os.read(self._process.stdout.fileno(), 65536)
            self.said += data.decode("ascii", "replace")
            return bool(data)
        return False

    def wait_serial(self, text, begin=0):
        """Returns where `text` ends in what was said, from `begin` on."""
        while text not in self.said[begin:]:
            if not self._read(0.5):
                self.check(f"'{text}' on the serial port")
        return self.said.index(text, begin) + len(text)

    def send(self, text):
        """Types on the serial port."""
        self._process.stdin.write(text.encode("ascii"))
        self._process.stdin.flush()

    def wait_screen(self, reader, text):
        """Waits until reader(ppm), a list of rows, has `text`; returns the rows and the dump."""
        rows = []
        while True:
            self._read(0.3)
            dump = self.screendump()
            rows = reader(dump)
            if any(text in row for row in rows):
                return rows, dump
            if time.monotonic() > self.deadline:
                raise MachineError(f"no '{text}' on the screen in time; it shows:\n"
                                   + "\n".join(rows))

    def wait_end(self):
        """QEMU's exit status."""
        while self._process.poll() is None:
            if not self._read(0.3):
                time.sleep(0.05)
            if time.monotonic() > self.deadline:
                raise MachineError(f"QEMU does not end; the serial port said:\n{self.said[-4000:]}")
        while self._read(0):
            pass
        return self._process.returncode
