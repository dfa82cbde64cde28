# Through a proxy: for API and token calls, with credentials of its own, and never one of the
# server's environment; client certificates (DESIGN 4.1, 5, U10).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcProxy;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
my $proxy = GcProxy->new('loader', 'Pr0xy-pass');
my $closed = 'http://127.0.0.1:' . GcSim::closed_port();

# An environment that would lead every request astray, and past the option "proxy".
my $node = do {
	local @ENV{qw(http_proxy https_proxy HTTPS_PROXY ALL_PROXY all_proxy)} = ($closed) x 5;
	local @ENV{qw(NO_PROXY no_proxy)} = ('*') x 2;
	new_node('proxy');
};
my $session = GcSession->new($node);

# at_server(NAME, TO, OPTION => VALUE...): a server and a table over a simulator.
sub at_server
{
	my ($name, $to, %options) = @_;
	my %mapping = map { $_ => delete $options{$_} } grep { exists $options{$_} } qw(proxy_user proxy_password client_cert client_key);
	add_server($node, $to, $name, max_retries => 1, %options);
	my $text = join ', ', map { "ADD $_ '$mapping{$_}'" } sort keys %mapping;
	$node->safe_psql('postgres', "ALTER USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS ($text)") if $text;
	leads_table($node, "leads_$name", $name, 'Leads', batch_size => 10);
	return;
}

sub insert_into
{
	my ($name, $rows) = @_;
	$proxy->forget;
	return $session->run(sprintf "INSERT INTO leads_%s (k) SELECT '%s-' || i FROM generate_series(1, %d) i", $name, $name, $rows // 1);
}

my %good = (proxy => $proxy->url, proxy_user => 'loader', proxy_password => 'Pr0xy-pass');

# --- without one -------------------------------------------------------------------------------

at_server('direct', $sim);
is(insert_into('direct')->{sqlstate}, '00000', 'proxies of the environment are ignored');
is(scalar $proxy->passed, 0, 'and none is used');

# --- plain http is forwarded -------------------------------------------------------------------

at_server('plain', $sim, %good);
my $result = insert_into('plain', 25);
is($result->{sqlstate}, '00000', 'a load through a proxy') or diag $result->{err};
my @passed = $proxy->passed;
is(scalar(grep { m{^POST \S+/oauth/token 200$} } @passed), 1, 'the token call goes through it');
is(scalar(grep { m{^POST \S+/contacts 200$} } @passed), 3, 'the batches, too');
is(scalar(grep { /^plain-/ } $sim->contact_ids($list)), 25, 'every row is there');
is($session->run("SELECT count(*) FROM leads_plain WHERE k LIKE 'plain-%'")->{out}, '25', 'and can be read through it');

# Whoever the proxy does not know: 28000, at once, and nothing gets through.
sub refused
{
	my ($what, $name) = @_;
	$result = insert_into($name);
	is($result->{sqlstate}, '28000', "$what: SQLSTATE") or diag $result->{err};
	like($result->{err}, qr/ERROR:  could not obtain an access token.*DETAIL:  The proxy asked for credentials.*HTTP status 407.*HINT:.*proxy_user.*proxy_password.*user mapping/s,
		"$what: the message");
	unlike($result->{err}, qr/not-this-one/, "$what: not the password");
	is(join(' ', map { /(\d+)$/ } $proxy->passed), '407', "$what: asked once");
	return;
}
at_server('nobody', $sim, proxy => $proxy->url);
refused('no credentials', 'nobody');
at_server('wrong', $sim, %good, proxy_password => 'not-this-one');
refused('a wrong password', 'wrong');
$session->run("ALTER USER MAPPING FOR CURRENT_USER SERVER wrong OPTIONS (SET proxy_password 'Pr0xy-pass')");
is(insert_into('wrong')->{sqlstate}, '00000', 'and the right one helps');

# A 407 in the middle of a load.
$session->run('SELECT 1 FROM leads_plain LIMIT 1');
$proxy->forget;
$proxy->answer(407);
$result = $session->run("INSERT INTO leads_plain (k) VALUES ('late')");
is($result->{sqlstate}, '28000', 'refused once there is a token: SQLSTATE');
like($result->{err}, qr/could not insert 1 contact.*The proxy asked.*Contacts accepted: 0, in doubt: 0, not sent: 1/s, 'refused once there is a token: nothing is in doubt');
is(scalar $proxy->passed, 1, 'refused once there is a token: asked once');
$proxy->answer(undef);

# A proxy that is not there.
at_server('gone', $sim, %good, proxy => $closed);
$result = insert_into('gone');
is($result->{sqlstate}, '08001', 'no proxy there') or diag $result->{err};

# --- TLS goes through a tunnel -----------------------------------------------------------------

my $tls = $ENV{GC_TLS_DIR};
SKIP:
{
	skip 'GC_TLS_DIR names no certificates (no openssl?)', 1 unless $tls && -r "$tls/ca.pem" && -r "$tls/server.key";
	my $secure = GcSim->new('--tls', "$tls/server.pem", "$tls/server.key");
	my $leads = $secure->list('Leads', qw(Phone Key Name));
	my %tunnel = (%good, ca_file => "$tls/ca.pem");

	at_server('tunnel', $secure, %tunnel);
	$result = insert_into('tunnel', 25);
	is($result->{sqlstate}, '00000', 'a load through a tunnel') or diag $result->{err};
	is(scalar $secure->contact_ids($leads), 25, 'a tunnel: every row is there');
	is_deeply([ grep { !/^CONNECT 127\.0\.0\.1:\d+ 200$/ } $proxy->passed ], [], 'a tunnel: the proxy connects, and sees no more');
	unlike($proxy->traffic, qr/^Authorization/mi, 'a tunnel: the proxy is shown no token and no secret');

	at_server('unknown', $secure, %tunnel, proxy_password => 'not-this-one');
	refused('a wrong password for a tunnel', 'unknown');
	is(scalar(grep { /^unknown-/ } $secure->contact_ids($leads)), 0, 'a wrong password for a tunnel: nothing was sent');

	# Refused for good, or not just now.
	at_server('forbidden', $secure, %tunnel);
	for my $case ([ 403, 1 ], [ 502, 2 ])
	{
		my ($status, $times) = @$case;
		$session->run('SELECT gc_fdw.disconnect()');
		$proxy->forget;
		$proxy->answer($status);
		$result = $session->run("INSERT INTO leads_forbidden (k) VALUES ('x')");
		is($result->{sqlstate}, '08001', "a tunnel, $status: SQLSTATE") or diag $result->{err};
		like($result->{err}, qr/\b$status\b/, "a tunnel, $status: the message");
		is(scalar $proxy->passed, $times, "a tunnel, $status: asked $times times");
		$proxy->answer(undef);
	}

	# A load whose tunnels are refused from the second batch on: nothing of it is in doubt.
	$session->run('SELECT 1 FROM leads_tunnel LIMIT 1');
	$secure->faults({ path => '*/contacts', nth => 1, headers => { Connection => 'close' } });
	$proxy->forget;
	$proxy->answer(407);
	$result = $session->run("INSERT INTO leads_tunnel (k) SELECT 'late-' || i FROM generate_series(1, 40) i");
	is($result->{sqlstate}, '28000', 'refused in the middle: SQLSTATE') or diag $result->{err};
	my ($accepted, $doubt) = split m{/}, counts_in($result->{err});
	is($doubt, 0, 'refused in the middle: nothing is in doubt');
	is(scalar(grep { /^late-/ } $secure->contact_ids($leads)), $accepted, 'refused in the middle: what is accepted is there');
	$proxy->answer(undef);
	$secure->faults;

	# A certificate is not more trusted for coming through a tunnel, and that is said at once.
	at_server('mistrust', $secure, %tunnel, ca_file => "$tls/other-ca.pem", max_retries => 20);
	$result = insert_into('mistrust');
	is($result->{sqlstate}, '08001', 'a tunnel to a host that is not trusted: SQLSTATE') or diag $result->{err};
	like($result->{err}, qr/certificate/, 'a tunnel to a host that is not trusted: the message');
	is(scalar $proxy->passed, 1, 'a tunnel to a host that is not trusted: asked once');

	# The proxy's own certificate is checked against the same file: this one is trusted, though
	# it is no proxy, and the other is not.
	at_server('overtls', $sim, proxy => $secure->url, ca_file => "$tls/ca.pem");
	$result = insert_into('overtls');
	unlike($result->{err}, qr/certificate/, 'an https proxy that is trusted');
	isnt($result->{sqlstate}, '00000', 'though that is no proxy');
	$secure->forget_requests;
	at_server('badtls', $sim, proxy => $secure->url, ca_file => "$tls/other-ca.pem");
	$result = insert_into('badtls');
	is($result->{sqlstate}, '08001', 'an https proxy that is not trusted: SQLSTATE');
	like($result->{err}, qr/certificate/, 'an https proxy that is not trusted: the message');
	is(scalar $secure->requests, 0, 'an https proxy that is not trusted: nothing was sent');

	# Certificates of the client's that cannot be used: files are named, and nothing is sent.
	for my $case ([ 'no such file', "$tls/nothing.pem", "$tls/server.key" ], [ 'a key that is none', "$tls/server.pem", "$tls/ca.pem" ],
		[ 'the key of another', "$tls/server.pem", "$tls/ca.key" ])
	{
		my ($what, $cert, $key) = @$case;
		(my $name = $what) =~ s/\W/_/g;
		at_server($name, $secure, ca_file => "$tls/ca.pem", client_cert => $cert, client_key => $key, max_retries => 20);
		$secure->forget_requests;
		$result = insert_into($name);
		is($result->{sqlstate}, '08001', "a client certificate, $what: SQLSTATE") or diag $result->{err};
		like($result->{err}, qr/could not obtain an access token.*(certificate|private key)/s, "a client certificate, $what: the message");
		cmp_ok($result->{seconds}, '<', 5, "a client certificate, $what: at once");
		is(scalar $secure->requests, 0, "a client certificate, $what: nothing was asked");
	}
}

$session->close;
$node->stop;
$proxy->stop;
done_testing();
