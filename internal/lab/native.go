package lab

// script is the rule set as input for nft(8).
func (s ruleSpec) script() string { return "" }
