package bpfc
