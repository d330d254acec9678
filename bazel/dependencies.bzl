# SPDX-License-Identifier: BSD-2-Clause
"""Where everything comes from that is not in this tree, for builds that read WORKSPACE.

On Debian nothing is downloaded: the libraries are those of Debian's packages, and the rule sets
that Debian's Bazel 4.2.3 loads by itself stand in /usr/share/bazel or are written here.
"""

load("//bazel:machine.bzl", "machine_gcc", "system_benchmark", "system_googletest", "system_libbsd")
load("//bazel:rule_shims.bzl", "written_repository", "NO_COVERAGE_TOOLS", "RULES_CC", "RULES_SHELL")

def quire_dependencies():
    """Declares every external repository; called from WORKSPACE."""
    written_repository(name = "rules_cc", files = RULES_CC)
    written_repository(name = "rules_shell", files = RULES_SHELL)

    # Only Debian's build of Bazel has no version, and no mirror to fetch its own parts from.
    if not native.bazel_version:
        written_repository(name = "remote_coverage_tools", files = NO_COVERAGE_TOOLS)
        native.local_repository(name = "bazel_skylib", path = "/usr/share/bazel/tools/skylib")
        native.local_repository(name = "platforms", path = "/usr/share/bazel/tools/platforms")
        native.local_repository(name = "rules_java", path = "/usr/share/bazel/rules/java")

    machine_gcc(name = "machine_gcc")
    system_benchmark(name = "google_benchmark")
    system_googletest(name = "googletest")
    system_libbsd(name = "libbsd")
