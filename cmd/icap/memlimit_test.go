package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCgroupMemory(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		limit int64 // 0: none
	}{
		"version 2": {map[string]string{
			"proc/self/cgroup": "0::/kubepods/pod1/c1\n", "sys/fs/cgroup/kubepods/pod1/c1/memory.max": "67108864\n",
		}, 64 << 20},
		"a limit of the pod": {map[string]string{
			"proc/self/cgroup": "0::/kubepods/pod1/c1\n", "sys/fs/cgroup/kubepods/pod1/c1/memory.max": "max\n",
			"sys/fs/cgroup/kubepods/pod1/memory.max": "1048576\n", "sys/fs/cgroup/kubepods/memory.max": "8388608\n",
		}, 1 << 20},
		"in a namespace": {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "4096\n"}, 4096},
		"version 1": {map[string]string{
			"proc/self/cgroup": "4:memory:/a/b\n0::/\n", "sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": "1000000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 1000000},
		"version 1 in a container": {map[string]string{
			"proc/self/cgroup": "4:memory:/of/the/node\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "2000000\n",
		}, 2000000},
		"no limit": {map[string]string{
			"proc/self/cgroup": "4:memory:/\n0::/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 0},
		"path that leads out": {map[string]string{
			"proc/self/cgroup": "0::/../../../secret\nnonsense\n", "sys/fs/cgroup/secret/memory.max": "77\n", "secret/memory.max": "1\n",
		}, 77},
		"nothing": {nil, 0},
	} {
		root := t.TempDir()
		for path, text := range test.files {
			path = filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		limit, ok := cgroupMemory(root)
		if ok != (test.limit > 0) || ok && limit != test.limit {
			t.Errorf("%s: %d, %v, want %d", name, limit, ok, test.limit)
		}
	}
}
