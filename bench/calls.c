/*
 * What a system call that does nothing, and a look at the clock, cost a C program: calls.ts measures the same from JavaScript.
 * Prints one JSON object, nanoseconds each.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 1000000 };

static double nanoseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

int main(void)
{
	struct timespec unused;
	double begin = nanoseconds();
	for (int i = 0; i < CALLS; i++)
		getppid();
	double middle = nanoseconds();
	for (int i = 0; i < CALLS; i++)
		clock_gettime(CLOCK_MONOTONIC, &unused);
	double end = nanoseconds();
	printf("{\"getppid\":%.1f,\"clock\":%.1f}\n", (middle - begin) / CALLS, (end - middle) / CALLS);
	return 0;
}
