# SPDX-License-Identifier: BSD-2-Clause
"""The whole command, with a QEMU, a Linux and a host benchmark that only pretend."""
import contextlib
import io
import json
import os
import shutil
import tempfile
import unittest

import bench
import samples
import systems

# Writes the files that its arguments name, and the arguments themselves to QEMU_ARGUMENTS.
QEMU = """#!/bin/bash
[ "$1" != --version ] || { echo "QEMU emulator version 7.2"; exit; }
for word in "$@"; do
	case $word in
	file:*) serial=${word#file:} ;;
	*,out=*) meter=${word##*,out=} ;;
	esac
done
echo "$*" >>"$FAKE/arguments"
[ ! -e "$FAKE/serial" ] || cp "$FAKE/serial" "$serial"
[ ! -e "$FAKE/meter" ] || cp "$FAKE/meter" "$meter"
[ ! -e "$FAKE/hang" ] || { sleep 1000 & echo $! >"$FAKE/child"; wait; }
echo "a word on stderr" >&2
exit "$(cat "$FAKE/status")"
"""

LINUX = """#!/bin/bash
[ "$1" != --list ] || { echo page.pair; exit; }
while [ $# -gt 0 ]; do
	[ "$1" != --out ] || out=$2
	shift
done
[ ! -e "$FAKE/no-linux" ] || { echo "run.sh: Debian's kernel is not there" >&2; exit 2; }
cp "$FAKE/serial" "$out/serial.log"
cp "$FAKE/meter" "$out/meter.txt"
echo "linux 6.1.0-fake" >"$out/command.txt"
"""

HOST = """#!/bin/bash
cp "$FAKE/host.json" "$2"
"""


class Command(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        os.environ["FAKE"] = self.folder
        os.makedirs(self.path("bench/peers/linux"))
        os.makedirs(self.path("bench/host"))
        shutil.copy(os.path.join(os.environ["QUIRE_ROOT"], "bench/cases.h"), self.path("bench"))
        for name, text in (("qemu", QEMU), ("bench/peers/linux/run.sh", LINUX),
                           ("bench/host/run.sh", HOST)):
            self.write(name, text)
            os.chmod(self.path(name), 0o755)
        self.write("serial", samples.serial(samples.case_line(0, "empty", ops=1),
                                            samples.case_line(1, "page.pair")))
        self.write("meter", samples.meter(samples.slot(0, 0, own_insns=7),
                                          samples.slot(1, 0, own_insns=487)))
        self.write("host.json", json.dumps(samples.host()))
        self.write("status", "33")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def run_bench(self, *arguments):
        """(status, stdout, stderr)"""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            # The default argument of Progress was bound when it was defined.
            bench.Progress.__init__.__defaults__ = (err, bench.time.monotonic)
            try:
                status = bench.main(["--root", self.folder, "--kernel", self.path("quire.elf"),
                                     "--meter", self.path("libmeter.so"), "--qemu",
                                     self.path("qemu"), "--cores", "2", *arguments])
            except SystemExit as error:
                status = error.code
        return status, out.getvalue(), err.getvalue()

    def test_all_sources(self):
        json_path = self.path("report.json")
        status, out, err = self.run_bench("--quick", "--smp", "1", "--against", "linux,allocators",
                                          "--json", json_path, "page")
        self.assertEqual(0, status, err)
        self.assertRegex(out, r"page\.pair +48\.0 +48\.0 +1\.00 +48\.0 +yes")
        self.assertRegex(out, r"pair\.64 +1 +14\.0 +7\.00 tcmalloc")
        self.assertIn("4/4 allocators of this machine: done", err)
        with open(json_path, encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual(["quire", "linux", "linux-shipped"],
                         [run["system"] for run in report["runs"]])
        self.assertEqual("./quire bench --quick --smp 1 --against linux,allocators --json " +
                         json_path + " page", report["command"])
        self.assertNotIn(self.folder, json.dumps(report["runs"]))
        self.assertIn("run=bench --quick page", report["runs"][0]["command"])
        self.assertEqual(["linux 6.1.0-fake"], report["runs"][1]["made_by"])
        self.assertEqual(["1G", "1G", "1G"], [run["memory"] for run in report["runs"]])
        for key in ("machine", "versions", "made"):
            self.assertTrue(report[key])

    def test_json_holds_the_whole_report_with_a_figure_to_a_line(self):
        report = samples.report([samples.run("quire", 2, 48)], host=samples.host())
        report["runs"][0]["parallel"] = {"figures": [{"case": "page.pair", "text": "\\ @@0@@"}]}
        text = bench.as_json(report)
        self.assertEqual(report, json.loads(text))
        self.assertEqual(1, sum('"case": "page.pair", "index": 1, "mode": "all"' in line
                                for line in text.splitlines()))

    def test_one_cpu_goes_by_instructions_and_several_take_turns(self):
        self.run_bench("--smp", "1,8,32")
        with open(self.path("arguments"), encoding="utf-8") as file:
            one, eight, parallel, many = file.read().splitlines()
        self.assertIn("-icount shift=0,sleep=off", one)
        self.assertIn("-smp 8", eight)
        self.assertIn("thread=single", eight)
        self.assertNotIn("-icount", eight)
        self.assertIn("thread=multi", parallel)
        self.assertIn("run=bench --mode all", parallel)
        self.assertIn("-smp 32", many)  # too many for two cores to run in parallel
        self.assertIn("thread=single", many)
        # Memory grows with the CPUs.
        self.assertEqual(["1G", "2G", "2G", "8G"],
                         [line.split(" -m ")[1].split()[0] for line in (one, eight, parallel, many)])

    def test_a_missing_peer_leaves_the_rest(self):
        self.write("no-linux", "")
        status, out, _ = self.run_bench("--smp", "1", "--against", "linux")
        self.assertEqual(1, status)
        self.assertRegex(out, r"page\.pair +48\.0 +- ")
        self.assertIn("linux, 1 CPU: ended with status 2: run.sh: Debian's kernel is not there",
                      out)

    def test_a_kernel_that_stops_half_way_keeps_what_it_measured(self):
        self.write("serial", samples.case_line(1, "page.pair") + "\nbench: FAIL case=2: bad\n")
        self.write("status", "37")
        status, out, _ = self.run_bench("--smp", "1")
        self.assertEqual(1, status)
        self.assertRegex(out, r"page\.pair +48\.0")
        self.assertIn("ended with status 37: a word on stderr", out)
        self.assertIn("FAIL case=2: bad", out)

    def test_a_parallel_run_that_fails_leaves_the_other(self):
        self.write("qemu", QEMU.replace('echo "$*"', "[[ $* != *thread=multi* ]] || exit 1\n"
                                                     'echo "$*"'))
        status, out, _ = self.run_bench("--smp", "2")
        self.assertEqual(1, status)
        self.assertRegex(out, r"page\.pair +48\.0")
        self.assertIn("quire, 2 CPUs, each with a thread of its own: ended with status 1", out)

    def test_a_debug_build_is_no_measurement(self):
        self.write("serial", samples.serial(samples.case_line(1, "page.pair"), build="debug"))
        self.assertIn("debug build", self.run_bench("--smp", "1")[1])

    def test_no_meter(self):
        os.remove(self.path("meter"))
        status, out, _ = self.run_bench("--smp", "1")
        self.assertEqual(1, status)
        self.assertIn("the meter wrote nothing", out)

    def test_a_machine_that_hangs_is_stopped(self):
        self.write("hang", "")
        status, out, _ = self.run_bench("--smp", "1", "--timeout", "1")
        self.assertEqual(1, status)
        self.assertIn("stopped after 1 s; its last line: bench: done", out)
        with open(self.path("child"), encoding="utf-8") as file:
            child = file.read().strip()
        state = "/proc/" + child + "/stat"  # gone, or dead and waiting for its new parent
        if os.path.exists(state):
            with open(state, encoding="utf-8") as file:
                self.assertEqual("Z", file.read().split()[2])

    def test_no_qemu(self):
        os.remove(self.path("qemu"))
        status, out, _ = self.run_bench("--smp", "1")
        self.assertEqual(1, status)
        self.assertIn("cannot start", out)

    def test_bad_arguments(self):
        for arguments, words in ((("--smp", "0"), "1 to 64"), (("--smp", "1,65"), "1 to 64"),
                                 (("--smp", "x"), "1 to 64"), (("--against", "bsd"), "bsd"),
                                 (("nonsense",), "no case has the name 'nonsense'"),
                                 (("--json", "/no/such/folder/x"), "cannot be written"),
                                 (("--nonsense",), "unrecognized"),
                                 (("--show", self.path("serial")), "not JSON"),
                                 (("--show", self.path("host.json")), "not a report")):
            status, _, err = self.run_bench(*arguments)
            self.assertEqual(2, status, arguments)
            self.assertIn(words, err)
        self.assertEqual(0, self.run_bench("--check", "--smp", "1,64", "page")[0])
        self.assertFalse(os.path.exists(self.path("arguments")))

    def test_a_report_is_shown_again(self):
        path = self.path("report.json")
        _, first, _ = self.run_bench("--smp", "1", "--json", path)
        status, again, _ = self.run_bench("--show", path)
        self.assertEqual((0, first), (status, again))

    def test_families_and_names(self):
        known = systems.all_cases(self.folder)
        self.assertIn("page.pair", systems.chosen(known, ["page"]))
        self.assertEqual(["kmem.1"], systems.chosen(known, ["kmem.1"]))
        self.assertEqual([], systems.chosen(known, ["pag"]))


if __name__ == "__main__":
    unittest.main()
