/*
 * A program that makes a number of turns a second, each with one call that `watch --failures` looks at, or with none: failures.ts measures what the
 * looking adds. Arguments: `bind`, `send` or `other`, turns a second, seconds. Prints nanoseconds of CPU a turn, the median of batches: on a busy machine
 * others run in some.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/** Turns between two sleeps. */
#define BATCH 10

static double nanoseconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static struct sockaddr_in local;

/* socket, bind to port 0, close */
static int turn_bind(int unused)
{
	(void)unused;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int failed = fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof local) < 0;
	close(fd);
	return failed;
}

/* A datagram to an address that nobody listens on. */
static int turn_send(int fd)
{
	struct sockaddr_in to = local;
	to.sin_port = htons(9);
	return sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to) < 0;
}

/* Two system calls of others. */
static int turn_other(int unused)
{
	(void)unused;
	int fd = dup(0);
	close(fd);
	return fd < 0;
}

static int compare(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;
	return difference < 0 ? -1 : difference > 0;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	int (*turn)(int) = strcmp(argv[1], "bind") == 0 ? turn_bind : strcmp(argv[1], "send") == 0 ? turn_send : turn_other;
	double rate = atof(argv[2]);
	long turns = (long)(rate * atof(argv[3]));
	local.sin_family = AF_INET;
	local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || turns < BATCH)
		return 2;
	long batches = turns / BATCH;
	double *each = malloc((size_t)batches * sizeof *each);
	double begin = nanoseconds(CLOCK_MONOTONIC);
	for (long batch = 0; batch < batches; batch++) {
		double due = begin + (double)(batch * BATCH) / rate * 1e9;
		struct timespec at = { .tv_sec = (time_t)(due / 1e9) };
		at.tv_nsec = (long)(due - (double)at.tv_sec * 1e9);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		double used = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
		for (int i = 0; i < BATCH; i++)
			if (turn(fd))
				return 1;
		each[batch] = (nanoseconds(CLOCK_THREAD_CPUTIME_ID) - used) / BATCH;
	}
	qsort(each, (size_t)batches, sizeof *each, compare);
	printf("%.1f\n", each[batches / 2]);
	return 0;
}
