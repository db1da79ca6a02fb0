/*
 * A trial, not a contender: does io_uring open and close connections for less than plain system calls?
 *
 *     cc -O2 -o uring uring.c -luring
 *     uring plain|ring ATTEMPTS SOURCE DESTINATION PORT
 *
 * plain: socket, setsockopt(IP_BIND_ADDRESS_NO_PORT), bind, connect, connect again, close, as churn.c does.
 * ring:  the same as chains of linked requests with direct descriptors, 64 chains a submission: socket, setsockopt (as a command of the
 *        socket, Linux 6.7), bind (Linux 6.11), connect, close.
 * Prints connections and CPU seconds. The origin must listen and need not accept.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
/* include/uapi/linux/io_uring.h; the library of Debian 12 is older than these. */
enum { OP_SOCKET = 45, OP_URING_CMD = 46, OP_BIND = 56, CMD_SETSOCKOPT = 3, CHAINS = 64, LINKS = 5 };

static struct sockaddr_in source, destination;
static int one = 1;
static long ok, failed;

static void plain(long attempts)
{
	for (long i = 0; i < attempts; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
		bind(fd, (struct sockaddr *)&source, sizeof source);
		int error = connect(fd, (struct sockaddr *)&destination, sizeof destination) < 0 ? errno : 0;
		if (error == EINPROGRESS)
			error = connect(fd, (struct sockaddr *)&destination, sizeof destination) < 0 ? errno : 0;
		if (error == 0)
			ok++;
		else
			failed++;
		close(fd);
	}
}

static struct io_uring_sqe *next(struct io_uring *ring, int opcode, unsigned flags)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	if (!sqe)
		exit(1);
	memset(sqe, 0, sizeof *sqe);
	sqe->opcode = (unsigned char)opcode;
	sqe->flags = (unsigned char)flags;
	return sqe;
}

static void chain(struct io_uring *ring, int slot)
{
	struct io_uring_sqe *sqe = next(ring, OP_SOCKET, IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS);
	sqe->fd = AF_INET;
	sqe->off = SOCK_STREAM;
	sqe->file_index = (unsigned)slot + 1;
	sqe = next(ring, OP_URING_CMD, IOSQE_FIXED_FILE | IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS);
	sqe->fd = slot;
	sqe->off = CMD_SETSOCKOPT;
	/* struct io_uring_sqe: level and optname share `addr`; optlen `file_index`; optval `addr3`. */
	memcpy(&sqe->addr, (unsigned[2]){IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT}, 8);
	sqe->file_index = sizeof one;
	memcpy((char *)sqe + 48, &(unsigned long long){(unsigned long long)(uintptr_t)&one}, 8);
	sqe = next(ring, OP_BIND, IOSQE_FIXED_FILE | IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS);
	sqe->fd = slot;
	sqe->addr = (unsigned long long)(uintptr_t)&source;
	sqe->off = sizeof source;
	sqe = next(ring, IORING_OP_CONNECT, IOSQE_FIXED_FILE | IOSQE_IO_HARDLINK | IOSQE_CQE_SKIP_SUCCESS);
	sqe->fd = slot;
	sqe->addr = (unsigned long long)(uintptr_t)&destination;
	sqe->off = sizeof destination;
	sqe = next(ring, IORING_OP_CLOSE, 0);
	sqe->file_index = (unsigned)slot + 1;
	sqe->user_data = 1;
}

static void ringed(long attempts)
{
	struct io_uring ring;
	struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
	int error = io_uring_queue_init_params(CHAINS * LINKS, &ring, &params);
	if (error < 0 || (error = io_uring_register_files_sparse(&ring, CHAINS)) < 0) {
		fprintf(stderr, "io_uring: %s\n", strerror(-error));
		exit(1);
	}
	for (long begun = 0; begun < attempts; begun += CHAINS) {
		int chains = attempts - begun < CHAINS ? (int)(attempts - begun) : CHAINS;
		for (int slot = 0; slot < chains; slot++)
			chain(&ring, slot);
		io_uring_submit_and_wait(&ring, (unsigned)chains);
		for (int ended = 0; ended < chains;) {
			struct io_uring_cqe *cqe;
			if (io_uring_wait_cqe(&ring, &cqe) < 0)
				exit(1);
			/* Only the end of a chain, and what failed in it, is told. */
			if (cqe->user_data == 1) {
				ended++;
				if (cqe->res == 0)
					ok++;
				else
					failed++;
			} else {
				fprintf(stderr, "a link failed: %s\n", strerror(-cqe->res));
				failed++;
				ok--;
			}
			io_uring_cqe_seen(&ring, cqe);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: uring plain|ring ATTEMPTS SOURCE DESTINATION PORT\n");
		return 2;
	}
	source.sin_family = destination.sin_family = AF_INET;
	inet_pton(AF_INET, argv[3], &source.sin_addr);
	inet_pton(AF_INET, argv[4], &destination.sin_addr);
	destination.sin_port = htons((unsigned short)atoi(argv[5]));
	if (strcmp(argv[1], "ring") == 0)
		ringed(atol(argv[2]));
	else
		plain(atol(argv[2]));
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	printf("%s: %ld ok, %ld failed, user %.3f s, system %.3f s\n", argv[1], ok, failed,
	       (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6,
	       (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6);
	return 0;
}
