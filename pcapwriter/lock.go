package pcapwriter

import "os"

// Lock keeps captures off a file that exists, as [Create] does, until it is
// closed. If one is writing it, the error is [ErrInUse].
func Lock(f *os.File) error { return lock(f) }
