package afpacket

import "os"

// OpenSocket opens what the ring of a Config is made of: a packet socket with
// protocol 0 on the interface, which is looked up in the network namespace of
// the calling thread. The filter is attached and, with Config.Lock, locked. That
// is all that takes a privilege. Open with the file as Config.Socket does the
// rest in any namespace, and in any process: see SCM_RIGHTS in unix(7). Both
// get the same Config.
//
// An error for want of CAP_NET_RAW wraps fs.ErrPermission.
func OpenSocket(c Config) (*os.File, error) { return openSocket(c) }
