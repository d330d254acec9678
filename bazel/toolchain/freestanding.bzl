# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's C toolchain: the machine's GCC, with no library and no operating system under it."""

load("@machine_gcc//:gcc.bzl", "GCC_INCLUDE", "GCC_TOOLS")
load(
    "@rules_cc//cc:cc_toolchain_config_lib.bzl",
    "feature",
    "flag_group",
    "flag_set",
    "tool_path",
    "with_feature_set",
)
load("@rules_cc//cc/common:cc_common.bzl", "cc_common")
load("@rules_cc//cc/toolchains:cc_toolchain_config_info.bzl", "CcToolchainConfigInfo")

_ASSEMBLE = ["assemble", "preprocess-assemble"]
_COMPILE = ["c-compile", "c++-compile"]
_LINK = ["c++-link-executable"]

# No C library and no headers but the compiler's own.
_FREESTANDING = [
    "-m64",
    "-ffreestanding",
    "-nostdinc",
    "-isystem",
    GCC_INCLUDE,
]

# Interrupts run on the interrupted stack (no red zone) and save no vector registers; the image
# is linked in the top 2 GiB; memset's own loop must not become a call of memset; the stack
# protector's guard is a plain variable, because %gs belongs to the kernel; frame pointers carry
# the backtrace.
_KERNEL = [
    "-mno-red-zone",
    "-mgeneral-regs-only",
    "-mcmodel=kernel",
    "-fno-pic",
    "-fno-pie",
    "-fcf-protection=none",
    "-fno-tree-loop-distribute-patterns",
    "-fno-asynchronous-unwind-tables",
    "-fno-omit-frame-pointer",
    "-fno-optimize-sibling-calls",
    "-fno-strict-aliasing",
    "-fno-common",
    "-ffunction-sections",
    "-fstack-protector-strong",
    "-mstack-protector-guard=global",
]

_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wvla",
    "-Wmissing-prototypes",
    "-Wstrict-prototypes",
    "-Wshadow",
    "-Wundef",
]

# The same bytes from any folder on any day.
_REPRODUCIBLE = [
    "-fno-canonical-system-headers",
    "-ffile-prefix-map=/proc/self/cwd=.",
    "-Wno-builtin-macro-redefined",
    "-D__DATE__=\"redacted\"",
    "-D__TIME__=\"redacted\"",
    "-D__TIMESTAMP__=\"redacted\"",
]

_LINK_FLAGS = [
    "-static",
    "-nostdlib",
    "-no-pie",
    "-Wl,--build-id=none",
    "-Wl,--gc-sections",
    "-Wl,-z,max-page-size=0x1000",
    "-Wl,-z,noexecstack",
    # Among the warnings: a segment that is both writable and executable.
    "-Wl,--fatal-warnings",
]

def _flags(actions, flags, feature_name = None):
    return flag_set(
        actions = actions,
        flag_groups = [flag_group(flags = flags)] if flags else [],
        with_features = [with_feature_set(features = [feature_name])] if feature_name else [],
    )

def _impl(ctx):
    kernel = feature(
        name = "quire_kernel",
        enabled = True,
        flag_sets = [
            _flags(_ASSEMBLE + _COMPILE, _FREESTANDING + ["-g"]),
            _flags(_COMPILE, _KERNEL + _WARNINGS),
            _flags(["c-compile"], ["-std=gnu17"]),
            _flags(_COMPILE, ["-Og"], "dbg"),
            _flags(_COMPILE, ["-O2"], "fastbuild"),
            _flags(_COMPILE, ["-O2"], "opt"),
            _flags(_ASSEMBLE + _COMPILE, _REPRODUCIBLE + ctx.attr.variant_copts),
            _flags(_LINK, _LINK_FLAGS),
        ],
    )
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        features = [
            feature(name = "dbg"),
            feature(name = "fastbuild"),
            feature(name = "opt"),
            kernel,
            feature(name = "supports_dynamic_linker", enabled = False),
            feature(name = "supports_pic", enabled = False),
            feature(name = "supports_start_end_lib", enabled = False),
        ],
        toolchain_identifier = "x86_64-quire-gcc",
        host_system_name = "x86_64-linux-gnu",
        target_system_name = "x86_64-quire",
        target_cpu = "x86_64",
        target_libc = "none",
        compiler = "gcc",
        abi_version = "sysv",
        abi_libc_version = "none",
        cxx_builtin_include_directories = [GCC_INCLUDE],
        tool_paths = [tool_path(name = name, path = path) for name, path in GCC_TOOLS.items()],
    )

freestanding_toolchain_config = rule(
    implementation = _impl,
    attrs = {"variant_copts": attr.string_list()},
    provides = [CcToolchainConfigInfo],
)
