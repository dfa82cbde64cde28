# What comes with and after the end of an import: its audit row, the ledger, the webhook, the campaign, and
# what is told from outside (SCENARIOS D3, I1, I2, J4; DESIGN 2.2, 4.6).
use strict;
use warnings;

use Digest::SHA qw(hmac_sha256_hex);
use FindBin;
use lib $FindBin::Bin;
use GcTest;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('after', 'max_worker_processes = 8');

add_server($node, $sim, 'genesys');
leads_table($node, 'leads', 'genesys', 'Leads');

my $session = GcSession->new($node);

# submitted(QUERY[, ARGUMENTS[, TABLE]]): the id of a new import.
sub submitted
{
	my ($query, $arguments, $table) = @_;
	my $result = $session->run("SELECT gc_fdw.submit_import('" . ($table // 'leads') . "', \$\$$query\$\$" . ($arguments ? ", $arguments" : '') . ')');
	return $result->{out} || diag $result->{err};
}

# ended(ID[, STATE]): it ends like that.
sub ended
{
	my ($id, $state) = @_;
	return is($session->value("SELECT (gc_fdw.await_import($id, '30s')).state"), $state // 'done', "import $id is " . ($state // 'done'))
	  || diag $session->value("SELECT failure_reason FROM gc_fdw.imports WHERE id = $id");
}

sub value { return $session->value($_[0]) }

# --- the audit row (J4) ---------------------------------------------------------------------------

my $id = submitted("SELECT 'A-' || i AS k, '+1415555' || 1000 + i AS phone, 'One' AS name FROM generate_series(1, 3) i");
ended($id);
is(value("SELECT concat_ws(' ', operation, by_role, list_id, status, total, accepted, in_doubt, rejected, success_rate, statements) FROM gc_fdw.audit_log WHERE source_id = $id"),
	'IMPORT ' . value('SELECT current_user') . " $list completed 3 3 0 0 100.00 1", 'J4: an import that is done has an audit row');
is(value("SELECT count(*) FROM gc_fdw.audit_log a JOIN gc_fdw.import_parts p ON p.import_id = a.source_id AND p.correlation_id = a.correlation_id WHERE source_id = $id AND requests > 0 AND latency_ms > 0 AND at = (SELECT ended_at FROM gc_fdw.imports WHERE id = $id)"),
	1, '… with the correlation id, the requests and the time that it took');
is(value("SELECT count(*) FROM gc_fdw.import_chunks"), 0, 'DESIGN 4.6: the payload of what was delivered is dropped');

# --- the ledger (D3) ------------------------------------------------------------------------------

is(value("SELECT string_agg(concat_ws(' ', contact_id, length(content_hash), source, source_id), ', ' ORDER BY contact_id) FROM gc_fdw.sent_contacts WHERE list_id = '$list'"),
	join(', ', map { "A-$_ 32 import $id" } 1 .. 3), 'D3: what was delivered is in the ledger');
is(value("SELECT d.source_id || ' ' || (d.correlation_id = (SELECT correlation_id FROM gc_fdw.import_parts WHERE import_id = $id)) FROM gc_fdw.delivered('leads', 'A-2') d"),
	"$id true", 'DESIGN 2.2: delivered() tells by which import, and the correlation id');
is(value("SELECT count(*) FROM gc_fdw.delivered('leads', 'A-4')"), 0, '… and nothing of a contact that was not');

my $hashes = "SELECT string_agg(encode(content_hash, 'hex'), ' ' ORDER BY contact_id) FROM gc_fdw.sent_contacts";
my $before = value($hashes);
my $again = submitted("SELECT 'A-' || i AS k, '+1415555' || 1000 + i AS phone, CASE i WHEN 2 THEN 'Two' ELSE 'One' END AS name FROM generate_series(1, 3) i");
ended($again);
my @before = split / /, $before;
my @after = split / /, value($hashes);
is(join(' ', map { $before[$_] eq $after[$_] ? 'same' : 'other' } 0 .. 2), 'same other same', 'D3: the same content has the same hash, another one another');
is(value("SELECT count(*) FROM gc_fdw.sent_contacts WHERE source_id = $again"), 3, '… and the ledger has the last delivery of each');

# Many at once, of which some are there already, and some come twice.
ended(submitted("SELECT 'M-' || i AS k, 'first' AS name FROM generate_series(3000, 3999, 3) i"));
my $many = submitted("SELECT 'M-' || 1000 + i % 5000 AS k, 'row ' || i AS name FROM generate_series(1, 12000) i");
ended($many);
is(value("SELECT count(*) || ' ' || count(DISTINCT content_hash) || ' ' || min(source_id) FROM gc_fdw.sent_contacts WHERE contact_id LIKE 'M-%'"), "5000 5000 $many", 'D3: each contact of many has one entry');
my $of_two = "SELECT string_agg(encode(content_hash, 'hex'), ' ' ORDER BY contact_id) FROM gc_fdw.sent_contacts WHERE contact_id IN ('M-1001', 'M-4000')";
$before = value($of_two);
ended(submitted("SELECT * FROM (VALUES ('M-1001', 'row 10001'), ('M-4000', 'row 8000')) v (k, name)"));
is(value($of_two), $before, '… of its last row');

# What the table's owner has made of it is heeded.
$session->run(q{CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.part := 77; RETURN NEW; END';
	CREATE TRIGGER note BEFORE INSERT ON gc_fdw.sent_contacts FOR EACH ROW EXECUTE FUNCTION note()});
ended(submitted("SELECT 'T-1' AS k"));
is(value("SELECT part FROM gc_fdw.sent_contacts WHERE contact_id = 'T-1'"), 77, 'a trigger on the ledger fires');
$session->run('DROP FUNCTION note CASCADE');

is($session->run("SET ROLE pg_monitor; SELECT count(*) FROM gc_fdw.sent_contacts")->{out}, '0', "D3: others do not see whose contacts they are");
is($session->run("SELECT * FROM gc_fdw.delivered('leads', 'A-2')")->{sqlstate}, '42501', '… nor may everyone ask');
$session->run('RESET ROLE');

# What the platform refuses of a part is not in it.
$sim->call('POST', '/_sim/lists', { name => 'Zips', columnNames => [qw(Phone Key Zip)], phoneColumns => [ { columnName => 'Phone', type => 'cell' } ],
	automaticTimeZoneMapping => \1, zipCodeColumnName => 'Zip' });
leads_table($node, 'zips', 'genesys', 'Zips', on_error => 'reject', verification => 'relaxed');
$session->run(q(ALTER FOREIGN TABLE zips DROP COLUMN name, ADD COLUMN zip text OPTIONS (field 'Zip')));
ended(my $some = submitted("SELECT 'Z-' || i AS k, CASE i WHEN 2 THEN 'none' ELSE '10115' END AS zip FROM generate_series(1, 3) i", undef, 'zips'));
is(value("SELECT string_agg(contact_id, ' ' ORDER BY contact_id) || ' ' || (SELECT string_agg(key, ' ') FROM gc_fdw.rejected_rows WHERE source_id = $some) FROM gc_fdw.sent_contacts WHERE source_id = $some AND source = 'import'"),
	'Z-1 Z-3 Z-2', 'D3: what the platform refused is in rejected_rows, and not in the ledger');

# Nor what was there already, under 'ignore', and not sent; an import that fails for it is in the audit.
ended(my $ignored = submitted("SELECT k FROM (VALUES ('A-1'), ('I-1')) v (k)", "on_duplicate => 'ignore'"));
# A job does not say which those are.
is(value("SELECT string_agg(contact_id, ' ' ORDER BY contact_id) FROM gc_fdw.sent_contacts WHERE source_id = $ignored AND source = 'import'"),
	dialect() eq 'jobs' ? 'A-1 I-1' : 'I-1', 'D3: what was there already was not delivered');
ended(my $failed = submitted("SELECT 'A-1' AS k", "on_duplicate => 'error'"), 'failed');
is(value("SELECT status || ' ' || accepted FROM gc_fdw.audit_log WHERE source_id = $failed AND operation = 'IMPORT'"), 'failed 0', 'J4: an import that has failed is in the audit');

# Statements keep it where they are asked to; under deliver 'commit' too.
leads_table($node, 'noted', 'genesys', 'Leads', ledger => 'on', on_error => 'reject');
leads_table($node, 'noted_later', 'genesys', 'Leads', ledger => 'on', deliver => 'commit');
$session->run("INSERT INTO leads (k) VALUES ('S-0')");
$session->run("INSERT INTO noted (k, name) SELECT 'S-' || i, 'One' FROM generate_series(1, 2500) i");
$session->run("INSERT INTO noted_later (k, name) VALUES ('S-2501', 'One')");
$session->run("BEGIN; INSERT INTO noted (k) VALUES ('S-2502'); ROLLBACK");
is(value("SELECT count(*) || ' ' || count(DISTINCT source_id) FROM gc_fdw.sent_contacts WHERE source = 'statement' AND contact_id LIKE 'S-%'"), '2501 2', 'D3: option ledger: what statements deliver is in the ledger');
is(value("SELECT concat_ws(' ', a.operation, a.accepted, a.correlation_id = d.correlation_id) FROM gc_fdw.delivered('noted', 'S-7') d JOIN gc_fdw.audit_log a ON a.id = d.source_id"),
	'INSERT 2500 t', '… with the statement that did it');
is(value("SELECT count(*) FROM gc_fdw.delivered('leads', 'S-0')") . value("SELECT count(*) FROM gc_fdw.delivered('leads', 'S-2502')"), '00', '… not without it, nor what was rolled back, which is sent again');

# Two that deliver one contact: the later one waits, and counts.
my $second = GcSession->new($node);
my $noted = "INSERT INTO noted (k, name) SELECT 'B-' || i";
$session->run("BEGIN; $noted, 'first' FROM generate_series(80, 99) i");
$second->start("$noted, 'second' FROM generate_series(1, 150) i");
await('one waits', sub { value("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = " . $second->pid) });
$session->run('COMMIT');
is($second->finish->{sqlstate}, '00000', 'D3: of two that deliver a contact one waits');
is(value("SELECT count(*) || ' ' || count(DISTINCT source_id) FROM gc_fdw.sent_contacts WHERE contact_id LIKE 'B-%'"), '150 1', '… and the ledger has the later delivery');
$second->close;

# --- the webhook (J4) -----------------------------------------------------------------------------

my $url = $sim->url . '/_sim/webhook/done';
my $with_hook = "webhook_url => '$url'";
my $row = "SELECT 'W-1' AS k";

# refused(SQLSTATE, WHAT, ARGUMENTS): such an import is not submitted.
sub refused
{
	my ($sqlstate, $what, $arguments) = @_;
	my $result = $session->run("SELECT gc_fdw.submit_import('leads', \$\$$row\$\$, $arguments)");
	return is($result->{sqlstate}, $sqlstate, "J4: $what") || diag $result->{err};
}

# told(SECONDS): the requests that the webhook has got, once there are so many.
sub told
{
	my ($count) = @_;
	await("the webhook is told $count times", sub { $sim->requests('/_sim/webhook') >= $count });
	return $sim->requests('/_sim/webhook');
}

sub hook_state { my ($state, $of) = @_; return await("the webhook is $state", sub { value("SELECT webhook_state FROM gc_fdw.imports WHERE id = $of") eq $state }) }

refused('42501', 'no host is allowed by default', $with_hook);
$session->run("ALTER SYSTEM SET gc_fdw.webhook_hosts = '127.0.0.1, hooks.example.com'; SELECT pg_reload_conf()");
await('the setting is there', sub { value('SHOW gc_fdw.webhook_hosts') =~ /127/ });
refused('42501', 'a host that is not in the list is refused', "webhook_url => 'https://elsewhere.example.com/'");
refused('22023', 'http goes to loopback only', "webhook_url => 'http://hooks.example.com/'");
refused('22023', 'a URL with a user is refused', "webhook_url => 'https://me:secret\@hooks.example.com/'");
refused('22023', 'a header of two lines is refused', "$with_hook, options => '{\"webhook_headers\": {\"X-A\": \"a\\nX-B: b\"}}'");
refused('22023', 'a header of ours is refused', "$with_hook, options => '{\"webhook_headers\": {\"X-Signature-256\": \"a\"}}'");

ended(my $unsigned = submitted($row, $with_hook));
my ($request) = told(1);
my $sha256 = value("SELECT encode(sha256, 'hex') FROM gc_fdw.import_parts WHERE import_id = $unsigned");
my $latency = value("SELECT round(extract(epoch FROM ended_at - started_at) * 1000) FROM gc_fdw.imports WHERE id = $unsigned");
my $job = value("SELECT coalesce(to_json(job_id)::text, 'null') FROM gc_fdw.import_parts WHERE import_id = $unsigned");
is($request->{body}, qq({"contactListId":"$list","jobId":$job,"status":"completed","latencyMs":$latency,"totalContacts":1,"successfulContacts":1,"importId":$unsigned,"failedContacts":0,"sha256":"$sha256"}),
	'J4: the fields, in their order');
my %headers = map { lc $_ => $request->{headers}{$_} } keys %{ $request->{headers} };
is(join(' ', $request->{method}, @headers{qw(content-type x-sync-source)}), 'POST application/json genesys-cloud-synchronizer', '… by POST, with its headers');
ok(!exists $headers{'x-signature-256'} && !exists $headers{authorization}, '… unsigned without a secret, and never with a token');
hook_state('done', $unsigned);

$session->run("ALTER USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (ADD webhook_secret 'sécret')");
$sim->forget_requests;
$sim->faults({ path => '/_sim/webhook', times => 2, status => 500 });
ended(my $signed = submitted($row, "$with_hook, options => '{\"webhook_headers\": {\"X-Tenant\": \"a\"}}'"));
my @tries = told(3);
hook_state('done', $signed);
is(scalar(@tries), 3, 'J4: a webhook that fails is told again');
is(scalar(grep { $_->{body} eq $tries[0]{body} } @tries), 3, '… the same');
%headers = map { lc $_ => $tries[2]{headers}{$_} } keys %{ $tries[2]{headers} };
is($headers{'x-signature-256'}, 'sha256=' . hmac_sha256_hex($tries[2]{body}, "s\xc3\xa9cret"), 'J4: signed with the secret of the user mapping');
is($headers{'x-tenant'}, 'a', '… with the headers that the import adds');
is(value("SELECT attempts || ' ' || state FROM gc_fdw.import_tasks WHERE import_id = $signed"), '3 done', '… and the queue says how often');

# A redirect is not followed: it could lead anywhere.
$sim->forget_requests;
$sim->faults({ path => '/_sim/webhook', times => 1, status => 302, headers => { Location => $sim->url . '/_sim/webhook/elsewhere' } });
ended(my $redirected = submitted($row, $with_hook));
hook_state('done', $redirected);
is(join(' ', map { $_->{path} } told(2)), '/_sim/webhook/done /_sim/webhook/done', 'J4: redirects are not followed');

# What is cancelled before it began is told, too.
$sim->forget_requests;
$session->run('BEGIN');
my $cancelled = submitted($row, $with_hook);
$session->run("SELECT gc_fdw.cancel_import($cancelled); COMMIT");
like((told(1))[0]{body}, qr/"status":"cancelled".*"successfulContacts":0/, 'J4: an import that was cancelled is told');
is(value("SELECT status || ' ' || success_rate FROM gc_fdw.audit_log WHERE source_id = $cancelled"), 'cancelled 0.00', '… and in the audit');

# --- the campaign (I1, I2) ------------------------------------------------------------------------

my $elsewhere = $sim->list('Other', qw(Phone Key Name));

# campaign(STATUS, LIST): the campaign C1 is as that; an import for it ends.  Returns what it is then, the requests, and
# how often it was tried.
sub campaign
{
	my ($status, $of, @faults) = @_;
	$sim->call('POST', '/_sim/campaigns', { id => 'C1', name => 'Spring', contactList => { id => $of }, campaignStatus => $status, dialingMode => 'preview',
		callerName => 'Us', callerAddress => '+14155550100', phoneColumns => [ { columnName => 'Phone', type => 'cell' } ] });
	$sim->forget_requests;
	$sim->faults(@faults) if @faults;
	ended(my $import = submitted($row, "campaign_id => 'C1'"));
	await('the campaign is seen to', sub { value("SELECT state FROM gc_fdw.import_tasks WHERE import_id = $import") eq 'done' });
	my $requests = join ',', map { $_->{method} } $sim->requests('/outbound/campaigns/C1');
	my $is = $sim->api('GET', '/outbound/campaigns/C1');
	return "$is->{campaignStatus} " . ($is->{contactList}{id} eq $list ? 'Leads' : 'Other') . " $requests " . value("SELECT attempts FROM gc_fdw.import_tasks WHERE import_id = $import");
}

# By its id alone where the dialect can, which has no version.
my $bind = dialect() eq 'jobs' ? 'PATCH' : 'PUT';
is(campaign('complete', $list), 'on Leads GET,POST 1', 'I1: a campaign that is complete is restarted');
is(campaign('on', $list), 'on Leads GET 1', 'I1: one that dials is left alone');
is(campaign('off', $elsewhere), "on Leads GET,$bind,POST 1", 'I2: it is bound to the list of the import');
is(campaign('on', $elsewhere), "on Leads GET,POST,GET,$bind,POST 1", 'I2: one that dials another list is stopped first');
$sim->set(campaign_stop_ms => 700);
like(campaign('on', $elsewhere), qr/^on Leads GET,POST(,GET){2,},$bind,POST 1$/, 'I2: and is waited for while it is stopping');
$sim->set(campaign_stop_ms => 0);
is(campaign('off', $elsewhere, { conflict => 'K4', path => '/outbound/campaigns', method => 'PUT', times => 1 }),
	$bind eq 'PUT' ? 'on Leads GET,PUT,GET,PUT,POST 1' : 'on Leads GET,PATCH,POST 1', 'I2, K4: read again where somebody else was quicker');

ended(my $lost = submitted($row, "campaign_id => 'nope'"));
await('the reason is there', sub { value("SELECT failure_reason FROM gc_fdw.imports WHERE id = $lost") =~ /could not restart the campaign "nope"/ });
is(value("SELECT state FROM gc_fdw.imports WHERE id = $lost"), 'done', 'I2: an import whose campaign is not there is done, and says why it was not restarted');

# --- events from outside (L, B5, C4) --------------------------------------------------------------

ended(my $told = submitted("SELECT 'R-1' AS k"));
my $hash = value("SELECT encode(sha256, 'hex') FROM gc_fdw.import_parts WHERE import_id = $told");
value("UPDATE gc_fdw.import_parts SET job_id = 'J-1', method = 'upload' WHERE import_id = $told");

# reconciled(EVENT): what it returns, or the SQLSTATE.
sub reconciled
{
	my (%event) = @_;
	my $result = $session->run("SELECT coalesce(gc_fdw.reconcile_import(\$\$" . JSON::PP->new->canonical->encode(\%event) . '$$)::text, \'none\')');
	return $result->{sqlstate} eq '00000' ? $result->{out} : $result->{sqlstate};
}

my %completed = (eventType => 'outbound.contact.upload.completed', contactListId => $list, jobId => 'J-1', status => 'completed',
	totalRecords => 1, successfulRecords => 1, failedRecords => 0, timestamp => '2026-01-01T00:00:00Z');
is(reconciled(%completed, sha256 => $hash), $told, 'L: an event leads to its import by the job');
is(reconciled(%completed, sha256 => uc $hash, jobId => 'J-2'), $told, 'L: by the hash, where the answer with the job was lost');
is(reconciled(%completed, sha256 => 'ab' x 32), 'XX001', 'C4: another hash than that of the file is an error');
is(reconciled(%completed, jobId => 'J-2'), 'none', 'J3b: of a job of somebody else it is about none of ours');
is(reconciled(%completed, contactListId => 'elsewhere'), 'none', 'L: nor of another list');
is(reconciled(importState => undef, percentageComplete => 100, contactListId => $list), $told, q(L: the platform's own form, by the list));
is(reconciled(topicName => "v2.outbound.contactlists.$list.importstatus", eventBody => { id => $list, importStatus => { importState => 'FAILED', percentageComplete => 10 } }), $told,
	q(L: and as a notification));
is(reconciled(nothing => 1), 'none', 'L: what is no event is about none');

# It was given up waiting; its rows went when it ended, so that it has none to send.
value("UPDATE gc_fdw.import_queue SET state = 'paused', ended_at = NULL, rows_accepted = 0 WHERE id = $told");
value("UPDATE gc_fdw.import_parts SET state = 'accepted', method = 'contacts', rows = 0 WHERE import_id = $told");
is(reconciled(%completed, status => 'inProgress'), $told, 'B5: while the job goes on');
is(value("SELECT state FROM gc_fdw.imports WHERE id = $told"), 'paused', '… it stays paused');
is(reconciled(%completed), $told, 'B5: when it has ended');
await('it goes on', sub { value("SELECT state FROM gc_fdw.imports WHERE id = $told") ne 'paused' });
ended($told);
$session->run('GRANT EXECUTE ON FUNCTION gc_fdw.reconcile_import TO pg_monitor; SET ROLE pg_monitor');
is(reconciled(%completed), '42501', q(another role's imports are not for everyone));
$session->run('RESET ROLE');

# --- purge ----------------------------------------------------------------------------------------

value("UPDATE gc_fdw.import_tasks SET state = 'failed' WHERE state = 'pending'");
is(value("SELECT string_agg(relation || ' ' || (rows > 0), ', ' ORDER BY relation::text) FROM gc_fdw.purge('0')"),
	join(', ', map { "gc_fdw.$_" } 'audit_log true', 'contact_audit false', 'import_chunks true', 'import_parts true', 'import_queue true', 'import_tasks true', 'rejected_rows true', 'sent_contacts true'),
	'purge() knows imports and the ledger');
is(value("SELECT count(*) FROM gc_fdw.imports"), 0, '… and takes all of an import');

# --- payloads -------------------------------------------------------------------------------------

# Of one that ends with nothing sent, and of another, which comes by later.
sub kept
{
	$session->run('BEGIN');
	my $stopped = submitted("SELECT 'K-1' AS k");
	$session->run("SELECT gc_fdw.cancel_import($stopped); COMMIT");
	ended(submitted("SELECT 'K-2' AS k"));
	return $stopped;
}

my $kept = kept();
is(value("SELECT string_agg(DISTINCT import_id::text, ' ') FROM gc_fdw.import_chunks"), $kept, 'DESIGN 4.6: the payload of what was not sent is kept');
$session->run("ALTER SYSTEM SET gc_fdw.keep_payloads = 0; SELECT pg_reload_conf()");
await('the setting is there', sub { value('SHOW gc_fdw.keep_payloads') eq '0' });
kept();
ok(await('payloads go', sub { value('SELECT count(*) FROM gc_fdw.import_chunks') == 0 }), 'DESIGN 4.6: for gc_fdw.keep_payloads');

done_testing();
