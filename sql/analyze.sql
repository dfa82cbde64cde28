\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- ANALYZE: what it finds out, and what that costs (DESIGN 4.4)
--
-- Statistics of a table that do not depend on which pages were taken.
CREATE FUNCTION sim.stats(rel text) RETURNS TABLE (col name, nulls real, n_distinct real, common text) LANGUAGE sql AS $$
  SELECT attname, null_frac, n_distinct, CASE WHEN n_distinct BETWEEN 1 AND 10 THEN most_common_freqs::text END
  FROM pg_stats WHERE schemaname = 'gc' AND tablename = rel ORDER BY attname
$$;
CREATE FUNCTION sim.reltuples(rel regclass) RETURNS real LANGUAGE sql AS $$ SELECT reltuples FROM pg_class WHERE oid = rel $$;
-- Pages that were asked for, but for the one row by which the table is measured
CREATE FUNCTION sim.pages(OUT seq int, OUT page int) RETURNS SETOF record LANGUAGE sql AS $$
  SELECT seq, (body::jsonb->>'pageNumber')::int FROM sim.requests()
  WHERE path LIKE '%/contacts/search' AND (body::jsonb->>'pageSize')::int > 1
$$;
-- How many rows the planner expects.
CREATE FUNCTION sim.expected(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
  RETURN plan->0->'Plan'->'Plan Rows';
END $$;

CALL sim.set('{"record_bodies": "on"}');
CALL sim.list('leads', '{Key,Segment,Note,Score,Phone}');
CREATE FOREIGN TABLE gc.leads (key text OPTIONS (field 'Key'), segment text OPTIONS (field 'Segment'),
  note text OPTIONS (field 'Note'), score int OPTIONS (field 'Score'))
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'key');

-- An empty list
ANALYZE gc.leads;
SELECT sim.reltuples('gc.leads'), count(*) AS statistics FROM pg_stats WHERE tablename = 'leads';
-- Less than a page: all of it, in two requests, one to measure it
INSERT INTO gc.leads SELECT 'K-' || g, 's' || g % 5, CASE WHEN g % 2 = 0 THEN 'x' || g END, g FROM generate_series(1, 80) g;
CALL sim.forget();
ANALYZE gc.leads;
SELECT method, path, body, rows FROM sim.requests() ORDER BY seq;
SELECT sim.reltuples('gc.leads');
SELECT * FROM sim.stats('leads');

--
-- A longer list: a bounded number of its pages
--
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
INSERT INTO gc.leads SELECT 'K-' || g, 's' || g % 5, CASE WHEN g % 2 = 0 THEN 'x' || g END, g FROM generate_series(1, 5000) g;
ALTER SERVER genesys OPTIONS (DROP max_in_flight);
CALL sim.forget();
ANALYZE gc.leads;
SELECT sim.reltuples('gc.leads');
SELECT * FROM sim.stats('leads') WHERE col IN ('key', 'note', 'segment');
-- Thirty, and the first one, which says how many there are; each once
SELECT count(*) IN (30, 31) AS bounded, count(DISTINCT page) = count(*) AS once, min(page), max(page) BETWEEN 31 AND 50 AS anywhere
FROM sim.pages();
SELECT count(*) <= 32 AS bounded FROM sim.requests();
-- Each time others; the first page counts only if chance takes it, too.
CREATE TABLE gc.seen AS SELECT page FROM sim.pages();
CALL sim.forget();
ANALYZE gc.leads;
SELECT count(*) > 0 AS others FROM sim.pages() p WHERE p.page NOT IN (SELECT page FROM gc.seen);
DO $$
DECLARE firsts int := 0;
BEGIN
  FOR i IN 1..40 LOOP
    ANALYZE gc.leads (key);
    firsts := firsts + (SELECT (histogram_bounds::text::text[])[1] = 'K-1' FROM pg_stats WHERE tablename = 'leads' AND attname = 'key')::int;
  END LOOP;
  RAISE INFO 'some samples had the first page: %, all: %', firsts > 0, firsts = 40;
END $$;
-- The statistics target says how many: a page for each thousand rows that the server wants.
SET default_statistics_target = 10;
CALL sim.forget();
ANALYZE gc.leads;
SELECT count(*) IN (3, 4) AS few FROM sim.pages();
SET default_statistics_target = 1000;
CALL sim.forget();
ANALYZE gc.leads;
SELECT count(*) AS all_there_are FROM sim.pages();
-- … in the order in which the platform has them.
SELECT n_distinct, correlation FROM pg_stats WHERE tablename = 'leads' AND attname = 'score';
RESET default_statistics_target;
-- fetch_size: smaller pages, no more of them
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD fetch_size '20');
CALL sim.forget();
ANALYZE gc.leads;
SELECT count(*) IN (30, 31) AS bounded, max(page) > 31 AS anywhere FROM sim.pages();
SELECT sim.reltuples('gc.leads');
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP fetch_size);
-- A list that shrinks meanwhile: what is no longer there is not asked for.
CALL sim.faults('[{"path": "/contacts/search", "nth": 3, "body_json": {"entities": [], "total": 100}}]');
CALL sim.forget();
ANALYZE gc.leads;
CALL sim.faults('[]');
SELECT count(*) < 10 AS few FROM sim.pages();
SELECT sim.reltuples('gc.leads');
ANALYZE gc.leads;

-- The planner knows it, in another session, too.
\c -
SET client_min_messages = warning;
CALL sim.forget();
RESET client_min_messages;
SELECT sim.expected('SELECT key FROM gc.leads');
SELECT sim.expected($$SELECT key FROM gc.leads WHERE segment = 's1'$$);
SELECT sim.expected('SELECT key FROM gc.leads WHERE note IS NULL');
SELECT count(*) FROM sim.requests();

-- max_requests is of the sample, too, and refused before it is taken.
SET gc_fdw.max_requests = 10;
CALL sim.forget();
DO $$ BEGIN ANALYZE gc.leads; EXCEPTION WHEN OTHERS THEN RAISE INFO '%: %', SQLSTATE, SQLERRM; END $$;
SELECT count(*) FROM sim.pages();
RESET gc_fdw.max_requests;
-- A session that has only written a row does not take it for all there is.
\c -
SET client_min_messages = warning;
CALL sim.forget();
RESET client_min_messages;
INSERT INTO gc.leads (key) VALUES ('one-more');
SELECT sim.expected('SELECT key FROM gc.leads');
DELETE FROM gc.leads WHERE key = 'one-more';
-- A privilege that lacks
CALL sim.faults('[{"path": "/contacts/search", "status": 403, "body_json": {"status": 403, "code": "missing.permissions", "message": "No."}}]');
CALL sim.try('ANALYZE gc.leads');
CALL sim.faults('[]');

--
-- By export: where nothing else gives a column, or it is asked for
--
CREATE FOREIGN TABLE gc.wrapups (key text OPTIONS (field 'Key'), segment text OPTIONS (field 'Segment'), score int OPTIONS (field 'Score'),
  wrapup text OPTIONS (attribute 'last_wrapup:Phone')) SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'key');
CALL sim.forget();
ANALYZE gc.wrapups;
SELECT sim.reltuples('gc.wrapups'), (SELECT count(*) FROM sim.pages()) AS pages;
SELECT count(*) FROM sim.requests() WHERE method = 'POST' AND path LIKE '%/export';
SELECT * FROM sim.stats('wrapups');
-- More rows than are wanted: a sample of them all
SET default_statistics_target = 10;
ANALYZE gc.wrapups;
SELECT sim.reltuples('gc.wrapups'), min(h) < 1000 AS first, max(h) > 4000 AS last
FROM pg_stats, unnest(histogram_bounds::text::int[]) h WHERE tablename = 'wrapups' AND attname = 'score';
SELECT correlation FROM pg_stats WHERE tablename = 'wrapups' AND attname = 'score';
RESET default_statistics_target;
-- A column that nobody wants statistics of is not read, and its export not made.
ALTER FOREIGN TABLE gc.wrapups ALTER wrapup SET STATISTICS 0;
CALL sim.forget();
ANALYZE gc.wrapups;
SELECT count(*) FROM sim.requests() WHERE path LIKE '%/export';
-- … but where statistics are of several columns, or of what is made of them
CREATE STATISTICS gc.both ON segment, wrapup FROM gc.wrapups;
CALL sim.forget();
SET client_min_messages = error;
ANALYZE gc.wrapups;
RESET client_min_messages;
SELECT count(*) FROM sim.requests() WHERE method = 'POST' AND path LIKE '%/export';
DROP STATISTICS gc.both;
ALTER FOREIGN TABLE gc.wrapups ALTER wrapup SET STATISTICS -1;
ALTER FOREIGN TABLE gc.wrapups OPTIONS (ADD scan_method 'search');
CALL sim.try('ANALYZE gc.wrapups');
ALTER FOREIGN TABLE gc.wrapups OPTIONS (SET scan_method 'auto');
ALTER FOREIGN TABLE gc.wrapups ADD created timestamptz OPTIONS (attribute 'date_created');
CALL sim.try('ANALYZE gc.wrapups');
ALTER FOREIGN TABLE gc.wrapups ALTER created SET STATISTICS 0;
CALL sim.try('ANALYZE gc.wrapups');

--
-- A partitioned table over two lists, and one that inherits: each has its share of the sample.
--
CALL sim.list('small', '{key,region,phone}');
CALL sim.list('large', '{key,region,phone}');
CREATE TABLE gc.all_leads (key text, region text) PARTITION BY LIST (region);
CREATE FOREIGN TABLE gc.small PARTITION OF gc.all_leads FOR VALUES IN ('small')
  SERVER genesys OPTIONS (object 'contacts', list_id 'small', key 'key');
CREATE FOREIGN TABLE gc.large PARTITION OF gc.all_leads FOR VALUES IN ('large')
  SERVER genesys OPTIONS (object 'contacts', list_id 'large', key 'key');
INSERT INTO gc.all_leads SELECT 'K-' || g, CASE WHEN g % 5 = 0 THEN 'small' ELSE 'large' END FROM generate_series(1, 10000) g;
ANALYZE gc.all_leads;
SELECT relname, reltuples FROM pg_class WHERE relname IN ('all_leads', 'small', 'large') AND relkind <> 'i' ORDER BY 1;
SELECT attname, inherited, n_distinct, most_common_vals, most_common_freqs[1] BETWEEN 0.77 AND 0.83 AS share
FROM pg_stats WHERE tablename = 'all_leads' ORDER BY 1;
CREATE TABLE gc.parent (key text);
INSERT INTO gc.parent SELECT 'P-' || g FROM generate_series(1, 500) g;
CREATE FOREIGN TABLE gc.child () INHERITS (gc.parent) SERVER genesys OPTIONS (object 'contacts', list_id 'small');
ANALYZE gc.parent;
SELECT inherited, n_distinct FROM pg_stats WHERE schemaname = 'gc' AND tablename = 'parent' ORDER BY 1;

--
-- Other objects
--
IMPORT FOREIGN SCHEMA outbound LIMIT TO (contact_lists, campaigns, dnc_lists, events, import_jobs) FROM SERVER genesys INTO gc;
SELECT sim.make('campaigns', (SELECT jsonb_agg(jsonb_build_object('id', 'c-' || g, 'name', 'campaign ' || g, 'campaignStatus', 'on',
  'progress', jsonb_build_object('percentage', g % 10))) FROM generate_series(1, 150) g));
SELECT sim.make('dnclists', '[{"id": "d-1", "name": "Robinson", "entries": ["+1", "+2", "+3"]}]');
SELECT sim.make('events', (SELECT jsonb_agg(jsonb_build_object('id', 'e-' || g, 'level', CASE WHEN g % 4 = 0 THEN 'ERROR' ELSE 'INFO' END,
  'category', 'DIALER')) FROM generate_series(1, 120) g));
CREATE FOREIGN TABLE gc.robinson (entry text, expires_at timestamptz) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_id 'd-1');
CALL sim.forget();
ANALYZE gc.campaigns, gc.contact_lists, gc.dnc_lists, gc.events, gc.robinson;
SELECT oid::regclass, reltuples FROM pg_class
WHERE oid IN ('gc.campaigns'::regclass, 'gc.contact_lists'::regclass, 'gc.dnc_lists'::regclass, 'gc.events'::regclass, 'gc.robinson'::regclass) ORDER BY 1::text;
SELECT * FROM sim.stats('campaigns') WHERE col IN ('campaign_status', 'id', 'progress_percent');
SELECT * FROM sim.stats('events') WHERE col IN ('id', 'level');
SELECT * FROM sim.stats('robinson');
-- Campaigns: a request a page for their progress, too; none if nobody wants its statistics
SELECT count(*) FROM sim.requests() WHERE path LIKE '%/campaigns/progress';
ALTER FOREIGN TABLE gc.campaigns ALTER progress_percent SET STATISTICS 0, ALTER contacts_called SET STATISTICS 0, ALTER contacts_total SET STATISTICS 0;
CALL sim.forget();
ANALYZE gc.campaigns;
SELECT count(*) FROM sim.requests() WHERE path LIKE '%/campaigns/progress';
-- How many jobs there are nobody says before each list was asked.
ANALYZE gc.import_jobs;
