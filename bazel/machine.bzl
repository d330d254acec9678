# SPDX-License-Identifier: BSD-2-Clause
"""Repositories made from what is installed on this machine."""

def _declare(ctx, build):
    ctx.file("WORKSPACE", "workspace(name = %r)\n" % ctx.name)
    ctx.file("BUILD", build)

# ---- the compiler -----------------------------------------------------------------------------

_GCC_TOOLS = ["ar", "cpp", "gcov", "ld", "nm", "objcopy", "objdump", "strip"]

def _machine_gcc_impl(ctx):
    name = ctx.os.environ.get("QUIRE_GCC", "") or "gcc"
    gcc = ctx.which(name)
    if not gcc:
        fail("%s not found. Debian: apt-get install gcc binutils" % name)
    include = ctx.execute([gcc, "-print-file-name=include"])
    if include.return_code:
        fail("%s -print-file-name=include: %s" % (gcc, include.stderr))

    # /usr/bin/gcc → /usr/bin/nm, /opt/x86_64-elf-gcc → /opt/x86_64-elf-nm
    prefix = str(gcc)[:-len("gcc")]
    tools = {"gcc": str(gcc)}
    for tool in _GCC_TOOLS:
        path = ctx.path(prefix + tool)
        tools[tool] = str(path) if path.exists else "/bin/false"
    _declare(ctx, "exports_files([\"gcc.bzl\"])\n")
    ctx.file("gcc.bzl", "GCC_INCLUDE = %r\nGCC_TOOLS = %r\n" % (include.stdout.strip(), tools))

machine_gcc = repository_rule(
    doc = "The freestanding compiler: gcc, or the cross compiler that QUIRE_GCC names (…-gcc).",
    implementation = _machine_gcc_impl,
    environ = ["PATH", "QUIRE_GCC"],
    configure = True,
)

# ---- GoogleTest -------------------------------------------------------------------------------

_GOOGLETEST = "/usr/src/googletest"

def _system_googletest_impl(ctx):
    if ctx.path(_GOOGLETEST + "/googletest").exists:
        ctx.symlink(_GOOGLETEST + "/googletest", "googletest")
    else:
        ctx.download_and_extract(
            url = "https://github.com/google/googletest/archive/refs/tags/release-1.12.1.tar.gz",
            sha256 = "81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2",
            stripPrefix = "googletest-release-1.12.1",
        )
        ctx.delete("BUILD.bazel")
        ctx.delete("WORKSPACE")
    _declare(ctx, ctx.read(Label("//bazel/third_party:googletest.BUILD")))

system_googletest = repository_rule(
    doc = "GoogleTest from Debian's package googletest, else the release of the same version.",
    implementation = _system_googletest_impl,
)

# ---- Google Benchmark -------------------------------------------------------------------------

def _system_benchmark_impl(ctx):
    found = ctx.path("/usr/include/benchmark/benchmark.h").exists

    # Benchmarks are run by hand, so a missing library must not stop the rest of the build.
    _declare(ctx, ctx.read(Label(
        "//bazel/third_party:benchmark.BUILD" if found else "//bazel/third_party:no_benchmark.BUILD",
    )))

system_benchmark = repository_rule(
    doc = "Google Benchmark from Debian's package libbenchmark-dev.",
    implementation = _system_benchmark_impl,
)

# ---- libbsd -----------------------------------------------------------------------------------

_LIBBSD = "/usr/include/bsd/sys/"

def _system_libbsd_impl(ctx):
    for header in ["queue.h", "tree.h"]:
        if not ctx.path(_LIBBSD + header).exists:
            fail("%s%s not found. Debian: apt-get install libbsd-dev" % (_LIBBSD, header))
        text = ctx.read(_LIBBSD + header)

        # <bsd/sys/cdefs.h> cannot define __unused: headers of the C library have members of
        # that name.
        text = text.replace("__unused static", "__attribute__((__unused__)) static")
        ctx.file("include/bsd/sys/" + header, text, executable = False)
    ctx.symlink(Label("//bazel/third_party:bsd_cdefs.h"), "include/bsd/sys/cdefs.h")
    _declare(ctx, ctx.read(Label("//bazel/third_party:libbsd.BUILD")))

system_libbsd = repository_rule(
    doc = "\"bsd/sys/queue.h\" and \"bsd/sys/tree.h\" of package libbsd-dev, usable without a libc.",
    implementation = _system_libbsd_impl,
)
