package targets

import corev1 "k8s.io/api/core/v1"

// Role says in a word what a pod is in a mesh, as far as its description tells:
// sidecar, ambient, gateway, ztunnel or plain.
func Role(p *corev1.Pod) string {
	const proxy = "istio-proxy"
	switch {
	case p.Labels["app"] == "ztunnel":
		return "ztunnel"
	case p.Labels["gateway.networking.k8s.io/gateway-name"] != "", p.Labels["istio"] == "ingressgateway", p.Labels["istio"] == "egressgateway":
		return "gateway"
	case p.Annotations["ambient.istio.io/redirection"] == "enabled":
		return "ambient"
	}
	// A sidecar is a container, or an init container that goes on.
	for _, list := range [][]corev1.Container{p.Spec.Containers, p.Spec.InitContainers} {
		for i := range list {
			if list[i].Name == proxy {
				return "sidecar"
			}
		}
	}
	return "plain"
}
