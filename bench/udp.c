/*
 * The yardstick of the datagram engine: sends datagrams and takes their answers as fast as one thread can, as one would write it by hand. It keeps
 * nothing but counts.
 *
 *     udp SOCKETS ATTEMPTS WARM_UP IN_FLIGHT TARGETS
 *
 *     SOCKETS    each: a socket for each attempt, connected, closed with its answer; one: one socket for all, which names each destination
 *     WARM_UP    attempts before the clock starts
 *     IN_FLIGHT  attempts under way at once
 *     TARGETS    198.19.0.1:9000,…
 *
 * Within one machine an answer is often there before epoll is asked: a look at each new socket comes first, as in the engine
 * (src/load/datagram/associations.ts). An attempt has no timeout: on this network nothing is lost, and alarm(2) ends it all.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_TARGETS = 4096, EVENTS = 1024, MOST_SECONDS = 60, BYTES = 64, ROOM = 65536, MOST_IN_FLIGHT = 4096 };

static struct sockaddr_in targets[MOST_TARGETS];
static long target_count;
static int epfd, one_fd = -1;
static long pending, ok, failed, warm_up;
static struct timespec begin;
static double cpu_before;
static char request[BYTES], answer[ROOM];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void bad_usage(const char *what)
{
	fprintf(stderr, "udp: bad %s\n", what);
	exit(2);
}

static void parse_targets(char *text)
{
	for (char *item = strtok(text, ","); item; item = strtok(NULL, ",")) {
		char *colon = strchr(item, ':');
		if (target_count == MOST_TARGETS || !colon)
			bad_usage("target");
		*colon = '\0';
		struct sockaddr_in *entry = &targets[target_count++];
		entry->sin_family = AF_INET;
		entry->sin_port = htons((uint16_t)atoi(colon + 1));
		if (inet_pton(AF_INET, item, &entry->sin_addr) != 1)
			bad_usage("address");
	}
	if (target_count == 0)
		bad_usage("list of targets");
}

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

static void finish(int error)
{
	pending--;
	if (error == 0)
		ok++;
	else
		failed++;
	if (ok + failed == warm_up)
		start_clock();
}

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	return fd;
}

static void watch(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
}

static void mark(long n, int fd)
{
	uint32_t words[2] = {(uint32_t)fd, (uint32_t)n};
	memcpy(request, words, sizeof words);
}

/* Begin attempt n. @returns its socket, or -1 when it is over */
static int attempt(long n)
{
	const struct sockaddr *remote = (const struct sockaddr *)&targets[n % target_count];
	pending++;
	if (one_fd >= 0) {
		mark(n, one_fd);
		if (sendto(one_fd, request, sizeof request, 0, remote, sizeof targets[0]) < 0)
			finish(errno);
		return -1;
	}
	int fd = new_socket();
	mark(n, fd);
	if (connect(fd, remote, sizeof targets[0]) < 0 || send(fd, request, sizeof request, 0) < 0) {
		finish(errno);
		close(fd);
		return -1;
	}
	return fd;
}

/* Take what has come. @returns 0 when there was nothing */
static int receive(int fd)
{
	for (int taken = 0;; taken = 1) {
		ssize_t bytes = recv(fd, answer, sizeof answer, 0);
		if (bytes < 0 && errno == EAGAIN)
			return taken;
		if (bytes < 0 && errno == EINTR)
			continue;
		finish(bytes < 0 ? errno : 0);
		if (fd == one_fd)
			continue;
		close(fd);
		return 1;
	}
}

int main(int argc, char **argv)
{
	if (argc != 6)
		bad_usage("number of arguments");
	long attempts = atol(argv[2]), in_flight = atol(argv[4]);
	warm_up = atol(argv[3]);
	parse_targets(argv[5]);
	if (warm_up < 0 || attempts <= warm_up || in_flight < 1 || in_flight > MOST_IN_FLIGHT)
		bad_usage("number");
	/* Whatever goes wrong, this ends. */
	alarm(MOST_SECONDS);
	epfd = epoll_create1(EPOLL_CLOEXEC);
	if (epfd < 0)
		die("epoll_create1");
	if (strcmp(argv[1], "one") == 0) {
		one_fd = new_socket();
		watch(one_fd);
	} else if (strcmp(argv[1], "each") != 0) {
		bad_usage("SOCKETS");
	}

	static struct epoll_event events[EVENTS];
	static int unheard[MOST_IN_FLIGHT];
	struct timespec end;
	start_clock();
	for (long n = 0; n < attempts || pending > 0;) {
		int to_hear = 0, heard = 0;
		while (n < attempts && pending < in_flight) {
			int fd = attempt(n++);
			if (fd >= 0)
				unheard[to_hear++] = fd;
		}
		for (int i = 0; i < to_hear; i++) {
			if (receive(unheard[i]))
				heard = 1;
			else
				watch(unheard[i]);
		}
		if (pending == 0)
			continue;
		int ready = epoll_wait(epfd, events, EVENTS, heard ? 0 : -1);
		if (ready < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < ready; i++)
			receive(events[i].data.fd);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("{\"ok\":%ld,\"failed\":%ld,\"timed\":%ld,\"seconds\":%.9f,\"cpuSeconds\":%.6f}\n", ok, failed, attempts - warm_up,
	       seconds_between(begin, end), cpu_seconds() - cpu_before);
	return 0;
}
