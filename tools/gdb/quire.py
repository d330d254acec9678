# SPDX-License-Identifier: BSD-2-Clause
"""Commands of gdb that read Quire's structures out of a stopped kernel.

    gdb -x tools/gdb/quire.py -ex 'target remote 127.0.0.1:1234' bazel-bin/kernel/quire.elf

`./quire boot --gdb` starts a kernel for it and prints that line. The commands begin with "quire-";
`help quire-maps` explains one. They only read, and stop at a bound when a list is a circle.
"""
import os
import re

import gdb

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
LIST_MAX = 100000
PAGE_SHIFT = 12
PROTECTION = [(1, "r"), (2, "w"), (4, "x")]


def value(expression):
    return gdb.parse_and_eval(expression)


def text(pointer):
    return pointer.string(errors="replace") if int(pointer) != 0 else "none"


def kib(size):
    return f"{int(size) >> 10} KiB"


def tail_queue(head, link):
    """The elements of a TAILQ, whose links are the members `link`."""
    element = head["tqh_first"]
    for _ in range(LIST_MAX):
        if int(element) == 0:
            return
        yield element
        element = element[link]["tqe_next"]
    raise gdb.GdbError(f"more than {LIST_MAX} elements: the list is a circle")


def enumerator(val, prefix):
    return str(val).split("::")[-1].replace(prefix, "").lower()


def macro(name, header):
    """A macro's number: the debug information does not have it, the header has."""
    with open(os.path.join(ROOT, header), encoding="utf-8") as source:
        match = re.search(rf"^#define\s+{name}\s+(0x[0-9a-fA-F]+|\d+)", source.read(), re.MULTILINE)
    if match is None:
        raise gdb.GdbError(f"{header} does not define {name}")
    return int(match[1], 0)


def hex_address(argument, command):
    if not argument:
        raise gdb.GdbError(f"usage: {command} ADDRESS")
    return int(value(argument))


class Command(gdb.Command):
    """Registers itself under its `name`."""

    name = ""

    def __init__(self):
        super().__init__(self.name, gdb.COMMAND_DATA)

    def invoke(self, argument, _from_tty):
        try:
            self.run(argument.strip())
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"{self.name}: {error}; has the kernel begun?") from error


# ---- CPUs ---------------------------------------------------------------------------------------

def cpu_areas():
    areas = value("'smp/percpu.c'::areas")
    area_type = gdb.lookup_type("struct percpu").pointer()
    for cpu in range(areas.type.range()[1] + 1):
        area = areas[cpu]["value"]
        if int(area) != 0:
            yield cpu, area.cast(area_type)


def running_thread(area):
    thread = area["arch"]["thread"]
    if int(thread) == 0:
        return "none"
    return thread.cast(gdb.lookup_type("struct thread").pointer())["name"].string()


class Cpus(Command):
    """quire-cpus: each CPU's thread, interrupt and preemption state, held locks and counts."""

    name = "quire-cpus"

    def run(self, _argument):
        for cpu, area in cpu_areas():
            state = "interrupt" if int(area["arch"]["irq_depth"]) else "thread"
            print(f'cpu {cpu:3}  thread "{running_thread(area)}"  in: {state}  '
                  f"preemption off: {int(area['arch']['preempt_count'])}  "
                  f"ticks {int(area['tick_count'])}  ipis {int(area['ipi_count'])}")
            for i in range(int(area["spin_depth"])):
                lock = area["spin_held"][i]
                if int(lock) != 0:
                    print(f"         holds \"{text(lock['name'])}\" (rank {int(lock['rank'])})")


# ---- maps ---------------------------------------------------------------------------------------

def entry_is_submap(entry):
    return bool(int(entry["eflags"]) & macro("MAP_ENTRY_IS_SUB_MAP", "vm/vm_map.h"))


def entry_kind(entry):
    if entry_is_submap(entry):
        return "submap " + text(entry["object"]["sub_map"]["name"])
    vm_object = entry["object"]["vm_object"]
    return text(vm_object["name"]) if int(vm_object) != 0 else "no object"


def protection(bits):
    return "".join(letter if int(bits) & bit else "-" for bit, letter in PROTECTION)


def entry_line(entry):
    start, end = int(entry["start"]), int(entry["end"])
    return (f"{start:016x}-{end:016x} {kib(end - start):>14}  {protection(entry['protection'])}/"
            f"{protection(entry['max_protection'])}  wired {int(entry['wired_count'])}  "
            f"eflags {int(entry['eflags']):#x}  {entry_kind(entry)}")


def print_map(vm_map, depth=0):
    space = "  " * depth
    print(f"{space}{text(vm_map['name'])}: {int(vm_map['min_offset']):016x}-"
          f"{int(vm_map['max_offset']):016x}, {int(vm_map['nentries'])} entries, "
          f"{kib(vm_map['size'])} in use")
    for entry in tail_queue(vm_map["entries"], "list"):
        print(f"{space}  {entry_line(entry)}")
        if entry_is_submap(entry) and depth < 8:
            print_map(entry["object"]["sub_map"], depth + 1)


class Maps(Command):
    """quire-maps [MAP]: a map's entries and those of its submaps, kernel_map by default."""

    name = "quire-maps"

    def run(self, argument):
        vm_map = value(argument or "kernel_map")
        if int(vm_map) == 0:
            raise gdb.GdbError("there is no map yet")
        print_map(vm_map)


class Entry(Command):
    """quire-entry ADDRESS: the map entry that an address lies in, through submaps, in full."""

    name = "quire-entry"

    def run(self, argument):
        address = hex_address(argument, self.name)
        vm_map, found = value("kernel_map"), None
        for _ in range(8):
            entries = tail_queue(vm_map["entries"], "list")
            entry = next((e for e in entries if int(e["start"]) <= address < int(e["end"])), None)
            if entry is None:
                break
            found = entry
            if not entry_is_submap(entry):
                break
            vm_map = entry["object"]["sub_map"]
        if found is None:
            print(f"{address:#x} is in no entry of {text(vm_map['name'])}")
            return
        print(f"{text(vm_map['name'])}: {entry_line(found)}")
        print(found.dereference().format_string(max_depth=1))


# ---- pages --------------------------------------------------------------------------------------

def segments():
    state = value("vm_phys_state")
    for i in range(int(state["segment_count"])):
        yield i, state["segments"][i]


def page_at(address):
    for _, segment in segments():
        if int(segment["start"]) <= address < int(segment["end"]):
            return segment["first"] + ((address - int(segment["start"])) >> PAGE_SHIFT)
    return None


def page_state(page):
    return enumerator(page["state"].cast(gdb.lookup_type("enum vm_page_state")), "VM_PAGE_")


class Page(Command):
    """quire-page ADDRESS: the descriptor of the page at a physical address."""

    name = "quire-page"

    def run(self, argument):
        address = hex_address(argument, self.name)
        page = page_at(address)
        if page is None:
            print(f"{address:#x} is no usable memory")
            return
        owner = page["object"]
        print(f"page {int(page['phys_addr']):#x}: {page_state(page)}, domain {int(page['domain'])}, "
              f"wired {int(page['wire_count'])}, flags {int(page['flags']):#x}, object "
              f"{text(owner['name']) if int(owner) else 'none'} index {int(page['pindex'])}")
        print(page.dereference().format_string(max_depth=1))


class Pages(Command):
    """quire-pages: physical memory by segment, and what is free in each domain by block size."""

    name = "quire-pages"

    def run(self, _argument):
        for i, segment in segments():
            start, end = int(segment["start"]), int(segment["end"])
            print(f"segment {i}: {start:016x}-{end:016x} {kib(end - start):>14}  "
                  f"domain {int(segment['domain'])}")
        state = value("vm_phys_state")
        for d in range(int(state["domain_count"])):
            domain = state["domains"][d]
            print(f"domain {d}: {int(domain['free_pages']['value'])} of "
                  f"{int(domain['total_pages'])} pages free")
            for order in range(domain["blocks"].type.range()[1] + 1):
                blocks = int(domain["blocks"][order])
                if blocks:
                    print(f"  {blocks:6} blocks of {kib(1 << (order + PAGE_SHIFT))}")


# ---- zones and threads --------------------------------------------------------------------------

class Zones(Command):
    """quire-zones: each zone's item size, slabs, and free items outside of its caches."""

    name = "quire-zones"

    def run(self, _argument):
        zones = value("'vm/uma_zone.c'::zones")
        for zone in tail_queue(zones["list"], "link"):
            kegs = [zone["kegs"][i] for i in range(int(zone["keg_count"]))]
            print(f"{zone['name'].string():24} {int(zone['shape']['size']):8} bytes  "
                  f"{sum(int(k['slab_count']) for k in kegs):6} slabs  "
                  f"{sum(int(k['pages']) for k in kegs):6} pages  "
                  f"{sum(int(k['free_items']) for k in kegs):8} free items")


class Threads(Command):
    """quire-threads: all threads, their CPU and state, and what the sleeping ones wait for."""

    name = "quire-threads"

    def run(self, _argument):
        for kthread in tail_queue(value("'kernel/kthread.c'::kthreads"), "link"):
            thread = kthread["thread"]
            message = thread["sleep_message"]
            state = enumerator(thread["state"], "THREAD_")
            waits = text(message) if state == "sleeping" else ""
            print(f"cpu {int(thread['cpu']):3}  {thread['name'].string():24} {state:10} {waits}")


class Log(Command):
    """quire-log: the kernel's log, also of a kernel that has no console."""

    name = "quire-log"

    def run(self, _argument):
        ring = value("'kernel/log.c'::ring")
        size, written = int(ring["size"]), int(ring["end"])
        data = bytes(gdb.selected_inferior().read_memory(int(ring["bytes"]), size))
        if written <= size:
            kept = data[:written]
        else:
            kept = data[written % size:] + data[:written % size]
        print(kept.decode("utf-8", "replace"), end="")


for command in (Cpus, Maps, Entry, Page, Pages, Zones, Threads, Log):
    command()
