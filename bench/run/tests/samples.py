# SPDX-License-Identifier: BSD-2-Clause
"""Logs and reports of known content for the tests."""
import figures
import logs

METRICS = logs.METRICS


def slot(case, cpu, samples=3, **sums):
    """A line of the meter: every sample the same. Keywords: own_insns=480 and so on."""
    words = [f"meter: case={case} cpu={cpu} samples={samples} unmatched=0"]
    for side in logs.SIDES:
        for metric in METRICS:
            n = round(sums.get(f"{side}_{metric}", 0))
            key = f"{side}_{metric}"
            words.append(f"{key}_min={n} {key}_med={n} {key}_max={n} {key}_sum={n * samples}")
    return " ".join(words)


def meter(*slots, cpus=1):
    totals = [f"meter: total cpu={cpu} insns=1000 locked=1 transfers=0 icr=0 loads=2 stores=3 "
              "untracked=0" for cpu in range(cpus)]
    return "\n".join([f"meter: version=1 cpus={cpus} line=64 addresses=physical", *totals,
                      *slots]) + "\n"


def case_line(index, name, mode="alone", cpus=1, ops=10):
    return (f"bench: case={index} name={name} mode={mode} cpus={cpus} ops={ops} samples=3 "
            "ticks_min=100 ticks_med=110 ticks_max=200")


def serial(*lines, cpus=1, build="release"):
    return "\n".join([f"bench: start cpus={cpus} build={build} seed=1", *lines,
                      "bench: done cases=1 seed=1 skipped=0 failed=0"]) + "\n"


def run(system, cpus, insns, transfers=0, problem=None):
    """An entry of a report with page.pair in both modes and shootdown.idle."""
    names = (("page.pair", 1), ("shootdown.idle", 50))
    lines, slots = [], []
    for mode in ("alone", "all") if cpus > 1 else ("alone",):
        high = 0x80 if mode == "all" else 0
        for cpu in range(cpus if mode == "all" else 1):
            slots.append(slot(high, cpu, own_insns=7, sys_insns=7))
            for _, index in names:
                slots.append(slot(index | high, cpu, own_insns=7 + 10 * insns,
                                  own_transfers=10 * transfers, sys_insns=7 + 20 * insns))
        lines += [case_line(index, name, mode, cpus) for name, index in names]
    log = logs.parse_serial(serial(case_line(0, "empty", ops=1), *lines, cpus=cpus))
    return {"system": system, "cpus": cpus, "command": f"run {system} on {cpus}", "notes": [],
            "skipped": [], "failed": [], "problem": problem, "made_by": ["linux 6.1"],
            "figures": figures.combine(log, logs.parse_meter(meter(*slots, cpus=cpus)))}


def report(runs, **more):
    return {"format": 1, "made": "2024-01-01T00:00:00Z", "command": "./quire bench", "runs": runs,
            "machine": {"cpu": "A CPU", "cores": 2, "system": "Debian", "kernel": "6.1"},
            "versions": {"qemu": "QEMU 7.2", "gcc": "gcc 12", "commit": "abc",
                         "commit_is_all": True}, **more}


def host():
    return {"cases": [
        {"name": "pair.64", "threads": 1, "clock": "cpu", "ratio_ns": 2.0,
         "best_peer_ns": {"name": "tcmalloc", "ns": 7.0},
         "best_peer_instructions": {"name": "mimalloc", "instructions": 45.0},
         "results": {"quire": {"ns_min": 14.0, "instructions": 90.0},
                     "tcmalloc": {"ns_min": 7.0, "instructions": 67.0}}},
        {"name": "empty.pair", "threads": 1, "results": {"quire": {"ns_min": 1.0}}}]}
