// Package targets says which pods of a cluster are meant: by their own name, by
// labels, or by what they belong to, as in
//
//	web-0  shop/web-0  pod/web-0  deploy/web  sts/db  svc/web  gateway/ingress
//
// A [Target] is read from text, and becomes a [Query], which is all that the API
// server has to be asked from then on: pods that come later are found by the same
// query as those that are there. Whose pods they are is a matter of labels, as it
// is for the workload itself.
package targets
