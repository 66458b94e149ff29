package pcapwriter

import "encoding/binary"

// Options of a section, from "Section Header Block".
const (
	optHardware    = 2
	optOS          = 3
	optApplication = 4
)

// A Section says what made the file. Empty fields are left out.
type Section struct {
	// Hardware describes the machine, such as its processor (shb_hardware).
	Hardware string
	// OS is the operating system and its release (shb_os).
	OS string
	// Application is the program that captures, with its version
	// (shb_userappl).
	Application string
	// Comment is free text, such as the command line and the pod
	// (opt_comment). Wireshark shows it among the properties of the file.
	Comment string
}

// AppendSection appends a Section Header Block, with which every file begins,
// and returns the longer slice. The length of the section is left open, so
// that blocks can follow for as long as the capture lasts.
func AppendSection(b []byte, s *Section) []byte {
	const (
		byteOrderMagic    = 0x1A2B3C4D
		versionMajor      = 1
		versionMinor      = 0
		unspecifiedLength = 1<<64 - 1
	)
	start := len(b)
	b = beginBlock(b, blockSection)
	b = binary.LittleEndian.AppendUint32(b, byteOrderMagic)
	b = binary.LittleEndian.AppendUint16(b, versionMajor)
	b = binary.LittleEndian.AppendUint16(b, versionMinor)
	b = binary.LittleEndian.AppendUint64(b, unspecifiedLength)

	options := len(b)
	b = appendString(b, optComment, s.Comment)
	b = appendString(b, optHardware, s.Hardware)
	b = appendString(b, optOS, s.OS)
	b = appendString(b, optApplication, s.Application)
	if len(b) > options {
		b = appendOptionHeader(b, optEnd, 0)
	}
	return endBlock(b, start)
}
