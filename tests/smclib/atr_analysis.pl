#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# atr_analysis.pl PROGRAM FOLDER: runs the unmodified program ATR_analysis on every ATR of standard input. A process
# for each ATR would compile the program and search its list of cards anew each time; here it is compiled once, and a
# fork per ATR runs it. FOLDER: holds a smartcard_list.txt whose one pattern fits all, so that the program searches
# nothing and asks the network for nothing.
use strict;
use warnings;

my ($program, $folder) = @ARGV;
$ENV{XDG_CACHE_HOME} = $folder; # where the program looks for its list first
open my $file, '<', $program or die "$program: $!\n";
my $source = do { local $/; <$file> };
close $file;
{
    # Its routines share its variables with the first run only, which is all there is after a fork.
    local $SIG{__WARN__} = sub { };
    eval "package Analysis; sub run {\n$source\n}\n1" or die "$program: $@";
}

$| = 1;
while (my $atr = <STDIN>) {
    chomp $atr;
    print "=== $atr\n";
    my $child = fork // die "fork: $!\n";
    if ($child == 0) {
        local $SIG{__WARN__} = sub { }; # of historical bytes that announce more than there is
        @ARGV = ($atr);
        Analysis::run();
        exit 0;
    }
    waitpid $child, 0;
    die "$atr: $program ended with $?\n" if $? != 0;
}
