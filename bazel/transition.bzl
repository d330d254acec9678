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

def _kernel_transition_impl(_settings, _attr):
    return dict(_RESET, **{_SETTING + "platforms": "//bazel/platforms:x86_64_quire"})

kernel_transition = transition(
    implementation = _kernel_transition_impl,
    inputs = [],
    outputs = _RESET.keys() + [_SETTING + "platforms"],
)

# A rule with an attribute that crosses over has to list this as well.
TRANSITION_ALLOWLIST = {
    "_allowlist_function_transition": attr.label(
        default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
    ),
}
