# Reading by export: where its token goes, which export is read, what a download that is
# slow, cut off or cancelled comes to, and several at once (DESIGN 4.1, 4.4).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('export');
add_server($node, $sim, 'genesys', max_retries => 2, request_timeout => '1s');
leads_table($node, 'searched', 'genesys', 'Leads');
leads_table($node, 'leads', 'genesys', 'Leads', scan_method => 'export');
my $session = GcSession->new($node);
my $other = GcSession->new($node);
my $all = 'SELECT count(*), count(k) FROM leads';
my $storage = qr{^GET /storage/};

sub load
{
	my ($from, $to) = @_;
	$other->value("INSERT INTO searched (k, name) SELECT 'c' || i, repeat('x', 200) FROM generate_series($from, $to) i; SELECT 1");
	return;
}

sub authorized { return scalar grep { grep { lc eq 'authorization' } keys %{ $_->{headers} } } @_ }

load(1, 1000);

# ---- the token (DESIGN 4.1) ----

$sim->forget_requests;
is($session->run($all)->{out}, '1000|1000', 'all of a list');
is(authorized($sim->requests($storage)), 0, 'the storage is shown no token');
is(authorized($sim->requests(qr{/downloads/})), 1, 'the API is');
# A redirect to another host, which answers everybody; and to the API's own, but not to its calls
my $stranger = GcSim->new;
for my $to ($stranger->url . '/steal', $sim->url . '/steal')
{
	my ($host) = $to =~ m{^(.*)/steal};
	my $at = $host eq $sim->url ? $sim : $stranger;
	my $file = { path => '/steal', status => 200, body => "inin-outbound-id,Key\ni,k\n" };
	my $redirect = { path => '/downloads/', status => 302, headers => { Location => $to } };
	$sim->faults($redirect, $at == $sim ? $file : ());
	$stranger->faults($file);
	$at->forget_requests;
	is($session->run($all)->{out}, '1|1', "redirected to $to");
	is(scalar($at->requests(qr{^GET /steal})), 1, 'who is asked');
	is(authorized($at->requests(qr{^GET /steal})), 0, '… without a token');
}
$sim->faults({ path => '/storage/', status => 302, headers => { Location => '/storage/again' } });
my $result = $session->run($all);
is($result->{sqlstate}, 'HV000', 'redirected without end');
like($result->{err}, qr/could not read contact list "Leads".*redirected more often than 5 times/s, '… says so');
$sim->faults({ path => '/storage/', status => 302, headers => { Location => 'http://192.0.2.1/' } });
like($session->run($all)->{err}, qr/redirected to where nobody follows: It leads to plain http/, 'never to plain http elsewhere');
$sim->faults;

# ---- which export (DESIGN 4.4): never one from before it was asked for ----

$sim->set(export_ms => 700);
load(1001, 1001);
$sim->forget_requests;
is($session->run($all)->{out}, '1001|1001', 'the export before is not read');
my @looks = $sim->requests(qr{^GET .*/export$});
cmp_ok(scalar(grep { $_->{status} == 200 } @looks), '>=', 3, '… though it was served meanwhile');
# Somebody else's, which is on its way already, does not have what was written since.
for my $busy (qw(409 400))
{
	$sim->set(export_busy => $busy);
	$sim->forget_requests;
	$session->start($all);
	await('an export is on its way', sub { scalar grep { $_->{status} == 200 } $sim->requests(qr{^POST .*/export$}) });
	load(1002, 1002);
	is($other->run($all)->{out}, '1002|1002', "export_busy $busy: another's export is waited for, and not read");
	is($session->finish->{out}, $busy eq '409' ? '1001|1001' : '1002|1002', '… who reads his own');
}
$sim->set(export_ms => 0);

# ---- several at once, in one plan and in one session ----

my @settings = map { "SET enable_$_ = off" } qw(hashjoin mergejoin material memoize);
$session->run($_) for @settings, 'SET cursor_tuple_fraction = 1';
is($session->run('SELECT count(*) FROM (SELECT k FROM leads LIMIT 3) a, LATERAL (SELECT count(*) FROM leads b WHERE b.k >= a.k) b')->{out}, '3',
	'one is read while another has been begun');
is($session->run("SELECT count(*) FROM leads a JOIN leads b ON a.k = b.k WHERE a.k < 'c102'")->{out}, '7', 'joined with itself');
$session->run('RESET ALL');
$session->run('BEGIN; DECLARE a CURSOR FOR SELECT k FROM leads; DECLARE b CURSOR FOR SELECT name, k FROM leads');
is(join(' ', map { $session->value("FETCH $_") } qw(a b a b)), 'c1 ' . 'x' x 200 . '|c1 c2 ' . 'x' x 200 . '|c2', 'two cursors take turns');
$sim->faults({ path => '/storage/', truncate => 30000, times => 1 });
$session->run('SAVEPOINT s');
is($session->run('SELECT count(*) FROM leads')->{sqlstate}, '08006', 'one that fails in a savepoint');
$session->run('ROLLBACK TO s');
is($session->run('MOVE ALL FROM a')->{out}, '', '… leaves the others alone');
is($session->run('FETCH b')->{out}, 'x' x 200 . '|c3', '… all of them');
$session->run('COMMIT');

# ---- downloads that go wrong: an error, never fewer rows ----

for my $case (
	[ 'cut off', { truncate => 100000 }, qr/The download broke off after 100000 bytes/ ],
	[ 'cut off at the end of a line', { status => 200, body => "inin-outbound-id,Key\ni,k\nj,l\n", truncate => 25 }, qr/The download broke off after 25 bytes/ ],
	[ 'cut off before the first row', { truncate => 5 }, qr/The download broke off after 5 bytes/ ],
	[ 'no answer', { stall => \1 }, qr/There was no answer: .* \(limit: request_timeout\)/ ])
{
	my ($what, $fault, $message) = @$case;
	$sim->faults({ path => '/storage/', %$fault });
	my $failed = $session->run('SELECT count(*) FROM leads');
	is($failed->{sqlstate}, '08006', "$what: SQLSTATE");
	like($failed->{err}, qr/could not read contact list "Leads".*$message/s, "$what: says so, and of which list");
	unlike($failed->{err}, qr/X-Amz-Signature/, "$what: an address that is good for anybody is not shown");
}
# A storage that does not say how long the file is, and one that falls silent in the middle of it
for my $case (
	[ 'no length', '', 'HV000', qr/does not say how long the file is/ ],
	[ 'silence', "Content-Length: 1000\r\n", '08006', qr/broke off after 24 bytes: Nothing more came for 1 s \(limit: request_timeout\)/ ])
{
	my ($what, $header, $sqlstate, $message) = @$case;
	my $socket = GcSim::silent_port();
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		my $peer = $socket->accept;
		sysread $peer, my $head, 10000;
		syswrite $peer, "HTTP/1.1 200 OK\r\n$header\r\ninin-outbound-id,Key\ni,k";
		# Until the client goes away, or at once.
		sysread $peer, $head, 1 if $header;
		POSIX::_exit(0);
	}
	$sim->faults({ path => '/downloads/', status => 302, headers => { Location => 'http://127.0.0.1:' . $socket->sockport . '/' } });
	my $failed = $session->run($all);
	is($failed->{sqlstate}, $sqlstate, "$what: SQLSTATE");
	like($failed->{err}, $message, "$what: says so");
	waitpid $pid, 0;
}
# request_timeout is for each wait, not for all of them: two seconds and more of it.
$sim->faults({ path => '/storage/', bytes_per_second => 100000 });
$result = $session->run($all);
is($result->{out}, '1002|1002', 'a download may take longer than request_timeout');
cmp_ok($result->{seconds}, '>', 1, '… and did');

# ---- cancels (U1) ----

$sim->set(export_ms => 600000, export_busy => 'restart');
for my $case ([ 'while it is made', sub { scalar $sim->requests(qr{^POST .*/export$}) } ],
	[ 'while it comes', sub { scalar grep { $_->{status} == 200 } $sim->requests($storage) } ])
{
	my ($what, $reached) = @$case;
	if ($what eq 'while it comes')
	{
		$sim->set(export_ms => 0);
		$sim->faults({ path => '/storage/', bytes_per_second => 200 });
	}
	$sim->forget_requests;
	$session->run('SELECT gc_fdw.disconnect(); SELECT 1 FROM searched LIMIT 1');
	my $sockets = open_sockets($session->pid);
	$session->start($all);
	await("$what: reached", $reached);
	await_waiting($other, $session);
	# The server's own view of COPY shows it.
	is($other->value('SELECT type FROM pg_stat_progress_copy WHERE pid = ' . $session->pid), 'CALLBACK', 'pg_stat_progress_copy')
	  if $what eq 'while it comes' && await('the file is begun', sub { $other->run('SELECT 1 FROM pg_stat_progress_copy')->{out} });
	my $from = time;
	$other->value('SELECT pg_cancel_backend(' . $session->pid . ')');
	my $cancelled = $session->finish(30);
	is($cancelled->{sqlstate}, '57014', "$what: cancelled");
	cmp_ok($cancelled->{at} - $from, '<', 2, "$what: soon");
	SKIP:
	{
		skip 'no /proc', 1 unless defined $sockets;
		cmp_ok(open_sockets($session->pid), '<=', $sockets, "$what: no socket is left");
	}
	is($other->value('SELECT count(*) FROM pg_stat_progress_copy'), '0', "$what: nor progress");
	$sim->faults;
}
is($session->run($all)->{out}, '1002|1002', 'and the session works');
# What is shown of a COPY that reads an export is the COPY.
$sim->faults({ path => '/storage/', bytes_per_second => 5000 });
$session->start("COPY (SELECT k FROM leads) TO '/dev/null'");
await('the COPY writes', sub { $other->run('SELECT 1 FROM pg_stat_progress_copy WHERE tuples_processed > 3')->{out} });
is($other->value('SELECT command FROM pg_stat_progress_copy'), 'COPY TO', 'a COPY stays what is shown');
$other->value('SELECT pg_cancel_backend(' . $session->pid . ')');
$session->finish;
$sim->faults;

# ---- other encodings: whose cell it is (C2) ----

$other->value("INSERT INTO searched (k, name) VALUES ('c3', E'\\u96FB'); SELECT 1");
new_database($node, 'latin', 'LATIN1');
add_server($node, $sim, 'genesys', dbname => 'latin');
leads_table($node, 'leads', 'genesys', 'Leads', dbname => 'latin', scan_method => 'export');
my $latin = GcSession->new($node, dbname => 'latin');
is($latin->run($all)->{out}, '1002|1002', 'a cell that nobody asks for need not exist in the encoding');
$result = $latin->run('SELECT count(name) FROM leads');
is($result->{sqlstate}, '22P05', 'one that is asked for has to');
like($result->{err}, qr/could not read column "name" of contact list "Leads".*Contact "c3"/s, '… says whose it is');
$latin->close;

# ---- a slow reader: the sender waits, memory is flat (DESIGN 4.1) ----

my $rows = 300000;
my $big = GcSim->new('--discard');
$big->list('Big', qw(Phone Key Name));
$big->set(generated_contacts => $rows);
add_server($node, $big, 'big');
leads_table($node, 'big', 'big', 'Big', scan_method => 'export');
leads_table($node, 'pages', 'big', 'Big', scan_method => 'search');
my $reader = GcSession->new($node);
$reader->run('SELECT count(*) FROM (SELECT * FROM pages LIMIT 5000) s');
$reader->run('BEGIN; DECLARE c CURSOR FOR SELECT k, name FROM big; FETCH 1 FROM c');
my $received = 'SELECT bytes_received FROM gc_fdw.stat_servers WHERE server = \'big\'';
SKIP:
{
	skip_sanitized();
	my $before = rss_kb($reader->pid);
	skip 'no /proc', 2 unless defined $before;
	# Other requests turn the wheel that would bring the rest of it, too.
	$reader->run('SELECT count(*) FROM (SELECT * FROM pages LIMIT 5000) s') for 1 .. 3;
	cmp_ok(rss_kb($reader->pid), '<=', $before + 4096, 'a reader who does not read');
	is($reader->run("MOVE ALL FROM c; SELECT 'done'")->{out}, 'done', 'all of it in the end');
	cmp_ok(rss_kb($reader->pid), '<=', $before + 4096, 'nor does it grow with what is read');
}
is($reader->run('COMMIT; SELECT count(k) FROM big')->{out}, $rows, 'all rows');

$_->close for $session, $other, $reader;
$node->stop;
done_testing();
