#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes an initramfs: mkinitramfs.py OUT NAME=FILE...

Each FILE becomes /NAME, mode 0755, owned by root, whoever runs this. The "newc" form of cpio
(Linux, Documentation/driver-api/early-userspace/buffer-format.rst), uncompressed, times zero: the
same files give the same bytes.
"""

import sys


def entry(name, inode, mode, data=b""):
    """One member: a header of 13 numbers in hexadecimal, then name and data, each padded to 4."""
    path = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields)
    return pad(header + path) + pad(data)


def pad(data):
    return data + b"\0" * (-len(data) % 4)


def archive(members):
    # Linux opens /dev/console for /init; its own built-in archive holds that device.
    body = b"".join(
        entry(name, inode, 0o100755, data) for inode, (name, data) in enumerate(members, 1)
    )
    return body + entry("TRAILER!!!", 0, 0)


def main(arguments):
    if len(arguments) < 2 or any("=" not in a for a in arguments[1:]):
        sys.exit("usage: mkinitramfs.py OUT NAME=FILE...")
    members = []
    for argument in arguments[1:]:
        name, path = argument.split("=", 1)
        try:
            with open(path, "rb") as file:
                members.append((name, file.read()))
        except OSError as error:
            sys.exit(f"mkinitramfs.py: cannot read {path}: {error.strerror}")
    with open(arguments[0], "wb") as out:
        out.write(archive(members))


if __name__ == "__main__":
    main(sys.argv[1:])
