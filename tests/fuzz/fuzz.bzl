# SPDX-License-Identifier: BSD-2-Clause
"""Fuzzers: one source with LLVMFuzzerTestOneInput, two programs.

    fuzz_target(name = "shell", corpus = ["corpus/shell"], changed = 20000, deps = ["//kernel:pure"])

makes, of shell_fuzz.cc, the test :shell_corpus_test, which runs the corpus and `changed` copies of
it with a few bytes changed, under any compiler; and :shell_fuzz for libFuzzer, which only
`./quire fuzz` builds, with clang.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

_COPTS = ["-fno-strict-aliasing", "-Wall", "-Wextra", "-Werror"]

def fuzz_target(name, corpus, changed, deps, data = [], size = "medium"):
    """Declares both programs of NAME_fuzz.cc.

    Args:
      name: the target of `./quire fuzz`.
      corpus: folders, from the root of the tree.
      changed: how many changed copies the test runs.
      deps: what is fuzzed.
      data: labels of the files in `corpus`, where they are another package's.
      size: Bazel's size of the test.
    """
    cc_library(
        name = name + "_input",
        testonly = True,
        srcs = [name + "_fuzz.cc"],
        hdrs = ["fuzz_input.h"],
        copts = _COPTS,
        deps = deps,
        alwayslink = True,
    )
    cc_test(
        name = name + "_corpus_test",
        size = size,
        srcs = ["corpus_main.cc"],
        args = ["--changed", str(changed)] + corpus,
        copts = _COPTS,
        data = native.glob(["corpus/%s/**" % name], allow_empty = True) + data,
        linkstatic = True,
        deps = [":%s_input" % name],
    )
    cc_binary(
        name = name + "_fuzz",
        testonly = True,
        linkopts = ["-fsanitize=fuzzer"],
        linkstatic = True,
        tags = ["manual"],
        deps = [":%s_input" % name],
    )
