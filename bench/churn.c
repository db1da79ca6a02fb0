/*
 * The yardstick: opens and closes TCP connections as fast as one thread can, with non-blocking sockets and epoll, as one would
 * write it by hand. It does what bench/lab.ts asks of every contender and keeps nothing but counts,
 * unless told to.
 *
 *     churn STRATEGY ATTEMPTS WARM_UP IN_FLIGHT ASK_AGAIN KEEP_BOOKS SOURCES TARGETS
 *
 *     STRATEGY   connect | bind-no-port | bind-reuseaddr
 *     WARM_UP    connections before the clock starts
 *     IN_FLIGHT  handshakes under way at once
 *     ASK_AGAIN  1: call connect() a second time before registering with epoll (see below)
 *     KEEP_BOOKS 1: read the clock where bindstorm reads it, and count the times in histograms as it does (src/load/tally.ts)
 *     SOURCES    10.50.0.1,10.50.0.2,…
 *     TARGETS    198.19.0.1:9000,…
 *
 * Prints one JSON object. Exits with 2 for bad arguments, 1 when a system call fails that must not.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { MOST_ADDRESSES = 4096, EVENTS = 1024, MOST_SECONDS = 60, SPECULATION_MISSES = 32, SHORT = 2048, DESCRIPTORS = 65536 };
enum { BIND, CONNECT, TOTAL, PHASES };

#include "books.h"

struct addresses {
	struct sockaddr_in entry[MOST_ADDRESSES];
	long count;
};

static struct addresses sources, targets;
static int binds, option_level, option_name;
static int ask_again, misses;
static double started_at[DESCRIPTORS], connect_at[DESCRIPTORS];
static int epfd;
static long pending, ok, failed, warm_up;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void bad_usage(const char *what)
{
	fprintf(stderr, "churn: bad %s\n", what);
	exit(2);
}

static void parse_addresses(struct addresses *list, char *text)
{
	for (char *item = strtok(text, ","); item; item = strtok(NULL, ",")) {
		if (list->count == MOST_ADDRESSES)
			bad_usage("number of addresses");
		struct sockaddr_in *entry = &list->entry[list->count++];
		char *colon = strchr(item, ':');
		if (colon) {
			*colon = '\0';
			entry->sin_port = htons((uint16_t)atoi(colon + 1));
		}
		entry->sin_family = AF_INET;
		if (inet_pton(AF_INET, item, &entry->sin_addr) != 1)
			bad_usage("address");
	}
	if (list->count == 0)
		bad_usage("list of addresses");
}

static void finish(int fd, int error)
{
	if (keep_books) {
		double at = micros();
		count(CONNECT, at - connect_at[fd]);
		count(TOTAL, at - started_at[fd]);
	}
	if (error == 0)
		ok++;
	else
		failed++;
	close(fd);
	if (ok + failed == warm_up)
		start_clock();
}

/* Begin attempt n. The same pairs in the same order as the picker of src/load/picker.ts. */
static void attempt(long n)
{
	long source = n % sources.count;
	long target = (source + n / sources.count) % targets.count;
	const struct sockaddr *remote = (const struct sockaddr *)&targets.entry[target];
	double at = micros();
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || fd >= DESCRIPTORS)
		die("socket");
	started_at[fd] = at;
	if (binds) {
		int one = 1;
		if (setsockopt(fd, option_level, option_name, &one, sizeof one) < 0)
			die("setsockopt");
		connect_at[fd] = micros();
		if (bind(fd, (const struct sockaddr *)&sources.entry[source], sizeof sources.entry[0]) < 0) {
			finish(fd, errno);
			return;
		}
	}
	at = micros();
	if (binds && keep_books)
		count(BIND, at - connect_at[fd]);
	connect_at[fd] = at;
	int error = connect(fd, remote, sizeof targets.entry[0]) < 0 ? errno : 0;
	/* Within one machine the handshake is already over, and the second call says so without epoll. */
	if (error == EINPROGRESS && ask_again && misses < SPECULATION_MISSES) {
		error = connect(fd, remote, sizeof targets.entry[0]) < 0 ? errno : 0;
		if (error == EALREADY) {
			error = EINPROGRESS;
			misses++;
		} else {
			misses = 0;
		}
	}
	if (error != EINPROGRESS) {
		finish(fd, error);
		return;
	}
	/* Ready for writing or failed: both come once, so the edge is enough and nothing needs to be taken out again. */
	struct epoll_event event = {.events = EPOLLOUT | EPOLLET, .data.fd = fd};
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
	pending++;
}

static void complete(int fd)
{
	int error = 0;
	socklen_t size = sizeof error;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		die("getsockopt");
	pending--;
	finish(fd, error);
}

int main(int argc, char **argv)
{
	if (argc != 9)
		bad_usage("number of arguments");
	const char *strategy = argv[1];
	long attempts = atol(argv[2]), in_flight = atol(argv[4]);
	warm_up = atol(argv[3]);
	ask_again = atoi(argv[5]);
	keep_books = atoi(argv[6]);
	parse_addresses(&sources, argv[7]);
	parse_addresses(&targets, argv[8]);
	if (warm_up < 0 || attempts <= warm_up || in_flight < 1)
		bad_usage("number");
	if (strcmp(strategy, "bind-no-port") == 0) {
		binds = 1;
		option_level = IPPROTO_IP;
		option_name = IP_BIND_ADDRESS_NO_PORT;
	} else if (strcmp(strategy, "bind-reuseaddr") == 0) {
		binds = 1;
		option_level = SOL_SOCKET;
		option_name = SO_REUSEADDR;
	} else if (strcmp(strategy, "connect") != 0) {
		bad_usage("strategy");
	}
	/* Whatever goes wrong, this ends. */
	alarm(MOST_SECONDS);
	epfd = epoll_create1(EPOLL_CLOEXEC);
	if (epfd < 0)
		die("epoll_create1");

	static struct epoll_event events[EVENTS];
	struct timespec end;
	start_clock();
	for (long n = 0; n < attempts || pending > 0;) {
		while (n < attempts && pending < in_flight)
			attempt(n++);
		if (pending == 0)
			continue;
		int ready = epoll_wait(epfd, events, EVENTS, -1);
		if (ready < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < ready; i++)
			complete(events[i].data.fd);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("{\"ok\":%ld,\"failed\":%ld,\"timed\":%ld,\"seconds\":%.9f,\"cpuSeconds\":%.6f}\n", ok, failed, attempts - warm_up,
	       seconds_between(begin, end), cpu_seconds() - cpu_before);
	return 0;
}
