# UPDATE, DELETE and TRUNCATE cut off in the middle, by a cancel, a kill and by faults at
# random: what was said of the counts is true, what was sent stays, and running the
# statement again heals (U1, D2, DESIGN 3).
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
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('writes', 'restart_after_crash = on', 'jit = off');
add_server($node, $sim, 'genesys', batch_size => 10, max_in_flight => 1, max_retries => 1, retry_timeout => '5s');
leads_table($node, 'leads', 'genesys', 'Leads');
my $control = GcSession->new($node);

# ---- what is there

# 40 contacts k1 … k40, all named "old".
sub fill
{
	$sim->faults;
	my $session = GcSession->new($node);
	my $result = $session->run("SET client_min_messages = error; TRUNCATE leads; "
		. "INSERT INTO leads (k, name, phone) SELECT 'k' || i, 'old', '+1' || i FROM generate_series(1, 40) i; "
		. 'RESET client_min_messages');
	die $result->{err} unless $result->{sqlstate} eq '00000';
	$session->run('SELECT 1 FROM leads LIMIT 1');
	return $session;
}

# How many contacts are there with that name.
sub named
{
	my ($name) = @_;
	return scalar grep { ($_->{data}{Name} // '') eq $name } $sim->contacts($list);
}

# ---- cut off

# Each with the call that gets no answer, how many before it did, and what is there afterwards:
# changed, and of these, in doubt.
my @cuts = (
	{ what => 'an UPDATE in batches', sql => q(UPDATE leads SET name = 'new'), stall => { method => 'POST', path => '*/contacts', nth => 2 },
		seen => qr{^POST .*/contacts$}, requests => 2, counts => '10/10/10', changed => sub { named('new') }, least => 10, most => 20 },
	{ what => 'an UPDATE of one', sql => q(UPDATE leads SET name = 'new' WHERE contact_id = 'k1'), stall => { method => 'POST', path => '*/contacts' },
		seen => qr{^POST .*/contacts$}, requests => 1, counts => '0/1/0', changed => sub { named('new') }, least => 0, most => 1 },
	{ what => 'a fresh read', sql => q(UPDATE fresh SET name = 'new'), stall => { path => '*/contacts/bulk' },
		seen => qr{/bulk$}, requests => 1, counts => 'none', changed => sub { named('new') }, least => 0, most => 0 },
	{ what => 'a DELETE in batches', sql => q(DELETE FROM leads), stall => { method => 'DELETE', nth => 2 },
		seen => qr{^DELETE }, requests => 2, counts => '10/10/10', changed => sub { 40 - $sim->contacts($list) }, least => 10, most => 20 },
	{ what => 'the look after a DELETE', sql => q(DELETE FROM leads), stall => { path => '*/contacts/bulk' },
		seen => qr{/bulk$}, requests => 1, counts => '0/10/10', changed => sub { 40 - $sim->contacts($list) }, least => 10, most => 10 },
	{ what => 'a TRUNCATE', sql => q(TRUNCATE leads), stall => { path => '*/clear', effect => \1 },
		seen => qr{/clear$}, requests => 1, counts => 'none', says => qr/unknown whether TRUNCATE took the contacts from/, changed => sub { 40 - $sim->contacts($list) }, least => 40, most => 40 },
	{ what => 'the look after a TRUNCATE', sql => q(TRUNCATE leads), stall => { path => '*/search' },
		seen => qr{/search$}, requests => 1, counts => 'none', says => qr/TRUNCATE took from/, changed => sub { 40 - $sim->contacts($list) }, least => 40, most => 40 },
);

leads_table($node, 'fresh', 'genesys', 'Leads', update_freshness => '0');
for my $cut (@cuts)
{
	my $session = fill();
	$session->run('SELECT 1 FROM fresh LIMIT 1');
	$sim->faults({ stall => \1, %{ $cut->{stall} } });
	$sim->forget_requests;
	$session->start($cut->{sql});
	await("$cut->{what}: the call", sub { $sim->requests($cut->{seen}) == $cut->{requests} }) or next;
	my $from = time;
	$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
	my $result = $session->finish(30);
	is($result->{sqlstate}, '57014', "$cut->{what}: cancelled");
	cmp_ok($result->{at} - $from, '<', 2, "$cut->{what}: soon");
	is(counts_in($result->{err}), $cut->{counts}, "$cut->{what}: the counts") or diag $result->{err};
	like($result->{err}, $cut->{says}, "$cut->{what}: the rollback says so") if $cut->{says};
	my $changed = $cut->{changed}->();
	ok($changed >= $cut->{least} && $changed <= $cut->{most}, "$cut->{what}: what was sent stays ($changed)");
	$sim->faults;
	is($session->run($cut->{sql})->{sqlstate}, '00000', "$cut->{what}: the session goes on");
}

# kill -9 in the middle: the server recovers, and running it again heals.
for my $cut (@cuts[ 0, 3 ])
{
	my $session = fill();
	$sim->faults({ stall => \1, effect => \1, %{ $cut->{stall} } });
	$sim->forget_requests;
	$session->start($cut->{sql});
	await("$cut->{what}, killed: the call", sub { $sim->requests($cut->{seen}) == $cut->{requests} }) or next;
	kill 'KILL', $session->pid;
	$session->finish(30);
	$node->poll_query_until('postgres', 'SELECT true');
	my $changed = $cut->{changed}->();
	is($changed, 20, "$cut->{what}, killed: what was sent stays");
	$sim->faults;
	$control = GcSession->new($node);
	is($control->run($cut->{sql})->{sqlstate}, '00000', "$cut->{what}, killed: run again");
	is($cut->{changed}->(), 40, "$cut->{what}, killed: and whole");
}

# ---- faults at random

# A statement that fails says no more than is true: accepted at least, accepted and in doubt
# at most; one that succeeds has done all of it.
my @random = (
	{ percent => 8, drop => 'after' }, { percent => 8, status => 503, body => '' }, { percent => 5, conflict => 'K3' },
	{ percent => 8, status => 500, effect => \1, body => '' }, { percent => 5, status => 429, headers => { 'Retry-After' => '1' } });
my ($ended, $failed) = (0, 0);
$control->run('ALTER SERVER genesys OPTIONS (SET max_in_flight \'4\')');
for my $run (1 .. 8)
{
	for my $sql (q(UPDATE leads SET name = 'new'), q(UPDATE fresh SET name = 'new'), q(DELETE FROM leads))
	{
		my $session = fill();
		my $deletes = $sql =~ /^DELETE/;
		$sim->call('POST', '/_sim/set', { seed => $run });
		$sim->faults(map { +{ %$_, path => '/contacts' } } @random);
		my $result = $session->run($sql);
		$sim->faults;
		my $changed = $deletes ? 40 - $sim->contacts($list) : named('new');
		my ($accepted, $doubt) = counts_in($result->{err}) =~ m{^(\d+)/(\d+)/} ? ($1, $2) : (0, 0);
		if ($result->{sqlstate} eq '00000')
		{
			$ended++;
			is($changed, 40, "run $run of $sql: all of it");
		}
		else
		{
			$failed++;
			ok($changed >= $accepted && $changed <= $accepted + $doubt, "run $run of $sql: $accepted accepted, $doubt in doubt, $changed there")
			  or diag $result->{err};
		}
		is(scalar(grep { !defined $_->{data}{Phone} } $sim->contacts($list)), 0, "run $run of $sql: no cell is lost");
	}
}
ok($ended && $failed, "some ended ($ended) and some failed ($failed)");

$sim->stop;
$node->stop;
done_testing();
