package pods

import (
	"strings"
	"testing"
)

func TestParseCommandLine(t *testing.T) {
	named := func(r Role, namespace, name string) claim {
		return claim{role: r, podName: podName{namespace, name}}
	}
	for cmdline, want := range map[string]claim{
		"/usr/local/bin/pilot-agent proxy sidecar --domain shop.svc.cluster.local --proxyLogLevel=warning":                        named(Sidecar, "shop", ""),
		"pilot-agent proxy sidecar --domain=shop.svc.other":                                                                       named(Sidecar, "shop", ""),
		"/usr/local/bin/pilot-agent proxy router --domain edge.svc.cluster.local":                                                 named(Gateway, "edge", ""),
		"/usr/local/bin/pilot-agent proxy waypoint --domain shop.svc":                                                             named(Waypoint, "shop", ""),
		"/usr/local/bin/pilot-agent istio-iptables -p 15001":                                                                      {},
		"/usr/local/bin/pilot-agent proxy":                                                                                        {},
		"pilot-agent proxy mystery":                                                                                               {},
		"pilot-agent proxy sidecar --domain":                                                                                      {role: Sidecar},
		"pilot-agent proxy sidecar --domain svc.cluster.local":                                                                    {role: Sidecar},
		"pilot-agent proxy sidecar --domain ../x.svc":                                                                             {role: Sidecar},
		"/usr/local/bin/ztunnel proxy ztunnel":                                                                                    {role: Ztunnel},
		"/usr/local/bin/pilot-discovery discovery --monitoringAddr=:15014":                                                        {role: Istiod},
		"/usr/local/bin/envoy -c etc/istio/proxy/envoy-rev0.json --service-node router~10.0.0.7~gw-0.edge~edge.svc.cluster.local": named(Gateway, "edge", "gw-0"),
		"envoy --service-node=sidecar~10.0.0.7~a.b.shop~shop.svc.cluster.local":                                                   named(Sidecar, "shop", "a.b"),
		"envoy --service-node sidecar~10.0.0.7~web~shop.svc":                                                                      {role: Sidecar},
		"envoy --service-node sidecar~10.0.0.7~../web.shop~x":                                                                     {role: Sidecar},
		"envoy -c envoy.yaml": {},
		"nginx":               {},
		"":                    {},
	} {
		if got := parseCommandLine(strings.ReplaceAll(cmdline, " ", "\x00") + "\x00"); got != want {
			t.Errorf("%q: got %+v, want %+v", cmdline, got, want)
		}
	}
}

func TestRoleOfPorts(t *testing.T) {
	for _, tt := range []struct {
		ports []uint16
		want  Role
	}{
		{[]uint16{8080, 15000, 15001, 15004, 15006, 15020, 15021, 15090}, Sidecar},
		{[]uint16{8080, 15001, 15006, 15008, 15053, 15080}, Plain}, // ambient: ztunnel's sockets
		{[]uint16{15001, 15006, 15008, 15021, 15090}, Sidecar},     // with HBONE
		{[]uint16{8080, 8443, 15000, 15020, 15021, 15090}, Gateway},
		{[]uint16{15000, 15008, 15020, 15021, 15090}, Waypoint},
		{[]uint16{8080, 15010, 15012, 15014, 15017}, Istiod},
		{[]uint16{80, 443}, Plain},
		{nil, Plain},
	} {
		if got := RoleOfPorts(tt.ports); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.ports, got, tt.want)
		}
	}
}

// FuzzParseCommandLine: what a process claims is valid or left out.
func FuzzParseCommandLine(f *testing.F) {
	f.Add("pilot-agent\x00proxy\x00sidecar\x00--domain\x00shop.svc.cluster.local\x00")
	f.Add("envoy\x00--service-node\x00router~10.0.0.7~gw-0.edge~edge.svc\x00")
	f.Fuzz(func(t *testing.T, cmdline string) {
		c := parseCommandLine(cmdline)
		if c.name != "" && !validPodName(c.name) || c.namespace != "" && !validNamespace(c.namespace) {
			t.Errorf("%q claims %+v", cmdline, c)
		}
	})
}
