# Imports by file: what goes by file and what by POST, how the platform takes it, what it shows of
# it and what it refuses, and what is done when an answer is lost.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('uploads', "shared_preload_libraries = 'gc_fdw'");
add_server($node, $sim, 'genesys', upload_url => $sim->url, import_threshold => 100);
leads_table($node, 'leads', 'genesys', 'Leads');
$node->safe_psql('postgres', 'ALTER FOREIGN TABLE leads ADD callable boolean OPTIONS (attribute $$callable$$)' =~ s/\$\$/'/gr);
my $session = GcSession->new($node);

# begin(QUERY, ARGUMENT...): submits an import; its id.
sub begin
{
	my ($query, @arguments) = @_;
	return $session->value('SELECT gc_fdw.submit_import(' . join(', ', "'leads'", "\$q\$$query\$q\$", @arguments) . ')');
}

sub ended { my ($id) = @_; return $session->value("SELECT state FROM gc_fdw.await_import($id, '50s')") }

# submit(QUERY, ARGUMENT...): the same, awaited: the id, and its state.
sub submit { my $id = begin(@_); return ($id, ended($id)) }

sub rows
{
	my ($count, $from) = @_;
	$from //= 1;
	return "SELECT 'K-' || g AS k, '+1415' || lpad(g::text, 7, '0') AS phone, 'name ' || g AS name FROM generate_series($from, $from + $count - 1) g";
}

# of(IMPORT, COLUMN): of the import.
sub of { my ($id, $column) = @_; return $session->value("SELECT $column FROM gc_fdw.imports WHERE id = $id") }
sub parts { my ($id) = @_; return $session->value("SELECT string_agg(method || ' ' || state || ' ' || rows, ', ' ORDER BY part) FROM gc_fdw.import_parts WHERE import_id = $id") }
sub uploads { return grep { $_->{path} eq '/uploads/v2/contactlist' } $sim->requests }
sub name_of { my ($id) = @_; my ($found) = grep { $_->{id} eq $id } $sim->contacts($list); return $found->{data}{Name} }

# began(): the imports that the simulator has, of this list.
sub began { return @{ $sim->call('GET', "/_sim/imports?listId=$list") } }

# Forgets all, but for the list.
sub anew
{
	$sim->set(@_) if @_;
	$sim->forget_requests;
	eval { $sim->api('POST', "/outbound/contactlists/$list/clear") };
	await('an empty list', sub { $sim->count($list) == 0 });
	return;
}

sub resume { my ($id) = @_; return $session->value("SELECT gc_fdw.resume_imports($id)") }
sub ledger { my ($id) = @_; return $session->value("SELECT count(*) FROM gc_fdw.sent_contacts WHERE source = 'import' AND source_id = $id") }

# Ends the worker when half of its file has been taken.
sub lose_worker
{
	await('the import to begin', sub { my ($last) = (began())[-1]; $last && $last->{state} eq 'inProgress' && $last->{percentComplete} > 40 });
	$session->run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker'");
	await('the worker to go', sub { $session->value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker'") == 0 });
	return;
}

# ---- what goes by file ----

# C1, C3, C4: one file, with the SHA-256 of the part, and the contacts are there.
my ($id, $state) = submit(rows(2000));
is($state, 'done', 'an import by file') or diag of($id, 'failure_reason');
is(parts($id), 'upload done 2000', 'of one part, with the rows before the threshold');
is(of($id, 'method'), 'upload', 'by its threshold');
is($sim->count($list), 2000, 'its contacts are there');
my ($upload) = uploads();
is($upload->{headers}{'x-content-sha256'}, $upload->{body_sha256}, 'the SHA-256 goes along, and is that of the file');
is($session->value("SELECT encode(sha256, 'hex') FROM gc_fdw.import_parts WHERE import_id = $id"), $upload->{body_sha256}, 'and is kept');
is(of($id, 'rows_accepted'), 2000, 'all are counted');

# import_jobs knows which import the list's status is of.
$session->run("CREATE FOREIGN TABLE jobs (list_id text, kind text, state text, total bigint, import_id bigint) SERVER genesys OPTIONS (object 'import_jobs')");
is($session->value("SELECT concat_ws(' ', kind, state, total, import_id) FROM jobs WHERE list_id = '$list'"), "import done 2000 $id", 'import_jobs knows it');

# C1: below the threshold, and by method 'contacts', none.
anew();
($id, $state) = submit(rows(99));
is(parts($id), 'contacts done 99', 'fewer go by POST');
($id, $state) = submit(rows(200), "method => 'contacts'");
is(parts($id), 'contacts done 200', q{and all by method 'contacts'});
is(scalar uploads(), 0, 'without a file');

# C2: quotes, commas, line ends and characters beyond ASCII.
anew();
my @odd = ('a,b', 'say "hi"', 'two\nlines', 'cr\r\nlf', 'żółć ☎', '"', ',', '');
my $values = join ', ', map { "('O-$_', E'" . $odd[$_] . "')" } 0 .. $#odd;
($id, $state) = submit("SELECT k, '+14155550000' AS phone, name FROM (VALUES $values) v (k, name)", "method => 'upload'");
is($state, 'done', 'odd cells') or diag of($id, 'failure_reason');
utf8::decode($_) for @odd;
is_deeply([ map { name_of("O-$_") } 0 .. $#odd ], [ map { s/\\n/\n/gr =~ s/\\r/\r/gr } @odd ], 'arrive as they are');

# DESIGN 2.1: opt-outs and cells that are left alone go by POST, after the file.
anew();
($id, $state) = submit("SELECT *, k <> 'K-7' AS callable FROM (" . rows(50) . ') r', "method => 'upload'");
is(parts($id), 'upload done 49, contacts done 1', 'an opt-out goes by POST');
my ($quiet) = grep { $_->{id} eq 'K-7' } $sim->contacts($list);
ok(!$quiet->{callable}, 'and takes');
($id, $state) = submit('SELECT k, name FROM (' . rows(50) . ') r', "method => 'upload'");
is(parts($id), 'contacts done 50', 'as do rows that do not name all columns');
($id, $state) = submit(rows(10) . " UNION ALL SELECT 'K-3', '+14150000003', 'later'", "method => 'upload'");
is(name_of('K-3'), 'later', 'the last row of a contact counts');

# C6: the list trims the cells of files.
anew();
my $blanks = "SELECT k, phone, CASE WHEN k = 'K-2' THEN ' x ' ELSE name END AS name FROM (" . rows(3) . ') r';
my $result = $session->run("SELECT gc_fdw.submit_import('leads', \$q\$$blanks\$q\$, method => 'upload')");
is($result->{sqlstate}, '22023', 'what would be trimmed is refused');
like($result->{err}, qr/column "Name" of contact list "Leads" has blanks/, 'by column');
($id, $state) = submit($blanks, "method => 'upload'", "verification => 'relaxed'");
is(parts($id), 'upload done 2, contacts done 1', 'or goes by POST');
is(name_of('K-2'), ' x ', 'as it is');

# J2: parts of part_rows.
anew();
($id, $state) = submit(rows(2500), "options => '{\"part_rows\": 1000}'");
is(parts($id), 'upload done 1000, upload done 1000, upload done 500', 'parts of part_rows');
is($sim->count($list), 2500, 'all of which are there');

# A signed address gets its own headers, and no token.
anew();
$session->run("ALTER FOREIGN TABLE leads OPTIONS (upload_method 'presigned')");
($id, $state) = submit(rows(150));
is($state, 'done', 'a presigned upload') or diag of($id, 'failure_reason');
my ($put) = grep { $_->{method} eq 'PUT' } $sim->requests;
ok(!$put->{headers}{authorization}, 'goes without a token');
is($sim->count($list), 150, 'and is there');
$session->run('ALTER FOREIGN TABLE leads OPTIONS (DROP upload_method)');

# ---- what the platform shows ----

# J3: whatever the status shows on the way, it is done when it is.
for my $shows ([ import_shows => 'early_percent' ], [ import_shows => 'early_success' ], [ import_shows => 'stale' ],
	[ import_done_state => 'null' ], [ import_completed => 'accepted' ], [ import_tiny => 1000 ])
{
	my ($switch, $value) = @$shows;

	anew($switch => $value, import_ms => 1500);
	($id, $state) = submit(rows(200));
	is($state, 'done', "$switch $value") or diag of($id, 'failure_reason');
	my ($part) = (began())[-1];
	is($part->{state}, 'completed', '… and the platform has ended, too');
	$sim->set($switch => { import_shows => 'exact', import_done_state => 'absent', import_completed => 'all', import_tiny => 0 }->{$switch});
}
$sim->set(import_ms => 50);

# G1 to G3, J3b: nothing is uploaded while somebody else's import is at work, which is not taken for ours.
anew();
$sim->call('POST', '/_sim/imports', { listId => $list, totalRecords => 200, kind => 'upload', hold => 50 });
await('the other import to begin', sub { (began())[-1]{state} eq 'inProgress' });
$id = begin(rows(200));
await('two looks at the status', sub { 2 <= grep { $_->{path} =~ /importstatus/ } $sim->requests });
is(scalar uploads(), 0, 'somebody else is waited for');
$sim->call('POST', '/_sim/imports', { listId => $list, hold => undef });
is(ended($id), 'done', 'and then it is our turn');
is($sim->count($list), 200, 'with a file of as many rows');

# J3: what does not move is in doubt, and resumed without a second file.
anew(import_hold => 50);
$id = begin(rows(200), "options => '{\"stall_timeout\": \"3s\"}'");
await('a pause', sub { of($id, 'state') eq 'paused' });
like(of($id, 'failure_reason'), qr/does not move.*limit: stall_timeout/, 'an import that does not move says so');
is(of($id, 'rows_in_doubt'), 200, 'with the rows that are in doubt');
$sim->set(import_hold => 'off');
$sim->call('POST', '/_sim/imports', { listId => $list, hold => undef });
resume($id);
is(ended($id), 'done', 'is done when it moves');
is(scalar uploads(), 1, 'without a second file');

# J3: a list that shows already what it will show of ours: what is seen on its way is ours, …
anew(import_ms => 1500, discard => 'on');
for my $from (1, 1001)
{
	($id, $state) = submit(rows(200, $from));
	is($state, 'done', "a file of as many rows as the one before (from $from)") or diag of($id, 'failure_reason');
}
# … what never shows is not said to be there without grounds, …
$sim->set(import_polls => 1);
$id = begin(rows(200), "options => '{\"stall_timeout\": \"2s\"}'");
await('a pause', sub { of($id, 'state') eq 'paused' });
like(of($id, 'failure_reason'), qr/not known what became of a file .*Contacts that are not there as they were sent: 200\./, 'one of which nothing shows, neither in the status nor in the list, is in doubt');
is(of($id, 'rows_in_doubt'), 200, '… with its rows');
is(of($id, 'rows_accepted'), 0, '… of which none is claimed');
# … the contacts are such grounds, …
$sim->set(discard => 'off');
resume($id);
is(ended($id), 'done', '… until it is there') or diag of($id, 'failure_reason');
($id, $state) = submit(rows(200, 501));
is($state, 'done', 'one that the list alone shows') or diag of($id, 'failure_reason');
is($sim->count($list), 400, '… is there');
# … and so are events.
anew(contacts_max => 10);
for my $try (1, 2)
{
	($id, $state) = submit(rows(200));
	is(of($id, "state || ' ' || failure_code"), 'failed EXCEEDED_CONTACT_LIMIT', "a failure like the one before ($try)");
}
$sim->set(contacts_max => 0, import_polls => 0, import_ms => 50);

# G3, J2: somebody else's import that does not end: nothing of ours was sent, and nothing is in doubt.
anew();
$sim->call('POST', '/_sim/imports', { listId => $list, totalRecords => 300, kind => 'upload', hold => 50 });
await('the other import to begin', sub { (began())[-1]{state} eq 'inProgress' });
$id = begin(rows(200), "options => '{\"stall_timeout\": \"2s\"}'");
await('a pause', sub { of($id, 'state') eq 'paused' });
is(of($id, "state || ' ' || rows_in_doubt"), 'paused 0', q{behind somebody else's import});
like(of($id, 'failure_reason'), qr/Another import of the list is at work/, '… it says so');
is($session->value("SELECT state || ' ' || attempts FROM gc_fdw.import_parts WHERE import_id = $id"), 'staged 0', '… and its part waits');
cmp_ok(of($id, 'requests'), '>=', scalar(grep { $_->{path} =~ /importstatus/ } $sim->requests), '… with what it has asked counted');
$sim->call('POST', '/_sim/imports', { listId => $list, hold => undef });
resume($id);
is(ended($id), 'done', '… until it has ended');
my $asked = grep { $_->{path} =~ m{importstatus|/uploads/|/events} } $sim->requests;
cmp_ok(of($id, 'requests'), '>=', $asked, 'the requests of an upload are counted, file and all');

# ---- what it refuses ----

# Failures of the whole file are said in words, and end the import (F2).
anew(import_hold => 50);
$id = begin(rows(1500), "options => '{\"part_rows\": 1000}'");
await('the import to begin', sub { my ($last) = (began())[-1]; $last->{state} eq 'inProgress' && $last->{percentComplete} == 50 });
$sim->set(import_hold => 'off');
$sim->call('POST', '/_sim/imports', { listId => $list, state => 'failed', failureReason => 'EXCEEDED_CONTACT_LIMIT' });
is(ended($id), 'failed', 'a file that fails');
is(of($id, "failure_code || ': ' || failure_reason"), 'EXCEEDED_CONTACT_LIMIT: The list, or the organisation, has no room for more contacts.', 'says why');
is(parts($id), 'upload failed 1000, upload cancelled 500', 'and ends the import');
is(of($id, 'rows_accepted'), 500, 'what was accepted is counted');

# C5: rows that only the platform finds bad.
my $bad = "SELECT k, CASE WHEN k IN ('K-5', 'K-6') THEN '12' ELSE phone END AS phone, name FROM (" . rows(200) . ') r';
for my $completed (qw(all accepted))
{
	anew(import_verifies => 'on', import_completed => $completed);
	($id, $state) = submit($bad, "verification => 'relaxed'");
	is($state, 'failed', 'rows that are refused halt the import');
	is(of($id, "rows_accepted || ' ' || rows_rejected"), '198 2', '… and are counted');
	is($session->value("SELECT string_agg(key || ' ' || code, ', ' ORDER BY key) FROM gc_fdw.rejected_rows WHERE source = 'import' AND source_id = $id"),
		'K-5 IMPORT_INVALID_PHONE_NUMBERS, K-6 IMPORT_INVALID_PHONE_NUMBERS', '… and told by their keys');
	is($session->value("SELECT row_data FROM gc_fdw.rejected_rows WHERE source = 'import' AND source_id = $id AND key = 'K-5'"),
		'{"k": "K-5", "name": "name 5", "phone": "12", "callable": null, "contact_id": "K-5"}', '… as they were staged');
	is(ledger($id), 198, '… and the ledger has the others alone');
}
anew();
$session->run("ALTER FOREIGN TABLE leads OPTIONS (on_error 'reject')");
($id, $state) = submit($bad, "verification => 'relaxed'");
is($state, 'done', q{under on_error 'reject' it goes on without them});
is(of($id, 'rows_rejected'), 2, 'and counts them');
is(ledger($id), 198, '… and has the others in the ledger');
# D2: what was refused is no reason to send a file again, nor is an id that comes twice.
my $twice = "$bad UNION ALL SELECT 'K-9', '+14150000009', 'later'";
anew(import_hold => 50);
$id = begin($twice, "verification => 'relaxed'");
lose_worker();
$sim->set(import_hold => 'off');
$sim->call('POST', '/_sim/imports', { listId => $list, hold => undef });
resume($id);
is(ended($id), 'done', 'a file with repeated and refused rows, after its worker went') or diag of($id, 'failure_reason');
is(scalar uploads(), 1, '… is not sent again');
is(of($id, "rows_accepted || ' ' || rows_rejected"), '199 2', '… and counted as it is');
is($session->value("SELECT count(*) FROM gc_fdw.rejected_rows WHERE source = 'import' AND source_id = $id"), 2, '… with its rejected rows, once');
is(name_of('K-9'), 'later', '… the last row counts');
$session->run('ALTER FOREIGN TABLE leads OPTIONS (DROP on_error)');
$sim->set(import_verifies => 'off', import_completed => 'all');

# ---- what gets lost ----

# D2: an answer that was lost makes no second import, and a file that was lost is sent again.
for my $lost ([ after => 1 ], [ before => 2 ], [ during => 2 ])
{
	my ($drop, $files) = @$lost;

	anew();
	$sim->faults({ path => '/uploads/v2/contactlist', nth => 1, drop => $drop });
	($id, $state) = submit(rows(200));
	is($state, 'done', "an upload whose answer is dropped $drop the effect") or diag of($id, 'failure_reason');
	is(scalar uploads(), $files, '… is found, or sent again');
	is($sim->count($list), 200, '… and all is there');
}
$sim->faults;

# A worker that goes: whoever comes next finds what it has left.
anew(import_hold => 50);
$id = begin(rows(200));
lose_worker();
$sim->set(import_hold => 'off');
$sim->call('POST', '/_sim/imports', { listId => $list, hold => undef });
resume($id);
is(ended($id), 'done', 'an import whose worker went is done by the next one');
is(scalar uploads(), 1, 'and its file is not sent again');

# DESIGN 3: of a file that arrived in part only what is not there is sent again.
anew(import_hold => 50);
$id = begin(rows(200));
lose_worker();
$sim->set(import_hold => 'off');
$sim->call('POST', '/_sim/imports', { listId => $list, state => 'completed' });
resume($id);
is(ended($id), 'done', 'a file of which half is there') or diag of($id, 'failure_reason');
is_deeply([ map { $_->{rows} } uploads() ], [ 200, 100 ], '… is followed by the other half');
is($session->value("SELECT encode(sha256, 'hex') FROM gc_fdw.import_parts WHERE import_id = $id"), (uploads())[-1]{body_sha256}, '… of which the SHA-256 is kept');
is((uploads())[-1]{headers}{'x-content-sha256'}, (uploads())[-1]{body_sha256}, '… and was sent along');
is($sim->count($list), 200, '… and all is there');
is(of($id, 'rows_accepted'), 200, '… and counted');

# J1: contacts that are there are skipped, or an error, by file, too.
anew();
$sim->api('POST', "/outbound/contactlists/$list/contacts", [ map { { id => "K-$_", contactListId => $list, data => { Phone => '+14155550000', Key => "K-$_", Name => 'there' } } } 3, 1500 ]);
($id, $state) = submit(rows(2000), "method => 'upload'", "on_duplicate => 'ignore'");
is(of($id, "state || ' ' || rows_accepted || ' ' || rows_skipped"), 'done 1998 2', q{on_duplicate 'ignore' by file});
is_deeply([ map { $_->{rows} } uploads() ], [1998], '… leaves out what is there');
is(name_of('K-1500'), 'there', '… as it is');
is($session->value("SELECT encode(sha256, 'hex') FROM gc_fdw.import_parts WHERE import_id = $id"), (uploads())[-1]{body_sha256}, '… with the SHA-256 of what was sent');
is(ledger($id), 1998, '… and the ledger has the others alone');
($id, $state) = submit(rows(2000), "method => 'upload'", "on_duplicate => 'ignore'");
is(of($id, "state || ' ' || rows_accepted || ' ' || rows_skipped"), 'done 0 2000', 'all there: none is sent');
is(scalar uploads(), 1, '… and no file');
($id, $state) = submit(rows(10, 1995), "method => 'upload'", "on_duplicate => 'error'");
is(of($id, "state || ' ' || failure_code"), 'failed 23505', q{on_duplicate 'error' by file});
($id, $state) = submit(rows(200, 3001), "on_duplicate => 'ignore'");
is(parts($id), 'contacts done 200', q{which method 'auto' sends by POST});

# ---- memory ----

# Flat, whatever the file: what the worker takes for a file five times as large.
SKIP:
{
	my %kb;

	skip_sanitized();
	for my $count (60_000, 300_000)
	{
		anew(import_hold => 50);
		$id = begin(rows($count));
		await('the import to begin', sub { my ($last) = (began())[-1]; $last->{state} eq 'inProgress' && $last->{percentComplete} == 50 });
		my $pid = $session->value("SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'gc_fdw%'");
		$kb{$count} = rss_kb($pid);
		$sim->set(import_hold => 'off');
		$sim->call('POST', '/_sim/imports', { listId => $list, hold => undef });
		is(ended($id), 'done', "a file of $count rows");
	}
	cmp_ok($kb{300_000} - $kb{60_000}, '<', 2048, 'takes no more memory, in kB, than one of a fifth');
	cmp_ok($kb{300_000}, '<', 64 * 1024, 'which is little');
}

done_testing();
