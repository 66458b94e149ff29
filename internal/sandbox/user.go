package sandbox

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// A User is one of the machine's.
type User struct {
	Name     string
	UID, GID int
	Groups   []int // all that it is a member of
}

// LookUpUser finds a user by name, or by number.
func LookUpUser(name string) (*User, error) {
	u, err := user.Lookup(name)
	if _, number := strconv.ParseUint(name, 10, 31); err != nil && number == nil {
		u, err = user.LookupId(name)
	}
	if err != nil {
		return nil, fmt.Errorf("no user %q: %w", name, err)
	}
	found := &User{Name: u.Username}
	if found.UID, err = strconv.Atoi(u.Uid); err != nil {
		return nil, fmt.Errorf("user %q: %w", name, err)
	}
	if found.GID, err = strconv.Atoi(u.Gid); err != nil {
		return nil, fmt.Errorf("user %q: %w", name, err)
	}
	found.Groups = []int{found.GID}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("groups of user %q: %w", name, err)
	}
	for _, id := range ids {
		if gid, err := strconv.Atoi(id); err == nil && gid != found.GID {
			found.Groups = append(found.Groups, gid)
		}
	}
	return found, nil
}

// MayWrite reports whether a user, or if it is nil who the program is, may make
// files in a directory without a capability for it. Access control lists are
// not looked at, nor what is above the directory.
func MayWrite(dir string, u *User) bool {
	if u != nil {
		return mayWrite(dir, u.UID, u.Groups)
	}
	groups, err := os.Getgroups()
	return err == nil && mayWrite(dir, os.Geteuid(), append(groups, os.Getegid()))
}
