// Package report turns what was measured into Markdown and a chart, and holds
// it against what icap has to reach.
package report
