package bpfc_test

import (
	"errors"
	"fmt"

	"icap/bpfc"
)

func ExampleCompile() {
	insns, err := bpfc.Compile("tcp port 80", bpfc.Ethernet, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(insns), "instructions")
	// Output: 20 instructions
}

func ExampleProgram_Match() {
	p, err := bpfc.CompileOptions("arp", bpfc.Ethernet, bpfc.Options{Snaplen: 96})
	if err != nil {
		fmt.Println(err)
		return
	}
	arp := make([]byte, 128)
	arp[12], arp[13] = 0x08, 0x06
	fmt.Println(p.Match(arp, len(arp)), "bytes to keep")
	fmt.Println(p.Match(arp[:60], len(arp)), "of a shorter one")
	// Output:
	// 96 bytes to keep
	// 60 of a shorter one
}

func ExampleProgram_Dump() {
	p, err := bpfc.CompileOptions("ip and not icmp", bpfc.Ethernet, bpfc.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(p.Dump())
	// Output:
	// (000) ldh      [12]
	// (001) jeq      #0x800           jt 2	jf 5
	// (002) ldb      [23]
	// (003) jeq      #0x1             jt 5	jf 4
	// (004) ret      #262144
	// (005) ret      #0
}

func ExampleError_Caret() {
	_, err := bpfc.Compile("tcp prot 80", bpfc.Ethernet, 0)
	var e *bpfc.Error
	if errors.As(err, &e) {
		fmt.Println(e)
		fmt.Println(e.Caret())
	}
	// Output:
	// unexpected `prot` after `tcp` at column 5: did you mean `port`?
	// tcp prot 80
	//     ^~~~
}

func ExampleProgram_notes() {
	p, err := bpfc.CompileOptions("net 192.168.0.0/12", bpfc.Ethernet, bpfc.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range p.Notes {
		fmt.Printf("bytes %d to %d: %s\n", n.Pos, n.End, n.Msg)
	}
	// Output: bytes 4 to 18: 192.168.0.0/12 -> 192.160.0.0/12
}

func ExampleErrNeverMatches() {
	_, err := bpfc.Compile("arp and tcp port 80", bpfc.Ethernet, 0)
	fmt.Println(errors.Is(err, bpfc.ErrNeverMatches))
	// Output: true
}

func ExampleParse() {
	e, err := bpfc.Parse("tcp&&!( port 80||443 )")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e)
	// Output: tcp and not (port 80 or 443)
}
