// Package advice tells apart why a cluster refuses a capture, by the text that
// the API server, the kubelet or icap on the node has said, and says what to
// change: Pod Security, RBAC, AppArmor, SELinux, an image that cannot be pulled,
// a node without room.
package advice
