# SPDX-License-Identifier: BSD-2-Clause
"""Bytes as firmware and loaders write them: ACPI tables, Multiboot2 tags, PVH start information."""

import struct


def u8(*values):
    return bytes(values)


def u16(value):
    return struct.pack("<H", value)


def u32(*values):
    return struct.pack("<%dI" % len(values), *values)


def u64(*values):
    return struct.pack("<%dQ" % len(values), *values)


def fix_sum(data, at, length=None):
    """The bytes with the one at `at` set so that the first `length` of them sum to 0."""
    data = bytearray(data)
    data[at] = 0
    data[at] = -sum(data[:length]) & 0xFF
    return bytes(data)


def patch(data, at, new):
    return data[:at] + new + data[at + len(new):]


# ---- ACPI (6.5, chapter 5.2)


def table(signature, body=b"", revision=3, length=None, checksum=True):
    """A table with its header. `length` is what it claims, if that is not the truth."""
    claim = 36 + len(body) if length is None else length
    data = signature.encode("latin-1") + u32(claim) + u8(revision, 0) + b"QUIRE CORPUS  "
    data += u32(1) + b"QUIR" + u32(1) + body
    assert len(data) == 36 + len(body)
    covered = min(max(claim, 10), len(data))
    data = fix_sum(data, 9, covered)
    return data if checksum else patch(data, 9, u8(data[9] ^ 0x55))


def rsdp(revision=2, rsdt=0, xsdt=0, length=36, sum1=True, sum2=True):
    data = fix_sum(b"RSD PTR \0QUIRE " + u8(revision) + u32(rsdt), 8)
    if not sum1:
        data = patch(data, 8, u8(data[8] ^ 0x55))
    if revision < 2:
        return data
    data += u32(length) + u64(xsdt) + u32(0)
    if 36 <= length <= len(data):
        data = fix_sum(data, 32, length)
    return data if sum2 else patch(data, 32, u8(data[32] ^ 0x55))


def lapic(apic_id, flags=1, uid=None):
    return u8(0, 8, (apic_id if uid is None else uid) & 0xFF, apic_id) + u32(flags)


def x2apic(apic_id, flags=1, uid=None):
    return u8(9, 16, 0, 0) + u32(apic_id, flags, (apic_id if uid is None else uid) & 0xFFFFFFFF)


def ioapic(apic_id=0, base=0xFEC00000, gsi=0):
    return u8(1, 12, apic_id, 0) + u32(base, gsi)


def override(irq=0, gsi=2, flags=0):
    return u8(2, 10, 0, irq) + u32(gsi) + u16(flags)


def madt(*entries, base=0xFEE00000, flags=1, **more):
    return table("APIC", u32(base, flags) + b"".join(entries), **more)


def srat_memory(proximity, start, length, flags=1):
    return (u8(1, 40) + u32(proximity) + u16(0) + u64(start, length) + u32(0, flags) + u64(0))


def srat_cpu(proximity, apic_id, flags=1):
    high = u32(proximity)[1:]
    return u8(0, 16, proximity & 0xFF, apic_id) + u32(flags) + u8(0) + high + u32(0)


def srat_x2apic(proximity, apic_id, flags=1):
    return u8(2, 24, 0, 0) + u32(proximity, apic_id, flags, 0, 0)


def srat(*entries, revision=3, **more):
    return table("SRAT", u32(1) + u64(0) + b"".join(entries), revision=revision, **more)


def slit(rows, count=None, **more):
    body = u64(len(rows) if count is None else count)
    return table("SLIT", body + b"".join(bytes(row) for row in rows), revision=1, **more)


def fadt(port=0x608, length=4, flags=0, size=116):
    body = bytearray(size - 36)

    def put(at, data):
        if at - 36 + len(data) <= len(body):
            body[at - 36:at - 36 + len(data)] = data

    put(76, u32(port))
    put(91, u8(length))
    put(112, u32(flags))
    return table("FACP", bytes(body))


# ---- Multiboot2 (2.0, section 3.6)

USABLE, RESERVED, ACPI, NVS, BAD = 1, 2, 3, 4, 5


def tag(kind, body=b"", size=None):
    data = u32(kind, 8 + len(body) if size is None else size) + body
    return data + bytes(-len(data) % 8)


def mb_text(kind, text):
    return tag(kind, text.encode("latin-1") + b"\0")


def mb_cmdline(text):
    return mb_text(1, text)


def mb_loader(text="GRUB 2.06"):
    return mb_text(2, text)


def mb_module(start, end, name="module"):
    return tag(3, u32(start, end) + name.encode("latin-1") + b"\0")


def mb_meminfo(lower_kib, upper_kib):
    return tag(4, u32(lower_kib, upper_kib))


def mb_mmap(ranges, entry_size=24, tail=b""):
    body = u32(entry_size, 0)
    for start, length, kind in ranges:
        body += u64(start, length) + u32(kind, 0) + bytes(max(entry_size - 24, 0))
    return tag(6, body + tail)


def mb_framebuffer(base=0xFD000000, pitch=4096, width=1024, height=768, bpp=32, kind=1,
                   fields=(16, 8, 8, 8, 0, 8), size=None):
    body = u64(base) + u32(pitch, width, height) + u8(bpp, kind) + u16(0) + u8(*fields)
    return tag(8, body, size)


def mb_rsdp(data):
    return tag(15 if len(data) > 20 else 14, data)


MB_END = tag(0)


def multiboot2(*tags, total=None, end=True):
    body = b"".join(tags) + (MB_END if end else b"")
    return u32(8 + len(body) if total is None else total, 0) + body


# ---- PVH (Xen public/arch-x86/hvm/start_info.h)

PVH_MAGIC, MULTIBOOT2_MAGIC = 0x336EC578, 0x36D76289


def pvh_info(memmap, memmap_count, cmdline=0, rsdp_at=0, modules=0, module_count=0, version=1,
             magic=PVH_MAGIC):
    data = u32(magic, version, 0, module_count) + u64(modules, cmdline, rsdp_at)
    if version >= 1:
        data += u64(memmap) + u32(memmap_count, 0)
    return data


def pvh_ranges(ranges):
    return b"".join(u64(start, length) + u32(kind, 0) for start, length, kind in ranges)


def pvh_module(start, size, name_at=0):
    return u64(start, size, name_at, 0)
