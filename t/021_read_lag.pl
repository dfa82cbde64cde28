# A search may miss what was written a moment ago, so a key that is not found is asked
# for again (H3, DESIGN 3: read_lag).
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
my $node = new_node('lag', "shared_preload_libraries = 'gc_fdw'");
add_server($node, $sim, 'genesys', read_lag => '20s');
leads_table($node, 'leads', 'genesys', 'Leads');
# Whatever its list's size, it is read by ids, in joins too.
leads_table($node, 'named', 'genesys', 'Leads', scan_method => 'ids');
# A table by which contacts get other ids than their keys.
leads_table($node, 'loader', 'genesys', 'Leads', key => undef);

my $writer = GcSession->new($node);
my $reader = GcSession->new($node);
$_->run('SELECT 1 FROM leads LIMIT 1') for $writer, $reader;

sub searches { return scalar $sim->requests(qr{/search$}) }

# look_up(QUERY, LIMIT): what it gives, and how many searches that took.
sub look_up
{
	my ($sql, $limit) = @_;
	$sim->forget_requests;
	my $result = $reader->run($sql, $limit);
	is($result->{sqlstate}, '00000', $sql) or diag $result->{err};
	return ($result, searches());
}

sub load
{
	my ($session, $id, $key) = @_;
	my $result = $session->run("INSERT INTO loader (contact_id, k, name) VALUES ('$id', '$key', 'n')");
	is($result->{sqlstate}, '00000', "$key is written as $id") or diag $result->{err};
	return;
}

# Nobody has written: nobody waits.
my ($result, $searches) = look_up("SELECT name FROM leads WHERE k = 'nobody'");
is("$result->{out} $searches", ' 1', 'a key that is not there, before any write: asked for once');
cmp_ok($result->{seconds}, '<', 5, 'and soon');

# Another session has written it, under another id: found as soon as a search shows it.
$sim->set(read_lag_ms => 1500);
load($writer, 'elsewhere', 'K-1');
($result, $searches) = look_up("SELECT contact_id FROM leads WHERE k = 'K-1'");
is($result->{out}, 'elsewhere', 'a key under another id, written a moment ago, is found');
cmp_ok($searches, '>', 1, 'by searches that were repeated');
cmp_ok($searches, '<', 10, 'but not too often');
cmp_ok($result->{seconds}, '<', 10, 'and not until read_lag has passed');

# Of several keys, each; those that are there are not given twice.
$sim->set(read_lag_ms => 800);
load($writer, 'elsewhere-2', 'K-2');
($result) = look_up("SELECT contact_id FROM leads WHERE k IN ('K-1', 'K-2', 'K-1') ORDER BY 1");
is($result->{out}, "elsewhere\nelsewhere-2", 'several keys');
load($writer, 'elsewhere-3', 'K-3');
($result) = look_up("SELECT contact_id FROM (VALUES ('K-3'), ('K-1')) v(v) JOIN named ON k = v ORDER BY 1");
is($result->{out}, "elsewhere\nelsewhere-3", 'a join');

# By id a contact is there at once, so its key is not looked for any further.
$sim->set(read_lag_ms => 600000);
$writer->run("INSERT INTO leads (k, name) VALUES ('K-4', 'n')");
($result, $searches) = look_up("SELECT contact_id FROM leads WHERE k = 'K-4'");
is("$result->{out} $searches", 'K-4 1', 'a key that is its contact\'s id: no second search');
cmp_ok($result->{seconds}, '<', 5, 'and no wait');
($result) = look_up("SELECT name FROM leads WHERE contact_id = 'nobody'");
cmp_ok($result->{seconds}, '<', 5, 'an id that is not there is not waited for');
($result) = look_up("SELECT count(*) FROM leads WHERE name = 'nobody'");
cmp_ok($result->{seconds}, '<', 5, 'nor is a search that names nobody');

# Another list was not written.
$sim->list('Other', qw(Phone Key Name));
leads_table($node, 'other', 'genesys', 'Other');
($result, $searches) = look_up("SELECT name FROM other WHERE k = 'nobody'");
is($searches, 1, 'a list that nobody wrote: asked once');

# A cancel while it waits takes effect at once.
$sim->forget_requests;
$reader->start("SELECT name FROM leads WHERE k = 'nobody'");
await('a repeated search', sub { searches() >= 2 });
my $from = time;
$writer->run('SELECT pg_cancel_backend(' . $reader->pid . ')');
$result = $reader->finish;
is($result->{sqlstate}, '57014', 'a cancel while it waits') or diag $result->{err};
cmp_ok(time - $from, '<', 2, 'takes effect at once');
is($reader->value('SELECT count(*) FROM leads WHERE false'), '0', 'the session goes on');

# How long: until read_lag has passed since the write, once a statement.
$writer->run("ALTER SERVER genesys OPTIONS (SET read_lag '1500ms')");
load($writer, 'elsewhere-5', 'K-5');
$from = $writer->started;
($result, $searches) = look_up("SELECT count(l.k) FROM (VALUES ('x'), ('y'), ('z'), ('K-5')) v(v) LEFT JOIN named l ON l.k = v");
is($result->{out}, '0', 'what does not show within read_lag is not found');
cmp_ok($result->{at} - $from, '>=', 1.5, 'before read_lag has passed there is no such answer');
cmp_ok($result->{seconds}, '<', 5, 'and the keys of a statement do not wait each');
($result, $searches) = look_up("SELECT name FROM leads WHERE k = 'nobody'");
is($searches, 1, 'once it has passed, a key is asked for once');
my $unknown = "EXPLAIN (ANALYZE, COSTS OFF) SELECT name FROM leads WHERE k = 'nobody'";
my $explained = explained($reader->run($unknown));
is($explained->{'Path'}, 'ids', 'as EXPLAIN says');
is($explained->{'Read Lag'}, undef, 'which knows of no wait');

# It is not silent (U11): EXPLAIN shows the wait, and a message at DEBUG1 its limit.
$writer->run("ALTER SERVER genesys OPTIONS (SET read_lag '3s')");
$reader->run('SET client_min_messages = debug1');
load($writer, 'elsewhere-8', 'K-8');
$result = $reader->run($unknown);
like($result->{err}, qr/^DEBUG:  waiting up to [0-3]\.\d+ s until contact list "Leads" shows what was written \(read_lag\)$/m, 'a wait is told');
is(() = $result->{err} =~ /read_lag/g, 1, 'once');
$explained = explained($result);
cmp_ok($explained->{'Read Lag'} =~ s/ ms//r, '>', 0, 'EXPLAIN (ANALYZE) shows how long it was');
cmp_ok($explained->{'Read Lag'} =~ s/ ms//r, '<=', $explained->{'Wait Time'} =~ s/ ms//r, 'as a part of all waits');
$reader->run('RESET client_min_messages');
$writer->run("ALTER SERVER genesys OPTIONS (SET read_lag '1500ms')");

# However long others go on writing, what was written before the statement is what counts.
my $loader = GcSession->new($node);
$loader->start("DO \$\$ BEGIN FOR i IN 1 .. 100000 LOOP INSERT INTO loader (contact_id, k) VALUES ('same', 'same'); "
	  . 'PERFORM pg_sleep(0.02); END LOOP; END $$');
await('the first write', sub { $sim->requests(qr{^POST .*/contacts$}) });
($result) = look_up("SELECT name FROM leads WHERE k = 'nobody'");
is($result->{out}, '', 'a key that is not there, while somebody else writes');
cmp_ok($result->{seconds}, '<', 5, 'is not waited for longer than read_lag');
$writer->run('SELECT pg_cancel_backend(' . $loader->pid . ')');
is($loader->finish->{sqlstate}, '57014', 'and they went on to the end');

# 0: never.
$writer->run("ALTER SERVER genesys OPTIONS (SET read_lag '0')");
load($writer, 'elsewhere-6', 'K-6');
($result, $searches) = look_up("SELECT name FROM leads WHERE k = 'K-6'");
is($searches, 1, 'read_lag 0: asked once');

# Without shared memory (up to PostgreSQL 16) a session knows of its own writes.
my $alone = new_node('alone');
add_server($alone, $sim, 'genesys', read_lag => '20s');
leads_table($alone, 'leads', 'genesys', 'Leads');
leads_table($alone, 'loader', 'genesys', 'Leads', key => undef);
$reader = GcSession->new($alone);
$sim->set(read_lag_ms => 700);
load($reader, 'elsewhere-7', 'K-7');
($result) = look_up("SELECT contact_id FROM leads WHERE k = 'K-7'");
is($result->{out}, 'elsewhere-7', 'a session finds what it wrote itself');

done_testing();
