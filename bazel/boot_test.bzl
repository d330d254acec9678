# SPDX-License-Identifier: BSD-2-Clause
"""Boot tests from a table: one QEMU run each. //tests/boot holds the table."""

load("@rules_shell//shell:sh_test.bzl", "sh_test")

_RUNNER = "//tests/boot:boot_test.sh"
_QEMU = "//iso:run_qemu.sh"

def boot(
        name,
        boot = "pvh",
        cpus = 4,
        smp = None,
        mem = "512M",
        options = "",
        run = "selftest; audit",
        status = 33,
        expect = None,
        qemu = [],
        timeout = 120):
    """One line of the table.

    Args:
      name: the test becomes <name>_boot_test.
      boot: bios-cd, bios-disk, bios-usb, uefi-cd, uefi-usb or pvh.
      cpus: how many CPUs have to come up.
      smp: QEMU's -smp, where a number does not say it.
      mem: QEMU's -m.
      options: kernel options.
      run: shell commands for the kernel; None: options alone make it do something and power off.
      status: QEMU's exit status: 33 success, 35 a command failed, 37 panic.
      expect: extended regular expressions for the serial log; None: all CPUs online, the
        self-test passed, the audit found nothing.
      qemu: further arguments for QEMU.
      timeout: seconds until the kernel counts as hung.

    Returns:
      The line as a dictionary.
    """
    return {
        "boot": boot,
        "cmdline": (options + (" run=" + run if run != None else "")).strip(),
        "expect": expect or [
            "smp: %d of %d CPUs online" % (cpus, cpus),
            "selftest: [1-9][0-9]* passed, 0 failed",
            "audit: ok",
        ],
        "mem": mem,
        "name": name + "_boot_test",
        "qemu": ["-smp", smp or str(cpus), "-m", mem] + qemu,
        "status": status,
        "timeout": timeout,
    }

# Bazel splits arguments as a shell does, after it has expanded $.
def _quote(text):
    if "'" in text:
        fail("a boot test's texts cannot contain an apostrophe: " + text)
    return "'" + text.replace("$", "$$") + "'"

def boot_tests(table):
    """Declares a test for every line of the table."""
    for line in table:
        image = "//kernel:quire.elf" if line["boot"] == "pvh" else "//iso:quire.iso"
        options = [
            ("--qemu-script", "$(rootpath %s)" % _QEMU),
            ("--image", "$(rootpath %s)" % image),
            ("--boot", line["boot"]),
            ("--cmdline", _quote(line["cmdline"])),
            ("--status", str(line["status"])),
            ("--timeout", str(line["timeout"])),
        ] + [("--expect", _quote(regex)) for regex in line["expect"]]
        args = []
        for option, value in options:
            args += [option, value]
        sh_test(
            name = line["name"],
            # Bazel's own limit, 300 s, lies above that of the line.
            size = "medium",
            srcs = [_RUNNER],
            args = args + ["--"] + [_quote(arg) for arg in line["qemu"]],
            data = [image, _QEMU],
            tags = [
                "cpu:2",
                "qemu",
            ],
        )
