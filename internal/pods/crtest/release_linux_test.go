package crtest

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// testReleaseImage makes the image of a release for two kinds of machine, out of
// other files, has containerd import and check it, and looks into it.
func testReleaseImage(t *testing.T, n *node) {
	archive := n.path("release.tar")
	n.run("sh", "../../../deploy/image", archive, "test", "amd64="+n.standin, "arm64="+n.path("config.toml"))
	ctr := func(args ...string) string {
		t.Helper()
		return n.run("ctr", append([]string{"--address", n.path("c.sock"), "--namespace", "release"}, args...)...)
	}
	ctr("images", "import", "--all-platforms", "--snapshotter", "native", archive)
	const name = "docker.io/library/icap:test"
	if list := ctr("images", "check", "--snapshotter", "native"); !strings.Contains(list, name) || !strings.Contains(list, "complete (2/2)") {
		t.Errorf("the image is not complete:\n%s", list)
	}
	list := ctr("images", "list")
	for _, want := range []string{name, "linux/amd64", "linux/arm64", "application/vnd.oci.image.index.v1+json"} {
		if !strings.Contains(list, want) {
			t.Errorf("no %s in\n%s", want, list)
		}
	}
	dir := t.TempDir()
	ctr("images", "mount", "--snapshotter", "native", name, dir)
	defer ctr("images", "unmount", dir)
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("the image has %v, %v", files, err)
	}
	got, err := os.ReadFile(dir + "/icap")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(n.standin)
	if st, serr := os.Stat(dir + "/icap"); err != nil || serr != nil || st.Mode() != 0o755 || !bytes.Equal(got, want) {
		t.Errorf("/icap has mode %v and %d bytes, want 0755 and %d: %v, %v", st.Mode(), len(got), len(want), err, serr)
	}
}
