# SPDX-License-Identifier: BSD-2-Clause
"""Small stand-ins for rules_cc and rules_shell.

BUILD files load every rule from where Bazel 8 and later keep it. In older Bazels the rules are
built in, and these repositories hand them on under the new names without a download.
"""

def _written_repository_impl(ctx):
    ctx.file("WORKSPACE", "workspace(name = %r)\n" % ctx.name)
    for path, text in ctx.attr.files.items():
        ctx.file(path, text, executable = False)

written_repository = repository_rule(
    doc = "A repository whose files are given as text.",
    implementation = _written_repository_impl,
    attrs = {"files": attr.string_dict()},
)

def _native(*rules):
    return "".join(["{0} = getattr(native, \"{0}\", None)\n".format(rule) for rule in rules])

# A .bzl file cannot re-export a builtin of the same name directly: an alias lies between them.
def _builtin(name):
    return """load("//cc:builtins.bzl", "builtin_{0}")\n{0} = builtin_{0}\n""".format(name)

_BUILTINS = ["cc_common", "CcInfo", "CcToolchainConfigInfo"]

_TOOLCHAIN_LIB = ["feature", "flag_group", "flag_set", "tool_path", "with_feature_set"]

def _toolchain_lib():
    loads = ["    _{0} = \"{0}\",\n".format(name) for name in _TOOLCHAIN_LIB]
    exports = ["{0} = _{0}\n".format(name) for name in _TOOLCHAIN_LIB]
    return "load(\n    \"@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl\",\n%s)\n%s" % (
        "".join(loads),
        "".join(exports),
    )

RULES_CC = {
    "BUILD": "",
    "cc/BUILD": "",
    "cc/builtins.bzl": "".join(["builtin_{0} = {0}\n".format(name) for name in _BUILTINS]),
    "cc/cc_toolchain_config_lib.bzl": _toolchain_lib(),
    "cc/common/BUILD": "",
    "cc/common/cc_common.bzl": _builtin("cc_common"),
    "cc/common/cc_info.bzl": _builtin("CcInfo"),
    "cc/defs.bzl": _native(
        "cc_binary",
        "cc_import",
        "cc_library",
        "cc_test",
        "cc_toolchain",
        # Not ours: Bazel's own description of the host's compiler loads it from here.
        "cc_toolchain_suite",
    ),
    "cc/toolchains/BUILD": "",
    "cc/toolchains/cc_toolchain_config_info.bzl": _builtin("CcToolchainConfigInfo"),
}

RULES_SHELL = {
    "BUILD": "",
    "shell/BUILD": "",
    "shell/sh_binary.bzl": _native("sh_binary"),
    "shell/sh_library.bzl": _native("sh_library"),
    "shell/sh_test.bzl": _native("sh_test"),
}

NO_COVERAGE_TOOLS = {
    "BUILD": "".join([
        "filegroup(name = %r, visibility = [\"//visibility:public\"])\n" % name
        for name in ["coverage_output_generator", "coverage_report_generator", "lcov_merger"]
    ]),
}
