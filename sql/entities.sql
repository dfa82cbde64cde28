\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Any collection by table options: wrap-up codes, contact list filters, management units, staffing
-- groups, groups and schedules
--
SET DateStyle = 'ISO, YMD';
CALL sim.set('{"record_bodies": "on"}');
CREATE FUNCTION sim.writes(OUT call text, OUT body text, OUT status int) RETURNS SETOF record LANGUAGE sql AS $$
  SELECT sim.plain(method || ' ' || regexp_replace(path, '^/api/v2', '')), r.body, r.status
  FROM sim.requests() r WHERE r.method <> 'GET' AND r.path LIKE '/api/%' ORDER BY seq
$$;
CREATE FUNCTION sim.asked(OUT request text, OUT n bigint) RETURNS SETOF record LANGUAGE sql AS $$
  SELECT sim.plain(method || ' ' || regexp_replace(path, '^/api/v2', '') || coalesce('?' || query, '')) || ' ' || status, count(*)
  FROM sim.requests() WHERE path LIKE '/api/%' GROUP BY 1 ORDER BY 1
$$;

--
-- Wrap-up codes: paged, without versions, changed by PUT
--
CREATE FOREIGN TABLE gc.codes (id text, name text NOT NULL, division text OPTIONS (field 'division/id'), description text)
  SERVER genesys OPTIONS (object 'entities', path '/api/v2/routing/wrapupcodes', natural_key 'name');
SELECT * FROM gc.codes;
INSERT INTO gc.codes (name, division) VALUES ('Sale', 'd-1'), ('No interest', NULL) RETURNING id IS NOT NULL AS id, name, division, description;
-- Once more: what is the same is not written, what differs is changed.
CALL sim.forget();
INSERT INTO gc.codes (name, division, description) VALUES ('Sale', 'd-1', NULL), ('No interest', NULL, 'for now'), ('Callback', NULL, NULL)
  RETURNING name, division, description;
SELECT call, sim.plain(body) AS body FROM sim.writes();
SELECT name, division, description FROM gc.codes ORDER BY name;
-- on_duplicate: changed (above), left alone, refused.  ON CONFLICT DO NOTHING leaves alone.
INSERT INTO gc.codes (name, description) VALUES ('Sale', 'x') ON CONFLICT DO NOTHING RETURNING name;
ALTER FOREIGN TABLE gc.codes OPTIONS (ADD on_duplicate 'ignore');
INSERT INTO gc.codes (name, description) VALUES ('Sale', 'x'), ('New', 'y') RETURNING name;
ALTER FOREIGN TABLE gc.codes OPTIONS (SET on_duplicate 'error');
CALL sim.try($$INSERT INTO gc.codes (name, description) VALUES ('Sale', 'x')$$);
ALTER FOREIGN TABLE gc.codes OPTIONS (DROP on_duplicate);
SELECT name, description FROM gc.codes WHERE name IN ('Sale', 'New') ORDER BY name;
-- UPDATE changes what it names; all else is written as it was read a moment before.
CALL sim.forget();
UPDATE gc.codes SET description = 'sold' WHERE name = 'Sale' RETURNING name, division, description;
SELECT call, sim.plain(body) AS body FROM sim.writes();
DELETE FROM gc.codes WHERE name = 'New' RETURNING name, description;
-- A lost answer: it is looked for, and there once.
CALL sim.faults('[{"method": "POST", "path": "/wrapupcodes", "nth": 1, "drop": "after"}]');
INSERT INTO gc.codes (name) VALUES ('Lost') RETURNING name;
CALL sim.faults('[]');
SELECT count(*) FROM gc.codes WHERE name = 'Lost';
-- Pages
INSERT INTO gc.codes (name) SELECT 'code ' || n FROM generate_series(1, 150) n;
CALL sim.forget();
SELECT count(*) FROM gc.codes WHERE name LIKE 'code %';
SELECT * FROM sim.asked();
-- A statement reads the listing once, whatever it makes or finds, and knows what it has made itself.
CALL sim.forget();
INSERT INTO gc.codes (name) SELECT 'code ' || n FROM generate_series(101, 600) n;
SELECT * FROM sim.asked();
CALL sim.forget();
INSERT INTO gc.codes (name, description) SELECT 'code ' || (n % 602), CASE WHEN n % 602 = 601 THEN 'once' END FROM generate_series(1, 1203) n;
SELECT * FROM sim.asked();
-- Somebody else makes one in between, the same or another one: it is looked for again.
CREATE FOREIGN TABLE gc.codes2 (id text, name text, description text) SERVER genesys
  OPTIONS (object 'entities', path '/api/v2/routing/wrapupcodes', natural_key 'name', on_duplicate 'error');
CREATE FUNCTION gc.precede() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO gc.codes (name, description) VALUES (NEW.name, 'theirs');
  RETURN NEW;
END $$;
CREATE TRIGGER precede BEFORE INSERT ON gc.codes2 FOR EACH ROW WHEN (NEW.name LIKE '%between%') EXECUTE FUNCTION gc.precede();
INSERT INTO gc.codes2 (name, description) VALUES ('code 700', 'ours'), ('code between', 'theirs'), ('code between', 'theirs'), ('code 701', 'ours')
  RETURNING name, description;
CALL sim.try($$INSERT INTO gc.codes2 (name, description) VALUES ('code 702', 'ours'), ('code between 2', 'ours')$$);
ALTER FOREIGN TABLE gc.codes2 OPTIONS (SET on_duplicate 'update');
INSERT INTO gc.codes2 (name, description) VALUES ('code 702', 'ours'), ('code between 3', 'ours') RETURNING name, description;
DROP FOREIGN TABLE gc.codes2;
DELETE FROM gc.codes WHERE name LIKE 'code %';
SELECT count(*) FROM gc.codes;
-- What is not the statement's to give
CALL sim.try($$INSERT INTO gc.codes (id, name) VALUES ('mine', 'x')$$);
CALL sim.try($$UPDATE gc.codes SET id = 'mine'$$);
CALL sim.try($$INSERT INTO gc.codes (description) VALUES ('nameless')$$);
EXPLAIN (COSTS OFF) UPDATE gc.codes SET description = NULL WHERE name = 'Sale';
BEGIN;
UPDATE gc.codes SET description = 'rolled back' WHERE name = 'Sale';
ROLLBACK;
UPDATE gc.codes SET description = 'sold' WHERE name = 'Sale';
SELECT operation, list_id, status, total, accepted FROM gc_fdw.audit_log WHERE status = 'completed' ORDER BY id DESC LIMIT 1;

--
-- Contact list filters: paged, "version" in the object, JSON columns
--
CALL sim.list('leads', '{crm_id,state,phone}');
CREATE FOREIGN TABLE gc.filters (id text, name text, list text OPTIONS (field 'contactList/id'), filter_type text OPTIONS (field 'filterType'),
  clauses jsonb, version int)
  SERVER genesys OPTIONS (object 'entities', path '/api/v2/outbound/contactlistfilters', natural_key 'name', version_field 'version');
INSERT INTO gc.filters (name, list, filter_type, clauses) VALUES ('New York', 'leads', 'AND',
  '[{"filterType": "AND", "predicates": [{"column": "state", "columnType": "alphabetic", "operator": "EQUALS", "value": "NY"}]}]') RETURNING name, list, clauses, version;
INSERT INTO gc.filters (name, list, filter_type, clauses) VALUES ('New York', 'leads', 'AND',
  '[{"filterType": "AND", "predicates": [{"column": "state", "columnType": "alphabetic", "operator": "EQUALS", "value": "NY"}]}]') RETURNING version;
UPDATE gc.filters SET name = 'NY' RETURNING name, version;
-- K4
CALL sim.faults('[{"method": "PUT", "path": "/contactlistfilters/", "conflict": "K4", "times": 2}]');
UPDATE gc.filters SET name = 'New York' RETURNING name, version;
CALL sim.faults('[{"method": "PUT", "path": "/contactlistfilters/", "conflict": "K4", "times": 3}]');
CALL sim.try($$UPDATE gc.filters SET name = 'NY'$$);
CALL sim.faults('[]');
CALL sim.try($$UPDATE gc.filters SET version = 7$$);
DELETE FROM gc.filters RETURNING name;

--
-- Management units: not paged, the version in settings/metadata, changed by PATCH, details only where asked for
--
CREATE FOREIGN TABLE gc.units (id text, name text, time_zone text OPTIONS (field 'timeZone'), size int, note text, tags text[], active boolean,
  week_start text OPTIONS (field 'settings/shortTermForecasting/startDayOfWeek'), version int OPTIONS (field 'settings/metadata/version'))
  SERVER genesys OPTIONS (object 'entities', path '/api/v2/workforcemanagement/managementunits?expand=settings.metadata', paged 'off', natural_key 'name',
                          version_field 'settings/metadata/version', update_method 'patch');
CALL sim.forget();
INSERT INTO gc.units (name, time_zone, size, tags, active, week_start) VALUES ('North', 'Europe/Oslo', 3, '{a,"b c"}', true, 'Monday'), ('South', NULL, 4, NULL, false, NULL)
  RETURNING name, time_zone, size, tags, active, week_start, version;
SELECT * FROM sim.asked();
-- A PATCH has what changes, and the version; it needs no reading, since the listing has told it.
CALL sim.forget();
UPDATE gc.units SET size = size + 1, week_start = 'Sunday' WHERE name = 'North' RETURNING name, time_zone, size, tags, active, week_start, version;
SELECT * FROM sim.writes();
SELECT * FROM sim.asked();
-- NULL is null there, and not left out; a platform that keeps the value is found out.
UPDATE gc.units SET tags = NULL WHERE name = 'North' RETURNING name, tags;
CALL sim.faults('[{"method": "PATCH", "path": "/managementunits/", "status": 200, "body_json": {"id": "x", "name": "North", "size": 4}}]');
CALL sim.try($$UPDATE gc.units SET size = NULL WHERE name = 'North'$$);
CALL sim.faults('[]');
-- Without details the listing has no version: then it is read first.
ALTER FOREIGN TABLE gc.units OPTIONS (SET path '/api/v2/workforcemanagement/managementunits');
SELECT name, size, version FROM gc.units ORDER BY name;
CALL sim.forget();
UPDATE gc.units SET size = 5 WHERE name = 'South' RETURNING name, size, version;
SELECT * FROM sim.asked();
ALTER FOREIGN TABLE gc.units OPTIONS (SET path '/api/v2/workforcemanagement/managementunits?expand=settings.metadata');

-- I3: two at a time.  Somebody else, here a trigger that writes by another table, changes the unit between the reading and
-- the writing: another member, and both changes stay.
CREATE FOREIGN TABLE gc.others (id text, name text, size int, note text, version int OPTIONS (field 'settings/metadata/version'))
  SERVER genesys OPTIONS (object 'entities', path '/api/v2/workforcemanagement/managementunits?expand=settings.metadata', paged 'off',
                          version_field 'settings/metadata/version', update_method 'patch');
CREATE FUNCTION gc.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('UPDATE gc.others SET %s WHERE id = %L', TG_ARGV[0], OLD.id);
  RETURN NEW;
END $$;
CREATE TRIGGER meddle BEFORE UPDATE ON gc.units FOR EACH ROW EXECUTE FUNCTION gc.meddle('note = ''theirs''');
CALL sim.forget();
UPDATE gc.units SET size = 10 WHERE name = 'North' RETURNING name, size, note, version;
SELECT call, status FROM sim.writes();
DROP TRIGGER meddle ON gc.units;
-- The same member: theirs stays, and the statement says so.
CREATE TRIGGER meddle BEFORE UPDATE ON gc.units FOR EACH ROW EXECUTE FUNCTION gc.meddle('size = 77');
CALL sim.try($$UPDATE gc.units SET size = 11 WHERE name = 'North'$$);
-- … unless it is what we want, too.
UPDATE gc.units SET size = 77 WHERE name = 'North' RETURNING size;
DROP TRIGGER meddle ON gc.units;
SELECT name, size, note FROM gc.units ORDER BY name;

-- A migration: 500 units in batches of 50, while somebody else edits every tenth between our reading and our writing.
DELETE FROM gc.units;
SELECT count(sim.control('POST', 'entities', jsonb_build_object('path', '/api/v2/workforcemanagement/managementunits', 'id', 'u-' || n,
  'name', 'unit ' || n, 'size', n, 'timeZone', 'UTC', 'note', 'old')::text)) FROM generate_series(1, 500) n;
CREATE TRIGGER meddle BEFORE UPDATE ON gc.units FOR EACH ROW WHEN (OLD.size % 10 = 0) EXECUTE FUNCTION gc.meddle('note = ''theirs ''|| size');
CREATE PROCEDURE gc.migrate() LANGUAGE plpgsql AS $$
BEGIN
  FOR batch IN 0..9 LOOP
    UPDATE gc.units SET time_zone = 'Europe/Berlin' WHERE size > batch * 50 AND size <= (batch + 1) * 50;
    COMMIT;
  END LOOP;
END $$;
CALL sim.forget();
CALL gc.migrate();
DROP TRIGGER meddle ON gc.units;
SELECT status, count(*) FROM sim.writes() GROUP BY 1 ORDER BY 1;
SELECT count(*), count(*) FILTER (WHERE time_zone = 'Europe/Berlin') AS ours, count(*) FILTER (WHERE note = 'theirs ' || size) AS theirs,
  count(*) FILTER (WHERE note = 'old') AS untouched, min(version), max(version)
FROM gc.units;

--
-- Staffing groups: below a business unit
--
CREATE FOREIGN TABLE gc.staffing (id text, name text, unit text OPTIONS (field 'managementUnit/id'), version int OPTIONS (field 'metadata/version'))
  SERVER genesys OPTIONS (object 'entities', path '/api/v2/workforcemanagement/businessunits/bu-1/staffinggroups', paged 'off', natural_key 'name',
                          version_field 'metadata/version', update_method 'patch');
CALL sim.forget();
INSERT INTO gc.staffing (name, unit) VALUES ('Night', 'u-1'), ('Day', 'u-1') RETURNING name, unit, version;
INSERT INTO gc.staffing (name, unit) VALUES ('Night', 'u-2'), ('Day', 'u-1') RETURNING name, unit, version;
UPDATE gc.staffing SET name = 'Late' WHERE name = 'Night' RETURNING name, unit, version;
SELECT call, body, status FROM sim.writes();
DELETE FROM gc.staffing WHERE name = 'Day';
SELECT name, unit, version FROM gc.staffing;

--
-- L: groups and schedules of gateways; one of them alone cannot be read there, so the listing is
--
CREATE FOREIGN TABLE gc.groups (id text, name text, lead text, version int)
  SERVER genesys OPTIONS (object 'entities', path '/api/v2/wfm/users/groups', paged 'off', version_field 'version');
SELECT count(sim.control('POST', 'entities', jsonb_build_object('path', '/api/v2/wfm/users/groups', 'id', 'g-' || n, 'name', 'group ' || n)::text)) FROM generate_series(1, 20) n;
CALL sim.forget();
UPDATE gc.groups SET lead = 'Ann' RETURNING version;
SELECT request ~ '^PUT' AS put, sum(n) FROM sim.asked() GROUP BY 1;
CREATE FOREIGN TABLE gc.groups2 (id text, name text, version int)
  SERVER genesys OPTIONS (object 'entities', path '/api/v2/wfm/users/groups', paged 'off', version_field 'version');
CREATE FUNCTION gc.rename() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE gc.groups2 SET name = name || ' (theirs)' WHERE id = OLD.id;
  RETURN NEW;
END $$;
CREATE TRIGGER meddle BEFORE UPDATE ON gc.groups FOR EACH ROW WHEN (OLD.id IN ('g-10', 'g-20')) EXECUTE FUNCTION gc.rename();
UPDATE gc.groups SET lead = 'Bob';
SELECT count(*), count(*) FILTER (WHERE lead = 'Bob') AS ours, count(*) FILTER (WHERE name LIKE '%(theirs)') AS theirs FROM gc.groups;
DROP TRIGGER meddle ON gc.groups;
-- What the API has no call for (405) is not supported, and the hint says which.
CALL sim.try($$INSERT INTO gc.groups (name) VALUES ('new')$$);
CALL sim.try($$DELETE FROM gc.groups WHERE id = 'g-1'$$);
ALTER FOREIGN TABLE gc.groups OPTIONS (ADD update_method 'patch');
CALL sim.try($$UPDATE gc.groups SET lead = 'Cid' WHERE id = 'g-1'$$);
ALTER FOREIGN TABLE gc.groups OPTIONS (DROP update_method);
CREATE FOREIGN TABLE gc.schedules (id text, name text, week date, version int)
  SERVER genesys OPTIONS (object 'entities', path '/api/v2/wfm/schedules', paged 'off', natural_key 'name', version_field 'version');
INSERT INTO gc.schedules (name, week) VALUES ('Spring', '2027-03-01') RETURNING name, week, version;
INSERT INTO gc.schedules (name, week) VALUES ('Spring', '2027-03-08') RETURNING name, week, version;

--
-- Values that JSON has not, and JSON that is a string
--
CREATE FOREIGN TABLE gc.values (name text, n numeric OPTIONS (field 'value'), f float8 OPTIONS (field 'ratio'), j jsonb OPTIONS (field 'more'))
  SERVER genesys OPTIONS (object 'entities', path '/api/v2/routing/wrapupcodes', natural_key 'name');
CALL sim.forget();
CALL sim.try($$INSERT INTO gc.values (name, n) VALUES ('NaN', 'NaN')$$);
CALL sim.try($$INSERT INTO gc.values (name, f) VALUES ('infinite', '-Infinity')$$);
SELECT * FROM sim.asked();
INSERT INTO gc.values (name, n, f, j) VALUES ('values', 0.5, 1e-7, '"a \"word\""') RETURNING *;
UPDATE gc.values SET j = '{"a": "b"}' WHERE j = '"a \"word\""' RETURNING j;

--
-- A lost answer is in doubt no longer when it is known what became of it
--
CALL sim.faults('[{"method": "DELETE", "path": "/wrapupcodes", "nth": 1, "drop": "after"}]');
DELETE FROM gc.values WHERE name = 'values';
CALL sim.faults('[]');
SELECT operation, total, accepted, in_doubt FROM gc_fdw.audit_log ORDER BY id DESC LIMIT 1;

--
-- Another member for the entities, another for the id
--
CALL sim.faults('[{"path": "/odd", "status": 200, "body_json": {"things": [{"key": {"k": "x-1"}, "label": "one"}, {"key": {"k": "x-2"}}]}}]');
CREATE FOREIGN TABLE gc.odd (k text OPTIONS (field 'key/k'), label text) SERVER genesys
  OPTIONS (object 'entities', path '/api/v2/odd/', items 'things', id_field 'key/k', paged 'off');
SELECT * FROM gc.odd ORDER BY k;
CALL sim.forget();
CALL sim.try($$DELETE FROM gc.odd WHERE k = 'x-2'$$);
SELECT call FROM sim.writes();
CALL sim.faults('[]');

--
-- What is refused
--
CREATE FOREIGN TABLE gc.bad (id text) SERVER genesys OPTIONS (object 'entities');
\echo :SQLSTATE
CREATE FOREIGN TABLE gc.bad (id text) SERVER genesys OPTIONS (object 'entities', path 'https://elsewhere.example/api/v2/x');
CREATE FOREIGN TABLE gc.bad (id text) SERVER genesys OPTIONS (object 'entities', path '/api/v2/../../x');
CREATE FOREIGN TABLE gc.bad (id text) SERVER genesys OPTIONS (object 'entities', path '/api/v2/a b');
CREATE FOREIGN TABLE gc.bad (id text) SERVER genesys OPTIONS (object 'entities', path '/api/v2/x', update_method 'post');
CREATE FOREIGN TABLE gc.bad (id text) SERVER genesys OPTIONS (object 'entities', path '/api/v2/x', list_id 'leads');
CREATE FOREIGN TABLE gc.bad (id text) SERVER genesys OPTIONS (object 'entities', path '/api/v2/x', key 'id');
CREATE FOREIGN TABLE gc.bad (id text) SERVER genesys OPTIONS (object 'campaigns', natural_key 'name');
CREATE FOREIGN TABLE gc.bad (id text OPTIONS (attribute 'id')) SERVER genesys OPTIONS (object 'entities', path '/api/v2/x');
SELECT * FROM gc.bad;
DROP FOREIGN TABLE gc.bad;
CREATE FOREIGN TABLE gc.bad (a text OPTIONS (field 'x/y'), b text OPTIONS (field 'x/y')) SERVER genesys OPTIONS (object 'entities', path '/api/v2/x');
SELECT * FROM gc.bad;
CREATE FOREIGN TABLE gc.bad2 (a text OPTIONS (field 'x//y')) SERVER genesys OPTIONS (object 'entities', path '/api/v2/x');
SELECT * FROM gc.bad2;
-- A natural key that is misspelt would make everything twice.
CREATE FOREIGN TABLE gc.bad3 (id text, title text OPTIONS (field 'name')) SERVER genesys OPTIONS (object 'entities', path '/api/v2/routing/wrapupcodes', natural_key 'nme');
INSERT INTO gc.bad3 (title) VALUES ('twice');
-- NOT NULL is the table's word, but of what the platform sets.
CREATE FOREIGN TABLE gc.strict_codes (id text NOT NULL, name text NOT NULL, description text NOT NULL)
  SERVER genesys OPTIONS (object 'entities', path '/api/v2/routing/wrapupcodes', natural_key 'name');
CALL sim.forget();
CALL sim.try($$INSERT INTO gc.strict_codes (name) VALUES ('no description')$$);
CALL sim.try($$INSERT INTO gc.strict_codes (name, description) VALUES (NULL, 'no name')$$);
SELECT * FROM sim.writes();
INSERT INTO gc.strict_codes (name, description) VALUES ('strict', 'described');
CALL sim.try($$UPDATE gc.strict_codes SET description = NULL WHERE name = 'strict'$$);
DELETE FROM gc.strict_codes WHERE name = 'strict';
CREATE FOREIGN TABLE gc.none (id text) SERVER genesys OPTIONS (object 'entities', path '/api/v2/routing/nothing');
CALL sim.try($$SELECT * FROM gc.none$$);
CALL sim.try($$INSERT INTO gc.none DEFAULT VALUES$$);
CREATE FOREIGN TABLE gc.none_named (name text) SERVER genesys OPTIONS (object 'entities', path '/api/v2/routing/nothing', natural_key 'name');
CALL sim.try($$INSERT INTO gc.none_named VALUES ('a')$$);
CREATE FOREIGN TABLE gc.unlisted (id text) SERVER genesys OPTIONS (object 'entities', path '/api/v2/routing/wrapupcodes', items 'codes');
CALL sim.try($$SELECT * FROM gc.unlisted$$);
CREATE FOREIGN TABLE gc.unlisted_named (name text) SERVER genesys OPTIONS (object 'entities', path '/api/v2/routing/wrapupcodes', items 'codes', natural_key 'name');
CALL sim.try($$INSERT INTO gc.unlisted_named VALUES ('a')$$);
TRUNCATE gc.codes;
-- IMPORT makes none of them.
IMPORT FOREIGN SCHEMA outbound LIMIT TO (entities) FROM SERVER genesys INTO gc;
