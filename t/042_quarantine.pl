# "Take me off your list", on 200 contact lists, while eight loads use up the quota and the dialler holds the contact on
# some of them (issue 7, compliance; G4, E4: the reserve of the quota); and forget_contact() likewise.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

skip_unless_possible();

use constant LISTS => 200;
use constant HELD => 5;
# Ten times the platform's, so that it does not take long; GC_QUARANTINE_PER_MINUTE=300 is the platform's.
use constant PER_MINUTE => $ENV{GC_QUARANTINE_PER_MINUTE} // 3000;

my $sim = GcSim->new;
my $node = new_node('quarantine', "shared_preload_libraries = 'gc_fdw'");
my @lists = map { $sim->list("List $_", qw(Phone Key Name)) } 1 .. LISTS;
my $load_list = $sim->list('Loaded', qw(Phone Key Name));

# Half of the quota is for single rows, which the loads' are not.
add_server($node, $sim, 'genesys', requests_per_minute => PER_MINUTE, quota_reserve => '0.5', retry_timeout => '5min', list_freshness => '1h');
leads_table($node, 'loaded', 'genesys', 'Loaded', batch_size => 2, key => undef);

# On every list but the last there is the contact; on some the dialler holds it.
sub put { my ($list, %what) = @_; $sim->call('POST', '/_sim/contacts', { listId => $list, id => 'K-1', %what }); return }
$sim->api('POST', "/outbound/contactlists/$_/contacts", [ { contactListId => $_, id => 'K-1', data => { Key => 'K-1', Name => 'n', Phone => '+14155550100' } } ]) for @lists[ 0 .. LISTS - 2 ];
put($_, inUse => \1) for @lists[ 0 .. HELD - 1 ];

my @loads = map { GcSession->new($node) } 1 .. 8;
my $session = GcSession->new($node);
my $watch = GcSession->new($node);
$_->value('SELECT count(*) FROM (SELECT FROM loaded LIMIT 1) x') for @loads, $session;
$_->start("INSERT INTO loaded (phone, k, name) SELECT '+14155550100', '" . $_->pid . "-' || g, 'x' FROM generate_series(1, 5000) g") for @loads;
await('the loads wait for the quota', sub { $watch->value("SELECT waiters FROM gc_fdw.rate_limits WHERE server = 'genesys' AND bucket = 'all'") >= 8 });

# state_of(): how many lists show the contact as not callable, and how many have it.
sub state_of
{
	my @found = map { my $list = $_; grep { $_->{id} eq 'K-1' } $sim->contacts($list) } @lists;
	return (scalar(grep { !$_->{callable} } @found), scalar @found);
}

# run(QUERY, PATTERN): runs it, lets the held contacts go when it has met each of them twice; what it took.
sub run
{
	my ($query, $met) = @_;
	$sim->forget_requests;
	my $from = time;
	$session->start($query);
	# Seldom: the record is long.
	await('the dialler is met, and the others are seen to', sub { sleep 0.3; (() = $sim->requests($met)) >= 2 * HELD }, 240);
	put($_, inUse => \0) for @lists[ 0 .. HELD - 1 ];
	my $result = $session->finish(120);
	diag $result->{err} if $result->{err};
	return ($result->{out}, time - $from);
}

my $held = join '|', map { quotemeta } @lists[ 0 .. HELD - 1 ];

# Requests of ours; and their part of all, from the first of them to the last that is about no held contact.
sub ours
{
	my @all = $sim->requests;
	my @ours = grep { $all[$_]{path} !~ m{/$load_list/contacts$} } 0 .. $#all;
	my @free = grep { $all[$_]{path} !~ m{/(?:$held)/} } @ours;
	my @between = grep { $_ >= $free[0] && $_ <= $free[-1] } @ours;
	return (scalar @ours, @between / ($free[-1] - $free[0] + 1));
}

my ($out, $seconds) = run("SELECT result, count(*) FROM gc_fdw.quarantine('K-1') GROUP BY 1 ORDER BY 1", qr{POST .*/(?:$held)/contacts});
is($out, "absent|2\nquarantined|199", 'the contact is quarantined on all lists that have it, those included where the dialler held it');
is(join(' ', state_of()), '199 199', '… and made on none where it was not');
my ($requests, $part) = ours();
note sprintf '%d lists, %d of them held, with eight loads at work: %.1f s, %d requests, %.0f%% of the quota meanwhile', LISTS, HELD, $seconds, $requests, 100 * $part;
cmp_ok($requests, '>=', 2 * LISTS, 'a request to read each, and one to write each');
# One of nine who take turns would have 11%.
cmp_ok($part, '>', 0.25, 'E4: it goes before the loads, as far as the reserve goes');
is($watch->value("SELECT count(*) FROM gc_fdw.contact_audit WHERE contact_id = 'K-1' AND new_value = 'false' AND correlation_id IS NOT NULL"), 199,
	'each list is in contact_audit');

# A cancel in the middle: what was confirmed by then is in contact_audit.
put($_, callable => \1) for @lists[ 0 .. LISTS - 2 ];
put($_, inUse => \1) for @lists[ 0 .. HELD - 1 ];
$sim->forget_requests;
$session->start("SELECT count(*) FROM gc_fdw.quarantine('K-1')");
await('some are done', sub { sleep 0.3; (grep { $_->{path} !~ m{/(?:$held|$load_list)/} && $_->{status} == 200 } $sim->requests(qr{POST .*/contacts})) >= 5 }, 60);
$session->interrupt;
my $result = $session->finish;
like($result->{err}, qr/canceling statement due to user request/, 'cancelled');
like($result->{err}, qr/WARNING:  what was sent to server "genesys" is not undone/, '… with a WARNING');
my $done = (state_of())[0];
my $noted = sub { $watch->value("SELECT count(*) FROM gc_fdw.contact_audit WHERE contact_id = 'K-1' AND new_value = 'false'") - 199 };
await('those that were confirmed are noted', sub { $noted->() >= 5 });
cmp_ok($noted->(), '<=', $done, '… and no others');

# Erasure.
$session->close;
$session = GcSession->new($node);
($out, $seconds) = run("SELECT rows, count(*) FROM gc_fdw.forget_contact('K-1') WHERE relation LIKE 'contact list%' GROUP BY 1 ORDER BY 1", qr{DELETE .*/(?:$held)/contacts});
is($out, "0|2\n1|199", 'the contact is erased from all lists');
is(join(' ', state_of()), '0 0', '… and seen to be gone');
note sprintf 'erasure from %d lists: %.1f s, %d requests', LISTS, $seconds, (ours())[0];

$_->interrupt for @loads;
$_->finish for @loads;
done_testing();
