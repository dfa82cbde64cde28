# What may go wrong below an import: it ends, or is paused, with a reason, and nobody else is
# harmed (DESIGN 4.6, 5; SCENARIOS F2, U13, U15).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

# A row is bad if its zip code is none: only the platform knows.
my $sim = GcSim->new;
my $node = new_shimmed_node('ends', "gc_fdw.databases = 'postgres'", 'restart_after_crash = on');
add_server($node, $sim, 'usual', batch_size => dialect() eq 'jobs' ? 1500 : 100, max_in_flight => 1, retry_timeout => '2s', max_retries => 2, on_error => 'reject',
	verification => 'relaxed', max_rejects => 5);
my $control = GcSession->new($node);
my $listener = GcSession->new($node);
$listener->run('LISTEN gc_fdw_imports');
my %lists;

sub new_list
{
	my ($name, $dbname) = @_;
	$lists{$name} //= $sim->call('POST', '/_sim/lists', {
		name => $name, columnNames => [qw(Phone Key Name Zip)], phoneColumns => [{ columnName => 'Phone', type => 'cell' }],
		automaticTimeZoneMapping => \1, zipCodeColumnName => 'Zip' })->{id};
	leads_table($node, $name, 'usual', $name, dbname => $dbname);
	$node->safe_psql($dbname // 'postgres', "ALTER FOREIGN TABLE $name ADD COLUMN zip text OPTIONS (field 'Zip')");
	return;
}

# submitted(TABLE, ROWS, BAD, SESSION): the id of an import; of these numbers' rows the zip code is none.
sub submitted
{
	my ($table, $rows, $bad, $session) = @_;
	return ($session // $control)->value("SELECT gc_fdw.submit_import('$table', 'SELECT ''$table-'' || i AS k, "
		  . "CASE WHEN i % 10 = 0 AND i <= ${\ ($bad // 0)} THEN ''none'' ELSE ''10115'' END AS zip FROM generate_series(1, $rows) i')");
}

sub column { my ($id, $column) = @_; return $control->value("SELECT $column FROM gc_fdw.imports WHERE id = $id") }
sub becomes
{
	my ($id, $state, $what) = @_;
	await("$what: $state", sub { column($id, 'state') eq $state }, 60);
	return is(column($id, 'state'), $state, $what);
}
sub stored { my ($table) = @_; return scalar $sim->contacts($lists{$table}) }
sub delay { my ($seconds) = @_; return $sim->faults({ path => part_path(), method => 'POST', nth => 1, delay_ms => 1000 * $seconds }) }

# --- payloads that are not as they were staged ------------------------------------------------------------

new_list('damaged');
my %damage = (
	'no row at all' => q(UPDATE import_chunks SET payload = 'nothing' WHERE import_id = %d),
	'a row without an end' => q(UPDATE import_chunks SET payload = substr(payload, 1, length(payload) - 7) WHERE import_id = %d),
	'offsets beyond the row' => q(UPDATE import_chunks SET payload = convert_to(regexp_replace(convert_from(payload, 'UTF8'), E'\t\\\\d+\t', E'\t99999999\t', 'g'), 'UTF8') WHERE import_id = %d),
	'negative offsets' => q(UPDATE import_chunks SET payload = convert_to(regexp_replace(convert_from(payload, 'UTF8'), E'\t\\\\d+\t', E'\t-5\t', 'g'), 'UTF8') WHERE import_id = %d),
	'JSON that is none' => q(UPDATE import_chunks SET payload = convert_to(replace(convert_from(payload, 'UTF8'), '"', '\\\\'), 'UTF8') WHERE import_id = %d),
	'a payload that is gone' => q(DELETE FROM import_chunks WHERE import_id = %d));
my $waiter = GcSession->new($node);
for my $what (sort keys %damage)
{
	$control->run("SELECT gc_fdw.pause('damaged')");
	my $id = submitted('damaged', 50);
	my $done = $control->run('SET search_path = gc_fdw, public; ' . sprintf($damage{$what}, $id) . '; RESET search_path');
	is($done->{sqlstate}, '00000', $what) || diag $done->{err};
	$control->run("SELECT gc_fdw.unpause('damaged')");
	is($waiter->run("SELECT state, failure_code, failure_reason <> '' FROM gc_fdw.await_import($id)")->{out}, 'failed|XX001|t',
		"$what: the import fails, and who waits is told");
	ok(await("$what: a notification", sub { $listener->run('SELECT 1')->{out} =~ /payload "$id failed"/ }), "$what: so is who listens");
}

# A method that the server's dialect lacks, as after a change of dialect, can come back.
$control->run("SELECT gc_fdw.pause('damaged')");
my $strange = submitted('damaged', 50);
$control->run("UPDATE gc_fdw.import_parts SET method = 'pigeon' WHERE import_id = $strange");
$control->run("SELECT gc_fdw.unpause('damaged')");
is($waiter->run("SELECT state, failure_code, retry_at IS NULL FROM gc_fdw.await_import($strange)")->{out}, 'paused|0A000|t', 'a method that the dialect lacks: it waits for somebody');
is($control->value("SELECT gc_fdw.cancel_import($strange)"), 't', '… who may cancel it');
is(stored('damaged'), 0, 'nothing of them is sent');

# --- rows that the platform refuses, one too many (F2; NAMES retry_import) -------------------------------

new_list('picky');
my $id = submitted('picky', 200, 100);
becomes($id, 'failed', 'more rows are rejected than max_rejects allows');
# A job has refused them all before anybody can stop it.
is(column($id, "rows_rejected || ' ' || failure_code"), dialect() eq 'jobs' ? '10 JOB_ERROR' : '5 22023', 'those that it allows are counted');
is($control->value("SELECT string_agg(key, ',' ORDER BY id) FROM gc_fdw.rejected_rows WHERE source = 'import' AND source_id = $id"),
	join(',', map { "picky-${_}0" } 1 .. 5), 'and kept, although the part that they are of has failed');
my $again = $control->value("SELECT gc_fdw.retry_import($id, 'SELECT ''picky-'' || i AS k, ''10115'' AS zip FROM generate_series(1, 200) i')");
is($waiter->run("SELECT state, rows_total, rows_accepted FROM gc_fdw.await_import($again)")->{out}, 'done|5|5', 'they can be corrected, and tried again');

# --- a list that is gone -------------------------------------------------------------------------------------

new_list('dropped');
$control->run("SELECT gc_fdw.pause('dropped')");
$id = submitted('dropped', 50);
$sim->faults({ path => "*/$lists{dropped}*", status => 404, times => 1000, body_json => { status => 404, code => 'contact.list.not.found', message => 'Gone.' } });
$control->run("SELECT gc_fdw.unpause('dropped')");
await('it is paused', sub { column($id, "state = 'paused' AND failure_code IS NOT NULL") eq 't' });
is(column($id, "failure_code || ' ' || (retry_at IS NULL)"), 'HV00R true', 'its import is paused, and not tried again by itself');
is($control->value("SELECT gc_fdw.cancel_import($id)"), 't', 'it can be cancelled');
becomes($id, 'cancelled', 'then it is over');

# --- a disk that is full --------------------------------------------------------------------------------------

new_list('crowded');
delay(2);
$id = submitted('crowded', 9000);
await('it is under way', sub { $sim->fault_hits });
fill_disk();
await('it is paused', sub { column($id, 'state') eq 'paused' }, 60);
is(column($id, "failure_code || ' ' || (retry_at IS NOT NULL)"), '53100 true', 'on a full disk it is paused, and tried again');
like(column($id, 'failure_reason'), qr/No space left on device/, 'with the reason');
free_disk();
is($control->value("SELECT gc_fdw.resume_imports($id)"), '1', 'when there is room');
becomes($id, 'done', 'it goes on');
is(stored('crowded'), 9000, 'and everything is there');
is($control->value("SELECT count(*) FROM gc_fdw.sent_contacts WHERE source_id = $id"), '9000', 'the ledger has it');

# --- another extension in the place of the one that has the import ---------------------------------------------

new_database($node, 'again', 'UTF8');
sub again_server
{
	add_server($node, $sim, 'usual', batch_size => 100, dbname => 'again');
	return;
}
again_server();
new_list('first', 'again');
my $session = GcSession->new($node, dbname => 'again');
delay(3);
my $first = submitted('first', 200, 0, $session);
await('it is under way', sub { $sim->fault_hits });
is( $session->value(
		"SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.backend_type LIKE 'gc_fdw%' AND l.locktype = 'relation'"),
	'0', 'its worker holds no table meanwhile');
is($session->run('DROP EXTENSION gc_fdw CASCADE; CREATE EXTENSION gc_fdw')->{sqlstate}, '00000', 'the extension is made again meanwhile');
again_server();
new_list('second', 'again');
is(submitted('second', 200, 0, $session), $first, 'an import has the id of the one that is being sent');
await('the new one is done', sub { $session->value("SELECT state FROM gc_fdw.imports WHERE id = $first") eq 'done' });
is($session->value("SELECT rows_accepted FROM gc_fdw.imports WHERE id = $first"), '200', 'the new one is done, once');
is(stored('second'), 200, 'all of it, where it belongs');
is(scalar(grep { $_ !~ /^first-/ } $sim->contact_ids($lists{first})), 0, 'nothing of it where the old one went');
$session->close;

# --- without a launcher: whoever calls resume_imports() ---------------------------------------------------------

$sim->faults();
$node->append_conf('postgresql.conf', "gc_fdw.databases = ''");
$node->reload;
new_list('behind');
delay(3);
$id = submitted('behind', 200);
await('it is under way', sub { $sim->fault_hits });
my $size = -s $node->logfile;
kill 'KILL', $control->value("SELECT max(pid) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker'");
$control = await_recovery($node, $size);
is(column($id, 'state'), 'running', 'what a crash leaves is as its last commit says');
is($control->value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker'"), '0', 'and nobody is at it');
is($control->value('SELECT gc_fdw.resume_imports()'), '1', 'resume_imports() finds it');
becomes($id, 'done', 'it goes on');
is(stored('behind'), 200, 'and everything is there');

unlike(slurp_log($node), qr/PANIC|TRAP|terminated by signal (?!9\b)/, 'nobody else is harmed');

done_testing();
