# SPDX-License-Identifier: BSD-2-Clause
"""The project's build rules. A BUILD file looks like this:

    load("//bazel:quire.bzl", "quire_library", "quire_test")

    package(default_visibility = ["//visibility:public"])

    quire_library(
        name = "vm",                        # C, built for the kernel and for the host
        srcs = ["vm_map.c"],                # also private headers
        hdrs = ["vm_map.h"],
        deps = ["//smp", "@libbsd//:headers"],
    )

    quire_library(name = "apic", kernel_only = True, ...)  # cannot be built for the host

    quire_test(                             # GoogleTest, C++17, on the host, with gtest's main
        name = "vm_map_test",
        srcs = ["vm_map_test.cc"],
        deps = ["//vm", "//arch/host"],
        tags = ["threads"],                 # if threads share memory: runs under TSan as well
    )

    load("//bazel:kernel.bzl", "kernel_image")   # in kernel/BUILD; see there

To tell the two builds apart: select({"//bazel/platforms:quire_kernel": [...],
"//conditions:default": [...]}). The kernel's flags stand in bazel/toolchain/freestanding.bzl,
the host's here and in .bazelrc. QUIRE_DEBUG is defined to 1 on the host, and in the kernel unless
--config=release. Every library also gets a clang-tidy test, tagged `lint`.

Links of host programs need what implements a lower layer's declarations (the host machine, and
panic() with it) whatever the order of deps: such a library says alwayslink = True.
"""

load("@rules_cc//cc:defs.bzl", "cc_library", "cc_test")
load("//bazel:tidy.bzl", "tidy_test")

# Targets that only the kernel's platform can build; Bazel leaves them out of a host build.
KERNEL_ONLY = ["//bazel/platforms:quire_os"]

_HOST_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wvla",
    "-Wshadow",
    "-Wundef",
    "-O1",
    "-g",
    "-fno-strict-aliasing",
    "-DQUIRE_DEBUG=1",
]

def quire_library(name, srcs = [], kernel_only = False, copts = [], tags = [], alwayslink = False, **kwargs):
    """A C library of the project: cc_library with the project's warnings.

    Args:
      name: the target.
      srcs: C files, assembly files, headers that only this target includes.
      kernel_only: it holds what cannot exist in a host program.
      copts: further options for both builds.
      tags: as for every rule; "notidy" leaves out the clang-tidy test.
      alwayslink: host programs take all of it, not only what something before it refers to.
      **kwargs: everything else that cc_library takes.
    """
    cc_library(
        name = name,
        srcs = srcs,
        # Lower layers refer to what the backend and the kernel define, whose archives may come
        # earlier on the command line; so the kernel takes every object and the linker drops the
        # functions that nobody uses.
        alwayslink = True if alwayslink else select({
            "//bazel/platforms:quire_kernel": True,
            "//conditions:default": False,
        }),
        copts = select({
            "//bazel/platforms:quire_kernel": [],
            "//conditions:default": _HOST_COPTS,
        }) + copts,
        linkstatic = True,
        tags = tags,
        target_compatible_with = KERNEL_ONLY if kernel_only else [],
        **kwargs
    )
    sources = [s for s in srcs if s.endswith(".c")] if type(srcs) == "list" else []
    if sources and "notidy" not in tags:
        tidy_test(
            name = name + "_tidy_test",
            srcs = sources,
            copts = copts,
            kernel = kernel_only,
            library = name,
        )

def quire_test(name, srcs, deps = [], copts = [], size = "small", **kwargs):
    """A GoogleTest program that runs on the host.

    Args:
      name: the target, <file under test>_test.
      srcs: C++ files.
      deps: the code under test; GoogleTest and its main() come by themselves.
      copts: further compiler options.
      size: Bazel's test size; small means at most 60 seconds.
      **kwargs: everything else that cc_test takes.
    """
    cc_test(
        name = name,
        size = size,
        srcs = srcs,
        # In C a function may share the name of a structure; g++ calls that hiding a constructor.
        copts = _HOST_COPTS + ["-Wno-shadow"] + copts,
        linkstatic = True,
        deps = deps + ["@googletest//:gtest_main"],
        **kwargs
    )
