\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- UPDATE: who opts out between our read and our write stays so, and keeps cells and statuses that
-- SET does not name (H2, H4), whatever the platform makes of what is left out
--
CALL sim.list('leads', '{crm_id,first_name,state,phone,phone2}', '{phone,phone2}');
CREATE FOREIGN TABLE gc.leads (contact_id text OPTIONS (attribute 'id'), crm_id text, first_name text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
CREATE FOREIGN TABLE gc.wide (crm_id text, first_name text, state text, phone text, phone2 text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
INSERT INTO gc.wide VALUES ('L-5', 'a', 'CA', '+14155', '+49305'), ('L-6', 'b', 'CA', '+14156', '+49306');
-- Of one contact and of several.
CREATE FUNCTION gc.race(OUT platform text, OUT contacts int, OUT callable text, OUT phones text, OUT days text, OUT data text) RETURNS SETOF record
LANGUAGE plpgsql AS $$
DECLARE
  changed text := '{"listId": "leads", "id": "L-5", "callable": false, "phoneNumberStatus": {"phone": {"callable": true}, "phone2": {"callable": false}}}';
BEGIN
  FOR platform IN SELECT jsonb_build_object('put_absent', p, 'status_parts', s, 'absent_cells', c)
                  FROM unnest('{keep,reset}'::text[]) p, unnest('{merge,replace}'::text[]) s, unnest('{keep,blank}'::text[]) c LOOP
    PERFORM sim.control('POST', 'set', platform);
    FOR n IN 1..2 LOOP
      contacts := n;
      PERFORM sim.control('POST', 'contacts', '{"listId": "leads", "id": "L-5", "callable": true, "phoneNumberStatus": null, "retentionType": "Custom",
        "retentionDays": 5, "data": {"first_name": "before", "state": "CA"}}');
      CALL sim.faults(jsonb_build_array(
        jsonb_build_object('method', 'POST', 'path', '*/contacts', 'calls_before', jsonb_build_array(jsonb_build_object('path', '/_sim/contacts', 'body', changed::jsonb)))));
      UPDATE gc.leads SET first_name = 'raced' WHERE contact_id = ANY (('{L-5,L-6}'::text[])[:contacts]);
      CALL sim.faults('[]');
      SELECT c.contact->>'callable', c.contact->>'phoneNumberStatus', c.contact->>'retentionDays', c.data::text
      INTO callable, phones, days, data FROM sim.contacts('leads') c WHERE id = 'L-5';
      RETURN NEXT;
    END LOOP;
  END LOOP;
END $$;
SELECT count(*), count(DISTINCT platform) AS platforms, contacts, callable, phones, days, data FROM gc.race() GROUP BY 3, 4, 5, 6, 7 ORDER BY 3, 4, 5;
