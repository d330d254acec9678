#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots the kernel, and does things to it while it runs: types at its shell, and asks QEMU, by its
machine protocol (QMP), for what no kernel expects: NMIs, machine checks.

    qmp_test.py --qemu-script FILE --image FILE [--boot PATH] [--cmdline TEXT] [--status N]
                [--timeout SECONDS] [--step STEP]... [--absent REGEX]... -- QEMU ARGUMENTS

Steps, in order:
    expect REGEX      waits until the serial log has it, behind what the last one matched
    type TEXT         a line for the shell
    qmp NAME [JSON]   a command of QMP with its arguments
    hmp TEXT          a command of QEMU's monitor

Passes when every step worked, QEMU ended by itself with the status, and no --absent expression is
in the log. The time limit bounds a kernel that hangs; no step has one of its own.
"""
import argparse
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Failure(Exception):
    pass


class Machine:
    """QEMU with its console and its QMP connection."""

    def __init__(self, args):
        self.deadline = time.monotonic() + args.timeout
        self.limit = args.timeout
        # A socket's path is short; the test's own folder may be deep.
        self.folder = tempfile.mkdtemp(prefix="quire-qmp-")
        path = os.path.join(self.folder, "qmp")
        command = [args.qemu_script, "--image", args.image, "--boot", args.boot,
                   "--cmdline", args.cmdline, "--raw-status", "--"]
        command += args.qemu + ["-qmp", f"unix:{path},server=on,wait=off"]
        self.qemu = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.log = ""
        self.position = 0
        self.qmp = None
        self.path = path

    def left(self):
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            lines = self.log.strip().splitlines()
            raise Failure(f"not done within {self.limit} s; the last line: "
                          f"{lines[-1] if lines else 'none'}")
        return seconds

    def read(self):
        """Adds what the console says next to the log; False at its end."""
        ready, _, _ = select.select([self.qemu.stdout], [], [], self.left())
        if not ready:
            return True
        data = os.read(self.qemu.stdout.fileno(), 65536)
        self.log += ESCAPES.sub("", data.decode("utf-8", "replace"))
        return bool(data)

    def expect(self, expression):
        pattern = re.compile(expression, re.MULTILINE)
        while True:
            match = pattern.search(self.log, self.position)
            if match:
                self.position = match.end()
                return
            if not self.read():
                raise Failure(f"the log ends without /{expression}/ in its right place")

    def type(self, text):
        self.qemu.stdin.write(text.encode() + b"\r")
        self.qemu.stdin.flush()

    def connect(self):
        self.qmp = socket.socket(socket.AF_UNIX)
        while True:
            self.left()
            try:
                self.qmp.connect(self.path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.05)
        self.replies = self.qmp.makefile("r")
        self.replies.readline()  # the greeting
        self.command("qmp_capabilities")

    def command(self, name, arguments=None):
        if self.qmp is None:
            self.connect()
        self.qmp.settimeout(self.left())
        request = {"execute": name}
        if arguments is not None:
            request["arguments"] = arguments
        self.qmp.sendall(json.dumps(request).encode() + b"\n")
        for line in self.replies:
            reply = json.loads(line)
            if "error" in reply:
                raise Failure(f"QEMU refuses {name}: {reply['error'].get('desc', reply)}")
            if "return" in reply:
                return reply["return"]
        raise Failure(f"QEMU ended before it answered {name}")

    def monitor(self, text):
        said = self.command("human-monitor-command", {"command-line": text})
        if said.strip():
            print(f"---- monitor: {text}: {said.strip()}")
            if re.search(r"unknown command|[Ii]nvalid|[Ee]rror|expected", said):
                raise Failure(f"QEMU's monitor refuses '{text}'")

    def finish(self):
        while self.read():
            pass
        return self.qemu.wait(timeout=self.left())

    def stop(self):
        if self.qemu.poll() is None:
            self.qemu.kill()
            self.qemu.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_step(machine, step):
    verb, _, rest = step.partition(" ")
    if verb == "expect":
        machine.expect(rest)
    elif verb == "type":
        machine.type(rest)
    elif verb == "qmp":
        name, _, arguments = rest.partition(" ")
        machine.command(name, json.loads(arguments) if arguments else None)
    elif verb == "hmp":
        machine.monitor(rest)
    else:
        raise Failure(f"unknown step '{step}'")


def run(args):
    machine = Machine(args)
    try:
        for step in args.step:
            run_step(machine, step)
        status = machine.finish()
        if status != args.status:
            raise Failure(f"QEMU's exit status is {status} instead of {args.status}")
        for expression in args.absent:
            if re.search(expression, machine.log, re.MULTILINE):
                raise Failure(f"the log has /{expression}/")
    except (subprocess.TimeoutExpired, socket.timeout):
        raise Failure(f"not done within {args.timeout} s") from None
    except BrokenPipeError:
        raise Failure("QEMU ended before the step") from None
    finally:
        machine.stop()
        print(machine.log)


def main():
    words = sys.argv[1:]
    split = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser()
    parser.add_argument("--qemu-script", required=True)
    parser.add_argument("--image", required=True)
    parser.add_argument("--boot", default="pvh")
    parser.add_argument("--cmdline", default="")
    parser.add_argument("--status", type=int, default=33)
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--step", action="append", default=[])
    parser.add_argument("--absent", action="append", default=[])
    args = parser.parse_args(words[:split])
    args.qemu = words[split + 1:]
    try:
        run(args)
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
