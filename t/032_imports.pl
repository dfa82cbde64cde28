# The life of an import: it waits, is paused, resumed, cancelled, tried again, and survives
# the end of whoever sends it (DESIGN 3, 4.6; SCENARIOS B5, D2, F2, G1, U13).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

skip_unless_possible();

my $sim = GcSim->new;
my $node = new_node('imports', "shared_preload_libraries = 'gc_fdw'", 'restart_after_crash = on',
	"gc_fdw.databases = 'postgres'", 'max_worker_processes = 12');
add_server($node, $sim, 'usual', batch_size => 100, max_in_flight => 2, retry_timeout => '1s', max_retries => 1);
my $control = GcSession->new($node, name => 'control');
my %lists;

# new_list(NAME[, OPTION => VALUE...]): a list, and a foreign table of that name.
sub new_list
{
	my ($name, %options) = @_;
	$lists{$name} = $sim->list($name, qw(Phone Key Name));
	leads_table($node, $name, 'usual', $name, %options);
	return;
}

# submitted(TABLE, ROWS[, SESSION]): the id of an import.
sub submitted
{
	my ($table, $rows, $session) = @_;
	return ($session // $control)->value("SELECT gc_fdw.submit_import('$table', "
		  . "'SELECT ''$table-'' || i AS k, ''name '' || i AS name FROM generate_series(1, $rows) i')");
}

sub column { my ($id, $column) = @_; return $control->value("SELECT $column FROM gc_fdw.imports WHERE id = $id") }
sub state_of { return column($_[0], 'state') }
sub becomes
{
	my ($id, $state, $what) = @_;
	await("$what: $state", sub { state_of($id) eq $state }, 60);
	return is(state_of($id), $state, "$what: it is $state");
}

# What the first part brought is counted a moment before the second one begins.
sub second_part_begins
{
	my ($id) = @_;
	await('the second part is under way',
		sub { $control->value("SELECT count(*) FROM gc_fdw.import_parts WHERE import_id = $id AND part = 2 AND state = 'sending'") }, 60);
	return;
}

# stored(TABLE): how many of its contacts are there, and how many of them twice or wrong.
sub stored
{
	my ($table) = @_;
	my (%times, $wrong);
	for my $contact ($sim->contacts($lists{$table}))
	{
		my ($number) = $contact->{id} =~ /-(\d+)$/;
		$wrong++ if $times{ $contact->{id} }++ || $contact->{data}{Name} ne "name $number";
	}
	return join '/', scalar keys %times, $wrong // 0;
}

# delay(NTH, SECONDS): an answer to a write comes late, so that an import is under way.
sub delay { my ($nth, $seconds) = @_; return $sim->faults({ path => part_path(), method => 'POST', nth => $nth, delay_ms => 1000 * $seconds }) }

# --- await (U1; DESIGN 4.6) ---------------------------------------------------------------------------

new_list('waited');
my $listener = GcSession->new($node);
$listener->run('LISTEN gc_fdw_imports');
my $waiter = GcSession->new($node);
my $id = submitted('waited', 500);
my $result = $waiter->run("SELECT state, rows_accepted FROM gc_fdw.await_import($id)");
is($result->{out}, 'done|500', 'an import is awaited');
is(stored('waited'), '500/0', 'and everything of it is there');
like($listener->run('SELECT 1')->{out}, qr/notification "gc_fdw_imports" with payload "$id done"/, 'who listens is told');

# It ends by a cancel, whose time is known.
$control->run("SELECT gc_fdw.pause('waited', 'lunch')");
$id = submitted('waited', 10);
is(column($id, "state || ' ' || failure_reason"), 'paused lunch', 'what is submitted for a paused list is paused, and says why');
is($waiter->run("SELECT state FROM gc_fdw.await_import($id)")->{out}, 'paused', 'a pause is not awaited');
$control->run("SELECT gc_fdw.unpause('waited')");
is($waiter->run("SELECT state FROM gc_fdw.await_import($id)")->{out}, 'done', 'it goes on');

delay(1, 8);
$id = submitted('waited', 10);
for my $level ('READ COMMITTED', 'REPEATABLE READ')
{
	$waiter->run("BEGIN ISOLATION LEVEL $level; SELECT count(*) FROM gc_fdw.imports");
	$waiter->start("SELECT state FROM gc_fdw.await_import($id)");
	await_waiting($control, $waiter);
	$control->value('SELECT pg_cancel_backend(' . $waiter->pid . ')');
	is($waiter->finish->{sqlstate}, '57014', "$level: a wait can be cancelled");
	$waiter->run('ROLLBACK');
}
is($waiter->run("SELECT state FROM gc_fdw.await_import($id, '100ms')")->{out}, 'running', 'a wait has an end');
$waiter->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM gc_fdw.imports');
$waiter->start("SELECT state FROM gc_fdw.await_import($id)");
my $caller = GcSession->new($node);
$caller->start("CALL gc_fdw.wait_for_import($id)");
await_waiting($control, $_) for $waiter, $caller;
is($control->value('SELECT backend_xmin IS NULL AND backend_xid IS NULL FROM pg_stat_activity WHERE pid = ' . $caller->pid), 't',
	'wait_for_import holds no snapshot');
my $told = $waiter->finish(90);
is($told->{out}, 'done', 'REPEATABLE READ: the end is seen');
like($told->{err}, qr/NOTICE: +import $id: 0\.0%, 0 rows\/s, time left: unknown/, 'with its progress meanwhile');
cmp_ok(scalar(() = $told->{err} =~ /NOTICE/g), '<=', $told->{seconds} / 5, 'at most every 5 seconds');
is($caller->finish->{out}, 'done', 'wait_for_import gives the state');
$waiter->run('ROLLBACK');
$result = $waiter->run("BEGIN; CALL gc_fdw.wait_for_import($id)");
is($result->{sqlstate}, '25001', 'wait_for_import in a transaction block');
like($result->{err}, qr/HINT: .*await_import/, 'names await_import');
$waiter->run('ROLLBACK');
$waiter->run('BEGIN');
$id = submitted('waited', 5, $waiter);
is($waiter->run("SELECT gc_fdw.await_import($id)")->{sqlstate}, '55000', 'what this transaction submits cannot be awaited');
$waiter->run('ROLLBACK');


# Woken through shared memory, within 100 ms; without any, after the next look.
my @late;
for my $round (1 .. 5)
{
	$control->run("SELECT gc_fdw.pause_server('usual')");
	$id = submitted('waited', 5);
	$control->run("UPDATE gc_fdw.import_queue SET state = 'paused', retry_at = 'infinity' WHERE id = $id");
	$control->run("SELECT gc_fdw.unpause_server('usual')");
	$waiter->start("SELECT state FROM gc_fdw.await_import($id)");
	await_waiting($control, $waiter);
	my $cancelled = $control->run("SELECT gc_fdw.cancel_import($id)");
	my $ended = $waiter->finish;
	push @late, $ended->{at} - $cancelled->{at} if $ended->{out} eq 'cancelled';
}
is(scalar @late, 5, 'a cancel is seen by who waits');
cmp_ok((sort { $a <=> $b } @late)[2], '<', 0.1, 'within 100 ms') || diag "@late";

# --- pause, cancel, resume (DESIGN 4.6) -----------------------------------------------------------------

# A list of many parts: each has 12,000 rows, or is a job of 100.
my ($part, $in_second) = dialect() eq 'jobs' ? (100, 2) : (12000, 150);
my ($some, $two, $less, $most) = map { int $part * $_ / 12 } 15, 24, 25, 35;
new_list('parts');
delay($in_second, 3);
$id = submitted('parts', $most);
second_part_begins($id);
$control->run("SELECT gc_fdw.pause('parts', 'too many calls')");
becomes($id, 'paused', 'a pause between two parts');
is(column($id, 'failure_reason'), 'too many calls', 'with the reason');
is(column($id, 'rows_accepted'), $two, 'the part under way was counted');
is(stored('parts'), "$two/0", 'and nothing else was sent');
is($control->value('SELECT gc_fdw.resume_imports()'), '1', 'resume_imports does not take back a pause');
is($control->run("SELECT gc_fdw.await_import($id)")->{sqlstate}, '00000', 'it stays paused');
is(stored('parts'), "$two/0", 'and sends nothing');
$node->restart;
$control = GcSession->new($node, name => 'control');
$waiter = GcSession->new($node);
is(state_of($id), 'paused', 'a pause outlives a restart');
$control->run("SELECT gc_fdw.unpause('parts')");
becomes($id, 'done', 'after unpause');
is(stored('parts'), "$most/0", 'everything is there, once');

new_list('cancelled');
delay($in_second, 3);
$id = submitted('cancelled', $most);
second_part_begins($id);
is($control->value("SELECT gc_fdw.cancel_import($id)"), 't', 'an import under way is cancelled');
becomes($id, 'cancelled', 'when the part under way is done');
is(column($id, "rows_accepted || '/' || rows_in_doubt"), "$two/0", 'what was sent is counted');
is(stored('cancelled'), "$two/0", 'nothing else was sent');
is($control->value("SELECT gc_fdw.cancel_import($id)"), 'f', 'what is over cannot be cancelled');
is($control->value("SELECT gc_fdw.resume_imports($id)"), '0', 'nor resumed');


# --- errors (DESIGN 5; F2, U15) ---------------------------------------------------------------------------

# What passes by itself is paused, with a time from which it is tried again.
new_list('transient');
$sim->faults({ path => part_path(), method => 'POST', status => 503, times => 1000 });
$id = submitted('transient', 500);
becomes($id, 'paused', 'the platform is down');
# A job may be at work in spite of such an answer: it is looked for.
is(column($id, 'failure_code'), dialect() eq 'jobs' ? '08006' : '58000', 'with the SQLSTATE');
is(column($id, "retry_at BETWEEN now() + '30 s' AND now() + '61 s'"), 't', 'it is tried again after a minute');
$control->run("SELECT gc_fdw.pause('transient')");
is(column($id, "state || ' ' || failure_reason || ' ' || (retry_at IS NULL)"), 'paused paused by ' . $control->value('SELECT current_user') . ' true',
	'unless somebody pauses its list');
is($waiter->run("SELECT state FROM gc_fdw.await_import($id)")->{out}, 'paused', 'then it is not awaited');
$control->run("SELECT gc_fdw.unpause('transient')");
is($control->value('SELECT gc_fdw.resume_imports()'), '0', 'not before, unless it is named');
is($control->value("SELECT gc_fdw.resume_imports($id)"), '1', 'when it is');
await('it failed again', sub { column($id, "state = 'paused' AND retry_at IS NOT NULL") eq 't' });
$control->run("UPDATE gc_fdw.import_queue SET retry_at = now(), retries = 9 WHERE id = $id");
is($control->value('SELECT gc_fdw.resume_imports()'), '1', 'what is due is resumed');
await('it failed again', sub { column($id, "state = 'paused' AND retry_at > now()") eq 't' });
$sim->faults();
$control->run("UPDATE gc_fdw.import_queue SET retry_at = now() + '1 s' WHERE id = $id");
is($waiter->run("SELECT state FROM gc_fdw.await_import($id)") && state_of($id), 'done', 'who waits for it sees to it that it is tried again');
is(stored('transient'), '500/0', 'and everything is there');

# … whatever the database has for its sessions.
new_list('unwilling');
$control->run('ALTER DATABASE postgres SET exit_on_error = on');
$sim->faults({ path => part_path(), method => 'POST', status => 503, times => 1000 });
$id = submitted('unwilling', 50);
becomes($id, 'paused', 'errors that would end a session');
$control->run('ALTER DATABASE postgres RESET exit_on_error');
$sim->faults();

# Of rows with the same id the last one counts, also where a part goes again: the platform shows the last one before the
# first has come again (K8, D2).
new_list('twins');
$sim->faults({ path => part_path(), method => 'POST', status => 503, effect => \1, nth => 2, times => 1000 });
$id = $control->value("SELECT gc_fdw.submit_import('twins', "
	  . "'SELECT ''twins-1'' AS k, name FROM unnest(ARRAY[''name 0'', ''name 1'']) WITH ORDINALITY AS n (name, i) ORDER BY i')");
# A job that was taken in spite of its answer is found.
if (dialect() ne 'jobs')
{
	becomes($id, 'paused', 'an answer is lost');
	$sim->faults();
	is($control->value("SELECT gc_fdw.resume_imports($id)"), '1', 'it goes on');
}
becomes($id, 'done', 'twins');
is(stored('twins'), '1/0', 'the last row of an id counts, sent again, too');

# What is about the data fails.
new_list('refused');
$sim->faults({ path => part_path(), method => 'POST', status => 400, nth => 3, times => 1000 });
$id = submitted('refused', 500);
becomes($id, 'failed', 'the platform refuses a contact');
is(column($id, "failure_code || ' ' || (failure_reason <> '') || ' ' || (rows_accepted >= 200)"), '22023 true true', 'why, and what was accepted');
is($control->value("SELECT string_agg(state, ',' ORDER BY part) FROM gc_fdw.import_parts WHERE import_id = $id"), dialect() eq 'jobs' ? 'done,done,failed,cancelled,cancelled' : 'failed', 'the part, too');
$sim->faults();

# Rows that were rejected go again, and no others.
new_list('picky', on_error => 'reject');
$id = $control->value("SELECT gc_fdw.submit_import('picky', 'SELECT ''picky-'' || i AS k, "
	  . "CASE WHEN i % 10 = 0 THEN repeat(''x'', 600) ELSE ''name '' || i END AS name FROM generate_series(1, 100) i')");
is($waiter->run("SELECT rows_accepted, rows_rejected FROM gc_fdw.await_import($id)")->{out}, '90|10', 'some rows are rejected');
my $again = $control->value("SELECT gc_fdw.retry_import($id, 'SELECT ''picky-'' || i AS k, ''name '' || i AS name FROM generate_series(1, 100) i')");
is($waiter->run("SELECT rows_accepted, rows_total FROM gc_fdw.await_import($again)")->{out}, '10|10', 'those are tried again, fixed');
is(stored('picky'), '100/0', 'then everything is there');
is($control->run("SELECT gc_fdw.retry_import($id, '$$_[0]')")->{sqlstate}, $$_[1], "… of $$_[2]")
  for ['SELECT 1 AS k, 2 AS nmae', '42804', 'a query that fits'], ['DELETE FROM pg_class', '42P11', 'a query'], ['SELECT 1 AS k) AS q; SELECT (1', '42601', 'one query'];
is($control->run("SELECT gc_fdw.retry_import($again, 'SELECT 1')")->{sqlstate}, '55000', 'where nothing was rejected there is nothing to try');

# What somebody has to see to is paused, for good.
# lost(WHAT, BREAK, MEND, REASON): breaks something while an import waits; it says so, and goes on when that is mended.
sub lost
{
	my ($what, $break, $mend, $reason) = @_;
	my $table = "lost_$what";
	new_list($table);
	$control->run("SELECT gc_fdw.pause_server('usual')");
	my $import = submitted($table, 50);
	my $broken = $control->run($break);
	is($broken->{sqlstate}, '00000', "$what: broken") || diag $broken->{err};
	$control->run("SELECT gc_fdw.unpause_server('usual')");
	await("$what: paused", sub { column($import, "state = 'paused' AND failure_reason IS NOT NULL") eq 't' });
	like(column($import, 'failure_reason'), $reason, "$what: the reason");
	is(column($import, 'retry_at'), '', "$what: it is not tried again by itself");
	is($control->run($mend)->{sqlstate}, '00000', "$what: mended");
	is($control->value("SELECT gc_fdw.resume_imports($import)"), '1', "$what: resumed");
	becomes($import, 'done', $what);
	is(stored($table), '50/0', "$what: everything is there");
	return;
}
lost('mapping', 'DROP USER MAPPING FOR CURRENT_USER SERVER usual',
	"CREATE USER MAPPING FOR CURRENT_USER SERVER usual OPTIONS (client_id 'id', client_secret 'secret')", qr/user mapping/);
lost('table', 'ALTER FOREIGN TABLE lost_table RENAME TO gone', 'ALTER FOREIGN TABLE gone RENAME TO lost_table', qr/does not exist/);


# A role that is gone.  (Its mapping has to go first.)
$control->run("CREATE ROLE loader; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA gc_fdw TO loader; "
	  . "CREATE USER MAPPING FOR loader SERVER usual OPTIONS (client_id 'id', client_secret 'secret')");
new_list('role');
$control->run("GRANT INSERT, SELECT ON role TO loader; SELECT gc_fdw.pause('role')");
$control->run('SET ROLE loader');
$id = submitted('role', 50);
$control->run('RESET ROLE; CREATE ROLE stranger');
$control->run('SET ROLE stranger');
is($control->run("SELECT gc_fdw.await_import($id)")->{sqlstate}, '42704', 'imports of others are not there');
is($control->run("SELECT gc_fdw.cancel_import($id)")->{sqlstate}, '42704', 'nor can they be cancelled');
is($control->run("SELECT gc_fdw.$_")->{sqlstate}, '42501', "$_ is not for everybody")
  for "resume_imports($id)", "retry_import($id, 'SELECT 1')", "pause('role')", "pause_server('usual')", "unpause('role')", "unpause_server('usual')";
$control->run('RESET ROLE; DROP ROLE stranger; REVOKE ALL ON role FROM loader; REVOKE ALL ON ALL FUNCTIONS IN SCHEMA gc_fdw FROM loader');
is($control->run('DROP USER MAPPING FOR loader SERVER usual; DROP ROLE loader')->{sqlstate}, '00000', 'a role goes');
$control->run("SELECT gc_fdw.unpause('role')");
await('it is paused', sub { column($id, "state = 'paused' AND failure_reason IS NOT NULL") eq 't' });
like(column($id, 'failure_reason'), qr/role "loader" does not exist/, 'its import says so');

# --- copies (DESIGN 3: restored copies do not dial) -------------------------------------------------------

new_list('copied');
$control->run("SELECT gc_fdw.pause('copied')");
$id = submitted('copied', 50);
$node->append_conf('postgresql.conf', "gc_fdw.cluster_id = 'elsewhere'");
$node->reload;
await('the place is another', sub { $control->value('SHOW gc_fdw.cluster_id') eq 'elsewhere' });
is(state_of($id), 'orphaned', 'elsewhere it is orphaned');
$control->run("SELECT gc_fdw.unpause('copied')");
is($control->value('SELECT gc_fdw.resume_imports()'), '0', 'resume_imports leaves it alone');
is($waiter->run("SELECT state FROM gc_fdw.await_import($id)")->{out}, 'orphaned', 'it is not awaited');
# A worker that has gone through the queue would have sent it.
new_list('other');
becomes(submitted('other', 5), 'done', 'another import');
is(stored('copied'), '0/0', 'nothing of it is sent');
is($control->value("SELECT gc_fdw.resume_imports($id)"), '1', 'unless it is named');
becomes($id, 'done', 'it');
is(stored('copied'), '50/0', 'then all of it is sent');

# --- ends of processes (DESIGN 4.6; D2, U13) ---------------------------------------------------------------

sub worker { return $control->value("SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker'") }

new_list('stopped');
delay($in_second, 3);
$id = submitted('stopped', $less);
second_part_begins($id);
$control->value('SELECT pg_terminate_backend(' . worker() . ')');
becomes($id, 'done', 'the launcher sees to what a worker left');
is(stored('stopped'), "$less/0", 'and everything is there, once');

# killed(RUN): something is killed at any moment of an import; the launcher adopts it.
sub killed
{
	my ($run) = @_;
	my $what = (qw(worker backend postmaster))[ $run % 3 ];
	my $table = "killed_$run";
	new_list($table);
	$sim->faults({ path => part_path(), method => 'POST', every => 7, drop => 'after', times => 5 },
		{ path => part_path(), method => 'POST', delay_ms => 5, times => 100000 });
	my $import = submitted($table, $some);
	my $moment = rand 1.5;
	sleep $moment;
	my $pid = { worker => worker(), backend => $control->pid }->{$what};
	if ($what eq 'postmaster')
	{
		$node->kill9;
		await('the server starts again', sub {
			# Which needs the shared memory to be free.
			run_log([ 'pg_ctl', '-w', '-D', $node->data_dir, '-l', $node->logfile, 'start' ]);
		}, 60);
		$node->_update_pid(1);
	}
	elsif ($pid)
	{
		kill 'KILL', $pid;
		await('it is gone', sub { !is_alive($pid) });
	}
	await('the server is back', sub { eval { $control = GcSession->new($node, name => 'control'); 1 } }, 60);
	becomes($import, 'done', sprintf '%s killed after %.2f s', $what, $moment);
	is(stored($table), "$some/0", 'everything is there, once');
	return;
}
$control->run("ALTER SERVER usual OPTIONS (SET max_retries '20', SET retry_timeout '1min')");
my $seed = srand;
note "seed $seed";
killed($_) for 1 .. $ENV{GC_IMPORT_RUNS} || 5;
$sim->faults();

# --- extensions and databases that go ------------------------------------------------------------------------

$waiter = GcSession->new($node);
new_database($node, 'other', 'UTF8');
for my $case ([ 'other', 'DROP EXTENSION gc_fdw CASCADE' ], [ 'postgres', 'DROP DATABASE other WITH (FORCE)' ])
{
	my ($dbname, $drop) = @$case;
	my $session = GcSession->new($node, dbname => 'other');
	$session->run('CREATE EXTENSION IF NOT EXISTS gc_fdw');
	add_server($node, $sim, 'usual', batch_size => 100, dbname => 'other');
	$lists{leads} //= $sim->list('leads', qw(Phone Key Name));
	leads_table($node, 'leads', 'usual', 'leads', dbname => 'other');
	delay(5, 3);
	submitted('leads', 20000, $session);
	await('it is under way', sub { $sim->fault_hits });
	$session->close;
	is(GcSession->new($node, dbname => $dbname)->run($drop)->{sqlstate}, '00000', $drop);
	await('the worker is gone', sub { worker() eq '0' });
	is($control->value('SELECT 1'), '1', 'nobody else is harmed');
}
unlike(slurp_log($node), qr{PANIC|TRAP|terminated by signal (?!9\b)}, 'no panic');


# --- without shared memory ------------------------------------------------------------------------------------

my $plain = new_node('plain');
add_server($plain, $sim, 'usual', batch_size => 100);
leads_table($plain, 'plain', 'usual', 'leads');
$control = GcSession->new($plain);
delay(1, 1);
$id = submitted('plain', 100);
my $behind = submitted('plain', 100);
my @ends = map { GcSession->new($plain)->start("SELECT state, ended_at FROM gc_fdw.await_import($id)") } 1 .. 2;
for my $ended (map { $_->finish } @ends)
{
	like($ended->{out}, qr/^done/, 'an import is awaited without shared memory, too');
}
becomes($behind, 'done', 'one whose list was taken when its worker came');
$control->run("SELECT gc_fdw.pause('plain')");
$id = submitted('plain', 100);
$control->run("SELECT gc_fdw.unpause('plain')");
becomes($id, 'done', 'and goes on after a pause');
is($control->value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'gc_fdw launcher'"), '0', 'there is no launcher');

done_testing();
