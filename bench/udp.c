/*
 * The yardstick of the datagram engine: sends datagrams and takes their answers as fast as one thread can, as one would write it by hand. It keeps
 * nothing but counts.
 *
 *     udp SOCKETS ATTEMPTS WARM_UP IN_FLIGHT KEEP_BOOKS TARGETS
 *
 *     SOCKETS    each: a socket for each attempt, connected, closed with its answer; one: one socket for all, which names each destination
 *     WARM_UP    attempts before the clock starts
 *     IN_FLIGHT  attempts under way at once
 *     KEEP_BOOKS 1: read the clock where bindstorm reads it, count the times in histograms as it does (src/load/tally.ts), and find an attempt again by
 *                the mark of its answer
 *     TARGETS    198.19.0.1:9000,…
 *
 * Sockets that live for one answer are looked at by poll(2), as in the engine (src/kernel/brief-epoll.ts): in an epoll each would cost an epoll_ctl(2)
 * and an event. An attempt has no timeout: on this network nothing is lost, and alarm(2) ends it all.
 *
 * Prints one JSON object. Exits with 2 for bad arguments, 1 when a system call fails that must not.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_TARGETS = 4096, MOST_SECONDS = 60, BYTES = 64, ROOM = 65536, MOST_IN_FLIGHT = 4096, DESCRIPTORS = 8192, SHORT = 2048 };
enum { LAG, CONNECT, RESPONSE, TOTAL, SERVICE, PHASES };

#include "books.h"

static struct sockaddr_in targets[MOST_TARGETS];
static long target_count;
static int one_fd = -1;
static long pending, ok, failed, warm_up;
static char request[BYTES], answer[ROOM];
/* By the lower bits of the attempt, which its answer brings back, as attempts under way are fewer. */
static double started_at[DESCRIPTORS], sent_at[DESCRIPTORS];

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

/* An answer was there at an instant. */
static void answered(double at)
{
	uint32_t words[2];
	if (!keep_books)
		return;
	memcpy(words, answer, sizeof words);
	uint32_t place = words[1] % DESCRIPTORS;
	count(RESPONSE, at - sent_at[place]);
	count(TOTAL, at - started_at[place]);
	count(SERVICE, at - started_at[place]);
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

static void mark(long n, int fd)
{
	uint32_t words[2] = {(uint32_t)fd, (uint32_t)n};
	memcpy(request, words, sizeof words);
}

/* Begin attempt n. @returns its socket, or -1 when it is over or shares that of all */
static int attempt(long n)
{
	const struct sockaddr *remote = (const struct sockaddr *)&targets[n % target_count];
	long place = n % DESCRIPTORS;
	pending++;
	started_at[place] = micros();
	if (keep_books)
		count(LAG, 0);
	if (one_fd >= 0) {
		mark(n, one_fd);
		sent_at[place] = micros();
		if (sendto(one_fd, request, sizeof request, 0, remote, sizeof targets[0]) < 0)
			finish(errno);
		return -1;
	}
	int fd = new_socket();
	mark(n, fd);
	double at = micros();
	int error = connect(fd, remote, sizeof targets[0]);
	sent_at[place] = micros();
	if (keep_books)
		count(CONNECT, sent_at[place] - at);
	if (error == 0 && send(fd, request, sizeof request, 0) >= 0)
		return fd;
	finish(errno);
	close(fd);
	return -1;
}

/* Take what has come, and was there at an instant. @returns 0 when there was nothing */
static int receive(int fd, double at)
{
	for (int taken = 0;; taken = 1) {
		ssize_t bytes = recv(fd, answer, sizeof answer, 0);
		if (bytes < 0 && errno == EAGAIN)
			return taken;
		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes >= 0)
			answered(at);
		finish(bytes < 0 ? errno : 0);
		if (fd == one_fd)
			continue;
		close(fd);
		return 1;
	}
}

int main(int argc, char **argv)
{
	if (argc != 7)
		bad_usage("number of arguments");
	long attempts = atol(argv[2]), in_flight = atol(argv[4]);
	warm_up = atol(argv[3]);
	keep_books = atoi(argv[5]);
	parse_targets(argv[6]);
	if (warm_up < 0 || attempts <= warm_up || in_flight < 1 || in_flight > MOST_IN_FLIGHT)
		bad_usage("number");
	/* Whatever goes wrong, this ends. */
	alarm(MOST_SECONDS);
	static struct pollfd asked[MOST_IN_FLIGHT];
	nfds_t count = 0;
	if (strcmp(argv[1], "one") == 0) {
		one_fd = new_socket();
		asked[count++] = (struct pollfd){.fd = one_fd, .events = POLLIN};
	} else if (strcmp(argv[1], "each") != 0) {
		bad_usage("SOCKETS");
	}

	struct timespec end;
	start_clock();
	for (long n = 0; n < attempts || pending > 0;) {
		while (n < attempts && pending < in_flight) {
			int fd = attempt(n++);
			if (fd >= 0)
				asked[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
		}
		/* What has come meanwhile to the socket of all is taken without asking first. */
		if (one_fd >= 0 && receive(one_fd, micros()))
			continue;
		if (pending == 0)
			continue;
		if (poll(asked, count, -1) < 0 && errno != EINTR)
			die("poll");
		double at = micros();
		nfds_t kept = 0;
		for (nfds_t i = 0; i < count; i++)
			if (!asked[i].revents || !receive(asked[i].fd, at) || asked[i].fd == one_fd)
				asked[kept++] = asked[i];
		count = kept;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("{\"ok\":%ld,\"failed\":%ld,\"timed\":%ld,\"seconds\":%.9f,\"cpuSeconds\":%.6f}\n", ok, failed, attempts - warm_up,
	       seconds_between(begin, end), cpu_seconds() - cpu_before);
	return 0;
}
