/*
 * net/loop.c
 *	  curl's transfers and PostgreSQL's latch in one wait.
 *
 * curl's multi interface is driven by events.  Its sockets and its one timer (a
 * timerfd) live in an epoll of ours, and one WaitEventSet holds {latch,
 * postmaster death, that epoll}: a WaitEventSet cannot forget a socket, which
 * curl asks for all the time.  The executor has wait sets of its own for what runs
 * asynchronously, but no timeout: they borrow the epoll, in which another timer
 * is the alarm that they need.  curl's callbacks only store what they are told
 * and never throw, since a longjmp through curl's frames would leave its
 * handles unusable; interrupts are served between calls into curl.
 */
#include "postgres.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compat.h"
#include "net/loop.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"

/* Events taken from the epoll at once; more simply come the next time. */
#define LOOP_EVENTS 16

/* Idle connections kept: as many as max_in_flight may be. */
#define LOOP_KEPT_CONNECTIONS 64L

typedef struct Loop
{
	CURLM *multi;
	int epoll_fd;
	int timer_fd; /* curl's */
	int alarm_fd; /* for who borrows the epoll … */
	GcTime alarm; /* … goes off then; 0: it is not set */
	WaitEventSet *waits;
	int active;		/* transfers in the multi handle */
	uint64 settled; /* transfers that ended, or brought something */
	bool adding;	/* curl's turn comes at once, so that it needs no timer for that … */
	bool due;		/* … but asked for one */
	GcTime lent;	/* since when somebody sleeps on the epoll; 0: nobody does */
	int64 slept;
} Loop;

static Loop loop = {.epoll_fd = -1, .timer_fd = -1, .alarm_fd = -1};

/* ---- curl's callbacks: they store, and never throw ---- */

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct epoll_event event = {0};

	if (what == CURL_POLL_REMOVE)
	{
		(void) epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.data.fd = fd;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		event.events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		event.events |= EPOLLOUT;
	/*
	 * What curl knows of the descriptor does not tell what the epoll knows: curl
	 * may close it and open another under its number before it says so.
	 */
	if (epoll_ctl(loop.epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0 &&
		(errno != ENOENT || epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0))
		return -1;
	return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct itimerspec spec = {0};

	loop.due = loop.adding && timeout_ms == 0;
	if (loop.due)
		return 0;
	if (timeout_ms > 0)
	{
		spec.it_value.tv_sec = timeout_ms / 1000;
		spec.it_value.tv_nsec = (timeout_ms % 1000) * 1000000;
	}
	else if (timeout_ms == 0)
		spec.it_value.tv_nsec = 1; /* zero would disarm it */
	return timerfd_settime(loop.timer_fd, 0, &spec, NULL) == 0 ? 0 : -1;
}

/* ---- the multi handle and its wait set ---- */

void
gc_loop_no_memory(void)
{
	ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
					errdetail("libcurl could not allocate a handle.")));
}

static void
check_descriptor(bool there)
{
	if (!there)
		ereport(FATAL, (errcode(ERRCODE_SYSTEM_ERROR),
						errmsg("could not create a descriptor to wait on: %m")));
}

/* A timer of base/clock.h's, in the epoll. */
static int
loop_open_timer(void)
{
	struct epoll_event event = {.events = EPOLLIN};

	ReserveExternalFD();
	event.data.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	check_descriptor(event.data.fd >= 0);
	check_descriptor(epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event) == 0);
	return event.data.fd;
}

static void
loop_open_waits(void)
{
	if (loop.waits != NULL)
		return;
	ReserveExternalFD();
	loop.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	check_descriptor(loop.epoll_fd >= 0);
	loop.timer_fd = loop_open_timer();
	loop.alarm_fd = loop_open_timer();
	loop.waits = gc_compat_wait_event_set(3);
	AddWaitEventToSet(loop.waits, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	/* In single-user mode there is no postmaster to die. */
	if (IsUnderPostmaster)
		AddWaitEventToSet(loop.waits, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(loop.waits, WL_SOCKET_READABLE, loop.epoll_fd, NULL, NULL);
}

static void
loop_open(void)
{
	if (loop.multi != NULL)
		return;
	loop_open_waits();
	loop.multi = curl_multi_init();
	if (loop.multi == NULL)
		gc_loop_no_memory();
	curl_multi_setopt(loop.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(loop.multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(loop.multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
#if LIBCURL_VERSION_NUM >= 0x081400
	/* It would else wait for name look-ups that were given up when it is closed. */
	curl_multi_setopt(loop.multi, CURLMOPT_QUICK_EXIT, 1L);
#endif
	/* By default curl closes connections as soon as few exchanges are in flight. */
	curl_multi_setopt(loop.multi, CURLMOPT_MAXCONNECTS, LOOP_KEPT_CONNECTIONS);
}

/*
 * One call into curl.  Signals are blocked meanwhile: curl starts threads for
 * name look-ups, and they inherit the mask, so no handler of the server ever
 * runs in one of them.
 */
static void
loop_socket_action(curl_socket_t fd, int events)
{
	int running;
	sigset_t blocked;
	sigset_t saved;

	sigfillset(&blocked);
	(void) pthread_sigmask(SIG_BLOCK, &blocked, &saved);
	(void) curl_multi_socket_action(loop.multi, fd, events, &running);
	(void) pthread_sigmask(SIG_SETMASK, &saved, NULL);
}

/* Marks the exchanges that curl says have ended. */
static void
loop_collect(void)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(loop.multi, &left)) != NULL)
	{
		GcTransfer *transfer;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		transfer->code = message->data.result;
		transfer->done = true;
		loop.settled++;
	}
}

/* Has the timer gone off?  It is set no more, then. */
static bool
timer_is_due(int fd)
{
	uint64 expirations;

	return read(fd, &expirations, sizeof(expirations)) > 0;
}

/* Hands curl every event that is there; false if there was none. */
static bool
loop_advance(void)
{
	struct epoll_event events[LOOP_EVENTS];
	bool was_due = loop.due;
	int count;

	loop.due = false;
	if (was_due)
		loop_socket_action(CURL_SOCKET_TIMEOUT, 0);
	count = epoll_wait(loop.epoll_fd, events, LOOP_EVENTS, 0);
	for (int i = 0; i < count; i++)
	{
		uint32 what = events[i].events;
		int mask = 0;

		if (events[i].data.fd == loop.alarm_fd)
		{
			if (timer_is_due(loop.alarm_fd))
				loop.alarm = 0;
			continue;
		}
		if (events[i].data.fd == loop.timer_fd)
		{
			if (timer_is_due(loop.timer_fd))
				loop_socket_action(CURL_SOCKET_TIMEOUT, 0);
			continue;
		}
		if (what & EPOLLIN)
			mask |= CURL_CSELECT_IN;
		if (what & EPOLLOUT)
			mask |= CURL_CSELECT_OUT;
		if (what & (EPOLLERR | EPOLLHUP))
			mask |= CURL_CSELECT_ERR;
		loop_socket_action(events[i].data.fd, mask);
	}
	loop_collect();
	return was_due || count > 0;
}

void
gc_loop_wait(GcTime until, GcWait wait)
{
	bool woken = false;
	uint64 settled = loop.settled;

	loop_open();
	loop.lent = 0;
	for (;;)
	{
		long timeout = -1;
		WaitEvent ready;

		CHECK_FOR_INTERRUPTS();
		if (until != 0)
		{
			timeout = Min(Max(0, (until - gc_clock_now() + 999) / 1000), INT_MAX);
			if (timeout <= 0 && loop.active == 0)
				return;
		}
		/* An exchange in flight needs no deadline of ours: curl's timer has it. */
		if (WaitEventSetWait(loop.waits, timeout, &ready, 1, gc_wait_event(wait)) == 1 &&
			(ready.events & WL_LATCH_SET))
		{
			ResetLatch(MyLatch);
			woken = true;
		}
		loop_advance();
		if (loop.settled != settled || timeout == 0 || woken)
			break;
	}
}

/* ---- the wait of others ---- */

void
gc_loop_poll(void)
{
	loop_open();
	if (loop.lent != 0)
		loop.slept += gc_clock_now() - loop.lent;
	loop.lent = 0;
	(void) loop_advance();
}

void
gc_loop_alarm(GcTime until)
{
	struct itimerspec spec = {.it_value.tv_sec = until / USECS_PER_SEC,
							  .it_value.tv_nsec = until % USECS_PER_SEC * 1000};

	if (until == 0 || (loop.alarm != 0 && loop.alarm <= until))
		return;
	loop_open_waits();
	if (timerfd_settime(loop.alarm_fd, TFD_TIMER_ABSTIME, &spec, NULL) != 0)
		elog(ERROR, "could not set a timer: %m");
	loop.alarm = until;
}

pgsocket
gc_loop_lend(bool sleeps)
{
	loop.lent = sleeps ? gc_clock_now() : 0;
	return loop.epoll_fd;
}

uint64
gc_loop_settled(void)
{
	return loop.settled;
}

void
gc_loop_leave(GcAway *away, GcTime until)
{
	gc_loop_alarm(until);
	*away = (GcAway){.away = true, .slept_before = loop.slept};
}

int64
gc_loop_return(GcAway *away)
{
	int64 slept = away->away ? loop.slept - away->slept_before : 0;

	away->away = false;
	return slept;
}

/* ---- transfers ---- */

void
gc_loop_add(CURL *easy, GcTransfer *transfer)
{
	CURLMcode rc;

	loop_open();
	transfer->done = false;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	loop.adding = true;
	rc = curl_multi_add_handle(loop.multi, easy);
	if (rc == CURLM_OK)
	{
		loop.active++;
		transfer->added = true;
		/* A few turns: starting an exchange takes one for each of connect, send, receive. */
		for (int turn = 0; turn < 4 && loop_advance(); turn++)
			;
	}
	loop.adding = false;
	if (loop.due)
		(void) on_timer(loop.multi, 0, NULL);
	if (rc != CURLM_OK)
		gc_loop_no_memory();
}

void
gc_loop_remove(CURL *easy, GcTransfer *transfer)
{
	if (!transfer->added)
		return;
	(void) curl_multi_remove_handle(loop.multi, easy);
	loop.active--;
	transfer->added = false;
}

void
gc_loop_resume(CURL *easy)
{
	(void) curl_easy_pause(easy, CURLPAUSE_CONT);
}

void
gc_loop_notice(void)
{
	loop.settled++;
}

bool
gc_loop_close(void)
{
	if (loop.active > 0)
		return false;
	if (loop.multi != NULL)
		curl_multi_cleanup(loop.multi);
	loop.multi = NULL;
	return true;
}
