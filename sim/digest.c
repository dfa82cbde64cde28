/*
 * digest.c
 *	  SHA-256 (FIPS 180-4) and MD5 (RFC 1321) of whole buffers.
 *
 * Both pad alike and differ in the block function, its word order and its
 * state, so they share the walk over the blocks.
 */
#include <string.h>

#include "digest.h"

typedef void (*BlockFn)(uint32_t *state, const unsigned char *block);

static const uint32_t sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2};

static const uint32_t md5_k[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
	0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
	0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
	0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
	0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
	0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
	0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
	0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
	0xeb86d391};

static inline uint32_t
right(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

/* s[0] to s[7] stand still; it is their names that move from turn to turn. */
static inline void
sha256_round(uint32_t *s, int turn, uint32_t input)
{
	uint32_t a = s[-turn & 7];
	uint32_t b = s[(1 - turn) & 7];
	uint32_t c = s[(2 - turn) & 7];
	uint32_t e = s[(4 - turn) & 7];
	uint32_t f = s[(5 - turn) & 7];
	uint32_t g = s[(6 - turn) & 7];
	uint32_t t1 = s[(7 - turn) & 7] + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) +
				  ((e & f) ^ (~e & g)) + input;
	uint32_t t2 = (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));

	s[(3 - turn) & 7] += t1;
	s[(7 - turn) & 7] = t1 + t2;
}

static void
sha256_block(uint32_t *state, const unsigned char *block)
{
	uint32_t w[64];
	uint32_t s[8];

	for (int i = 0; i < 16; i++, block += 4)
		w[i] = (uint32_t) block[0] << 24 | (uint32_t) block[1] << 16 |
			   (uint32_t) block[2] << 8 | block[3];
	for (int i = 16; i < 64; i++)
	{
		uint32_t a = w[i - 15];
		uint32_t b = w[i - 2];

		w[i] = w[i - 16] + (right(a, 7) ^ right(a, 18) ^ a >> 3) + w[i - 7] +
			   (right(b, 17) ^ right(b, 19) ^ b >> 10);
	}
	memcpy(s, state, sizeof(s));
	for (int i = 0; i < 64; i += 8)
	{
#pragma GCC unroll 8
		for (int turn = 0; turn < 8; turn++)
			sha256_round(s, turn, sha256_k[i + turn] + w[i + turn]);
	}
	for (int i = 0; i < 8; i++)
		state[i] += s[i];
}

static void
md5_block(uint32_t *state, const unsigned char *block)
{
	static const int turns[4][4] = {
		{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
	uint32_t w[16];
	uint32_t a = state[0];
	uint32_t b = state[1];
	uint32_t c = state[2];
	uint32_t d = state[3];

	for (int i = 0; i < 16; i++, block += 4)
		w[i] = (uint32_t) block[3] << 24 | (uint32_t) block[2] << 16 |
			   (uint32_t) block[1] << 8 | block[0];
	for (int i = 0; i < 64; i++)
	{
		int round = i / 16;
		uint32_t f = round == 0	  ? (b & c) | (~b & d)
					 : round == 1 ? (d & b) | (~d & c)
					 : round == 2 ? b ^ c ^ d
								  : c ^ (b | ~d);
		int g = (round == 0	  ? i
				 : round == 1 ? 5 * i + 1
				 : round == 2 ? 3 * i + 5
							  : 7 * i) %
				16;
		uint32_t next = b + right(a + f + md5_k[i] + w[g], 32 - turns[round][i % 4]);

		a = d;
		d = c;
		c = b;
		b = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

static void
digest_all(const void *bytes, size_t len, uint32_t *state, BlockFn fn, int big_endian)
{
	const unsigned char *p = bytes;
	unsigned char tail[128] = {0};
	size_t left = len % 64;
	size_t padded = left < 56 ? 64 : 128;

	for (size_t i = 0; i + 64 <= len; i += 64)
		fn(state, p + i);
	if (left)
		memcpy(tail, p + len - left, left);
	tail[left] = 0x80;
	for (int i = 0; i < 8; i++)
		tail[padded - 8 + i] =
			(unsigned char) ((uint64_t) len * 8 >> 8 * (big_endian ? 7 - i : i));
	for (size_t i = 0; i < padded; i += 64)
		fn(state, tail + i);
}

void
sha256_hex(const void *bytes, size_t len, char out[65])
{
	static const char hex[] = "0123456789abcdef";
	uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
						 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

	digest_all(bytes, len, state, sha256_block, 1);
	for (int i = 0; i < 64; i++)
		out[i] = hex[state[i / 8] >> (28 - i % 8 * 4) & 15];
	out[64] = '\0';
}

uint64_t
md5_head(const void *bytes, size_t len)
{
	uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

	digest_all(bytes, len, state, md5_block, 0);
	return (uint64_t) __builtin_bswap32(state[0]) << 32 | __builtin_bswap32(state[1]);
}
