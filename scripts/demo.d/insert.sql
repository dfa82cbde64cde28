-- Every lead, in one statement.
INSERT INTO gc.leads (crm_lead_id, first_name, last_name, phone, alt_phone, email, segment, state,
                      balance, last_order, note, callable)
SELECT id, first_name, last_name, phone, alt_phone, email, segment, state,
       balance, last_order, note, CASE WHEN opted_out THEN false END
FROM dw.leads;
