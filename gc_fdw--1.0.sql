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
