package main

import (
	"k8s.io/cli-runtime/pkg/genericclioptions"
	apps "k8s.io/client-go/kubernetes/typed/apps/v1"
	batch "k8s.io/client-go/kubernetes/typed/batch/v1"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"icap/cmd/kubectl-icap/internal/targets"
)

// A cluster is the one that kubectl's flags mean.
type cluster struct {
	flags *genericclioptions.ConfigFlags
}

func newCluster() *cluster {
	return &cluster{genericclioptions.NewConfigFlags(true)}
}

// clients are what the cluster is asked by.
type clients struct {
	rest      *rest.Config
	core      *core.CoreV1Client
	apps      *apps.AppsV1Client
	batch     *batch.BatchV1Client
	namespace string // that of -n, or of the context
}

// Requests of a capture of many nodes come at once.
const (
	requestsPerSecond = 100
	requestsAtOnce    = 200
)

// connect reads the configuration. It asks nobody yet.
func (c *cluster) connect() (*clients, error) {
	config, err := c.flags.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = requestsPerSecond, requestsAtOnce
	config.UserAgent = "kubectl-icap/" + version
	config.WarningHandler = rest.NoWarnings{} // what is refused is told as an error
	all := &clients{rest: config}
	if all.namespace, _, err = c.flags.ToRawKubeConfigLoader().Namespace(); err != nil {
		return nil, err
	}
	if all.core, err = core.NewForConfig(config); err != nil {
		return nil, err
	}
	if all.apps, err = apps.NewForConfig(config); err != nil {
		return nil, err
	}
	all.batch, err = batch.NewForConfig(config)
	return all, err
}

// targets is whom to ask about pods.
func (c *clients) targets() *targets.Cluster {
	return &targets.Cluster{Core: c.core, Apps: c.apps, Batch: c.batch}
}
