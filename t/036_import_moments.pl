# A worker is killed at the moments of an import that a random one rarely meets: while a part is on its way, when the
# platform has taken it, while it is read back, while it is settled, between the last part and the end, and between the
# end and what comes after it.  What is there is not sent again, and what was opted out meanwhile stays so (DESIGN 3,
# 4.6; SCENARIOS D2, D2b, D3, H4, J4).
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
my $node = new_node('moments', 'max_worker_processes = 12', "shared_preload_libraries = 'gc_fdw'", "gc_fdw.databases = 'postgres'", 'restart_after_crash = on',
	"gc_fdw.webhook_hosts = '127.0.0.1'");
add_server($node, $sim, 'genesys', upload_url => $sim->url, max_in_flight => 1);
my $session = GcSession->new($node);
my $rows = 60;
my ($list, $id);

# begin(METHOD[, ARGUMENT...]): an import to a list of its own.
sub begin
{
	my ($method, @arguments) = @_;
	my $name = 'moment_' . ++$list->{number};
	@$list{qw(name id)} = ($name, $sim->list($name, qw(Phone Key Name)));
	# Of jobs it is the size of a part.
	leads_table($node, $name, 'genesys', $name, batch_size => $method eq 'bulk' ? $rows : 20);
	submit($method, @arguments);
	return;
}

sub submit
{
	my ($method, @arguments) = @_;
	$id = $session->value("SELECT gc_fdw.submit_import('$list->{name}', "
		  . "\$q\$SELECT 'C-' || i AS contact_id, 'C-' || i AS k, '+1415' || lpad(i::text, 7, '0') AS phone, 'name ' || i AS name "
		  . "FROM generate_series(1, $rows) i\$q\$, "
		  . join(', ', "method => '$method'", @arguments) . ')');
	return;
}

sub of { my ($columns) = @_; return $session->value("SELECT concat_ws(' ', $columns) FROM gc_fdw.imports WHERE id = $id") }
sub parts { return $session->value("SELECT string_agg(state, ' ' ORDER BY part) FROM gc_fdw.import_parts WHERE import_id = $id") }

# The one that is at work: others come, find nothing to do, and go.
sub worker { return $session->value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker' ORDER BY backend_start LIMIT 1") }

sub hit { my ($what) = @_; return await($what, sub { $sim->fault_hits }, 30) }

# All contacts are there, and it waits for a lock.
sub locked
{
	my ($what) = @_;
	await('all contacts', sub { $sim->count($list->{id}) == $rows }, 30);
	return await($what, sub { $session->value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker' AND wait_event_type = 'Lock'") }, 30);
}

# kill_worker(FAULT...): and from then on those faults are on.
sub kill_worker
{
	my (@faults) = @_;
	my $pid = worker() or return fail 'there is a worker';
	my $log = length slurp_log($node);
	$sim->faults(@faults);
	$sim->forget_requests;
	kill 'KILL', $pid;
	$session = await_recovery($node, $log);
	return;
}

# Somebody opts a contact out.
sub meddle
{
	$sim->call('POST', '/_sim/contacts', { listId => $list->{id}, id => 'C-7', callable => JSON::PP::false });
	return;
}

# The rows that were sent since, by whatever way.
sub sent
{
	my $count = 0;
	$count += $_->{rows} // 0 for grep { $_->{method} ne 'GET' && $_->{path} =~ m{/contacts$|/uploads/|^/storage|/outbound/lists/.*/contacts/} } $sim->requests;
	return $count;
}

# It ends as it should; MEDDLED: a contact was opted out; SENT: so many rows were sent after the last kill.
sub ends
{
	my ($what, %expected) = @_;
	await("$what: the end", sub { of('state') =~ /done|failed|cancelled/ }, 90);
	is(of('state, rows_total, rows_accepted, rows_rejected, rows_skipped, rows_in_doubt, failure_reason'), "done $rows $rows 0 0 0", "$what: done");
	is(sent(), $expected{sent}, '… with so many rows sent again') if defined $expected{sent};
	my @contacts = $sim->contacts($list->{id});
	my %ids = map { $_->{id} => $_ } @contacts;
	is(@contacts . ' ' . keys %ids, "$rows $rows", '… and every contact is there once');
	is(scalar(grep { my $i = $_; grep { $ids{"C-$i"}{data}{Name} ne "name $i" } 1 } 1 .. $rows), 0, '… as it was staged');
	ok(!$ids{'C-7'}{callable}, '… and the one that was opted out stays so') if $expected{meddled};
	is(parts() =~ s/ ?done//gr, '', '… its parts are done');
	is($session->value("SELECT count(*) FROM gc_fdw.import_chunks WHERE import_id = $id"), 0, '… no payload is left');
	is($session->value("SELECT count(*) FROM gc_fdw.sent_contacts WHERE source_id = $id AND list_id = '$list->{id}'"), $rows, '… the ledger has each of them');
	is($session->value("SELECT count(*) FROM gc_fdw.audit_log WHERE source_id = $id AND operation = 'IMPORT'"), 1, '… and the audit one row');
	return;
}

my %way = (
	contacts => { send => { path => '*/contacts', method => 'POST' }, look => { path => '*/contacts/bulk', method => 'POST' } },
	upload => { send => { path => dialect() eq 'jobs' ? '*/contacts/upload' : '/uploads/v2/contactlist' }, look => { path => '*/export', method => 'POST' } });
# Jobs of contacts are like files.
$way{bulk} = { send => { path => part_path(), method => 'POST' }, look => { path => '*/contactlists/*/contacts/bulk', method => 'POST' } } if dialect() eq 'jobs';

for my $method (sort keys %way)
{
	my ($send, $look) = @{ $way{$method} }{qw(send look)};

	# "sending" is committed, and nothing has come to the platform.
	$sim->faults({ %$send, stall => \1 });
	begin($method);
	hit('the part is on its way');
	is(parts(), 'sending', "$method: it is known that the part is on its way");
	kill_worker();
	ends("$method, killed before the platform has it", sent => $rows);

	# The platform has taken it, the worker does not know.  Killed once more while it is read back.
	$sim->faults({ %$send, stall => \1, effect => \1, nth => $method eq 'contacts' ? 3 : 1 });
	begin($method);
	hit('the platform has it');
	await('all contacts', sub { $sim->count($list->{id}) == $rows });
	meddle();
	kill_worker({ %$look, stall => \1 });
	hit('it is read back');
	is(parts(), 'sending', "$method: while it is read back its state stays");
	kill_worker();
	ends("$method, killed when the platform had it, and while it was read back", sent => 0, meddled => 1);

	# Half of it is there.
	if ($method eq 'contacts')
	{
		$sim->faults({ %$send, stall => \1, nth => 2 });
		begin($method);
		hit('half of it');
		kill_worker({ %$send, stall => \1, effect => \1 });
		meddle();
		hit('the rest is sent');
		kill_worker();
		ends("$method, killed in the middle, and while the rest was sent", sent => $rows - 40, meddled => 1);
	}

	# What the platform has taken is written to the ledger.
	$sim->faults();
	my $holder = GcSession->new($node);
	$sim->set(latency_ms => 300);
	begin($method);
	$holder->run("BEGIN; INSERT INTO gc_fdw.sent_contacts VALUES ('$list->{id}', 'C-30', '', now(), 'import', $id)");
	locked('the ledger');
	$sim->set(latency_ms => 0);
	meddle();
	kill_worker();
	ends("$method, killed while the part was settled", sent => 0, meddled => 1);

	# The last part is settled, the import has not ended.
	$holder = GcSession->new($node);
	$holder->run('BEGIN; LOCK gc_fdw.audit_log IN EXCLUSIVE MODE');
	begin($method);
	locked('the end');
	is(of('state') . ' ' . parts(), 'running done', "$method: all parts are done");
	meddle();
	kill_worker();
	ends("$method, killed between the last part and the end", sent => 0, meddled => 1);
}

# While the platform reads the file.
$sim->set(import_hold => 50);
begin('upload');
await('half of the file', sub { (($sim->call('GET', "/_sim/imports?listId=$list->{id}")->[-1] // {})->{percentComplete} // 0) == 50 });
kill_worker();
$sim->set(import_hold => 'off');
$sim->call('POST', '/_sim/imports', { listId => $list->{id}, hold => undef });
ends('upload, killed while the platform read the file', sent => 0);

# What was there before is known by then: own contacts are not taken for others'.
for my $on_duplicate (qw(ignore error))
{
	$sim->faults({ %{ $way{contacts}{look} }, stall => \1 });
	begin('contacts', "on_duplicate => '$on_duplicate'");
	hit('a look for what is there');
	kill_worker({ %{ $way{contacts}{send} }, stall => \1, effect => \1 });
	hit('the first contacts');
	kill_worker();
	ends("on_duplicate $on_duplicate, killed while it looked, and in its first part", sent => $rows - 20);
}

# A part that is stopped: what the platform has taken is counted (F2), whoever comes back to it.
$sim->faults({ %{ $way{contacts}{send} }, stall => \1, nth => 2 });
begin('contacts');
hit('some contacts');
is($session->value("SELECT gc_fdw.cancel_import($id)"), 't', 'an import is cancelled');
kill_worker();
await('the end', sub { of('state') eq 'cancelled' }, 30);
is(of('state') . ' ' . parts(), 'cancelled cancelled', 'killed before it has seen that: it is cancelled all the same');
is(sent(), 0, '… and nothing more is sent');
is(of('rows_in_doubt'), $rows, '… what may be there is in doubt');

# The end is committed, who is to be told of it is not.
$sim->faults({ path => '/_sim/webhook*', stall => \1, effect => \1 });
begin('contacts', "webhook_url => '" . $sim->url . "/_sim/webhook'");
hit('the webhook is told');
is(of('state, webhook_state'), 'done pending', 'the import has ended before');
kill_worker();
ends('killed while the webhook was told', sent => 0);
$session->run("UPDATE gc_fdw.import_tasks SET next_attempt = now() WHERE import_id = $id");
my $told = $id;
begin('contacts');
await('the webhook', sub { $session->value("SELECT webhook_state FROM gc_fdw.imports WHERE id = $told") eq 'done' }, 30);
like((map { $_->{body} } grep { $_->{path} =~ /webhook/ } $sim->requests)[0] // '', qr/"importId":$told\b/, 'it is told once more');
is($session->value("SELECT count(*) FROM gc_fdw.audit_log WHERE source_id = $told"), 1, '… of one end');

# Nothing was committed.
my $submitter = GcSession->new($node);
$submitter->run("BEGIN; SELECT gc_fdw.submit_import('$list->{name}', \$q\$SELECT 'D' AS contact_id, 'D' AS k\$q\$)");
my $log = length slurp_log($node);
kill 'KILL', $submitter->pid;
$session = await_recovery($node, $log);
is($session->value("SELECT count(*) FROM gc_fdw.imports WHERE id > $id"), 0, 'an import that was not committed is none');
is($session->value('SELECT count(*) FROM gc_fdw.import_chunks c WHERE import_id > ' . $id), 0, '… and leaves no payload');

unlike(slurp_log($node), qr/PANIC|TRAP|signal 11|signal 6/, 'the server has not crashed by itself');
done_testing();
