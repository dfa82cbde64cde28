/*
 * net/socket.c
 *	  curl's sockets and threads, within what the server allows.
 */
#include "postgres.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/socket.h"

#include "storage/fd.h"

/* Sockets at once: two for each exchange in flight (IPv4 and IPv6), and those that are kept. */
#define SOCKETS_MAX 256

/*
 * A name look-up has a thread, which cannot be stopped: that of a transfer that
 * was given up ends when the system's resolver returns, which may take half a
 * minute.  Twice as many as requests may be in flight are enough.
 */
#define LOOK_UPS_MAX 128

static curl_socket_t counted[SOCKETS_MAX]; /* sockets that the server knows of */
static int counted_count = 0;

/*
 * Sockets are the server's descriptors too, so they count against its limit.
 * curl (7.88) closes a socket that has not connected yet without a word to us,
 * so what is counted is kept by number: one that is opened again counts once.
 */
static int
find_counted(curl_socket_t fd)
{
	int i = 0;

	while (i < counted_count && counted[i] != fd)
		i++;
	return i;
}

static curl_socket_t
on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	curl_socket_t fd;

	if (counted_count == SOCKETS_MAX || !AcquireExternalFD())
		return CURL_SOCKET_BAD;
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (fd == CURL_SOCKET_BAD || find_counted(fd) < counted_count)
		ReleaseExternalFD();
	else
		counted[counted_count++] = fd;
	return fd;
}

static int
on_close_socket(void *arg, curl_socket_t fd)
{
	int i = find_counted(fd);

	if (i < counted_count)
	{
		counted[i] = counted[--counted_count];
		ReleaseExternalFD();
	}
	return close(fd);
}

void
gc_socket_setup(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
}

bool
gc_socket_may_look_up(void)
{
	struct stat tasks;

	/* A directory has two links more than directories in it. */
	return stat("/proc/self/task", &tasks) != 0 || tasks.st_nlink <= 2 + LOOK_UPS_MAX;
}

void
gc_socket_forget_all(void)
{
	for (; counted_count > 0; counted_count--)
		ReleaseExternalFD();
}
