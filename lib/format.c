/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/format.h"

#include "lib/string.h"

/* One conversion: what stands between '%' and its letter. */
struct spec {
	bool left, zero, plus, space, alt;
	bool has_precision;
	unsigned width;
	unsigned precision;
	enum {
		LEN_INT,
		LEN_CHAR,
		LEN_SHORT,
		LEN_LONG,
		LEN_LLONG,
		LEN_SIZE,
		LEN_MAX,
		LEN_DIFF
	} length;
};

struct output {
	format_put_t put;
	void *ctx;
	size_t total;
	va_list args;
};

static void put(struct output *out, const char *s, size_t n)
{
	if (n == 0)
		return;
	out->put(out->ctx, s, n);
	out->total += n;
}

static void pad(struct output *out, char c, unsigned n)
{
	char block[16];

	memset(block, c, sizeof(block));
	for (; n > sizeof(block); n -= (unsigned)sizeof(block))
		put(out, block, sizeof(block));
	put(out, block, n);
}

static bool parse_flag(struct spec *spec, char c)
{
	switch (c) {
	case '-':
		return spec->left = true;
	case '0':
		return spec->zero = true;
	case '+':
		return spec->plus = true;
	case ' ':
		return spec->space = true;
	case '#':
		return spec->alt = true;
	default:
		return false;
	}
}

static unsigned parse_digits(const char **fmt)
{
	unsigned n = 0;

	for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
		if (n < FORMAT_WIDTH_MAX)
			n = n * 10 + (unsigned)(**fmt - '0');
	return n < FORMAT_WIDTH_MAX ? n : FORMAT_WIDTH_MAX;
}

static void parse_width(struct spec *spec, const char **fmt, struct output *out)
{
	if (**fmt != '*') {
		spec->width = parse_digits(fmt);
		return;
	}
	(*fmt)++;

	int n = va_arg(out->args, int);
	unsigned width = n < 0 ? 0u - (unsigned)n : (unsigned)n;

	if (n < 0)
		spec->left = true;
	spec->width = width < FORMAT_WIDTH_MAX ? width : FORMAT_WIDTH_MAX;
}

static void parse_precision(struct spec *spec, const char **fmt, struct output *out)
{
	if (**fmt != '.')
		return;
	(*fmt)++;
	spec->has_precision = true;
	if (**fmt != '*') {
		spec->precision = parse_digits(fmt);
		return;
	}
	(*fmt)++;

	int n = va_arg(out->args, int);

	if (n < 0)
		spec->has_precision = false;
	else
		spec->precision = n < FORMAT_WIDTH_MAX ? (unsigned)n : FORMAT_WIDTH_MAX;
}

static void parse_length(struct spec *spec, const char **fmt)
{
	char c = **fmt;
	bool twice = c != '\0' && (*fmt)[1] == c;

	spec->length = LEN_INT;
	switch (c) {
	case 'h':
		spec->length = twice ? LEN_CHAR : LEN_SHORT;
		break;
	case 'l':
		spec->length = twice ? LEN_LLONG : LEN_LONG;
		break;
	case 'z':
		spec->length = LEN_SIZE;
		break;
	case 'j':
		spec->length = LEN_MAX;
		break;
	case 't':
		spec->length = LEN_DIFF;
		break;
	default:
		return;
	}
	*fmt += twice && (c == 'h' || c == 'l') ? 2 : 1;
}

static intmax_t signed_arg(const struct spec *spec, struct output *out)
{
	switch (spec->length) {
	case LEN_CHAR:
		return (signed char)va_arg(out->args, int);
	case LEN_SHORT:
		return (short)va_arg(out->args, int);
	case LEN_LONG:
		return va_arg(out->args, long);
	case LEN_LLONG:
		return va_arg(out->args, long long);
	case LEN_SIZE:
	case LEN_DIFF:
		return va_arg(out->args, ptrdiff_t);
	case LEN_MAX:
		return va_arg(out->args, intmax_t);
	default:
		return va_arg(out->args, int);
	}
}

static uintmax_t unsigned_arg(const struct spec *spec, struct output *out)
{
	switch (spec->length) {
	case LEN_CHAR:
		return (unsigned char)va_arg(out->args, unsigned);
	case LEN_SHORT:
		return (unsigned short)va_arg(out->args, unsigned);
	case LEN_LONG:
		return va_arg(out->args, unsigned long);
	case LEN_LLONG:
		return va_arg(out->args, unsigned long long);
	case LEN_SIZE:
	case LEN_DIFF:
		return va_arg(out->args, size_t);
	case LEN_MAX:
		return va_arg(out->args, uintmax_t);
	default:
		return va_arg(out->args, unsigned);
	}
}

/* Prefix, zeros and digits in a field: the one layout that all numbers share. */
static void put_number(struct output *out, const struct spec *spec, const char *prefix,
		       const char *digits, unsigned ndigits)
{
	unsigned nprefix = (unsigned)strlen(prefix);
	unsigned zeros = spec->precision > ndigits ? spec->precision - ndigits : 0;
	unsigned used = nprefix + zeros + ndigits;
	unsigned blanks = spec->width > used ? spec->width - used : 0;

	if (spec->zero && !spec->left && !spec->has_precision) {
		zeros += blanks;
		blanks = 0;
	}
	if (!spec->left)
		pad(out, ' ', blanks);
	put(out, prefix, nprefix);
	pad(out, '0', zeros);
	put(out, digits, ndigits);
	if (spec->left)
		pad(out, ' ', blanks);
}

static void put_digits(struct output *out, const struct spec *spec, const char *prefix, uintmax_t x,
		       unsigned base, bool upper)
{
	const char *symbols = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char digits[24]; /* 2^64 - 1 has 22 octal digits; one more for the 0 of %#o */
	char *p = digits + sizeof(digits);
	char *end = p;

	for (uintmax_t rest = x; rest != 0; rest /= base)
		*--p = symbols[rest % base];
	/* No digit at all is printed for 0 with precision 0 (C17 7.21.6.1). */
	if (p == end && !(spec->has_precision && spec->precision == 0))
		*--p = '0';
	if (base == 8 && spec->alt && (p == end || *p != '0') && spec->precision <= end - p)
		*--p = '0';
	put_number(out, spec, prefix, p, (unsigned)(end - p));
}

static void put_signed(struct output *out, const struct spec *spec)
{
	intmax_t x = signed_arg(spec, out);
	const char *sign = x < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";
	uintmax_t magnitude = x < 0 ? 0 - (uintmax_t)x : (uintmax_t)x;

	put_digits(out, spec, sign, magnitude, 10, false);
}

static void put_hex(struct output *out, const struct spec *spec, bool upper)
{
	uintmax_t x = unsigned_arg(spec, out);
	const char *prefix = !spec->alt || x == 0 ? "" : upper ? "0X" : "0x";

	put_digits(out, spec, prefix, x, 16, upper);
}

static void put_field(struct output *out, const struct spec *spec, const char *s, size_t n)
{
	unsigned blanks = n < spec->width ? spec->width - (unsigned)n : 0;

	if (!spec->left)
		pad(out, ' ', blanks);
	put(out, s, n);
	if (spec->left)
		pad(out, ' ', blanks);
}

static void put_string(struct output *out, const struct spec *spec)
{
	const char *s = va_arg(out->args, const char *);

	if (s == NULL)
		s = "(null)";
	/* With a precision the string need not end with 0. */
	put_field(out, spec, s, spec->has_precision ? strnlen(s, spec->precision) : strlen(s));
}

static void put_char(struct output *out, const struct spec *spec)
{
	char c = (char)va_arg(out->args, int);

	put_field(out, spec, &c, 1);
}

/* False for a letter that is not known; nothing is printed then and no argument taken. */
static bool put_conversion(struct output *out, const struct spec *spec, char letter)
{
	switch (letter) {
	case 'd':
	case 'i':
		put_signed(out, spec);
		return true;
	case 'u':
		put_digits(out, spec, "", unsigned_arg(spec, out), 10, false);
		return true;
	case 'o':
		put_digits(out, spec, "", unsigned_arg(spec, out), 8, false);
		return true;
	case 'x':
	case 'X':
		put_hex(out, spec, letter == 'X');
		return true;
	case 'p':
		put_digits(out, spec, "0x", (uintptr_t)va_arg(out->args, void *), 16, false);
		return true;
	case 's':
		put_string(out, spec);
		return true;
	case 'c':
		put_char(out, spec);
		return true;
	case '%':
		put(out, "%", 1);
		return true;
	default:
		return false;
	}
}

static const char *format_one(struct output *out, const char *percent)
{
	struct spec spec = {0};
	const char *fmt = percent + 1;

	while (parse_flag(&spec, *fmt))
		fmt++;
	parse_width(&spec, &fmt, out);
	parse_precision(&spec, &fmt, out);
	parse_length(&spec, &fmt);
	if (put_conversion(out, &spec, *fmt))
		return fmt + 1;
	if (*fmt != '\0')
		fmt++;
	put(out, percent, (size_t)(fmt - percent));
	return fmt;
}

size_t format_sink(format_put_t put_fn, void *ctx, const char *fmt, va_list args)
{
	struct output out = {.put = put_fn, .ctx = ctx, .total = 0};

	va_copy(out.args, args);
	while (*fmt != '\0') {
		const char *percent = strchr(fmt, '%');

		if (percent == NULL) {
			put(&out, fmt, strlen(fmt));
			break;
		}
		put(&out, fmt, (size_t)(percent - fmt));
		fmt = format_one(&out, percent);
	}
	va_end(out.args);
	return out.total;
}

struct buffer {
	char *next;
	size_t room; /* without the final 0 */
};

static void put_buffer(void *ctx, const char *s, size_t n)
{
	struct buffer *buffer = ctx;
	size_t fits = n < buffer->room ? n : buffer->room;

	if (fits == 0)
		return;
	memcpy(buffer->next, s, fits);
	buffer->next += fits;
	buffer->room -= fits;
}

size_t format_v(char *buf, size_t size, const char *fmt, va_list args)
{
	struct buffer buffer = {.next = buf, .room = size == 0 ? 0 : size - 1};
	size_t total = format_sink(put_buffer, &buffer, fmt, args);

	if (size != 0)
		*buffer.next = '\0';
	return total;
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);

	size_t total = format_v(buf, size, fmt, args);

	va_end(args);
	return total;
}
