# Credentials that change while a statement is at work: it takes up the new ones when the
# platform refuses the old, and fails clearly where there are none (U10, DESIGN 5).
use strict;
use warnings;

use FindBin;
use MIME::Base64 qw(encode_base64);
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my %secret = (a => 'Secret-of-a', b => 'Secret-of-b');
my $sim = GcSim->new(map { ('--client', $_, $secret{$_}) } sort keys %secret);
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('rotation');
my $file = PostgreSQL::Test::Utils::tempdir() . '/secret';

add_server($node, $sim, 'genesys', batch_size => 10, fetch_size => 10, max_in_flight => 2);
leads_table($node, 'leads', 'genesys', 'Leads');
# The 25th row is not made while somebody holds the lock.
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION gate(i int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  IF i = 25 THEN
    PERFORM pg_advisory_lock_shared(1);
    PERFORM pg_advisory_unlock_shared(1);
  END IF;
  RETURN i;
END $$;
SQL
my $owner = GcSession->new($node);
my $loader = GcSession->new($node);

sub write_file
{
	my ($text) = @_;
	# As a rotation does it: a new file in place of the old one.
	open my $out, '>', "$file.new" or die "$file.new: $!";
	print $out $text;
	close $out;
	rename "$file.new", $file or die "$file: $!";
	return;
}

# mapping(OPTION => VALUE...): the loader's, anew.
sub mapping
{
	my (%options) = @_;
	my $text = join ', ', map { "$_ '$options{$_}'" } sort keys %options;
	$owner->value('DROP USER MAPPING IF EXISTS FOR CURRENT_USER SERVER genesys');
	$owner->value("CREATE USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS ($text)");
	return;
}

sub change { my ($options) = @_; $owner->value("ALTER USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS ($options)"); return }
sub revoke { $sim->set(revoke_tokens => \1); return }

# From now on the platform refuses the credentials that it is shown, so often.
sub refuse { my ($times) = @_; $sim->faults({ path => '/oauth/token', status => 400, times => $times, body_json => { error => 'invalid_client' } }); return }

sub new_token
{
	my $reply = $sim->{http}->post_form($sim->url . '/oauth/token', { grant_type => 'client_credentials' },
		{ headers => { Authorization => 'Basic ' . encode_base64("a:$secret{a}", '') } });
	return $sim->{json}->decode($reply->{content})->{access_token};
}

# load(CASE, SUB): a load of 40 rows; SUB is called when the first 20 were sent off.
my $case;
sub load
{
	my ($change) = @_;
	$case++;
	$owner->value('SELECT pg_advisory_lock(1)');
	$loader->start("INSERT INTO leads (k) SELECT 'load$case-' || gate(i) FROM generate_series(1, 40) i");
	await('the load is half way', sub {
		$owner->value("SELECT wait_event = 'advisory' FROM pg_stat_activity WHERE pid = " . $loader->pid) eq 't';
	});
	await('the first batch is there', sub { grep { $_ eq "load$case-1" } $sim->contact_ids($list) });
	$sim->forget_requests;
	$change->();
	$owner->value('SELECT pg_advisory_unlock(1)');
	my $result = $loader->finish;
	return $result;
}

# How often the rows of the load are there: '40 x 1' is right.
sub stored
{
	my (%times, %by_times);
	$times{$_}++ for grep { /^load$case-/ } $sim->contact_ids($list);
	$by_times{$_}++ for values %times;
	return join ', ', map { "$by_times{$_} x $_" } sort keys %by_times;
}

sub token_calls { return join ' ', map { $_->{status} } $sim->requests(qr{/oauth/token$}) }

# Whose the contacts are that got through since.
sub clients
{
	my %clients = map { $_->{client} => 1 } grep { $_->{status} == 200 } $sim->requests(qr{/contacts$});
	return join ' ', sort keys %clients;
}

sub went_through
{
	my ($what, $result) = @_;
	is($result->{sqlstate}, '00000', "$what: the load goes through") or diag $result->{err};
	is(stored(), '40 x 1', "$what: every row once");
	$sim->faults;
	return;
}

sub failed
{
	my ($what, $result, $sqlstate, $says) = @_;
	is($result->{sqlstate}, $sqlstate, "$what: SQLSTATE") or diag $result->{err};
	like($result->{err}, $says, "$what: the message");
	like(counts_in($result->{err}), qr{^[12]0/0/[0-9]+$}, "$what: the counts");
	$sim->faults;
	return;
}

my $refused = qr/could not obtain an access token.*HTTP status 400.*HINT:  Check the credentials/s;
my $gone = qr/the user mapping for server "genesys" has none any more/;

# --- tokens ------------------------------------------------------------------------------------

went_through('a token that was revoked', load(sub { revoke() }));
is(token_calls(), '200', 'a token that was revoked: one new one');

refuse(9);
failed('credentials that are refused and have not changed', load(sub { revoke(); refuse(9) }), '28000', $refused);
like(token_calls(), qr/^400( 400)?$/, 'credentials that are refused and have not changed: asked once by each request in flight');

# --- ALTER USER MAPPING ------------------------------------------------------------------------

for my $status (400, 401)
{
	mapping(client_id => 'a', client_secret => $secret{a});
	my $result = load(sub {
		revoke();
		change("SET client_id 'b', SET client_secret '$secret{b}'");
		$sim->faults({ path => '/oauth/token', status => $status, times => 1 });
	});
	went_through("other credentials in the mapping, $status", $result);
	is(token_calls(), "$status 200", "other credentials in the mapping, $status: the old ones first, then the new");
	is(clients(), 'b', "other credentials in the mapping, $status: of the new client");
}

mapping(client_id => 'a', client_secret => $secret{a});
failed('other credentials, refused as well',
	load(sub { revoke(); change("SET client_secret 'wrong'"); refuse(1) }), '28000', $refused);
like(token_calls(), qr/^400 400( 400)?$/, 'other credentials, refused as well: each once, the last by each request in flight');

mapping(client_id => 'a', client_secret => $secret{a});
failed('a secret taken away', load(sub { revoke(); change('DROP client_secret'); refuse(9) }), '42704', $gone);

my $token = new_token();
mapping(access_token => $token);
my $result = load(sub { revoke(); $token = new_token(); change("SET access_token '$token'"); $sim->forget_requests });
went_through('another access_token', $result);
is(token_calls(), '', 'another access_token: none was asked for');
failed('an access_token that is refused and has not changed', load(sub { revoke() }), '28000', qr/HTTP status 401/);
cmp_ok(scalar $sim->requests, '<=', 2, 'an access_token that is refused: by what was in flight, and no more');
is(token_calls(), '', 'an access_token that is refused: no other is asked for');

mapping(access_token => new_token());
went_through('a client in place of an access_token',
	load(sub { revoke(); change("DROP access_token, ADD client_id 'b', ADD client_secret '$secret{b}'") }));
is(token_calls(), '200', 'a client in place of an access_token: one token');
went_through('an access_token in place of a client', load(sub {
	revoke();
	my $fixed = new_token();
	change("DROP client_id, DROP client_secret, ADD access_token '$fixed'");
	refuse(1);
}));

# A mapping that is gone is not replaced by that of PUBLIC, which is another client.
$owner->value("CREATE USER MAPPING FOR PUBLIC SERVER genesys OPTIONS (client_id 'b', client_secret '$secret{b}')");
for my $kind ([ client_id => 'a', client_secret => $secret{a} ], ['access_token'])
{
	push @$kind, new_token() if @$kind == 1;
	mapping(@$kind);
	$result = load(sub { revoke(); $owner->value('DROP USER MAPPING FOR CURRENT_USER SERVER genesys'); refuse(1) });
	failed("a mapping that was dropped, with $kind->[0]", $result, '42704', $gone);
	is(clients(), '', "a mapping that was dropped, with $kind->[0]: nothing by another");
}
mapping(client_id => 'a', client_secret => $secret{a});
went_through('a mapping that was dropped, its credentials still good',
	load(sub { revoke(); $owner->value('DROP USER MAPPING FOR CURRENT_USER SERVER genesys') }));
is(clients(), 'a', 'a mapping that was dropped, its credentials still good: the client it began with');

# --- client_secret_file ------------------------------------------------------------------------

# The first line counts, however it ends.
for my $text ("$secret{a}", "$secret{a}\n", "$secret{a}\r\n", "$secret{a}\nrotated yesterday\n")
{
	write_file($text);
	mapping(client_id => 'a', client_secret_file => $file);
	$result = $loader->run('SELECT count(k) FROM leads');
	is($result->{sqlstate}, '00000', 'a secret from a file') or diag $result->{err};
}
failed('a file with another secret', load(sub { revoke(); write_file('wrong') }), '28000', $refused);
write_file($secret{b});
went_through('a file and a mapping that changed', do {
	mapping(client_id => 'b', client_secret_file => $file);
	load(sub { revoke(); write_file($secret{a}); change("SET client_id 'a'") });
});
is(token_calls(), '400 200', 'a file and a mapping that changed: the file is read for each token');
is(clients(), 'a', 'a file and a mapping that changed: of the new client');
$result = load(sub { revoke(); unlink $file });
failed('a file that is gone', $result, '28000', qr/client_secret_file "\Q$file\E" could not be opened: No such file/);
is(scalar $sim->requests(qr{/oauth/token}), 0, 'a file that is gone: nothing was asked');

# As a rotation goes: the platform has a new secret, and so has the mapping, or the file.
mapping(client_id => 'a', client_secret => $secret{a});
went_through('a new secret, in the mapping',
	load(sub { $sim->set(client_secret => { a => 'Newer' }); revoke(); change("SET client_secret 'Newer'") }));
is(token_calls(), '400 200', 'a new secret, in the mapping: the old one first, then the new');
write_file('Newer');
mapping(client_id => 'a', client_secret_file => $file);
went_through('a new secret, in the file',
	load(sub { $sim->set(client_secret => { a => 'Newest' }); revoke(); write_file('Newest') }));
is(token_calls(), '200', 'a new secret, in the file: at once');
mapping(client_id => 'a', client_secret => 'Newest');
failed('a new secret that only the platform has',
	load(sub { $sim->set(client_secret => { a => $secret{a} }); revoke() }), '28000', $refused);

# Whatever is wrong with it: names the file, never what is in it, and asks nothing.
sub bad_file
{
	my ($what, $path, $says) = @_;
	mapping(client_id => 'a', client_secret_file => $path);
	$sim->forget_requests;
	$result = $loader->run('SELECT count(k) FROM leads');
	is($result->{sqlstate}, '28000', "$what: SQLSTATE") or diag $result->{err};
	like($result->{err}, qr/The client_secret_file "\Q$path\E" $says.*HINT:  It must be a file/s, "$what: the message");
	unlike($result->{err}, qr/hunter2/, "$what: not its content");
	is(scalar $sim->requests, 0, "$what: nothing was asked");
	return;
}
bad_file('a directory', PostgreSQL::Test::Utils::tempdir(), 'is not a regular file');
bad_file('no file', '/nowhere/secret', 'could not be opened: No such file');
bad_file('a device', '/dev/null', 'is not a regular file');
PostgreSQL::Test::Utils::system_or_bail('mkfifo', "$file.pipe");
bad_file('a pipe that nobody writes to', "$file.pipe", 'is not a regular file');
write_file('');
bad_file('an empty file', $file, 'has no secret in its first line');
write_file("\nhunter2\n");
bad_file('an empty line', $file, 'has no secret in its first line');
write_file('hunter2' x 600);
bad_file('a long file', $file, 'is longer than 4096 bytes');
SKIP:
{
	skip 'root may read everything', 4 if $> == 0;
	write_file('hunter2');
	chmod 0, $file;
	bad_file('a file that may not be read', $file, 'could not be opened: Permission denied');
}

# --- reading -----------------------------------------------------------------------------------

mapping(client_id => 'a', client_secret => $secret{a});
my $all = $sim->count($list);
$loader->run('BEGIN; DECLARE c CURSOR FOR SELECT k FROM leads; MOVE 5 IN c');
revoke();
change("SET client_id 'b', SET client_secret '$secret{b}'");
refuse(1);
$result = $loader->run('MOVE ALL IN c');
is($result->{sqlstate}, '00000', 'a scan goes on with the new credentials') or diag $result->{err};
$sim->faults;
$loader->run('COMMIT');
is($loader->run('SELECT count(k) FROM leads')->{out}, $all, 'the session is none the worse');

$_->close for $owner, $loader;
$node->stop;
done_testing();
