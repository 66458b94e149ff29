package bpfc

import "slices"

// hoist moves instructions that set X to before the conditional jump that leads
// to them, if X does not matter where the jump leads else. Of two ways that set
// X and then meet, one needs no jump then. It returns where the program starts.
func hoist(start entry) entry {
	h := hoister{start: start}
	for h.one() {
	}
	return h.start
}

type hoister struct {
	start entry
	live  map[entry]bool // X is read from there on before it is set
}

// one hoists the first section that can be, if there is one.
func (h *hoister) one() bool {
	order := h.start.s.inOrder()
	jumps := make(map[*section]int) // of those that can be hoisted, to a section
	into := make(map[*section][]*entry)
	into[h.start.s] = append(into[h.start.s], &h.start)
	for _, s := range order {
		if s.setsX() {
			jumps[s.yes.s]++
		}
		if !s.returns() {
			into[s.yes.s] = append(into[s.yes.s], &s.yes)
			into[s.no.s] = append(into[s.no.s], &s.no)
		}
	}
	h.live = make(map[entry]bool)
	for _, p := range order {
		if p.returns() || p.last.Op == opJump || p.last.Op&sourceX != 0 {
			continue
		}
		for _, ends := range [2][2]*entry{{&p.yes, &p.no}, {&p.no, &p.yes}} {
			to, other := ends[0], ends[1]
			s := to.s
			if !s.setsX() || jumps[s.yes.s] < 2 || len(into[s]) != 1 || to.rest != len(s.loads) || h.liveX(*other) {
				continue
			}
			p.loads = append(slices.Clip(p.loads), s.loads...)
			for _, e := range into[p] {
				e.rest += len(s.loads)
			}
			*to = s.yes
			return true
		}
	}
	return false
}

// setsX reports whether all that the section does is to set X, and to store it.
func (s *section) setsX() bool {
	if s.returns() || s.last.Op != opJump || len(s.loads) == 0 {
		return false
	}
	for _, ins := range s.loads {
		if ins.Op != opLoadNumberX && ins.Op != opStoreX {
			return false
		}
	}
	return s.loads[0].Op == opLoadNumberX
}

// liveX reports whether X is read from e on before it is set.
func (h *hoister) liveX(e entry) bool {
	if e.s.returns() {
		return false
	}
	if live, ok := h.live[e]; ok {
		return live
	}
	live := e.s.last.Op&classMask == classJump && e.s.last.Op != opJump && e.s.last.Op&sourceX != 0
	live = live || h.liveX(e.s.yes) || h.liveX(e.s.no)
	for i := len(e.s.loads) - 1; i >= len(e.s.loads)-e.rest; i-- {
		switch ins := e.s.loads[i]; {
		case ins.Op&classMask == classLoadX, ins.Op == opTAX:
			live = false
		case ins.Op&classMask == classLoad && ins.Op&modeMask == modeIndirect,
			ins.Op&classMask == classALU && ins.Op&sourceX != 0,
			ins.Op&classMask == classStoreX, ins.Op == opTXA:
			live = true
		}
	}
	h.live[e] = live
	return live
}
