# SPDX-License-Identifier: BSD-2-Clause
"""The root tables, and what they list."""

from cases_rsdp import NO_XSDT, NOT_THERE, one_cpu
from machine import *

SKIPPED = "acpi: table %s at %#x skipped: %s"
MORE = 0x7FEA000  # one more table
SSDT = table("SSDT")


def xsdt(why, name, data, *log, **outcome):
    """A bad XSDT: the RSDT is as good."""
    return Case(name, why, machine(xsdt=data), **{"log": list(log) + [NO_XSDT], **outcome})


def listed(why, name, entries, *log, memory=None, **outcome):
    return Case(name, why, machine(root=entries, memory=memory or {}), **{"log": list(log), **outcome})


def no_madt(*log):
    return dict(cpus=[0], others=True, log=list(log) + [
        "no list of CPUs (ACPI MADT): using one",
        "ACPI does not list the boot CPU, APIC id 0"])


ENTRIES = [MADT, FADT]
BOTH = u64(*ENTRIES)

CASES = [
    xsdt("a wrong checksum", "xsdt_sum_wrong", table("XSDT", BOTH, checksum=False),
         SKIPPED % ("XSDT", XSDT, "wrong checksum")),
    xsdt("another signature", "xsdt_signature", table("XXXX", BOTH),
         "acpi: XXXX instead of XSDT at %#x" % XSDT),
    xsdt("an RSDT where the XSDT should be", "xsdt_is_rsdt", table("RSDT", u32(*ENTRIES)),
         "acpi: RSDT instead of XSDT at %#x" % XSDT),
    xsdt("shorter than its header", "xsdt_length_20", table("XSDT", BOTH, length=20),
         SKIPPED % ("XSDT", XSDT, "shorter than its header")),
    xsdt("length 0", "xsdt_length_0", table("XSDT", BOTH, length=0),
         SKIPPED % ("XSDT", XSDT, "shorter than its header")),
    xsdt("a length of 4 GiB", "xsdt_length_4g", table("XSDT", BOTH, length=0xFFFFFFFF),
         SKIPPED % ("XSDT", XSDT, "absurdly long")),
    xsdt("one byte longer than is believed", "xsdt_length_8m_and_1",
         table("XSDT", BOTH, length=8 * 2**20 + 1), SKIPPED % ("XSDT", XSDT, "absurdly long")),
    xsdt("8 MiB that are not there", "xsdt_length_8m", table("XSDT", BOTH, length=8 * 2**20),
         SKIPPED % ("XSDT", XSDT, "its end is not in memory")),
    xsdt("one byte longer than memory", "xsdt_past_memory", table("XSDT", BOTH, length=53),
         SKIPPED % ("XSDT", XSDT, "its end is not in memory")),
    xsdt("memory ends inside of the header", "xsdt_header_cut", table("XSDT", BOTH)[:20],
         NOT_THERE % XSDT),
    xsdt("no entries", "xsdt_empty", table("XSDT"),
         "acpi: XSDT at %#x lists no good table" % XSDT),
    xsdt("less than one entry", "xsdt_half_entry_only", table("XSDT", bytes(7)),
         "acpi: XSDT at %#x lists no good table" % XSDT),
    Case("xsdt_half_entry_last", "a half entry at the end is none",
         machine(xsdt=table("XSDT", BOTH + bytes(4)))),
    Case("rsdt_half_entry_last", "a half entry at the end of an RSDT",
         machine(rsdp={BIOS_RSDP: rsdp(0, RSDT)}, rsdt=table("RSDT", u32(*ENTRIES) + bytes(3)))),
    Case("rsdt_sum_wrong", "a damaged RSDT and no XSDT",
         machine(rsdp={BIOS_RSDP: rsdp(0, RSDT)},
                 rsdt=table("RSDT", u32(*ENTRIES), checksum=False)),
         **one_cpu(1, SKIPPED % ("RSDT", RSDT, "wrong checksum"))),
    Case("rsdt_is_xsdt", "the RSDT's address leads to the XSDT",
         machine(rsdp={BIOS_RSDP: rsdp(0, XSDT)}),
         **one_cpu(1, "acpi: XSDT instead of RSDT at %#x" % XSDT)),
    Case("rsdt_damaged_unneeded", "nobody looks at a bad RSDT beside a good XSDT",
         machine(rsdt=table("RSDT", checksum=False))),
    Case("both_sums_wrong", "both root tables damaged: one CPU",
         machine(xsdt=table("XSDT", BOTH, checksum=False),
                 rsdt=table("RSDT", u32(*ENTRIES), checksum=False)),
         **one_cpu(1, SKIPPED % ("XSDT", XSDT, "wrong checksum"), NO_XSDT,
                   SKIPPED % ("RSDT", RSDT, "wrong checksum"))),
    Case("xsdt_before_rsdt", "where the two differ, the XSDT is right",
         machine(rsdt=table("RSDT", u32(MORE, FADT)), memory={MORE: madt(lapic(7))})),
    listed("an entry of 0", "entry_zero", [0] + ENTRIES, NOT_THERE.replace("%#x", "0")),
    listed("an entry where no memory is", "entry_nowhere", [NOWHERE] + ENTRIES,
           NOT_THERE % NOWHERE),
    Case("entry_wraps", "an entry at the very top of the address space",
         machine(root=ENTRIES, xsdt=table("XSDT", u64(2**64 - 1, *ENTRIES))),
         log=[NOT_THERE % (2**64 - 1)]),
    Case("entry_above_4g", "an entry above 4 GiB, out of reach at boot",
         machine(root=ENTRIES, xsdt=table("XSDT", u64(*ENTRIES, 5 << 32)),
                 memory={5 << 32: SSDT}),
         log=[NOT_THERE % (5 << 32)]),
    listed("only entries that lead nowhere", "entries_all_nowhere", [NOWHERE, NOWHERE + 16],
           **one_cpu(1, NOT_THERE % NOWHERE, NOT_THERE % (NOWHERE + 16),
                     "acpi: XSDT at %#x lists no good table" % XSDT, NO_XSDT,
                     NOT_THERE % NOWHERE, NOT_THERE % (NOWHERE + 16),
                     "acpi: RSDT at %#x lists no good table" % RSDT)),
    listed("a table of 8 bytes", "table_length_8", ENTRIES + [MORE],
           SKIPPED % ("SSDT", MORE, "shorter than its header"),
           memory={MORE: table("SSDT", length=8)}),
    listed("a table of no bytes", "table_length_0", ENTRIES + [MORE],
           SKIPPED % ("SSDT", MORE, "shorter than its header"),
           memory={MORE: table("SSDT", length=0)}),
    listed("a table that is nothing but its header", "table_length_36", ENTRIES + [MORE],
           memory={MORE: SSDT}),
    listed("a table longer than memory", "table_past_memory", ENTRIES + [MORE],
           SKIPPED % ("SSDT", MORE, "its end is not in memory"),
           memory={MORE: table("SSDT", length=37)}),
    listed("a table of 2 GiB", "table_length_2g", ENTRIES + [MORE],
           SKIPPED % ("SSDT", MORE, "absurdly long"), memory={MORE: table("SSDT", length=1 << 31)}),
    listed("control characters in a signature do not reach the console", "table_signature_control",
           ENTRIES + [MORE], SKIPPED % ("??AB", MORE, "wrong checksum"),
           memory={MORE: table("\x1b\x7fAB", checksum=False)}),
    listed("a signature of bytes beyond ASCII", "table_signature_high", ENTRIES + [MORE],
           SKIPPED % ("????", MORE, "wrong checksum"),
           memory={MORE: table("\xff\xfe\x80\xa0", checksum=False)}),
    listed("the root table lists itself", "entry_is_root", [XSDT] + ENTRIES),
    listed("more tables than there is room for", "entries_300", ENTRIES + [MORE] * 298,
           "acpi: 300 tables listed, the last 172 ignored", memory={MORE: SSDT}),
    Case("entries_300_madt_last", "the list of CPUs behind more tables than there is room for",
         machine(root=[MORE] * 298 + ENTRIES, memory={MORE: SSDT}), timer=0,
         **no_madt("acpi: 300 tables listed, the last 172 ignored")),
    listed("300 entries that lead nowhere: 32 of them are logged", "entries_300_nowhere",
           ENTRIES + [NOWHERE] * 298, *[NOT_THERE % NOWHERE] * 32),
    listed("two lists of CPUs: the first", "madt_twice", [MADT, FADT, MORE],
           "acpi: another APIC at %#x: the one at %#x is used" % (MORE, MADT),
           memory={MORE: madt(lapic(0))}),
    listed("two lists of CPUs, the first one damaged: the second", "madt_twice_first_damaged",
           [MORE, MADT, FADT], SKIPPED % ("APIC", MORE, "wrong checksum"),
           memory={MORE: madt(lapic(9), checksum=False)}),
    listed("the same list of CPUs listed twice", "madt_listed_twice", [MADT, MADT, FADT],
           "acpi: another APIC at %#x: the one at %#x is used" % (MADT, MADT)),
    Case("madt_sum_wrong", "the only list of CPUs is damaged: one CPU",
         machine(madt=madt(lapic(0), lapic(1), checksum=False)),
         **no_madt(SKIPPED % ("APIC", MADT, "wrong checksum"))),
    Case("madt_missing", "no list of CPUs: one CPU", machine(madt=None), **no_madt()),
    Case("fadt_missing", "no FADT: no timer", machine(fadt=None), timer=0),
    Case("fadt_sum_wrong", "a damaged FADT: no timer",
         machine(fadt=patch(fadt(), 20, b"\x7f")), timer=0,
         log=[SKIPPED % ("FACP", FADT, "wrong checksum")]),
    Case("fadt_short", "a FADT that ends before the flags", machine(fadt=fadt(size=112)), timer=0),
    Case("fadt_header_only", "a FADT of nothing but its header", machine(fadt=fadt(size=36)),
         timer=0),
    Case("fadt_hardware_reduced", "hardware-reduced ACPI has no timer",
         machine(fadt=fadt(flags=1 << 20)), timer=0),
    Case("fadt_timer_length_0", "a timer of no bytes is none", machine(fadt=fadt(length=0)),
         timer=0),
    Case("fadt_timer_length_2", "a timer of two bytes is none", machine(fadt=fadt(length=2)),
         timer=0),
    Case("fadt_port_too_high", "a port beyond 65535", machine(fadt=fadt(port=0x10608)), timer=0),
    listed("two FADTs: the first", "fadt_twice", [MADT, FADT, MORE],
           "acpi: another FACP at %#x: the one at %#x is used" % (MORE, FADT),
           memory={MORE: fadt(port=0x408)}),
]
