/* gc_fdw--1.0.sql */

-- complain if the script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION gc_fdw" to load this file. \quit

COMMENT ON SCHEMA @extschema@ IS 'Genesys Cloud outbound dialling: functions and state of gc_fdw';

-- What is in it is for everyone; a function that spends quota or shows what
-- others did would be revoked from PUBLIC by itself.
GRANT USAGE ON SCHEMA @extschema@ TO PUBLIC;

CREATE FUNCTION gc_fdw_handler() RETURNS fdw_handler
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'gc_fdw_handler';
COMMENT ON FUNCTION gc_fdw_handler() IS 'callbacks of the foreign data wrapper gc_fdw';

CREATE FUNCTION gc_fdw_validator(text[], oid) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'gc_fdw_validator';
COMMENT ON FUNCTION gc_fdw_validator(text[], oid) IS 'checks the options of servers, user mappings, tables and columns';

CREATE FOREIGN DATA WRAPPER gc_fdw
  HANDLER gc_fdw_handler VALIDATOR gc_fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER gc_fdw IS 'Genesys Cloud outbound contact lists as tables';

CREATE FUNCTION disconnect(server name DEFAULT NULL) RETURNS integer
LANGUAGE C AS 'MODULE_PATHNAME', 'gc_fdw_disconnect';
COMMENT ON FUNCTION disconnect(name) IS
  'closes this session''s connections to a server (all servers if NULL), forgets their tokens and quotas, and returns how many there were';

-- ---- many lists ----

CREATE FUNCTION create_list_parent(schema name, name name, lists regclass[] DEFAULT NULL) RETURNS regclass
LANGUAGE C VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'gc_fdw_create_list_parent';
COMMENT ON FUNCTION create_list_parent(name, name, regclass[]) IS
  'makes one table, partitioned by list_name, over the foreign tables of many lists (all of the schema if NULL), with the columns that they have in common';

-- ---- before a load ----

-- Not STRICT: no row would mean that nothing is wrong.
CREATE FUNCTION schema_diff(list regclass, query text, OUT column_name text, OUT problem text, OUT detail text)
RETURNS SETOF record LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_schema_diff';
COMMENT ON FUNCTION schema_diff(regclass, text) IS
  'what would fail if the query''s rows were inserted: columns that differ, repeated keys, values that are not valid';
REVOKE EXECUTE ON FUNCTION schema_diff(regclass, text) FROM PUBLIC;

-- ---- what is done over the network ----
--
-- Operands are cast to the very types of the operators in pg_catalog: the schema
-- may have been somebody else's, and an operator in it that fits better would run
-- as whoever looks.
--
-- The functions show a caller the rows of the roles that he is a member of, and
-- all rows to members of pg_read_all_stats; so do the views.  Their columns are
-- those of types, so that \df is not as wide as all of them together.

CREATE TYPE stat_servers_row AS (
  server_oid oid, requests bigint, retries bigint, throttled bigint, errors bigint,
  rows_sent bigint, rows_received bigint, bytes_sent bigint, bytes_received bigint,
  quota_wait interval, network_time interval, tokens bigint, since timestamptz);
COMMENT ON TYPE stat_servers_row IS 'what the view stat_servers is made of';
CREATE FUNCTION stat_get_servers() RETURNS SETOF stat_servers_row
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'gc_fdw_stat_servers';
COMMENT ON FUNCTION stat_get_servers() IS 'requests by server and role; see the view stat_servers';

CREATE TYPE stat_requests_row AS (
  server_oid oid, method text, endpoint text, status_class text, count bigint,
  total_time interval, buckets bigint[]);
COMMENT ON TYPE stat_requests_row IS 'what the view stat_requests is made of';
CREATE FUNCTION stat_get_endpoints() RETURNS SETOF stat_requests_row
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'gc_fdw_stat_endpoints';
COMMENT ON FUNCTION stat_get_endpoints() IS 'requests by server, role, endpoint and status; see the view stat_requests';

CREATE TYPE requests_row AS (
  at timestamptz, pid integer, server_oid oid, method text, path text, status integer,
  ms double precision, attempt integer, request_id text, correlation_id text);
COMMENT ON TYPE requests_row IS 'what the view requests is made of';
CREATE FUNCTION stat_get_recent() RETURNS SETOF requests_row
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'gc_fdw_stat_recent';
COMMENT ON FUNCTION stat_get_recent() IS 'the latest requests; see the view requests';

CREATE TYPE progress_row AS (
  pid integer, role_oid oid, server_oid oid, list text, operation text, rows_done bigint,
  rows_total bigint, requests bigint, quota_wait interval, elapsed interval);
COMMENT ON TYPE progress_row IS 'what the view progress is made of';
CREATE FUNCTION stat_get_progress() RETURNS SETOF progress_row
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'gc_fdw_stat_progress';
COMMENT ON FUNCTION stat_get_progress() IS 'statements at work; see the view progress';

CREATE TYPE rate_limits_row AS (
  server_oid oid, client text, bucket text, allowed integer, used integer,
  reset_at timestamptz, closed_until timestamptz, waiters integer, longest_wait interval);
COMMENT ON TYPE rate_limits_row IS 'what the view rate_limits is made of';
CREATE FUNCTION stat_get_limits() RETURNS SETOF rate_limits_row
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'gc_fdw_stat_limits';
COMMENT ON FUNCTION stat_get_limits() IS 'quotas; see the view rate_limits';

CREATE FUNCTION stat_reset() RETURNS void
LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'gc_fdw_stat_reset';
COMMENT ON FUNCTION stat_reset() IS 'forgets the statistics of all servers of this database';
REVOKE EXECUTE ON FUNCTION stat_reset() FROM PUBLIC;

CREATE VIEW stat_servers AS
SELECT s.srvname AS server, sum(g.requests)::bigint AS requests, sum(g.retries)::bigint AS retries,
       sum(g.throttled)::bigint AS throttled, sum(g.errors)::bigint AS errors, sum(g.rows_sent)::bigint AS rows_sent,
       sum(g.rows_received)::bigint AS rows_received, sum(g.bytes_sent)::bigint AS bytes_sent,
       sum(g.bytes_received)::bigint AS bytes_received, sum(g.quota_wait) AS quota_wait,
       sum(g.network_time) AS network_time, sum(g.tokens)::bigint AS tokens, min(g.since) AS since
FROM @extschema@.stat_get_servers() g JOIN pg_catalog.pg_foreign_server s ON s.oid = g.server_oid
GROUP BY s.srvname;
COMMENT ON VIEW stat_servers IS 'what was sent to and received from each server, since the server started or stat_reset()';
COMMENT ON COLUMN stat_servers.requests IS 'HTTP requests, retries and token calls included';
COMMENT ON COLUMN stat_servers.retries IS 'of these, repeats of an earlier one';
COMMENT ON COLUMN stat_servers.throttled IS 'replies with status 429';
COMMENT ON COLUMN stat_servers.errors IS 'requests without an answer, or with status 400 and more, 429 aside';
COMMENT ON COLUMN stat_servers.rows_sent IS 'rows that the platform has accepted';
COMMENT ON COLUMN stat_servers.quota_wait IS 'time that statements slept with nothing under way, for the quota or a retry';
COMMENT ON COLUMN stat_servers.network_time IS 'time that requests took, all together';
COMMENT ON COLUMN stat_servers.tokens IS 'access tokens obtained';

CREATE VIEW stat_requests AS
SELECT s.srvname AS server, g.method, g.endpoint, g.status_class, sum(g.count)::bigint AS count,
       sum(g.total_time) AS "time",
       sum(g.buckets[1])::bigint AS le_10ms, sum(g.buckets[2])::bigint AS le_30ms,
       sum(g.buckets[3])::bigint AS le_100ms, sum(g.buckets[4])::bigint AS le_300ms,
       sum(g.buckets[5])::bigint AS le_1s, sum(g.buckets[6])::bigint AS le_3s,
       sum(g.buckets[7])::bigint AS le_10s, sum(g.buckets[8])::bigint AS longer
FROM @extschema@.stat_get_endpoints() g JOIN pg_catalog.pg_foreign_server s ON s.oid = g.server_oid
GROUP BY s.srvname, g.method, g.endpoint, g.status_class;
COMMENT ON VIEW stat_requests IS 'requests by endpoint and status, with a histogram of their times';
COMMENT ON COLUMN stat_requests.status_class IS '2xx, 4xx and so on; NULL: no answer';
COMMENT ON COLUMN stat_requests.le_10ms IS 'requests that took up to 10 ms; the next column, those beyond that up to 30 ms, and so on';

CREATE VIEW requests AS
SELECT g.at, g.pid, s.srvname AS server, g.method, g.path, g.status, g.ms, g.attempt, g.request_id, g.correlation_id
FROM @extschema@.stat_get_recent() g JOIN pg_catalog.pg_foreign_server s ON s.oid = g.server_oid;
COMMENT ON VIEW requests IS 'the latest requests, up to 1,000 of all databases together';
COMMENT ON COLUMN requests.status IS 'NULL: no answer';
COMMENT ON COLUMN requests.attempt IS '1, or more for a retry';
COMMENT ON COLUMN requests.request_id IS 'ours, the header X-Request-ID';
COMMENT ON COLUMN requests.correlation_id IS 'the platform''s, for its support';

CREATE VIEW progress AS
SELECT g.pid, pg_catalog.pg_get_userbyid(g.role_oid) AS role, s.srvname AS server, g.list, g.operation,
       g.rows_done, g.rows_total,
       round(100.0 * g.rows_done::numeric / NULLIF(g.rows_total, 0)::numeric, 1) AS percent,
       round(g.rows_done::numeric / NULLIF(extract(epoch FROM g.elapsed), 0::numeric), 1) AS rows_per_second,
       g.requests, g.quota_wait,
       g.elapsed * ((g.rows_total - g.rows_done)::float8 / NULLIF(g.rows_done, 0)::float8) AS eta
FROM @extschema@.stat_get_progress() g JOIN pg_catalog.pg_foreign_server s ON s.oid = g.server_oid;
COMMENT ON VIEW progress IS 'lists that statements are reading or writing now';
COMMENT ON COLUMN progress.role IS 'whose user mapping is used';
COMMENT ON COLUMN progress.rows_done IS 'rows read, or accepted by the platform';
COMMENT ON COLUMN progress.rows_total IS 'NULL: not known';
COMMENT ON COLUMN progress.eta IS 'time left, at the pace so far';

CREATE VIEW rate_limits AS
SELECT s.srvname AS server, g.client, g.bucket, g.allowed, g.used, g.reset_at, g.closed_until, g.waiters, g.longest_wait
FROM @extschema@.stat_get_limits() g JOIN pg_catalog.pg_foreign_server s ON s.oid = g.server_oid;
COMMENT ON VIEW rate_limits IS 'the quota of each client: what the platform allows, and who waits for it';
COMMENT ON COLUMN rate_limits.client IS 'the first 8 characters of the client id';
COMMENT ON COLUMN rate_limits.bucket IS 'all requests, or those to bulk endpoints';
COMMENT ON COLUMN rate_limits.allowed IS 'requests a minute that the client may make; quota_share takes its part of them';
COMMENT ON COLUMN rate_limits.used IS 'of the platform''s present window, as its last reply said; NULL: not known';
COMMENT ON COLUMN rate_limits.closed_until IS 'nobody sends before then, because the platform asked for it; NULL: open';

GRANT SELECT ON stat_servers, stat_requests, requests, progress, rate_limits TO PUBLIC;

-- ---- what statements did ----
--
-- Written by the library alone, as the owner of the tables.  Everyone may read, under
-- row-level security: a role sees what was done by the roles that it is a member of.
-- Roles may have been dropped since, so names are looked up among those that there are.

CREATE TABLE audit_log (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  by_role name NOT NULL,
  application_name text NOT NULL,
  operation text NOT NULL,
  list_id text,
  source_id bigint,
  status text NOT NULL,
  latency_ms double precision NOT NULL,
  total bigint NOT NULL,
  accepted bigint NOT NULL,
  in_doubt bigint NOT NULL,
  rejected bigint NOT NULL,
  success_rate numeric(5,2) NOT NULL,
  requests bigint NOT NULL,
  correlation_id text,
  statements bigint NOT NULL
);
CREATE INDEX audit_log_at ON audit_log (at);
COMMENT ON TABLE audit_log IS 'what statements wrote to the platform, a row for each statement and contact list (or kind of thing), whatever became of them';
COMMENT ON SEQUENCE audit_log_id_seq IS 'ids of audit_log';
COMMENT ON COLUMN audit_log.at IS 'when the statement ended';
COMMENT ON COLUMN audit_log.by_role IS 'the role that was current';
COMMENT ON COLUMN audit_log.operation IS 'INSERT, COPY, UPDATE, DELETE, TRUNCATE, IMPORT';
COMMENT ON COLUMN audit_log.list_id IS 'whose contacts, or the list itself; NULL: things of another kind, or several lists';
COMMENT ON COLUMN audit_log.source_id IS 'of an IMPORT: its id; NULL: the statement itself';
COMMENT ON COLUMN audit_log.status IS 'completed; failed; cancelled: an import; or rolled back: it had completed, but its transaction or savepoint did not';
COMMENT ON COLUMN audit_log.latency_ms IS 'from its start to the last answer';
COMMENT ON COLUMN audit_log.total IS 'rows that it gave: accepted, in doubt, rejected, or not sent; 0 of a TRUNCATE';
COMMENT ON COLUMN audit_log.accepted IS 'rows that the platform has accepted; a rollback does not take them back';
COMMENT ON COLUMN audit_log.in_doubt IS 'rows that were sent and never answered for';
COMMENT ON COLUMN audit_log.rejected IS 'rows that are in rejected_rows instead';
COMMENT ON COLUMN audit_log.success_rate IS 'accepted of total, in percent; 0 when total is 0, as of a TRUNCATE';
COMMENT ON COLUMN audit_log.requests IS 'HTTP requests of the writing, retries and token calls included, those of scans not';
COMMENT ON COLUMN audit_log.correlation_id IS 'the platform''s, of the last answer';
COMMENT ON COLUMN audit_log.statements IS 'how many alike are in this row: 1, but in transactions of more than a thousand';

CREATE TABLE rejected_rows (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  by_role name NOT NULL,
  list_id text NOT NULL,
  source text NOT NULL,
  source_id bigint,
  key text,
  row_data jsonb NOT NULL,
  code text NOT NULL,
  reason text NOT NULL,
  field text,
  correlation_id text
);
CREATE INDEX rejected_rows_at ON rejected_rows (at);
CREATE INDEX rejected_rows_source ON rejected_rows (source, source_id);
COMMENT ON TABLE rejected_rows IS 'rows that were not sent, or refused by the platform, while others went on (on_error ''reject'')';
COMMENT ON SEQUENCE rejected_rows_id_seq IS 'ids of rejected_rows';
COMMENT ON COLUMN rejected_rows.by_role IS 'the role that was current';
COMMENT ON COLUMN rejected_rows.source IS 'what gave the row: statement, import or sync';
COMMENT ON COLUMN rejected_rows.source_id IS 'of a statement: the id of its row in audit_log';
COMMENT ON COLUMN rejected_rows.key IS 'the contact''s id; NULL: the row has none';
COMMENT ON COLUMN rejected_rows.row_data IS 'the row, by the names of the foreign table''s columns: personal data';
COMMENT ON COLUMN rejected_rows.code IS 'what a program can go by, such as value.too.long; or the platform''s code';
COMMENT ON COLUMN rejected_rows.field IS 'the column; NULL: it is about the whole row';
COMMENT ON COLUMN rejected_rows.correlation_id IS 'the platform''s; NULL: the row was not sent';

CREATE TABLE contact_audit (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  by_role name NOT NULL,
  application_name text NOT NULL,
  list_id text NOT NULL,
  contact_id text NOT NULL,
  change text NOT NULL,
  old_value text,
  new_value text NOT NULL,
  confirmed_at timestamptz NOT NULL,
  correlation_id text
);
CREATE INDEX contact_audit_at ON contact_audit (at);
CREATE INDEX contact_audit_contact_id ON contact_audit (contact_id);
COMMENT ON TABLE contact_audit IS 'opt-outs and do-not-call entries that the platform has confirmed, contact by contact, whatever became of the transaction';
COMMENT ON SEQUENCE contact_audit_id_seq IS 'ids of contact_audit';
COMMENT ON COLUMN contact_audit.at IS 'when the row was written; see confirmed_at';
COMMENT ON COLUMN contact_audit.by_role IS 'the role that was current; of an import, who submitted it';
COMMENT ON COLUMN contact_audit.list_id IS 'of the contact list, or of the DNC list';
COMMENT ON COLUMN contact_audit.contact_id IS 'the contact''s id; of a DNC list, the entry';
COMMENT ON COLUMN contact_audit.change IS 'callable; status: of phone numbers or media; dnc';
COMMENT ON COLUMN contact_audit.old_value IS 'before; NULL: it was not read';
COMMENT ON COLUMN contact_audit.new_value IS 'as it was sent, and the answer shows it';
COMMENT ON COLUMN contact_audit.confirmed_at IS 'when the answer came';
COMMENT ON COLUMN contact_audit.correlation_id IS 'the platform''s, of the answer';

GRANT SELECT ON audit_log, rejected_rows, contact_audit TO PUBLIC;
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE rejected_rows ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_audit ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_rows ON audit_log FOR SELECT USING (
  (SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')) OR
  by_role IN (SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'USAGE')));
-- Cells are no statistics, nor is who opted out.
CREATE POLICY own_rows ON rejected_rows FOR SELECT USING (
  by_role IN (SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'USAGE')));
CREATE POLICY own_rows ON contact_audit FOR SELECT USING (
  by_role IN (SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'USAGE')));

-- The history goes into dumps.
SELECT pg_catalog.pg_extension_config_dump('audit_log', '');
SELECT pg_catalog.pg_extension_config_dump('audit_log_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('rejected_rows', '');
SELECT pg_catalog.pg_extension_config_dump('rejected_rows_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('contact_audit', '');
SELECT pg_catalog.pg_extension_config_dump('contact_audit_id_seq', '');

-- ---- compliance ----

-- Not STRICT: a key, a number, or both.
CREATE TYPE quarantine_row AS (object text, name text, contact_id text, result text, correlation_id text);
COMMENT ON TYPE quarantine_row IS 'what quarantine() has done of a list';
COMMENT ON COLUMN quarantine_row.object IS 'contact_lists or dnc_lists: what the list is';
COMMENT ON COLUMN quarantine_row.name IS 'the list''s';
COMMENT ON COLUMN quarantine_row.contact_id IS 'the key; of a DNC list, the number';
COMMENT ON COLUMN quarantine_row.result IS 'quarantined, already, absent; or failed or in doubt, with the platform''s words';
COMMENT ON COLUMN quarantine_row.correlation_id IS 'the platform''s, of the last answer';
CREATE FUNCTION quarantine(key text DEFAULT NULL, number text DEFAULT NULL, server name DEFAULT NULL) RETURNS SETOF quarantine_row
LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_quarantine';
COMMENT ON FUNCTION quarantine(text, text, name) IS
  'takes a contact off dialling on every contact list, and adds a number to the DNC lists of campaigns: a row for each list';
REVOKE EXECUTE ON FUNCTION quarantine(text, text, name) FROM PUBLIC;

-- Not STRICT: no row would mean that there was nothing.
CREATE FUNCTION forget_contact(key text, server name DEFAULT NULL, OUT relation text, OUT rows bigint)
RETURNS SETOF record LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_forget_contact';
COMMENT ON FUNCTION forget_contact(text, name) IS
  'erases a contact from all contact lists, staged imports, rejected_rows and sent_contacts, of all roles: how many rows of each; NULL: it is still there';
REVOKE EXECUTE ON FUNCTION forget_contact(text, name) FROM PUBLIC;

-- ---- imports ----
--
-- Staged by whoever submits one, in his transaction; sent by background workers.  Written
-- by the library alone, as the owner of the tables.

CREATE FUNCTION import_place(OUT system_identifier text, OUT database_oid oid)
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'gc_fdw_import_place';
COMMENT ON FUNCTION import_place() IS
  'where imports submitted here belong: gc_fdw.cluster_id, or system identifier, host and data directory; and the database';

CREATE TABLE import_queue (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  list_id text NOT NULL,
  list_name text NOT NULL,
  server name NOT NULL,
  relation text NOT NULL,
  submitted_by name NOT NULL,
  state text NOT NULL CHECK (state IN ('staged', 'running', 'paused', 'done', 'failed', 'cancelled')),
  method text NOT NULL,
  on_duplicate text NOT NULL,
  verification text NOT NULL,
  import_key text,
  rows_total bigint NOT NULL,
  rows_accepted bigint NOT NULL DEFAULT 0,
  rows_in_doubt bigint NOT NULL DEFAULT 0,
  rows_rejected bigint NOT NULL DEFAULT 0,
  rows_skipped bigint NOT NULL DEFAULT 0,
  requests bigint NOT NULL DEFAULT 0,
  submitted_at timestamptz NOT NULL,
  started_at timestamptz,
  ended_at timestamptz,
  failure_code text,
  failure_reason text,
  campaign_id text,
  webhook_url text,
  webhook_state text,
  system_identifier text NOT NULL,
  database_oid oid NOT NULL,
  options jsonb NOT NULL,
  run_as name NOT NULL,
  checked_at timestamptz,
  retry_at timestamptz,
  retries integer NOT NULL DEFAULT 0,
  cancelling boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX import_queue_key ON import_queue (list_id, import_key) WHERE state NOT IN ('failed', 'cancelled');
CREATE INDEX import_queue_open ON import_queue (id) WHERE state IN ('staged', 'running', 'paused');
COMMENT ON TABLE import_queue IS 'imports as they are kept; see the view imports';
COMMENT ON COLUMN import_queue.options IS 'how its rows are to be sent: the options of submit_import';
COMMENT ON COLUMN import_queue.run_as IS 'whose user mapping is used: who submitted it, or the owner of the view that it went through';
COMMENT ON COLUMN import_queue.checked_at IS 'when it was known which contacts are there already (on_duplicate ''ignore'' and ''error'')';
COMMENT ON SEQUENCE import_queue_id_seq IS 'ids of import_queue';
COMMENT ON COLUMN import_queue.retry_at IS 'paused: from then on a worker may try again; NULL: not by itself';
COMMENT ON COLUMN import_queue.retries IS 'pauses since a part was last settled';
COMMENT ON COLUMN import_queue.cancelling IS 'it is to end when what is under way has been answered';

CREATE TABLE import_parts (
  import_id bigint NOT NULL REFERENCES import_queue ON DELETE CASCADE,
  part integer NOT NULL,
  state text NOT NULL CHECK (state IN ('staged', 'sending', 'accepted', 'done', 'failed', 'cancelled')),
  method text NOT NULL,
  rows bigint NOT NULL,
  bytes bigint NOT NULL,
  sha256 bytea NOT NULL,
  attempts integer NOT NULL,
  rows_accepted bigint NOT NULL,
  rows_rejected bigint NOT NULL,
  job_id text,
  request_id uuid,
  correlation_id text,
  sent_at timestamptz,
  settled_at timestamptz,
  failure_code text,
  failure_reason text,
  skips bytea,
  PRIMARY KEY (import_id, part)
);
CREATE INDEX import_parts_job_id ON import_parts (job_id) WHERE job_id IS NOT NULL;
COMMENT ON TABLE import_parts IS 'what imports consist of: each is sent, and settled, by itself';
COMMENT ON COLUMN import_parts.method IS 'how it is sent';
COMMENT ON COLUMN import_parts.bytes IS 'of its payload, before compression';
COMMENT ON COLUMN import_parts.sha256 IS 'of its payload; when it is settled, of the file that was sent of it';
COMMENT ON COLUMN import_parts.skips IS 'a bit for each row that is not sent, since its contact is there already; NULL: none';
COMMENT ON COLUMN import_parts.attempts IS 'how often its sending was begun';

CREATE TABLE import_chunks (
  import_id bigint NOT NULL,
  part integer NOT NULL,
  chunk integer NOT NULL,
  payload bytea NOT NULL,
  PRIMARY KEY (import_id, part, chunk)
);
COMMENT ON TABLE import_chunks IS 'the payloads of parts that are not settled, in pieces of up to 1 MB: personal data';
-- Quicker, where the server was built with it.
DO $$
BEGIN
  ALTER TABLE @extschema@.import_chunks ALTER COLUMN payload SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  NULL;
END
$$;

CREATE TABLE import_pauses (
  server name NOT NULL,
  list_id text,
  list_name text,
  reason text,
  by_role name NOT NULL,
  at timestamptz NOT NULL
);
CREATE UNIQUE INDEX import_pauses_key ON import_pauses (server, coalesce(list_id, ''), coalesce(list_name, ''));
COMMENT ON TABLE import_pauses IS 'contact lists and servers whose imports wait, because somebody said so';
COMMENT ON COLUMN import_pauses.list_id IS 'as the foreign table has it; without that, and a name: all lists of the server';

CREATE VIEW imports WITH (security_invoker = true) AS
SELECT q.id, q.list_id, q.list_name, q.server, q.relation, q.submitted_by,
       CASE WHEN q.state IN ('staged', 'running', 'paused') AND
                 (q.system_identifier <> p.system_identifier OR q.database_oid <> p.database_oid)
            THEN 'orphaned'
            WHEN h.server IS NOT NULL THEN 'paused' ELSE q.state END AS state,
       q.method, q.on_duplicate, q.verification, q.import_key,
       q.rows_total, q.rows_accepted, q.rows_in_doubt, q.rows_rejected, q.rows_skipped,
       CASE WHEN q.state = 'done' THEN 100.0
            ELSE round(100.0 * (q.rows_accepted + q.rows_rejected + q.rows_skipped)::numeric
                       / NULLIF(q.rows_total, 0::bigint)::numeric, 1) END AS percent,
       q.requests, q.submitted_at, q.started_at, q.ended_at, q.failure_code,
       coalesce(h.reason, 'paused by ' || h.by_role, q.failure_reason) AS failure_reason,
       q.campaign_id, q.webhook_url, q.webhook_state, q.system_identifier, q.database_oid,
       CASE WHEN h.server IS NULL THEN q.retry_at END AS retry_at
FROM @extschema@.import_queue q CROSS JOIN @extschema@.import_place() p
LEFT JOIN LATERAL (
  SELECT s.server, s.reason, s.by_role FROM @extschema@.import_pauses s
  WHERE q.state IN ('staged', 'paused') AND (s.list_id = q.list_id OR
    s.list_id IS NULL AND s.server = q.server AND
    (s.list_name IS NULL OR pg_catalog.lower(s.list_name) = pg_catalog.lower(q.list_name)))
  ORDER BY s.at LIMIT 1) h ON true;
COMMENT ON VIEW imports IS 'imports that were submitted, and what became of them';
COMMENT ON COLUMN imports.state IS
  'staged, running, paused, done, failed, cancelled; or orphaned: submitted elsewhere, and come here in a copy of the database';
COMMENT ON COLUMN imports.relation IS 'the foreign table, by its name';
COMMENT ON COLUMN imports.import_key IS 'the same for the same list again gives this import, not another';
COMMENT ON COLUMN imports.rows_in_doubt IS 'sent, and nobody knows what became of them';
COMMENT ON COLUMN imports.rows_skipped IS 'contacts that were there already, under on_duplicate ''ignore''';
COMMENT ON COLUMN imports.percent IS 'of its rows, settled';
COMMENT ON COLUMN imports.requests IS 'what was sent for it, retries too';
COMMENT ON COLUMN imports.failure_code IS 'an SQLSTATE, or the platform''s code';
COMMENT ON COLUMN imports.failure_reason IS 'why it failed, or is paused; or its campaign was not restarted';
COMMENT ON COLUMN imports.webhook_state IS 'pending, done, failed; NULL: it has no webhook';
COMMENT ON COLUMN imports.system_identifier IS 'where it belongs; see import_place()';
COMMENT ON COLUMN imports.retry_at IS 'paused: from then on a worker tries again; NULL: not by itself';

-- What is to be done when an import has ended.  Of an import that is purged, nothing.
CREATE TABLE import_tasks (
  import_id bigint NOT NULL REFERENCES import_queue ON DELETE CASCADE,
  task text NOT NULL CHECK (task IN ('campaign', 'webhook')),
  state text NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  next_attempt timestamptz NOT NULL,
  ended_at timestamptz,
  failure_reason text,
  PRIMARY KEY (import_id, task)
);
CREATE INDEX import_tasks_pending ON import_tasks (next_attempt) WHERE state = 'pending';
COMMENT ON TABLE import_tasks IS 'what is done when an import has ended: its campaign is restarted, its webhook is told';
COMMENT ON COLUMN import_tasks.attempts IS 'how often it was tried';
COMMENT ON COLUMN import_tasks.next_attempt IS 'not before then';
COMMENT ON COLUMN import_tasks.failure_reason IS 'of the last attempt';

CREATE TABLE sent_contacts (
  list_id text COLLATE "C" NOT NULL,
  contact_id text COLLATE "C" NOT NULL,
  content_hash bytea NOT NULL,
  sent_at timestamptz NOT NULL,
  source text NOT NULL,
  source_id bigint NOT NULL,
  part integer,
  PRIMARY KEY (list_id, contact_id)
);
COMMENT ON TABLE sent_contacts IS 'the ledger: contacts that were delivered, each as it was last; see delivered()';
COMMENT ON COLUMN sent_contacts.content_hash IS 'SHA-256 of the contact as it was sent';
COMMENT ON COLUMN sent_contacts.sent_at IS 'when the platform had taken it';
COMMENT ON COLUMN sent_contacts.source IS 'what sent it: import, or statement, under the option ledger';
COMMENT ON COLUMN sent_contacts.source_id IS 'the import, or the statement''s row in audit_log';
COMMENT ON COLUMN sent_contacts.part IS 'of the import; NULL: of none';

GRANT SELECT ON import_parts, import_pauses, imports, import_tasks, sent_contacts TO PUBLIC;
-- But for options: a header of a webhook may be a secret.
GRANT SELECT (id, list_id, list_name, server, relation, submitted_by, state, method, on_duplicate, verification, import_key,
              rows_total, rows_accepted, rows_in_doubt, rows_rejected, rows_skipped, requests, submitted_at, started_at, ended_at,
              failure_code, failure_reason, campaign_id, webhook_url, webhook_state, system_identifier, database_oid,
              run_as, checked_at, retry_at, retries, cancelling)
ON import_queue TO PUBLIC;

ALTER TABLE import_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_parts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON import_queue FOR SELECT USING (
  (SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')) OR
  submitted_by IN (SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'USAGE')));
-- Of the imports that are seen.
CREATE POLICY own_rows ON import_parts FOR SELECT USING (
  import_id IN (SELECT id FROM @extschema@.import_queue));

ALTER TABLE import_tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON import_tasks FOR SELECT USING (
  import_id IN (SELECT id FROM @extschema@.import_queue));
-- Contact ids are no statistics.
ALTER TABLE sent_contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON sent_contacts FOR SELECT USING (
  CASE source WHEN 'import' THEN source_id IN (SELECT id FROM @extschema@.import_queue WHERE submitted_by IN
    (SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'USAGE')))
  ELSE source_id IN (SELECT id FROM @extschema@.audit_log WHERE by_role IN
    (SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'USAGE'))) END);

SELECT pg_catalog.pg_extension_config_dump('import_queue', '');
SELECT pg_catalog.pg_extension_config_dump('import_queue_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('import_parts', '');
SELECT pg_catalog.pg_extension_config_dump('import_chunks', '');
SELECT pg_catalog.pg_extension_config_dump('import_tasks', '');
SELECT pg_catalog.pg_extension_config_dump('sent_contacts', '');
SELECT pg_catalog.pg_extension_config_dump('import_pauses', '');

CREATE FUNCTION submit_import(
  list regclass, query text, on_duplicate text DEFAULT NULL, verification text DEFAULT NULL, method text DEFAULT 'auto',
  import_key text DEFAULT NULL, campaign_id text DEFAULT NULL, webhook_url text DEFAULT NULL, options jsonb DEFAULT '{}')
RETURNS bigint LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_submit_import';
COMMENT ON FUNCTION submit_import(regclass, text, text, text, text, text, text, text, jsonb) IS
  'stages the query''s rows for a contact list, to be sent when this transaction is committed; returns the import''s id';
REVOKE EXECUTE ON FUNCTION submit_import(regclass, text, text, text, text, text, text, text, jsonb) FROM PUBLIC;

CREATE FUNCTION await_import(import bigint, timeout interval DEFAULT '1 hour')
RETURNS imports LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_await_import';
COMMENT ON FUNCTION await_import(bigint, interval) IS
  'waits until an import has ended, or is paused, or for so long; returns what it is then';

CREATE FUNCTION cancel_import(import bigint)
RETURNS boolean LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_cancel_import';
COMMENT ON FUNCTION cancel_import(bigint) IS
  'sends no more of an import; what is under way is awaited and counted.  False: it was over';

-- Not STRICT: PostgreSQL has no such procedures.
CREATE PROCEDURE wait_for_import(import bigint, timeout interval DEFAULT '1 hour', INOUT state text DEFAULT NULL)
LANGUAGE C AS 'MODULE_PATHNAME', 'gc_fdw_wait_for_import';
COMMENT ON PROCEDURE wait_for_import(bigint, interval, text) IS
  'await_import outside a transaction, without a snapshot that keeps VACUUM from its work';

CREATE FUNCTION retry_import(import bigint, query text)
RETURNS bigint LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_retry_import';
COMMENT ON FUNCTION retry_import(bigint, text) IS
  'submits those of the query''s rows whose keys an import has rejected, the way that was submitted; returns the new import''s id';
REVOKE EXECUTE ON FUNCTION retry_import(bigint, text) FROM PUBLIC;

-- Not STRICT: NULL is for all that may go on.
CREATE FUNCTION resume_imports(import bigint DEFAULT NULL)
RETURNS integer LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_resume_imports';
COMMENT ON FUNCTION resume_imports(bigint) IS
  'lets imports go on that are paused or were left behind; one that is orphaned only if it is named; returns how many';
REVOKE EXECUTE ON FUNCTION resume_imports(bigint) FROM PUBLIC;

CREATE FUNCTION pause(list regclass, reason text DEFAULT NULL)
RETURNS void LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_pause';
COMMENT ON FUNCTION pause(regclass, text) IS
  'no import to the foreign table''s contact list goes on, after the part that is under way, until unpause()';
CREATE FUNCTION unpause(list regclass)
RETURNS void LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_unpause';
COMMENT ON FUNCTION unpause(regclass) IS 'takes back pause()';
CREATE FUNCTION pause_server(server name, reason text DEFAULT NULL)
RETURNS void LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_pause_server';
COMMENT ON FUNCTION pause_server(name, text) IS
  'no import to any list of the server goes on, after the part that is under way, until unpause_server()';
CREATE FUNCTION unpause_server(server name)
RETURNS void LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_unpause_server';
COMMENT ON FUNCTION unpause_server(name) IS 'takes back pause_server()';

CREATE FUNCTION reconcile_import(event jsonb)
RETURNS bigint LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_reconcile_import';
COMMENT ON FUNCTION reconcile_import(jsonb) IS
  'takes a completion event of the platform''s: its hash is compared, and an import that is paused goes on; the import''s id, NULL: it is about none of ours';
REVOKE EXECUTE ON FUNCTION reconcile_import(jsonb) FROM PUBLIC;

CREATE TYPE delivery AS (sent_at timestamptz, source text, source_id bigint, correlation_id text);
COMMENT ON TYPE delivery IS 'what delivered() returns';
COMMENT ON COLUMN delivery.sent_at IS 'when the platform had taken it';
COMMENT ON COLUMN delivery.source IS 'import, or statement';
COMMENT ON COLUMN delivery.source_id IS 'the import, or the statement''s row in audit_log';
COMMENT ON COLUMN delivery.correlation_id IS 'the platform''s, of the answer';
CREATE FUNCTION delivered(list regclass, key text) RETURNS SETOF delivery
LANGUAGE C STABLE STRICT ROWS 1 PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gc_fdw_delivered';
COMMENT ON FUNCTION delivered(regclass, text) IS
  'when a contact was last delivered to a list, by which import or statement, and the platform''s correlation id; no row: not that the ledger knows';
REVOKE EXECUTE ON FUNCTION delivered(regclass, text) FROM PUBLIC;

-- Not STRICT: a NULL is refused, and does not pass for an age that nothing has.
CREATE FUNCTION purge(older_than interval, max_rows bigint DEFAULT NULL, OUT relation regclass, OUT rows bigint)
RETURNS SETOF record LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'gc_fdw_purge';
COMMENT ON FUNCTION purge(interval, bigint) IS
  'deletes what is older from the tables of history, at most so many rows of each; nothing of imports that are open; how many rows of each';
REVOKE EXECUTE ON FUNCTION purge(interval, bigint) FROM PUBLIC;
