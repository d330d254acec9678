/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers as in the data sheet of National Semiconductor's PC16550D, section 8. */
#include "arch/x86_64/devices/serial.h"

#include "arch/x86_64/devices/io.h"

enum {
	COM1 = 0x3f8,
	REG_DATA = 0,
	REG_INTERRUPT_ENABLE = 1,
	REG_FIFO_CONTROL = 2,
	REG_LINE_CONTROL = 3,
	REG_MODEM_CONTROL = 4,
	REG_LINE_STATUS = 5,
	REG_SCRATCH = 7,

	LINE_8N1 = 0x03,
	LINE_DIVISOR_LATCH = 0x80,
	FIFO_ENABLE_AND_CLEAR = 0x07,
	MODEM_DTR_RTS = 0x03,
	STATUS_DATA_READY = 0x01,
	STATUS_CAN_SEND = 0x20,

	DIVISOR_115200 = 1,

	/* One byte takes 87 us to send, the FIFO 1.4 ms; a port read takes about 1 us on real
	 * machines and less under an emulator, whose port is ready at once. */
	SEND_POLLS = 20000,
};

static bool port_present;
/* Set while the port does not take bytes, so that a stuck one costs its full wait only once. */
static bool port_stuck;

static uint8_t reg_read(unsigned reg)
{
	return io_in8((uint16_t)(COM1 + reg));
}

static void reg_write(unsigned reg, uint8_t value)
{
	io_out8((uint16_t)(COM1 + reg), value);
}

/* A port that nobody drives reads as all ones, and keeps nothing in its scratch register. */
static bool serial_detect(void)
{
	static const uint8_t patterns[] = {0x55, 0xaa};

	for (size_t i = 0; i < nitems(patterns); i++) {
		reg_write(REG_SCRATCH, patterns[i]);
		if (reg_read(REG_SCRATCH) != patterns[i])
			return false;
	}
	return reg_read(REG_LINE_STATUS) != 0xff;
}

void serial_init(void)
{
	port_present = serial_detect();
	if (!port_present)
		return;
	reg_write(REG_INTERRUPT_ENABLE, 0);
	reg_write(REG_LINE_CONTROL, LINE_DIVISOR_LATCH);
	reg_write(REG_DATA, DIVISOR_115200);
	reg_write(REG_INTERRUPT_ENABLE, 0); /* the divisor's high byte, while the latch is open */
	reg_write(REG_LINE_CONTROL, LINE_8N1);
	reg_write(REG_FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
	reg_write(REG_MODEM_CONTROL, MODEM_DTR_RTS);
}

static bool serial_wait_room(void)
{
	unsigned polls = port_stuck ? 1 : SEND_POLLS;

	while (polls-- > 0)
		if (reg_read(REG_LINE_STATUS) & STATUS_CAN_SEND)
			return true;
	return false;
}

void serial_write(uint8_t byte)
{
	if (!port_present)
		return;
	port_stuck = !serial_wait_room();
	if (!port_stuck)
		reg_write(REG_DATA, byte);
}

int serial_read(void)
{
	if (!port_present || !(reg_read(REG_LINE_STATUS) & STATUS_DATA_READY))
		return -1;
	return reg_read(REG_DATA);
}
