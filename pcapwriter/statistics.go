package pcapwriter

import "encoding/binary"

// Options of statistics, from "Interface Statistics Block".
const (
	optStatisticsStart     = 2
	optStatisticsEnd       = 3
	optStatisticsReceived  = 4
	optStatisticsDropped   = 5
	optStatisticsAccepted  = 6
	optStatisticsOSDropped = 7
	optStatisticsDelivered = 8
)

// Statistics are the counters of one interface since Start: the beginning of the
// capture, or of the file if the capture has many. Each includes the one before,
// so a file may have many, and the last one counts.
type Statistics struct {
	// Interface is the place of the interface in the file, from 0.
	Interface uint32
	// Time is when the counters were read; Start and End are those of what is
	// counted. All are in nanoseconds since 1970-01-01 UTC. Start and End
	// are left out when 0: statistics with an End are the last ones of their
	// interface, those without tell what was counted so far.
	Time, Start, End int64
	// Received counts the packets that the interface took in (isb_ifrecv).
	Received uint64
	// Dropped counts those that the interface lost (isb_ifdrop).
	Dropped uint64
	// Accepted counts those that passed the filter (isb_filteraccept).
	Accepted uint64
	// OSDropped counts those that the kernel lost for want of room
	// (isb_osdrop).
	OSDropped uint64
	// Delivered counts those that reached the program (isb_usrdeliv).
	Delivered uint64
	// Comment is free text (opt_comment).
	Comment string
}

// AppendStatistics appends an Interface Statistics Block and returns the
// longer slice. All counters are written, since "none lost" is worth knowing.
func AppendStatistics(b []byte, s *Statistics) []byte {
	start := len(b)
	b = beginBlock(b, blockStatistics)
	b = binary.LittleEndian.AppendUint32(b, s.Interface)
	b = appendTime(b, s.Time)

	b = appendString(b, optComment, s.Comment)
	if s.Start != 0 {
		b = appendOptionHeader(b, optStatisticsStart, 8)
		b = appendTime(b, s.Start)
	}
	if s.End != 0 {
		b = appendOptionHeader(b, optStatisticsEnd, 8)
		b = appendTime(b, s.End)
	}
	b = appendUint64(b, optStatisticsReceived, s.Received)
	b = appendUint64(b, optStatisticsDropped, s.Dropped)
	b = appendUint64(b, optStatisticsAccepted, s.Accepted)
	b = appendUint64(b, optStatisticsOSDropped, s.OSDropped)
	b = appendUint64(b, optStatisticsDelivered, s.Delivered)
	b = appendOptionHeader(b, optEnd, 0)
	return endBlock(b, start)
}
