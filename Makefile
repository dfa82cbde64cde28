# gc_fdw: the extension (make, make install), its simulator (make sim).
# Tests need a server and the simulator running: scripts/check does all of it.

EXTENSION   = gc_fdw
MODULE_big  = gc_fdw
DATA        = gc_fdw--1.0.sql
PGFILEDESC  = "gc_fdw - foreign data wrapper for Genesys Cloud outbound dialling"

LAYERS      = base net api store fdw funcs worker   # lowest layer first
OBJS        = gc_fdw.o $(patsubst %.c,%.o,$(sort $(wildcard $(LAYERS:%=src/%/*.c))))

# REGRESS_CORE also runs under each other setting of the simulator's switches.
REGRESS_CORE = insert partial duplicate copy select types update delete
REGRESS     = options import_schema $(REGRESS_CORE) update_races delete_large direct truncate verify schema export objects dnc entities lists lists_jobs list_parent errors observe pushdown count analyze plans audit rejects bisect rejects_update rejects_duplicate commit rejects_commit imports compliance forget campaigns campaign_stats

PG_CONFIG  ?= pg_config
PG_CPPFLAGS = -I$(srcdir)/src
SHLIB_LINK  = -lcurl -ljansson

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Warnings that CI turns into errors with COPT=-Werror.  One exception: the
# server's own headers and macros declare after statements since PostgreSQL 16
# and shadow in PG_TRY, so -Wdeclaration-after-statement is not ours to ask and
# nested PG_TRY blocks are not used.
WARNINGS = -Wall -Wextra -Wshadow -Wmissing-prototypes -Wvla \
	-Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers
# -Wno-unused-parameter: callbacks have the server's signatures.
# -Wno-sign-compare: the server's own inline functions compare int with size_t.
# -Wno-missing-field-initializers: option tables leave trailing fields empty.
override CFLAGS += $(WARNINGS) -fvisibility=hidden
SHLIB_LINK += -Wl,--version-script=$(srcdir)/exports.map

$(OBJS): $(wildcard src/*/*.h)               # PGXS does not track headers
gc_fdw.so: exports.map

.PHONY: sim print-REGRESS print-REGRESS_CORE
sim:
	$(MAKE) -C sim

print-REGRESS print-REGRESS_CORE: print-%:
	@echo $($*)
