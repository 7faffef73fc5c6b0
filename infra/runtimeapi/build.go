package runtimeapi

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// BuildFlags are those that every function is deployed with (performance.md, "Build flags"); the architecture here is
// the host's.
func BuildFlags() []string {
	return []string{"-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w -buildid="}
}

// Build compiles the command of an import path of this module to the file out. Extra arguments stand before the import path.
func Build(ctx context.Context, importPath, out string, extra ...string) error {
	args := append([]string{"build", "-o", out}, BuildFlags()...)
	cmd := exec.CommandContext(ctx, "go", append(append(args, extra...), importPath)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("runtimeapi: building %s: %w\n%s", importPath, err, text)
	}
	return nil
}
