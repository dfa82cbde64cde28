/*
 * base/region.c
 *	  The AWS regions of the platform, and the domains of its hosts there.
 */
#include "postgres.h"

#include "base/nearest.h"
#include "base/region.h"

/* AWS region → domain of the platform's hosts (the public SDK's region table). */
static const struct
{
	const char *region;
	const char *domain;
} region_table[] = {
	{"us-east-1", "mypurecloud.com"},		  {"us-east-2", "use2.us-gov-pure.cloud"},
	{"us-west-2", "usw2.pure.cloud"},		  {"ca-central-1", "cac1.pure.cloud"},
	{"eu-west-1", "mypurecloud.ie"},		  {"eu-west-2", "euw2.pure.cloud"},
	{"eu-central-1", "mypurecloud.de"},		  {"eu-central-2", "euc2.pure.cloud"},
	{"ap-southeast-2", "mypurecloud.com.au"}, {"ap-southeast-1", "apse1.pure.cloud"},
	{"ap-northeast-1", "mypurecloud.jp"},	  {"ap-northeast-2", "apne2.pure.cloud"},
	{"ap-northeast-3", "apne3.pure.cloud"},	  {"ap-south-1", "aps1.pure.cloud"},
	{"sa-east-1", "sae1.pure.cloud"},		  {"me-central-1", "mec1.pure.cloud"},
	{"mx-central-1", "mxc1.pure.cloud"},	  {"eusc-de-east-1", "edee1.eusc-pure.cloud"},
};

bool
gc_region_exists(const char *region, const char **nearest)
{
	GcNearest search;

	gc_nearest_init(&search, region);
	for (int i = 0; i < lengthof(region_table); i++)
	{
		if (strcmp(region_table[i].region, region) == 0)
			return true;
		gc_nearest_offer(&search, region_table[i].region);
	}
	*nearest = search.best;
	return false;
}

char *
gc_region_url(const char *region, const char *service)
{
	for (int i = 0; i < lengthof(region_table); i++)
		if (strcmp(region_table[i].region, region) == 0)
			return psprintf("https://%s.%s", service, region_table[i].domain);
	return NULL;
}
