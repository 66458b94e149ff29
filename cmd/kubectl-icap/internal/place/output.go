package place

import (
	"fmt"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// OutputDir is where a seat has the volume for files.
const OutputDir = "/out"

// ParseOutput reads where a capture is written on the node:
//
//	emptyDir  hostPath:/PATH  pvc:NAME
//
// What is in an emptyDir goes with the capture pod.
func ParseOutput(text string) (*corev1.VolumeSource, error) {
	kind, arg, _ := strings.Cut(text, ":")
	switch {
	case text == "emptyDir":
		return &corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, nil
	case kind == "hostPath" && path.IsAbs(arg):
		return &corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{
			Path: path.Clean(arg), Type: ptr.To(corev1.HostPathDirectoryOrCreate),
		}}, nil
	case kind == "pvc" && arg != "":
		return &corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: arg}}, nil
	}
	return nil, fmt.Errorf("%q is not emptyDir, hostPath:/PATH or pvc:NAME", text)
}
