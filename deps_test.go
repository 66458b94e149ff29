package icap_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A layer says what a package may import besides the standard library. Paths
// of ours have no "icap/" in front.
type layer struct {
	path  string
	ours  []string
	third []string
	why   string
}

const (
	unix  = "golang.org/x/sys/unix"
	xbpf  = "golang.org/x/net/bpf"
	nft   = "github.com/google/nftables"
	expr  = "github.com/google/nftables/expr"
	links = "github.com/vishvananda/netlink"
	dns   = "golang.org/x/net/dns/dnsmessage"
	hpack = "golang.org/x/net/http2/hpack"
	grpc  = "google.golang.org/grpc"
	criv1 = "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// layers are all packages of the module, leaves first. ARCHITECTURE.md shows
// the same as a graph.
var layers = []layer{
	{"bpfc", nil, []string{xbpf},
		"a compiler does no I/O, and runs on any system"},
	{"internal/netdb", []string{"bpfc"}, nil,
		"looks up for the compiler what it does not read itself"},
	{"bpfc/cmd/bpfc", []string{"bpfc", "internal/netdb"}, nil,
		"a script needs the compiler, and names"},
	{"istiofilter", nil, nil,
		"meets bpfc as filter text, which can be printed, edited and tested as a string"},
	{"nsswitch", nil, []string{unix},
		"namespaces are a matter of threads and files, whatever is done in them"},
	{"afpacket", nil, []string{"github.com/mdlayher/packet", xbpf, unix},
		"a ring knows neither where its filter comes from nor where its packets go"},
	{"pcapwriter", nil, []string{unix},
		"a format knows nothing of capturing; unix is for writes past os.File"},
	{"internal/capfile", nil, nil,
		"a file is read as it is, whoever wrote it"},
	{"internal/flow", nil, nil,
		"decoding a packet takes no layers and no allocation"},
	{"internal/ends", []string{"internal/flow"}, nil,
		"joins what two captures show of one connection, and judges nobody"},
	{"internal/cause", []string{"internal/ends", "internal/flow", "istiofilter"}, nil,
		"who and why take a leg and an event, whoever found them"},
	{"internal/stitch", []string{"internal/capfile", "internal/flow"}, nil,
		"goes by what is in the packets, live or from a file"},
	{"internal/gather", []string{"internal/capfile", "pcapwriter"}, nil,
		"merges streams, wherever they come from: knows nothing of Kubernetes"},
	{"internal/plain", nil, nil,
		"text and JSON that cannot talk to a terminal, whatever they are about"},
	{"internal/sight", []string{"bpfc", "istiofilter", "internal/capfile", "internal/cause", "internal/flow", "internal/netdb", "internal/plain", "internal/stitch"}, nil,
		"from the packets of a capture to what follows connections"},
	{"internal/report", []string{"istiofilter", "internal/capfile", "internal/cause", "internal/ends", "internal/flow", "internal/plain", "internal/sight", "internal/stitch"}, nil,
		"prints on whatever takes it, and asks an interface who has sockets"},
	{"internal/kernel", nil, []string{"github.com/mdlayher/netlink", nft, expr, unix},
		"sock_diag by hand: vishvananda/netlink hides IPV6_V6ONLY and dumps every state"},
	{"internal/socktrace", nil, []string{"github.com/cilium/ebpf", "github.com/cilium/ebpf/asm", "github.com/cilium/ebpf/btf",
		"github.com/cilium/ebpf/link", "github.com/cilium/ebpf/ringbuf", "github.com/cilium/ebpf/rlimit", unix},
		"all that is eBPF; it knows sockets and processes, and nothing of packets"},
	{"internal/pods", nil, []string{unix},
		"reads /proc, so that neither a container runtime nor Kubernetes has to be asked"},
	{"internal/pods/cri", nil, []string{grpc, grpc + "/codes", grpc + "/credentials/insecure", grpc + "/status", criv1},
		"the one package that speaks gRPC, and only with the tag cri: it doubles the binary"},
	{"internal/text", []string{"internal/flow"}, nil,
		"decodes by hand what it prints, cut short or not"},
	{"internal/window", nil, nil,
		"holds packets of any kind by their time, and reads none"},
	{"internal/capture", []string{"afpacket", "pcapwriter"}, nil,
		"knows nothing of Istio or Kubernetes: it has one hook per packet"},
	{"internal/direct", []string{"afpacket", "pcapwriter", "internal/capture"}, []string{unix},
		"ends as a merged capture does, with the same result; unix is for pwrite on a bare descriptor"},
	{"internal/errand", nil, []string{unix},
		"carries requests and files between two processes, and does not know what about"},
	{"internal/sandbox", nil, []string{"kernel.org/pub/linux/libs/security/libcap/psx", xbpf, unix},
		"gives rights up, whoever had them; psx makes all threads do so, also where C is linked in"},
	{"internal/lab", []string{"nsswitch"}, []string{nft, expr, links, unix, dns, hpack},
		"makes a world to capture in, so it must not need what captures"},
	{"internal/lab/ociimage", nil, nil,
		"only tests import it, and the modules of containerd's pods and of the cluster"},
	{"internal/lab/labtest", []string{"internal/lab", "nsswitch"}, []string{links, unix},
		"imports testing, so only tests import it"},
	{"cmd/icap", []string{"afpacket", "bpfc", "istiofilter", "nsswitch", "pcapwriter",
		"internal/capfile", "internal/capture", "internal/cause", "internal/direct", "internal/errand", "internal/flow", "internal/gather", "internal/kernel", "internal/lab",
		"internal/netdb", "internal/plain", "internal/pods", "internal/pods/cri", "internal/report", "internal/sandbox", "internal/sight", "internal/socktrace", "internal/stitch", "internal/text", "internal/window"},
		[]string{"github.com/klauspost/compress/zstd", "github.com/ncruces/go-strftime", "github.com/spf13/cobra", "github.com/spf13/pflag",
			unix, "golang.org/x/term"},
		"here all comes together, but no test helper; strftime names files as tcpdump does"},
}

const module = "icap/"

// A listed package is what go list tells of one.
type listed struct {
	ImportPath, Name, Dir, Doc string
	Imports, GoFiles           []string
}

// list asks the go tool for the packages of the module on a system, built with
// some tags. The root has only tests and is left out.
func list(t *testing.T, goos, tags string) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-tags", tags, "-json=ImportPath,Name,Dir,Doc,Imports,GoFiles", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=arm64", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			pkgs = append(pkgs, p)
		}
	}
	return pkgs
}

// isStandard tells packages of the standard library by their first element,
// which is no domain.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// TestImports holds the real imports against the table, in both ways: nothing
// is imported that is not allowed, and nothing is allowed that no system needs.
func TestImports(t *testing.T) {
	unused := make(map[string]map[string]bool)
	for _, l := range layers {
		unused[l.path] = make(map[string]bool)
		for _, path := range slices.Concat(l.ours, l.third) {
			unused[l.path][path] = true
		}
	}
	for _, build := range [][2]string{{"linux", ""}, {"linux", "cri"}, {"darwin", ""}} {
		goos, tags := build[0], build[1]
		for _, p := range list(t, goos, tags) {
			pkg := strings.TrimPrefix(p.ImportPath, module)
			i := slices.IndexFunc(layers, func(l layer) bool { return l.path == pkg })
			if i < 0 {
				t.Errorf("%s is not in the table of this test", pkg)
				continue
			}
			for _, path := range p.Imports {
				name, ours := strings.CutPrefix(path, module)
				delete(unused[pkg], name)
				if allowed := layers[i].third; ours && !slices.Contains(layers[i].ours, name) ||
					!ours && !isStandard(path) && !slices.Contains(allowed, path) {
					t.Errorf("%s (%s %s) imports %s: %s", pkg, goos, tags, name, layers[i].why)
				}
				if tags == "" && path == grpc {
					t.Errorf("%s (%s) imports %s without the tag cri", pkg, goos, path)
				}
			}
		}
	}
	for _, l := range layers {
		for path := range unused[l.path] {
			t.Errorf("%s may import %s and does not", l.path, path)
		}
	}
}

// TestGraph holds the graph in ARCHITECTURE.md against the table.
func TestGraph(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, graph, _ := strings.Cut(string(text), "```mermaid\n")
	graph, _, ok := strings.Cut(graph, "```")
	if !ok {
		t.Fatal("no graph")
	}
	paths := make(map[string]string)
	for _, m := range regexp.MustCompile(`(\w+)\["?([\w/-]+)"?\]`).FindAllStringSubmatch(graph, -1) {
		paths[m[1]] = m[2]
	}
	arrows := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^\s*(\w+) --> (.+)$`).FindAllStringSubmatch(graph, -1) {
		for to := range strings.SplitSeq(m[2], " & ") {
			arrows[paths[m[1]]+" --> "+paths[to]] = true
		}
	}
	boxes := slices.Collect(maps.Values(paths))
	for _, l := range layers {
		if !slices.Contains(boxes, l.path) {
			t.Errorf("the graph lacks %s", l.path)
		}
		for _, path := range l.ours {
			arrow := l.path + " --> " + path
			if !arrows[arrow] {
				t.Errorf("the graph lacks %s", arrow)
			}
			delete(arrows, arrow)
		}
	}
	for arrow := range arrows {
		t.Errorf("the graph has %s, the table has not", arrow)
	}
	if len(boxes) != len(layers) {
		t.Errorf("the graph has %d packages, the table %d", len(boxes), len(layers))
	}
}

func TestPackageDocs(t *testing.T) {
	for _, p := range list(t, "linux", "") {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command " + filepath.Base(p.Dir) + " "
		}
		if !strings.HasPrefix(p.Doc, want) {
			t.Errorf("the package comment of %s begins with %.30q, not with %q", p.ImportPath, p.Doc, want)
		}
	}
}

// TestHabits looks at the files for every system. Nothing imports "C". Below
// cmd a package neither acts when it is linked in nor talks to the user: it
// returns errors.
func TestHabits(t *testing.T) {
	for _, p := range list(t, "linux", "") {
		files, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			command := strings.HasPrefix(p.ImportPath, module+"cmd/")
			checkFile(t, fset, f, command)
		}
	}
}

func checkFile(t *testing.T, fset *token.FileSet, f *ast.File, command bool) {
	t.Helper()
	report := func(at token.Pos, what string) {
		t.Errorf("%v: %s", fset.Position(at), what)
	}
	for _, imp := range f.Imports {
		switch path := strings.Trim(imp.Path.Value, `"`); {
		case path == "C":
			report(imp.Pos(), "cgo")
		case !command && (path == "log" || strings.HasPrefix(path, "log/")):
			report(imp.Pos(), "logging below cmd")
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				report(n.Pos(), "func init")
			}
		case *ast.CallExpr:
			if !command && prints(n) {
				report(n.Pos(), "printing below cmd")
			}
		}
		return true
	})
}

// prints reports whether a call is one of fmt.Print and its like, or of the
// built-in print and println.
func prints(call *ast.CallExpr) bool {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		x, ok := f.X.(*ast.Ident)
		return ok && x.Name == "fmt" && strings.HasPrefix(f.Sel.Name, "Print")
	case *ast.Ident:
		return f.Name == "print" || f.Name == "println"
	}
	return false
}
