//go:build !linux

package afpacket

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

// errUnimplemented is what every operation returns off Linux.
var errUnimplemented = fmt.Errorf("packet rings are not implemented on %s", runtime.GOOS)

// A Ring is a TPACKET_V3 ring on one interface, which only Linux has.
type Ring struct{}

// Open returns an error that names the operating system.
func Open(Config) (*Ring, error) { return nil, errUnimplemented }

func openSocket(Config) (*os.File, error) { return nil, errUnimplemented }

// Extensions returns an error that names the operating system.
func Extensions() (int, error) { return 0, errUnimplemented }

func (r *Ring) Start() error                 { return errUnimplemented }
func (r *Ring) Next() (Block, error)         { return Block{}, errUnimplemented }
func (r *Ring) Take() (b Block, ok bool)     { return Block{}, false }
func (r *Ring) Idle() bool                   { return true }
func (r *Ring) Wait() error                  { return errUnimplemented }
func (r *Ring) Stop() error                  { return errUnimplemented }
func (r *Ring) Interrupt() error             { return errUnimplemented }
func (r *Ring) Leave() (Stats, error)        { return Stats{}, errUnimplemented }
func (r *Ring) Filled() int                  { return 0 }
func (r *Ring) Stats() (Stats, error)        { return Stats{}, errUnimplemented }
func (r *Ring) Close() error                 { return errUnimplemented }
func (r *Ring) Interface() string            { return "" }
func (r *Ring) Locked() bool                 { return false }
func (r *Ring) Geometry() Geometry           { return Geometry{} }
func (r *Ring) RetireTimeout() time.Duration { return 0 }
