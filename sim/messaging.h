/*
 * messaging.h
 *	  Messaging campaigns (SMS, e-mail, WhatsApp), as they are read.
 */
#ifndef SIM_MESSAGING_H
#define SIM_MESSAGING_H

#include "request.h"

extern void messaging_get(Request *req);
extern void messaging_seed(Request *req);

#endif
