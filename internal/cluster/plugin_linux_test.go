package cluster

import (
	"slices"
	"strings"
	"testing"
)

// TestSelector captures all pods of a selector, on two nodes, into one file.
func TestSelector(t *testing.T) {
	rights(t)
	for _, via := range []string{"job", "daemonset"} {
		t.Run(via, func(t *testing.T) {
			if via == "daemonset" {
				apply(t, deployed(t, "daemonset.yaml"))
				kubectl(t, "rollout", "status", "-n", "icap", "daemonset/icap", "--timeout=25s")
			}
			web, _ := podOf(t, "app=web")
			api, _ := podOf(t, "app=api")
			c := icap(t, []string{web, api}, "pod", "-n", "shop", "-l", "tier=shop", "--via", via)
			call(t, ServiceAPI, "/mesh")
			call(t, ServiceAPIPlain, "/plain")
			c.end()
			testBothEnds(t, c.file)
			if via == "job" {
				nothingLeft(t)
			}
		})
	}
}

// testBothEnds looks for the page /mesh, which was asked for by mutual TLS, and
// /plain, on every leg of both pods.
func testBothEnds(t *testing.T, file string) {
	t.Helper()
	for _, tt := range []struct {
		what, filter string
		want         []string
	}{
		{"/mesh", `http.request.uri contains "mesh"`, []string{"inbound-app@api", "inbound-app@web", "inbound-wire@web", "outbound-app@web"}},
		{"/plain", `http.request.uri contains "plain"`, []string{"inbound-app@api", "inbound-app@web", "inbound-wire@api", "inbound-wire@web", "outbound-app@web", "outbound-wire@web"}},
		{"TLS to port 8080", "tcp.dstport == 8080 && tcp.payload[0] == 16", []string{"inbound-wire@api", "outbound-wire@web"}},
	} {
		got := places(t, file, tt.filter)
		say(t, "%s is on %s", tt.what, strings.Join(got, ", "))
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s is on %q, want %q", tt.what, got, tt.want)
		}
	}
	inOrder(t, file)
	check(t, file)
}

// rights makes the namespace of the captures and the least rights.
func rights(t *testing.T) {
	t.Helper()
	apply(t, deployed(t, "rbac.yaml"))
}

// TestGateway captures the two sides of a gateway.
func TestGateway(t *testing.T) {
	rights(t)
	gateway, _ := podOf(t, "istio=ingressgateway")
	c := icap(t, []string{gateway}, "gateway", "gateway/istio-ingressgateway", "-n", "shop")
	get(t, "http://"+gatewayPort(t)+"/edge")
	c.end()
	got := places(t, c.file, "tcp.port == 8080")
	say(t, "port 8080 is on %s", strings.Join(got, ", "))
	if want := []string{"gateway-downstream@istio", "gateway-upstream@istio"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	inOrder(t, c.file)
	check(t, c.file)
	nothingLeft(t)
}

// gatewayPort is where the gateway listens.
func gatewayPort(t *testing.T) string {
	t.Helper()
	_, ip := podOf(t, "istio=ingressgateway")
	return ip + ":8080"
}

// TestEvents tells who resets a connection, with both of its pods in the picture,
// and which connections belong together.
func TestEvents(t *testing.T) {
	rights(t)
	pods := []string{name(t, "web"), name(t, "api")}
	c := show(t, shop.Command, pods, "events", "-n", "shop", "-l", "tier=shop", "--only", "rst")
	refused(t, ServiceAPIPlain, "/reset")
	c.end()
	testReset(t, c.printed.String())

	c = show(t, shop.Command, pods, "flows", "-n", "shop", "-l", "tier=shop", "--pairs")
	call(t, ServiceAPI, "/mesh")
	call(t, ServiceAPIPlain, "/plain")
	c.end()
	testJoined(t, c.printed.String())
	nothingLeft(t)
}

// TestDebug captures from ephemeral containers, which Pod Security baseline admits
// where it has admitted the pod.
func TestDebug(t *testing.T) {
	t.Cleanup(func() { replace(t, "web"); replace(t, "api") }) // such containers stay
	pods := []string{name(t, "web"), name(t, "api")}
	c := icap(t, pods, "pod", "-n", "shop", "-l", "tier=shop", "--via", "debug")
	call(t, ServiceAPI, "/mesh")
	call(t, ServiceAPIPlain, "/plain")
	c.end()
	testBothEnds(t, c.file)
	apply(t, guarded("baseline"))
	kubectl(t, "wait", "pod", "-n", "baseline", "plain", "--for=condition=Ready", "--timeout=25s")
	icap(t, []string{"plain.baseline"}, "pod", "-n", "baseline", "plain", "--via", "debug").end()
	nothingLeft(t)
}

// TestLeastRights captures as somebody who has nothing but the rights of rbac.yaml.
func TestLeastRights(t *testing.T) {
	rights(t)
	kubectl(t, "create", "rolebinding", "icap-debug", "-n", "shop", "--clusterrole=icap-debug", "--group=GROUP")
	t.Cleanup(func() { kubectl(t, "delete", "rolebinding", "icap-debug", "-n", "shop"); replace(t, "web") })
	for _, via := range []string{"job", "debug"} {
		c := icap(t, []string{name(t, "web")}, "pod", "-n", "shop", "deploy/web", "--via", via, "--as", "tester", "--as-group", "GROUP")
		call(t, ServiceAPI, "/least")
		c.end()
		if got := places(t, c.file, `http.request.uri contains "least"`); !slices.Contains(got, "outbound-app@web") {
			t.Errorf("%s: the page is on %q", via, got)
		}
	}
	nothingLeft(t)
}

// TestOnNode writes on the nodes and fetches at the end.
func TestOnNode(t *testing.T) {
	rights(t)
	for _, volume := range []string{"emptyDir", "hostPath:/var/tmp/icap-on-node"} {
		t.Run(volume, func(t *testing.T) {
			c := icap(t, []string{name(t, "web"), name(t, "api")}, "pod", "-n", "shop", "-l", "tier=shop", "--on-node", volume)
			call(t, ServiceAPI, "/mesh")
			call(t, ServiceAPIPlain, "/plain")
			c.end()
			testBothEnds(t, c.file)
		})
	}
	nothingLeft(t)
}

// TestCompletion asks as a shell does: kubectl asks the plugin.
func TestCompletion(t *testing.T) {
	for _, tt := range [][2]string{{"deploy/", "deploy/api"}, {"we", name(t, "web")}} {
		out := kubectl(t, "__complete", "icap", "pod", "-n", "shop", tt[0])
		say(t, "$ kubectl icap pod -n shop %s<TAB>\n%s", tt[0], out)
		if !strings.Contains(out, tt[1]) {
			t.Errorf("not %q", tt[1])
		}
	}
}
