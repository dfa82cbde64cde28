/*
 * server.h
 *	  HTTP in and out: the only module that knows libmicrohttpd.
 *
 * A thread for each connection, so a request that waits holds up no other.
 */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include <stdbool.h>

/* PEM files.  All NULL = no TLS; with client_ca, clients must show one of its. */
typedef struct TlsFiles
{
	const char *cert;
	const char *key;
	const char *client_ca; /* may be NULL */
} TlsFiles;

/* 0 asks for a free one, which is then filled in. */
typedef struct Ports
{
	int api;
	int storage;
} Ports;

extern bool server_start(Ports *ports, const TlsFiles *files);
extern void server_stop(void);

#endif
