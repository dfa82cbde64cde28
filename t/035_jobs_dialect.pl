# Dialect "jobs": imports whose parts are jobs of the platform, what becomes of their rows, who
# else is at work on the list, and what is done when an answer is lost (SCENARIOS L).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->api('POST', '/outbound/lists', {
	name => 'Leads',
	schema => { name => 'leads', version => 1, fields => [
		{ name => 'Phone', type => 'string', required => JSON::PP::false, format => 'e164' },
		{ name => 'Key', type => 'string', required => JSON::PP::false },
		{ name => 'Name', type => 'string', required => JSON::PP::true } ] },
	status => 'READY' })->{id};
my $node = new_node('jobs', "shared_preload_libraries = 'gc_fdw'");
add_server($node, $sim, 'genesys', dialect => 'jobs', import_threshold => 6000);
leads_table($node, 'leads', 'genesys', 'Leads');
add_server($node, $sim, 'public');
leads_table($node, 'public_leads', 'public', 'Leads');
$node->safe_psql('postgres', q{ALTER FOREIGN TABLE leads ADD callable boolean OPTIONS (attribute 'callable')});
my $session = GcSession->new($node);

# begin(QUERY, ARGUMENT...): submits an import; its id.
sub begin
{
	my ($query, @arguments) = @_;
	return $session->value('SELECT gc_fdw.submit_import(' . join(', ', "'leads'", "\$q\$$query\$q\$", @arguments) . ')');
}

sub ended { my ($id) = @_; return $session->value("SELECT state FROM gc_fdw.await_import($id, '1min')") }
sub submit { my $id = begin(@_); return ($id, ended($id)) }

sub rows
{
	my ($count, $from) = @_;
	$from //= 1;
	return "SELECT 'K-' || g AS k, '+1415' || lpad(g::text, 7, '0') AS phone, 'name ' || g AS name FROM generate_series($from, $from + $count - 1) g";
}

sub of { my ($id, $column) = @_; return $session->value("SELECT $column FROM gc_fdw.imports WHERE id = $id") }
sub parts { my ($id) = @_; return $session->value("SELECT string_agg(method || ' ' || state || ' ' || rows, ', ' ORDER BY part) FROM gc_fdw.import_parts WHERE import_id = $id") }
sub rejected { my ($id) = @_; return $session->value("SELECT string_agg(concat_ws(' ', key, field, row_data->>'name'), ', ' ORDER BY key) FROM gc_fdw.rejected_rows WHERE source = 'import' AND source_id = $id") }
sub name_of { my ($id) = @_; my ($found) = grep { $_->{id} eq $id } $sim->contacts($list); return $found->{data}{Name} }
sub jobs { return @{ $sim->call('GET', "/_sim/imports?listId=$list") } }
sub submissions { return $sim->requests(qr{^POST .*(/outbound/lists/.*/contacts/(bulk|upload)|/contacts/import)$}) }

# Forgets all, but for the list.
sub anew
{
	$sim->faults;
	$sim->set(@_) if @_;
	$sim->forget_requests;
	eval { $sim->api('POST', "/outbound/contactlists/$list/clear") };
	await('an empty list', sub { $sim->count($list) == 0 });
	return;
}

# ---- methods ----

# B1, B5: bulk, in parts of 2,500, each a job whose id is kept.
anew(record_bodies => 'on');
my ($id, $state) = submit(rows(3000));
is($state, 'done', 'an import') or diag of($id, 'failure_reason');
is(parts($id), 'bulk done 2500, bulk done 500', 'goes by bulk, in parts of one request');
is($sim->count($list), 3000, 'its contacts are there');
is(of($id, 'rows_accepted'), 3000, 'and counted');
my ($append) = submissions();
is("$append->{path}?$append->{query}", "/api/v2/outbound/lists/$list/contacts/bulk?mode=append", 'as an append');
like($append->{body}, qr/^\[\{"contactId":"K-1","Key":"K-1","Phone":"\+14150000001","Name":"name 1"\},/, 'of fields');
is($session->value("SELECT string_agg(job_id, ' ' ORDER BY part) FROM gc_fdw.import_parts WHERE import_id = $id"),
	join(' ', map { $_->{id} } jobs()), q{with the jobs' ids});
is($session->value("SELECT count(*) FROM gc_fdw.sent_contacts WHERE source_id = $id"), 3000, 'and in the ledger');

# import_jobs is the queue of each list, and knows which jobs are ours.
$session->run("CREATE FOREIGN TABLE jobs (list_id text, list_name text, job_id text, kind text, state text, total bigint, completed bigint, failed bigint, percent int, import_id bigint) SERVER genesys OPTIONS (object 'import_jobs')");
$sim->call('POST', '/_sim/imports', { listId => $list, totalRecords => 10, kind => 'bulk', hold => 50 });
$sim->forget_requests;
is($session->value("SELECT string_agg(concat_ws(' ', list_name, kind, state, total, completed, failed, percent, coalesce(import_id, 0)), ', ' ORDER BY total) FROM jobs WHERE list_id = '$list'"),
	"Leads import running 10 5 0 50 0, Leads import done 500 500 0 100 $id, Leads import done 2500 2500 0 100 $id", 'import_jobs shows the queue, and whose jobs they are')
  or diag $session->run('SELECT * FROM jobs')->{err};
is(join(' ', map { $_->{path} =~ s{.*/outbound/}{}r } $sim->requests(qr{^GET })), "contactlists contactlists/$list/contacts/import", 'by one request a list');
$node->safe_psql('postgres', "CREATE ROLE stranger; GRANT SELECT ON jobs TO stranger; CREATE USER MAPPING FOR stranger SERVER genesys OPTIONS (client_id 'id', client_secret 'secret')");
is($session->value('SET ROLE stranger; SELECT count(import_id) FROM jobs; RESET ROLE') // '', 0, 'of which others see nothing');
$sim->call('POST', '/_sim/imports', { listId => $list, state => 'completed' });

# B1: batch_size is that of an append, too.
anew();
$session->run(q{ALTER FOREIGN TABLE leads OPTIONS (batch_size '400')});
($id, $state) = submit(rows(1000));
is(parts($id), 'bulk done 400, bulk done 400, bulk done 200', 'parts of batch_size');
$session->run(q{ALTER FOREIGN TABLE leads OPTIONS (DROP batch_size)});

# J1, J2: import.
anew(record_bodies => 'on');
($id, $state) = submit(rows(300), "method => 'import'", "verification => 'relaxed'");
is(parts($id), 'import done 300', q{method 'import'}) or diag of($id, 'failure_reason');
my ($import) = submissions();
like($import->{body}, qr/^\{"contacts":\[\{"id":"K-1","data":\{"Key":"K-1",.*"\}\}\],"duplicateDetection":"update","formatVerification":"relaxed"\}$/, 'says what to do');
($id, $state) = submit("SELECT k, phone, 'other' AS name FROM (" . rows(400) . ') r', "on_duplicate => 'ignore'");
is(parts($id), 'import done 400', q{on_duplicate 'ignore' is the platform's});
is(name_of('K-1') . ', ' . name_of('K-400'), 'name 1, other', 'and kept');
($id, $state) = submit(rows(3, 399), "on_duplicate => 'error'");
is($state, 'failed', q{on_duplicate 'error'});
is(rejected($id), 'K-399 contactId name 399, K-400 contactId name 400', 'tells which') ;
is(of($id, "rows_accepted || ' ' || rows_rejected"), '1 2', 'and counts');

# C1, C3: a file without a header.
anew(record_bodies => 'on');
($id, $state) = submit(rows(6000));
is(parts($id), 'upload done 6000', 'many go by file') or diag of($id, 'failure_reason');
my ($upload) = submissions();
like($upload->{path}, qr{/outbound/lists/$list/contacts/upload$}, 'to the list');
like($upload->{body}, qr/^[^+]*K-1,\+14150000001,K-1,name 1\r\n/, 'without a header, the ids first');
is($upload->{headers}{'x-content-sha256'}, $session->value("SELECT encode(sha256, 'hex') FROM gc_fdw.import_parts WHERE import_id = $id"), 'with its SHA-256');
is($sim->count($list), 6000, 'all of it is there');
is(name_of('K-6000'), 'name 6000', 'in its columns');

# DESIGN 2.1: opt-outs go by POST, 50 at once, whose echo is read; K8: no contact twice in a job.
anew();
($id, $state) = submit("SELECT *, g % 2 = 0 AS callable FROM (SELECT 'K-' || g AS k, g, 'n' AS name FROM generate_series(1, 200) g) r" =~ s/SELECT \*, /SELECT k, name, /r);
is(parts($id), 'bulk done 100, contacts done 100', 'opt-outs go by POST') or diag of($id, 'failure_reason');
is(scalar($sim->requests(qr{^POST .*/contactlists/.*/contacts$})), 2, 'in small blocks');
is(scalar(grep { !$_->{callable} } $sim->contacts($list)), 100, 'and take');
anew(duplicate_ids => '409');
($id, $state) = submit(rows(10) . " UNION ALL SELECT 'K-3', '+14150000003', 'later'");
is(parts($id), 'bulk done 10, bulk done 1', 'a contact that comes twice is in two jobs');
is(name_of('K-3'), 'later', 'its last row counts');

# What a dialect lacks is refused before anything is asked.
$sim->forget_requests;
my $result = $session->run("SELECT gc_fdw.submit_import('public_leads', 'SELECT 1 AS k', method => 'bulk')");
is($result->{sqlstate}, '0A000', 'a method that the dialect lacks');
like($result->{err}, qr/dialect "platform" has no method "bulk".*Methods of server "public" are "auto", "contacts", "upload"/s, 'is refused with those that it has');
is(scalar($sim->requests), 0, 'before any request');
$result = $session->run("SELECT gc_fdw.submit_import('leads', 'SELECT 1 AS k', method => 'post')");
is($result->{sqlstate}, '22023', 'and a word that is none');

# B6: required fields.
$result = $session->run(q{SELECT gc_fdw.submit_import('leads', $$SELECT 'K-1' AS k, NULL AS name$$)});
is($result->{sqlstate}, '23502', 'a required field must have a value');

# Small blocks: INSERT.
anew();
$session->run("INSERT INTO leads (k, phone, name) " . rows(120));
is(join(' ', sort { $b <=> $a } map { $_->{rows} } $sim->requests(qr{^POST .*/contacts$})), '50 50 20', 'INSERT goes in small blocks');
is($session->value('SELECT count(*) FROM leads'), 120, 'and they can be read');

# ---- what the platform refuses ----

# C5, F2: rows that the platform finds bad are told with their cells.
my $scores = $sim->api('POST', '/outbound/lists', {
	name => 'Scores', status => 'READY',
	schema => { name => 'scores', version => 1, fields => [ { name => 'Phone', type => 'phone' }, { name => 'Key', type => 'string' }, { name => 'Name', type => 'number' } ] } })->{id};
leads_table($node, 'scores', 'genesys', 'Scores', on_drift => 'ignore', verification => 'relaxed');
my $bad = "SELECT k, phone, CASE WHEN k IN ('K-5', 'K-6') THEN 'many' ELSE '7' END AS name FROM (" . rows(20) . ') r';
for my $method (qw(bulk import upload))
{
	$id = $session->value("SELECT gc_fdw.submit_import('scores', \$q\$$bad\$q\$, method => '$method')");
	is(ended($id), 'failed', "$method: rows that are refused halt the import") or diag of($id, 'failure_reason');
	is(of($id, "rows_accepted || ' ' || rows_rejected"), '18 2', '… and are counted');
	is(rejected($id), 'K-5 name many, K-6 name many', '… and told with their cells');
}
$session->run("ALTER FOREIGN TABLE scores OPTIONS (on_error 'reject')");
$id = $session->value("SELECT gc_fdw.submit_import('scores', \$q\$$bad\$q\$)");
is(ended($id), 'done', q{under on_error 'reject' it goes on});
is(rejected($id), 'K-5 name many, K-6 name many', 'without them');

# What no text can hold is left out of what is told (DESIGN 4.6).
$sim->faults({ method => 'GET', path => '/outbound/jobs/', body => '{"jobId":"x","status":"completed","totalRecords":20,"successfulRecords":19,"failedRecords":1,'
	  . '"errors":[{"row":5,"contactId":"K-5","field":"Name","message":"a\u0000b"}]}' });
$id = $session->value("SELECT gc_fdw.submit_import('scores', \$q\$" . $bad =~ s/'many'/'7'/r . '$q$)');
is(ended($id), 'done', 'an error whose words have a zero byte') or diag of($id, 'failure_reason');
is(rejected($id), 'K-5 name 7', 'is told without them');

# Rows that are refused and not named cannot be told: nothing goes on without them in silence (DESIGN 3).
$sim->faults({ method => 'GET', path => '/outbound/jobs/', body => '{"jobId":"x","status":"completed","totalRecords":20,"successfulRecords":18,"failedRecords":2,"errors":[]}' });
$id = $session->value("SELECT gc_fdw.submit_import('scores', \$q\$" . $bad =~ s/'many'/'7'/r . '$q$)');
is(ended($id), 'failed', 'a job that does not name the rows that it refused');
is(of($id, 'failure_reason'), 'The platform refused 2 rows and names 0 of them.', 'is told as such');
is($session->value("SELECT count(*) FROM gc_fdw.sent_contacts WHERE source = 'import' AND source_id = $id"), 0, 'and the ledger does not say that they were delivered');
$sim->faults;

# B2: too large is sent in halves.
anew(jobs_rows_max => 600);
($id, $state) = submit(rows(2000));
is($state, 'done', 'a part that is too large') or diag of($id, 'failure_reason');
is(join(' ', map { $_->{totalRecords} } jobs()) =~ s/.*(?=500 500 500 500$)//r, '500 500 500 500', 'goes in smaller jobs');
is($sim->count($list), 2000, 'all of it is there');
is(of($id, 'rows_accepted'), 2000, 'and counted once');
$sim->set(jobs_rows_max => 5000);

# J3b: a job that fails, or that somebody cancels.
for my $end (qw(failed canceled))
{
	anew(import_hold => 50);
	$id = begin(rows(100));
	await('the job to begin', sub { my ($last) = (jobs())[-1]; $last && $last->{state} eq 'inProgress' && $last->{percentComplete} == 50 });
	$sim->set(import_hold => 'off');
	$sim->call('POST', '/_sim/imports', { listId => $list, state => $end });
	is(ended($id), 'failed', "a job that is $end");
	is(of($id, 'rows_accepted'), 50, '… counts what it has taken');
}

# ---- others ----

# G2: PROCESSING is waited for, ERROR stops.
anew();
$sim->call('POST', '/_sim/liststatus', { listId => $list, status => 'PROCESSING', reads => 2 });
($id, $state) = submit(rows(10));
is($state, 'done', 'a list that is PROCESSING is waited for') or diag of($id, 'failure_reason');
is(scalar(submissions()), 1, 'before anything is sent');
anew();
$session->run("ALTER FOREIGN TABLE leads OPTIONS (ready_timeout '1s')");
$sim->call('POST', '/_sim/liststatus', { listId => $list, status => 'PROCESSING' });
$id = begin(rows(10));
ok(await('a pause', sub { of($id, 'state') eq 'paused' }), 'up to ready_timeout');
like(of($id, 'failure_reason'), qr/is not ready.*ready_timeout/, 'which it says');
is(scalar(submissions()), 0, 'without sending anything');
$session->run('ALTER FOREIGN TABLE leads OPTIONS (DROP ready_timeout)');
$sim->call('POST', '/_sim/liststatus', { listId => $list, status => undef });
$session->value("SELECT gc_fdw.resume_imports($id)");
is(ended($id), 'done', 'and goes on');
anew();
$sim->call('POST', '/_sim/liststatus', { listId => $list, status => 'ERROR' });
($id, $state) = submit(rows(10));
is($state, 'paused', 'a list in ERROR stops it');
like(slurp_log($node), qr/WARNING: .*contact list "Leads" is in an error state/, 'which the log says');
$sim->call('POST', '/_sim/liststatus', { listId => $list, status => undef });
$session->value("SELECT gc_fdw.resume_imports($id)");
is(ended($id), 'done', 'and it can be resumed');

# G3, K5: three jobs of somebody else.
anew();
$sim->call('POST', '/_sim/imports', { listId => $list, totalRecords => 10, kind => 'bulk', hold => 50 }) for 1 .. 3;
$id = begin(rows(10));
await('a refusal', sub { grep { $_->{status} == 409 } submissions() });
$sim->call('POST', '/_sim/imports', { listId => $list, state => 'completed' });
is(ended($id), 'done', 'a fourth job waits for its turn');
is(scalar(submissions()), 2, 'and asks again after 15 s');

# ---- campaigns ----

# I1, I2: bound and restarted as the dialect has it, stopped first where it dials another list.
my $other = $sim->list('Other', qw(Phone Key Name));
for my $case ([ complete => $list, 'GET,POST' ], [ on => $list, 'GET' ], [ off => $other, 'GET,PATCH,POST' ], [ on => $other, 'GET,POST,GET,PATCH,POST' ])
{
	my ($status, $of, $calls) = @$case;

	anew(record_bodies => 'on');
	$sim->call('POST', '/_sim/campaigns', { id => 'C1', name => 'Spring', contactList => { id => $of }, campaignStatus => $status, dialingMode => 'preview',
		callerName => 'Us', callerAddress => '+14155550100', phoneColumns => [ { columnName => 'Phone', type => 'cell' } ] });
	($id, $state) = submit(rows(3), "campaign_id => 'C1'");
	await('the campaign is seen to', sub { $session->value("SELECT state FROM gc_fdw.import_tasks WHERE import_id = $id") eq 'done' });
	my @calls = $sim->requests(qr{/outbound/campaigns/C1});
	is(join(',', map { $_->{method} } @calls), $calls, "a campaign that was $status");
	my $is = $sim->api('GET', '/outbound/campaigns/C1');
	is("$is->{campaignStatus} $is->{contactList}{id}", "on $list", '… dials the list of the import');
	is($calls[-1]{body}, '{"campaignStatus":"on"}', '… set on by its status') if $calls =~ /POST$/;
	is($calls[-2]{body}, "{\"contactListId\":\"$list\"}", '… and bound by its id') if $calls =~ /PATCH/;
}

# ---- what gets lost ----

# D2: an answer that was lost: what is there is not sent again, an opt-out least of all (D2b).
for my $method (qw(bulk import upload))
{
	for my $lost ([ after => 1 ], [ before => 2 ])
	{
		my ($drop, $sent) = @$lost;

		anew();
		$sim->faults({ method => 'POST', path => "*/outbound/*lists/$list/contacts/$method", nth => 1, drop => $drop,
			$drop eq 'after' ? (calls_after => [{ path => '/_sim/contacts', body => { listId => $list, id => 'K-7', callable => JSON::PP::false } }]) : () });
		($id, $state) = submit(rows(200), "method => '$method'", $method eq 'import' ? "on_duplicate => 'error'" : ());
		is($state, 'done', "$method: an answer that is dropped $drop the effect") or diag of($id, 'failure_reason');
		is(scalar(submissions()), $sent, '… and what is there is not sent again');
		is($sim->count($list) . ' ' . of($id, 'rows_accepted'), '200 200', '… all is there, once');
		is($sim->fault_hits, 1, '… though it was lost');
	}
}

# An answer with what cannot be a job's id says no more than one that was lost; nor is a correlation id kept that is none.
for my $odd ("\x{e9}t\x{e9}", 'j' x 300)
{
	anew();
	$sim->faults({ method => 'POST', path => '*/contacts/bulk', nth => 1, effect => \1, status => 200, body_json => { jobId => $odd },
		headers => { 'ININ-Correlation-Id' => "\x{e9}" } });
	($id, $state) = submit(rows(200));
	is($state, 'done', 'an odd id of a job') or diag of($id, 'failure_reason');
	is($session->value("SELECT concat(job_id, correlation_id ~ '[^ -~]') FROM gc_fdw.import_parts WHERE import_id = $id") =~ s/^f$//r, '', '… is not kept');
	is(scalar(submissions()) . ' ' . $sim->count($list), '1 200', '… and nothing is sent again');
}

# A question about what was sent that is refused says nothing of its rows: they are in doubt, and not given up.
anew();
$sim->faults({ method => 'POST', path => '*/contacts/upload', nth => 1, drop => 'after' }, { method => 'POST', path => '*/export', status => 400 });
($id, $state) = submit(rows(200), "method => 'upload'");
is("$state " . of($id, 'rows_in_doubt'), 'paused 200', 'a list that cannot be read back');
$sim->faults;
$session->value("SELECT gc_fdw.resume_imports($id)");
is(ended($id), 'done', '… is read when somebody has seen to it') or diag of($id, 'failure_reason');
is(scalar(submissions()) . ' ' . $sim->count($list) . ' ' . of($id, 'rows_accepted'), '1 200 200', '… and nothing is sent again');

# A worker that goes while a job is at work: the next one awaits the same job.
for my $method (qw(bulk import upload))
{
	anew(import_hold => 50);
	$id = begin(rows(200), "method => '$method'");
	await('the job to be kept', sub { $session->value("SELECT job_id IS NOT NULL FROM gc_fdw.import_parts WHERE import_id = $id") eq 't' });
	$session->run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker'");
	await('the worker to go', sub { $session->value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker'") == 0 });
	$sim->set(import_hold => 'off');
	$sim->call('POST', '/_sim/imports', { listId => $list, hold => undef });
	$session->value("SELECT gc_fdw.resume_imports($id)");
	is(ended($id), 'done', "$method: whoever comes next") or diag of($id, 'failure_reason');
	is(scalar(submissions()), 1, '… awaits the same job');
	is($sim->count($list) . ' ' . of($id, 'rows_accepted'), '200 200', '… and counts it');
}

done_testing();
