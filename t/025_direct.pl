# UPDATE and DELETE by bulk jobs, cut off while a job is at work, and with faults at random:
# a cancel takes effect at once and says that the platform goes on; what was said of the
# counts is true, and running it again heals (U1, DESIGN 3, direct_modify).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name State));
my $node = new_node('direct', "shared_preload_libraries = 'gc_fdw'", 'restart_after_crash = on', 'jit = off');
add_server($node, $sim, 'genesys', max_retries => 1, retry_timeout => '5s', direct_modify => 'true', exact_filters => 'true');
leads_table($node, 'leads', 'genesys', 'Leads');
$node->safe_psql('postgres', "ALTER FOREIGN TABLE leads ADD COLUMN state text OPTIONS (field 'State')");
my $control = GcSession->new($node);

my $update = q(UPDATE leads SET name = 'new' WHERE state = 'NY');
my $delete = q(DELETE FROM leads WHERE state = 'NY');
my $by_ids = q(UPDATE leads SET name = 'new' WHERE contact_id = ANY (ARRAY(SELECT 'k' || i FROM generate_series(1, 40) i)));

# 40 contacts k1 … k40 in NY, all named "old"; no job is at work.
sub fill
{
	$sim->faults;
	$sim->set(bulk_job_polls => 0, bulk_job_ms => 0);
	my $session = GcSession->new($node);
	my $result = $session->run("SET client_min_messages = error; TRUNCATE leads; "
		. "INSERT INTO leads (k, name, phone, state) SELECT 'k' || i, 'old', '+1' || i, 'NY' FROM generate_series(1, 40) i; "
		. 'RESET client_min_messages');
	die $result->{err} unless $result->{sqlstate} eq '00000';
	return $session;
}

sub named
{
	my ($name) = @_;
	return scalar grep { ($_->{data}{Name} // '') eq $name } $sim->contacts($list);
}

sub changed
{
	my ($sql) = @_;
	return $sql =~ /^DELETE/ ? 40 - $sim->contacts($list) : named('new');
}

# The contacts as they were before the latest job, as the platform keeps them.
sub file_of_last_job
{
	my ($job) = @{ $sim->api('GET', "/outbound/contactlists/$list/contacts/bulk/jobs")->{entities} };
	return $sim->file($job->{downloadURI} =~ s{^/api/v2}{}r);
}

# ---- cut off

# The job that does the work is the second one of an UPDATE: the first shows what an edit does.
my $looks = qr{^GET .*/bulk/jobs/};
my %ways = (
	cancel => sub { $control->value('SELECT pg_cancel_backend(' . $_[0]->pid . ')') },
	terminate => sub { $control->value('SELECT pg_terminate_backend(' . $_[0]->pid . ')') },
	kill => sub { kill 'KILL', $_[0]->pid },
);
for my $sql ($update, $delete, $by_ids)
{
	for my $way (sort keys %ways)
	{
		my $name = "$way of $sql";
		my $session = fill();
		$session->run('SELECT 1 FROM leads LIMIT 1');
		# That takes so long as well.
		$sim->set(bulk_job_ms => $way eq 'kill' ? 500 : 1000);
		$sim->forget_requests;
		$session->start($sql);
		my $jobs = $sql =~ /^DELETE/ ? 1 : 2;
		await("$name: the job", sub { $sim->requests(qr{/bulk/(update|remove)$}) == $jobs }) or next;
		my ($submitted) = reverse $sim->requests(qr{/bulk/(update|remove)$});
		await("$name: it is looked at", sub { grep { $_->{seq} > $submitted->{seq} } $sim->requests($looks) }) or next;
		my ($from, $log) = (time, -s $node->logfile);
		$ways{$way}->($session);
		my $result = $session->finish(30);
		cmp_ok($result->{at} - $from, '<', 1, "$name: soon");
		if ($way eq 'cancel')
		{
			is($result->{sqlstate}, '57014', "$name: PostgreSQL's own words");
			like($result->{err}, qr/WARNING: .*the platform goes on with bulk job "[0-9a-f-]{36}" of contact list "Leads"/, "$name: the job is named");
			like(counts_in($result->{err}), qr{^(\d+)/(\d+)/0$}, "$name: the counts") or diag $result->{err};
			my ($accepted, $doubt) = counts_in($result->{err}) =~ m{^(\d+)/(\d+)/} ? ($1, $2) : (0, 0);
			is($accepted + $doubt, 40, "$name: all of them went");
		}
		if ($way eq 'kill')
		{
			# At once: the platform takes it up when it has done the first one.
			$control = await_recovery($node, $log);
			is($control->run($sql)->{sqlstate}, '00000', "$name: run again");
			is(changed($sql), 40, "$name: and whole");
		}
		await("$name: the job does it all", sub { changed($sql) == 40 });
	}
}

# statement_timeout, and a savepoint: the WARNING comes with it, and the session goes on.
my $session = fill();
$sim->set(bulk_job_ms => 1500);
$session->start("SET statement_timeout = '400ms'; BEGIN; SAVEPOINT s; $delete");
my $result = $session->finish(30);
is($result->{sqlstate}, '57014', 'statement_timeout');
my $rolled = $session->run('ROLLBACK TO s');
like($result->{err} . $rolled->{err}, qr/goes on with bulk job/, 'statement_timeout: the job is named');
is(scalar(() = ($result->{err} . $rolled->{err} . $session->run('ROLLBACK')->{err}) =~ /goes on with/g), 1, 'and once');
await('statement_timeout: the job ends', sub { changed($delete) == 40 });

# ---- the edit that is tried

# What an edit does is tried with one contact.  Cut off before it is whole again, where edits take away
# what they do not name: it is named, no other one is touched, by running it again neither, and the
# file of the job has it as it was.
my @tried = (
	{ what => 'the job', fault => { method => 'GET', path => '*/bulk/jobs/*', nth => 1 } },
	{ what => 'the read', fault => { method => 'GET', path => '*/contacts/k1', nth => 1 } },
	{ what => 'the restore', fault => { method => 'POST', path => '*/contacts', nth => 1 } },
);
my $by_name = q(UPDATE leads SET name = 'new' WHERE name = 'old');
sub maimed { return map { $_->{id} } grep { !defined $_->{data}{Phone} } $sim->contacts($list) }

for my $cut (@tried)
{
	for my $sql ($by_name, $by_ids)
	{
		for my $way (qw(cancel kill))
		{
			my $name = "$way before $cut->{what} is answered, of $sql";
			my $session = fill();
			$session->run('SELECT 1 FROM leads LIMIT 1');
			$sim->set(bulk_edit_data => 'replace');
			$sim->faults({ %{ $cut->{fault} }, stall => \1 });
			$session->start($sql);
			await("$name: it stands there", sub { $sim->fault_hits }) or next;
			my $log = -s $node->logfile;
			$ways{$way}->($session);
			my $result = $session->finish(30);
			$control = await_recovery($node, $log) if $way eq 'kill';
			$sim->faults;
			is(join(' ', maimed()), 'k1', "$name: one contact has lost its cells");
			like($result->{err}, qr/WARNING: .*contact "k1" of contact list "Leads" may have lost cells.*\n.*job "[0-9a-f-]{36}"/, "$name: which is said")
			  if $way eq 'cancel';
			like(file_of_last_job(), qr/\bk1\b.*\+11\b.*\bold\b/, "$name: the job's file has them");
			my $again = $control->run($sql);
			is($again->{sqlstate}, '0A000', "$name: run again");
			unlike($again->{err}, qr/WARNING/, "$name: and nothing is in doubt");
			is(join(' ', maimed()), 'k1', "$name: no other one has lost any");
			is(named('new'), 0, "$name: nor been changed");
			$sim->set(bulk_edit_data => 'patch');
		}
	}
}

# ---- a long job

# It is followed in the view progress, and waited for as long as it gets on.
$session = fill();
$sim->set(bulk_job_ms => 1500);
$control->run(q(ALTER FOREIGN TABLE leads OPTIONS (ADD ready_timeout '1s')));
$session->start($delete);
await('progress', sub { $control->value(q(SELECT count(*) FROM gc_fdw.progress WHERE operation = 'DELETE' AND rows_done BETWEEN 1 AND 39 AND rows_total = 40)) });
$result = $session->finish(30);
is($result->{sqlstate}, '00000', 'a job that gets on is waited for') or diag $result->{err};
is(changed($delete), 40, 'and done');
$control->run(q(ALTER FOREIGN TABLE leads OPTIONS (DROP ready_timeout)));

# ---- faults at random

# A statement that fails says no more than is true: accepted at least, accepted and in doubt
# at most; one that succeeds has done all of it.  No cell is lost.
my @random = (
	{ percent => 6, drop => 'after' }, { percent => 6, status => 503, body => '' }, { percent => 5, conflict => 'K2' },
	{ percent => 6, status => 500, effect => \1, body => '' });
my ($ended, $failed) = (0, 0);
for my $run (1 .. 8)
{
	for my $sql ($update, $delete, $by_ids)
	{
		my $one = fill();
		$one->run('SELECT 1 FROM leads LIMIT 1');
		$sim->set(seed => $run, bulk_job_ms => 20);
		$sim->faults(map { +{ %$_, path => '/contacts' } } @random);
		my $end = $one->run($sql);
		$sim->faults;
		my ($accepted, $doubt) = counts_in($end->{err}) =~ m{^(\d+)/(\d+)/} ? ($1, $2) : (0, 0);
		my $done = changed($sql);
		if ($end->{sqlstate} eq '00000')
		{
			$ended++;
			is($done, 40, "run $run of $sql: all of it");
		}
		else
		{
			$failed++;
			ok($done >= $accepted && $done <= $accepted + $doubt, "run $run of $sql: $accepted accepted, $doubt in doubt, $done there")
			  or diag $end->{err};
		}
		is(scalar(grep { !defined $_->{data}{Phone} } $sim->contacts($list)), 0, "run $run of $sql: no cell is lost");
	}
}
ok($ended > 0 && $failed > 0, "$ended runs ended well, $failed did not");

done_testing();
