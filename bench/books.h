/*
 * The clock and the books of a contender in C. Before it is included: an enumeration with PHASES and SHORT, the times in microseconds from which on
 * they are counted together.
 */
#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

/* 1: read the clock where bindstorm reads it, and count the times in histograms as it does (src/load/tally.ts). */
static int keep_books;
static uint32_t tallies[PHASES][SHORT + 1];
static double cpu_before;
static struct timespec begin;

static double seconds_between(struct timespec from, struct timespec to)
{
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void start_clock(void)
{
	cpu_before = cpu_seconds();
	clock_gettime(CLOCK_MONOTONIC, &begin);
}

/* Microseconds, or nothing where no books are kept. */
static double micros(void)
{
	struct timespec now;
	if (!keep_books)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void count(int phase, double took)
{
	long rounded = (long)(took + 0.5);
	tallies[phase][rounded < 0 || rounded > SHORT ? SHORT : rounded]++;
}
