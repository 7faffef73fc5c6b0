package check

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"math/bits"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxPairs bounds how many pairs of files of a package use each other's names, and how many of these go against the
// order of the rest: 92 and 6 before shared/store had a changeset. A change that needs more splits the package instead.
// The 2 in shared/store are the account: a changeset collects accounts, and an account its licenses, for both to write.
// Each of its files uses four or five of those at the bottom: store, timeline, account, customer and request.
var maxPairs = map[string]struct{ all, backward int }{
	"shared/store":        {54, 4},
	"shared/store/entity": {3, 0},
}

// use says that one file of a package uses names that another one declares: types, functions, methods and the like.
type use struct{ from, to string }

// uses finds out which files of a package use each other's names.
func uses(t *testing.T, folder string) map[use][]string {
	t.Helper()
	fileSet := token.NewFileSet()
	names, err := filepath.Glob(path.Join(root, folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fileSet, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	// Names of other packages are not needed, and reading those packages takes half a minute.
	config := types.Config{Importer: noImports{}, Error: func(error) {}}
	p, _ := config.Check(folder, fileSet, files, info)
	found := map[use][]string{}
	for id, object := range info.Uses {
		if object.Pkg() != p || object.Parent() != p.Scope() && !isMethod(object) {
			continue
		}
		u := use{path.Base(fileSet.Position(id.Pos()).Filename), path.Base(fileSet.Position(object.Pos()).Filename)}
		if u.from != u.to && !slices.Contains(found[u], object.Name()) {
			found[u] = append(found[u], object.Name())
		}
	}
	return found
}

type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("not needed") }

func isMethod(object types.Object) bool {
	f, ok := object.(*types.Func)
	return ok && f.Signature().Recv() != nil
}

// backward counts the uses against the order of files that has the fewest of them. It tries all orders, set by set:
// what a set of files costs does not depend on how the files after it are ordered.
func backward(all []use) int {
	var files []string
	for _, u := range all {
		files = append(files, u.from, u.to)
	}
	slices.Sort(files)
	files = slices.Compact(files)
	usedBy := make([]uint, len(files)) // the files that use each file, as bits
	for _, u := range all {
		usedBy[slices.Index(files, u.to)] |= 1 << slices.Index(files, u.from)
	}
	least := make([]int, 1<<len(files)) // of the files in a set, if they come first
	for set := range uint(len(least)) {
		if set > 0 {
			least[set] = len(all)
		}
		for i := range files {
			if last := uint(1) << i; set&last != 0 {
				before := set &^ last
				least[set] = min(least[set], least[before]+bits.OnesCount(usedBy[i]&before))
			}
		}
	}
	return least[len(least)-1]
}

// checkPairs: the files of a package do not depend on each other more than agreed.
func checkPairs(folder string, found map[use][]string, maxAll, maxBackward int) (problems []string) {
	all := slices.SortedFunc(maps.Keys(found), func(a, b use) int { return strings.Compare(a.from+a.to, b.from+b.to) })
	if n := len(all); n > maxAll {
		problems = append(problems,
			fmt.Sprintf("%s: got %d pairs of files that use each other's names, want at most %d:", folder, n, maxAll))
		for _, u := range all {
			slices.Sort(found[u])
			names := strings.Join(found[u], " ")
			problems = append(problems, fmt.Sprintf("%s: %s uses %s: %s", folder, u.from, u.to, names))
		}
	}
	if n := backward(all); n > maxBackward {
		problems = append(problems,
			fmt.Sprintf("%s: got %d pairs against the order of the rest, want at most %d", folder, n, maxBackward))
	}
	return problems
}

func TestFilesOfAPackageKeepTheirDistance(t *testing.T) {
	for folder, most := range maxPairs {
		found := uses(t, folder)
		t.Logf("%s: %d pairs of files", folder, len(found))
		report(t, checkPairs(folder, found, most.all, most.backward))
	}
}

func TestPairsCheckFinds(t *testing.T) {
	chain := map[use][]string{{"a.go", "b.go"}: {"B"}, {"b.go", "c.go"}: {"C"}, {"c.go", "d.go"}: {"D"}}
	finds(t, checkPairs("x", chain, 3, 0))
	chain[use{"d.go", "a.go"}] = []string{"A", "Again"}
	finds(t, checkPairs("x", chain, 3, 0), "4 pairs of files", "a.go uses b.go: B", "b.go uses c.go", "c.go uses d.go",
		"d.go uses a.go: A Again", "1 pairs against the order")
}
