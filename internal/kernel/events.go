package kernel

import "os"

// LinkEvents opens a socket of the network namespace that the calling thread is
// in. A read from it returns whenever an interface was made, deleted or
// changed; what was read has no meaning but that it is time to ask [Links]. A
// read can be ended by closing the file. It takes no privilege.
func LinkEvents() (*os.File, error) { return linkEvents() }

// RuleEvents does the same for the rules of nftables and iptables-nft, as
// [ReadRedirects] has them; nothing tells of those of iptables-legacy. Without
// CAP_NET_ADMIN the error wraps [io/fs.ErrPermission].
func RuleEvents() (*os.File, error) { return ruleEvents() }
