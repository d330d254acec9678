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

def built_file_impl(ctx):
    """For rules that give the one file of attribute `built` the name of the target."""

    # An attribute with a transition is a list, even of one.
    built = ctx.attr.built[0][DefaultInfo].files.to_list()[0]
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = out, target_file = built)
    return [DefaultInfo(files = depset([out]), runfiles = ctx.runfiles([out]))]
