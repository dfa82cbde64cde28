\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- What is shown of the network's use, and how it is bounded (DESIGN 4.2, U5, U6)
--
-- What psql shows of the extension: each object has a comment, and no function is too wide for \df (DESIGN 2.2).
SELECT pg_describe_object(classid, objid, 0) FROM pg_depend d
WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'gc_fdw')
  AND NOT EXISTS (SELECT FROM pg_description WHERE objoid = d.objid AND classoid = d.classid AND objsubid = 0)
  -- Newer versions have types that come with another object among the members.
  AND NOT (classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type t LEFT JOIN pg_class c ON c.oid = typrelid
                                                     WHERE t.oid = d.objid AND (typcategory = 'A' OR relkind <> 'c')));
-- But for those that have so many.
SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'gc_fdw'::regnamespace AND length(pg_get_function_arguments(oid)) > 100
  AND proname NOT IN ('submit_import', 'wait_for_import');
CALL sim.list('leads', '{crm_id,note,phone}');
CREATE FOREIGN TABLE gc.leads (crm_id text, note text)
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'crm_id', batch_size '10', fetch_size '10');
-- One request after the other, so that counts and orders are the same each time.
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
SELECT gc_fdw.stat_reset();

--
-- Statistics
--
INSERT INTO gc.leads SELECT 'L-' || i, 'a note' FROM generate_series(1, 45) i;
SELECT count(crm_id) FROM gc.leads;
CALL sim.faults('[{"path": "*/search", "nth": 1, "status": 503}, {"path": "*/search", "nth": 2, "drop": "after"}]');
SELECT count(crm_id) FROM gc.leads;
CALL sim.faults('[{"path": "*/search", "nth": 1, "status": 429, "headers": {"Retry-After": "1"}}]');
SELECT count(crm_id) FROM gc.leads;
CALL sim.faults('[]');
SELECT server, requests, retries, throttled, errors, rows_sent, rows_received, bytes_sent > 1000 AS bytes_sent,
       bytes_received > 1000 AS bytes_received, quota_wait > '0' AS quota_wait, network_time > '0' AS network_time, tokens,
       since <= now() AS since
FROM gc_fdw.stat_servers \gx
SELECT server, method, endpoint, status_class, count, time > '0' AS time,
       le_10ms + le_30ms + le_100ms + le_300ms + le_1s + le_3s + le_10s + longer = count AS histogram
FROM gc_fdw.stat_requests ORDER BY endpoint, method, status_class;
-- The latest requests, with what support asks for: what the simulator saw.
SELECT r.server, r.method, r.path, r.status, r.attempt, r.pid = pg_backend_pid() AS ours,
       r.request_id = s.headers->>'x-request-id' AS request_id, (r.correlation_id IS NULL) = (r.status IS NULL) AS correlation_id
FROM (SELECT *, row_number() OVER (ORDER BY at) AS n FROM gc_fdw.requests WHERE path LIKE '%/contacts') r
JOIN (SELECT *, row_number() OVER () AS n FROM sim.requests() WHERE path LIKE '%/contacts') s USING (n) ORDER BY n;
SELECT status, attempt FROM gc_fdw.requests WHERE path LIKE '%/search' AND (attempt > 1 OR status IS DISTINCT FROM 200) ORDER BY at;

-- A statement at work.
SELECT p.role, p.server, p.list, p.operation, p.rows_done, p.rows_total, p.percent, p.rows_per_second > 0 AS rows_per_second,
       p.requests, p.eta > '0' AS eta, p.pid = pg_backend_pid() AS ours
FROM (SELECT crm_id, row_number() OVER () AS n FROM gc.leads) l, LATERAL (SELECT *, n FROM gc_fdw.progress) p WHERE l.n = 20;
SELECT count(*) FROM gc_fdw.progress;

-- The quota: what the platform says of it, and who waits.
SELECT server, client, bucket, allowed, used BETWEEN 1 AND 100 AS used, reset_at BETWEEN now() AND now() + '61 s' AS reset_at,
       closed_until, waiters, longest_wait
FROM gc_fdw.rate_limits;
ALTER SERVER genesys OPTIONS (ADD bulk_requests_per_minute '6000');
INSERT INTO gc.leads VALUES ('L-1', 'a note');
SELECT server, client, bucket, allowed, used, closed_until FROM gc_fdw.rate_limits WHERE bucket = 'bulk';
ALTER SERVER genesys OPTIONS (DROP bulk_requests_per_minute);

--
-- Who sees what: one's own, or all of it as a member of pg_read_all_stats
--
SET client_min_messages = warning;
CREATE ROLE gc_loader;
CREATE ROLE gc_analyst;
RESET client_min_messages;
CREATE USER MAPPING FOR gc_loader SERVER genesys OPTIONS (client_id 'id', client_secret 'secret');
GRANT USAGE ON SCHEMA gc TO gc_loader;
GRANT SELECT ON gc.leads TO gc_loader;
SET ROLE gc_loader;
SELECT count(crm_id) FROM gc.leads;
SELECT requests, rows_sent, rows_received FROM gc_fdw.stat_servers;
SELECT DISTINCT endpoint FROM gc_fdw.stat_requests ORDER BY 1;
SELECT count(*) FROM gc_fdw.requests;
SELECT client FROM gc_fdw.rate_limits;
SELECT gc_fdw.stat_reset();
SET ROLE gc_analyst;
SELECT (SELECT count(*) FROM gc_fdw.stat_servers) AS servers, (SELECT count(*) FROM gc_fdw.stat_requests) AS requests,
       (SELECT count(*) FROM gc_fdw.requests) AS recent, (SELECT count(*) FROM gc_fdw.rate_limits) AS limits;
RESET ROLE;
GRANT pg_read_all_stats TO gc_analyst;
SET ROLE gc_analyst;
SELECT requests > 10 AS requests, rows_sent FROM gc_fdw.stat_servers;
-- A quota that several roles use is one row.
SELECT server, client, bucket FROM gc_fdw.rate_limits;
RESET ROLE;
SELECT gc_fdw.stat_reset();
SELECT (SELECT count(*) FROM gc_fdw.stat_servers) AS servers, (SELECT count(*) FROM gc_fdw.stat_requests) AS requests,
       (SELECT count(*) FROM gc_fdw.requests) AS recent;

--
-- max_requests: a careless statement fails before it has eaten the quota
--
SET gc_fdw.max_requests = 3;
CALL sim.forget();
CALL sim.try('SELECT count(crm_id) FROM gc.leads');
SELECT count(*) FROM sim.requests();
-- One that ends early is not refused for what it could have needed.
SELECT crm_id FROM gc.leads LIMIT 1;
CALL sim.try('INSERT INTO gc.leads SELECT ''M-'' || i FROM generate_series(1, 45) i');
-- The server's own limit holds where it is lower.
SET gc_fdw.max_requests = 100;
ALTER SERVER genesys OPTIONS (ADD max_requests '4');
CALL sim.try('SELECT count(crm_id) FROM gc.leads');
ALTER SERVER genesys OPTIONS (SET max_requests '0');
SELECT count(crm_id) > 45 AS enough FROM gc.leads;
-- All scans of a statement count together.
SET gc_fdw.max_requests = 12;
CALL sim.try('SELECT count(*) FROM gc.leads a JOIN gc.leads b USING (crm_id)');
RESET gc_fdw.max_requests;
SET gc_fdw.max_requests = -1;

DROP SERVER genesys CASCADE;
DROP OWNED BY gc_loader, gc_analyst;
DROP ROLE gc_loader, gc_analyst;
