/*
 * base/nearest.c
 *	  The known name closest to a misspelt one, for hints.
 *
 * The server's own ClosestMatchState exists from 16 on; this is the same idea
 * over varstr_levenshtein_less_equal(), which every version has.
 */
#include "postgres.h"

#include "base/nearest.h"

#include "utils/builtins.h"
#include "utils/varlena.h"

/* varstr_levenshtein() refuses longer strings. */
#define NEAREST_MAX_LENGTH 255

void
gc_nearest_init(GcNearest *nearest, const char *word)
{
	nearest->word = word;
	nearest->best = NULL;
	/* More than half of the word changed is no misspelling, but another word. */
	nearest->distance = strlen(word) / 2 + 1;
}

void
gc_nearest_offer(GcNearest *nearest, const char *name)
{
	int word_length = strlen(nearest->word);
	int name_length = strlen(name);
	int distance;

	if (word_length == 0 || word_length > NEAREST_MAX_LENGTH ||
		name_length > NEAREST_MAX_LENGTH)
		return;
	if (pg_strcasecmp(nearest->word, name) == 0)
		distance = 0;
	else
		distance = varstr_levenshtein_less_equal(nearest->word, word_length, name, name_length,
												 1, 1, 1, nearest->distance, true);
	if (distance < nearest->distance)
	{
		nearest->distance = distance;
		nearest->best = name;
	}
}
