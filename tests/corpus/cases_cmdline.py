# SPDX-License-Identifier: BSD-2-Clause
"""Command lines."""

from machine import *

UNKNOWN = 'unknown option "%s" ignored'
IGNORED = 'option "%s" ignored: %s'


def line(why, name, text, options, *log):
    return Case(name, why, machine(cmdline=text), cmdline=text, options=options, log=list(log))


CASES = [
    line("options, for comparison", "good", "quiet smp.max=2 kmem.size=16M panic=exit run=audit",
         "quiet panic=exit kmem=16777216 cpus=2 run=audit"),
    line("what GRUB adds", "grub", "BOOT_IMAGE=/boot/quire quiet", "quiet",
         UNKNOWN % "BOOT_IMAGE=/boot/quire"),
    line("an unknown option", "unknown", "frobnicate quiet", "quiet", UNKNOWN % "frobnicate"),
    line("an unknown option with dots", "unknown_dotted", "no.such.value=1 quiet", "quiet",
         UNKNOWN % "no.such.value=1"),
    line("a name that is the beginning of one", "prefix", "quie smp.ma=2", "",
         UNKNOWN % "quie", UNKNOWN % "smp.ma=2"),
    line("an option twice: the last", "twice", "panic=halt panic=reboot", "panic=reboot"),
    line("a value where none is taken", "quiet_value", "quiet=1", "",
         IGNORED % ("quiet=1", "it takes no value")),
    line("a value is missing", "value_missing", "panic", "", IGNORED % ("panic", "it needs a value")),
    line("an empty value", "value_empty", "panic=", "",
         IGNORED % ("panic=", "the value is one of halt, exit, reboot")),
    line("a value that is none of those allowed", "value_wrong", "panic=explode", "",
         IGNORED % ("panic=explode", "the value is one of halt, exit, reboot")),
    line("no CPUs", "cpus_0", "smp.max=0", "", IGNORED % ("smp.max=0", "one CPU is the least")),
    line("fewer than no CPUs", "cpus_negative", "smp.max=-1", "",
         IGNORED % ("smp.max=-1", "not a number")),
    line("a number that is none", "cpus_word", "smp.max=four", "",
         IGNORED % ("smp.max=four", "not a number")),
    line("a number beyond 64 bits", "cpus_huge", "smp.max=99999999999999999999", "",
         IGNORED % ("smp.max=99999999999999999999", "too large")),
    line("more CPUs than there are", "cpus_many", "smp.max=18446744073709551615", ""),
    line("a size with an unknown suffix", "size_suffix", "kmem.size=12Q", "",
         IGNORED % ("kmem.size=12Q", "not a number")),
    line("a size beyond 64 bits by its suffix", "size_huge", "kmem.size=18446744073709551615G", "",
         IGNORED % ("kmem.size=18446744073709551615G", "too large")),
    line("a size in hexadecimal", "size_hex", "kmem.size=0x100000", "kmem=1048576"),
    line("quotes around a value", "quoted_value", 'panic="halt" quiet', "quiet panic=halt"),
    line("quotes around an option", "quoted_option", '"panic=halt" quiet', "quiet panic=halt"),
    line("a quote that is not closed", "quote_open", 'quiet panic="halt', "quiet",
         IGNORED % ('panic="halt', "a quote that is not closed")),
    line("no name before the '='", "no_name", "=5 quiet", "quiet", IGNORED % ("=5", "no name")),
    line("a name with a sign", "bad_name", "qu!et quiet", "quiet",
         IGNORED % ("qu!et", "a character that no name has")),
    line("nothing but blanks", "blanks", "   \t  ", ""),
    line("blanks around everything", "blanks_around", "  quiet \t panic=halt  ", "quiet panic=halt"),
    line("run takes the rest of the line", "run_rest", "run=audit; quiet panic=halt",
         "run=audit; quiet panic=halt"),
    line("run in quotes ends with them", "run_quoted", 'run="audit; cpus" quiet',
         "quiet run=audit; cpus"),
    line("run without commands", "run_empty", "quiet run=", "quiet run="),
    line("run with more than is taken", "run_long", "run=" + "a" * 1100, "",
         IGNORED % ("run=" + "a" * 56, "its value is too long")),
    line("bench is a run", "bench", "bench", "run=bench; audit"),
    line("a value of the kernel", "tunable", "corpus.number=7", "corpus.number=7"),
    line("a value of the kernel without a value", "tunable_missing", "corpus.number", "",
         IGNORED % ("corpus.number", "it needs a value")),
    line("a value of the kernel that is read only", "tunable_fixed", "corpus.fixed=7", "",
         IGNORED % ("corpus.fixed=7", "it is read-only")),
    line("a value of the kernel that is not a number", "tunable_word", "corpus.number=many", "",
         IGNORED % ("corpus.number=many", "not a value of its type")),
    line("a long name in messages is cut", "name_long", "k" * 200, "", UNKNOWN % ("k" * 60)),
    line("2047 bytes", "bytes_2047", "quiet " + "o" * 2041, "quiet", UNKNOWN % ("o" * 60)),
]
