# The time of day jumps by an hour, forward and back, in the middle of a load with a quota,
# a backoff, a quota that the platform closes and a token that expires: it goes on as if
# nothing had happened (DESIGN 4.2, base/clock.h).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

skip_unless_possible();

my $sim = GcSim->new('--set', 'token_lifetime=2');
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_shimmed_node('clock');
add_server($node, $sim, 'paced', requests_per_minute => 1200, max_in_flight => 1);
leads_table($node, 'leads', 'paced', 'Leads', batch_size => 10);
my $session = GcSession->new($node);
my $other = GcSession->new($node);
my $posts = qr{^POST .*/contacts$};

sub answered
{
	my ($status) = @_;
	return await("a $status", sub { grep { $_->{status} == $status } $sim->requests($posts) });
}

# Twenty batches, 50 ms apart, and two pauses of a second; the time of day is off by so much
# in the first pause, in the second, and from the next token on.
sub load
{
	my ($case, @offsets) = @_;
	my %retry = (path => '*/contacts', times => 1, headers => { 'Retry-After' => '1' });

	$session->run('SELECT gc_fdw.disconnect()');
	$session->run('SELECT 1 FROM leads LIMIT 1');
	$sim->faults({ %retry, nth => 4, status => 503 }, { %retry, nth => 10, status => 429 });
	$sim->forget_requests;
	my $tokens = $sim->state->{tokens_issued};
	my $day = $other->value('SELECT extract(epoch FROM clock_timestamp())');
	$session->start("INSERT INTO leads (k, name) SELECT '$case-' || i, 'n' FROM generate_series(1, 200) i");
	answered(503);
	jump_clock($offsets[0]);
	my $jumped = $other->value('SELECT extract(epoch FROM clock_timestamp())') - $day;
	answered(429);
	jump_clock($offsets[1]);
	await('a new token', sub { $sim->state->{tokens_issued} > $tokens });
	jump_clock($offsets[2]);
	my $result = $session->finish(30);
	jump_clock(0);
	$sim->faults;
	my %seen;
	$seen{ $_->{status} }++ for $sim->requests($posts);
	return {
		%$result,
		jumped => $jumped,
		answers => join(', ', map { "$seen{$_} x $_" } sort keys %seen),
		tokens => $sim->state->{tokens_issued} - $tokens,
		stored => scalar(grep { /^$case-/ } $sim->contact_ids($list)),
	};
}

my $usual = load('usual', 0, 0, 0);
is($usual->{sqlstate}, '00000', 'a load') or diag $usual->{err};
cmp_ok($usual->{seconds}, '>', 2.5, 'a load with two pauses and a quota');
for my $row (
	[ 'forward, back by two hours, and right again', 3600, -3600, 0 ],
	[ 'back, forward by two hours, and right again', -3600, 3600, 0 ])
{
	my ($what, @offsets) = @$row;
	my $result = load($what =~ s/\W.*//r, @offsets);

	cmp_ok(abs($result->{jumped}), '>', 3500, "$what: the server's time of day jumps");
	is($result->{sqlstate}, '00000', "$what: SQLSTATE") or diag $result->{err};
	is($result->{stored}, 200, "$what: every row");
	is($result->{answers}, $usual->{answers}, "$what: the same requests");
	cmp_ok($result->{tokens}, '<=', $usual->{tokens} + 1, "$what: no more tokens");
	cmp_ok($result->{tokens}, '>=', 1, "$what: a token in time");
	cmp_ok($result->{seconds}, '>', $usual->{seconds} - 0.7, "$what: no sooner");
	cmp_ok($result->{seconds}, '<', $usual->{seconds} + 2, "$what: no later");
	note sprintf '%s: %.2f s for %.2f s, %s, %d tokens', $what, @$result{qw(seconds)}, $usual->{seconds}, @$result{qw(answers tokens)};
}

$session->close;
$other->close;
$node->stop;
done_testing();
