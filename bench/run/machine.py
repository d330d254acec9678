# SPDX-License-Identifier: BSD-2-Clause
"""What a report says about where it was made."""
import os
import platform
import re
import subprocess


def _first(path, pattern):
    try:
        with open(path, encoding="utf-8") as file:
            match = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        return "unknown"
    return match.group(1).strip() if match else "unknown"


def _says(*command, cwd=None):
    """The first line that a command prints, or None."""
    try:
        done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.splitlines()[0].strip() if done.stdout.strip() else ""


def describe():
    return {"cpu": _first("/proc/cpuinfo", r"^model name\s*:(.*)$"), "cores": os.cpu_count(),
            "memory_kib": _first("/proc/meminfo", r"^MemTotal:\s*(\d+)"),
            "kernel": platform.release(),
            "system": _first("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)')}


def versions(root, qemu):
    commit = _says("git", "rev-parse", "--short=12", "HEAD", cwd=root)
    changed = _says("git", "status", "--porcelain", cwd=root)
    return {"qemu": _says(qemu, "--version") or "unknown",
            "gcc": _says("gcc", "--version") or "unknown",
            "commit": commit or "unknown",
            "commit_is_all": changed == "" if commit else None}
