# SPDX-License-Identifier: BSD-2-Clause
# Turns the pictures of font.txt into the table that font.h declares.

function byte(picture,    value, i)
{
	value = 0
	for (i = 1; i <= 8; i++)
		value = value * 2 + (substr(picture, i, 1) == "#")
	return value
}

/^[.#][.# ]*$/ {
	for (i = 1; i <= NF; i++) {
		if (length($i) != 8) {
			print FILENAME ":" NR ": a row is not 8 pixels wide" >"/dev/stderr"
			failed = 1
			exit 1
		}
		rows[first + i - 1] = rows[first + i - 1] sprintf("0x%02x, ", byte($i))
	}
	if (++lines == 14) {
		first += NF
		lines = 0
	}
}

END {
	if (failed)
		exit 1
	if (lines != 0 || first != 95) {
		print FILENAME ": " first " characters of 14 rows, not 95" >"/dev/stderr"
		exit 1
	}
	print "/* Generated from font.txt. */"
	print "#include \"arch/x86_64/devices/font.h\"\n"
	print "const uint8_t font_glyphs[FONT_COUNT][FONT_HEIGHT] = {"
	for (i = 0; i < first; i++)
		print "\t{0x00, " rows[i] "0x00},"
	print "};"
}
