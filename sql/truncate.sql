\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- TRUNCATE: the list is cleared, and waited for
--
CALL sim.list('leads', '{crm_id,note,phone}');
CALL sim.list('more', '{crm_id,note,phone}');
CREATE FOREIGN TABLE gc.leads (crm_id text, note text, callable boolean OPTIONS (attribute 'callable'))
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
CREATE FOREIGN TABLE gc.same (crm_id text) SERVER genesys OPTIONS (object 'contacts', list_id 'leads');
CREATE FOREIGN TABLE gc.more (crm_id text) SERVER genesys OPTIONS (object 'contacts', list_name 'more', key 'crm_id');
INSERT INTO gc.leads SELECT 'L-' || g, 'x' FROM generate_series(1, 30) g;
INSERT INTO gc.more SELECT 'M-' || g FROM generate_series(1, 3) g;

-- One call, whatever the list holds, and a look whether it is empty.  DESIGN
-- 2.1: what undoes opt-outs by its nature says so.
CALL sim.forget();
TRUNCATE gc.leads;
SELECT * FROM sim.traffic();
SELECT count(*) FROM sim.contacts('leads');
-- A clear takes its time: TRUNCATE returns when no contact is there any more.
CALL sim.set('{"clear_ms": 700}');
INSERT INTO gc.leads SELECT 'L-' || g, 'x' FROM generate_series(1, 30) g;
CALL sim.forget();
TRUNCATE gc.leads;
SELECT count(*) FROM sim.contacts('leads');
SELECT count(*) FILTER (WHERE path LIKE '%/clear') AS clears, count(*) FILTER (WHERE path LIKE '%/search') > 2 AS several_looks
FROM sim.requests();
INSERT INTO gc.leads VALUES ('L-1', 'anew');
SELECT id, data FROM sim.contacts('leads');
-- What was written within read_lag may be there without being shown: it waits for that, too.
ALTER SERVER genesys OPTIONS (SET read_lag '700ms');
INSERT INTO gc.leads VALUES ('L-2', 'anew');
CALL sim.set('{"clear_ms": 0}');
CALL sim.forget();
TRUNCATE gc.leads;
SELECT count(*) > 2 AS several_looks FROM sim.requests() WHERE path LIKE '%/search';
ALTER SERVER genesys OPTIONS (SET read_lag '0');
CALL sim.set('{"clear_ms": 700}');
INSERT INTO gc.leads VALUES ('L-2', 'anew');
-- ready_timeout is how long it waits; the platform goes on.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD ready_timeout '200ms');
CALL sim.try('TRUNCATE gc.leads');
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP ready_timeout);
-- A cancel and a timeout of the statement's take effect while it waits.
CALL sim.set('{"clear_ms": 60000}');
INSERT INTO gc.leads VALUES ('L-1', 'anew');
SET client_min_messages = error; -- a WARNING comes before or after the ERROR
SET statement_timeout = '300ms';
TRUNCATE gc.leads;
CALL sim.set('{"clear_ms": 0}');
-- … and while the call itself is on its way.
CALL sim.faults('[{"path": "*/clear", "stall": true}]');
TRUNCATE gc.leads;
CALL sim.faults('[]');
RESET statement_timeout;
RESET client_min_messages;

-- Several tables at once: all lists are cleared before the first is waited for;
-- two tables of one list clear it once.
INSERT INTO gc.leads SELECT 'L-' || g, 'x' FROM generate_series(1, 3) g;
CREATE TABLE gc.local (id int);
INSERT INTO gc.local VALUES (1);
SELECT count(*) FROM gc.more;
CALL sim.forget();
TRUNCATE gc.leads, gc.same, gc.more, gc.local;
SELECT * FROM sim.traffic() ORDER BY request LIKE '%search', request;
SELECT count(*) FROM sim.contacts('leads') UNION ALL SELECT count(*) FROM sim.contacts('more') UNION ALL SELECT count(*) FROM gc.local;
-- A partitioned table: each partition.
CREATE TABLE gc.every (crm_id text) PARTITION BY LIST (crm_id);
CREATE FOREIGN TABLE gc.part PARTITION OF gc.every FOR VALUES IN ('P-1', 'P-2')
  SERVER genesys OPTIONS (object 'contacts', list_name 'more', key 'crm_id');
INSERT INTO gc.every VALUES ('P-1');
TRUNCATE gc.every;
SELECT count(*) FROM sim.contacts('more');
-- RESTART IDENTITY and CASCADE are for local tables: a list has neither sequences nor references.
INSERT INTO gc.more VALUES ('M-1');
TRUNCATE gc.more RESTART IDENTITY CASCADE;
SELECT count(*) FROM sim.contacts('more');

-- Counts at a ROLLBACK: what is gone stays gone.
INSERT INTO gc.more VALUES ('M-1');
BEGIN;
TRUNCATE gc.more;
SAVEPOINT s;
TRUNCATE gc.more;
ROLLBACK TO s;
ROLLBACK;
BEGIN;
SAVEPOINT s;
TRUNCATE gc.more;
RELEASE s;
ROLLBACK;
BEGIN;
SET LOCAL client_min_messages = error;
TRUNCATE gc.more;
PREPARE TRANSACTION 'x';

-- truncatable and updatable, of the table or of the server; and nothing is
-- cleared unless all may be.
INSERT INTO gc.leads VALUES ('L-1', 'x');
ALTER FOREIGN TABLE gc.more OPTIONS (ADD truncatable 'false');
CALL sim.forget();
CALL sim.try('TRUNCATE gc.leads, gc.more');
SELECT * FROM sim.traffic();
ALTER FOREIGN TABLE gc.more OPTIONS (DROP truncatable);
ALTER SERVER genesys OPTIONS (ADD truncatable 'false');
CALL sim.try('TRUNCATE gc.leads');
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD truncatable 'true', ADD updatable 'false');
CALL sim.try('TRUNCATE gc.leads');
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP updatable);
CALL sim.try('TRUNCATE gc.leads');
SELECT count(*) FROM sim.contacts('leads');
ALTER SERVER genesys OPTIONS (DROP truncatable);
CREATE FOREIGN TABLE gc.events (id text) SERVER genesys OPTIONS (object 'events');
CALL sim.try('TRUNCATE gc.events');

-- Failures.  A lost answer is asked for again; locks are waited for; a list that
-- is gone is HV00R, and looked up anew.
INSERT INTO gc.leads VALUES ('L-1', 'x');
CALL sim.faults('[{"path": "*/clear", "nth": 1, "drop": "after"}, {"path": "*/clear", "nth": 2, "conflict": "K2"},
                  {"path": "*/search", "nth": 1, "status": 502, "body": ""}]');
CALL sim.forget();
TRUNCATE gc.leads;
SELECT request, status FROM sim.traffic();
CALL sim.faults('[{"path": "*/clear", "drop": "before"}]');
CALL sim.try('TRUNCATE gc.leads');
CALL sim.faults('[{"path": "*/clear", "status": 403, "body_json": {"code": "missing.permissions", "message": "Missing outbound:contact:delete."}}]');
CALL sim.try('TRUNCATE gc.leads');
CALL sim.faults('[{"path": "*/search", "body_json": {"entities": []}}]');
CALL sim.try('TRUNCATE gc.leads');
CALL sim.faults('[]');
SELECT count(*) FROM gc.leads;
SELECT sim.control('POST', 'reset', '{}');
CALL sim.try('TRUNCATE gc.leads');
CALL sim.list('leads', '{crm_id,note,phone}', NULL, '{"id": "another"}');
INSERT INTO gc.leads VALUES ('L-1', 'x');
CALL sim.try('TRUNCATE gc.leads');
SELECT count(*) FROM sim.contacts('another');
-- max_requests holds.
SET gc_fdw.max_requests = 1;
CALL sim.try('TRUNCATE gc.leads');
RESET gc_fdw.max_requests;
