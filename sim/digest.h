/*
 * digest.h
 *	  SHA-256 for records of bodies, MD5 for checksums SQL can compute too.
 */
#ifndef SIM_DIGEST_H
#define SIM_DIGEST_H

#include <stddef.h>
#include <stdint.h>

extern void sha256_hex(const void *bytes, size_t len, char out[65]);
extern uint64_t md5_head(const void *bytes, size_t len); /* first 8 bytes, big endian */

#endif
