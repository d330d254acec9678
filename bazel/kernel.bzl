# SPDX-License-Identifier: BSD-2-Clause
"""The kernel image.

    load("//bazel:kernel.bzl", "kernel_image")

    kernel_image(
        name = "quire.elf",
        srcs = ["main.c", "//arch/x86_64:boot_srcs"],
        linker_script = "//arch/x86_64:quire.ld",
        deps = [":shell", "//vm", "//arch/x86_64"],
    )

makes :quire.elf (with debug information, for gdb) and :quire.elf.stripped (for the ISO), both
whatever platform the command line asks for. All of srcs and deps is linked, in any order; functions
that nothing refers to are dropped, unless the linker script says KEEP.

The image carries its own table of function names, for backtraces:

    extern const uint32_t kernel_symbol_count;
    extern const uint32_t kernel_symbol_offsets[];  /* from KERNBASE, ascending */
    extern const uint32_t kernel_symbol_names[];    /* offsets into kernel_symbol_strings */
    extern const char kernel_symbol_strings[];      /* NUL-terminated */

It is linked twice: with an empty table, then with the table made from the first result. The linker
script has to put section .quire_symbols behind .text (at the end of .rodata, say) so that no
function moves between the two; the build compares them and fails if one did.
"""

load("@machine_gcc//:gcc.bzl", "GCC_TOOLS")
load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//bazel:quire.bzl", "KERNEL_ONLY", "quire_library")
load("//bazel:transition.bzl", "TRANSITION_ALLOWLIST", "built_file_impl", "kernel_transition")

_kernel_file = rule(
    doc = "A file built for the kernel's platform, under a name of its own in the host's tree.",
    implementation = built_file_impl,
    attrs = dict(TRANSITION_ALLOWLIST, **{
        "built": attr.label(mandatory = True, cfg = kernel_transition),
    }),
)

def _link(name, table, objects, linker_script, linkopts):
    cc_binary(
        name = name,
        srcs = [table],
        additional_linker_inputs = [linker_script],
        linkopts = ["-Wl,-T,$(execpath %s)" % linker_script] + linkopts,
        linkstatic = True,
        target_compatible_with = KERNEL_ONLY,
        visibility = ["//visibility:private"],
        deps = [objects],
    )

def _step(name, cmd, srcs = [], tools = [], out = None):
    native.genrule(
        name = name,
        srcs = srcs,
        outs = [out or name + ".out"],
        cmd = cmd,
        target_compatible_with = KERNEL_ONLY,
        tools = tools,
        visibility = ["//visibility:private"],
    )

# Code symbols with their addresses; the table itself lies elsewhere.
_FUNCTIONS = GCC_TOOLS["nm"] + " -n %s | grep -i ' [tw] '"

def kernel_image(name, srcs, linker_script, deps = [], linkopts = [], visibility = None):
    """The kernel as an ELF file; see the top of this file.

    Args:
      name: the ELF file.
      srcs: sources that are always linked, the boot code among them.
      linker_script: label of the linker script.
      deps: libraries.
      linkopts: further options for the linker.
      visibility: of the two results.
    """
    objects, first, second = name + ".objects", name + ".first", name + ".second"
    quire_library(
        name = objects,
        srcs = srcs,
        alwayslink = True,
        kernel_only = True,
        deps = deps,
    )

    table = "$(execpath //bazel:symbol_table)"
    _step(name + ".no_symbols", table + " </dev/null >$@", tools = ["//bazel:symbol_table"], out = name + ".no_symbols.S")
    _link(first, name + ".no_symbols.S", objects, linker_script, linkopts)
    _step(
        name + ".symbols",
        (_FUNCTIONS % ("$(execpath %s)" % first)) + " | %s >$@" % table,
        srcs = [first],
        tools = ["//bazel:symbol_table"],
        out = name + ".symbols.S",
    )
    _link(second, name + ".symbols.S", objects, linker_script, linkopts)
    _step(
        name + ".checked",
        " && ".join([
            (_FUNCTIONS % ("$(execpath %s)" % first)) + " >$@.1",
            (_FUNCTIONS % ("$(execpath %s)" % second)) + " >$@.2",
            "{ diff $@.1 $@.2 >&2 || " +
            "{ echo 'functions moved when the symbol table was linked in: " +
            "section .quire_symbols must lie behind .text' >&2; exit 1; }; }",
            "rm $@.1 $@.2",
            "cp $(execpath %s) $@" % second,
        ]),
        srcs = [first, second],
    )
    _step(
        name + ".small",
        GCC_TOOLS["strip"] + " --strip-all -o $@ $(execpath %s)" % (name + ".checked"),
        srcs = [name + ".checked"],
    )
    _kernel_file(name = name, built = name + ".checked", visibility = visibility)
    _kernel_file(name = name + ".stripped", built = name + ".small", visibility = visibility)
