package sight

import (
	"strings"

	"icap/internal/cause"
	"icap/internal/plain"
	"icap/istiofilter"
)

// Leg is the leg in the name of an interface, "" if there is none. It is not
// safe for a terminal, nor are the other parts.
func Leg(place string) string {
	place, _, _ = strings.Cut(place, "@")
	_, leg, _ := strings.Cut(place, ":")
	return leg
}

// Pod is the pod in the name of an interface, "" if there is none.
func Pod(place string) string {
	_, pod, _ := strings.Cut(place, "@")
	return pod
}

// Wire is the name of an interface without its leg: what all legs of a link of
// a pod have in common.
func Wire(place string) string {
	link, pod, _ := strings.Cut(place, "@")
	link, _, _ = strings.Cut(link, ":")
	return link + "@" + pod
}

// Where is the leg in the name of an interface, if it is one that is known.
func Where(place string) cause.Where {
	leg := Leg(place)
	for l := range istiofilter.AllLegs.All() {
		if l.String() == leg {
			return cause.Where{Leg: l, Known: true}
		}
	}
	return cause.Where{}
}

// Name is how a place is shown: by its leg, if it has one.
func Name(place string) string {
	if leg := Leg(place); leg != "" {
		return plain.Text(leg)
	}
	if place == "" {
		return "-"
	}
	return plain.Text(place)
}
