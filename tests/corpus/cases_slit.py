# SPDX-License-Identifier: BSD-2-Clause
"""Distances between memory domains (SLIT)."""

from cases_srat import CPUS, HIGH, LOW, MIDDLE, TWO
from machine import *

TWO_DOMAINS = srat(*CPUS, srat_memory(*LOW), srat_memory(*HIGH))
GOOD = [[10, 21], [21, 10]]


def distances(why, name, data, *log, srat=TWO_DOMAINS, found=None, **outcome):
    """`found` None: the defaults."""
    expected = dict(TWO, **outcome)
    if found is not None:
        expected["distances"] = found
    return Case(name, why, machine(srat=srat, slit=data), log=list(log), **expected)


def too_few(room, count):
    return "slit: %d bytes are too few for %d domains" % (room, count)


def cannot(distance, a, b):
    return "slit: distance %d from domain %d to %d cannot be: ignored" % (distance, a, b)


CASES = [
    distances("two domains, for comparison", "good", slit(GOOD), found=GOOD),
    distances("one way is longer than the other", "asymmetric", slit([[10, 30], [12, 10]]),
              found=[[10, 30], [12, 10]]),
    distances("out of reach", "unreachable", slit([[10, 255], [255, 10]]),
              found=[[10, 255], [255, 10]]),
    distances("shorter than it says: defaults", "short", slit([[10, 21]], count=2), too_few(2, 2)),
    distances("one byte too short", "short_by_one", slit([[10, 21, 21]], count=2), too_few(3, 2)),
    distances("nothing behind the count", "no_rows", slit([], count=2), too_few(0, 2)),
    distances("ends before the count", "size_40", table("SLIT", bytes(4)),
              "slit: 40 bytes are too few"),
    distances("nothing but the header", "size_36", table("SLIT"), "slit: 36 bytes are too few"),
    distances("no domains", "count_0", slit([], count=0), too_few(0, 0)),
    distances("a count whose square wraps around to 0", "count_2_32", slit(GOOD, count=1 << 32),
              too_few(4, 1 << 32)),
    distances("a count whose square wraps around to 1", "count_2_63_and_1",
              slit(GOOD, count=(1 << 63) + 1), too_few(4, (1 << 63) + 1)),
    distances("the largest count", "count_max", slit(GOOD, count=2**64 - 1),
              too_few(4, 2**64 - 1)),
    distances("fewer domains than there are", "too_few_domains", slit([[10]]),
              "slit: 1 domains, but the SRAT names domain 1"),
    distances("more domains than there are", "more_domains",
              slit([[10, 21, 40], [22, 10, 40], [40, 40, 10]]), found=[[10, 21], [22, 10]]),
    distances("bytes behind the rows", "padded", slit(GOOD + [[0, 0, 0]], count=2), found=GOOD),
    distances("a domain that is far from itself", "local_20", slit([[20, 21], [21, 10]]),
              cannot(20, 0, 0)),
    distances("a domain at no distance from itself", "local_0", slit([[10, 21], [21, 0]]),
              cannot(0, 1, 1)),
    distances("another domain as near as one's own", "remote_10", slit([[10, 10], [10, 10]]),
              cannot(10, 0, 1)),
    distances("another domain nearer than one's own", "remote_0", slit([[10, 21], [0, 10]]),
              cannot(0, 1, 0)),
    distances("all zeroes", "zeroes", slit([[0, 0], [0, 0]]), cannot(0, 0, 0)),
    distances("sparse proximity numbers pick their rows", "sparse",
              slit([[10, 90, 90, 90], [90, 10, 90, 33], [90, 90, 10, 90], [90, 34, 90, 10]]),
              srat=srat(*[srat_cpu(1 + i // 2 * 2, i) for i in range(4)],
                        srat_memory(1, 0, MIDDLE), srat_memory(3, MIDDLE, MIDDLE)),
              found=[[10, 33], [34, 10]]),
    distances("a damaged table: defaults", "sum_wrong", slit(GOOD, checksum=False),
              "acpi: table SLIT at %#x skipped: wrong checksum" % SLIT),
    Case("without_srat", "distances between domains that nobody knows",
         machine(slit=slit(GOOD))),
    Case("without_srat_short", "a bad table is named although nobody needs it",
         machine(slit=slit([[10]], count=2)), log=[too_few(1, 2)]),
]
