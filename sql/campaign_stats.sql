\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- What campaigns do now: a call for each, made for those alone that the query wants (DESIGN §2.1, U11)
--
CREATE FUNCTION sim.asked(OUT request text, OUT calls bigint) RETURNS SETOF record LANGUAGE sql AS $$
  SELECT method || ' ' || replace(path, '/api/v2/outbound', ''), count(*) FROM sim.requests() WHERE path LIKE '/api/%' GROUP BY 1 ORDER BY 1 COLLATE "C"
$$;
-- IMPORT makes these columns where all are asked for: SELECT * is to cost what it did.
IMPORT FOREIGN SCHEMA outbound LIMIT TO (campaigns) FROM SERVER genesys INTO gc;
SELECT count(*) FROM information_schema.columns WHERE table_schema = 'gc' AND table_name = 'campaigns';
DROP FOREIGN TABLE gc.campaigns;
IMPORT FOREIGN SCHEMA outbound LIMIT TO (campaigns) FROM SERVER genesys INTO gc OPTIONS (attributes 'all');
SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'gc' AND table_name = 'campaigns' AND ordinal_position > 12 ORDER BY ordinal_position;
CALL sim.list('leads', '{id,phone}');
SELECT sim.make('campaigns', '[
  {"id": "c-1", "name": "Spring", "campaignStatus": "on", "contactList": {"id": "leads"}, "progress": {"percentage": 40},
   "stats": {"contactRate": {"attempts": 400, "connects": 100, "connectRatio": 0.25}, "idleAgents": 3, "effectiveIdleAgents": 2.5,
             "adjustedCallsPerAgent": 1.2, "outstandingCalls": 7, "scheduledCalls": 11, "timeZoneRescheduledCalls": 13, "validAttempts": 390,
             "rightPartyContactsCount": 80, "filteredOutContactsCount": 17, "linesUtilization": {"assignedOutboundLines": 8, "totalAvailableOutboundLines": 20},
             "businessCategoryMetrics": {"successCount": 30, "neutralCount": 20, "failureCount": 50}}},
  {"id": "c-2", "name": "Summer", "campaignStatus": "on", "progress": {"percentage": 100}},
  {"id": "c-3", "name": "Autumn", "campaignStatus": "off"},
  {"id": "c/ä", "name": "Winter", "campaignStatus": "off", "stats": {"idleAgents": 9}}]');
\x
SELECT attempts, connects, connect_ratio, valid_attempts, right_party_contacts, filtered_out_contacts, outstanding_calls, scheduled_calls,
       time_zone_rescheduled_calls, idle_agents, effective_idle_agents, adjusted_calls_per_agent, assigned_lines, available_lines, successes, neutrals, failures
FROM gc.campaigns WHERE id = 'c-1';
\x
-- What the platform does not tell is NULL.
SELECT id, idle_agents, attempts, assigned_lines, successes FROM gc.campaigns WHERE name IN ('Summer', 'Winter') ORDER BY id;

--
-- What it costs
--
-- Nothing, unless a column of it is used
CALL sim.forget();
SELECT count(name) FROM gc.campaigns;
SELECT * FROM sim.asked();
-- A call for each, of those that the platform sends, and that the query's other conditions leave
CALL sim.forget();
SELECT id, idle_agents FROM gc.campaigns ORDER BY id;
SELECT * FROM sim.asked();
CALL sim.forget();
SELECT id, idle_agents FROM gc.campaigns WHERE campaign_status = 'on' AND idle_agents > 0;
SELECT * FROM sim.asked();
CALL sim.forget();
SELECT id, idle_agents FROM gc.campaigns WHERE id = 'c-2';
SELECT * FROM sim.asked();
-- The progress is asked for with it, of the same campaigns, and all at once.
CALL sim.forget();
SELECT id, progress_percent, idle_agents FROM gc.campaigns WHERE campaign_status = 'on' ORDER BY id;
SELECT * FROM sim.asked();
SELECT rows FROM sim.requests() WHERE path LIKE '%/progress';
-- None for no campaign
CALL sim.forget();
SELECT id, progress_percent, idle_agents FROM gc.campaigns WHERE campaign_status = 'complete';
SELECT * FROM sim.asked();
EXPLAIN (COSTS OFF) SELECT id FROM gc.campaigns WHERE idle_agents > 0 AND progress_percent < 100;
SELECT * FROM sim.analyzed($$ SELECT id FROM gc.campaigns WHERE campaign_status = 'off' AND idle_agents > 5 $$);
-- U7: a LIMIT costs what it reads.
CALL sim.forget();
SELECT count(idle_agents) FROM (SELECT * FROM gc.campaigns LIMIT 1) s;
SELECT * FROM sim.asked();
-- What would take too many requests is refused after the page, where that is known: a page, its progress, and four.
SET gc_fdw.max_requests = 5;
CALL sim.try('SELECT idle_agents, progress_percent FROM gc.campaigns');
SELECT count(idle_agents) AS on FROM gc.campaigns WHERE campaign_status = 'on';
SET gc_fdw.max_requests = 6;
SELECT count(*) FROM (SELECT idle_agents, progress_percent FROM gc.campaigns OFFSET 0) s;
RESET gc_fdw.max_requests;
-- Conditions that the query gets from elsewhere count, too, and those that come anew for each row.
CALL sim.forget();
PREPARE these AS SELECT id, idle_agents FROM gc.campaigns WHERE campaign_status = $1 ORDER BY id;
SET plan_cache_mode = force_generic_plan;
EXECUTE these('off');
RESET plan_cache_mode;
SELECT v, (SELECT sum(idle_agents) FROM gc.campaigns WHERE campaign_status = v AND length(name) < 100) FROM (VALUES ('on'), ('off')) v(v);
SELECT * FROM sim.asked();
-- A row's policy is a barrier: what leaks is not checked before it.
CREATE FUNCTION sim.leak(name text) RETURNS boolean LANGUAGE plpgsql STABLE COST 0.0001 AS $$ BEGIN RAISE INFO 'sees %', name; RETURN true; END $$;
CREATE FOREIGN TABLE gc.some (id text, name text, idle_agents int) SERVER genesys OPTIONS (object 'campaigns');
CREATE TABLE gc.shown (id text, name text, idle_agents int) PARTITION BY LIST (name);
ALTER TABLE gc.shown ATTACH PARTITION gc.some DEFAULT;
ALTER TABLE gc.shown ENABLE ROW LEVEL SECURITY;
CREATE POLICY idle ON gc.shown USING (idle_agents = 9);
CREATE ROLE gc_fdw_looker;
CREATE USER MAPPING FOR gc_fdw_looker SERVER genesys OPTIONS (client_id 'id', client_secret 'secret');
GRANT USAGE ON SCHEMA gc, sim TO gc_fdw_looker;
GRANT SELECT ON gc.shown TO gc_fdw_looker;
SET ROLE gc_fdw_looker;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, name FROM gc.shown WHERE sim.leak(name);
SELECT id, name FROM gc.shown WHERE sim.leak(name);
RESET ROLE;
DROP OWNED BY gc_fdw_looker;
DROP ROLE gc_fdw_looker;
DROP TABLE gc.shown;

--
-- Many: pages, and calls ahead
--
SELECT sim.make('campaigns', (SELECT jsonb_agg(jsonb_build_object('id', 'p-' || g, 'name', 'page ' || g, 'dialingMode', CASE g % 3 WHEN 0 THEN 'agentless' ELSE 'power' END,
  'progress', jsonb_build_object('percentage', g % 100), 'stats', jsonb_build_object('idleAgents', g))) FROM generate_series(1, 202) g));
CALL sim.forget();
SELECT count(*), count(DISTINCT id), bool_and(idle_agents = substr(id, 3)::int AND progress_percent = idle_agents % 100)
FROM gc.campaigns WHERE id LIKE 'p-%' AND dialing_mode = 'agentless';
SELECT regexp_replace(path, 'p-\d+', '…') AS path, count(*) FROM sim.requests() WHERE path LIKE '/api/%' GROUP BY 1 ORDER BY min(seq);
SELECT count(DISTINCT id), sum(rows) FROM (SELECT substring(path FROM 'p-\d+') AS id, rows FROM sim.requests()) s;

--
-- What goes wrong
--
-- One that is gone meanwhile is told without.
CALL sim.faults('[{"method": "GET", "path": "/campaigns/c-1/stats", "status": 404, "times": 1}]');
SELECT id, idle_agents FROM gc.campaigns WHERE id IN ('c-1', 'c-2') ORDER BY id;
-- Who may not see it is told what is missing.
CALL sim.faults('[{"method": "GET", "path": "*/stats", "status": 403, "body_json": {"status": 403, "code": "missing.permissions", "message": "outbound:campaign:view"}}]');
CALL sim.try('SELECT idle_agents FROM gc.campaigns');
SELECT count(progress_percent) > 0 AS progress FROM gc.campaigns;
CALL sim.faults('[{"method": "GET", "path": "*/stats", "body": "[]"}]');
CALL sim.try('SELECT idle_agents FROM gc.campaigns');
CALL sim.faults('[{"method": "GET", "path": "*/stats", "body_json": {"idleAgents": "many"}}]');
CALL sim.try('SELECT idle_agents FROM gc.campaigns');
-- It is cancelled as anything is.
CALL sim.faults('[{"method": "GET", "path": "*/stats", "delay_before_ms": 60000, "times": 100}]');
SET statement_timeout = '300ms';
SELECT idle_agents FROM gc.campaigns;
RESET statement_timeout;
CALL sim.faults('[]');

--
-- Beside a change
--
CALL sim.forget();
UPDATE gc.campaigns SET campaign_status = 'off' WHERE name = 'Spring' RETURNING campaign_status, idle_agents;
SELECT * FROM sim.asked();
CALL sim.try($$ UPDATE gc.campaigns SET idle_agents = 1 $$);
