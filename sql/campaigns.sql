\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Campaigns are changed: set on and off, bound to lists, recycled; in both dialects (SCENARIOS I1, I3, K3, K4, K7)
--
CREATE FUNCTION sim.asked(OUT request text, OUT status int) RETURNS SETOF record LANGUAGE sql AS $$
  SELECT request, status FROM sim.traffic() WHERE request NOT LIKE '%/oauth/token' AND request NOT LIKE '%/_sim/%'
$$;
-- What goes out for a statement, and what the platform has then.  Runs of the same request count as one.
CREATE PROCEDURE sim.show(statement text, INOUT requests text DEFAULT NULL, INOUT campaign text DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
  CALL sim.forget();
  EXECUTE statement;
  SELECT string_agg(request || CASE status WHEN 200 THEN '' WHEN 204 THEN '' ELSE ' ' || status END, E'\n' ORDER BY n)
  INTO requests
  FROM (SELECT *, lag(request || status) OVER (ORDER BY n) AS before FROM sim.asked() WITH ORDINALITY a(request, status, n)) s
  WHERE before IS DISTINCT FROM request || status;
  SELECT concat_ws(' ', name, version, campaign_status, contact_list_id, dnc_list_ids, always_running)
  INTO campaign FROM campaigns WHERE id = 'c-1';
END $$;
CREATE PROCEDURE sim.campaign(members jsonb DEFAULT '{}') LANGUAGE sql AS $$
  SELECT sim.control('POST', 'campaigns', (jsonb_build_object('id', 'c-1', 'name', 'Spring', 'campaignStatus', 'off',
    'contactList', jsonb_build_object('id', 'leads'), 'dialingMode', 'preview', 'callerName', 'Us', 'callerAddress', '+1',
    'alwaysRunning', false, 'dncLists', '[]'::jsonb,
    'phoneColumns', jsonb_build_array(jsonb_build_object('columnName', 'phone', 'type', 'cell'))) || members)::text)
$$;
DO $do$ BEGIN
  EXECUTE (SELECT format($$
    CREATE SERVER gateway FOREIGN DATA WRAPPER gc_fdw
      OPTIONS (api_url %1$L, login_url %1$L, requests_per_minute '1000000', requests_per_second '0', jitter '0', read_lag '0',
               list_freshness '1h', retry_timeout '5s', max_retries '2', dialect 'jobs') $$, url) FROM sim.settings);
END $do$;
CREATE USER MAPPING FOR CURRENT_USER SERVER gateway OPTIONS (client_id 'id', client_secret 'secret');
CREATE SCHEMA jobs;
IMPORT FOREIGN SCHEMA outbound LIMIT TO (campaigns) FROM SERVER genesys INTO gc;
IMPORT FOREIGN SCHEMA outbound LIMIT TO (campaigns) FROM SERVER gateway INTO jobs;
CALL sim.list('leads', '{id,phone}');
CALL sim.list('fresh', '{id,phone}');
CALL sim.list('other', '{id,number}');

--
-- The same statements, with the calls of each dialect
--
CREATE PROCEDURE sim.tour(dialect text) LANGUAGE plpgsql AS $$
DECLARE
  statement text; requests text; campaign text;
BEGIN
  PERFORM set_config('search_path', dialect, false);
  CALL sim.campaign('{"campaignStatus": "complete"}');
  FOREACH statement IN ARRAY ARRAY[
    -- I1: one that is complete dials what came after; one that is on already is left alone.
    $s$ UPDATE campaigns SET campaign_status = 'on' WHERE name = 'Spring' $s$,
    $s$ UPDATE campaigns SET campaign_status = 'on' WHERE name = 'Spring' $s$,
    $s$ UPDATE campaigns SET campaign_status = 'off' WHERE id = 'c-1' $s$,
    $s$ UPDATE campaigns SET campaign_status = 'off' WHERE id = 'c-1' $s$,
    $s$ UPDATE campaigns SET name = 'Summer', always_running = true WHERE id = 'c-1' $s$,
    $s$ UPDATE campaigns SET name = 'Summer', always_running = true WHERE id = 'c-1' $s$,
    -- A list is changed while it stands, whatever the order of SET.
    $s$ UPDATE campaigns SET contact_list_id = 'fresh', campaign_status = 'on' WHERE id = 'c-1' $s$,
    $s$ UPDATE campaigns SET contact_list_id = 'leads', name = 'Spring', campaign_status = 'off' WHERE id = 'c-1' $s$,
    $s$ UPDATE campaigns SET dnc_list_ids = '{d-1,d-2}' WHERE id = 'c-1' $s$,
    $s$ UPDATE campaigns SET dnc_list_ids = '{d-1,d-2}' WHERE id = 'c-1' $s$,
    $s$ UPDATE campaigns SET dnc_list_ids = NULL WHERE id = 'c-1' $s$,
    $s$ UPDATE campaigns SET campaign_status = 'recycle' WHERE id = 'c-1' $s$ ]
  LOOP
    CALL sim.show(statement, requests, campaign);
    RAISE INFO E'%\n%\n  -> %', trim(statement), requests, campaign;
  END LOOP;
END $$;
CALL sim.tour('gc');
CALL sim.set('{"recycle_ms": 0}');
CALL sim.tour('jobs');
CALL sim.set('{"recycle_ms": 5000}');
RESET search_path;

--
-- What is refused, with what to do, in both dialects
--
CREATE PROCEDURE sim.refusals(dialect text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('search_path', dialect, false);
  CALL sim.campaign('{"campaignStatus": "on"}');
  -- One that is on
  CALL sim.try($s$ UPDATE campaigns SET contact_list_id = 'fresh' $s$);
  CALL sim.try($s$ UPDATE campaigns SET campaign_status = 'off', contact_list_id = 'fresh' $s$);
  -- K7
  CALL sim.try($s$ UPDATE campaigns SET contact_list_id = 'nowhere' $s$);
  CALL sim.try($s$ UPDATE campaigns SET contact_list_id = 'other' $s$);
  -- None at all
  CALL sim.try($s$ UPDATE campaigns SET contact_list_id = NULL $s$);
  -- From a status that leads nowhere
  CALL sim.campaign('{"campaignStatus": "invalid"}');
  CALL sim.try($s$ UPDATE campaigns SET campaign_status = 'on' $s$);
  CALL sim.campaign();
  -- What is no status is refused before anything is changed.
  CALL sim.try($s$ UPDATE campaigns SET name = 'Winter', campaign_status = 'complete' $s$);
  CALL sim.try($s$ UPDATE campaigns SET campaign_status = NULL $s$);
  CALL sim.try($s$ UPDATE campaigns SET version = 7 $s$);
  CALL sim.try($s$ UPDATE campaigns SET progress_percent = 7 $s$);
  CALL sim.try($s$ INSERT INTO campaigns (name) VALUES ('Winter') $s$);
  CALL sim.try($s$ DELETE FROM campaigns $s$);
END $$;
CALL sim.refusals('gc');
CALL sim.refusals('jobs');
RESET search_path;
SELECT name, version > 1 AS changed FROM gc.campaigns;

--
-- Stopping takes its time
--
CALL sim.set('{"campaign_stop_ms": 300}');
CALL sim.campaign('{"campaignStatus": "on"}');
UPDATE gc.campaigns SET campaign_status = 'off' RETURNING campaign_status;
-- Somebody else has stopped it: it is waited for, too, also by who sets it on again.
CALL sim.campaign('{"campaignStatus": "on"}');
SELECT sim.control('POST', 'campaigns', jsonb_build_object('id', 'c-1', 'campaignStatus', 'stopping',
  'stopsAt', (extract(epoch FROM clock_timestamp() + interval '300 ms') * 1000000)::bigint)::text) IS NOT NULL AS stopping;
UPDATE gc.campaigns SET campaign_status = 'on' RETURNING campaign_status;
-- For as long as ready_timeout
CALL sim.set('{"campaign_stop_ms": 60000}');
ALTER FOREIGN TABLE gc.campaigns OPTIONS (ADD ready_timeout '20ms');
CALL sim.try($$ UPDATE gc.campaigns SET campaign_status = 'off' $$);
SELECT campaign_status FROM gc.campaigns;
-- or until a cancel
ALTER FOREIGN TABLE gc.campaigns OPTIONS (SET ready_timeout '1min');
SET statement_timeout = '300ms';
UPDATE gc.campaigns SET campaign_status = 'off';
RESET statement_timeout;
CALL sim.set('{"campaign_stop_ms": 0}');

--
-- Organisations that do not have the calls, and clients that may not make them: by the campaign's version
--
CREATE PROCEDURE sim.by_version(dialect text, status int) LANGUAGE plpgsql AS $$
DECLARE
  requests text; campaign text;
BEGIN
  PERFORM set_config('search_path', dialect, false);
  CALL sim.campaign();
  CALL sim.faults(format('[{"method": "POST", "path": "*/campaigns/c-1*", "status": %s, "times": 1000}]', status)::jsonb);
  CALL sim.show($s$ UPDATE campaigns SET campaign_status = 'on' $s$, requests, campaign);
  RAISE INFO E'%\n  -> %', requests, campaign;
  CALL sim.show($s$ UPDATE campaigns SET campaign_status = 'off', name = 'Autumn' $s$, requests, campaign);
  RAISE INFO E'%\n  -> %', requests, campaign;
  CALL sim.faults('[]');
END $$;
CALL sim.by_version('gc', 501);
CALL sim.by_version('gc', 404);
CALL sim.by_version('jobs', 403);
RESET search_path;
-- Neither the one nor the other: the platform says which permission is missing.
CALL sim.campaign();
CALL sim.faults('[{"path": "*/campaigns/c-1/start", "status": 403, "times": 10},
  {"method": "PUT", "path": "*/campaigns/c-1", "status": 403, "times": 10, "body_json": {"code": "missing.permissions", "message": "outbound:campaign:edit"}}]');
CALL sim.try($$ UPDATE gc.campaigns SET campaign_status = 'on' $$);
CALL sim.faults('[]');

--
-- I1: recycled once in so long; who comes too early waits, and nobody else does
--
CALL sim.set('{"recycle_ms": 1500}');
CALL sim.campaign('{"progress": {"percentage": 100}}');
-- (RETURNING has the progress as it was read.)
UPDATE gc.campaigns SET campaign_status = 'recycle' RETURNING progress_percent;
CALL sim.campaign('{"progress": {"percentage": 100}}');
CALL sim.forget();
UPDATE gc.campaigns SET campaign_status = 'recycle';
SELECT DISTINCT request, status FROM sim.asked() ORDER BY 2, 1;
SELECT progress_percent FROM gc.campaigns;
SELECT count(closed_until) AS closed FROM gc_fdw.rate_limits;
-- until retry_timeout
CALL sim.set('{"recycle_ms": 60000}');
ALTER SERVER genesys OPTIONS (SET retry_timeout '900ms');
CALL sim.try($$ UPDATE gc.campaigns SET campaign_status = 'recycle' $$);
-- An answer that is lost: nobody knows, and it is not recycled twice.
ALTER SERVER genesys OPTIONS (SET retry_timeout '5s');
CALL sim.set('{"recycle_ms": 0}');
CALL sim.faults('[{"method": "DELETE", "path": "*/progress", "drop": "after"}]');
CALL sim.forget();
CALL sim.try($$ UPDATE gc.campaigns SET campaign_status = 'recycle' $$);
SELECT count(*) FROM sim.asked() WHERE request LIKE 'DELETE%';
CALL sim.faults('[]');

--
-- I3: somebody else is quicker
--
CALL sim.campaign();
CREATE FUNCTION sim.meanwhile(members jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_array(jsonb_build_object('method', 'GET', 'path', '*/campaigns/c-1', 'nth', 1, 'calls_after',
    jsonb_build_array(jsonb_build_object('path', '/_sim/campaigns', 'body', '{"id": "c-1"}'::jsonb || members))))
$$;
-- Of another member, between our reading and our writing: both survive.
CALL sim.faults(sim.meanwhile('{"alwaysRunning": true, "callerName": "They"}'));
CALL sim.forget();
UPDATE gc.campaigns SET name = 'Ours' RETURNING name, always_running;
SELECT * FROM sim.asked();
-- Of the same: it is not overwritten.
CALL sim.faults(sim.meanwhile('{"name": "Theirs"}'));
CALL sim.try($$ UPDATE gc.campaigns SET name = 'Ours again' $$);
SELECT name FROM gc.campaigns;
-- To what we want: there is nothing to be done.
CALL sim.faults(sim.meanwhile('{"name": "Same"}'));
UPDATE gc.campaigns SET name = 'Same' RETURNING name;
-- Always: after three versions
CALL sim.faults('[{"method": "PUT", "path": "*/campaigns/c-1", "conflict": "K4", "times": 1000}]');
CALL sim.forget();
CALL sim.try($$ UPDATE gc.campaigns SET name = 'Never' $$);
SELECT request, count(*) FROM sim.asked() GROUP BY 1 ORDER BY 1;
-- Between the statement's reading and ours, of the status
CALL sim.faults('[{"method": "GET", "path": "*/campaigns", "nth": 1, "calls_after": [{"path": "/_sim/campaigns", "body": {"id": "c-1", "campaignStatus": "complete"}}]}]');
CALL sim.try($$ UPDATE gc.campaigns SET campaign_status = 'on' $$);
CALL sim.faults('[]');
SELECT campaign_status FROM gc.campaigns;
-- Where the list has a call of its own
CALL sim.campaign();
SELECT set_config('search_path', 'jobs', false);
CALL sim.faults('[{"method": "GET", "path": "*/campaigns", "nth": 1, "calls_after": [{"path": "/_sim/campaigns", "body": {"id": "c-1", "contactList": {"id": "other"}}}]}]');
CALL sim.try($$ UPDATE campaigns SET contact_list_id = 'fresh' $$);
SELECT contact_list_id FROM campaigns;
-- Answers that do not tell what it is: it is read, and what else is changed is based on that.
CALL sim.campaign();
CALL sim.faults('[{"method": "PATCH", "path": "*/campaigns/c-1", "nth": 1, "effect": true, "status": 200, "body": "{}"},
  {"method": "PATCH", "path": "*/campaigns/c-1", "nth": 2, "effect": true, "status": 204, "body": ""},
  {"method": "PUT", "path": "*/campaigns/c-1", "nth": 2, "effect": true, "status": 200, "body": "{}"}]');
UPDATE campaigns SET contact_list_id = 'fresh', name = 'Summer' RETURNING name, contact_list_id, dialing_mode;
UPDATE campaigns SET contact_list_id = 'leads', name = 'Spring' RETURNING name, contact_list_id, dialing_mode;
CALL sim.faults('[]');
SELECT name, contact_list_id, dialing_mode FROM campaigns;
RESET search_path;
-- A lost answer, and the version that came of it: it is seen that it took effect, and in doubt no longer.
CALL sim.campaign();
CALL sim.faults('[{"method": "PUT", "path": "*/campaigns/c-1", "nth": 1, "drop": "after"}]');
UPDATE gc.campaigns SET always_running = true RETURNING always_running;
SELECT total, accepted, in_doubt, status FROM gc_fdw.audit_log ORDER BY id DESC LIMIT 1;
-- What is no array of ids takes no DNC list away.
UPDATE gc.campaigns SET dnc_list_ids = '{d-1}';
CALL sim.try($$ UPDATE gc.campaigns SET dnc_list_ids = '{{d-1,d-2}}' $$);
CALL sim.try($$ UPDATE gc.campaigns SET dnc_list_ids = '{d-2,NULL}' $$);
SELECT dnc_list_ids FROM gc.campaigns;
-- One that is gone by then is no row.
CALL sim.faults('[{"method": "GET", "path": "*/campaigns/c-1", "status": 404, "times": 1}]');
UPDATE gc.campaigns SET campaign_status = 'on' RETURNING id;
CALL sim.faults('[{"method": "DELETE", "path": "*/campaigns/c-1/progress", "status": 404, "times": 1}]');
UPDATE gc.campaigns SET campaign_status = 'recycle';
CALL sim.faults('[]');

--
-- What PostgreSQL sees of it
--
CALL sim.campaign('{"progress": {"percentage": 40}}');
SELECT sim.make('campaigns', '[{"id": "c-2", "name": "Winter", "campaignStatus": "off"}]');
-- A name is looked for by the platform.
EXPLAIN (COSTS OFF, VERBOSE) UPDATE gc.campaigns SET campaign_status = 'on' WHERE name = 'Spring' RETURNING id;
SELECT * FROM sim.analyzed($$ UPDATE gc.campaigns SET campaign_status = 'on' WHERE name = 'Spring' $$);
UPDATE gc.campaigns SET campaign_status = 'off' WHERE name = 'Spring' RETURNING name, campaign_status, progress_percent;
-- Triggers see what the platform has.
CREATE FUNCTION sim.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE INFO '% %: % % -> % %', TG_WHEN, TG_LEVEL, OLD.name, OLD.campaign_status, NEW.name, NEW.campaign_status;
  IF TG_WHEN = 'BEFORE' THEN NEW.name := upper(NEW.name); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER before_row BEFORE UPDATE ON gc.campaigns FOR EACH ROW EXECUTE FUNCTION sim.note();
CREATE TRIGGER after_row AFTER UPDATE ON gc.campaigns FOR EACH ROW EXECUTE FUNCTION sim.note();
UPDATE gc.campaigns SET campaign_status = 'on', name = 'May' WHERE id = 'c-1';
-- What a trigger sets is set, if the platform lets it be.
CALL sim.campaign('{"name": "Lower"}');
UPDATE gc.campaigns SET always_running = true WHERE id = 'c-1' RETURNING name, always_running;
DROP TRIGGER before_row ON gc.campaigns;
DROP TRIGGER after_row ON gc.campaigns;
-- A join
UPDATE gc.campaigns c SET name = v.name FROM (VALUES ('c-1', 'June'), ('c-3', 'July')) v(id, name) WHERE c.id = v.id RETURNING c.id, c.name;
-- ROLLBACK does not undo it, and says so.
\set VERBOSITY terse
BEGIN;
UPDATE gc.campaigns SET name = 'August' WHERE id = 'c-1';
ROLLBACK;
\set VERBOSITY default
SELECT name FROM gc.campaigns WHERE id = 'c-1';
SELECT table_name, is_insertable_into FROM information_schema.tables WHERE table_schema = 'gc';
