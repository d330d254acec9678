# SPDX-License-Identifier: BSD-2-Clause
"""Runs a system under the meter and makes an entry of the report's "runs" out of what it leaves.

    quire           the kernel, started by QEMU itself
    linux           Debian's kernel with init_on_alloc=0 mitigations=off  (bench/peers/linux/run.sh)
    linux-shipped   the same with no options

What goes wrong becomes the entry's "problem"; what was measured until then is kept.
"""
import json
import os
import re
import shlex
import signal
import subprocess
import time

import figures
import logs

QEMU_GOOD = 33  # the kernel's commands succeeded
QEMU_FAILED = 35  # one of them failed: it has said so on the serial line
# The same for both kernels. It grows with the CPUs, as it does in machines that have many: what a
# CPU may keep at hand is a share of it. Only what is touched takes memory here.
MEMORY_MIN_MIB = 1024
MEMORY_PER_CPU_MIB = 256
# With a thread for each CPU, more of them than this spin for hours on what one core lets wait.
CPUS_PER_CORE = 4
_NAME = re.compile(r"^\tBENCH_CASE\(\d+, [A-Z0-9_]+, \"([a-z0-9_.]+)\", \"(.*)\"\)", re.MULTILINE)
_ROW = re.compile(r"^(?:\[[^\]]*\] *)?bench: (?:case=|skipped |FAIL ).*?name=(\S+)", re.MULTILINE)
_STEP = re.compile(r"^bench/host: step (\d+) of (\d+): ([^;\n]+)", re.MULTILINE)


def all_cases(root):
    """{name: operation} out of bench/cases.h."""
    with open(os.path.join(root, "bench/cases.h"), encoding="utf-8") as file:
        return dict(_NAME.findall(file.read()))


def chosen(names, wanted):
    """Those that are asked for, by name or by family."""
    return [name for name in names
            if not wanted or any(name == w or name.startswith(w + ".") for w in wanted)]


def read(path):
    """A file's text; empty if there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""

# ---- commands ----


def memory(cpus):
    """QEMU's -m."""
    mib = max(MEMORY_MIN_MIB, MEMORY_PER_CPU_MIB * cpus)
    return f"{mib // 1024}G" if mib % 1024 == 0 else f"{mib}M"


def quire_command(settings, cpus, out, thread):
    words = ["bench"] + (["--quick"] if settings["quick"] else [])
    words += (["--mode", "all"] if thread != "single" else []) + settings["cases"]
    command = [settings["qemu"], "-machine", "q35", "-cpu", "max", "-smp", str(cpus),
               "-m", memory(cpus), "-seed", "1", "-kernel", settings["kernel"],
               "-append", "run=" + " ".join(words), "-display", "none", "-monitor", "none", "-serial", f"file:{out}/serial.log",
               "-no-reboot", "-net", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
               "-plugin", f"{settings['meter']},out={out}/meter.txt"]
    # On one CPU the clock is the number of instructions, so that a run is the same every time.
    if cpus == 1 or thread == "icount":
        return command + ["-accel", "tcg", "-icount", "shift=0,sleep=off",
                          "-rtc", "base=2024-01-01,clock=vm"]
    return command + ["-accel", f"tcg,thread={thread}"]


def linux_command(settings, cpus, out, thread, mode):
    command = [os.path.join(settings["root"], "bench/peers/linux/run.sh"), "--smp", str(cpus),
               "--mode", mode, "--plugin", settings["meter"], "--mem", memory(cpus), "--out", out,
               "--timeout", str(settings["timeout"])]
    command += ["--icount"] if cpus == 1 else ["--thread", thread]
    command += ["--quick"] if settings["quick"] else []
    return command + settings["linux_cases"]


def command_of(system, settings, cpus, out, thread):
    if system == "quire":
        return quire_command(settings, cpus, out, thread)
    return linux_command(settings, cpus, out, thread,
                         "shipped" if system == "linux-shipped" else "fast")


def shown(command, settings, out):
    """A command as a report shows it, without the paths of this machine: `OUT` is the folder for
    what it leaves."""
    text = shlex.join(command)
    for path, name in ((out, "OUT"), (settings["kernel"], "quire.elf"),
                       (settings["meter"], "libmeter.so"), (settings["root"] + "/", "")):
        text = text.replace(path, name)
    return text


# ---- one run ----


def _tell(out, progress):
    """How many cases there are, by the log so far. The empty one in each mode is none. The host's
    benchmark counts steps instead."""
    steps = _STEP.findall(read(os.path.join(out, "output.txt")))
    if steps:
        progress.part(steps[-1][2], int(steps[-1][0]) - 1, int(steps[-1][1]))
        return
    rows = [name for name in _ROW.findall(read(os.path.join(out, "serial.log"))) if name != "empty"]
    if rows:
        progress.case(rows[-1], len(rows))
    else:
        progress.tick()


def _watch(process, out, progress, limit):
    """Waits for the end; False if it did not come in time."""
    start = time.monotonic()
    while True:
        try:
            process.wait(timeout=1)
            _tell(out, progress)
            return True
        except subprocess.TimeoutExpired:
            pass
        if time.monotonic() - start > limit:
            _stop(process)
            return False
        _tell(out, progress)


def _start(command, out):
    """Leaves what it says in output.txt. OSError if it cannot be started. A script's children end
    with it, hence the session."""
    with open(os.path.join(out, "output.txt"), "wb") as said:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said,
                                stderr=subprocess.STDOUT, start_new_session=True)


def _stop(process):
    """Ends it and all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            pass
    process.wait()


def _last_words(out, name):
    lines = [line.strip() for line in read(os.path.join(out, name)).splitlines() if line.strip()]
    return lines[-1] if lines else "nothing"


def _execute(system, settings, command, out, progress):
    """The problem, or None."""
    try:
        process = _start(command, out)
    except OSError as error:
        return f"cannot start {command[0]}: {error.strerror}"
    try:
        in_time = _watch(process, out, progress, settings["timeout"])
    except BaseException:  # Ctrl-C as well: no machine stays behind
        _stop(process)
        raise
    if not in_time:
        return f"stopped after {settings['timeout']} s; its last line: " + \
            _last_words(out, "serial.log")
    good = (QEMU_GOOD, QEMU_FAILED) if system == "quire" else (0,)
    if process.returncode not in good:
        return f"ended with status {process.returncode}: " + _last_words(out, "output.txt") + \
            "; serial log: " + _last_words(out, "serial.log")
    return None


def _digest(run, out):
    """Fills a run with what the two files hold; the problem, or None."""
    try:
        log = logs.parse_serial(read(os.path.join(out, "serial.log")))
        run.update({key: log[key] for key in ("notes", "skipped", "failed", "start", "tsc_mhz")})
        counts = read(os.path.join(out, "meter.txt"))
        meter = logs.parse_meter(counts) if counts else None
        run["figures"] = figures.combine(log, meter)
        run["totals"] = list(meter["totals"].values()) if meter else []
    except logs.BadLog as error:
        return str(error)
    if log["done"] is None:
        return "the serial log has no line 'bench: done'"
    if not log["cases"]:
        return "not one case was measured"
    if meter is None:
        return "the meter wrote nothing"
    if run["system"] == "quire" and log["start"].get("build") == "debug":
        return "this is a debug build, whose figures mean nothing"
    return None


def run_once(system, settings, cpus, out, progress, thread):
    """CPUs take turns (single), have a thread each (multi), or take turns by the number of
    instructions, the same every time (icount: Quire alone can do that on several CPUs)."""
    os.makedirs(out, exist_ok=True)
    command = command_of(system, settings, cpus, out, thread)
    entry = {"system": system, "cpus": cpus, "memory": memory(cpus),
             "command": shown(command, settings, out), "figures": [], "problem": None}
    start = time.monotonic()
    entry["problem"] = _execute(system, settings, command, out, progress)
    problem = _digest(entry, out)
    entry["problem"] = entry["problem"] or problem
    entry["seconds"] = round(time.monotonic() - start, 1)
    if system != "quire":
        entry["made_by"] = [line for line in read(os.path.join(out, "command.txt")).splitlines()
                            if not line.startswith("qemu-system")]
    return entry


def run(system, settings, cpus, out, progress):
    """One entry for the report."""
    entry = run_once(system, settings, cpus, out, progress, "single")
    if cpus == 1 or cpus > settings["cores"] * CPUS_PER_CORE or not entry["figures"]:
        return entry
    progress.again()
    parallel = run_once(system, settings, cpus, out + "-parallel", progress, "multi")
    entry["parallel"] = {key: parallel.get(key) for key in
                         ("command", "problem", "seconds", "failed")}
    entry["parallel"]["figures"] = figures.only_transfers(parallel["figures"])
    taken = figures.take_transfers(entry["figures"], parallel["figures"])
    if not taken and any(figure["mode"] == "all" for figure in entry["figures"]):
        entry["parallel"]["problem"] = parallel["problem"] or "nothing was measured"
    return entry


# ---- the host ----


def run_host(settings, out, progress):
    """The report of bench/host/run.sh, or {"problem": ...}."""
    path = os.path.join(out, "host.json")
    os.makedirs(out, exist_ok=True)
    command = [os.path.join(settings["root"], "bench/host/run.sh"), "--json", path]
    command += ["--quick"] if settings["quick"] else []
    problem = _execute("host", settings, command, out, progress)
    if problem is None:
        try:
            return {**json.loads(read(path)), "command": shown(command, settings, out)}
        except ValueError:
            problem = "bench/host/run.sh wrote no JSON"
    return {"problem": problem, "command": shown(command, settings, out)}
