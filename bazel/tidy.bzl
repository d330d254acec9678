# SPDX-License-Identifier: BSD-2-Clause
"""clang-tidy as a test: bazel test --config=lint //...

The include folders and headers come from the library itself, so that clang-tidy sees each file as
its build does: the kernel's half of the tree with the kernel's flags, the rest with the host's.
"""

load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")
load("//bazel:transition.bzl", "TRANSITION_ALLOWLIST", "kernel_transition")

_KERNEL_FLAGS = [
    "--target=x86_64-elf",
    "-ffreestanding",
    "-nostdlibinc",
    "-mno-red-zone",
    "-mgeneral-regs-only",
    "-mcmodel=kernel",
]

def _tidy_test_impl(ctx):
    library = ctx.attr.kernel_library[0] if ctx.attr.kernel_library else ctx.attr.host_library
    context = library[CcInfo].compilation_context
    flags = ["-std=gnu17", "-DQUIRE_DEBUG=1"] + ctx.attr.copts
    flags += _KERNEL_FLAGS if ctx.attr.kernel_library else []
    flags += ["-D" + d for d in context.defines.to_list()]
    for option, folders in [
        ("-iquote", context.quote_includes),
        ("-I", context.includes),
        ("-isystem", context.system_includes),
    ]:
        for folder in folders.to_list():
            flags += [option, folder]
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(script, is_executable = True, content = "\n".join([
        "#!/bin/bash",
        "exec {runner} {files} -- {flags}".format(
            runner = ctx.file._runner.short_path,
            files = " ".join([f.short_path for f in ctx.files.srcs]),
            flags = " ".join(["'%s'" % f for f in flags]),
        ),
        "",
    ]))
    files = ctx.files.srcs + [ctx.file._runner, ctx.file._config]
    return [DefaultInfo(
        executable = script,
        runfiles = ctx.runfiles(files, transitive_files = context.headers),
    )]

_tidy_test = rule(
    implementation = _tidy_test_impl,
    attrs = dict(TRANSITION_ALLOWLIST, **{
        "copts": attr.string_list(),
        "host_library": attr.label(providers = [CcInfo]),
        "kernel_library": attr.label(cfg = kernel_transition, providers = [CcInfo]),
        "srcs": attr.label_list(allow_files = [".c"]),
        "_config": attr.label(default = "//:.clang-tidy", allow_single_file = True),
        "_runner": attr.label(default = "//bazel:clang_tidy.sh", allow_single_file = True),
    }),
    test = True,
)

def tidy_test(name, srcs, library, kernel = False, copts = []):
    _tidy_test(
        name = name,
        size = "medium",
        srcs = srcs,
        copts = copts,
        host_library = None if kernel else library,
        kernel_library = library if kernel else None,
        tags = ["lint"],
    )
