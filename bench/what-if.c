/*
 * A loop of sockets that are bound to port 0 and closed, or of system calls that do not bind: what-if.ts measures what a supervisor adds.
 * Arguments: `bind` or `close`, and how many hundreds. Prints nanoseconds a turn of the fastest hundred: on a busy machine others run in most.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double nanoseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int turn(int binds)
{
	struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int failed = fd < 0 || (binds && bind(fd, (struct sockaddr *)&local, sizeof local) < 0);
	close(fd);
	return failed;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	int binds = strcmp(argv[1], "bind") == 0;
	int hundreds = atoi(argv[2]);
	double least = 0;
	for (int hundred = 0; hundred < hundreds; hundred++) {
		double begin = nanoseconds();
		for (int i = 0; i < 100; i++)
			if (turn(binds))
				return 1;
		double each = (nanoseconds() - begin) / 100;
		if (hundred == 0 || each < least)
			least = each;
	}
	printf("%.1f\n", least);
	return 0;
}
