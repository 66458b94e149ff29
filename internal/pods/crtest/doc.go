// Package crtest tests icap on pods of a real containerd, through the interface
// that the kubelet uses. It is a module of its own, so that Kubernetes and gRPC
// do not get into the product.
package crtest
