# The end of an import told to a webhook: signed, over TLS, again until it is heard, by whoever comes after a
# crash, with no secret anywhere (SCENARIOS J4). And what is told from outside: the platform's own events of an
# upload, true and false ones (B5, C4).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();
my $tls = $ENV{GC_TLS_DIR};
plan skip_all => 'GC_TLS_DIR names no certificates (no openssl?)' unless $tls && -r "$tls/ca.pem" && -r "$tls/server.key";

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
my $sink = GcSim->new('--tls', "$tls/server.pem", "$tls/server.key");
my $node = new_node('webhooks', 'max_worker_processes = 8', "gc_fdw.webhook_hosts = '127.0.0.1, LOCALHOST'", "log_statement = 'none'", "shared_preload_libraries = 'gc_fdw'");
my $secret = 'hush-8f31';
my $token = 'Bearer t0k3n-77';

add_server($node, $sim, 'genesys', upload_url => $sim->url, client => 'id');
leads_table($node, 'leads', 'genesys', 'Leads');
$node->safe_psql('postgres', "ALTER USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (ADD webhook_secret '$secret')");
my $session = GcSession->new($node);
my $number = 0;

sub value { return $session->value($_[0]) }

# submitted([ARGUMENTS[, QUERY]]): the id of a new import, of one row if nothing else is said.
sub submitted
{
	my ($arguments, $query) = @_;
	$query //= "SELECT 'W-" . ++$number . "' AS k";
	return value("SELECT gc_fdw.submit_import('leads', \$\$$query\$\$" . ($arguments ? ", $arguments" : '') . ')');
}

sub ended { my ($id) = @_; return value("SELECT (gc_fdw.await_import($id, '30s')).state") }

# hook_of(IMPORT, STATE): its webhook is in that state.
sub hook_of { my ($id, $state) = @_; return await("the webhook of $id is $state", sub { value("SELECT webhook_state FROM gc_fdw.imports WHERE id = $id") eq $state }) }

# reason(IMPORT, PATTERN): its webhook has failed, with such a reason.
sub reason { my ($id, $pattern) = @_; return await("it fails with $pattern", sub { value("SELECT failure_reason FROM gc_fdw.import_tasks WHERE import_id = $id") =~ $pattern }) }

# now_due(IMPORT): the next attempt is not waited for.
sub now_due
{
	my ($id) = @_;
	value("UPDATE gc_fdw.import_tasks SET next_attempt = now() WHERE import_id = $id AND state = 'pending'");
	return value('SELECT gc_fdw.resume_imports()');
}

sub told { return $_[0]->requests(qr{^POST /_sim/webhook}) }

# --- over TLS -------------------------------------------------------------------------------------

my $hook = $sink->url_at('localhost') . '/_sim/webhook';
my $id = submitted("webhook_url => '$hook', options => '{\"webhook_headers\": {\"Authorization\": \"$token\", \"X-Run\": \"7\"}}'");
is(ended($id), 'done', 'an import with a webhook');
ok(reason($id, qr/could not reach the webhook: .*certificate/), 'J4: a certificate of nobody is not believed');
is(scalar told($sink), 0, '… and nothing is told');
$session->run("ALTER SERVER genesys OPTIONS (ADD ca_file '$tls/ca.pem')");
now_due($id);
ok(hook_of($id, 'done'), q(J4: with the server's ca_file it is, and the host's case does not matter));
my ($request) = told($sink);
my %headers = map { lc $_ => $request->{headers}{$_} } keys %{ $request->{headers} };
is($headers{'x-run'}, '7', 'J4: headers of the import come along');
like($headers{authorization}, qr/^Bearer/, '… one for the receiver\'s authorization, too');

# openssl has the last word on the signature.
my $body = PostgreSQL::Test::Utils::tempdir() . '/body';
open my $fh, '>', $body or die "$body: $!";
print $fh $request->{body};
close $fh;
my ($digest) = run_command([ 'openssl', 'dgst', '-sha256', '-hmac', $secret, '-r', $body ]);
is($headers{'x-signature-256'}, 'sha256=' . ($digest =~ s/ .*//sr), 'J4: the signature is that which openssl makes');
my $told = JSON::PP::decode_json($request->{body});
is(join(' ', @$told{qw(contactListId status totalContacts successfulContacts importId failedContacts)}), "$list completed 1 1 $id 0", 'and the figures are those of the import');

# --- again and again ------------------------------------------------------------------------------

my $plain = $sim->url . '/_sim/webhook';
$sim->faults({ path => '/_sim/webhook', times => 2, status => 500 });
$sim->forget_requests;
$id = submitted("webhook_url => '$plain'");
hook_of($id, 'done');
my @at = map { $_->{at} } told($sim);
is(scalar @at, 3, 'J4: a webhook that fails is told again');
cmp_ok($at[1] - $at[0], '>=', 0.45, '… after half a second at least');
cmp_ok($at[2] - $at[1], '>=', 0.95, '… and then twice as long');

# Who has died in the attempt leaves it to another; who is not heard at all is given up.
$sim->faults({ path => '/_sim/webhook', times => 1, delay_ms => 20000 });
$sim->forget_requests;
$id = submitted("webhook_url => '$plain'");
is(ended($id), 'done', 'an import whose webhook does not answer');
await('the attempt', sub { value("SELECT count(*) FROM gc_fdw.import_tasks WHERE import_id = $id AND attempts = 1") });
await('the worker waits', sub { told($sim) || value("SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'gc_fdw%' AND wait_event IS NOT NULL") });
$session->close;
$node->stop('immediate');
$node->start;
$session = GcSession->new($node);
is(value("SELECT state || ' ' || attempts || ' ' || (next_attempt > now()) FROM gc_fdw.import_tasks WHERE import_id = $id"), 'pending 1 true', 'J4: after a crash in an attempt it is still to be told');
now_due($id);
ok(hook_of($id, 'done'), '… and is, by who comes next');
$sim->faults({ path => '/_sim/webhook', times => 1000, status => 503, body => 'hush' });
$id = submitted("webhook_url => '$plain'");
reason($id, qr/HTTP status 503/);
value("UPDATE gc_fdw.import_tasks SET attempts = 23 WHERE import_id = $id");
now_due($id);
hook_of($id, 'failed');
is(value("SELECT state || ': ' || failure_reason || ' ' || (ended_at IS NOT NULL) FROM gc_fdw.import_tasks WHERE import_id = $id"), 'failed: the webhook answered with HTTP status 503 true', 'J4: the 24th attempt is the last, and its reason stays');
is(value("SELECT state FROM gc_fdw.imports WHERE id = $id"), 'done', '… which is none of the import');

# A host may be taken from the list while it is waited for.
$id = submitted("webhook_url => '$plain'");
reason($id, qr/HTTP status 503/);
$session->run('ALTER SYSTEM SET gc_fdw.webhook_hosts = $$elsewhere.example.com$$; SELECT pg_reload_conf()' =~ s/\$\$/'/gr);
await('the setting is there', sub { value('SHOW gc_fdw.webhook_hosts') =~ /elsewhere/ });
now_due($id);
ok(reason($id, qr/webhooks may not go to the host "127.0.0.1"/), 'J4: a host that is allowed no longer');
$sim->faults;
$sim->forget_requests;
my $tries = value("SELECT attempts FROM gc_fdw.import_tasks WHERE import_id = $id");
now_due($id);
await('another attempt', sub { value("SELECT attempts FROM gc_fdw.import_tasks WHERE import_id = $id") > $tries });
reason($id, qr/webhooks may not go to the host "127.0.0.1"/);
is(scalar told($sim), 0, '… is not told');
$session->run('ALTER SYSTEM RESET gc_fdw.webhook_hosts; SELECT pg_reload_conf()');

# --- secrets --------------------------------------------------------------------------------------

my $tables = value("SELECT string_agg(format('SELECT count(*) FROM gc_fdw.%I t WHERE to_jsonb(t)::text ~ %L', relname, '$secret'), ' UNION ALL ') FROM pg_class WHERE relnamespace = 'gc_fdw'::regnamespace AND relkind = 'r'");
is(value("SELECT sum(n) FROM ($tables) AS x (n)"), '0', 'J4: the secret is in no table');
unlike(slurp_log($node), qr/\Q$secret\E|\Q$token\E/, '… and nor it nor a header in the log');
is($session->run("SET ROLE pg_read_all_stats; SELECT options FROM gc_fdw.import_queue")->{sqlstate}, '42501', 'headers of a webhook are for the owner of the tables');
cmp_ok(value('SELECT count(*) FROM gc_fdw.imports'), '>', 3, '… while imports are for all who read statistics');
$session->run('RESET ROLE');

# --- events of an upload (B5, C4) -----------------------------------------------------------------

# reconciled(EVENT): what it returns, or the SQLSTATE.
sub reconciled
{
	my ($event) = @_;
	my $result = $session->run("SELECT coalesce(gc_fdw.reconcile_import(\$\$" . JSON::PP->new->canonical->allow_nonref->encode($event) . '$$)::text, \'none\')');
	return $result->{sqlstate} eq '00000' ? $result->{out} : $result->{sqlstate};
}

sub uploads { return scalar grep { $_->{path} eq '/uploads/v2/contactlist' } $sim->requests }
sub began { return (grep { $_->{listId} eq $list } @{ $sim->call('GET', '/_sim/imports') })[-1] }

$sim->set(import_hold => 50);
$sim->forget_requests;
my $rows = "SELECT 'U-' || i AS k, '+1415555' || 1000 + i AS phone, 'One' AS name FROM generate_series(1, 200) i";
my $upload = submitted(q(method => 'upload', options => '{"stall_timeout": "2s"}'), $rows);
await('it is given up waiting', sub { value("SELECT state FROM gc_fdw.imports WHERE id = $upload") eq 'paused' });
my $hash = value("SELECT encode(sha256, 'hex') FROM gc_fdw.import_parts WHERE import_id = $upload");
my %status = (importState => 'COMPLETED', totalRecords => 200, totalWarningRecords => 0, percentageComplete => 100);
my %platform = (topicName => "v2.outbound.contactlists.$list.importstatus", eventBody => { id => $list, importStatus => \%status });

# What is wrong with an event leads to no import, or is an error.
my %completed = (eventType => 'outbound.contact.upload.completed', contactListId => $list, status => 'completed', totalRecords => 200, successfulRecords => 200, failedRecords => 0);
for my $case (
	[ 'none', 'of another list', { %completed, contactListId => 'elsewhere', sha256 => $hash } ],
	[ 'none', 'of a job of somebody else', { %completed, jobId => 'J-9' } ],
	[ 'none', 'with another hash alone', { %completed, sha256 => 'ab' x 32 } ],
	[ 'none', q(of another list's topic), { %platform, topicName => 'v2.outbound.contactlists.x.importstatus', eventBody => { importStatus => \%status } } ],
	[ 'none', 'of another topic', { topicName => "v2.outbound.campaigns.$list.progress", eventBody => {} } ],
	[ 'none', 'that is a list', [ \%completed ] ],
	[ 'none', 'that is a text', 'completed' ],
	[ 'none', 'whose body is a text', { %platform, topicName => undef, eventBody => 'x' } ],
	[ $upload, 'whose percentage is no number', { %completed, status => undef, percentageComplete => 'lots' } ])
{
	is(reconciled($case->[2]), $case->[0], "B5: an event $case->[1]");
	is(value("SELECT state FROM gc_fdw.imports WHERE id = $upload"), 'paused', '… changes nothing');
}

# One that is not true: the platform is asked, and says otherwise.
$sim->forget_requests;
is(reconciled(\%platform), $upload, 'B5: an event leads to the import');
await('the platform is asked', sub { grep { $_->{path} =~ /importstatus$/ } $sim->requests });
await('it is given up waiting', sub { value("SELECT state FROM gc_fdw.imports WHERE id = $upload") eq 'paused' });
is(uploads(), 0, '… which an event does not end, if the platform says otherwise');

# The platform's own words.
$sim->set(import_hold => 'off');
$sim->call('POST', '/_sim/imports', { listId => $list, hold => undef });
await('the platform has ended', sub { began()->{state} eq 'completed' });
my $event = began()->{notification};
ok($event, 'the platform tells') or diag explain began();
is(reconciled($event), $upload, 'B5: its own event leads to the import');
is(ended($upload), 'done', '… which is done');
is(uploads() . ' ' . $sim->count($list), '0 ' . value("SELECT count(*) FROM gc_fdw.sent_contacts WHERE list_id = '$list'"), '… without another file');
is(reconciled($event), $upload, 'B5: an event that comes twice leads to the same');
is(reconciled({ %completed, sha256 => uc $hash }), $upload, 'B5: as does the other form, by the hash');
is(value("SELECT state FROM gc_fdw.imports WHERE id = $upload"), 'done', '… and changes nothing');
is(value("SELECT gc_fdw.reconcile_import(NULL) IS NULL"), 't', 'nor does none');

done_testing();
