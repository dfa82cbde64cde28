# The kinds of 409, each told apart by its code and by its words, with its SQLSTATE, its hint and what is tried again; of
# contacts, of lists of both kinds, of campaigns and of the parts of imports, in both dialects (SCENARIOS K, I3; DESIGN 5).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
my $slow = $sim->list('Slow', qw(Phone Key Name));
my $other = $sim->list('Other', qw(Phone Key Name));
my $node = new_node('conflicts', "shared_preload_libraries = 'gc_fdw'");
my @dialects = qw(platform jobs);
# What is said to be there already, and is not, is looked for so long as a list may take until it is listed.
my %settings = (retry_timeout => '700ms', max_retries => 1, ready_timeout => '700ms');

for my $dialect (@dialects)
{
	add_server($node, $sim, $dialect, %settings, dialect => $dialect);
	add_server($node, $sim, "patient_$dialect", dialect => $dialect);
	leads_table($node, "leads_$dialect", $dialect, 'Leads');
	leads_table($node, "slow_$dialect", "patient_$dialect", 'Slow');
	$node->safe_psql('postgres', "CREATE SCHEMA $dialect; IMPORT FOREIGN SCHEMA outbound LIMIT TO (campaigns, contact_lists, dnc_lists) FROM SERVER $dialect INTO $dialect");
}

my $session = GcSession->new($node);

# What becomes of each kind.  "words": in how many ways a message tells it; "waits": it passes, and is waited for.
my %kinds = (
	K1 => { words => 1, sqlstate => '23505', hint => qr/Set "external_id_unique" to false.*Terraform: resource genesyscloud_outbound_contactlist.*clear the contacts that already conflict/ },
	K2 => { words => 3, sqlstate => '40001', hint => qr/Something else holds the list/, waits => 1 },
	K3 => { words => 1, sqlstate => '40001', hint => qr/The dialler holds the contact/, waits => 1 },
	K4 => { words => 3, sqlstate => '40001', hint => qr/Somebody else has changed it meanwhile\.  Run it again/, detail => qr/Field: version\./ },
	# It is asked for again after 15 s, which is beyond what these servers wait.
	K5 => { words => 1, sqlstate => '40001', hint => qr/Too many jobs of the list are at work/, detail => qr/retry_timeout/ },
	K6 => { words => 1, sqlstate => '23505', hint => qr/Use the one that is there, or choose another name/, detail => qr/Field: name\./ },
	K7 => { words => 2, sqlstate => '23503', detail => qr/Field: contactList\. Entity: Campaign\./ },
	K8 => { words => 1, sqlstate => '23505', hint => qr/Remove the second contact with that id from the source/ },
	active => { fault => { status => 409, body_json => { code => 'invalid.update.campaign.active', message => 'No.' } }, sqlstate => '55006', hint => qr/SET campaign_status = 'off'/ },
	unknown => { fault => { status => 409, body_json => { code => 'general.conflict', message => 'Who knows.' } }, sqlstate => '40001', hint => qr/Something else holds/, waits => 1 },
);

# The forms of a kind: [NAME, FAULT].
sub forms
{
	my ($kind) = @_;
	my $of = $kinds{$kind};

	return [ 'code', $of->{fault} ] if $of->{fault};
	# Words alone tell nothing of a 400.
	return [ 'code', { conflict => $kind } ],
	  $kind eq 'K6' ? [ 'code, as 409', { conflict => $kind, status => 409 } ] : (),
	  map { [ "words $_", { conflict => $kind, conflict_words => $_ == 1 ? JSON::PP::true : $_, status => 409 } ] } 1 .. $of->{words};
}

# Where one is met: the statement, its request, and whether it was done.
my $row = 0;
my %places = (
	contacts => {
		statement => sub { my ($dialect) = @_; return "INSERT INTO leads_$dialect (k, phone) VALUES ('K-$row', '+1415555$row')" },
		request => { method => 'POST', path => "*/contactlists/$list/contacts" },
		pattern => qr{^POST .*/contacts$},
		done => sub { return scalar grep { $_->{id} eq "K-$row" } $sim->contacts($list) },
	},
	campaign => {
		statement => sub { my ($dialect) = @_; return "UPDATE $dialect.campaigns SET name = 'C-$row'" },
		request => { method => 'PUT', path => '*/campaigns/C' },
		pattern => qr{^PUT .*/campaigns/C$},
		done => sub { return $sim->api('GET', '/outbound/campaigns/C')->{name} eq "C-$row" },
		# I3: it is read again, and written with the version that it has then.
		K4 => { once => 2, always => 3 },
		K7 => { hint => qr/take ids, not names, and the contact list needs the campaign's phone columns/ },
	},
	list => {
		statement => sub { my ($dialect) = @_; return "UPDATE $dialect.contact_lists SET name = 'L-$row' WHERE id = '$other'" },
		# /contactlists, or /lists of dialect "jobs"
		request => { method => 'PUT', path => "*lists/$other" },
		pattern => qr{^PUT .*/(contact)?lists/$other$},
		done => sub { return $sim->api('GET', "/outbound/contactlists/$other")->{name} eq "L-$row" },
		K4 => { once => 2, always => 3 },
	},
	new_list => {
		statement => sub { my ($dialect) = @_; return "INSERT INTO $dialect.contact_lists (name, column_names, phone_columns) VALUES ('N-$row', '{id,phone}', '[{\"columnName\": \"phone\", \"type\": \"cell\"}]')" },
		request => { method => 'POST', path => '*lists' },
		pattern => qr{^POST .*/(contact)?lists$},
		done => sub { return scalar grep { $_->{name} eq "N-$row" } @{ $sim->api('GET', '/outbound/contactlists?pageSize=100&pageNumber=1&sortOrder=descending')->{entities} } },
	},
	dnc_list => {
		statement => sub { my ($dialect) = @_; return "UPDATE $dialect.dnc_lists SET name = 'D-$row' WHERE id = 'D'" },
		request => { method => 'PUT', path => '*/dnclists/D' },
		pattern => qr{^PUT .*/dnclists/D$},
		done => sub { return $sim->api('GET', '/outbound/dnclists/D')->{name} eq "D-$row" },
		K4 => { once => 2, always => 3 },
	},
);
$sim->call('POST', '/_sim/campaigns', { id => 'C', name => 'C', contactList => { id => $list }, campaignStatus => 'off', dialingMode => 'preview',
	callerName => 'Us', callerAddress => '+14155550100', phoneColumns => [ { columnName => 'Phone', type => 'cell' } ] });

$sim->call('POST', '/_sim/dnclists', { id => 'D', name => 'D' });

# meets(DIALECT, PLACE, FAULT, TIMES): a statement that meets it so often; its result, and how often it was tried.
sub meets
{
	my ($dialect, $place, $fault, $times) = @_;
	my $at = $places{$place};

	$row++;
	$sim->faults({ %{ $at->{request} }, %$fault, times => $times });
	$sim->forget_requests;
	my $result = $session->run($at->{statement}->($dialect));
	$sim->faults;
	return ($result, scalar $sim->requests($at->{pattern}));
}

sub check_refused
{
	my ($what, $kind, $result, $place) = @_;
	my $of = { %{ $kinds{$kind} }, $place ? %{ $places{$place}{$kind} // {} } : () };

	is($result->{sqlstate}, $of->{sqlstate}, "$what: the SQLSTATE") or diag $result->{err};
	$of->{hint} ? like($result->{err}, qr/HINT:  .*$of->{hint}/s, "$what: the hint") : unlike($result->{err}, qr/HINT:/, "$what: no hint");
	like($result->{err}, qr/DETAIL:  The server answered with HTTP status 4(09|00) \(/, "$what: what the platform said");
	like($result->{err}, $of->{detail}, "$what: … of what") if $of->{detail};
	return;
}

for my $dialect (@dialects)
{
	for my $place (sort keys %places)
	{
		my $at = $places{$place};

		for my $kind (sort keys %kinds)
		{
			my $of = $kinds{$kind};
			my $once = $at->{$kind}{once} // ($of->{waits} ? 2 : 1);

			for my $form (forms($kind))
			{
				my ($name, $fault) = @$form;
				my $what = "$dialect, $place, $kind by $name";
				my ($result, $tries) = meets($dialect, $place, $fault, 1);

				is($tries, $once, "$what: tries");
				$once > 1 ? is($result->{sqlstate}, '00000', "$what: passes") : check_refused($what, $kind, $result, $place);
				is($at->{done}->() ? 1 : 0, $once > 1 ? 1 : 0, "$what: what is there");
			}
			next if $once == 1;
			my $what = "$dialect, $place, $kind for ever";
			my ($result, $tries) = meets($dialect, $place, (forms($kind))[0][1], 100);

			check_refused($what, $kind, $result, $place);
			$of->{waits} ? cmp_ok($tries, '>', 1, "$what: tries") : is($tries, $at->{$kind}{always}, "$what: tries");
			like($result->{err}, qr/limit of retry_timeout/, "$what: why it gave up") if $of->{waits};
			ok(!$at->{done}->(), "$what: what is there");
		}
		my ($result) = meets($dialect, $place, {}, 0);
		is($result->{sqlstate}, '00000', "$dialect, $place: the next statement");
	}
}

# --- the parts of an import ----------------------------------------------------------------------------

# Who has time waits for what passes; what does not ends the import, which says why.  (After K4 and K5 a part is sent
# again a minute, or 15 s, later; a job of many contacts meets no K3, and is no K6.)
my %methods = (platform => ['contacts'], jobs => [qw(contacts bulk import upload)]);
my %paths = (contacts => "*/contactlists/$slow/contacts", bulk => "*/lists/$slow/contacts/bulk*", import => "*/contactlists/$slow/contacts/import", upload => "*/lists/$slow/contacts/upload*");

for my $dialect (@dialects)
{
	for my $method (@{ $methods{$dialect} })
	{
		for my $kind ($method eq 'contacts' ? qw(K1 K2 K3 K6 K7 K8) : qw(K1 K2 K7 K8))
		{
			my $of = $kinds{$kind};
			my $what = "$dialect, import by $method, $kind";

			$row++;
			$sim->faults({ method => 'POST', path => $paths{$method}, conflict => $kind, times => 1 });
			my $id = $session->value("SELECT gc_fdw.submit_import('slow_$dialect', \$\$SELECT 'I-$row' AS k, '+1415556$row' AS phone, 'One' AS name\$\$, method => '$method')");
			is($session->value("SELECT state FROM gc_fdw.await_import($id, '1min')"), $of->{waits} ? 'done' : 'failed', $what)
			  or diag $session->value("SELECT failure_reason FROM gc_fdw.imports WHERE id = $id");
			is($session->value("SELECT failure_code FROM gc_fdw.imports WHERE id = $id"), $of->{waits} ? '' : $of->{sqlstate}, "$what: the code");
			is($sim->fault_hits, 1, "$what: it was met");
			is(scalar(grep { $_->{id} eq "I-$row" } $sim->contacts($slow)), $of->{waits} ? 1 : 0, "$what: what is there");
			$sim->faults;
		}
	}
}

# --- K5: three jobs of a list are as many as there can be; the next one is asked for again after 15 s --------

$row++;
$sim->faults({ method => 'POST', path => "*/contactlists/$slow/contacts", conflict => 'K5', times => 1 });
my $from = time;
my $result = $session->run("INSERT INTO slow_platform (k) VALUES ('J-$row')");
my $took = time - $from;
is($result->{sqlstate}, '00000', 'K5: too many jobs are waited for');
cmp_ok($took, '>=', 14.9, '… for 15 s');
is($sim->fault_hits, 1, '… it was met');

done_testing();
