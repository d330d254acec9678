# SPDX-License-Identifier: BSD-2-Clause
"""What a soak runs: each activity is a command that exists on its own, with a seed of the soak's."""

import json
import os
import shlex
import subprocess

BAZEL = os.environ.get("QUIRE_BAZEL", "bazel")


class Activity:
    """A command with {seed}, {minutes} and {out} in it, run again and again."""

    def __init__(self, name, what, command, needs="", replay=""):
        self.name = name
        self.what = what
        self.command = command      # a list of words
        self.needs = needs          # what ./quire has to know: "COMMAND" or "COMMAND OPTION"
        self.replay = replay or "the same command, with the seed that stands beside it"

    def words(self, **values):
        return [word.format(**values) for word in self.command]

    def missing(self, quire):
        """What the tree lacks to run this; nothing if it lacks nothing."""
        command, _, option = self.needs.partition(" ")
        if not command:
            return ""
        done = subprocess.run([quire, command, "--help"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False)
        if done.returncode != 0:
            return f"there is no ./quire {command}"
        if option and option not in done.stdout:
            return f"./quire {command} has no {option}"
        return ""

    def shown(self):
        return shlex.join(self.command)


def standard(quire):
    """In the order in which they take turns."""
    test = [quire, "test"]
    return [
        Activity("explore", "schedules of the shipped code, all scenarios",
                 [quire, "explore", "--minutes", "{minutes}", "--first", "{seed}"],
                 needs="explore --first",
                 replay="the log ends with the command that shows the schedule"),
        Activity("model", "maps against an array of pages",
                 [BAZEL, "test", "--color=no", "--nocache_test_results",
                  "--test_env=QUIRE_MODEL_OPS={operations}", "--test_env=QUIRE_MODEL_SEED={seed}",
                  "--test_timeout=7200", "//tests/host/model/..."]),
        Activity("seeds", "all host tests with another seed, under sanitizers",
                 [BAZEL, "test", "--color=no", "--config=sanitize", "--nocache_test_results",
                  "--test_env=QUIRE_SEED={seed}", "//tests/host/..."]),
        Activity("threads", "threaded tests under the thread sanitizer",
                 [BAZEL, "test", "--color=no", "--config=tsan", "--nocache_test_results",
                  "--test_tag_filters=threads", "--test_env=QUIRE_SEED={seed}",
                  "//tests/host/..."]),
        Activity("fuzz", "malformed input, traces of maps and zones",
                 [quire, "fuzz", "--seconds", "{seconds_each}", "--seed", "{seed}"],
                 needs="fuzz --seconds"),
        Activity("stress", "all memory paths on all CPUs of one machine in QEMU",
                 [quire, "stress", "--plain", "--seconds", "{seconds}", "--seed", "{seed}"],
                 needs="stress --seconds"),
        Activity("boots", "machines drawn by a seed, in QEMU",
                 test + ["--random-boots", "{boots}", "--seed", "{seed}"],
                 needs="test --random-boots"),
        Activity("mutate", "small changes of the code, drawn by a seed",
                 [quire, "mutate", "--all", "--sample", "{mutants}", "--seed", "{seed}",
                  "--jobs", "1"], needs="mutate"),
    ]


def from_file(path):
    """Another list: [{"name": ..., "what": ..., "command": [...]}]."""
    with open(path, encoding="utf-8") as stream:
        try:
            return [Activity(a["name"], a.get("what", ""), a["command"])
                    for a in json.load(stream)]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: not a list of activities: {error}") from error
