// Package custompackage makes the packages of single customers in a folder. The license generator decides their content
// and names; archive builds them.
package custompackage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"marketplace/catalog"
	"marketplace/catalog/archive"
	"marketplace/shared/lazyregexp"
)

// Folder makes packages in the folder Out, created on demand, from the jars in the folder Jars.
type Folder struct{ Jars, Out string }

var packageName = lazyregexp.New(`^[a-z]+-edition-[0-9.]+-[a-z2-7]{26}\.zip$`)

// CheckName returns an error unless name is that of a custom package: developer-edition-6.7.1-<26 letters and
// digits>.zip.
func CheckName(name string) error {
	if !packageName().MatchString(name) {
		return fmt.Errorf("custompackage: %q is not the name of a package", name)
	}
	return nil
}

// MakePackage makes a package of the jars, all or nothing. The same jars and name give the same bytes.
func (f Folder) MakePackage(ctx context.Context, name string, jars []catalog.Jar) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("custompackage: package %s: %w", name, err)
	}
	if err := CheckName(name); err != nil {
		return err
	}
	if err := os.MkdirAll(f.Out, 0o755); err != nil {
		return fmt.Errorf("custompackage: %w", err)
	}
	if _, err := archive.Build(filepath.Join(f.Out, name), f.Jars, jars); err != nil {
		return fmt.Errorf("custompackage: %w", err)
	}
	return nil
}
