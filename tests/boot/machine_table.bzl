# SPDX-License-Identifier: BSD-2-Clause
"""Machines out of the ordinary: many CPUs, schedules, odd memory, faulty firmware."""

load("//bazel:boot_test.bzl", "boot")

# Cases that look at CPUs and at each way to get memory, in about a second.
_SHORT = "selftest cpus.identity cpus.calls phys.contig kmem.exchange zones.exchange; audit"

def _passes(cpus, more = []):
    return [
        "smp: %d of %d CPUs online" % (cpus, cpus),
        "selftest: [1-9][0-9]* passed, 0 failed",
        "audit: ok",
    ] + more

def _reserved_off(size, id = "big"):
    return [
        "-object",
        "memory-backend-ram,id=%s,size=%s,reserve=off" % (id, size),
        "-machine",
        "memory-backend=" + id,
    ]

# All distances between domains, the far ones as far as a table can say.
def _distances(domains):
    args = []
    for a in range(domains):
        for b in range(a + 1, domains):
            args += ["-numa", "dist,src=%d,dst=%d,val=%d" % (a, b, 254 if b == domains - 1 else 11 + b)]
    return args

# Instruction counting makes a run the same each time, and a different one for each shift: the CPUs
# take turns after other numbers of instructions. So the shift is a seed of the schedule.
def _schedule(shift):
    return boot(
        name = "schedule_%d" % shift,
        mem = "128M",
        run = "selftest cpus sched kmem tlb; audit",
        qemu = ["-icount", "shift=%d,sleep=off" % shift],
        timeout = 180,
    )

def _faulty_table(signature, complaint, cpus = 2, boot_path = "pvh"):
    """A table of nothing but its header, behind those that QEMU makes, or in place of one."""
    return boot(
        name = "acpi_short_" + signature.lower() + ("" if boot_path == "pvh" else "_" + boot_path.replace("-", "_")),
        boot = boot_path,
        cpus = cpus,
        mem = "128M",
        run = _SHORT,
        expect = _passes(cpus, [complaint]),
        qemu = ["-acpitable", "sig=%s,rev=1,data=/dev/null" % signature],
    )

MACHINE_TESTS = [
    # Many CPUs. Their turns are counted, because 64 threads of QEMU on two cores keep each other
    # from running, and because virtual time then says how long the start takes: 32 CPUs at most
    # half a second.
    boot(
        name = "smp32",
        cpus = 32,
        mem = "128M",
        run = "cpus; audit",
        expect = [
            "smp: 32 of 32 CPUs online",
            "boot: .*, CPUs ([0-9]{1,2}|[1-4][0-9]{2}), ",
            "32 of 32 CPUs online, ",
            "audit: ok",
        ],
        qemu = ["-icount", "shift=4,sleep=off"],
    ),
    boot(
        name = "smp64",
        cpus = 64,
        mem = "128M",
        run = "selftest cpus.identity cpus.calls kmem.exchange; audit",
        expect = _passes(64),
        qemu = ["-icount", "shift=4,sleep=off"],
        timeout = 240,
    ),
    boot(
        name = "smp255",
        cpus = 255,
        mem = "512M",
        run = "cpus; audit",
        expect = ["smp: 255 of 255 CPUs online", "255 of 255 CPUs online, ", "audit: ok"],
        timeout = 800,
        manual = True,
    ),
] + [_schedule(shift) for shift in [4, 5, 6, 7, 8]] + [
    # Processors: five levels of page tables, of which four are used; with and without pages of 1 GiB.
    boot(name = "la57", mem = "256M", run = _SHORT, expect = _passes(4), qemu = ["-cpu", "max,la57=on"]),
    boot(name = "la57_uefi", boot = "uefi-cd", mem = "256M", run = _SHORT, expect = _passes(4), qemu = ["-cpu", "max,la57=on"], timeout = 180),
    boot(name = "no_la57", mem = "256M", run = _SHORT, expect = _passes(4), qemu = ["-cpu", "max,la57=off"]),
    boot(
        name = "pages_1g",
        mem = "3G",
        run = "sysinfo; audit",
        expect = ["direct map: [1-9][0-9]* pages of 1 GiB", "audit: ok"],
        qemu = ["-cpu", "max,pdpe1gb=on"] + _reserved_off("3G"),
    ),
    boot(
        name = "no_pages_1g",
        mem = "3G",
        run = "sysinfo; audit",
        expect = ["direct map: 0 pages of 1 GiB, [1-9][0-9]* of 2 MiB", "audit: ok"],
        qemu = ["-cpu", "max,pdpe1gb=off"] + _reserved_off("3G"),
    ),

    # Much memory: a descriptor of 64 bytes for each page is all of it that is touched.
    boot(
        name = "mem_16g",
        mem = "16G",
        run = "vmstat; pages",
        expect = ["smp: 4 of 4 CPUs online", "memory: domain 0: 163[0-9]{2} MiB usable"],
        qemu = _reserved_off("16G"),
        timeout = 180,
    ),
    boot(
        name = "mem_64g",
        mem = "64G",
        run = "vmstat; pages",
        expect = ["smp: 4 of 4 CPUs online", "memory: domain 0: 6553[0-9] MiB usable"],
        qemu = _reserved_off("64G"),
        timeout = 280,
        manual = True,
    ),
    # 32 GiB of descriptors: the machine that runs this needs as much.
    boot(
        name = "mem_2t",
        mem = "2T",
        run = "vmstat",
        expect = ["smp: 4 of 4 CPUs online", "memory: domain 0: 20971[0-9]{2} MiB usable"],
        qemu = _reserved_off("2T"),
        timeout = 880,
        manual = True,
    ),

    # Domains: CPUs without memory between others, the boot CPU without, distances, holes for
    # CPUs and memory that could be added.
    boot(
        name = "numa_odd",
        cpus = 4,
        mem = "256M",
        run = _SHORT,
        expect = _passes(4, ["memory: domain 1: 12[0-9] MiB usable"]),
        qemu = [
            "-object",
            "memory-backend-ram,id=a,size=128M",
            "-object",
            "memory-backend-ram,id=b,size=128M",
            "-numa",
            "node,nodeid=0,memdev=a,cpus=0",
            "-numa",
            "node,nodeid=1,cpus=1",
            "-numa",
            "node,nodeid=2,cpus=2",
            "-numa",
            "node,nodeid=3,memdev=b,cpus=3",
        ] + _distances(4),
    ),
    boot(
        name = "numa_boot_cpu_without_memory",
        cpus = 3,
        mem = "128M",
        run = _SHORT,
        expect = _passes(3),
        qemu = [
            "-object",
            "memory-backend-ram,id=a,size=128M",
            "-numa",
            "node,nodeid=0,cpus=0-1",
            "-numa",
            "node,nodeid=1,memdev=a,cpus=2",
        ],
    ),
    boot(
        name = "room_to_grow",
        cpus = 3,
        smp = "3,maxcpus=12,sockets=3,cores=4,threads=1",
        mem = "128M,slots=4,maxmem=4G",
        run = _SHORT,
        expect = _passes(3),
    ),
    boot(
        name = "mem_hole_at_16m",
        mem = "128M",
        run = _SHORT,
        expect = _passes(4, ["memory: domain 0: .* in 2 ranges"]),
        qemu = ["-machine", "max-ram-below-4g=16M"],
    ),

    # Faulty firmware, as far as QEMU lends itself to it; the host tests have the rest.
    boot(
        name = "no_acpi",
        cpus = 1,
        mem = "128M",
        run = _SHORT,
        expect = _passes(1, ["no ACPI tables: using one CPU"]),
        qemu = ["-machine", "pc,acpi=off", "-smp", "4"],
    ),
    boot(name = "no_hpet", mem = "128M", run = _SHORT, expect = _passes(4), qemu = ["-machine", "hpet=off"]),
    _faulty_table("APIC", "another APIC at .* is used"),
    _faulty_table("FACP", "another FACP at .* is used"),
    _faulty_table("SLIT", "slit: 36 bytes are too few"),
    _faulty_table("SRAT", "srat: 36 bytes are too few"),
    _faulty_table("APIC", "another APIC at .* is used", boot_path = "bios-cd"),
]
