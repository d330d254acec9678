#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Boots the kernel once and judges what it said. bazel/boot_test.bzl makes the arguments.
#
# Passes when QEMU ends in time with the expected status, every expected expression is in the
# serial log, no self-test case failed, and the self-test ran as many cases as it counted; those
# that the machine did not allow are counted apart.
# Each case becomes a test case of its own in Bazel's report, beside the case "boot".
set -uo pipefail

expect=()
while [ $# -gt 0 ]; do
	case $1 in
	--qemu-script) qemu_script=$2 ;;
	--image) image=$2 ;;
	--boot) boot=$2 ;;
	--cmdline) cmdline=$2 ;;
	--status) want_status=$2 ;;
	--timeout) limit=$2 ;;
	--expect) expect+=("$2") ;;
	--) shift; break ;;
	*) echo "boot_test.sh: unknown option $1" >&2; exit 2 ;;
	esac
	shift 2
done

out=${TEST_UNDECLARED_OUTPUTS_DIR:-${TEST_TMPDIR:-$(mktemp -d)}}
raw=$out/serial.raw
log=$out/serial.log
: >"$raw"
failures=()

# QEMU keeps what a guest writes to its disk in a temporary file.
export TMPDIR=${TEST_TMPDIR:-${TMPDIR:-/tmp}}

start=$SECONDS
timeout -k 5 "$limit" "$qemu_script" --image "$image" --boot "$boot" --cmdline "$cmdline" \
	--serial "$raw" --batch --raw-status -- "$@"
status=$?
seconds=$((SECONDS - start))

# GRUB moves the cursor about, and consoles end lines with CR LF.
sed -e 's/\x1b\[[0-9;?]*[A-Za-z]//g' -e 's/\r//g' "$raw" | tr -cd '\11\12\40-\176' >"$log"
rm -f "$raw"
cat "$log"
echo "---- QEMU ended with status $status after $seconds s"

judge()
{
	local expression counted ran name

	if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
		failures+=("no exit within $limit s: the kernel hangs; its last line: $(tail -n 1 "$log")")
	elif [ "$status" -ne "$want_status" ]; then
		failures+=("QEMU's exit status is $status instead of $want_status")
	fi
	for expression in "${expect[@]}"; do
		grep -qE -- "$expression" "$log" || failures+=("the serial log lacks /$expression/")
	done
	while read -r name; do
		failures+=("self-test case $name failed")
	done < <(sed -nE 's/^.*selftest: case ([^ ]+) FAILED.*/\1/p' "$log")

	counted=$(sed -nE 's/^.*selftest: ([0-9]+) passed, .*/\1/p' "$log" | tail -n 1)
	ran=$(grep -cE 'selftest: case [^ ]+ ok' "$log")
	[ -z "$counted" ] || [ "$counted" -eq "$ran" ] ||
		failures+=("the self-test counted $counted cases, but $ran said ok")
	counted=$(sed -nE 's/^.*selftest: [0-9]+ passed, .* ([0-9]+) skipped.*/\1/p' "$log" | tail -n 1)
	ran=$(grep -cE 'selftest: case [^ ]+ skipped' "$log")
	[ "${counted:-0}" -eq "$ran" ] ||
		failures+=("the self-test counted ${counted:-0} skipped cases, but $ran said so")
}

# Writes what failed in a form that an XML attribute takes.
xml_text()
{
	sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g'
}

report()
{
	local failure

	echo '<?xml version="1.0" encoding="UTF-8"?>'
	echo '<testsuites><testsuite name="kernel">'
	echo "<testcase name=\"boot\" classname=\"kernel\" time=\"$seconds\">"
	for failure in "${failures[@]}"; do
		printf '<failure message="%s"/>\n' "$(xml_text <<<"$failure")"
	done
	echo '</testcase>'
	xml_text <"$log" | sed -nE \
		-e 's|^.*selftest: case ([^ ]+) ok.*|<testcase name="\1" classname="selftest"/>|p' \
		-e 's|^.*selftest: case ([^ ]+) skipped:? ?(.*)|<testcase name="\1" classname="selftest"><skipped message="\2"/></testcase>|p' \
		-e 's|^.*selftest: case ([^ ]+) FAILED:? ?(.*)|<testcase name="\1" classname="selftest"><failure message="\2"/></testcase>|p'
	echo '</testsuite></testsuites>'
}

judge
[ -z "${XML_OUTPUT_FILE:-}" ] || report >"$XML_OUTPUT_FILE"
for failure in "${failures[@]}"; do
	echo "FAILED: $failure"
done
[ ${#failures[@]} -eq 0 ]
