/*
 * fuzz/server.c
 *	  The rest of a server that net/http.c and net/loop.c need: waits, descriptors, interrupts.
 */
#include "postgres.h"

#include <limits.h>
#include <poll.h>

#include "server.h"
#include "shim.h"

#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/latch.h"

int server_fds_left = INT_MAX;
int server_fds_open = 0;
int server_waits_left = -1;

struct Latch *MyLatch = NULL;
bool IsUnderPostmaster = true;
volatile sig_atomic_t InterruptPending = false;

/* Of a wait set only the socket counts: the epoll's. */
static struct pollfd waited = {.fd = -1, .events = POLLIN};

/* By its name for the linker, since its first argument's type depends on the version. */
extern WaitEventSet *server_wait_event_set(void *owner,
										   int nevents) __asm__("CreateWaitEventSet");

WaitEventSet *
server_wait_event_set(void *owner, int nevents)
{
	return (WaitEventSet *) &waited;
}

int
AddWaitEventToSet(WaitEventSet *set, uint32 events, pgsocket fd, Latch *latch, void *user_data)
{
	if (events & WL_SOCKET_READABLE)
		waited.fd = fd;
	return 0;
}

int
WaitEventSetWait(WaitEventSet *set, long timeout, WaitEvent *occurred_events, int nevents,
				 uint32 wait_event_info)
{
	if (server_waits_left >= 0 && server_waits_left-- == 0)
		InterruptPending = true;
	/* Nothing here takes long: a wait without an end is a finding. */
	shim_check(poll(&waited, 1, timeout < 0 ? 20000 : timeout) > 0 || timeout >= 0);
	occurred_events->events = WL_SOCKET_READABLE;
	return 1;
}

void
ResetLatch(Latch *latch)
{
}

void
ProcessInterrupts(void)
{
	InterruptPending = false;
	ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("canceling statement")));
}

bool
AcquireExternalFD(void)
{
	if (server_fds_left <= 0)
		return false;
	server_fds_left--;
	server_fds_open++;
	return true;
}

void
ReserveExternalFD(void)
{
}

void
ReleaseExternalFD(void)
{
	server_fds_left++;
	server_fds_open--;
}
