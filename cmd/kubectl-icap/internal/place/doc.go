// Package place puts icap where the pods of a capture are, and takes it away
// again. There are three ways:
//
//   - [Jobs] makes a Job for each node with one idle pod, in a namespace that is
//     for captures;
//   - [DaemonSet] uses the pods of one that stands there already;
//   - [Debug] adds an ephemeral container to each pod.
//
// Each gives a [Seat]: a container that runs "icap wait", in which a capture can
// be started by exec. A seat ends by itself when nothing has run in it for
// [Idle], so it does not outlive its client, whatever becomes of that.
package place
