-- Count and checksum of all content, computed here from the source table and from
-- what the platform gives back, row by row.
SELECT 'dw.leads' AS side, count(*), count(*) FILTER (WHERE opted_out) AS opted_out,
       dw.checksum_text(sum(dw.contact_hash(id, id, first_name, last_name, phone, alt_phone, email, segment,
                                            state, balance::text, dw.utc(last_order), note))) AS checksum
FROM dw.leads
UNION ALL
SELECT 'gc.leads', count(*), count(*) FILTER (WHERE NOT callable),
       dw.checksum_text(sum(dw.contact_hash(contact_id, crm_lead_id, first_name, last_name, phone, alt_phone, email,
                                            segment, state, balance::text, dw.utc(last_order), note)))
FROM gc.leads;
