package targets

import "testing"

func TestParse(t *testing.T) {
	for text, want := range map[string]Target{
		"web-0":           {Pod, "shop", "web-0"},
		"other/web-0":     {Pod, "other", "web-0"},
		"pod/web-0":       {Pod, "shop", "web-0"},
		"deploy/web":      {Deployment, "shop", "web"},
		"Deployment/web":  {Deployment, "shop", "web"},
		"sts/db":          {StatefulSet, "shop", "db"},
		"ds/agent":        {DaemonSet, "shop", "agent"},
		"rs/web-5d9c":     {ReplicaSet, "shop", "web-5d9c"},
		"svc/web":         {Service, "shop", "web"},
		"jobs/load":       {Job, "shop", "load"},
		"gateway/ingress": {Gateway, "shop", "ingress"},
		"other/svc/web":   {Service, "other", "web"},
	} {
		if got, err := Parse(text, "shop", Pod); got != want || err != nil {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "/", "deploy/", "/web", "a/b/c/d", "shop/cat/web", "Web", "web_0", "-web", "a b"} {
		if got, err := Parse(text, "shop", Pod); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
