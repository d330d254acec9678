# SPDX-License-Identifier: BSD-2-Clause
"""What no program asks for, done to a running kernel: NMIs, machine checks, stopped CPUs, panics."""

load("//bazel:boot_test.bzl", "boot")

_NMI = "nmi: CPU [01] was interrupted at [a-z0-9_]+\\+0x[0-9a-f]+: the chipset names no cause"

# IA32_MCi_STATUS of an error of the memory controller (Intel SDM vol. 3B 15.3.2.2), with address:
# corrected; found by scrubbing and not corrected; data that the CPU was about to use.
_CORRECTED = "0x8c000000000000c0"
_OPTIONAL = "0xbd000000000000c0"
_REQUIRED = "0xbd80000000000134"
_CONTEXT_LOST = "0xbe00000000000090"

# The address is a physical one, good to a page.
_MISC = "0x8c"

def _mce(cpu, bank, status, address, global_status = "0x5"):
    return "hmp mce %d %d %s %s %s %s" % (cpu, bank, status, global_status, address, _MISC)

def _panic(name, command, expect, **kwargs):
    return boot(name = name, cpus = 3, mem = "64M", run = command, expect = expect, status = 37, **kwargs)

INCIDENT_TESTS = [
    boot(
        name = "nmi",
        cpus = 2,
        mem = "64M",
        run = None,
        steps = [
            "expect quire> ",
            "qmp inject-nmi",
            "expect " + _NMI + " \\(1 so far\\)",
            "qmp inject-nmi",
            "expect " + _NMI + " \\(2 so far\\)",
            "type incidents",
            "expect cpu 0: NMIs: 2, the last one at ",
            "type audit",
            "expect audit: ok",
            "type exit",
        ],
        absent = ["panic"],
    ),
    # NMIs while all paths are busy, and while CPUs idle in between.
    boot(
        name = "nmi_storm",
        cpus = 4,
        mem = "128M",
        run = None,
        steps = ["expect quire> ", "type stress 4 seed=3"] + ["qmp inject-nmi"] * 300 + [
            "expect stress: PASS",
            "type incidents",
            "expect cpu 3: NMIs: [1-9]",
            "type audit",
            "expect audit: ok",
            "type exit",
        ],
        absent = ["panic", "FAIL"],
    ),
    boot(
        name = "machine_check",
        cpus = 2,
        mem = "128M",
        run = None,
        steps = [
            "expect quire> ",
            _mce(1, 9, _CORRECTED, "0x2000000", global_status = "0"),
            "expect machine check: CPU 1, bank 9: corrected error: memory controller, found by " +
            "scrubbing, status 0x8c000000000000c0, address 0x2000000",
            "expect page 0x2000000: it is out of use",
            _mce(0, 5, _OPTIONAL, "0x2001000"),
            "expect machine check: CPU 0, bank 5: uncorrected error",
            "expect page 0x2001000: it is out of use",
            # The same page again, the kernel's own image, and nothing at all.
            _mce(1, 9, _CORRECTED, "0x2000000", global_status = "0"),
            "expect page 0x2000000: it is out of use",
            _mce(0, 5, _OPTIONAL, "0x100000"),
            "expect page 0x100000: it is no memory of this kernel",
            _mce(0, 5, _OPTIONAL, "0xffffffff000"),
            "expect page 0xffffffff000: it is no memory of this kernel",
            "type incidents",
            "expect machine checks: 2 corrected, 3 uncorrected",
            "expect bad pages: 2 out of use, 0 wait",
            "type vmstat",
            "expect bad, out of use +2 ",
            "type selftest kmem phys pressure",
            "expect selftest: [1-9][0-9]* passed, 0 failed",
            "type audit",
            "expect audit: ok",
            "type exit",
        ],
        absent = ["panic"],
        timeout = 180,
    ),
    boot(
        name = "machine_check_data_needed",
        cpus = 2,
        mem = "64M",
        options = "panic=exit",
        run = None,
        steps = [
            "expect quire> ",
            _mce(1, 3, _REQUIRED, "0x2000000"),
            "expect panic: machine check on CPU 1: the kernel was using the data that is lost " +
            "\\(cache, data read\\): bank 3, status 0xbd80000000000134, address 0x2000000, " +
            ".*memory at 0x2000000",
            "expect trap: CPU 1, vector 18 \\(machine check\\)",
            "expect machine_check_handle\\+0x",
        ],
        status = 37,
    ),
    boot(
        name = "machine_check_context_lost",
        cpus = 2,
        mem = "64M",
        options = "panic=exit",
        run = None,
        steps = [
            "expect quire> ",
            _mce(0, 1, _CONTEXT_LOST, "0x2000000"),
            "expect panic: machine check on CPU 0: the state of the processor is lost",
        ],
        status = 37,
    ),
    boot(
        name = "machine_check_cannot_return",
        cpus = 2,
        mem = "64M",
        options = "panic=exit",
        run = None,
        steps = [
            "expect quire> ",
            _mce(0, 1, _OPTIONAL, "0x2000000", global_status = "0x4"),
            "expect panic: machine check on CPU 0: the code at 0x[0-9a-f]+ cannot be continued",
        ],
        status = 37,
    ),

    # A CPU without ticks is named by another one, and so is its place; the boot CPU, too.
    boot(
        name = "watchdog",
        cpus = 3,
        mem = "64M",
        run = "sysctl watchdog.seconds=1; hang 1 5; hang 0 5; incidents; audit",
        expect = [
            "watchdog: CPU 1 has had no tick for 2 s; it is at hang\\+0x",
            "watchdog: CPU 1 ticks again",
            "watchdog: CPU 0 has had no tick for 2 s; it is at hang\\+0x",
            "CPUs found without a tick: [2-9]",
            "audit: ok",
        ],
    ),
    boot(
        name = "retire",
        cpus = 1,
        mem = "64M",
        run = "retire 0x2000000; retire 0x2000000; audit; retire 0x100000",
        expect = [
            "page 0x2000000: it is out of use",
            "audit: ok",
            "page 0x100000: it is no memory of this kernel",
        ],
        status = 35,
    ),

    # A panic tells where, by itself; one that meets another ends all the same.
    _panic("panic_backtrace", "panic", [
        "panic: asked for by the command panic",
        "backtrace:",
        " cmd_panic\\+0x[0-9a-f]+",
        " kernel_main\\+0x[0-9a-f]+",
        "cpu 2 \\(apic id 2\\): thread .idle.",
        "stopped at [0-9a-f]+  arch_cpu_idle\\+0x",
    ]),
    _panic("panic_in_panic", "repanic", [
        "panic: the first one",
        "panic while telling about a panic: the second one",
    ]),
    _panic("panic_in_panic_by_fault", "repanic fault", [
        "panic: the first one",
        "panic while telling about a panic: page fault: write of 0x1 ",
    ]),
]
