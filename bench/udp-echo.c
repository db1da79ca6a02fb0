/*
 * The other end of the bench of datagrams: sends back what comes, and never sleeps, so that no contender pays for waking it. On a virtual machine that
 * is dear, and only who is slow enough to let it sleep would pay.
 *
 *     udp-echo PID TARGETS
 *
 *     PID      of a process in whose network namespace to be (setns(2) with a pidfd, Linux 5.8)
 *     TARGETS  where to listen: 198.19.0.1:9000,…
 *
 * Prints a line when it listens, and ends with the process that started it, or after some minutes. Exits with 2 for bad arguments, 1 when a
 * system call fails that must not.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_TARGETS = 4096, MOST_SECONDS = 600, BATCH = 64, ROOM = 2048 };

static int sockets[MOST_TARGETS];
static long socket_count;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void bad_usage(const char *what)
{
	fprintf(stderr, "udp-echo: bad %s\n", what);
	exit(2);
}

static void listen_at(char *text)
{
	for (char *item = strtok(text, ","); item; item = strtok(NULL, ",")) {
		struct sockaddr_in local = {.sin_family = AF_INET};
		char *colon = strchr(item, ':');
		if (socket_count == MOST_TARGETS || !colon)
			bad_usage("target");
		*colon = '\0';
		local.sin_port = htons((uint16_t)atoi(colon + 1));
		if (inet_pton(AF_INET, item, &local.sin_addr) != 1)
			bad_usage("address");
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0 || bind(fd, (const struct sockaddr *)&local, sizeof local) < 0)
			die("bind");
		sockets[socket_count++] = fd;
	}
}

int main(int argc, char **argv)
{
	static char memory[BATCH][ROOM];
	static struct sockaddr_in peers[BATCH];
	static struct iovec vectors[BATCH];
	static struct mmsghdr messages[BATCH];
	if (argc != 3)
		bad_usage("number of arguments");
	alarm(MOST_SECONDS);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int process = (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0);
	if (process < 0 || setns(process, CLONE_NEWNET) < 0)
		die("setns");
	listen_at(argv[2]);
	puts("listening");
	fflush(stdout);
	for (int i = 0; i < BATCH; i++) {
		vectors[i].iov_base = memory[i];
		messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i], .msg_iov = &vectors[i], .msg_iovlen = 1};
	}
	for (long turn = 0;; turn++) {
		int fd = sockets[turn % socket_count];
		for (int i = 0; i < BATCH; i++) {
			vectors[i].iov_len = ROOM;
			messages[i].msg_hdr.msg_namelen = sizeof peers[i];
		}
		int came = recvmmsg(fd, messages, BATCH, 0, NULL);
		for (int i = 0; i < came; i++)
			vectors[i].iov_len = messages[i].msg_len;
		for (int sent = 0; sent < came;) {
			int now = sendmmsg(fd, messages + sent, (unsigned)(came - sent), 0);
			/* What the client does not want any more is refused to the next that is sent: it was sent all the same. */
			sent += now > 0 ? now : 1;
		}
	}
}
