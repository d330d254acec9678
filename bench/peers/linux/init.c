/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only process of the Linux that is measured: loads the benchmark, which does everything and
 * prints, then powers off. A static program, the /init of an initramfs that holds nothing else but
 * the module.
 *
 * Arguments: what stands behind "--" on the kernel's command line, which are the parameters of the
 * module. What init saw of the boot is given as one more parameter.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MODULE "/bench.ko"

enum {
	PARAMS_MAX = 2048,
	RECORD_MAX = 8192, /* what the kernel requires of a reader of /dev/kmsg */
	KMSG_MAJOR = 1,    /* Linux, Documentation/admin-guide/devices.txt */
	KMSG_MINOR = 11,
};

static void complain(const char *what)
{
	printf("bench: error: init: %s: %s\n", what, strerror(errno));
	fflush(stdout);
}

/* Does not return. Output reaches the console before: it is written with every call. */
static void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	complain("power off");
	for (;;)
		pause();
}

/*
 * Microseconds between the kernel's two messages on starting its other CPUs, -1 if they are not
 * there. A record of /dev/kmsg is "LEVEL,NUMBER,MICROSECONDS,FLAGS;TEXT".
 */
static long long cpu_start_us(void)
{
	char record[RECORD_MAX];
	long long first = -1, us;
	ssize_t len;
	int fd, level, number;

	mknod("/kmsg", S_IFCHR | 0400, makedev(KMSG_MAJOR, KMSG_MINOR));
	fd = open("/kmsg", O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return -1;
	while ((len = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		if (len < 0)
			continue; /* overwritten meanwhile; the next one is there */
		record[len] = '\0';
		if (sscanf(record, "%d,%d,%lld", &level, &number, &us) != 3)
			continue;
		if (strstr(record, ";smp: Bringing up secondary CPUs"))
			first = us;
		if (first >= 0 && strstr(record, ";smp: Brought up")) {
			close(fd);
			return us - first;
		}
	}
	close(fd);
	return -1;
}

static int join(char *params, int argc, char **argv)
{
	size_t used = 0;

	for (int i = 1; i < argc; i++) {
		int n = snprintf(params + used, PARAMS_MAX - used, "%s ", argv[i]);

		if (n < 0 || used + (size_t)n >= PARAMS_MAX)
			return -1;
		used += (size_t)n;
	}
	if (snprintf(params + used, PARAMS_MAX - used, "cpu_start_us=%lld", cpu_start_us()) >=
	    (int)(PARAMS_MAX - used))
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	static char params[PARAMS_MAX];
	int fd;

	if (join(params, argc, argv) != 0) {
		printf("bench: error: init: the arguments are longer than %d bytes\n", PARAMS_MAX);
		fflush(stdout);
		power_off();
	}
	fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		complain("open " MODULE);
	else if (syscall(SYS_finit_module, fd, params, 0) != 0)
		complain("load " MODULE);
	power_off();
	return EXIT_FAILURE;
}
