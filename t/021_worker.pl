# The background worker: what it is to write outlives rollbacks, ends of sessions and shutdowns,
# or is in the log; whatever happens to it harms nobody else (DESIGN 4.6, TECHNIQUES 9).
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
my $node = new_node('worker', 'max_worker_processes = 4');

# prepare(DATABASE): leads, and picky, which rejects.
sub prepare
{
	my ($dbname) = @_;
	add_server($node, $sim, 'genesys', dbname => $dbname);
	leads_table($node, 'leads', 'genesys', 'Leads', dbname => $dbname);
	leads_table($node, 'picky', 'genesys', 'Leads', dbname => $dbname, on_error => 'reject');
	return;
}

# session(NAME[, DATABASE]): which has sent one contact in a transaction that is still open.
sub session
{
	my ($name, $dbname) = @_;
	my $session = GcSession->new($node, name => $name, dbname => $dbname // 'postgres');

	is($session->run("BEGIN; INSERT INTO leads (k) VALUES ('$name')")->{sqlstate}, '00000', "$name: sent");
	return $session;
}

# in_log(NAME[, STATUS]): the lines of the log in place of rows.
sub in_log
{
	my ($name, $status) = @_;
	$status //= 'rolled back';
	my @lines = slurp_log($node) =~
	  /LOG: .*not in gc_fdw\.audit_log: at=\S.* by_role="\w+" application_name="\Q$name\E" operation=INSERT list_id="$list" status="$status" latency_ms=[\d.]+ total=\d+ accepted=\d+ in_doubt=\d+ rejected=\d+ requests=\d+ correlation_id="[\w-]*" statements=\d+$/mg;
	return scalar @lines;
}

my $control = GcSession->new($node, name => 'control');

# in_table(NAME): status and counts of the rows.
sub in_table
{
	my ($name) = @_;
	return $control->value(
		"SELECT string_agg(concat_ws(' ', status, accepted, in_doubt), ', ' ORDER BY id) FROM gc_fdw.audit_log WHERE application_name = '$name'");
}

sub worker { return $control->value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker'") }

# becomes(NAME, ROWS): what is in the table, a moment later.
sub becomes
{
	my ($name, $rows) = @_;
	await("$name is in the audit", sub { in_table($name) ne '' });
	return is(in_table($name), $rows, "$name: $rows");
}

prepare('postgres');

# --- sessions that end --------------------------------------------------------------------------

my $session = session('disconnected');
$session->close;
becomes('disconnected', 'rolled back 1 0');
$session = session('terminated');
my $pid = $session->pid;
$control->value("SELECT pg_terminate_backend($pid)");
becomes('terminated', 'rolled back 1 0');

# It fails at the very end, when its row had been written already: by then it is a serialization failure.
$control->run('CREATE TABLE skew (class int, value int); INSERT INTO skew VALUES (1, 10), (2, 20)');
my @skew = map { GcSession->new($node, name => "skew$_") } 1, 2;
for my $i (0, 1)
{
	my ($mine, $other) = (1 + $i, 2 - $i);
	$skew[$i]->run($_) for 'BEGIN ISOLATION LEVEL SERIALIZABLE', "SELECT sum(value) FROM skew WHERE class = $mine",
	  "INSERT INTO skew VALUES ($other, 1)", "INSERT INTO leads (k) VALUES ('skew$mine')";
}
is($skew[0]->run('COMMIT')->{sqlstate}, '00000', 'the first of two that exclude each other commits');
is($skew[1]->run('COMMIT')->{sqlstate}, '40001', 'the second does not');
becomes('skew1', 'completed 1 0');
becomes('skew2', 'rolled back 1 0');
$_->close for @skew;

# --- a worker that waits, fails, or is ended ------------------------------------------------------

# rolled_back_behind_lock(NAME[, DATABASE]): a transaction is rolled back, and somebody keeps the worker from
# the table.  Returns the lock's holder and the worker's pid.
sub rolled_back_behind_lock
{
	my ($name, $dbname) = @_;
	my $writer = session($name, $dbname);
	my $holder = GcSession->new($node, name => 'holder', dbname => $dbname // 'postgres');

	$holder->run('BEGIN');
	$holder->start('LOCK TABLE gc_fdw.audit_log IN SHARE MODE');
	await('the holder is next', sub {
		$control->value('SELECT wait_event_type FROM pg_stat_activity WHERE pid = ' . $holder->pid) eq 'Lock';
	});
	$writer->run('ROLLBACK');
	$writer->close;
	$holder->finish;
	my $waiting = await("the worker of $name waits", sub {
		$control->value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker' AND wait_event_type = 'Lock'");
	});
	return ($holder, $waiting);
}

my ($holder, $worker) = rolled_back_behind_lock('patient');
is(in_table('patient'), '', 'nothing is there while the worker waits');
$holder->run('COMMIT');
$holder->close;
becomes('patient', 'rolled back 1 0');

($holder, $worker) = rolled_back_behind_lock('stopped');
$control->value("SELECT pg_terminate_backend($worker)");
ok(await('the log has it', sub { in_log('stopped') }), 'a worker that is ended leaves a line in the log');
$holder->close;
is(in_table('stopped'), '', 'and no row');

$control->run("ALTER TABLE gc_fdw.audit_log ADD CONSTRAINT picky CHECK (application_name <> 'unwanted')");
session('unwanted')->close;
ok(await('the log has it', sub { in_log('unwanted') }), 'a row that cannot be written is in the log');
like(slurp_log($node), qr/LOG: .*gc_fdw worker: new row for relation "audit_log" violates check constraint "picky"/, 'with the reason');
$control->run('ALTER TABLE gc_fdw.audit_log DROP CONSTRAINT picky');

# --- databases and extensions that go ---------------------------------------------------------------

$control->run('CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION gc_fdw');
prepare('other');
($holder, $worker) = rolled_back_behind_lock('dropped', 'other');
is($control->run('DROP DATABASE other WITH (FORCE)')->{sqlstate}, '00000', 'DROP DATABASE FORCE ends the worker');
# (The row was in time, and went with the database; or it is in the log.)
ok(!is_alive($worker), 'it is gone');
$holder->close;

$control->run('CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION gc_fdw');
prepare('other');
$session = session('uninstalled', 'other');
my $dropper = GcSession->new($node, name => 'dropper', dbname => 'other');
$dropper->start('DROP EXTENSION gc_fdw CASCADE');
await('the extension waits for the transaction', sub {
	$control->value('SELECT wait_event_type FROM pg_stat_activity WHERE pid = ' . $dropper->pid) eq 'Lock';
});
# The worker and DROP EXTENSION both wait for the table: it is written, and goes; or it is gone.
$session->run('ROLLBACK');
is($dropper->finish->{sqlstate}, '00000', 'DROP EXTENSION goes on');
ok(await('the worker is gone', sub { worker() eq '' }), 'the worker ends');
is($node->safe_psql('other', "SELECT count(*) FROM pg_extension WHERE extname = 'gc_fdw'"), 0, 'the extension is gone');
# What the transaction that drops the extension wrote itself.
$node->safe_psql('other', 'DROP SCHEMA IF EXISTS gc_fdw CASCADE; CREATE EXTENSION gc_fdw');
prepare('other');
$session->close;
$session = session('leaving', 'other');
$session->run('DROP EXTENSION gc_fdw CASCADE');
is($session->run('COMMIT')->{sqlstate}, '00000', 'a transaction that writes and drops the extension commits');
is(in_log('leaving', 'completed'), 1, 'its row is in the log');
$session->close;

# A database that lets nobody in.
$node->safe_psql('other', 'CREATE EXTENSION gc_fdw');
prepare('other');
$session = session('closed', 'other');
my $looker = GcSession->new($node, dbname => 'other');
$control->run('ALTER DATABASE other ALLOW_CONNECTIONS false');
$session->run('ROLLBACK');
ok(await('it is written', sub { $looker->value("SELECT count(*) FROM gc_fdw.audit_log WHERE application_name = 'closed'") eq '1' }),
	'a database that allows no connections');
$_->close for $session, $looker;

# --- rejected rows ----------------------------------------------------------------------------------

# picky_insert(NAME, ROWS): starts a statement whose second row waits for a lock of the control session's.
# The others, but for the last, are no good.
sub picky_insert
{
	my ($name, $rows) = @_;
	my $one = GcSession->new($node, name => $name);

	$control->value('SELECT pg_advisory_lock(1)');
	$one->start(<<"SQL");
INSERT INTO picky (k, name)
SELECT CASE WHEN g = 2 AND pg_advisory_lock(1) IS NULL THEN '' WHEN g IN (2, $rows) THEN '$name' || g ELSE '$name ' || g END, repeat('x', 400)
FROM generate_series(1, $rows) g
SQL
	await('the statement waits', sub {
		$control->value('SELECT wait_event FROM pg_stat_activity WHERE pid = ' . $one->pid) eq 'advisory';
	});
	return $one;
}

# rejected(NAME): how many rows.
sub rejected { my ($name) = @_; return $control->value("SELECT count(*) FROM gc_fdw.rejected_rows WHERE row_data->>'k' LIKE '$name %'") }

sub unlock { return $control->value('SELECT pg_advisory_unlock(1)') }

# Each row is committed while the statement is still at work.
$session = picky_insert('early', 4);
ok(await('the first row is there', sub { rejected('early') eq '1' }), 'a rejected row is committed at once');
unlock();
is($session->finish->{sqlstate}, '00000', 'the statement goes on');
is(rejected('early'), 2, 'all rejected rows are there when it ends');
$session->close;
ok(await('the worker is gone', sub { worker() eq '' }), 'the worker goes with the transaction');

# It is cancelled: what was rejected by then stays.
$session = picky_insert('cancelled', 4);
$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
is($session->finish->{sqlstate}, '57014', 'a statement that is cancelled');
unlock();
ok(await('its row is there', sub { rejected('cancelled') eq '1' }), 'what it rejected stays');
$session->close;

# The worker is ended.
$session = picky_insert('orphan', 4);
await('the first row is there', sub { rejected('orphan') eq '1' });
$worker = worker();
$control->value("SELECT pg_terminate_backend($worker)");
await('the worker is gone', sub { worker() eq '' });
unlock();
my $result = $session->finish;
is($result->{sqlstate}, 'HV000', 'without its worker the statement fails');
like($result->{err}, qr/could not write all rejected rows.*Rows written: 1, lost: 1\./s, 'and says what is lost');
is($session->run("INSERT INTO picky (k) VALUES ('orphan 9')")->{sqlstate}, '00000', 'the next one has another worker');
is(rejected('orphan'), 2, 'which writes');
$session->close;

# The table takes no rows: what the log says has no cell.
$control->run("ALTER TABLE gc_fdw.rejected_rows ADD CONSTRAINT never CHECK (row_data->>'name' <> 'secret cell')");
$session = GcSession->new($node, name => 'full');
$result = $session->run("INSERT INTO picky (k, name) VALUES ('no good', 'secret cell')");
is($result->{sqlstate}, 'HV000', 'rows that cannot be written fail the statement');
like(slurp_log($node), qr/LOG: .*gc_fdw worker: new row for relation "rejected_rows" violates check constraint "never"/, 'the log says why');
unlike(join("\n", grep { !/STATEMENT|statement:/ } split /\n/, slurp_log($node)), qr/secret cell/, 'without the row');
$control->run("ALTER TABLE gc_fdw.rejected_rows DROP CONSTRAINT never");
$session->close;

# The worker is behind: the statement waits for it, and can be cancelled.
$session = picky_insert('hasty', 900);
await('the first row is there', sub { rejected('hasty') eq '1' });
$holder = GcSession->new($node, name => 'holder');
$holder->run('BEGIN; LOCK TABLE gc_fdw.rejected_rows IN SHARE MODE');
unlock();
ok(await('the statement waits for the worker', sub {
	$control->value('SELECT wait_event FROM pg_stat_activity WHERE pid = ' . $session->pid) =~ /^MessageQueueSend$/;
}), 'a statement does not run ahead of its worker');
$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
$result = $session->finish;
is($result->{sqlstate}, '57014', 'it can be cancelled there');
$holder->run('COMMIT');
await('the worker is gone', sub { worker() eq '' });
cmp_ok(rejected('hasty'), '>', 50, 'what had been handed over is written');
# Waiting for the last commit is no less a wait.
$session->start("INSERT INTO picky (k) VALUES ('last 1')");
$session->finish;
$holder->run('BEGIN');
$session->run('BEGIN');
$session->run("INSERT INTO picky (k) VALUES ('last 2')");
$holder->run('LOCK TABLE gc_fdw.rejected_rows IN SHARE MODE');
$session->start("INSERT INTO picky (k) VALUES ('last 3')");
await_waiting($control, $session);
$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
is($session->finish->{sqlstate}, '57014', 'a wait for the last commit can be cancelled');
$_->close for $session, $holder;
ok(await('it is written all the same', sub { rejected('last') eq '3' }), 'and the row is written');

# --- dumps ------------------------------------------------------------------------------------------

my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
my ($rows, $next) = split /\|/, $control->value('SELECT count(*), max(id) + 1 FROM gc_fdw.audit_log');
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $dump ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ], 'the dump is restored without an error');
cmp_ok($node->safe_psql('restored', 'SELECT count(*) FROM gc_fdw.audit_log'), '>=', $rows, 'history goes into dumps');
is($node->safe_psql('restored', "SELECT count(*) FROM gc_fdw.rejected_rows WHERE row_data->>'k' LIKE 'early %'"), 2, 'rejected rows, too');
cmp_ok($node->safe_psql('restored', "SELECT nextval('gc_fdw.audit_log_id_seq')"), '>=', $next, 'ids go on');
my $policies = "SELECT string_agg(tablename || ' ' || policyname || ' ' || qual, ', ' ORDER BY tablename, policyname) FROM pg_policies";
is($node->safe_psql('restored', $policies), $node->safe_psql('postgres', $policies), 'each role still sees its own rows');
$node->safe_psql('restored', 'DROP EXTENSION gc_fdw CASCADE');

# --- the server ends -----------------------------------------------------------------------------------

# kill_9(PID): the server starts again by itself.
sub kill_9
{
	my ($victim) = @_;
	die 'nobody to kill' unless $victim && $victim > 1;
	kill 'KILL', $victim;
	await('the server is back', sub { $control->run('SELECT 1')->{closed} });
	$control->close;
	await('there is a session again', sub { $control = eval { GcSession->new($node, name => 'control') } });
	return;
}

$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->reload;
($holder, $worker) = rolled_back_behind_lock('crashed');
kill_9($worker);
is(in_table('crashed') . in_log('crashed'), '0', 'kill -9 of the worker: its row is lost');
$holder->close;
$session = session('killed');
kill_9($session->pid);
$session->close;
is(in_table('killed'), '', 'kill -9 of the backend: its row is lost');
$control->run("INSERT INTO picky (k) VALUES ('no good'), ('good')");
is(rejected('no'), 1, 'rows are rejected as before');
session('after')->close;
becomes('after', 'rolled back 1 0');

$session = session('shutdown');
$control->close;
$node->stop('fast');
$node->start;
$control = GcSession->new($node, name => 'control');
is((in_table('shutdown') || 0) . in_log('shutdown'), '01', 'fast shutdown: the row is in the log');
$session->close;

# --- no room for a worker ---------------------------------------------------------------------------------

$control->close;
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->restart;
$control = GcSession->new($node, name => 'control');
session('alone')->close;
ok(await('the log has it', sub { in_log('alone') }), 'without a free worker the log has the row');
is(in_table('alone'), '', 'and the table has not');
$sim->forget_requests;
$result = $control->run("INSERT INTO picky (k) VALUES ('fine')");
is($result->{sqlstate}, '53000', "without a free worker on_error 'reject' is refused");
like($result->{err}, qr/could not start a background worker for rejected rows.*HINT:.*max_worker_processes/s, 'with what to do');
is(scalar $sim->requests(qr/^POST .*contacts/), 0, 'before anything is sent');
is($control->run("INSERT INTO leads (k) VALUES ('fine')")->{sqlstate}, '00000', 'a statement without it needs none');
is(in_table('control'), 'completed 1 0, completed 1 0', 'nor does its row');

unlike(slurp_log($node), qr/PANIC|TRAP|FATAL: .*(?:corrupt|invalid memory)/, 'nothing worse is in the log');
$control->close;
$node->stop;
done_testing();
