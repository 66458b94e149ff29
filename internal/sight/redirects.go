package sight

import (
	"regexp"
	"strconv"

	"icap/internal/capfile"
)

// redirected finds the proxy's ports in how icap describes an interface.
var redirected = regexp.MustCompile(`\b(?:outbound|inbound) to port (\d+)`)

// Ports of Istio's sidecar, for files that do not tell them.
const (
	usualOutbound = 15001
	usualInbound  = 15006
)

// redirectsOf are the ports that the rules redirected to where an interface was
// captured: those that icap has written into the file, or the usual ones if
// the file does not tell the leg.
func redirectsOf(i *capfile.Interface) (ports []uint16) {
	if Leg(i.Name) == "" {
		return []uint16{usualOutbound, usualInbound}
	}
	for _, found := range redirected.FindAllStringSubmatch(i.Description, -1) {
		if port, err := strconv.ParseUint(found[1], 10, 16); err == nil {
			ports = append(ports, uint16(port))
		}
	}
	return ports
}
