# SPDX-License-Identifier: BSD-2-Clause
"""The step from a host build into the kernel's."""

_SETTING = "//command_line_option:"

# Meant for host tests (sanitizers, coverage, other dialects): none of it may reach the kernel.
_RESET = {
    _SETTING + "collect_code_coverage": False,
    _SETTING + "conlyopt": [],
    _SETTING + "copt": [],
    _SETTING + "cxxopt": [],
    _SETTING + "features": [],
    _SETTING + "linkopt": [],
    _SETTING + "per_file_copt": [],
}

# Set by release_file of //bazel:release.bzl.
WITHOUT_CHECKS = "//bazel:without_checks"

def _kernel_transition_impl(settings, _attr):
    changes = dict(_RESET, **{_SETTING + "platforms": "//bazel/platforms:x86_64_quire"})
    if settings[WITHOUT_CHECKS]:
        changes[_SETTING + "copt"] = ["-UQUIRE_DEBUG"]
    return changes

kernel_transition = transition(
    implementation = _kernel_transition_impl,
    inputs = [WITHOUT_CHECKS],
    outputs = _RESET.keys() + [_SETTING + "platforms"],
)

# A rule with an attribute that crosses over has to list this as well.
TRANSITION_ALLOWLIST = {
    "_allowlist_function_transition": attr.label(
        default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
    ),
}
