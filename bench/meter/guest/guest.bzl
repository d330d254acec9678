# SPDX-License-Identifier: BSD-2-Clause
"""A file of the kernel's platform, for a test of the host's."""

load("//bazel:transition.bzl", "TRANSITION_ALLOWLIST", "kernel_transition")

def _guest_file_impl(ctx):
    # An attribute with a transition is a list, even of one.
    built = ctx.attr.built[0][DefaultInfo].files.to_list()[0]
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = out, target_file = built)
    return [DefaultInfo(files = depset([out]), runfiles = ctx.runfiles([out]))]

guest_file = rule(
    implementation = _guest_file_impl,
    attrs = dict(TRANSITION_ALLOWLIST, **{
        "built": attr.label(mandatory = True, cfg = kernel_transition),
    }),
)
