# SPDX-License-Identifier: BSD-2-Clause
"""Boot tests from a table: one QEMU run each. //tests/boot holds the table."""

load("@rules_shell//shell:sh_test.bzl", "sh_test")

_RUNNER = "//tests/boot:boot_test.sh"
_QMP_RUNNER = "//tests/boot:qmp_test.py"
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
        steps = [],
        absent = [],
        qemu = [],
        timeout = 120,
        manual = False):
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
      steps: what is done to the kernel while it runs, and what it has to say to that, in the
        words of tests/boot/qmp_test.py; in place of `expect`. With run = None they type.
      absent: with steps: expressions that the log may not have.
      qemu: further arguments for QEMU.
      timeout: seconds until the kernel counts as hung.
      manual: it takes long or much memory, so it runs only when it is named.

    Returns:
      The line as a dictionary.
    """
    return {
        "absent": absent,
        "boot": boot,
        "cmdline": (options + (" run=" + run if run != None else "")).strip(),
        "expect": expect or [
            "smp: %d of %d CPUs online" % (cpus, cpus),
            "selftest: [1-9][0-9]* passed, 0 failed",
            "audit: ok",
        ],
        "manual": manual,
        "mem": mem,
        "name": name + "_boot_test",
        "qemu": ["-smp", smp or str(cpus), "-m", mem] + qemu,
        "status": status,
        "steps": steps,
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
        ]
        if line["steps"]:
            options += [("--step", _quote(step)) for step in line["steps"]]
            options += [("--absent", _quote(regex)) for regex in line["absent"]]
        else:
            options += [("--expect", _quote(regex)) for regex in line["expect"]]
        args = []
        for option, value in options:
            args += [option, value]
        sh_test(
            name = line["name"],
            # Bazel's own limit, 300 s or 900 s, lies above that of the line.
            size = "medium" if line["timeout"] < 300 else "large",
            srcs = [_QMP_RUNNER if line["steps"] else _RUNNER],
            args = args + ["--"] + [_quote(arg) for arg in line["qemu"]],
            data = [image, _QEMU],
            tags = [
                "cpu:2",
                "qemu",
            ] + (["manual"] if line["manual"] else []),
        )
