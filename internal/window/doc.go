// Package window keeps the packets of the last seconds in memory, and passes on
// those that surround events.
//
//	before event after
//	|------|x|------|            one event
//	|------|x|---|------|x|------|   two, whose windows are one
//
// A [Window] takes packets one after the other, and is told of events. Within
// the time after an event packets are passed on as they come. All others are
// held, until an event comes soon enough behind them, or they are too old for
// that, or memory is short: then they are dropped, the oldest first.
//
// Time is that of the packets. Held packets lie in slabs that are used again
// and again, so that holding a packet allocates nothing once the window has
// grown to what it needs.
package window
