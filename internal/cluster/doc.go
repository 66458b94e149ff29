// Package cluster builds a Kubernetes cluster on one machine, and tests icap on
// it. It is a module of its own, so that nothing of it gets into the product.
//
// Each machine of the cluster is a shell with network, mount, process and host
// name namespaces of its own. One has the control plane, the others are nodes:
// with a containerd, a kubelet, a kube-proxy, and pods that are routed to those
// of the other nodes.
//
//	control  172.30.0.1   etcd, kube-apiserver, -controller-manager, -scheduler
//	node-1   172.30.0.11  pods 10.244.1.0/24
//	node-2   172.30.0.12  pods 10.244.2.0/24
//
// What they write is in memory or in one directory, and all of it ends with the
// process that has started the cluster, however that ends.
//
// Kubernetes' programs are built from source once, see the module kube.
package cluster
