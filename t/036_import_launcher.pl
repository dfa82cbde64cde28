# Who sends imports when: workers of several databases, and the launcher that starts them
# (DESIGN 4.6; SCENARIOS G1; issue 6: two databases, two roles, an idle cluster).
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
my @databases = qw(one two);
my $node = new_node('launched', "shared_preload_libraries = 'gc_fdw'", "gc_fdw.databases = 'one, two, \"Not there\"'", 'gc_fdw.max_workers = 2',
	'restart_after_crash = on', 'max_worker_processes = 12');
my $control = GcSession->new($node);
my (%session, %lists);

sub connect_all { $session{$_} = GcSession->new($node, dbname => $_) for @databases; $control = GcSession->new($node); return }

for my $dbname (@databases)
{
	new_database($node, $dbname, 'UTF8');
	add_server($node, $sim, 'usual', batch_size => 100, max_in_flight => 1, max_retries => 0, dbname => $dbname);
}

# new_list(NAME): a list, and a foreign table of that name in each database.
sub new_list
{
	my ($name) = @_;
	$lists{$name} = $sim->list($name, qw(Phone Key Name));
	leads_table($node, $name, 'usual', $name, dbname => $_) for @databases;
	return;
}

# submitted(DATABASE, TABLE, ROWS): the id of an import, whose keys are the database's own.
sub submitted
{
	my ($dbname, $table, $rows) = @_;
	return $session{$dbname}->value("SELECT gc_fdw.submit_import('$table', 'SELECT ''$dbname-'' || i AS k, ''x'' AS name FROM generate_series(1, $rows) i')");
}

sub column { my ($dbname, $id, $column) = @_; return $session{$dbname}->value("SELECT $column FROM gc_fdw.imports WHERE id = $id") }

sub all_done
{
	my ($what, $limit) = @_;
	return await($what, sub {
		!grep { $session{$_}->value("SELECT count(*) FROM gc_fdw.imports WHERE state IN ('staged', 'running')") } @databases;
	}, $limit // 60);
}

# when(CONDITION): [begin, end] of the imports for which that holds, in order.
sub when
{
	my ($condition) = @_;
	my @all = map { [ split /\|/ ] }
	  map { split /\n/, $session{$_}->value("SELECT extract(epoch FROM started_at), extract(epoch FROM ended_at) FROM gc_fdw.imports WHERE $condition") } @databases;
	return sort { $a->[0] <=> $b->[0] } @all;
}

# at_once(SPAN...): how many of them there were at the same time.
sub at_once
{
	my @spans = @_;
	my ($most) = sort { $b <=> $a } map { my $at = $_->[0]; scalar grep { $_->[0] <= $at && $at < $_->[1] } @spans } @spans;
	return $most;
}

sub workers { return $control->value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker'") }
sub launcher { return $control->value("SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE backend_type = 'gc_fdw launcher'") }

connect_all();

# --- what is to be tried again is, by itself: it comes true while the rest of this is tested -----------

new_list('later');
$sim->faults({ path => "*/$lists{later}/contacts", method => 'POST', status => 503, times => 1 });
my $later = submitted('one', 'later', 50);
await('it failed', sub { column('one', $later, 'state') eq 'paused' });
isnt(column('one', $later, 'retry_at'), '', 'the platform was down: it is tried again');
$sim->faults({ path => '*/contacts', method => 'POST', delay_ms => 20, times => 1000000 });

# --- one import of a list at a time, whichever database it is in (G1) ------------------------------------

new_list('shared');
submitted($_, 'shared', 3000) for @databases, @databases;
all_done('one after the other');
my @spans = when("list_name = 'shared'");
is(scalar @spans, 4, 'imports of one list from two databases');
is(at_once(@spans), 1, 'one at a time');
my $gap = (sort { $b <=> $a } map { $spans[$_][0] - $spans[ $_ - 1 ][1] } 1 .. $#spans)[0];
cmp_ok($gap, '<', 20, 'whoever ends tells those of the other database') || diag $gap;
is(scalar($sim->contacts($lists{shared})), 6000, 'everything is there');

# --- gc_fdw.max_workers in all ------------------------------------------------------------------------------

new_list("list_$_") for 1 .. 4;
for my $number (1 .. 4) { submitted($_, "list_$number", 1000) for @databases }
all_done('eight imports');
@spans = when("list_name LIKE 'list_%'");
is(scalar @spans, 8, 'eight imports of two databases');
is(at_once(@spans), 2, 'two at a time: gc_fdw.max_workers');
# One worker is started for all that may go on by now; it gets help.
$session{one}->run("SELECT gc_fdw.pause_server('usual')");
my $first = submitted('one', 'list_1', 1000);
submitted('one', "list_$_", 1000) for 2 .. 4;
await('nobody has anything to do', sub { workers() eq '0' });
$session{one}->run("SELECT gc_fdw.unpause_server('usual')");
all_done('a server that goes on');
@spans = when("list_name LIKE 'list_%' AND database_oid = (SELECT oid FROM pg_database WHERE datname = 'one') AND id >= $first");
is(scalar @spans . ' ' . at_once(@spans), '4 2', 'workers start each other where several lists wait');

# --- the launcher adopts what a crash left -------------------------------------------------------------------

new_list("left_$_") for 1 .. 3;
$control->run('ALTER DATABASE two SET default_transaction_isolation = serializable; ALTER DATABASE two SET default_transaction_read_only = on; '
	  . "ALTER DATABASE two SET lock_timeout = '1ms'");
for my $number (1 .. 3) { submitted($_, "left_$number", 1000) for @databases }
my $size = -s $node->logfile;
my $worker = await('a worker at work',
	sub { $control->value("SELECT max(pid) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker' AND wait_event_type = 'Extension'") });
kill 'KILL', $worker;
await_recovery($node, $size);
connect_all();
all_done('after a crash');
@spans = when("list_name LIKE 'left_%'");
is(scalar @spans, 6, 'what a crash left is adopted, whatever settings the database has for its sessions');
is(join('/', map { scalar $sim->contacts($lists{"left_$_"}) } 1 .. 3), '2000/2000/2000', 'everything is there');
$control->run("ALTER DATABASE two RESET ALL");
connect_all();

# --- a worker that is told to end ------------------------------------------------------------------------------

new_list('ended');
my $id = submitted('one', 'ended', 3000);
$worker = await('a worker', sub { $control->value("SELECT max(pid) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker' AND datname = 'one'") });
$control->run("SELECT pg_terminate_backend($worker)");
all_done('the rest');
is(column('one', $id, 'state'), 'done', 'the launcher starts another one for one that was told to end');

# --- roles -------------------------------------------------------------------------------------------------------

$session{one}->run("CREATE ROLE anna LOGIN; CREATE ROLE bert LOGIN; CREATE ROLE cron; CREATE ROLE watcher LOGIN; GRANT pg_read_all_stats TO watcher;"
	  . 'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA gc_fdw TO anna, bert, cron, watcher; GRANT USAGE ON SCHEMA gc_fdw TO PUBLIC;'
	  . 'GRANT INSERT ON shared TO anna, bert, cron; GRANT cron TO bert;'
	  . join ';', map { "CREATE USER MAPPING FOR $_ SERVER usual OPTIONS (client_id 'id', client_secret 'secret')" } qw(anna bert cron));
$session{one}->run("SELECT gc_fdw.pause('shared')");
my %role = map { $_ => GcSession->new($node, dbname => 'one', user => $_) } qw(anna bert watcher);
my $submit = "SELECT gc_fdw.submit_import('shared', 'SELECT ''r'' AS k, current_user AS name')";
my %import = map { $_ => $role{$_}->value($submit) } qw(anna bert);
# A role without login has imports, too.
$role{bert}->run('SET ROLE cron');
$import{cron} = $role{bert}->value($submit);
$role{bert}->run('RESET ROLE');
my $seen = "SELECT string_agg(id::text, ',' ORDER BY id), (SELECT string_agg(import_id::text, ',' ORDER BY import_id) FROM gc_fdw.import_parts) FROM gc_fdw.imports WHERE id >= $import{anna}";
is($role{anna}->value($seen), "$import{anna}|$import{anna}", 'a role sees its own imports, and their parts');
is($role{bert}->value($seen), "$import{bert},$import{cron}|$import{bert},$import{cron}", 'and those of roles that it is a member of');
like($role{watcher}->value($seen), qr/^$import{anna},$import{bert},$import{cron}\|/, 'pg_read_all_stats sees all');
my %calls = (
	await => 'gc_fdw.await_import(%d)', cancel => 'gc_fdw.cancel_import(%d)',
	retry => "gc_fdw.retry_import(%d, 'SELECT 1')", resume => 'gc_fdw.resume_imports(%d)');
for my $call (sort keys %calls)
{
	my $sql = sprintf "SELECT $calls{$call}", $import{anna};
	is($role{bert}->run($sql)->{sqlstate}, '42704', "$call: others' imports are not there");
	is($role{watcher}->run($sql)->{sqlstate}, $call eq 'await' ? '00000' : '42501', "$call: who sees all has no say in them");
}
is($role{bert}->run("CALL gc_fdw.wait_for_import($import{anna})")->{sqlstate}, '42704', 'wait_for_import is no way around that');
is($role{bert}->run("SELECT gc_fdw.pause_server('usual')")->{sqlstate}, '42501', 'nor may others pause a server');
is($role{watcher}->run("SELECT gc_fdw.unpause('shared')")->{sqlstate}, '42501', 'or unpause a list that they may not write to');
is($role{anna}->value('SELECT gc_fdw.resume_imports()'), '1', "resume_imports() is about one's own");
is($role{bert}->value('SELECT gc_fdw.resume_imports()'), '2', 'and of roles that one is a member of');
$role{anna}->run("SELECT gc_fdw.unpause('shared')");
all_done('three roles');
is($session{one}->value("SELECT string_agg(state || ' ' || submitted_by, ', ' ORDER BY id) FROM gc_fdw.imports WHERE id >= $import{anna}"),
	'done anna, done bert, done cron', 'who may insert may unpause; a role without login can have imports');

# --- nothing to do (issue 6: no wake-ups beyond one in 10 s) ---------------------------------------------------

$sim->faults();
await('what was to be tried again', sub { column('one', $later, 'state') eq 'done' }, 90);
is(column('one', $later, 'state'), 'done', 'the launcher has seen to it that it was tried again');
is(column('one', $later, 'ended_at - submitted_at >= interval \'30 s\''), 't', 'when it was time');
await('no workers', sub { workers() eq '0' }, 90);
SKIP:
{
	my $pid = launcher();
	my $switches = sub { my ($n) = slurp_file("/proc/$pid/status") =~ /^voluntary_ctxt_switches:\s*(\d+)/m; return $n };
	skip 'there is no /proc', 2 unless -r "/proc/$pid/status";
	my ($woken, $started);
	# Every five minutes it looks at all databases, which may be just now.
	for (1 .. 2)
	{
		my $before = $switches->();
		sleep 10;
		($woken, $started) = ($switches->() - $before, workers());
		last if $woken <= 1 && $started == 0;
	}
	cmp_ok($woken, '<=', 1, 'a launcher with nothing to do wakes up once in ten seconds at most');
	is($started, '0', 'and starts nobody');
}

# --- no worker to be had ----------------------------------------------------------------------------------------

# One for the launcher, and one for who comes first.
$node->append_conf('postgresql.conf', "max_worker_processes = 2\nmax_logical_replication_workers = 0\n");
$node->restart;
connect_all();
await('no workers', sub { workers() eq '0' });
$sim->faults({ path => '*/contacts', method => 'POST', delay_ms => 2000, times => 1 });
submitted('one', 'list_1', 10);
await('its worker', sub { workers() eq '1' });
my $without = $session{two}->run("SELECT gc_fdw.submit_import('list_2', 'SELECT ''none'' AS k')");
like($without->{err}, qr/NOTICE: +no background worker could be started.*max_worker_processes/s, 'there is no worker: a NOTICE says so');
all_done('without a worker at first', 60);
is(column('two', $without->{out}, 'state'), 'done', 'the launcher starts one later');

unlike(slurp_log($node), qr/PANIC|TRAP|terminated by signal (?!9\b)/, 'nothing went wrong');

done_testing();
