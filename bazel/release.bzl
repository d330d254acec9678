# SPDX-License-Identifier: BSD-2-Clause
"""A kernel file built without debug checks, as with --config=release, whatever the command line says.

    release_file(name = "quire_release.elf", built = "//kernel:quire.elf")

For tests that measure, beside a build that has the checks. Toolchains cannot see a setting like this
one, so it works by a compiler option (//bazel:transition.bzl).
"""

load("//bazel:transition.bzl", "TRANSITION_ALLOWLIST", "WITHOUT_CHECKS", "built_file_impl")

def _bool_setting_impl(_ctx):
    return []

bool_setting = rule(
    doc = "True or false, for rules with a transition.",
    implementation = _bool_setting_impl,
    build_setting = config.bool(flag = False),
)

def _release_transition_impl(_settings, _attr):
    return {WITHOUT_CHECKS: True}

_release_transition = transition(
    implementation = _release_transition_impl,
    inputs = [],
    outputs = [WITHOUT_CHECKS],
)

release_file = rule(
    doc = "A file for the kernel without debug checks, under a name of its own.",
    implementation = built_file_impl,
    attrs = dict(TRANSITION_ALLOWLIST, **{
        "built": attr.label(mandatory = True, cfg = _release_transition),
    }),
)
