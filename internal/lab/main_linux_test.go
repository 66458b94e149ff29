package lab_test

import (
	"os"
	"testing"

	"icap/internal/lab"
)

// TestMain lets the test binary be a stand-in, or the owner that
// TestKilledOwner kills.
func TestMain(m *testing.M) {
	lab.RunRole()
	if os.Getenv(ownerEnv) != "" {
		ownUntilKilled()
	}
	os.Exit(m.Run())
}
