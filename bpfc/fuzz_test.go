package bpfc

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

// addSentences seeds a fuzz target with right and wrong expressions.
func addSentences(add func(expr string)) {
	r := rand.New(rand.NewPCG(11, 12))
	s, whole := sentencer{r}, linguist{sentencer{r}, LinuxSLL2}
	for range 40 {
		add(s.sentence(2))
		add(whole.sentence(1))
	}
	add(whole.tunnelled())
	for _, tt := range errorTests {
		add(tt.expr)
	}
}

// failsOn reports whether an instruction of the program fails on a packet, as
// a load past its end does.
func (p *Program) failsOn(pkt []byte) bool {
	q := &Program{Insns: slices.Clone(p.Insns)}
	for i, ins := range q.Insns {
		if ins.Op == opReturnK {
			q.Insns[i].K = max(ins.K, 1)
		}
	}
	return q.Match(pkt, len(pkt)) == 0
}

// FuzzCompile: any text gives an error whose place lies in the text, or a
// program that the kernel would take and that judges whole packets as the
// unoptimized one does.
func FuzzCompile(f *testing.F) {
	links := []LinkType{Ethernet, Raw, LinuxSLL, LinuxSLL2}
	n := 0
	addSentences(func(expr string) {
		f.Add(expr, byte(n), n%3 == 0)
		n++
	})
	pkts := make(map[LinkType][][]byte)
	for i, lt := range links {
		pkts[lt], _ = packetsOf(lt, rand.New(rand.NewPCG(13, uint64(i))))
	}
	f.Fuzz(func(t *testing.T, expr string, link byte, live bool) {
		if len(expr) > 2000 {
			return // keep the rounds short
		}
		lt, o := links[int(link)%len(links)], asTcpdump
		o.Live = live
		p, err := CompileOptions(expr, lt, o)
		var e *Error
		if err != nil {
			if !errors.As(err, &e) || e.Msg == "" || e.Expr != expr ||
				e.Pos < 0 || e.Pos > e.End || e.End > len(expr) {
				t.Fatalf("%q: %#v", expr, err)
			}
			e.Caret()
			return
		}
		if err := validate(p.Insns); err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		if live {
			return // the packets lack what is beside them
		}
		plain := unoptimizedOf(t, expr, lt, o)
		for i := 0; i < len(pkts[lt]); i += 7 {
			pkt := pkts[lt][i]
			got, want := p.Match(pkt, len(pkt)), plain.Match(pkt, len(pkt))
			if got != want && (want > 0 || !plain.failsOn(pkt)) {
				t.Fatalf("%q on %x: got %d, want %d", expr, pkt, got, want)
			}
		}
	})
}

// FuzzLex: the tokens of any text stand in it one after the other, with nothing
// but spaces between them, up to its end or up to the fault.
func FuzzLex(f *testing.F) {
	addSentences(func(expr string) { f.Add(expr) })
	f.Fuzz(func(t *testing.T, expr string) {
		tokens, err := lex(expr)
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Pos < 0 || e.Pos > e.End || e.End > len(expr)) {
			t.Fatalf("%q: %v", expr, err)
		}
		at := 0
		for _, tok := range tokens {
			if tok.pos < at || tok.end < tok.pos || tok.end > len(expr) {
				t.Fatalf("%q: token %q at %d to %d, after %d", expr, tok.text, tok.pos, tok.end, at)
			}
			if between := strings.Trim(expr[at:tok.pos], " \t\n\r"); between != "" {
				t.Fatalf("%q: %q is in no token", expr, between)
			}
			if written := expr[tok.pos:tok.end]; strings.TrimPrefix(written, `\`) != tok.text {
				t.Fatalf("%q: %q has become %q", expr, written, tok.text)
			}
			at = tok.end
		}
		if err == nil && at != len(expr) {
			t.Fatalf("%q: the tokens end at %d", expr, at)
		}
	})
}

// FuzzParse: the text of a tree parses to the same tree.
func FuzzParse(f *testing.F) {
	addSentences(func(expr string) { f.Add(expr) })
	f.Fuzz(func(t *testing.T, expr string) {
		e, err := Parse(expr)
		if err != nil {
			return
		}
		if e.Pos() < 0 || e.Pos() > e.End() || e.End() > len(expr) {
			t.Fatalf("%q: tree from %d to %d", expr, e.Pos(), e.End())
		}
		again, err := Parse(e.String())
		if err != nil {
			t.Fatalf("%q: %q: %v", expr, e, err)
		}
		if shape(again) != shape(e) {
			t.Fatalf("%q: %s became %s", expr, shape(e), shape(again))
		}
	})
}

// FuzzMatch: any program ends, on any packet, with no
// more bytes than the packet has, and does not panic.
func FuzzMatch(f *testing.F) {
	s := sentencer{rand.New(rand.NewPCG(15, 16))}
	for range 20 {
		p, err := CompileOptions(s.sentence(1), Ethernet, Options{})
		if err == nil {
			f.Add(encode(p.Insns), tcp4(a4, b4, 1, 80), 100)
		}
	}
	r := rand.New(rand.NewPCG(17, 18))
	for range 50 {
		f.Add(encode(randomInstructions(r).Insns), tcp6(a6, b6, 1, 80), 100)
	}
	f.Fuzz(func(t *testing.T, code, pkt []byte, wireLen int) {
		p := &Program{}
		for ; len(code) >= 8; code = code[8:] {
			p.Insns = append(p.Insns, bpf.RawInstruction{
				Op: binary.BigEndian.Uint16(code), Jt: code[2], Jf: code[3],
				K: binary.BigEndian.Uint32(code[4:]),
			})
		}
		m := &Meta{IfIndex: 1, NetOffset: wireLen}
		if n := p.MatchMeta(pkt, wireLen, m); n < 0 || n > len(pkt) {
			t.Fatalf("keeps %d of %d bytes\n%s", n, len(pkt), p.Dump())
		}
		p.Dump()
	})
}

// encode returns a program as bytes, as FuzzMatch reads it.
func encode(insns []bpf.RawInstruction) (code []byte) {
	for _, ins := range insns {
		code = binary.BigEndian.AppendUint16(code, ins.Op)
		code = append(code, ins.Jt, ins.Jf)
		code = binary.BigEndian.AppendUint32(code, ins.K)
	}
	return code
}

// randomInstructions returns a short program, which can be invalid.
func randomInstructions(r *rand.Rand) *Program {
	ops := []uint16{
		opLoadWord, opLoadHalf, opLoadByte, opLoadWordX, opLoadHalfX, opLoadByteX,
		opLoadLength, opLoadHeaderX, classLoad | modeImmediate, classLoadX | modeImmediate,
		classLoad | modeMemory, classLoadX | modeMemory, classLoadX | modeLength,
		classStore, classStoreX, classMisc, classMisc | miscTXA, opJump,
		opReturnK, classReturn | returnA,
	}
	for op := uint16(aluAdd); op <= aluXor; op += 0x10 {
		ops = append(ops, classALU|op, classALU|op|sourceX)
	}
	for op := uint16(jumpEqual); op <= jumpAnyBit; op += 0x10 {
		ops = append(ops, classJump|op, classJump|op|sourceX)
	}
	p := &Program{}
	for range 2 + r.IntN(12) {
		ins := bpf.RawInstruction{Op: ops[r.IntN(len(ops))], K: uint32(r.IntN(20))}
		switch r.IntN(40) {
		case 0:
			ins.K = r.Uint32() // not the kernel's data nor headers, as a rule
		case 2:
			ins.K = ancillaryBase + uint32(r.IntN(20))*4
		case 1:
			ins.Op = uint16(r.IntN(0x100))
		}
		if ins.Op&classMask == classJump {
			ins.Jt, ins.Jf = uint8(r.IntN(4)), uint8(r.IntN(4))
			if ins.Op == opJump {
				ins.K = uint32(r.IntN(4))
			}
		}
		p.Insns = append(p.Insns, ins)
	}
	p.Insns = append(p.Insns, bpf.RawInstruction{Op: classReturn | returnA})
	return p
}
