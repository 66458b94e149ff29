# Shortens the output of go test -v -p 1 to what matters: a line for each
# package, everything that failing tests said, and who was skipped and why.

function top(name) { sub(/\/.*/, "", name); return name }

# What was said by nobody or by a test that did not end, as in a panic.
function flush() {
	printf "%s%s", said[""], current ? said[top(current)] : ""
	delete said[""]
	delete said[top(current)]
}

# The test that the following lines belong to.
/^=== (RUN|NAME|CONT|PAUSE)/ { current = $3; next }

/^--- FAIL/ { print said[$3] $0; delete said[$3]; next }
/^ +--- FAIL/ { print; next }
/^ *--- SKIP/ { sub(/^ */, "", last[$3]); skipped = skipped "  " $3 ": " last[$3] "\n"; delete last[$3]; next }
/^ *--- PASS/ { delete said[$3]; delete last[$3]; next }
/^PASS$/ { next }

/^ok/ { print; current = ""; next }
/^\?/ { next }
/^FAIL/ { flush(); print; current = ""; next }

{ said[top(current)] = said[top(current)] $0 "\n"; last[current] = $0 }

END {
	flush()
	if (skipped) printf "skipped:\n%s", skipped; else print "no test was skipped"
}
