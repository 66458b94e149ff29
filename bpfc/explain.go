package bpfc

import (
	"fmt"
	"strings"
)

// Explain returns the syntax tree of an expression, one part a line, and says
// in words what each part matches. Operators stand above what they join, as
// they bind: "and" and "or" alike, from the left.
func Explain(expr string) (string, error) {
	e, err := Parse(expr)
	if err != nil {
		return "", err
	}
	if err := qualify(expr, e); err != nil {
		return "", err
	}
	x := explainer{}
	x.explain(e, 0)
	return x.String(), nil
}

// An explainer gathers lines: the text of a part, indented, and its meaning.
type explainer struct {
	lines [][2]string
	width int
}

// String puts the meanings below each other.
func (x *explainer) String() string {
	var s strings.Builder
	for _, l := range x.lines {
		fmt.Fprintf(&s, "%s\n", strings.TrimRight(fmt.Sprintf("%-*s  %s", x.width, l[0], l[1]), " "))
	}
	return s.String()
}

func (x *explainer) add(depth int, text, meaning string) {
	text = strings.Repeat("  ", depth) + text
	if meaning != "" {
		x.width = max(x.width, len(text))
	}
	x.lines = append(x.lines, [2]string{text, meaning})
}

func (x *explainer) explain(e Expr, depth int) {
	switch e := e.(type) {
	case *chain:
		x.chain(e.terms, e.ops, depth)
	case *negation:
		x.add(depth, "not", "")
		x.explain(e.x, depth+1)
	case *group:
		x.explain(e.x, depth)
	case *qualified:
		if o, ok := e.x.(*operand); ok {
			x.add(depth, e.String(), o.meaning())
			return
		}
		x.add(depth, e.q.String(), "")
		x.explain(e.x, depth+1)
	case *operand:
		x.add(depth, e.String(), e.meaning())
	case everything:
		x.add(depth, "(empty)", meaning(e))
	default:
		x.add(depth, e.String(), meaning(e))
	}
}

// chain explains terms and operators, the last of which is at the top.
func (x *explainer) chain(terms []Expr, ops []operator, depth int) {
	last := len(ops) - 1
	if last < 0 {
		x.explain(terms[0], depth)
		return
	}
	// Equal operators in a row are shown as one.
	first := last
	for first > 0 && ops[first-1] == ops[last] {
		first--
	}
	x.add(depth, ops[last].String(), "")
	x.chain(terms[:first+1], ops[:first], depth+1)
	for _, t := range terms[first+1:] {
		x.explain(t, depth+1)
	}
}

// meaning is what an operand matches, with the qualifiers in force.
func (o *operand) meaning() string {
	end := map[direction]string{
		dirNone: "source or destination", dirEither: "source or destination",
		dirSrc: "source", dirDst: "destination", dirBoth: "source and destination",
	}[o.q.dir]
	layer := layerName(o.q.proto)
	switch o.q.typ {
	case "port", "portrange":
		if layer == "" {
			layer = "TCP, UDP or SCTP"
		}
		return fmt.Sprintf("%s %s %s of %s", end, o.q.typ, o, layer)
	case "proto", "protochain":
		if layer == "" {
			layer = "IPv4 or IPv6"
		}
		return fmt.Sprintf("%s carries protocol %s", layer, o)
	case "gateway":
		return fmt.Sprintf("sent through gateway %s: its hardware address, not its IP address", o)
	case "net":
		return fmt.Sprintf("%s address in network %s%s", end, o, of(o.family(layer)))
	default:
		return fmt.Sprintf("%s address %s%s", end, o, of(o.family(layer)))
	}
}

// family is the layer whose address the operand is.
func (o *operand) family(layer string) string {
	switch {
	case layer != "":
		return layer
	case strings.Contains(o.text, ":"):
		return "IPv6"
	default:
		return "IPv4, ARP or RARP"
	}
}

func of(layer string) string {
	if layer == "" {
		return ""
	}
	return " of " + layer
}

// layerName is a protocol keyword as people write it.
func layerName(proto string) string {
	switch proto {
	case "":
		return ""
	case "ip":
		return "IPv4"
	case "ip6":
		return "IPv6"
	case "ether", "link":
		return "the link layer"
	case "icmp6":
		return "ICMPv6"
	default:
		return strings.ToUpper(proto)
	}
}

// meaning is what a part without qualifiers matches.
func meaning(e Expr) string {
	switch e := e.(type) {
	case everything:
		return "every packet"
	case *protocol:
		return layerName(e.name) + " packets"
	case *length:
		if e.greater {
			return fmt.Sprintf("at least %s bytes long", e.n)
		}
		return fmt.Sprintf("at most %s bytes long", e.n)
	case *cast:
		if e.proto == "" {
			return "addressed to a link-layer " + e.word
		}
		return fmt.Sprintf("addressed to %s %s", layerName(e.proto), e.word)
	case *encapsulation:
		return "inside " + strings.ToUpper(e.word) + "; all that follows is about what is inside"
	case *flow:
		return map[string]string{
			"inbound": "received by this host", "outbound": "sent by this host",
			"ifindex": "seen on the interface of this number",
		}[e.word]
	case *control:
		return "frames with an LLC header of this kind"
	case *byteTest:
		return fmt.Sprintf("byte %s of the link layer, compared", e.at)
	case *relationExpr:
		return "compares " + describe(e.a) + " and " + describe(e.b)
	}
	return ""
}

// describe says where the numbers of an arithmetic expression come from.
func describe(a arith) string {
	switch a := a.(type) {
	case *lengthOf:
		return "the length of the packet"
	case *packetData:
		size := "a byte"
		if a.size != nil && a.size.text != "1" {
			size = a.size.String() + " bytes"
		}
		return fmt.Sprintf("%s at offset %s of %s", size, a.at, headerName(a.proto))
	case *parenthesis:
		return describe(a.x)
	case *minus:
		return "minus " + describe(a.x)
	case *binaryExpr:
		return describe(a.a) + " " + a.op + " " + describe(a.b)
	default:
		return a.String()
	}
}

func headerName(proto string) string {
	if proto == "ether" || proto == "link" {
		return layerName(proto)
	}
	return "the header of " + layerName(proto)
}
