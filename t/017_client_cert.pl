# Client certificates: shown where the other side demands them, and what is said where they
# are refused or lacking (DESIGN 4.1, 5).
use strict;
use warnings;

use FindBin;
use IPC::Open3;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();
my $tls = $ENV{GC_TLS_DIR};
plan skip_all => 'GC_TLS_DIR names no certificates (no openssl?)' unless $tls && -r "$tls/ca.key" && -r "$tls/other-ca.key";

# make_cert(NAME, CA, OPENSSL ARGUMENT...): a key, perhaps encrypted, with a certificate by that authority.
my $dir = PostgreSQL::Test::Utils::tempdir();
sub make_cert
{
	my ($name, $ca, @key) = @_;
	PostgreSQL::Test::Utils::system_or_bail('openssl', 'req', '-newkey', 'rsa:2048', @key, '-subj', "/CN=$name",
		'-keyout', "$dir/$name.key", '-out', "$dir/$name.csr");
	PostgreSQL::Test::Utils::system_or_bail('openssl', 'x509', '-req', '-in', "$dir/$name.csr", '-CA', "$tls/$ca.pem",
		'-CAkey', "$tls/$ca.key", '-set_serial', 1, '-days', 30, '-out', "$dir/$name.pem");
	return;
}
make_cert('client', 'ca', '-nodes');
make_cert('stranger', 'other-ca', '-nodes');
make_cert('locked', 'ca', '-passout', 'pass:Passphrase-of-a-key');
PostgreSQL::Test::Utils::append_to_file("$dir/both.pem", PostgreSQL::Test::Utils::slurp_file("$dir/client.pem") . PostgreSQL::Test::Utils::slurp_file("$dir/client.key"));

my $sim = GcSim->new('--tls', "$tls/server.pem", "$tls/server.key", '--client-ca', "$tls/ca.pem");
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('client_cert');
my $session = GcSession->new($node);

# insert_by(NAME, URL, OPTION OF THE MAPPING => VALUE...)
sub insert_by
{
	my ($name, $url, %mapping) = @_;
	add_server($node, $sim, $name, ca_file => "$tls/ca.pem", api_url => $url, login_url => $url);
	my $text = join ', ', map { "ADD $_ '$mapping{$_}'" } sort keys %mapping;
	$node->safe_psql('postgres', "ALTER USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS ($text)") if $text;
	leads_table($node, "leads_$name", $name, 'Leads');
	return $session->run("INSERT INTO leads_$name (k) VALUES ('$name')");
}
my %client = (client_cert => "$dir/client.pem", client_key => "$dir/client.key");

# --- where the platform looks at it ------------------------------------------------------------

my $result = insert_by('good', $sim->url, %client);
is($result->{sqlstate}, '00000', 'a certificate and its key') or diag $result->{err};
is($session->run('SELECT k FROM leads_good')->{out}, 'good', 'for token, list and contacts');
$result = insert_by('together', $sim->url, client_cert => "$dir/both.pem");
is($result->{sqlstate}, '00000', 'both in one file') or diag $result->{err};
for my $case ([ 'absent' ], [ 'stranger', client_cert => "$dir/stranger.pem", client_key => "$dir/stranger.key" ])
{
	my ($name, @options) = @$case;
	$result = insert_by($name, $sim->url, @options);
	is($result->{sqlstate}, '28000', "$name: SQLSTATE") or diag $result->{err};
	like($result->{err}, qr/client\.certificate\.required/, "$name: the platform's word");
	# A kept connection of another mapping's, with its certificate, is not used for it.
	is($session->run('SELECT count(*) FROM leads_good')->{sqlstate}, '00000', "$name: the others go on");
}

# --- where the handshake ends without it -------------------------------------------------------

# It never answers: what is shown is what is said of the handshake.
my $pid = open3(my $in, my $out, undef, 'openssl', 's_server', '-accept', '127.0.0.1:0', '-cert', "$tls/server.pem", '-key',
	"$tls/server.key", '-CAfile', "$tls/ca.pem", '-Verify', 1, '-verify_return_error');
my $url;
while (my $line = <$out>)
{
	next unless $line =~ /^ACCEPT \S*?:(\d+)$/;
	$url = "https://127.0.0.1:$1";
	last;
}
for my $case ([ 'nothing' ], [ 'another', client_cert => "$dir/stranger.pem", client_key => "$dir/stranger.key" ])
{
	my ($name, @options) = @$case;
	$result = insert_by($name, $url, @options);
	is($result->{sqlstate}, '08001', "a handshake with $name: SQLSTATE") or diag $result->{err};
	like($result->{err}, qr/could not obtain an access token.*alert.*(certificate|unknown ca)/s, "a handshake with $name: the message");
	cmp_ok($result->{seconds}, '<', 5, "a handshake with $name: at once");
}
kill 'TERM', $pid;
waitpid $pid, 0;

# --- files that cannot be used -----------------------------------------------------------------

$sim->forget_requests;
for my $case (
	[ 'a file that is not there', client_cert => "$dir/nothing.pem", client_key => "$dir/client.key" ],
	[ 'the key of another', client_cert => "$dir/client.pem", client_key => "$dir/stranger.key" ],
	[ 'an encrypted key', client_cert => "$dir/locked.pem", client_key => "$dir/locked.key" ])
{
	my ($what, @options) = @$case;
	(my $name = $what) =~ s/\W/_/g;
	# A connection that is kept was made with the key already.
	$session->run('SELECT gc_fdw.disconnect()');
	$result = insert_by($name, $sim->url, @options);
	is($result->{sqlstate}, '08001', "$what: SQLSTATE") or diag $result->{err};
	like($result->{err}, qr/could not obtain an access token.*(certificate|private key)/s, "$what: the message");
	cmp_ok($result->{seconds}, '<', 5, "$what: at once");
}
is(scalar $sim->requests, 0, 'nothing was asked with them');

$session->close;
$node->stop;
done_testing();
