# The must-show of provisioning and control: docs/tour.md is a session from an organisation without lists to one
# without lists again.  It is run as it stands there, in both dialects: what psql shows is what the page shows,
# and each statement makes the requests that the page names and no other, by the simulator's record and by
# gc_fdw.requests.  A2, A3, F1, H1, I1, K2, L; DESIGN §2.1.  The page's last block has what is otherwise under
# dialect "jobs".
#
# GC_TOUR_OUT=FILE writes the page as it should be.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $page = PostgreSQL::Test::Utils::slurp_file("$FindBin::Bin/../docs/tour.md");
my $node = new_node('session', "shared_preload_libraries = 'gc_fdw'");

# What differs from run to run: ids, and which of two requests that are under way together is first.
sub settled
{
	my ($text) = @_;
	my $uuid = qr/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/;

	$text =~ s/$uuid/<id>/g;
	$text =~ s/^(-- asked: )(.*)$/$1 . join ', ', sort split m{, }, $2/gme;
	return $text;
}

# asked(REQUEST...): requests in a line, each once, in the order of the first.
sub asked
{
	my (@calls, %times);

	for my $call (map { s{/api/v2/outbound}{}r =~ s{/(?:[0-9a-f]{8}-[-0-9a-f]{27}|c-spring)\b}{/{id}}r } @_)
	{
		push @calls, $call unless $times{$call}++;
	}
	return join ', ', map { $times{$_} > 1 ? "$_ × $times{$_}" : $_ } @calls;
}

# The statements of a block: lines after "=# ", with those that continue them after "-# ".
sub statements
{
	my ($block) = @_;
	return map { s/\n-# /\n/gr } $block =~ /^=# (.*(?:\n-# .*)*)$/mg;
}

# What a statement asks under "jobs", if that is not what it asks elsewhere; and what it shows, if that is different.
sub otherwise
{
	my (undef, $shown, $elsewhere) = map { settled($_) } @_;
	my ($output, $expected) = map { s/\n-- asked: .*//r } $shown, $elsewhere;

	return '' if $shown eq $elsewhere;
	return "$_[1]\n\n" if $output ne $expected;
	return '=# ' . ($_[0] =~ s/\n/\n-# /gr) . ($_[1] =~ /(\n-- asked: .*)/ ? $1 : '') . "\n\n";
}

# A session as psql shows it; what goes out for each statement, as two records have it.
sub session
{
	my ($sim, $dialect) = @_;
	my $session = GcSession->new($node, dbname => $dialect);

	$session->run('\pset format aligned');
	$session->run('\pset tuples_only off');
	$session->run('\pset footer on');
	$session->run('SET search_path = gc, dw, public');
	$session->run('\set QUIET off');
	return sub {
		my ($statement) = @_;

		$sim->forget_requests;
		my $from = $node->safe_psql($dialect, 'SELECT coalesce(max(at), now()) FROM gc_fdw.requests');
		my $result = $session->run($statement);
		my @record = map { "$_->{method} $_->{path}" } $sim->requests;
		my @view = split /\n/, $node->safe_psql($dialect,
			"SELECT method || ' ' || split_part(path, '?', 1) FROM gc_fdw.requests WHERE at > '$from' ORDER BY at");
		is(join("\n", sort @view), join("\n", sort @record), "$dialect: gc_fdw.requests has what was asked");
		return ($result->{err} . $result->{out}, asked(@record));
	};
}

# What the administrator does in Genesys, where the page says so.
my %admin = ('a campaign' => sub {
	my ($sim) = @_;
	my ($empty) = grep { $_->{name} eq 'Nobody' } @{ $sim->api('GET', '/outbound/contactlists')->{entities} };

	$sim->call('POST', '/_sim/campaigns', { id => 'c-spring', name => 'Spring', campaignStatus => 'off', dialingMode => 'preview',
		contactList => { id => $empty->{id} }, callerName => 'Us', callerAddress => '+14155550000', phoneColumns => [ { columnName => 'Phone', type => 'cell' } ] });
});

# The page's last block: statements that are otherwise.
my ($otherwise) = $page =~ /^<!-- jobs -->\n```\n(.*?)^```\n/ms;

my @platform;    # what each statement showed

for my $dialect ('platform', 'jobs')
{
	my $sim = GcSim->new;
	$node->safe_psql('postgres', "CREATE DATABASE $dialect");
	$node->safe_psql($dialect, 'CREATE EXTENSION gc_fdw; CREATE SCHEMA gc; CREATE SCHEMA dw');
	add_server($node, $sim, 'genesys', dbname => $dialect, dialect => $dialect);
	my $run = session($sim, $dialect);
	my ($made, $differs) = ('', '');

	for my $part (split /^(```\n.*?^```\n|<!-- .*? -->\n)/ms, $page)
	{
		last if $part =~ /^<!-- jobs -->/;
		if ($part =~ /^<!-- admin: (.*?) -->/) { $admin{$1}->($sim) }
		if ($part !~ /^```\n=# /)
		{
			$made .= $part;
			next;
		}
		my @shown;
		for my $on_page (split /\n\n(?==# )/, $part =~ s/^```\n|\n```\n\z//gr)
		{
			my ($statement) = statements("$on_page\n");
			my ($output, $asked) = $run->($statement);
			my $shown = '=# ' . ($statement =~ s/\n/\n-# /gr) . "\n$output";

			$shown =~ s/\n*\z/\n/;
			$shown .= "-- asked: $asked\n" if $asked ne '';
			$shown =~ s/ +$//mg;
			chomp $shown;
			if ($dialect eq 'jobs') { $differs .= otherwise($statement, $shown, shift @platform) }
			else
			{
				is(settled($shown), settled($on_page), "$dialect: $statement");
				push @platform, $shown;
			}
			push @shown, $shown;
		}
		$made .= "```\n" . join("\n\n", @shown) . "\n```\n";
	}
	$differs =~ s/\n\n\z/\n/;
	is(settled($differs), settled($otherwise), 'jobs: what is otherwise') if $dialect eq 'jobs';
	PostgreSQL::Test::Utils::append_to_file($ENV{GC_TOUR_OUT}, $dialect eq 'jobs' ? "<!-- jobs -->\n```\n$differs```\n" : $made) if $ENV{GC_TOUR_OUT};
}

done_testing();
