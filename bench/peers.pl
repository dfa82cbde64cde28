# usage: peers.pl FILE
# Peers that hold a statement up: one that does not accept, one that accepts and is silent,
# one that reads no more than the head of a POST.  Writes their ports to FILE, in this
# order (0: there is none), and stays.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use GcSim;

my $unread = GcSim::Unread->new;
my $silent = GcSim::silent_port();
my ($full, @waiting) = GcSim::full_port();

open my $fh, '>', "$ARGV[0].new" or die "$ARGV[0]: $!";
printf $fh "%d %d %d\n", $full ? $full->sockport : 0, $silent->sockport, $unread->port;
close $fh;
rename "$ARGV[0].new", $ARGV[0] or die "$ARGV[0]: $!";
$SIG{TERM} = sub { exit 0 };
sleep 1000 while 1;
