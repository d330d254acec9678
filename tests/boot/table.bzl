# SPDX-License-Identifier: BSD-2-Clause
"""Every way in which the kernel is booted by the tests; bazel/boot_test.bzl explains the columns."""

load("//bazel:boot_test.bzl", "boot")

def _pressure(cpus):
    return boot(
        name = "pressure_%d" % cpus,
        cpus = cpus,
        mem = "64M",
        run = "selftest kmem waiters reclaim pressure; audit",
        expect = [
            "smp: %d of %d CPUs online" % (cpus, cpus),
            "case kmem.exhausted ok",
            "case pressure.ram ok",
            "case pressure.space ok",
            "selftest: [1-9][0-9]* passed, 0 failed$",
            "audit: ok",
        ],
    )

BOOT_TESTS = [
    # Numbers of CPUs.
    boot(name = "smp1", cpus = 1),
    boot(name = "smp1_bios", cpus = 1, boot = "bios-cd"),
    boot(name = "smp2", cpus = 2),
    boot(name = "smp3", cpus = 3),
    boot(name = "smp4", cpus = 4),
    boot(name = "smp8", cpus = 8, timeout = 180),
    boot(name = "smp8_bios", cpus = 8, boot = "bios-cd", timeout = 180),
    # Three cores to a socket leave holes in the APIC ids.
    boot(name = "smp6_sparse_ids", cpus = 6, smp = "6,sockets=2,cores=3,threads=1"),

    # Ways to boot.
    boot(name = "bios_cd", boot = "bios-cd"),
    boot(name = "bios_disk", boot = "bios-disk"),
    boot(name = "bios_usb", boot = "bios-usb"),
    boot(name = "uefi_cd", boot = "uefi-cd", timeout = 180),
    boot(name = "uefi_usb", boot = "uefi-usb", timeout = 180),

    # Machines: an older chipset; a CPU without SMEP, SMAP, UMIP, 1 GiB pages and x2APIC.
    boot(name = "chipset_i440fx", boot = "bios-cd", qemu = ["-machine", "pc"]),
    boot(name = "cpu_qemu64", qemu = ["-cpu", "qemu64"]),

    # Memory: little, much, and most of it behind a hole that ends at 4 GiB.
    boot(name = "mem_64m", mem = "64M"),
    boot(name = "mem_64m_bios", mem = "64M", boot = "bios-cd"),
    boot(name = "mem_4g", mem = "4G", timeout = 180),
    boot(name = "mem_4g_uefi", mem = "4G", boot = "uefi-cd", timeout = 180),
    boot(name = "mem_hole", mem = "1G", qemu = ["-machine", "max-ram-below-4g=256M"]),

    # Two domains with CPUs of their own, and a CPU whose domain has no memory.
    boot(
        name = "numa",
        cpus = 4,
        mem = "256M",
        qemu = [
            "-object",
            "memory-backend-ram,id=near,size=128M",
            "-object",
            "memory-backend-ram,id=far,size=128M",
            "-numa",
            "node,nodeid=0,memdev=near,cpus=0-1",
            "-numa",
            "node,nodeid=1,memdev=far,cpus=2",
            "-numa",
            "node,nodeid=2,cpus=3",
        ],
    ),

    # All memory in use, on one CPU and on several.
    _pressure(cpus = 1),
    _pressure(cpus = 3),
    _pressure(cpus = 8),

    # The benchmark: it ends, memory is what it should be, and nothing is left behind.
    boot(
        name = "bench_3",
        cpus = 3,
        run = "bench --quick page zone malloc kmem.1 handover cpu scratch; audit",
        expect = [
            "bench: start cpus=3 ",
            "bench: case=0 name=empty mode=alone cpus=1 ",
            "bench: case=1 name=page.pair mode=all cpus=3 ops=[1-9]",
            "bench: case=30 name=kmem.1 mode=all cpus=3 ",
            "bench: case=61 name=handover.item mode=all cpus=3 ",
            "bench: case=65 name=cpu.start mode=alone cpus=3 ops=2 samples=1 ticks_min=[1-9]",
            "bench: done cases=[1-9][0-9]* seed=1 skipped=0 failed=0$",
            "audit: ok",
        ],
    ),
    # All cases in full, by the option.
    boot(
        name = "bench_option",
        cpus = 1,
        options = "bench",
        run = None,
        expect = [
            "bench: case=93 name=llfree.fragment mode=alone cpus=1 ",
            "bench: skipped case=65 name=cpu.start: there is no other CPU",
            "bench: done cases=[1-9][0-9]* seed=1 skipped=1 failed=0$",
            "audit: ok",
        ],
    ),
    boot(
        name = "bench_unknown_case",
        cpus = 1,
        run = "bench page.pear",
        expect = ["no case has the name .page.pear"],
        status = 35,
    ),

    # What goes wrong is said, and ends with the status that belongs to it.
    boot(
        name = "unknown_option",
        options = "frobnicate=1",
        run = "audit",
        expect = ["unknown option .*frobnicate", "audit: ok"],
    ),
    boot(
        name = "unknown_option_bios",
        boot = "bios-cd",
        options = "frobnicate=1",
        run = "audit",
        expect = ["unknown option .*frobnicate", "audit: ok"],
    ),
    boot(
        name = "tunables",
        options = "vm.swap_limit=64M vm.swap_limit=some vm.nothing=1 debug.vm_lowmem=1",
        run = "sysctl vm.swap_limit; sysctl vm.swap_limit=1G; sysctl vm.stats; audit",
        expect = [
            "option .*vm.swap_limit=some.* ignored: not a value of its type",
            "unknown option .*vm.nothing=1",
            "vm.swap_limit = 67108864",
            "vm.swap_limit: 67108864 -> 1073741824",
            "vm.stats.lowmem_events += [1-9]",
            "audit: ok",
        ],
    ),
    # All paths at once, for some seconds; then by name, with a seed.
    boot(
        name = "stress",
        mem = "128M",
        run = "stress 6; stress 2 seed=7 kmem protect idle; audit",
        expect = [
            "stress: PASS 6 s on 4 CPUs: [1-9][0-9]* steps, .* 0 errors",
            "stress: PASS 2 s on 4 CPUs: .* seed 7",
            "audit: ok",
        ],
    ),
    boot(
        name = "stress_refuses",
        cpus = 1,
        mem = "128M",
        run = "stress 5 nonsense",
        expect = ["nonsense.* is neither a number of seconds"],
        status = 35,
    ),
    # The test of the test: one CPU is never told to forget, and the stress has to name it.
    boot(
        name = "stress_sabotage",
        mem = "128M",
        options = "tlb.sabotage=1",
        run = "stress 200 rights remaps",
        expect = [
            "stress: ERROR: (remapped|revoked) window: cpu 3 at 0x[0-9a-f]+ expected .*, found ",
            "stress: FAIL .* seed ",
        ],
        status = 35,
        timeout = 240,
    ),
    boot(
        name = "unknown_command",
        run = "frobnicate",
        expect = ["frobnicate"],
        status = 35,
    ),
    boot(
        name = "panic",
        run = "panic",
        expect = ["panic"],
        status = 37,
    ),
]
