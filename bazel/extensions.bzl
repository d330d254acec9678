# SPDX-License-Identifier: BSD-2-Clause
"""What MODULE.bazel takes from the machine instead of from a registry."""

load("//bazel:machine.bzl", "machine_gcc", "system_benchmark", "system_libbsd")

def _machine_impl(_ctx):
    machine_gcc(name = "machine_gcc")
    system_benchmark(name = "google_benchmark")
    system_libbsd(name = "libbsd")

machine = module_extension(implementation = _machine_impl)
