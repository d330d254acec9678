# SPDX-License-Identifier: BSD-2-Clause
"""The explorer with planted bugs, and tests that run the explorer.

    with_plants(name = "explore_plants", binary = ":explore")

builds a program and all that it consists of once more, with the switches of planted bugs
(lib/planted.h).

    explore_test(name = "shootdown_test", scenarios = ["shootdown_two"], schedules = 100000)
    explore_test(
        name = "ack_before_flush_test",
        scenarios = ["shootdown_free"],
        schedules = 20000,
        plant = "ack_before_flush",
        expect = "found",
    )
"""

load("@rules_shell//shell:sh_test.bzl", "sh_test")
load("//bazel:transition.bzl", "TRANSITION_ALLOWLIST")

_COPT = "//command_line_option:copt"

def _plants_transition_impl(settings, _attr):
    return {_COPT: settings[_COPT] + ["-DQUIRE_PLANTS"]}

_plants_transition = transition(
    implementation = _plants_transition_impl,
    inputs = [_COPT],
    outputs = [_COPT],
)

def _with_plants_impl(ctx):
    program = ctx.attr.binary[0][DefaultInfo]
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = out,
        target_file = program.files_to_run.executable,
        is_executable = True,
    )
    # Linked statically: it needs nothing beside it, least of all a plain program of its own name.
    return [DefaultInfo(executable = out)]

with_plants = rule(
    implementation = _with_plants_impl,
    attrs = dict(
        TRANSITION_ALLOWLIST,
        binary = attr.label(cfg = _plants_transition, mandatory = True),
    ),
    executable = True,
)

def explore_test(
        name,
        scenarios = [],
        strategy = None,
        schedules = None,
        exhaustive = False,
        threads = None,
        plant = None,
        expect = "clean",
        explorer = None,
        size = "medium",
        tags = [],
        **kwargs):
    """Runs the explorer and judges what it found.

    Args:
      name: the test.
      scenarios: their names; none means all.
      strategy: only this one, instead of the portfolio.
      schedules: of each scenario.
      exhaustive: every schedule of those that are small enough.
      threads: rounds on threads of the host instead.
      plant: the planted bug that is switched on.
      expect: "clean", or "found": the test fails if no schedule does.
      explorer: the program; by default the one with planted bugs if there is a plant.
      size: Bazel's.
      tags: as for every rule.
      **kwargs: everything else that sh_test takes.
    """
    if not explorer:
        explorer = "//tests/explore:explore_plants" if plant else "//tests/explore:explore"
    args = ["$(rootpath %s)" % explorer] + scenarios + ["--expect", expect, "--jobs", "1"]
    for option, value in [
        ("--strategy", strategy),
        ("--schedules", schedules),
        ("--threads", threads),
        ("--plant", plant),
    ]:
        if value != None:
            args += [option, str(value)]
    sh_test(
        name = name,
        size = size,
        srcs = ["//tests/explore:explore_test.sh"],
        args = args + (["--exhaustive"] if exhaustive else []),
        data = [explorer],
        tags = tags,
        **kwargs
    )
