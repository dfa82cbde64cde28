/*
 * paging.c
 *	  Page numbers and sizes, and the members of a listing that tell of them.
 */
#include "paging.h"
#include "errors.h"
#include "switches.h"

bool
page_check(Request *req, Page *page)
{
	if (page->number < 1 || page->size < 1 || page->number > 1000000000)
		reply_error(req, 400, "constraint.validation",
					"pageNumber and pageSize must be at least 1.");
	else if (page->size > MAX_PAGE_SIZE && sw_is(SW_PAGE_SIZE_OVER, "refuse"))
		reply_error(req, 400, "constraint.validation", "pageSize must be at most %d.",
					MAX_PAGE_SIZE);
	else
	{
		if (page->size > MAX_PAGE_SIZE)
			page->size = MAX_PAGE_SIZE;
		return true;
	}
	return false;
}

int64_t
page_first(Page page)
{
	return (page.number - 1) * page.size;
}

static void
put_uri(Buf *out, const char *name, const Request *req, Page page, int64_t number)
{
	buf_printf(out, ",\"%s\":\"%s?pageSize=%lld&pageNumber=%lld", name, req->path,
			   (long long) page.size, (long long) number);
	for (int i = 0; i < req->nparams; i++)
	{
		const Param *param = &req->params[i];

		if (span_is(param->name, "pageSize") || span_is(param->name, "pageNumber"))
			continue;
		buf_putc(out, '&');
		buf_put_uri(out, param->name.p, param->name.n);
		buf_putc(out, '=');
		buf_put_uri(out, param->value.p, param->value.n);
	}
	buf_putc(out, '"');
}

void
page_put(Buf *out, const Request *req, Page page, int64_t total)
{
	int64_t count = (total + page.size - 1) / page.size;

	buf_printf(out, "\"pageSize\":%lld,\"pageNumber\":%lld,\"total\":%lld,\"pageCount\":%lld",
			   (long long) page.size, (long long) page.number, (long long) total,
			   (long long) count);
	put_uri(out, "firstUri", req, page, 1);
	put_uri(out, "lastUri", req, page, count > 0 ? count : 1);
	put_uri(out, "selfUri", req, page, page.number);
	if (page.number < count)
		put_uri(out, "nextUri", req, page, page.number + 1);
	if (page.number > 1)
		put_uri(out, "previousUri", req, page, page.number - 1);
}
