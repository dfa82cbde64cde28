/*
 * exchange.c
 *	  One request on its way through: struck by a fault or not, carried out,
 *	  answered or not.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "errors.h"
#include "exchange.h"
#include "record.h"
#include "route.h"
#include "state.h"
#include "switches.h"

static int end_fd = -1; /* readable once the simulator ends */

bool
waits_open(void)
{
	end_fd = eventfd(0, EFD_CLOEXEC);
	return end_fd >= 0;
}

void
waits_end(void)
{
	eventfd_write(end_fd, 1);
}

bool
wait_us(int fd, int64_t us)
{
	struct pollfd fds[2] = {{end_fd, POLLIN, 0}, {fd, POLLRDHUP, 0}};
	struct timespec limit = {us / 1000000, us % 1000000 * 1000};

	if (us == 0)
		return true;
	return ppoll(fds, 2, us < 0 ? NULL : &limit, NULL) == 0;
}

Exchange *
exchange_create(const char *uri, bool storage)
{
	Exchange *exchange = sim_alloc(sizeof(Exchange));

	exchange->req = request_create(uri);
	exchange->req->storage = storage;
	exchange->control = !storage && route_is_control(exchange->req);
	return exchange;
}

void
exchange_start(Exchange *exchange)
{
	exchange->started = true;
	if (exchange->control)
		return;
	exchange->req->in_flight = counters_enter();
	exchange->counted = true;
	counters.requests++;
}

void
exchange_leave(Exchange *exchange)
{
	if (exchange->counted)
		counters_leave();
	exchange->counted = false;
}

void
exchange_free(Exchange *exchange)
{
	exchange_leave(exchange);
	if (exchange->form)
		MHD_destroy_post_processor(exchange->form);
	if (exchange->fault || exchange->slow)
	{
		state_lock();
		if (exchange->fault)
			fault_release(exchange->fault);
		if (exchange->slow)
			fault_release(exchange->slow);
		state_unlock();
	}
	request_free(exchange->req);
	free(exchange);
}

/* Puts the request into the record and sees which fault strikes it. */
static void
enter(Exchange *exchange)
{
	Record *record = record_prepare(exchange->req);

	state_lock();
	record_add(exchange->req, record);
	exchange->fault = faults_match(exchange->req, false);
	state_unlock();
}

/* Rows and status stand in the record before the client can see the reply. */
static void
finish(Exchange *exchange, bool answered)
{
	Request *req = exchange->req;

	if (!answered)
		req->reply.status = 0;
	state_lock();
	record_finish(req);
	state_unlock();
	if (answered)
		return;
	if (exchange->fault && exchange->fault->rst)
		connection_reset(exchange->fd);
	exchange_leave(exchange);
}

/* Not SO_LINGER: libmicrohttpd shuts down before it closes, which is an orderly end. */
void
connection_reset(int fd)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};

	connect(fd, &none, sizeof(none));
}

static bool
happen_before(const Exchange *exchange)
{
	const Fault *fault = exchange->fault;

	if (fault == NULL)
		return true;
	if (!wait_us(exchange->fd, fault->delay_before_ms * 1000))
		return false;
	if (fault->stall && !fault->effect)
		return wait_us(exchange->fd, -1);
	return fault->drop != DROP_BEFORE;
}

static bool
happen_after(const Exchange *exchange)
{
	const Fault *fault = exchange->fault;
	int64_t delay = sw_number(SW_LATENCY_MS) + (fault ? fault->delay_ms : 0);

	if (!wait_us(exchange->fd, delay * 1000))
		return false;
	if (fault && fault->stall)
		return wait_us(exchange->fd, -1);
	return !fault || fault->drop != DROP_AFTER;
}

/* What a request does, if no fault keeps it from that. */
static void
take_effect(Request *req, bool trusted)
{
	if (req->storage)
		route_storage(req);
	else if (trusted)
		route_platform(req);
	else
		reply_error(req, 401, "client.certificate.required",
					"No certificate of a client that is trusted here was shown.");
}

bool
exchange_cut(Exchange *exchange)
{
	Record *record;
	Fault *fault;

	if (exchange->control || !faults_during())
		return false;
	state_lock();
	fault = faults_match(exchange->req, true);
	state_unlock();
	if (fault == NULL)
		return false;
	if (fault->drop != DROP_DURING)
	{
		exchange->slow = fault;
		return false;
	}
	exchange->fault = fault;
	record = record_prepare(exchange->req);
	state_lock();
	record_add(exchange->req, record);
	state_unlock();
	finish(exchange, false);
	return true;
}

bool
exchange_slow(const Exchange *exchange, size_t n)
{
	return exchange->slow == NULL ||
		   wait_us(exchange->fd,
				   (int64_t) n * 1000000 / exchange->slow->read_bytes_per_second);
}

bool
exchange_carry_out(Exchange *exchange)
{
	Request *req = exchange->req;
	bool answered;

	reply_header(req, "ININ-Correlation-Id", req->correlation_id);
	if (exchange->control)
	{
		route_control(req);
		return true;
	}
	enter(exchange);
	if (exchange->fault)
		fault_call(exchange->fault, CALLS_BEFORE, route_aside);
	answered = happen_before(exchange);
	if (answered)
	{
		if (!exchange->fault || exchange->fault->status == 0 || exchange->fault->effect)
			take_effect(req, exchange->trusted);
		if (exchange->fault)
		{
			fault_apply(exchange->fault, req);
			fault_call(exchange->fault, CALLS_AFTER, route_aside);
		}
		answered = happen_after(exchange);
	}
	finish(exchange, answered);
	return answered;
}
