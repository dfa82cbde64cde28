# Certificates are verified, and plain http stays on this machine (DESIGN 4.1, 5).
use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();
my $tls = $ENV{GC_TLS_DIR};
plan skip_all => 'GC_TLS_DIR names no certificates (no openssl?)'
  unless $tls && -r "$tls/ca.pem" && -r "$tls/server.pem" && -r "$tls/server.key";

my $sim = GcSim->new('--tls', "$tls/server.pem", "$tls/server.key");
$sim->list('Leads', qw(Phone Key Name));
my $node = new_node('tls');
my $session = GcSession->new($node);

sub at_server
{
	my ($name, %options) = @_;
	add_server($node, $sim, $name, %options);
	leads_table($node, "leads_$name", $name, 'Leads');
	return map { $session->run($_) } "INSERT INTO leads_$name (k) VALUES ('$name')", "SELECT k FROM leads_$name";
}

sub refused
{
	my ($what, %options) = @_;
	(my $name = $what) =~ s/\W+/_/g;
	$sim->forget_requests;
	my @results = at_server($name, %options);

	for my $result (@results)
	{
		is($result->{sqlstate}, '08001', "$what: SQLSTATE");
		like($result->{err}, qr/could not obtain an access token.*(certificate|SSL|trust anchor)/s, "$what: says that it is TLS");
		cmp_ok($result->{seconds}, '<', 5, "$what: at once");
	}
	is(scalar $sim->requests, 0, "$what: nothing was asked");
	note $results[0]{err};
	return $results[0]{err};
}

# With the right authority it works, by name and by address.
my ($insert, $select) = at_server('good', ca_file => "$tls/ca.pem");
is($insert->{sqlstate}, '00000', 'INSERT over TLS');
is($select->{out}, 'good', 'SELECT over TLS');
($insert, $select) = at_server('named', ca_file => "$tls/ca.pem",
	api_url => $sim->url_at('localhost'), login_url => $sim->url_at('localhost'));
like($select->{out}, qr/named/, 'by the name in the certificate');

# Connections are kept over TLS as well.
$sim->forget_requests;
$session->run("INSERT INTO leads_good (k) VALUES ('again$_')") for 1 .. 5;
my %connections = map { $_->{connection} => 1 } $sim->requests(qr{/contacts$});
is(keys %connections, 1, 'one connection for five statements');

# The storage of exports is trusted by the same authority, and never left for plain http.
$session->run("ALTER FOREIGN TABLE leads_good OPTIONS (ADD scan_method 'export')");
$sim->forget_requests;
is($session->run('SELECT count(*) FROM leads_good')->{out}, '7', 'an export over TLS');
is(scalar $sim->requests(qr{^GET /storage/}), 1, '… from the storage');
$sim->faults({ path => '/downloads/', status => 302, headers => { Location => 'http://127.0.0.1:9/' } });
like($session->run('SELECT count(*) FROM leads_good')->{err}, qr/It leads to plain http/, '… which does not send us to plain http, not even on this machine');
$sim->faults;
$session->run('ALTER FOREIGN TABLE leads_good OPTIONS (DROP scan_method)');

# What goes wrong on an encrypted and compressed connection is noticed as well.
add_server($node, $sim, 'patient', ca_file => "$tls/ca.pem", batch_size => 10, fetch_size => 10);
leads_table($node, 'leads_patient', 'patient', 'Leads');
$sim->set(gzip => \1);
for my $fault ({ drop => 'before' }, { drop => 'after' }, { truncate => 30 }, { status => 503 })
{
	my ($what) = map { "$_ $fault->{$_}" } keys %$fault;
	$sim->faults({ path => '*/contacts', nth => 2, %$fault }, { path => '*/search', nth => 2, %$fault });
	my $result = $session->run("EXPLAIN (ANALYZE) INSERT INTO leads_patient (k) SELECT 'p' || i FROM generate_series(1, 25) i");
	is($result->{sqlstate}, '00000', "INSERT over TLS, $what") or diag $result->{err};
	is(explained($result)->{Retries}, 1, "INSERT over TLS, $what: one retry");
	$result = $session->run('EXPLAIN (ANALYZE) SELECT * FROM leads_patient');
	is($result->{sqlstate}, '00000', "SELECT over TLS, $what") or diag $result->{err};
	is(explained($result)->{Retries}, 1, "SELECT over TLS, $what: one retry");
}
my $list = (grep { $_->{name} eq 'Leads' } @{ $sim->state->{lists} })[0]{id};
my %times;
$times{$_}++ for grep { /^p\d/ } $sim->contact_ids($list);
is(join(',', scalar(keys %times), grep { $_ > 1 } values %times), '25', 'every row once');

# A cancel, too.
$sim->faults({ path => '*/contacts', stall => \1 });
$session->run("SET statement_timeout = '200ms'");
my $stuck = $session->run("INSERT INTO leads_patient (k) VALUES ('stuck')");
is($stuck->{sqlstate}, '57014', 'a cancel of an INSERT over TLS');
cmp_ok($stuck->{seconds}, '<', 2, 'soon');
$session->run('RESET statement_timeout');
$sim->faults;
$sim->set(gzip => \0);

like(refused('without a CA file'), qr/certificate.*HINT:.*"ca_file"/s, 'no CA file: names the certificate, and the option');
refused('another CA', ca_file => "$tls/other-ca.pem");
refused('a CA file that is none', ca_file => "$tls/server.key");
refused('a CA file that is not there', ca_file => "$tls/nothing.pem");

# A certificate that is trusted, but not for this host: the authority's own.
SKIP:
{
	skip 'the key of the authority is not there', 1 unless -r "$tls/ca.key";
	my $other = GcSim->new('--tls', "$tls/ca.pem", "$tls/ca.key");
	my $message = refused('a host that is not in the certificate', ca_file => "$tls/ca.pem",
		api_url => $other->url, login_url => $other->url);
	like($message, qr/127\.0\.0\.1/, 'the message names the host');
	is(scalar $other->requests, 0, 'and nothing was asked of it');
}

# The other way round: TLS where the server speaks none.
my $plain = GcSim->new;
refused('TLS to a port without it', ca_file => "$tls/ca.pem", api_url => 'https://127.0.0.1:' . $plain->port,
	login_url => 'https://127.0.0.1:' . $plain->port, retry_timeout => '1s');

# Plain http is for loopback only, and that is said at CREATE and ALTER SERVER.
for my $url ('http://api.mypurecloud.com', 'http://10.0.0.1', 'http://127.0.0.1.example.com', 'http://localhost.example.com',
	'http://[::2]', 'http://2130706433.example', 'ftp://127.0.0.1', 'https://user:pw@127.0.0.1', '127.0.0.1')
{
	my $result = $session->run("CREATE SERVER bad FOREIGN DATA WRAPPER gc_fdw OPTIONS (api_url '$url')");
	is($result->{sqlstate}, '22023', "$url is refused");
	$result = $session->run("ALTER SERVER good OPTIONS (SET login_url '$url')");
	is($result->{sqlstate}, '22023', "$url is refused by ALTER");
}
for my $url ('http://127.0.0.1:1', 'http://localhost', 'http://[::1]:80', 'https://api.example.com')
{
	my $result = $session->run(
		"CREATE SERVER fine FOREIGN DATA WRAPPER gc_fdw OPTIONS (api_url '$url'); DROP SERVER fine");
	is($result->{sqlstate}, '00000', "$url is allowed");
}

# The session is none the worse.
is($session->run("SELECT count(*) FROM leads_good WHERE k = 'good'")->{out}, '1', 'the session goes on');

# A handshake that is cut off is no certificate that is not trusted: it is tried again.
$node->safe_psql('postgres', "CREATE FOREIGN TABLE lists (name text) SERVER good OPTIONS (object 'contact_lists')");
$session->run('SELECT gc_fdw.disconnect()');
$sim->stop;
my $port = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', LocalPort => $sim->port, ReuseAddr => 1);
$session->start('SELECT count(name) FROM lists');
my $client = $port->accept;
sysread $client, my $hello, 10;
close $client;
close $port;
$sim->start;
my $again = $session->finish;
is($again->{sqlstate}, '00000', 'a handshake that was cut off is tried again') or diag $again->{err};

$session->close;
$node->stop;
done_testing();
