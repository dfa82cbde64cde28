/*
 * store/mail.c
 *	  Bytes for a worker, made ready while a transaction runs and handed over while it aborts.
 */
#include "postgres.h"

#include "store/mail.h"

#include "miscadmin.h"
#include "storage/ipc.h"

/* Waiting for the postmaster, when the backend ends: 1 ms each. */
#define TAKEN_TRIES 1000

void
gc_mail_prepare(GcMail *mail, Size room)
{
	/* A single-user server has no workers. */
	if (room <= mail->room || !IsUnderPostmaster)
		return;
	if (mail->segment)
		dsm_detach(mail->segment);
	mail->segment = NULL;
	mail->room = 0;
	mail->segment = dsm_create(offsetof(GcMailHead, bytes) + room, 0);
	dsm_pin_mapping(mail->segment);
	mail->room = room;
}

GcMailHead *
gc_mail_head(const GcMail *mail)
{
	return mail->segment ? dsm_segment_address(mail->segment) : NULL;
}

/*
 * A postmaster that shuts down takes the request for a worker and then starts
 * none.  A backend that ends has the time to see what becomes of it.
 */
static bool
is_taken(const GcMailHead *head, BackgroundWorkerHandle *handle)
{
	pid_t pid;

	if (!proc_exit_inprogress)
		return true;
	for (int i = 0; i < TAKEN_TRIES && !head->taken; i++)
	{
		if (GetBackgroundWorkerPid(handle, &pid) == BGWH_STOPPED)
			break;
		pg_usleep(1000);
	}
	return head->taken;
}

bool
gc_mail_send(GcMail *mail, GcJobKind kind)
{
	GcMailHead *head = gc_mail_head(mail);
	BackgroundWorkerHandle *handle;

	if (head == NULL)
		return false;
	head->taken = false;
	/* It outlives this backend, until the worker has it. */
	dsm_pin_segment(mail->segment);
	if (!gc_job_start(kind, mail->segment, false, &handle) || !is_taken(head, handle))
	{
		dsm_unpin_segment(dsm_segment_handle(mail->segment));
		return false;
	}
	dsm_detach(mail->segment);
	*mail = (GcMail){0};
	return true;
}

GcMailHead *
gc_mail_take(dsm_segment *segment)
{
	GcMailHead *head = dsm_segment_address(segment);

	head->taken = true;
	dsm_unpin_segment(dsm_segment_handle(segment));
	return head;
}
