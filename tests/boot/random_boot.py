#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots machines that nobody thought of: number and topology of CPUs, memory with holes, domains,
firmware, chipset, features of the CPU, and what runs, all drawn from a number.

    random_boot.py --boots N --seed S --qemu-script FILE --runner FILE --kernel FILE --iso FILE
                   [--list] [--keep DIR]

Boot number i of a run is drawn from seed S + i alone, so a failure is had again with --boots 1 and
its own number. --list prints the machines and boots none. Under Bazel's test sharding each shard boots
its part of them.
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile

MIB_LEAST, LIMIT_SECONDS = 64, 240
# What can be taken from the CPU; without lm there is no kernel.
FEATURES = ["la57", "pdpe1gb", "smep", "smap", "umip", "x2apic", "rdtscp", "fsgsbase", "erms",
            "tsc-deadline", "xsave", "avx", "mce", "mca", "clflush", "pge"]
# Each begins the name of some cases. Many CPUs, which take turns on few, get cases that do little on
# each of them.
CASES = ["cpus.identity", "cpus.calls", "cpus.spinlock", "sched.preempt", "sched.wakeup", "kmem",
         "phys", "malloc", "zones", "maps", "pageable", "faults", "wx", "attr", "tlb", "waiters"]
LIGHT = ["cpus.identity", "cpus.calls", "sched.preempt", "kmem.exchange", "phys.contig", "faults"]
MANY = 8


class Machine:
    """One configuration. Draws everything in a fixed order: the seed is the machine."""

    def __init__(self, seed):
        self.seed = seed
        self.draw = random.Random(seed)
        self.qemu = []
        self.boot = self.draw.choices(
            ["pvh", "bios-cd", "bios-disk", "bios-usb", "uefi-cd", "uefi-usb"],
            [50, 15, 10, 5, 12, 8])[0]
        self.uefi = self.boot.startswith("uefi")
        self._cpus()
        self._memory()
        self._chipset()
        self._features()
        self._schedule()
        self.cmdline = self._options() + "run=" + self._commands()

    def chance(self, percent):
        return self.draw.randrange(100) < percent

    def _cpus(self):
        self.sockets = self.draw.choice([1, 1, 1, 2, 3])
        self.cores = self.draw.choice([1, 2, 3, 4, 5])
        self.threads = self.draw.choice([1, 1, 2])
        self.slots = self.sockets * self.cores * self.threads
        # Some of the sockets may be empty.
        self.cpus = self.draw.randint(1, self.slots) if self.chance(30) else self.slots
        self.qemu += ["-smp", f"{self.cpus},maxcpus={self.slots},sockets={self.sockets},"
                              f"cores={self.cores},threads={self.threads}"]

    def _memory(self):
        least = 256 if self.uefi else MIB_LEAST
        self.mib = self.draw.choice([least, least + 1, 96 + least, 128 + least, 333, 512, 1024])
        self.mib = max(self.mib, least, 48 + 3 * self.cpus)
        domains = self.draw.choice([1, 1, 2, 3, 4])
        if domains > 1:
            self._domains(domains)
        else:
            self.qemu += ["-m", f"{self.mib}M"]

    def _domains(self, domains):
        holders = [d for d in range(domains) if self.chance(70)] or [self.draw.randrange(domains)]
        # Megabytes, in the order of the domains; the first one has room for the kernel.
        shares = {d: 16 + self.draw.randrange(32) for d in holders}
        shares[holders[0]] += self.mib
        self.mib = sum(shares.values())
        self.qemu += ["-m", f"{self.mib}M"]
        # A CPU of each slot belongs somewhere.
        owner = [self.draw.randrange(domains) for _ in range(self.slots)]
        for d in range(domains):
            node = f"node,nodeid={d}"
            if d in shares:
                self.qemu += ["-object", f"memory-backend-ram,id=ram{d},size={shares[d]}M"]
                node += f",memdev=ram{d}"
            self.qemu += ["-numa", node]
        for slot, d in enumerate(owner):
            socket, rest = divmod(slot, self.cores * self.threads)
            core, thread = divmod(rest, self.threads)
            self.qemu += ["-numa", f"cpu,node-id={d},socket-id={socket},core-id={core},"
                                   f"thread-id={thread}"]
        if self.chance(50):
            for a in range(domains):
                for b in range(a + 1, domains):
                    self.qemu += ["-numa", f"dist,src={a},dst={b},val={self.draw.randint(11, 254)}"]

    def _chipset(self):
        # PC's older chipset is not what UEFI here is tried with.
        machine = "pc" if self.chance(25) and not self.uefi else "q35"
        options = [machine]
        if self.chance(30) and not self.uefi:
            options.append(f"max-ram-below-4g={self.draw.choice([64, 128, 192, 256, 768])}M")
        if self.chance(20):
            options.append("hpet=off")
        self.qemu += ["-machine", ",".join(options)]
        for signature in ["APIC", "SRAT", "SLIT", "FACP", "HPET", "XXXX"]:
            if self.chance(8):
                self.qemu += ["-acpitable", f"sig={signature},rev=1,data=/dev/null"]

    def _features(self):
        model = self.draw.choice(["max", "max", "max", "qemu64", "Nehalem", "Haswell-noTSX",
                                  "EPYC", "Skylake-Server-noTSX-IBRS"])
        flags = [f"{name}={'on' if self.chance(50) else 'off'}" for name in FEATURES
                 if model == "max" and self.chance(35)]
        self.qemu += ["-cpu", ",".join([model] + flags)]

    def _schedule(self):
        # The larger the shift, the fewer instructions between two ticks, of which each CPU has its own.
        if self.chance(40) or self.cpus > MANY:
            shift = self.draw.randint(3, 8 if self.cpus <= MANY else 4)
            self.qemu += ["-icount", f"shift={shift},sleep=off"]
        elif self.chance(50):
            self.qemu += ["-accel", "tcg,thread=single"]

    def _options(self):
        options = []
        if self.chance(20):
            options.append(f"smp.max={self.draw.randint(1, 8)}")
        if self.chance(10):
            options.append("no.such.value=1")
        self.limit = int(options[0].split("=")[1]) if options and "smp.max" in options[0] else 512
        return "".join(option + " " for option in options)

    def _commands(self):
        names = CASES if self.cpus <= MANY else LIGHT
        chosen = self.draw.sample(names, self.draw.randint(2, 4))
        stress = ""
        if self.cpus <= MANY and self.chance(40):
            stress = f"stress 1 seed={self.draw.randrange(1000)}; "
        return f"selftest {' '.join(chosen)}; {stress}audit"

    def expectations(self):
        online = min(self.cpus, self.limit)
        return [f"smp: {online} of ({online}|{self.cpus}) CPUs online",
                "selftest: [1-9][0-9]* passed, 0 failed", "audit: ok$"]

    def command(self, args):
        image = args.kernel if self.boot == "pvh" else args.iso
        command = [args.runner, "--qemu-script", args.qemu_script, "--image", image,
                   "--boot", self.boot, "--cmdline", self.cmdline, "--status", "33",
                   "--timeout", str(LIMIT_SECONDS)]
        for expression in self.expectations():
            command += ["--expect", expression]
        return command + ["--"] + self.qemu

    def __str__(self):
        return f"seed {self.seed}: {self.boot} {' '.join(self.qemu)} [{self.cmdline.strip()}]"


def boot(machine, args, folder):
    """Returns the runner's output if the boot failed, else None."""
    environment = dict(os.environ, TEST_TMPDIR=folder, TEST_UNDECLARED_OUTPUTS_DIR=folder)
    environment.pop("XML_OUTPUT_FILE", None)
    ran = subprocess.run(machine.command(args), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, errors="replace", env=environment)
    if args.keep:
        with open(os.path.join(args.keep, f"boot-{machine.seed}.log"), "w") as log:
            log.write(f"{machine}\n{ran.stdout}")
    return ran.stdout if ran.returncode != 0 else None


def seeds_of(args):
    """All of them, or this shard's."""
    shards, shard = int(os.environ.get("TEST_TOTAL_SHARDS", 1)), int(
        os.environ.get("TEST_SHARD_INDEX", 0))
    if "TEST_SHARD_STATUS_FILE" in os.environ:
        with open(os.environ["TEST_SHARD_STATUS_FILE"], "w"):
            pass
    return range(args.seed + shard, args.seed + args.boots, shards)


def run_all(args):
    failed, seeds = [], seeds_of(args)
    folder = tempfile.mkdtemp(prefix="quire-boots-")
    try:
        for seed in seeds:
            machine = Machine(seed)
            print(machine, flush=True)
            if args.list:
                continue
            output = boot(machine, args, folder)
            if output is None:
                print("    ok", flush=True)
                continue
            failed.append(machine.seed)
            print("\n".join("    " + line for line in output.splitlines()))
            print(f"    FAILED; again with: ./quire test --random-boots 1 --seed {machine.seed}",
                  flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not args.list:
        print(f"{len(seeds) - len(failed)} random boots passed, {len(failed)} failed, "
              f"seeds {args.seed} to {args.seed + args.boots - 1}")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--boots", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--qemu-script", default="")
    parser.add_argument("--runner", default="")
    parser.add_argument("--kernel", default="")
    parser.add_argument("--iso", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", help="a folder for the log of each boot")
    args = parser.parse_args()
    if args.boots < 1 or args.seed < 0:
        parser.error("--boots is at least 1, and --seed at least 0")
    return run_all(args)


if __name__ == "__main__":
    sys.exit(main())
